package tensor

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Creation of tensors with a structure.

// Empty returns a tensor whose elements are not to be relied on: zeros.
func Empty(d DType, shape ...int) Tensor { return start("Empty").filled(d, weak{kind: I64}, shape) }

// EmptyLike returns a tensor of t's type and shape whose elements are not to
// be relied on: zeros.
func EmptyLike(t Tensor) Tensor { return start("EmptyLike").like(t, 0) }

// Eye returns a matrix of type d with ones on a diagonal and zeros elsewhere:
// Eye(d, rows), Eye(d, rows, columns), or Eye(d, rows, columns, k) with
// diagonal k, which is above the main one if it is positive.
func Eye(d DType, rows int, more ...int) Tensor {
	c := start("Eye")
	if len(more) > 2 {
		return c.fail("%d arguments after the rows, want columns and diagonal", len(more))
	}
	cols, k := rows, 0
	if len(more) > 0 {
		cols = more[0]
	}
	if len(more) > 1 {
		k = more[1]
	}
	dims := c.extents([]int{rows, cols})
	if c.err == nil && !ir.Computable.Has(d) {
		return c.fail("element type %v, want one that tensors compute with", d)
	}
	if c.err != nil {
		return c.bad()
	}
	s := ir.Dims(dims...)
	return c.out(c.cast(c.eq(c.diagonalIndex(s), c.integer(int64(k), c.iota(I64, s, 0))), d))
}

// diagonalIndex is column minus row, by the last two axes of a shape.
func (c *call) diagonalIndex(s ir.Shape) *node {
	return c.sub(c.iota(I64, s, len(s)-1), c.iota(I64, s, len(s)-2))
}

// Tril returns t with zeros above diagonal k of its last two axes.
func (t Tensor) Tril(k int) Tensor { return t.triangle("Tril", ir.OpLe, k) }

// Triu returns t with zeros below diagonal k of its last two axes.
func (t Tensor) Triu(k int) Tensor { return t.triangle("Triu", ir.OpGe, k) }

func (t Tensor) triangle(name string, rel ir.Op, k int) Tensor {
	c := start(name)
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	if n.typ.Rank() < 2 {
		return c.fail("shape %s, want at least 2 axes", shapeString(n.typ.Shape))
	}
	at := c.diagonalIndex(n.typ.Shape)
	return c.out(c.sel(c.op(rel, nil, at, c.integer(int64(k), at)), n, c.zero(n)))
}

// zero is 0, or false, like a node.
func (c *call) zero(n *node) *node {
	if c.err != nil {
		return nil
	}
	return c.stretch(c.number(weak{kind: I64}, n.typ.DType), n.typ.Shape)
}

// Linspace returns num numbers from start to stop at equal distances, as f64:
// stop is the last of them, or, with Endpoint(false), what would come next.
func Linspace(from, stop float64, num int, opts ...LinspaceOption) Tensor {
	c := start("Linspace")
	o := linspace{endpoint: true}
	for _, f := range opts {
		f(&o)
	}
	if num < 0 {
		return c.fail("%d numbers", num)
	}
	gaps := float64(num)
	if o.endpoint {
		gaps--
	}
	i := c.iota(F64, ir.Dims(int64(num)), 0)
	y := c.mul(i, c.con(stop-from, i))
	if step := (stop - from) / gaps; gaps > 0 && step != 0 {
		y = c.mul(i, c.con(step, i))
	} else if gaps > 0 {
		y = c.mul(c.div(i, c.con(gaps, i)), c.con(stop-from, i))
	}
	y = c.add(y, c.con(from, y))
	if o.endpoint && num > 1 {
		y = c.sel(c.eq(i, c.con(gaps, i)), c.con(stop, y), y)
	}
	return c.out(y)
}

type linspace struct{ endpoint bool }

// LinspaceOption is an option of [Linspace].
type LinspaceOption func(*linspace)

// Endpoint says whether the end of the interval is one of the numbers.
func Endpoint(with bool) LinspaceOption { return func(o *linspace) { o.endpoint = with } }

// Meshgrid returns the coordinates of the points of a grid whose axes are the
// vectors ts, one tensor an axis: with indexing "ij" axis i of each runs along
// vector i; with "xy" the first two are exchanged, as for images.
func Meshgrid(indexing string, ts ...Tensor) ([]Tensor, error) {
	c := start("Meshgrid")
	if indexing != "ij" && indexing != "xy" {
		c.fail("indexing %q, want \"ij\" or \"xy\"", indexing)
		return nil, c.err
	}
	place := count(0, len(ts))
	if indexing == "xy" && len(ts) > 1 {
		place[0], place[1] = 1, 0
	}
	shape := make(ir.Shape, len(ts))
	for i, t := range ts {
		if c.check(t) && t.typ().Rank() > 1 {
			c.fail("tensor %d has shape %s, want a vector", i, shapeString(t.typ().Shape))
		}
		if c.err != nil {
			return nil, c.err
		}
		shape[place[i]] = t.typ().Shape.Size()
	}
	out := make([]Tensor, len(ts))
	for i, t := range ts {
		a := &ir.BroadcastAttr{Shape: shape, Axes: []int{place[i]}}
		n := c.in(t)
		if c.err != nil {
			return nil, c.err
		}
		out[i] = c.out(c.op(ir.OpBroadcast, a, c.reshape(n, ir.Shape{shape[place[i]]})))
	}
	return c.several(out)
}

// several is the result of a call with a list of results.
func (c *call) several(ts []Tensor) ([]Tensor, error) {
	for _, t := range ts {
		if t.err != nil && c.err == nil {
			c.named(t)
		}
	}
	if c.err != nil {
		c.bad()
		return nil, c.err
	}
	return ts, nil
}

// Diagonal returns a view of the elements of the last two axes that lie on
// diagonal offset, which become the last axis.
func (t Tensor) Diagonal(offset int) Tensor {
	c := start("Diagonal")
	if !c.check(t) {
		return c.bad()
	}
	s := t.typ().Shape
	if len(s) < 2 {
		return c.fail("shape %s, want at least 2 axes", shapeString(s))
	}
	rows, cols := s[len(s)-2], s[len(s)-1]
	skip := ir.Const(int64(max(-offset, 0)))
	right := ir.Const(int64(max(offset, 0)))
	n := rows.Sub(skip).Min(cols.Sub(right)).Max(ir.Const(0))
	// In rows of one element more, the diagonal is a column.
	flat := append(s[:len(s)-2:len(s)-2].Clone(), rows.Mul(cols))
	a := wholeSlice(flat)
	last := len(flat) - 1
	step, ok := cols.AddConst(1).Int()
	if !ok {
		return t.diagonalCopy(c, offset, n)
	}
	a.Start[last], a.Step[last], a.Shape[last] = skip.Mul(cols).Add(right), step, n
	if n.IsConst(0) {
		a.Start[last] = ir.Const(0)
	}
	v := t.reshape(c, flat)
	if v.err != nil {
		return v
	}
	return v.view(c, ir.OpSlice, a)
}

// diagonalCopy picks the diagonal out of a row length that is not known.
func (t Tensor) diagonalCopy(c *call, offset int, n ir.Dim) Tensor {
	x := c.in(t)
	if c.err != nil {
		return c.bad()
	}
	rank := x.typ.Rank()
	i := c.iota(I64, ir.Shape{n}, 0)
	row := c.add(i, c.integer(int64(max(-offset, 0)), i))
	col := c.add(i, c.integer(int64(max(offset, 0)), i))
	column := ir.Shape{n, ir.Const(1)}
	at := c.op(ir.OpConcat, &ir.AxisAttr{Axis: 1}, c.reshape(row, column), c.reshape(col, column))
	front := slices.Concat([]int{rank - 2, rank - 1}, count(0, rank-2))
	got := c.op(ir.OpGatherND, &ir.BatchAttr{}, c.transpose(x, front), at)
	return c.out(c.transpose(got, append(count(1, rank-1), 0)))
}

// Diag returns a matrix with the vector t on diagonal k and zeros elsewhere,
// or the diagonal of the matrix t.
func (t Tensor) Diag(k int) Tensor {
	c := start("Diag")
	if !c.check(t) {
		return c.bad()
	}
	switch t.typ().Rank() {
	case 1:
		n := c.in(t)
		size := n.typ.Shape[0].AddConst(int64(max(k, -k)))
		s := ir.Shape{size, size}
		at := c.diagonalIndex(s)
		place := c.iota(I64, s, 0)
		if k < 0 {
			place = c.iota(I64, s, 1)
		}
		last := c.con(0, place)
		last = c.add(last, c.stretch(c.extent(n.typ.Shape[0].AddConst(-1).Max(ir.Const(0))), s))
		place = c.op(ir.OpMin, nil, place, last)
		if n.typ.Shape[0].IsConst(0) {
			return c.out(c.stretch(c.number(weak{kind: I64}, n.typ.DType), s))
		}
		x := c.op(ir.OpGather, &ir.AxisAttr{}, n, place)
		return c.out(c.sel(c.eq(at, c.integer(int64(k), at)), x, c.zero(x)))
	case 2:
		return c.named(t.Diagonal(k))
	}
	return c.fail("shape %s, want 1 or 2 axes", shapeString(t.typ().Shape))
}

// Trace returns the sum along diagonal offset of the last two axes; integers
// add up in 64 bits.
func (t Tensor) Trace(offset int) Tensor {
	c := start("Trace")
	if !c.checks(t) {
		return c.bad()
	}
	d := t.Diagonal(offset)
	if d.err != nil {
		return c.named(d)
	}
	return c.named(d.Sum(-1))
}
