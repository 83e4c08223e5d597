package tensor

import (
	"slices"

	"github.com/tensorcc/tcc/autodiff"
	"github.com/tensorcc/tcc/ir"
)

// Vmap returns f mapped over axis 0 of all tensors of its argument, and of its
// result: f describes what happens to one example, without an axis for many.
// Tensors that f uses otherwise are shared by the examples. It is the graph of
// f that is mapped: f runs once, and a matrix product becomes one of batches.
func Vmap[P, R any](f func(P) R) func(P) (R, error) {
	return func(at P) (R, error) {
		c := start("Vmap")
		xs := c.values(tree(c, &at))
		var result R
		ys := c.mapped(xs, func(vars []*node) []*node {
			arg := with(c, at, vars)
			if c.err != nil {
				return nil
			}
			result = f(arg)
			r := result
			return c.values(tree(c, &r))
		})
		if c.err != nil {
			return result, c.orNil()
		}
		return with(c, result, ys), c.orNil()
	}
}

// mapped returns what f makes of one example, mapped over axis 0 of xs.
func (c *call) mapped(xs []*node, f func([]*node) []*node) []*node {
	if c.err != nil {
		return nil
	}
	if len(xs) == 0 {
		c.fail("no tensor to map over")
		return nil
	}
	var n ir.Dim
	vars := make([]*node, len(xs))
	tr := c.tr
	if tr == nil {
		tr = &tracer{born: lastSeq.Load()}
	}
	for i, x := range xs {
		if x.typ.Rank() == 0 {
			c.fail("tensor %d is %v, want an axis 0 to map over", i, x.typ)
			return nil
		}
		if i == 0 {
			n = x.typ.Shape[0]
		}
		if !x.typ.Shape[0].Equal(n) {
			c.fail("tensor %d is %v, want %v along axis 0 as the first has", i, x.typ, n)
			return nil
		}
		t := ir.Of(x.typ.DType, x.typ.Shape[1:])
		vars[i] = newNode(ir.OpParam, &ir.ParamAttr{Name: "x"}, t, c.pos)
		vars[i].tr, vars[i].grads = tr, true
	}
	outer := c.tr
	ys := f(vars)
	c.tr = outer
	if c.err == nil && tr != outer && tr.err != nil {
		c.err = tr.err
	}
	if c.err != nil {
		return nil
	}
	return c.replayMapped(xs, vars, ys, n)
}

// replayMapped maps the graph of ys over the vars and records it for xs.
func (c *call) replayMapped(xs, vars, ys []*node, n ir.Dim) []*node {
	depends := descendants(ys, vars, func(*node) bool { return false })
	for v, d := range depends {
		if d && v.custom != nil {
			c.fail("a function with a custom gradient cannot be mapped: " +
				"its rule would be lost; take the gradient inside the mapped function")
			return nil
		}
	}
	e, err := program(ys, vars, depends)
	if err == nil {
		var g *ir.Graph
		if g, err = autodiff.Vmap(e.g, count(0, len(vars)), n); err == nil {
			return c.replay(g, e, slices.Concat(xs, e.params[len(vars):]))
		}
	}
	c.fail("%v", err)
	return nil
}
