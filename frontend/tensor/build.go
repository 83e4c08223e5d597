package tensor

import "github.com/tensorcc/tcc/ir"

// The words in which composite operations are written: each records one
// operation of nodes that have one shape, or that are stretched to it.

// con is the number x in the type and shape of like.
func (c *call) con(x float64, like *node) *node {
	if c.err != nil {
		return nil
	}
	w := weak{kind: F64, f: x}
	if !like.typ.DType.IsFloat() {
		w = weak{kind: I64, i: int64(x), f: x}
	}
	return c.stretch(c.number(w, like.typ.DType), like.typ.Shape)
}

// integer is the integer i, which a float64 need not hold, as con.
func (c *call) integer(i int64, like *node) *node {
	if c.err != nil {
		return nil
	}
	return c.stretch(c.number(weak{kind: I64, i: i, f: float64(i)}, like.typ.DType), like.typ.Shape)
}

func (c *call) add(x, y *node) *node        { return c.op(ir.OpAdd, nil, x, y) }
func (c *call) sub(x, y *node) *node        { return c.op(ir.OpSub, nil, x, y) }
func (c *call) mul(x, y *node) *node        { return c.op(ir.OpMul, nil, x, y) }
func (c *call) div(x, y *node) *node        { return c.op(ir.OpDiv, nil, x, y) }
func (c *call) and(x, y *node) *node        { return c.op(ir.OpAnd, nil, x, y) }
func (c *call) or(x, y *node) *node         { return c.op(ir.OpOr, nil, x, y) }
func (c *call) abs(x *node) *node           { return c.op(ir.OpAbs, nil, x) }
func (c *call) lt(x, y *node) *node         { return c.op(ir.OpLt, nil, x, y) }
func (c *call) eq(x, y *node) *node         { return c.op(ir.OpEq, nil, x, y) }
func (c *call) sel(b, x, y *node) *node     { return c.op(ir.OpSelect, nil, b, x, y) }
func (c *call) exp(x *node) *node           { return c.op(ir.OpExp, nil, x) }
func (c *call) log(x *node) *node           { return c.op(ir.OpLog, nil, x) }
func (c *call) sqrt(x *node) *node          { return c.op(ir.OpSqrt, nil, x) }
func (c *call) cast(x *node, d DType) *node { return c.as(operand{n: x}, d) }

func (c *call) bitcast(x *node, d DType) *node {
	return c.op(ir.OpBitcast, &ir.DTypeAttr{DType: d}, x)
}

func (c *call) reshape(x *node, s ir.Shape) *node {
	if c.err != nil || x.typ.Shape.Equal(s) {
		return x
	}
	return c.op(ir.OpReshape, &ir.ShapeAttr{Shape: s}, x)
}

func (c *call) transpose(x *node, perm []int) *node {
	return c.op(ir.OpTranspose, &ir.PermAttr{Perm: perm}, x)
}

// iota is the coordinates along an axis of a shape.
func (c *call) iota(d DType, s ir.Shape, axis int) *node {
	return c.op(ir.OpIota, &ir.IotaAttr{DType: d, Shape: s, Axis: axis})
}

// meetFloats brings two operands to one shape and the floating-point type in
// which they meet: integers as functions of one argument take them.
func (c *call) meetFloats(x, y any) (a, b *node) {
	p, q := c.operand(x), c.operand(y)
	d := c.meet(p, q)
	if c.err == nil && p.n != nil && q.n != nil {
		var err error
		if d, err = Promote(inexact(p.typ().DType), inexact(q.typ().DType)); err != nil {
			c.fail("%v", err)
		}
	}
	if c.err != nil {
		return nil, nil
	}
	ns := c.broadcast(c.as(p, inexact(d)), c.as(q, inexact(d)))
	if c.err != nil {
		return nil, nil
	}
	return ns[0], ns[1]
}

// wide returns x in f64 where that is exact, and the function that rounds a
// result back: what is computed by several steps in between has the error of
// one. For f64 both are nothing.
func (c *call) wide(xs ...*node) ([]*node, func(*node) *node) {
	if c.err != nil {
		return xs, func(n *node) *node { return n }
	}
	d := xs[0].typ.DType
	out := make([]*node, len(xs))
	for i, x := range xs {
		out[i] = c.cast(x, F64)
	}
	return out, func(n *node) *node { return c.cast(n, d) }
}

// named gives the result of a composite operation, whose arguments were
// without error, its own name in what went wrong.
func (c *call) named(t Tensor) Tensor {
	if t.err == nil || c.err != nil && c.err != t.err {
		return t
	}
	inner := t.err
	c.err = &Error{Pos: c.pos, Op: c.name, Msg: inner.Op + ": " + inner.Msg, Cause: inner.Cause}
	if c.tr != nil && c.tr.err == inner {
		c.tr.err = c.err
	}
	return Tensor{err: c.err}
}

// checks takes over the first error of arguments, and joins their trace.
func (c *call) checks(ts ...Tensor) bool {
	for _, t := range ts {
		if c.in(t) == nil {
			return false
		}
	}
	return c.err == nil
}
