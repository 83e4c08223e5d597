package tensor

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Scan runs f once for each slice of xs along axis 0: it gets a carry and the
// slices, and returns the next carry, of the same types, and results, which
// are stacked along a new axis 0. It returns the last carry and the stacked
// results. f runs once, to be recorded; what it computes becomes a loop, which
// has gradients. Tensors that f uses otherwise are the same in each step.
func Scan[C, X, Y any](f func(carry C, x X) (C, Y), init C, xs X) (C, Y, error) {
	return scanned("Scan", f, init, xs, false)
}

// ScanReverse is [Scan] from the last slice to the first.
func ScanReverse[C, X, Y any](f func(carry C, x X) (C, Y), init C, xs X) (C, Y, error) {
	return scanned("ScanReverse", f, init, xs, true)
}

func scanned[C, X, Y any](name string, f func(C, X) (C, Y), init C, xs X, reverse bool) (C, Y,
	error) {
	c := start(name)
	carries, slices := c.values(tree(c, &init)), c.values(tree(c, &xs))
	var y Y
	s := c.newLoop(carries, slices, reverse)
	if c.err != nil {
		return init, y, c.orNil()
	}
	next, y := f(with(c, init, s.params[:len(carries)]), with(c, xs, s.params[len(carries):]))
	ny := y
	outs, ys := c.values(tree(c, &next)), c.values(tree(c, &ny))
	c.fit("next carry", outs, carries)
	res := s.close(append(outs, ys...))
	if c.err != nil {
		return init, y, c.orNil()
	}
	return with(c, init, res[:len(carries)]), with(c, y, res[len(carries):]), c.orNil()
}

// loop is a scan that is being recorded.
type loop struct {
	c      *call
	args   []*node // carries, then what is sliced
	params []*node // of the body
	attr   *ir.LoopAttr
	inner  *tracer
	outer  *tracer
}

func (c *call) newLoop(carries, xs []*node, reverse bool) *loop {
	if c.err != nil {
		return nil
	}
	l := &loop{c: c, args: slices.Concat(carries, xs), outer: c.tr, inner: c.tr,
		attr: &ir.LoopAttr{Carry: len(carries), Xs: len(xs), Reverse: reverse}}
	if l.inner == nil {
		l.inner = &tracer{born: lastSeq.Load()}
	}
	if len(xs) == 0 {
		c.fail("no tensor to go through")
		return nil
	}
	for i, a := range l.args {
		t := a.typ
		if i >= len(carries) {
			if t.Rank() == 0 || i > len(carries) && !t.Shape[0].Equal(l.attr.Length) {
				c.fail("tensor %d is %v, want %v along axis 0", i-len(carries), t, l.attr.Length)
				return nil
			}
			l.attr.Length = t.Shape[0]
			t = ir.Of(t.DType, t.Shape[1:])
		}
		p := newNode(ir.OpParam, &ir.ParamAttr{Name: "x"}, t, c.pos)
		p.tr, p.grads = l.inner, true
		l.params = append(l.params, p)
	}
	return l
}

// close makes the loop of what the body computes and returns its results.
func (l *loop) close(outs []*node) []*node {
	c := l.c
	if c.tr = l.outer; c.err == nil && l.inner != l.outer && l.inner.err != nil {
		c.err = l.inner.err
	}
	if c.err != nil {
		return nil
	}
	depends := descendants(outs, l.params, func(*node) bool { return false })
	e, err := program(outs, l.params, depends)
	if err != nil {
		c.fail("%v", err)
		return nil
	}
	l.attr.Body = e.g
	e.g.Name = "step"
	all := c.op(ir.OpScan, l.attr, slices.Concat(l.args, e.params[len(l.params):])...)
	if c.err != nil {
		return nil
	}
	if all.typ.DType != ir.Tuple {
		return []*node{all}
	}
	res := make([]*node, len(outs))
	for i := range res {
		res[i] = c.op(ir.OpGet, &ir.IndexAttr{Index: i}, all)
	}
	return res
}
