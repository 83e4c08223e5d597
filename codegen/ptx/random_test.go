package ptx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/lower"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/passes"
)

// TestRandom takes the kernels of random graphs that a GPU schedule takes:
// the scheduled tree and its PTX compute what the naive tree does. Others must
// be refused with a reason.
func TestRandom(t *testing.T) {
	graphs := 60
	if testing.Short() {
		graphs = 15
	}
	done, refused := map[string]int{}, 0
	for seed := range graphs {
		c := irtest.Generate(irtest.Config{Seed: 900 + uint64(seed), MaxElems: 256, Flat: true, Static: true,
			Allow: func(op ir.Op, d ir.DType) bool { return d != ir.String && slices.Contains(dtypes[:13], d) }})
		g, err := passes.Run(c.Graph, passes.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Values {
			if v.Op != ir.OpFuse {
				continue
			}
			a := v.Attr.(*ir.FuseAttr)
			r, err := lower.Region("k", a.Kind, a.Body, lower.Places{})
			if err != nil || len(r.Kernel.Dims) > 0 {
				continue
			}
			tree, how, err := schedule.ExplainGPU(r.Kernel, schedule.GPUTargets["sm_80"])
			if err != nil {
				if !strings.Contains(err.Error(), "no strategy takes this kernel; not rows: ") {
					t.Error(err)
				}
				refused++
				continue
			}
			same(t, fmt.Sprintf("seed %d: %s", c.Seed, how), r.Kernel, tree)
			how, _, _ = strings.Cut(how, ";")
			done[how]++
		}
	}
	t.Logf("%v, %d refused", done, refused)
	if done["rows"] == 0 || done["elements"] == 0 {
		t.Error("a strategy was not tried")
	}
}

// same compares the naive tree with the scheduled one and its PTX.
func same(t *testing.T, what string, naive, tree *kernel.Kernel) {
	t.Helper()
	target, _ := TargetOf("sm_80")
	text, err := Emit(mathfn.Kernel(tree, nil), target)
	if err != nil {
		t.Errorf("%s: %v\n%v", what, err, tree)
		return
	}
	r := rand.New(rand.NewPCG(2, 9))
	var bufs [3][][]byte
	for _, b := range naive.Params {
		n, _ := b.Size.Int()
		data := make([]byte, n*int64(b.DType.Size()))
		for i := range n {
			bits := uint64(r.IntN(5))
			if b.DType.IsFloat() {
				bits = floatBits(b.DType, float64(bits)-2)
			} else if b.DType == ir.Bool {
				bits &= 1
			}
			put(data[i*int64(b.DType.Size()):][:b.DType.Size()], bits)
		}
		for i := range bufs {
			bufs[i] = append(bufs[i], slices.Clone(data))
		}
	}
	status, err := kernel.Run(naive, bufs[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := kernel.Run(tree, bufs[1], nil); err != nil || got != status {
		t.Errorf("%s: status %d, want %d, %v\n%v", what, got, status, err, tree)
		return
	}
	out := make([]byte, 4)
	l := LaunchOf(tree)
	grid := [3]int64{}
	for i, d := range l.Grid {
		grid[i], _ = d.Int()
	}
	p := parseEntry(text)
	if mem := bufs[2]; len(p.params) > len(mem) {
		p.execute(append(slices.Clone(mem), out), nil, grid, l.Block)
	} else {
		p.execute(mem, nil, grid, l.Block)
	}
	if int(out[0]) != status {
		t.Errorf("%s: PTX status %d, want %d", what, out[0], status)
	}
	if status != 0 {
		return
	}
	for i, b := range naive.Params {
		for j, name := range []string{"tree", "PTX"} {
			compareData(t, what+": "+name+": "+b.Name, b.DType, bufs[j+1][i], bufs[0][i])
		}
	}
}

func compareData(t *testing.T, what string, d ir.DType, got, want []byte) {
	t.Helper()
	b := irtest.Bound{Abs: 1e-4, Rel: 1e-4}
	if d == ir.F16 || d == ir.BF16 {
		b = irtest.Bound{Abs: 1e-2, Rel: 2e-2}
	} else if !d.IsFloat() {
		b = irtest.Bound{}
	}
	shape := []int64{int64(len(got) / d.Size())}
	err := irtest.CompareLiterals(&ir.Literal{DType: d, Shape: shape, Data: got},
		&ir.Literal{DType: d, Shape: shape, Data: want}, b)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
