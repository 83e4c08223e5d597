package tune

import (
	"math"
	"testing"
	"time"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

const text = `graph mlp
	v0 = param <f32[64,96]> {x}
	v1 = param <f32[96,80]> {w}
	v2 = dot <f32[64,80]> v0 v1 {lcontract=[1] rcontract=[0]}
	v3 = exp <f32[64,80]> v2
	v4 = sum <f32[64]> v3 {[1]}
	return v4
`

// TestSearch searches for a moment: what it finds compiles, is of kernels that the graph has, and
// computes the same.
func TestSearch(t *testing.T) {
	if _, err := llvm.Find(); err != nil || len(runtime.Levels()) < 2 {
		t.Skip("no machine code here: ", err)
	}
	g, err := ir.Parse("mlp.tir", text)
	if err != nil {
		t.Fatal(err)
	}
	in := []*runtime.Tensor{ramp(64, 96), ramp(96, 80)}
	level := runtime.Levels()[0]
	last := 0
	r, err := Search(t.Context(), g, in, Options{Level: level, Time: 3 * time.Second,
		Progress: func(done, total int) {
			if done < last || done > total {
				t.Errorf("progress went from %d to %d of %d", last, done, total)
			}
			last = done
		}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Tried < 5 || r.After > r.Before || r.Before == 0 || last == 0 {
		t.Errorf("%+v", r)
	}
	var outs [][]float32
	for _, u := range []*codegen.Tuning{nil, r.Tuning} {
		a, err := codegen.Compile(t.Context(), g, codegen.Options{Levels: []string{level}, Tuning: u})
		if err != nil {
			t.Fatal(err)
		}
		if a.Stats.Stale != 0 || u != nil && a.Stats.Tuned != len(u.Kernels) {
			t.Errorf("%d tuned, %d stale of %d", a.Stats.Tuned, a.Stats.Stale, len(u.Kernels))
		}
		m, err := a.Load()
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		out, err := m.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		f, err := runtime.Slice[float32](out[0])
		if err != nil {
			t.Fatal(err)
		}
		outs = append(outs, f)
	}
	for i := range outs[0] {
		if a, b := float64(outs[0][i]), float64(outs[1][i]); math.Abs(a-b) > 1e-5*math.Abs(a) {
			t.Errorf("sum %d is %g, tuned %g", i, a, b)
		}
	}
}

func ramp(rows, cols int) *runtime.Tensor {
	data := make([]float32, rows*cols)
	for i := range data {
		data[i] = float32(i%7)/70 - 0.04
	}
	return runtime.MustFrom(data, rows, cols)
}
