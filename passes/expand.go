package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// expand replaces operations that no kernel computes by others.
//
// fuse: a region in the source is its body; the fuse pass forms its own.
//
// nonzero: its result has as many columns as elements are not zero, and the
// memory of a result is made before its kernel runs. So these are counted
// first and the count is bound to the symbol; then the numbers of all elements
// are put in an order in which the nonzero ones come first, by running sums,
// and the first of them are split into coordinates.
func expand(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	var err error
	for slices.ContainsFunc(g.Values, func(v *ir.Value) bool { return v.Op == ir.OpFuse }) {
		if g, err = inlineRegions(g); err != nil {
			return nil, err
		}
	}
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		if v.Op != ir.OpNonZero {
			return nil, nil
		}
		e := &expander{g: out, pos: v.Pos}
		return e.nonZero(v, args[0]), nil
	})
}

// inlineRegions replaces the outermost regions of g by their bodies.
func inlineRegions(g *ir.Graph) (*ir.Graph, error) {
	results := map[*ir.Value][]*ir.Value{} // by value of g
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		switch {
		case v.Op == ir.OpFuse:
			r, err := out.Inline(v.Attr.(*ir.FuseAttr).Body, args)
			if err != nil || len(r) == 0 {
				return out.Must(v.Pos, ir.OpDims, &ir.DimsAttr{}), err
			}
			results[v] = r
			return r[0], nil
		case v.Op == ir.OpGet && results[v.Args[0]] != nil:
			return results[v.Args[0]][v.Attr.(*ir.IndexAttr).Index], nil
		}
		return nil, nil
	})
}

// expander appends values at one position.
type expander struct {
	g   *ir.Graph
	pos ir.Pos
}

func (e *expander) op(op ir.Op, attr ir.Attr, args ...*ir.Value) *ir.Value {
	return e.g.Must(e.pos, op, attr, args...)
}

func (e *expander) number(shape ir.Shape, k float64) *ir.Value {
	return rewrite.Number64(e.g, e.pos, ir.Of(ir.I64, shape), k)
}

// extent is d in every element of the shape.
func (e *expander) extent(shape ir.Shape, d ir.Dim) *ir.Value {
	x := e.op(ir.OpDims, &ir.DimsAttr{Dims: ir.Shape{d}})
	x = reshape(e.g, e.pos, x, ir.Shape{})
	return e.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: shape}, x)
}

func (e *expander) cast(x *ir.Value, d ir.DType) *ir.Value {
	return e.op(ir.OpCast, &ir.DTypeAttr{DType: d}, x)
}

func (e *expander) nonZero(v, x *ir.Value) *ir.Value {
	count := v.Attr.(*ir.DimsAttr).Dims[0]
	n := ir.Shape{x.Type.Shape.Size()}
	is := e.cast(reshape(e.g, e.pos, x, n), ir.Bool)
	ones := e.cast(is, ir.I64)
	total := e.op(ir.OpSum, &ir.AxesAttr{Axes: []int{0}}, ones)
	for _, sym := range v.Binds() {
		total = e.op(ir.OpBind, &ir.BindAttr{Sym: sym}, total)
	}
	if x.Type.Rank() == 0 {
		return e.number(v.Type.Shape, 0)
	}
	exclusive := &ir.CumAttr{Axis: 0, Exclusive: true}
	before := e.op(ir.OpCumSum, exclusive, ones)
	zeros := e.op(ir.OpCumSum, exclusive, e.cast(e.op(ir.OpNot, nil, is), ir.I64))
	behind := e.op(ir.OpAdd, nil, e.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: n}, total), zeros)
	place := e.op(ir.OpSelect, nil, is, before, behind)
	ids := e.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: n})
	order := e.op(ir.OpScatterAlong, &ir.ScatterAttr{Reduce: "none"}, e.number(n, 0), place, ids)
	found := ir.Shape{count}
	order = e.op(ir.OpSlice, &ir.SliceAttr{Start: ir.Dims(0), Step: []int64{1}, Shape: found}, order)
	rows := make([]*ir.Value, x.Type.Rank())
	stride := ir.Const(1)
	for i := len(rows) - 1; i >= 0; i-- {
		at := e.op(ir.OpDiv, nil, order, e.extent(found, stride))
		if i > 0 {
			at = e.op(ir.OpRem, nil, at, e.extent(found, x.Type.Shape[i]))
		}
		rows[i] = reshape(e.g, e.pos, at, ir.Shape{ir.Const(1), count})
		stride = stride.Mul(x.Type.Shape[i])
	}
	if len(rows) == 1 {
		return rows[0]
	}
	return e.op(ir.OpConcat, &ir.AxisAttr{Axis: 0}, rows...)
}
