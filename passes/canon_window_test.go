package passes

import (
	"math"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// TestWindowAxes compares windows before and after they are split, with NaN,
// infinities and windows of padding alone.
func TestWindowAxes(t *testing.T) {
	const text = `graph g
	v0 = param <f32[1,9,8,3]> {x}
	v1 = windowmax <f32[1,5,12,3]> v0 {size=[1 5 6 1] stride=[1 3 1 1] dilation=[1 1 2 1] lo=[0,6,7,0] hi=[0,2,7,0]}
	return y=v1
`
	g, err := ir.Parse("g.tir", text)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 9*8*3)
	for i := range x {
		x[i] = float32(i*7919%101) - 50
	}
	x[10], x[50], x[100] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	in := []*interp.Tensor{interp.FromSlice(ir.F32, []int64{1, 9, 8, 3}, x)}
	want, err := interp.Run(g, in)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Run(g, Options{StopAfter: "canon"})
	if err != nil {
		t.Fatal(err)
	}
	windows := 0
	for _, v := range after.Values {
		if v.Op == ir.OpWindowMax {
			windows++
		}
	}
	got, err := interp.Run(after, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := closeTo(want[0], got[0], 0); err != nil || windows != 2 {
		t.Errorf("%d windows, want 2: %v", windows, err)
	}
}
