package tensor

import (
	"slices"
	"sync/atomic"

	"github.com/tensorcc/tcc/ir"
)

// Gradients of what has been recorded, as those who come from PyTorch know
// them. They are tensors like all others and have gradients themselves.

// Grad returns the gradients of loss, a floating-point scalar, with respect to
// tensors that it was computed from. In a traced function these can be any
// values, and the gradient is zero where loss does not depend on one; outside,
// they must have been given RequiresGrad before, or the past is not kept.
func Grad(loss Tensor, wrt ...Tensor) ([]Tensor, error) {
	c := start("Grad")
	y := c.in(loss)
	xs := make([]*node, len(wrt))
	for i, t := range wrt {
		if xs[i] = c.in(t); xs[i] == nil {
			return nil, c.err
		}
		if xs[i].tr == nil && !xs[i].grads {
			c.fail("tensor %d does not require a gradient: call RequiresGrad before computing with it", i)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	grads := c.grad(y, xs)
	if c.err != nil {
		c.bad()
		return nil, c.err
	}
	out := make([]Tensor, len(grads))
	for i, g := range grads {
		out[i] = fresh(g)
	}
	return out, nil
}

// grad records the gradient of y, a scalar, with respect to xs, which may
// repeat.
func (c *call) grad(y *node, xs []*node) []*node {
	if c.err == nil && (!y.typ.DType.IsFloat() || y.typ.Rank() != 0) {
		c.fail("the tensor is %v, want a floating-point scalar: reduce it by Sum or Mean, or use VJP",
			y.typ)
	}
	if c.err != nil {
		return nil
	}
	distinct := slices.Clone(xs)
	sortBySeq(distinct)
	distinct = slices.Compact(distinct)
	depends := dependents([]*node{y}, distinct)
	for _, x := range distinct {
		if _, used := depends[x]; !used && x.tr == nil {
			c.fail("the tensor was not computed from what requires the gradient, " +
				"or before RequiresGrad was called")
			return nil
		}
	}
	one := c.stretch(c.number(weak{kind: I64, i: 1, f: 1}, y.typ.DType), y.typ.Shape)
	p := c.pullback([]*node{y}, distinct)
	if c.err != nil {
		return nil
	}
	grads := c.orZeros(p.apply(c, []*node{one}), distinct)
	if c.err != nil {
		return nil
	}
	out := make([]*node, len(xs))
	for i, x := range xs {
		out[i] = grads[slices.Index(distinct, x)]
	}
	return out
}

// stops reports whether gradients end at n: it is its argument, as a constant.
func (n *node) stops() bool {
	a, ok := n.attr.(*ir.BarrierAttr)
	return ok && a.Stop
}

// stopAttr is of the nodes of StopGradient.
var stopAttr = &ir.BarrierAttr{Stop: true}

// detached is n as something that gradients take for a constant.
func (c *call) detached(n *node) *node {
	if c.err != nil {
		return nil
	}
	d := newNode(ir.OpBarrier, stopAttr, n.typ, c.pos, n)
	d.grads = false
	return d
}

// StopGradient returns t as a constant for gradients: none passes.
func StopGradient(t Tensor) Tensor {
	c := start("StopGradient")
	n := c.in(t)
	return c.out(c.detached(n))
}

// RequiresGrad makes Backward accumulate gradients for t, a tensor of floats
// that is not a view, and returns t.
func (t Tensor) RequiresGrad() Tensor {
	c := start("RequiresGrad")
	if !c.check(t) {
		return c.bad()
	}
	if !t.typ().DType.IsFloat() {
		return c.fail("type %v, want floating-point numbers: Cast it first", t.typ().DType)
	}
	if t.v != nil {
		return c.fail("a view does not accumulate gradients of its own: " +
			"ask for those of its base, or Clone it")
	}
	s := t.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wants {
		s.wants = true
		s.cur = leafOf(s, s.cur)
	}
	return t
}

// NeedsGrad reports whether gradients may pass through t: it requires one, or
// was computed from what does.
func (t Tensor) NeedsGrad() bool { return t.Err() == nil && t.value().grads }

// leafOf is n as the value of s, where gradients with respect to s end.
func leafOf(s *storage, n *node) *node {
	d := newNode(ir.OpBarrier, stopAttr, n.typ, n.pos, n)
	d.grads, d.leaf = true, s
	if l := n.data.Load(); l != nil {
		d.data.Store(l)
	}
	d.shared = n.shared
	return d
}

// Backward adds the gradients of t, a floating-point scalar, to those of all
// tensors that it was computed from and that require one. See [Tensor.Grad].
func (t Tensor) Backward() error {
	c := start("Backward")
	y := c.in(t)
	if y == nil {
		return c.err
	}
	if !y.grads {
		c.fail("the tensor was not computed from one that requires a gradient: " +
			"call RequiresGrad before, and not inside NoGrad")
		return c.err
	}
	evalMu.Lock()
	var leaves []*node
	for _, n := range walk([]*node{y}, func(n *node) []*node {
		if n.leaf != nil || !n.grads {
			return nil
		}
		return n.deps()
	}) {
		if n.leaf != nil {
			leaves = append(leaves, n)
		}
	}
	evalMu.Unlock()
	grads := c.grad(y, leaves)
	if c.err != nil {
		return c.err
	}
	for i, n := range leaves {
		s := n.leaf
		g := c.detached(grads[i])
		s.mu.Lock()
		if s.grad != nil {
			g = c.op(ir.OpAdd, nil, s.grad, g)
		}
		s.grad = g
		s.mu.Unlock()
	}
	return nil
}

// Grad returns the gradient that Backward has accumulated for t since the
// last ZeroGrad; an error if there is none.
func (t Tensor) Grad() Tensor {
	c := start("Grad")
	if !c.check(t) {
		return c.bad()
	}
	t.s.mu.Lock()
	g, wants := t.s.grad, t.s.wants
	t.s.mu.Unlock()
	switch {
	case !wants:
		return c.fail("the tensor does not require a gradient: " +
			"call RequiresGrad before computing with it")
	case g == nil:
		return c.fail("there is no gradient yet: call Backward on a scalar computed from it")
	}
	return fresh(g)
}

// ZeroGrad forgets the gradient that has been accumulated.
func (t Tensor) ZeroGrad() {
	if t.s == nil {
		return
	}
	t.s.mu.Lock()
	t.s.grad = nil
	t.s.mu.Unlock()
}

var noGrad atomic.Int32

func gradsOff() bool { return noGrad.Load() > 0 }

// NoGrad runs f; what is recorded meanwhile, by any goroutine, has no
// gradient for Backward, and tensors that require a gradient can be written
// to. Single tensors are better kept from gradients by [StopGradient].
func NoGrad(f func()) {
	noGrad.Add(1)
	defer noGrad.Add(-1)
	f()
}
