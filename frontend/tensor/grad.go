package tensor

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/tensorcc/tcc/autodiff"
	"github.com/tensorcc/tcc/ir"
)

// Gradients: the recorded operations between tensors are made a graph, which
// package autodiff differentiates; what it returns is recorded again, so that
// gradients are tensors like all others and have gradients themselves.

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

// grad records the gradient of y with respect to xs, which may repeat.
func (c *call) grad(y *node, xs []*node) []*node {
	distinct := slices.Clone(xs)
	sortBySeq(distinct)
	distinct = slices.Compact(distinct)
	e, err := c.lossGraph(y, distinct)
	if err != nil {
		c.fail("%v", err)
		return nil
	}
	g, err := autodiff.Grad(e.g, count(0, len(distinct)))
	if err != nil {
		c.fail("%v", err)
		return nil
	}
	grads := c.replay(g, e)
	if c.err != nil {
		return nil
	}
	out := make([]*node, len(xs))
	for i, x := range xs {
		out[i] = grads[slices.Index(distinct, x)]
	}
	return out
}

// lossGraph is the graph of y, whose first parameters are xs and the others
// what y was computed from that does not depend on them.
func (c *call) lossGraph(y *node, xs []*node) (*emitter, error) {
	evalMu.Lock()
	defer evalMu.Unlock()
	depends := dependents(y, xs)
	e := &emitter{g: ir.NewGraph("loss"), values: map[*node]*ir.Value{}}
	for _, x := range xs {
		if _, used := depends[x]; !used && x.tr == nil {
			return nil, fmt.Errorf("the tensor was not computed from what requires the gradient, " +
				"or before RequiresGrad was called")
		}
		e.param(x)
	}
	e.known = func(n *node) bool { return e.values[n] != nil || n.stops() || !depends[n] }
	results, err := e.emit([]*node{y})
	if err != nil {
		return nil, err
	}
	e.g.SetResults([]string{"loss"}, results...)
	return e, nil
}

// dependents tells which nodes below y depend on one of xs.
func dependents(y *node, xs []*node) map[*node]bool {
	depends := map[*node]bool{}
	stop := func(n *node) bool { return slices.Contains(xs, n) || n.stops() }
	for _, n := range reach([]*node{y}, stop) {
		depends[n] = slices.Contains(xs, n)
		if !n.stops() {
			depends[n] = depends[n] || slices.ContainsFunc(n.args, func(a *node) bool { return depends[a] })
		}
	}
	return depends
}

// recorded finds the nodes of e's graph by what they compute.
func (e *emitter) recorded() map[string]*node {
	nodes := make([]*node, len(e.g.Values)) // the oldest of each value
	for n, v := range e.values {
		if old := nodes[v.ID]; old == nil || n.seq < old.seq {
			nodes[v.ID] = n
		}
	}
	found := map[string]*node{}
	for _, v := range e.g.Values {
		args := make([]*node, len(v.Args))
		for i, a := range v.Args {
			args[i] = nodes[a.ID]
		}
		if v.Op != ir.OpParam {
			found[replayKey(v.Op, v.Attr, args)] = nodes[v.ID]
		}
	}
	return found
}

// replay records the values of g, whose parameters are e's, and returns what
// its results became. Values that were there before, those of the forward
// computation, are found again rather than recorded twice.
func (c *call) replay(g *ir.Graph, e *emitter) []*node {
	old := e.recorded()
	nodes := make([]*node, len(g.Values))
	for i, p := range g.Params {
		nodes[p.ID] = e.params[i]
	}
	for _, v := range g.Values {
		if v.Op == ir.OpParam {
			continue
		}
		args := make([]*node, len(v.Args))
		for i, a := range v.Args {
			args[i] = nodes[a.ID]
		}
		if n := old[replayKey(v.Op, v.Attr, args)]; n != nil {
			nodes[v.ID] = n
			continue
		}
		if v.Op == ir.OpConst {
			nodes[v.ID] = constNode(v.Attr.(*ir.ConstAttr).Value, v.Pos)
			continue
		}
		nodes[v.ID] = c.op(v.Op, v.Attr, args...)
		if c.err != nil {
			return nil
		}
		nodes[v.ID].pos = v.Pos
	}
	out := make([]*node, len(g.Results))
	for i, r := range g.Results {
		out[i] = nodes[r.ID]
	}
	return out
}

// replayKey identifies an operation: attributes by address, since
// differentiation hands on those of the forward computation.
func replayKey(op ir.Op, attr ir.Attr, args []*node) string {
	key := fmt.Sprintf("%d %p", op, attr)
	for _, a := range args {
		key += fmt.Sprintf(" %d", a.seq)
	}
	return key
}

// stops reports whether gradients end at n: it is its argument, as a constant.
func (n *node) stops() bool { return n.op == ir.OpReshape && n.attr == ir.Attr(stopAttr) }

// stopAttr marks the nodes of StopGradient.
var stopAttr = &ir.ShapeAttr{}

// detached is n as something that gradients take for a constant.
func (c *call) detached(n *node) *node {
	if c.err != nil {
		return nil
	}
	d := newNode(ir.OpReshape, stopAttr, n.typ, c.pos, n)
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
	d := newNode(ir.OpReshape, stopAttr, n.typ, n.pos, n)
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
	for _, n := range reach([]*node{y}, func(n *node) bool { return n.leaf != nil || !n.grads }) {
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
