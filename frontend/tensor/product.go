package tensor

import (
	"github.com/tensorcc/tcc/ir"
)

// MatMul returns the matrix product over the last axis of t and the one before
// the last of y, as NumPy's matmul: axes before these broadcast, and a vector
// is a row on the left and a column on the right.
func (t Tensor) MatMul(y any) Tensor {
	c := start("MatMul")
	a, b := c.operand(t), c.operand(y)
	d := c.meet(a, b)
	l, r := c.as(a, d), c.as(b, d)
	if c.err != nil {
		return c.bad()
	}
	ls, rs := l.typ.Shape, r.typ.Shape
	if len(ls) == 0 || len(rs) == 0 {
		return c.fail("shapes %s and %s: a scalar has no product of matrices: use Mul", shapeString(ls),
			shapeString(rs))
	}
	inner := max(len(rs)-2, 0)
	if !ls[len(ls)-1].Equal(rs[inner]) {
		return c.fail("shapes %s and %s do not fit: axis %d of the first is %v, axis %d of the second "+
			"is %v%s",
			shapeString(ls), shapeString(rs), len(ls)-1, ls[len(ls)-1], inner, rs[inner], transposed(ls, rs))
	}
	return c.out(c.matmul(l, r))
}

// transposed suggests a transpose where that would make shapes fit.
func transposed(l, r ir.Shape) string {
	if len(r) >= 2 && l[len(l)-1].Equal(r[len(r)-1]) {
		return "; the second would fit as Transpose(-2, -1)"
	}
	if len(l) >= 2 && l[len(l)-2].Equal(r[max(len(r)-2, 0)]) {
		return "; the first would fit as Transpose(-2, -1)"
	}
	return ""
}

func (c *call) matmul(l, r *node) *node {
	ls, rs := l.typ.Shape, r.typ.Shape
	lb, rb := max(len(ls)-2, 0), max(len(rs)-2, 0)
	if rb == 0 { // the axes of l stay where they are
		return c.dot(l, r, &ir.DotAttr{LContract: []int{len(ls) - 1}, RContract: []int{0}})
	}
	batch, err := ir.Broadcast(ls[:lb], rs[:rb])
	if err != nil {
		c.fail("%s", misfit(ls[:lb], rs[:rb], false))
		return nil
	}
	l = c.stretch(l, append(batch.Clone(), ls[lb:]...))
	r = c.stretch(r, append(batch.Clone(), rs[rb:]...))
	nb := len(batch)
	axes := count(0, nb)
	return c.dot(l, r, &ir.DotAttr{LBatch: axes, RBatch: axes,
		LContract: []int{nb + len(ls) - lb - 1}, RContract: []int{nb}})
}

// Gather returns the elements of t at the indices along an axis, as PyTorch's
// gather: the result has the shape of index, of t's rank. Negative indices
// count from the end.
func (t Tensor) Gather(axis int, index any) Tensor {
	c := start("Gather")
	n, idx, k := c.indexed(t, axis, index, true)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: k}, n, idx))
}

// TakeAlongAxis is [Tensor.Gather] whose operands broadcast along the other
// axes, as NumPy's take_along_axis.
func (t Tensor) TakeAlongAxis(axis int, index any) Tensor {
	c := start("TakeAlongAxis")
	n, idx, k := c.indexed(t, axis, index, true)
	if c.err != nil {
		return c.bad()
	}
	xs, is := n.typ.Shape.Clone(), idx.typ.Shape.Clone()
	xs[k], is[k] = ir.Const(1), ir.Const(1)
	full, err := ir.Broadcast(xs, is)
	if err != nil {
		return c.fail("%s", misfit(n.typ.Shape, idx.typ.Shape, false))
	}
	xs, is = full.Clone(), full.Clone()
	xs[k], is[k] = n.typ.Shape[k], idx.typ.Shape[k]
	return c.out(c.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: k}, c.stretch(n, xs), c.stretch(idx, is)))
}

// Take returns the slices of t at the indices along an axis, as NumPy's take:
// the shape of index takes the axis's place. Negative indices count from the
// end; one out of range is an error when it is evaluated.
func (t Tensor) Take(axis int, index any) Tensor {
	c := start("Take")
	n, idx, k := c.indexed(t, axis, index, false)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.op(ir.OpGather, &ir.AxisAttr{Axis: k}, n, idx))
}

// indexed resolves an axis of t and indices along it, which have t's rank if
// along is set.
func (c *call) indexed(t Tensor, axis int, index any, along bool) (n, idx *node, k int) {
	o := c.operand(index)
	k, ok := c.along(t, axis)
	if !ok || c.err != nil {
		return nil, nil, 0
	}
	n = c.in(t)
	idx = c.index(o, n.typ.Shape, k)
	if c.err == nil && along && idx.typ.Rank() != n.typ.Rank() {
		c.fail("index of shape %s for shape %s, want as many axes", shapeString(idx.typ.Shape),
			shapeString(n.typ.Shape))
	}
	return n, idx, k
}

// index makes an operand an i64 index from the start of an axis.
func (c *call) index(o operand, s ir.Shape, axis int) *node {
	if c.err != nil {
		return nil
	}
	if d := o.typ().DType; !d.IsInt() {
		c.fail("indices are %v, want integers", d)
		return nil
	}
	unsigned := o.n != nil && o.n.typ.DType.IsUnsigned()
	idx := c.as(o, I64)
	if unsigned || c.err != nil {
		return idx
	}
	size := c.stretch(c.extent(s[axis]), idx.typ.Shape)
	zero := c.stretch(c.number(weak{kind: I64}, I64), idx.typ.Shape)
	return c.op(ir.OpSelect, nil, c.op(ir.OpLt, nil, idx, zero), c.op(ir.OpAdd, nil, idx, size), idx)
}

// extent is an extent as an i64 scalar.
func (c *call) extent(d ir.Dim) *node {
	if k, ok := d.Int(); ok {
		return c.number(weak{kind: I64, i: k, f: float64(k)}, I64)
	}
	dims := c.op(ir.OpDims, &ir.DimsAttr{Dims: ir.Shape{d}})
	return c.op(ir.OpReshape, &ir.ShapeAttr{Shape: ir.Shape{}}, dims)
}

// OneHot returns, along a new last axis of extent n, 1 at the place that t, a
// tensor of integers, names and 0 elsewhere, in type d. An integer outside
// [0, n) gives zeros.
func (t Tensor) OneHot(n int, d DType) Tensor {
	c := start("OneHot")
	idx := c.in(t)
	if c.err != nil {
		return c.bad()
	}
	if !idx.typ.DType.IsInt() {
		return c.fail("type %v, want integers", idx.typ.DType)
	}
	if n < 0 {
		return c.fail("%d classes", n)
	}
	shape := append(idx.typ.Shape.Clone(), ir.Const(int64(n)))
	classes := c.op(ir.OpIota, &ir.IotaAttr{DType: I64, Shape: shape, Axis: len(shape) - 1})
	want := c.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: shape, Axes: count(0, len(shape)-1)},
		c.as(operand{n: idx}, I64))
	hit := c.op(ir.OpEq, nil, want, classes)
	return c.out(c.op(ir.OpCast, &ir.DTypeAttr{DType: d}, hit))
}
