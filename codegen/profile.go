package codegen

import (
	"slices"
	"time"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/runtime"
)

// KernelCost is what the launches of one kernel took and did.
type KernelCost struct {
	Kernel   string
	Nodes    []string // positions in the model or the source of what it computes
	Launches int64
	Time     time.Duration
	Work     kernel.Work // of all launches
}

// Profile returns the costs of the kernels that a model has run since it was loaded from a with
// runtime.WithProfile, in the order of the program. Work is that of the naive trees: operations on
// floating-point numbers with elementary functions expanded to arithmetic, on integers as the model
// has them, and each element of memory once a launch.
func (a *Artifact) Profile(m *runtime.Model) ([]KernelCost, error) {
	var out []KernelCost
	last := -1
	for _, p := range m.Profile() {
		tree := a.Plan.Trees[p.Kernel]
		if p.Kernel != last {
			out = append(out, KernelCost{Kernel: tree.Name, Nodes: positions(tree)})
			last = p.Kernel
		}
		w, err := kernel.Count(tree, p.Dims)
		if err != nil {
			return nil, err
		}
		expanded, err := kernel.Count(mathfn.Kernel(tree, nil), p.Dims)
		if err != nil {
			return nil, err
		}
		k, n := &out[len(out)-1], float64(p.Launches)
		k.Launches += p.Launches
		k.Time += p.Time
		k.Work.Float32 += n * expanded.Float32
		k.Work.Float64 += n * expanded.Float64
		k.Work.Int += n * w.Int
		k.Work.Read += n * w.Read
		k.Work.Written += n * w.Written
	}
	return out, nil
}

func positions(k *kernel.Kernel) []string {
	out := []string{}
	for _, p := range k.Pos {
		if s := p.String(); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
