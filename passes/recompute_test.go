package passes

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// training is the shape of a training step: h = x·w, y = gelu-like of h goes on
// to a product, and the gradient uses what y was made of.
const training = `graph f
	v0 = param <f32[256,256]> {x}
	v1 = param <f32[256,256]> {w}
	v2 = dot <f32[256,256]> v0 v1 {lcontract=[1] rcontract=[0]}
	v3 = tanh <f32[256,256]> v2
	v4 = mul <f32[256,256]> v3 v3
	v5 = const <f32[]> {1}
	v6 = broadcast <f32[256,256]> v5 {shape=[256,256]}
	v7 = sub <f32[256,256]> v6 v4
	v8 = add <f32[256,256]> v6 v3
	v9 = mul <f32[256,256]> v3 v8
	v10 = dot <f32[256,256]> v9 v1 {lcontract=[1] rcontract=[0]}
	v11 = dot <f32[256,256]> v10 v1 {lcontract=[1] rcontract=[1]}
	v12 = mul <f32[256,256]> v11 v7
	v13 = mul <f32[256,256]> v11 v8
	v14 = add <f32[256,256]> v12 v13
	return v14
`

// TestRecompute stores one value of the first stage for the last, not two; the
// result has the same bits.
func TestRecompute(t *testing.T) {
	g, err := ir.Parse("training", training)
	if err != nil {
		t.Fatal(err)
	}
	peak := func(skip ...string) (int64, []float32) {
		out, err := Run(g, Options{Skip: skip, Check: true})
		if err != nil {
			t.Fatal(err)
		}
		arena, _, err := PlanMemory(out).Peak(nil)
		if err != nil {
			t.Fatal(err)
		}
		var in []*interp.Tensor
		for k := range 2 {
			data := make([]float32, 1<<16)
			for i := range data {
				data[i] = float32((i*7919+k*31)%257)/2570 - 0.05
			}
			in = append(in, interp.FromSlice(ir.F32, []int64{256, 256}, data))
		}
		res, err := interp.Run(out, in)
		if err != nil {
			t.Fatal(err)
		}
		return arena, interp.Elements[float32](res[0])
	}
	before, want := peak("recompute")
	after, got := peak()
	if after > before-1<<18 {
		t.Errorf("%d bytes, without the pass %d: want 256 KB less", after, before)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("element %d is %v, was %v", i, got[i], want[i])
		}
	}
}
