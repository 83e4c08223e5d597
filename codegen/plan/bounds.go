package plan

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// This file writes the checks that keep kernels inside of memory: what extents
// alone decide and what cannot be proven when the program is planned. Indices
// that are data are checked by the kernels.

// bounds writes the checks of the values of a region.
func (b *builder) bounds(body *ir.Graph) ([]runtime.Step, error) {
	var steps []runtime.Step
	for _, v := range body.Values {
		s, err := b.valueBounds(v)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s...)
	}
	return steps, nil
}

func (b *builder) valueBounds(v *ir.Value) ([]runtime.Step, error) {
	r := &requirer{b: b, v: v}
	for _, d := range v.Type.Shape {
		r.atMost(ir.Const(0), d, "extent")
	}
	switch v.Op {
	case ir.OpSlice, ir.OpUpdateSlice:
		r.slice(v.Args[0].Type.Shape, v.Attr.(*ir.SliceAttr))
	case ir.OpDynamicSlice:
		r.inside(v.Type.Shape, v.Args[0].Type.Shape)
	case ir.OpDynamicUpdate:
		r.inside(v.Args[1].Type.Shape, v.Args[0].Type.Shape)
	case ir.OpArgMax, ir.OpArgMin:
		r.some(v.Args[0].Type.Shape[v.Attr.(*ir.AxisAttr).Axis], v.Type.Shape)
	}
	return r.steps, r.err
}

// requirer collects the checks of one value.
type requirer struct {
	b     *builder
	v     *ir.Value
	steps []runtime.Step
	err   error
}

// atMost requires x <= y unless that is known.
func (r *requirer) atMost(x, y ir.Dim, what string) {
	f := r.b.facts
	if r.err != nil || f.NonNeg(y.Sub(x)) {
		return
	}
	s, err := r.b.addCheck(r.v, runtime.AtMost, x, y, fmt.Sprintf("%v: %s", r.v.Op, what))
	r.steps, r.err = append(r.steps, s...), err
	if r.b.depth == 0 { // it holds from here on; in a branch only there
		f.Add(y.Sub(x))
	}
}

// slice requires that the elements of a slice, if there are any, are in x.
func (r *requirer) slice(x ir.Shape, a *ir.SliceAttr) {
	for i, n := range a.Shape {
		first := a.Start[i]
		last := first.Add(n.AddConst(-1).MulConst(a.Step[i]))
		if a.Step[i] < 0 {
			first, last = last, first
		}
		f := r.b.facts
		some := n.Min(ir.Const(1))
		if !f.NonNeg(first) {
			r.atMost(ir.Const(0), first.Mul(some), "first element")
		}
		if end := last.AddConst(1); !f.NonNeg(x[i].Sub(end)) {
			r.atMost(end.Mul(some), x[i], "end")
		}
	}
}

// some requires elements along an axis of extent d where there is a result.
func (r *requirer) some(d ir.Dim, result ir.Shape) {
	if !r.b.facts.NonNeg(d.AddConst(-1)) {
		r.atMost(result.Size().Min(ir.Const(1)), d, "axis without elements")
	}
}

// inside requires that a part is no larger than the whole.
func (r *requirer) inside(part, whole ir.Shape) {
	for i, n := range part {
		r.atMost(n, whole[i], "extent of the part")
	}
}
