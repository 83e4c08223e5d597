package codegen

import (
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/plan"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// Artifact is a compiled graph.
type Artifact struct {
	Graph  *ir.Graph // after all passes
	Plan   *plan.Plan
	Levels []*Level
	Stats  Stats
}

// Level has the kernels for one CPU level, in the order of the program's.
type Level struct {
	Name    string
	Target  llvm.Target // that code is made for, unless it is the generic level
	Kernels []Kernel
}

// Runs is the level of the machine at which l runs: its own, unless its
// instructions are emulated.
func (l *Level) Runs() string {
	if l.Target.Emulated != "" {
		return l.Target.Level
	}
	return l.Name
}

// only is a with one level, complete.
func (a *Artifact) only(level string) *Artifact {
	c := *a
	i := slices.IndexFunc(a.Levels, func(l *Level) bool { return l.Name == level })
	l := *a.Levels[i]
	l.Kernels = slices.Clone(l.Kernels)
	for j := range l.Kernels {
		for at := a.Levels[i]; l.Kernels[j].Same; {
			at = a.base(at)
			l.Kernels[j] = at.Kernels[j]
		}
	}
	c.Levels = []*Level{&l}
	return &c
}

// Kernel is a kernel at one level.
type Kernel struct {
	Tree *kernel.Kernel // scheduled
	Code *llvm.Func     // nil at the generic level
	// Same says that the form of the target's base level, which the artifact
	// has, is as good: there is no code.
	Same    bool
	Tasks   runtime.Int
	Scratch runtime.Int
	// Common is the memory that tasks share, Ahead the tasks that fill it.
	Common, Ahead runtime.Int

	sched *scheduled
}

// Stats says what a compilation took, in seconds, and gave.
type Stats struct {
	Passes, Plan, Schedule, LLVM float64
	CodeBytes, WeightBytes       int64
	// Kernels is how many were to be compiled, over all levels of machine code, Cached how many of
	// them the cache had.
	Kernels, Cached int
	// Tuned is how many entries of Options.Tuning were used, Stale how many are of kernels that the
	// graph does not have.
	Tuned, Stale int
}

// Weights returns the constants as one block, laid out as the program expects. They are
// copied in parts, in parallel: a model may have gigabytes, of which every page is new.
func (a *Artifact) Weights() []byte {
	const most = 4 << 20 // bytes of a part
	w := alignedBytes(a.Plan.Program.WeightBytes)
	var parts sync.WaitGroup
	running := make(chan struct{}, goruntime.GOMAXPROCS(0))
	for _, c := range a.Plan.Weights {
		l := c.Value
		dst := w[c.Offset:][:l.Size()*int64(l.DType.Size())]
		if l.Fill != nil {
			l.Fill(dst)
			continue
		}
		for at := 0; at < len(dst); at += most {
			running <- struct{}{}
			parts.Go(func() {
				fill(dst[at:min(len(dst), at+most)], l, at)
				<-running
			})
		}
	}
	parts.Wait()
	return w
}

// fill writes the elements of a literal that begin at a byte of its data.
func fill(dst []byte, l *ir.Literal, first int) {
	if !l.Splat {
		copy(dst, l.Data[first:])
		return
	}
	for at := copy(dst, l.Data); at < len(dst); at *= 2 {
		copy(dst[at:], dst[:at])
	}
}

// alignedBytes returns n zero bytes, with room for a checksum behind them.
func alignedBytes(n int64) []byte {
	const align, room = 64, 64
	b := make([]byte, n+align+room)
	off := int64(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (align - 1))
	return b[off : off+n : off+n+room]
}

// Load makes the artifact ready to run in this process: its code is mapped
// executable. The model's Close gives it back.
func (a *Artifact) Load(opts ...runtime.Option) (*runtime.Model, error) {
	return a.LoadWith(a.Weights(), opts...)
}

// LoadWith is Load with the weights, which Weights has returned before.
func (a *Artifact) LoadWith(weights []byte, opts ...runtime.Option) (*runtime.Model, error) {
	p := *a.Plan.Program
	p.Kernels = append([]runtime.Kernel(nil), p.Kernels...)
	for _, l := range a.Levels {
		p.Levels = append(p.Levels[:len(p.Levels):len(p.Levels)], l.Runs())
		base, release, err := mapLevel(l)
		if err != nil {
			return nil, fmt.Errorf("%s: level %s: %w", p.Name, l.Name, err)
		}
		if release != nil {
			opts = append(opts, runtime.WithCleanup(release))
		}
		for i := range p.Kernels {
			k := &l.Kernels[i]
			if k.Same {
				continue
			}
			v := runtime.Variant{Level: l.Runs(), Tasks: k.Tasks, Scratch: k.Scratch,
				Common: k.Common, Ahead: k.Ahead}
			if k.Code != nil {
				v.Code = base[i]
			} else {
				v.Go, v.Tasks = treeFunc(k.Tree), 1
			}
			p.Kernels[i].Variants = append(p.Kernels[i].Variants[:len(p.Kernels[i].Variants):len(p.Kernels[i].Variants)], v)
		}
	}
	return runtime.New(&p, weights, opts...)
}

// mapLevel maps the code of a level and returns the address of each kernel.
func mapLevel(l *Level) ([]uintptr, func(), error) {
	const align = 64
	var code []byte
	at := make([]uintptr, len(l.Kernels))
	for i, k := range l.Kernels {
		if k.Same {
			continue
		}
		if k.Code == nil {
			return nil, nil, nil
		}
		for len(code)%align != 0 {
			code = append(code, 0)
		}
		at[i] = uintptr(len(code))
		code = append(code, k.Code.Code...)
	}
	if len(code) == 0 {
		return at, nil, nil
	}
	base, release, err := runtime.MapCode(code)
	if err != nil {
		return nil, nil, err
	}
	for i := range at {
		at[i] += uintptr(base)
	}
	return at, func() {
		if err := release(); err != nil {
			panic("BUG: unmapping code: " + err.Error())
		}
	}, nil
}

// treeFunc executes a whole tree as it stands: slow, for comparison.
func treeFunc(k *kernel.Kernel) runtime.GoFunc {
	return func(bufs []unsafe.Pointer, dims []int64, _, _ int64, _ unsafe.Pointer) int32 {
		env := map[string]int64{}
		for i, d := range k.Dims {
			env[d] = dims[i]
		}
		mem := make([][]byte, len(k.Params))
		for i, p := range k.Params {
			n, err := p.Size.Eval(env)
			if err != nil {
				return runtime.StatusShape
			}
			mem[i] = unsafe.Slice((*byte)(bufs[i]), n*int64(p.DType.Size()))
		}
		status, err := kernel.Run(k, mem, dims)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return int32(status)
	}
}
