package tensor

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Derivatives of Go functions. P and R are a Tensor, or structs, arrays and
// slices of such; the functions may be used inside traced functions, inside
// each other, and on lazy tensors.

// applied is a function that was called with variables in place of its
// argument's tensors.
type applied[R any] struct {
	c      *call
	given  []*node // the argument
	vars   []*node
	ys     []*node
	result R
}

// apply calls f with variables that have the values of at.
func apply[P, R any](c *call, f func(P) R, at P) *applied[R] {
	a := &applied[R]{c: c, given: c.values(tree(c, &at))}
	for _, n := range a.given {
		a.vars = append(a.vars, c.variable(n))
	}
	arg := with(c, at, a.vars)
	if c.err != nil {
		return a
	}
	a.result = f(arg)
	r := a.result
	a.ys = c.values(tree(c, &r))
	return a
}

// done ends that the past is kept for a's variables and returns the error.
func (a *applied[R]) done(more ...*node) error {
	if a.c.err == nil {
		settle(slices.Concat(a.ys, more), a.vars)
	}
	return a.c.orNil()
}

// ValueAndGrad returns f(at), a floating-point scalar, and its gradient with
// respect to all tensors of at, which must be floating-point numbers, too.
func ValueAndGrad[P any](f func(P) Tensor, at P) (value Tensor, grads P, err error) {
	c := start("ValueAndGrad")
	a := apply(c, f, at)
	var ds []*node
	if c.err == nil {
		ds = c.grad(a.ys[0], a.vars)
	}
	if err := a.done(ds...); err != nil {
		return Tensor{err: c.err}, grads, err
	}
	return fresh(a.ys[0]), with(c, at, ds), nil
}

// VJP returns f(at) and its vector-Jacobian product, the function that maps
// cotangents of the result, of its types, to those of at. It can be called
// more than once.
func VJP[P, R any](f func(P) R, at P) (R, func(R) (P, error), error) {
	c := start("VJP")
	a := apply(c, f, at)
	ys := floats(a.ys)
	p := c.pullback(ys, distinctFloats(a.vars))
	if err := a.done(); err != nil {
		return a.result, nil, err
	}
	back := func(cots R) (P, error) {
		c := start("VJP")
		dys := floats(c.values(tree(c, &cots)))
		c.fit("cotangent", dys, ys)
		if c.err != nil {
			return at, c.orNil()
		}
		ds := c.orZeros(p.apply(c, dys), p.xs)
		return with(c, at, c.spreadOver(a.vars, p.xs, ds)), c.orNil()
	}
	return with(c, a.result, a.ys), back, nil
}

// distinctFloats are the variables that can have a gradient.
func distinctFloats(vars []*node) []*node { return slices.Compact(floats(vars)) }

// spreadOver returns ds, which belong to xs, in the places of vars; integers
// get zeros.
func (c *call) spreadOver(vars, xs, ds []*node) []*node {
	out := make([]*node, len(vars))
	for i, v := range vars {
		if c.err != nil {
			return nil
		}
		if k := slices.Index(xs, v); k >= 0 {
			out[i] = ds[k]
		} else {
			out[i] = c.zeros(v.typ)
		}
	}
	return out
}

// JVP returns f(at) and its Jacobian-vector product, the derivative of f at at
// in the direction of tangents, which has at's types. What is not of a
// floating-point type has zeros.
func JVP[P, R any](f func(P) R, at, tangents P) (value, derivative R, err error) {
	c := start("JVP")
	dxs := c.values(tree(c, &tangents))
	a := apply(c, f, at)
	c.fit("tangent", dxs, a.given)
	ds := c.jvp(a.ys, a.vars, dxs)
	if err := a.done(ds...); err != nil {
		return value, derivative, err
	}
	return with(c, a.result, a.ys), with(c, a.result, ds), nil
}

// jvp is the VJP, at any cotangents, of the VJP as a function of those, which
// is linear.
func (c *call) jvp(ys, vars, dxs []*node) []*node {
	outs, xs := floats(ys), distinctFloats(vars)
	p := c.pullback(outs, xs)
	if c.err != nil {
		return nil
	}
	var us, tangents []*node
	for _, y := range outs {
		us = append(us, c.variable(c.zeros(y.typ)))
	}
	for i, v := range vars {
		if v.typ.DType.IsFloat() {
			tangents = append(tangents, dxs[i])
		}
	}
	ds := p.apply(c, us)
	var back, along []*node
	for i, d := range ds {
		if d != nil {
			back, along = append(back, d), append(along, tangents[i])
		}
	}
	q := c.pullback(back, us)
	if c.err != nil {
		return nil
	}
	return c.spreadOver(ys, outs, c.orZeros(q.apply(c, along), us))
}

// Jacobian returns the derivatives of each element of f(at) by each of at, as
// a tensor whose shape is that of f(at) and then that of at. It takes one pass
// over the graph, mapped over the elements of the smaller of both.
func Jacobian(f func(Tensor) Tensor, at Tensor) (Tensor, error) {
	c := start("Jacobian")
	a := apply(c, f, at)
	if c.err != nil {
		return Tensor{err: c.err}, c.orNil()
	}
	y, x := a.ys[0], a.vars[0]
	if !y.typ.DType.IsFloat() || !x.typ.DType.IsFloat() {
		c.fail("a function of %v to %v, want floating-point numbers", x.typ, y.typ)
	}
	n, forwards := y.typ.Shape.Size(), false
	if smaller(x.typ.Shape.Size(), n) {
		n, forwards = x.typ.Shape.Size(), true
	}
	from := y
	if forwards {
		from = x
	}
	basis := c.reshaped(c.eye(n, from.typ.DType), append(ir.Shape{n}, from.typ.Shape...))
	rows := c.mapped([]*node{basis}, func(unit []*node) []*node {
		if forwards {
			return c.jvp(a.ys, a.vars, unit)
		}
		p := c.pullback(a.ys, a.vars)
		if c.err != nil {
			return nil
		}
		return c.orZeros(p.apply(c, unit), a.vars)
	})
	if c.err == nil && forwards {
		k := y.typ.Rank()
		rows[0] = c.op(ir.OpTranspose, &ir.PermAttr{Perm: append(count(1, k+1), 0)}, rows[0])
	}
	if c.err == nil {
		rows[0] = c.reshaped(rows[0], slices.Concat(y.typ.Shape, x.typ.Shape))
	}
	if err := a.done(rows...); err != nil {
		return Tensor{err: c.err}, err
	}
	return fresh(rows[0]), nil
}

// Hessian returns the second derivatives of f, a floating-point scalar, at at:
// the [Jacobian] of its gradient.
func Hessian(f func(Tensor) Tensor, at Tensor) (Tensor, error) {
	return Jacobian(func(x Tensor) Tensor {
		_, g, err := ValueAndGrad(f, x)
		if err != nil {
			return start("Hessian").fail("%v", err)
		}
		return g
	}, at)
}

// Checkpoint returns f(at); its gradient computes f again rather than keep
// what f computes on the way: less memory for more work.
func Checkpoint[P, R any](f func(P) R, at P) R {
	return Custom(f, func(at P, y R, dy R) P {
		c := start("Checkpoint")
		at = with(c, at, c.apart(c.values(tree(c, &at))))
		_, back, err := VJP(f, at)
		if err == nil {
			at, err = back(dy)
		}
		if err != nil {
			c.fail("%v", err)
			for _, t := range tree(c, &at) {
				*t = c.bad()
			}
		}
		return at
	})(at)
}

// apart returns values that what is computed of them is not taken for what was
// computed of ns.
func (c *call) apart(ns []*node) []*node {
	out := make([]*node, len(ns))
	id := &ir.BarrierAttr{ID: int(lastSeq.Add(1))}
	for i, n := range ns {
		if c.err == nil {
			out[i] = c.op(ir.OpBarrier, id, n)
		}
	}
	return out
}

// Custom returns a function with the values of f whose gradient is back's: of
// the argument, the result and its cotangents, back makes the cotangents of
// the argument. It must be linear in the cotangents; tensors that f uses
// without being passed them get none. Gradients of higher order are those of
// back.
func Custom[P, R any](f func(P) R, back func(at P, y R, dy R) P) func(P) R {
	return func(at P) R {
		c := start("Custom")
		k := &custom{at: c.values(tree(c, &at))}
		result := f(at)
		r := result
		k.inner = c.values(tree(c, &r))
		for _, n := range k.inner {
			y := c.variable(n)
			if c.err != nil {
				return result
			}
			y.custom = k
			y.grads = slices.ContainsFunc(k.at, func(a *node) bool { return a.grads })
			k.ys = append(k.ys, y)
		}
		k.back = func(c *call, dys []*node) []*node {
			ds := back(with(c, at, k.at), with(c, result, k.ys), with(c, result, dys))
			got := c.values(tree(c, &ds))
			c.fit("cotangent of the custom rule", got, k.at)
			return got
		}
		return with(c, result, k.ys)
	}
}
