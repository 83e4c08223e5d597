package interp

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// TestHostileExtents runs operations whose attributes have symbols that are
// bound to numbers nobody checked: each run ends with a result or an error.
func TestHostileExtents(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	values := []int64{0, 1, 2, 3, 5, 7, 40, 1 << 40, 1 << 62, math.MaxInt64}
	errs, runs := 0, 0
	for range 3000 {
		g, ok := hostileGraph(rng)
		if !ok {
			continue
		}
		in := []*Tensor{grid(3, 4), i64s(rng.Int64N(9)-3, rng.Int64N(9)-3),
			FromSlice(i64, []int64{}, []int64{values[rng.IntN(len(values))]}),
			FromSlice(i64, []int64{}, []int64{values[rng.IntN(len(values))]})}
		runs++
		if _, err := Run(g, in); err != nil {
			errs++
		}
	}
	if errs == 0 || errs == runs {
		t.Errorf("%d of %d runs ended with an error, want some", errs, runs)
	}
}

// hostileGraph applies a random operation to the matrix x, with dims that are
// expressions over the symbols A and B; false where inference refuses it.
func hostileGraph(rng *rand.Rand) (*ir.Graph, bool) {
	g := ir.NewGraph("hostile")
	x := g.Param("x", ir.T(f32, ir.Const(3), ir.Const(4)), ir.Pos{})
	idx := g.Param("i", ir.T(i64, ir.Const(2)), ir.Pos{})
	a := g.Param("a", ir.T(i64), ir.Pos{})
	b := g.Param("b", ir.T(i64), ir.Pos{})
	must(g, ir.OpBind, &ir.BindAttr{Sym: "A"}, a)
	must(g, ir.OpBind, &ir.BindAttr{Sym: "B"}, b)
	s := func(n int) ir.Shape {
		out := make(ir.Shape, n)
		for i := range out {
			out[i] = hostileDim(rng)
		}
		return out
	}
	two := func() []int64 { return []int64{1 + rng.Int64N(3), 1 + rng.Int64N(3)} }
	zero := must(g, ir.OpConst, &ir.ConstAttr{Value: ir.SplatLiteral(f32, []int64{}, float32(0))})
	x4, err := g.New(ir.Pos{}, ir.OpReshape, &ir.ShapeAttr{Shape: ir.Dims(1, 1, 3, 4)}, x)
	if err != nil {
		panic(err)
	}
	try := []func() (*ir.Value, error){
		func() (*ir.Value, error) {
			return g.New(ir.Pos{}, ir.OpSlice, &ir.SliceAttr{Start: s(2),
				Step: []int64{rng.Int64N(2)*3 - 1, 1}, Shape: s(2)}, x)
		},
		func() (*ir.Value, error) {
			return g.New(ir.Pos{}, ir.OpPad, &ir.PadAttr{Lo: s(2), Hi: s(2)}, x, zero)
		},
		func() (*ir.Value, error) { return g.New(ir.Pos{}, ir.OpReshape, &ir.ShapeAttr{Shape: s(2)}, x) },
		func() (*ir.Value, error) {
			return g.New(ir.Pos{}, ir.OpDynamicSlice, &ir.ShapeAttr{Shape: s(2)}, x, idx)
		},
		func() (*ir.Value, error) {
			return g.New(ir.Pos{}, ir.OpIota, &ir.IotaAttr{DType: f32, Shape: s(2), Axis: 1})
		},
		func() (*ir.Value, error) { return g.New(ir.Pos{}, ir.OpDims, &ir.DimsAttr{Dims: s(3)}) },
		func() (*ir.Value, error) {
			return g.New(ir.Pos{}, ir.OpWindowMax, &ir.WindowAttr{Size: two(), Stride: two(),
				Dilation: two(), Lo: s(2), Hi: s(2)}, x)
		},
		func() (*ir.Value, error) {
			return g.New(ir.Pos{}, ir.OpConv, &ir.ConvAttr{Stride: two(), Dilation: two(),
				InDilation: two(), Lo: s(2), Hi: s(2), Groups: 1}, x4, x4)
		},
		func() (*ir.Value, error) {
			return g.New(ir.Pos{}, ir.OpBroadcast, &ir.BroadcastAttr{Shape: append(s(1), ir.Dims(3, 4)...),
				Axes: []int{1, 2}}, x)
		},
	}
	v, err := try[rng.IntN(len(try))]()
	if err != nil {
		return nil, false
	}
	g.SetResults(nil, v)
	return g, true
}

// hostileDim is an expression over A and B.
func hostileDim(rng *rand.Rand) ir.Dim {
	d, e := ir.Sym("A"), ir.Sym("B")
	switch rng.IntN(8) {
	case 0:
		return ir.Const(rng.Int64N(6))
	case 1:
		return d.Sub(e)
	case 2:
		return d.Mul(e)
	case 3:
		return d.FloorDiv(e)
	case 4:
		return d.AddConst(-2)
	case 5:
		return e.MulConst(3)
	case 6:
		return d.Mod(e)
	}
	return d
}
