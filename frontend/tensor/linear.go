package tensor

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Linear algebra that operations of the graph express; package linalg has the
// decompositions.

// Tensordot returns the sum of products over pairs of axes: axis left[i] of t
// runs with axis right[i] of y. The result has the other axes of t, then those
// of y.
func (t Tensor) Tensordot(y any, left, right []int) Tensor {
	c := start("Tensordot")
	a, b := c.operand(t), c.operand(y)
	d := c.meet(a, b)
	l, r := c.as(a, d), c.as(b, d)
	if c.err != nil {
		return c.bad()
	}
	la, ra := c.axes(left, l.typ.Rank()), c.axes(right, r.typ.Rank())
	if len(la) != len(ra) {
		return c.fail("axes %v and %v, want as many of each", left, right)
	}
	if c.err != nil {
		return c.bad()
	}
	for i := range la {
		if x, y := l.typ.Shape[la[i]], r.typ.Shape[ra[i]]; !x.Equal(y) {
			return c.fail("shapes %s and %s: axis %d of the first is %v, axis %d of the second is %v",
				shapeString(l.typ.Shape), shapeString(r.typ.Shape), la[i], x, ra[i], y)
		}
	}
	return c.out(c.dot(l, r, &ir.DotAttr{LContract: la, RContract: ra}))
}

// dot is the general product; of bools it is whether any pair is true.
func (c *call) dot(l, r *node, a *ir.DotAttr) *node {
	if c.err == nil && l.typ.DType == Bool {
		return c.cast(c.op(ir.OpDot, a, c.cast(l, I64), c.cast(r, I64)), Bool)
	}
	return c.op(ir.OpDot, a, l, r)
}

// Vecdot returns the sum of products along an axis of both, whose other axes
// broadcast; the axis counts from the end of each, or is negative.
func (t Tensor) Vecdot(y any, axis int) Tensor {
	c := start("Vecdot")
	a, b := c.operand(t), c.operand(y)
	d := c.meet(a, b)
	ns := []*node{c.as(a, d), c.as(b, d)}
	if c.err != nil {
		return c.bad()
	}
	p, q := ns[0].typ.Rank(), ns[1].typ.Rank()
	if axis >= 0 && p != q {
		return c.fail("axis %d of shapes %s and %s: count it from the end, by a negative number", axis,
			shapeString(ns[0].typ.Shape), shapeString(ns[1].typ.Shape))
	} else if _, ok := c.axis(axis, min(p, q)); !ok {
		return c.bad()
	}
	for i, n := range ns {
		k, _ := c.axis(axis, n.typ.Rank())
		perm := slices.Delete(count(0, n.typ.Rank()), k, k+1)
		ns[i] = c.transpose(n, append(perm, k))
	}
	x, z := ns[0].typ.Shape, ns[1].typ.Shape
	if n, m := x[len(x)-1], z[len(z)-1]; !n.Equal(m) {
		return c.fail("the axes have %v and %v elements", n, m)
	}
	ns = c.broadcast(ns...)
	if c.err != nil {
		return c.bad()
	}
	rank := ns[0].typ.Rank() - 1
	batch, last := count(0, rank), []int{rank}
	return c.out(c.dot(ns[0], ns[1],
		&ir.DotAttr{LBatch: batch, RBatch: batch, LContract: last, RContract: last}))
}

// Dot returns the sum of products of two vectors.
func (t Tensor) Dot(y any) Tensor { return t.Tensordot(y, []int{-1}, []int{-1}) }

// Outer returns the products of the elements of two vectors, as a matrix.
func (t Tensor) Outer(y any) Tensor {
	c := start("Outer")
	if !c.checks(t) {
		return c.bad()
	}
	u := c.tensor(y)
	if u.err != nil {
		return c.bad()
	}
	if t.Rank() != 1 || u.Rank() != 1 {
		return c.fail("shapes %s and %s, want two vectors", shapeString(t.Dims()), shapeString(u.Dims()))
	}
	return c.named(t.Unsqueeze(1).Mul(y))
}

// Cross returns the vector product along an axis of extent 3; other axes
// broadcast.
func (t Tensor) Cross(y any, axis int) Tensor {
	c := start("Cross")
	a, b := c.operand(t), c.operand(y)
	d := c.meet(a, b)
	ns := c.broadcast(c.as(a, d), c.as(b, d))
	if c.err != nil {
		return c.bad()
	}
	k, ok := c.axis(axis, ns[0].typ.Rank())
	if ok && !ns[0].typ.Shape[k].IsConst(3) {
		return c.fail("axis %d of shape %s, want an extent of 3", axis, shapeString(ns[0].typ.Shape))
	}
	turn := func(n *node, by int64) *node {
		at := ir.NewLiteral(I64, []int64{3}, []int64{by % 3, (by + 1) % 3, (by + 2) % 3})
		return c.op(ir.OpGather, &ir.AxisAttr{Axis: k}, n, constNode(at, c.pos))
	}
	if c.err != nil {
		return c.bad()
	}
	x, z := ns[0], ns[1]
	return c.out(c.sub(c.mul(turn(x, 1), turn(z, 2)), c.mul(turn(x, 2), turn(z, 1))))
}

// MatrixPower returns the product of n >= 0 copies of the square matrices on
// the last two axes; package linalg has negative powers.
func (t Tensor) MatrixPower(n int) Tensor {
	c := start("MatrixPower")
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	if len(s) < 2 || !s[len(s)-1].Equal(s[len(s)-2]) {
		return c.fail("shape %s, want square matrices", shapeString(s))
	}
	if n < 0 {
		return c.fail("power %d, want one from 0 on: linalg.MatrixPower inverts", n)
	}
	if n == 0 {
		at := c.diagonalIndex(s)
		return c.out(c.cast(c.eq(at, c.integer(0, at)), t.typ().DType))
	}
	var r Tensor
	for square := t; ; square = square.MatMul(square) {
		if n&1 == 1 {
			if r.s == nil {
				r = square
			} else {
				r = r.MatMul(square)
			}
		}
		if n >>= 1; n == 0 {
			return c.named(r.Clone())
		}
	}
}

// VectorNorm returns the norm of order p over axes, all if none is named: the
// p-th root of the sum of |t|**p; the largest or smallest |t| for p = Inf or
// -Inf, the number of elements that are not 0 for p = 0.
func (t Tensor) VectorNorm(p float64, axes ...int) Tensor {
	return Kept{t: t}.VectorNorm(p, axes...)
}

// VectorNorm returns the norm of order p over axes.
func (k Kept) VectorNorm(p float64, axes ...int) Tensor {
	r := reduce("VectorNorm", k.t, k.keep, axes)
	x, round := k.operand(r)
	if r.err != nil {
		return r.bad()
	}
	if p == 2 { // without |x|, which has no slope of its own at 0
		return r.result(round(r.root(r.run(ir.OpSum, r.mul(x, x)))))
	}
	d := x.typ.DType
	x = r.abs(x)
	switch {
	case math.IsInf(p, 1):
		return r.result(round(r.run(ir.OpReduceMax, x)))
	case math.IsInf(p, -1):
		return r.result(round(r.run(ir.OpReduceMin, x)))
	case p == 0:
		return r.result(round(r.run(ir.OpSum, r.cast(r.cast(x, Bool), d))))
	case p == 1:
		return r.result(round(r.run(ir.OpSum, x)))
	}
	power := r.op(ir.OpPow, nil, x, r.con(p, x))
	if p < 1 { // the gradient at 0 is infinite, from both sides
		zero := r.eq(x, r.con(0, x))
		power = r.sel(zero, r.con(math.Pow(0, p), x), r.op(ir.OpPow, nil, r.sel(zero, r.con(1, x), x),
			r.con(p, x)))
	}
	root := func(x *node) *node { return r.op(ir.OpPow, nil, x, r.con(1/p, x)) }
	sum := r.run(ir.OpSum, power)
	if p < 0 {
		return r.result(round(root(sum)))
	}
	return r.result(round(r.rooted(sum, root)))
}

// root is the square root of a sum of squares, whose gradient is 0 where they
// are: the norm has a minimum there.
func (c *call) root(sum *node) *node { return c.rooted(sum, c.sqrt) }

// rooted is f, a root, of a sum of powers, see root.
func (c *call) rooted(sum *node, f func(*node) *node) *node {
	if c.err != nil {
		return nil
	}
	none := c.eq(sum, c.con(0, sum))
	return c.sel(none, sum, f(c.sel(none, c.con(1, sum), sum)))
}

// Norms of matrices that need no decomposition.
const (
	Frobenius = "fro" // the root of the sum of squares
)

// MatrixNorm returns a norm of the matrices on the last two axes: [Frobenius];
// 1 or -1, the largest or smallest sum of |t| in a column; Inf or -Inf, in a
// row. Package linalg has those by singular values.
func (t Tensor) MatrixNorm(ord any) Tensor { return Kept{t: t}.MatrixNorm(ord) }

// MatrixNorm returns a norm of the matrices on the last two axes.
func (k Kept) MatrixNorm(ord any) Tensor {
	c := start("MatrixNorm")
	if !c.checks(k.t) {
		return c.bad()
	}
	if k.t.typ().Rank() < 2 {
		return c.fail("shape %s, want at least 2 axes", shapeString(k.t.typ().Shape))
	}
	if ord == Frobenius {
		return c.named(k.VectorNorm(2, -2, -1))
	}
	w, ok := scalarOf(ord)
	axis := -2
	if math.IsInf(w.f, 0) {
		axis = -1
	} else if math.Abs(w.f) != 1 {
		ok = false
	}
	if !ok {
		return c.fail("order %v, want Frobenius, 1, -1, Inf or -Inf: linalg.MatrixNorm has others", ord)
	}
	sums := Kept{t: k.t, keep: true, dtype: k.dtype}.VectorNorm(1, axis)
	if w.f > 0 {
		sums = Kept{t: sums, keep: k.keep}.Max(-2, -1)
	} else {
		sums = Kept{t: sums, keep: k.keep}.Min(-2, -1)
	}
	return c.named(sums)
}
