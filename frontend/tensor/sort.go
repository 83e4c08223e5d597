package tensor

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Sorting, searching and sets. NaN is the largest number in all of them.

// SortOption is an option of [Tensor.Sort] and the like.
type SortOption func(*ir.SortAttr)

// Descending sorts from the largest to the smallest.
func Descending() SortOption { return func(a *ir.SortAttr) { a.Desc = true } }

// ArgSort returns the i64 coordinates that sort t along an axis, stably: those
// of equal elements increase.
func (t Tensor) ArgSort(axis int, opts ...SortOption) Tensor {
	_, i := t.sorted("ArgSort", axis, opts)
	return i
}

// Sort returns t sorted along an axis, NaN last, or first with [Descending].
func (t Tensor) Sort(axis int, opts ...SortOption) Tensor {
	x, _ := t.sorted("Sort", axis, opts)
	return x
}

func (t Tensor) sorted(name string, axis int, opts []SortOption) (values, places Tensor) {
	c := start(name)
	n := c.in(t)
	if n == nil {
		return c.bad(), c.bad()
	}
	k, _ := c.axis(axis, n.typ.Rank())
	a := &ir.SortAttr{Axis: k}
	for _, f := range opts {
		f(a)
	}
	i := c.op(ir.OpArgSort, a, n)
	return c.out(c.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: k}, n, i)), c.out(i)
}

// TopK returns the k largest elements along an axis, or the smallest, in
// order, and their i64 coordinates.
func (t Tensor) TopK(k, axis int, largest bool) (values, places Tensor) {
	c := start("TopK")
	a, ok := c.along(t, axis)
	if !ok {
		return c.bad(), c.bad()
	}
	if n, static := t.typ().Shape[a].Int(); k < 0 || static && int64(k) > n {
		c.fail("%d elements of axis %d of shape %s", k, a, shapeString(t.typ().Shape))
		return c.bad(), c.bad()
	}
	opts := []SortOption{}
	if largest {
		opts = append(opts, Descending())
	}
	x, i := t.sorted("TopK", a, opts)
	return c.named(x.Narrow(a, 0, k).Clone()), c.named(i.Narrow(a, 0, k).Clone())
}

// SearchSorted returns, as i64 in the shape of values, where each would have
// to be put into the vector t, which increases, to keep it so: before what
// equals it, or after it with right.
func (t Tensor) SearchSorted(values any, right bool) Tensor {
	c := start("SearchSorted")
	a, b := c.operand(t), c.operand(values)
	d := c.meet(a, b)
	x, v := c.as(a, d), c.as(b, d)
	if c.err != nil {
		return c.bad()
	}
	if x.typ.Rank() != 1 {
		return c.fail("shape %s, want a vector that increases", shapeString(x.typ.Shape))
	}
	shape := v.typ.Shape
	size := x.typ.Shape[0]
	if size.IsConst(0) {
		return c.out(c.stretch(c.number(weak{kind: I64}, I64), shape))
	}
	steps := 40 // more than any extent takes
	if k, ok := size.Int(); ok {
		steps = bits.Len64(uint64(k))
	}
	lo := c.stretch(c.number(weak{kind: I64}, I64), shape)
	hi := c.stretch(c.extent(size), shape)
	last, one := c.sub(hi, c.integer(1, hi)), c.integer(1, hi)
	for range steps {
		mid := c.op(ir.OpShr, nil, c.add(lo, hi), one)
		at := c.op(ir.OpGather, &ir.AxisAttr{}, x, c.op(ir.OpMin, nil, mid, last))
		before := c.below(at, v)
		if right {
			before = c.op(ir.OpNot, nil, c.below(v, at))
		}
		before = c.and(before, c.lt(lo, hi))
		lo = c.sel(before, c.add(mid, one), lo)
		hi = c.sel(before, hi, mid)
	}
	return c.out(lo)
}

// below is x < y in the order in which NaN is the largest.
func (c *call) below(x, y *node) *node {
	if c.err != nil || !x.typ.DType.IsFloat() {
		return c.lt(x, y)
	}
	nan := func(n *node) *node { return c.op(ir.OpIsNaN, nil, n) }
	return c.or(c.lt(x, y), c.and(nan(y), c.op(ir.OpNot, nil, nan(x))))
}

// CountNonzero returns how many elements over axes are not zero, as i64; all
// axes if none is named.
func (t Tensor) CountNonzero(axes ...int) Tensor {
	return countNonzero(t, false, axes)
}

// CountNonzero returns how many elements over axes are not zero, as i64.
func (k Kept) CountNonzero(axes ...int) Tensor { return countNonzero(k.t, k.keep, axes) }

func countNonzero(t Tensor, keep bool, axes []int) Tensor {
	r := reduce("CountNonzero", t, keep, axes)
	n := r.as(func(DType) DType { return Bool })
	if r.err == nil {
		n = r.cast(n, I64)
	}
	return r.result(r.run(ir.OpSum, n))
}

// Nonzero returns the coordinates of the elements that are not zero, in
// row-major order: one i64 vector an axis. Their number depends on data:
// outside a traced function t is evaluated, inside it is a new named extent.
func (t Tensor) Nonzero() ([]Tensor, error) {
	c := start("Nonzero")
	n := c.in(t)
	if n == nil {
		return nil, c.err
	}
	if n.typ.Rank() == 0 {
		c.fail("a tensor without axes has no coordinates: Unsqueeze(0) it")
		return nil, c.err
	}
	return c.several(c.trueCoordinates(c.cast(n, Bool)))
}

// ArgWhere returns the coordinates of the elements that are not zero as the
// rows of an i64 matrix, see [Tensor.Nonzero].
func (t Tensor) ArgWhere() Tensor {
	c := start("ArgWhere")
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	at := c.trueCoordinates(c.cast(n, Bool))
	if c.err != nil {
		return c.bad()
	}
	if len(at) == 0 {
		return c.fail("a tensor without axes has no coordinates: Unsqueeze(0) it")
	}
	return c.named(Stack(1, at...))
}

// Uniques are the distinct elements of a tensor, increasing, and where they
// are. Each NaN is distinct from all others.
type Uniques struct {
	Values  Tensor // increasing
	Indices Tensor // i64, where each stands first in the flattened tensor
	Inverse Tensor // i64, in the tensor's shape: the place of each element in Values
	Counts  Tensor // i64, how often each occurs
}

// UniqueAll returns the distinct elements of t, where they stand first, the
// place of each element among them, and how often each occurs. Their number
// depends on data: outside a traced function t is evaluated, inside it is a
// new named extent.
func (t Tensor) UniqueAll() (Uniques, error) {
	c := start("UniqueAll")
	u := c.unique(t)
	if c.err != nil {
		c.bad()
		return Uniques{}, c.err
	}
	return u, nil
}

// UniqueValues returns the distinct elements of t, increasing.
func (t Tensor) UniqueValues() Tensor {
	c := start("UniqueValues")
	u := c.unique(t)
	if c.err != nil {
		return c.bad()
	}
	return u.Values
}

// UniqueCounts returns the distinct elements of t and how often each occurs.
func (t Tensor) UniqueCounts() (values, counts Tensor) {
	c := start("UniqueCounts")
	u := c.unique(t)
	if c.err != nil {
		return c.bad(), c.bad()
	}
	return u.Values, u.Counts
}

// UniqueInverse returns the distinct elements of t and, in t's shape, the
// place of each element among them.
func (t Tensor) UniqueInverse() (values, inverse Tensor) {
	c := start("UniqueInverse")
	u := c.unique(t)
	if c.err != nil {
		return c.bad(), c.bad()
	}
	return u.Values, u.Inverse
}

// unique sorts, marks the first of each run of equals, and counts the marks.
func (c *call) unique(t Tensor) Uniques {
	n := c.in(t)
	if n == nil {
		return Uniques{}
	}
	size := n.typ.Shape.Size()
	flat := c.reshape(n, ir.Shape{size})
	places := c.op(ir.OpArgSort, &ir.SortAttr{}, flat)
	x := c.op(ir.OpGather, &ir.AxisAttr{}, flat, places)
	if c.err != nil {
		return Uniques{}
	}
	first := c.iota(I64, ir.Shape{size}, 0)
	starts := c.eq(first, c.integer(0, first))
	if !size.IsConst(0) {
		before := c.op(ir.OpMax, nil, c.sub(first, c.integer(1, first)), c.integer(0, first))
		prior := c.op(ir.OpGather, &ir.AxisAttr{}, x, before)
		starts = c.or(starts, c.op(ir.OpNe, nil, x, prior))
	}
	at := c.trueCoordinates(starts)
	if c.err != nil {
		return Uniques{}
	}
	begin := c.in(at[0])
	u := Uniques{Values: c.pick(x, begin), Indices: c.pick(places, begin)}
	group := c.op(ir.OpCumSum, &ir.CumAttr{}, c.cast(starts, I64))
	group = c.sub(group, c.integer(1, group))
	inverse := c.op(ir.OpScatterAlong, &ir.ScatterAttr{Reduce: "none"}, group, places, group)
	u.Inverse = c.out(c.reshape(inverse, n.typ.Shape))
	ones := c.integer(1, group)
	add := &ir.ScatterAttr{Reduce: "add"}
	u.Counts = c.out(c.op(ir.OpScatterAlong, add, c.zero(begin), group, ones))
	return u
}

// pick returns elements of a vector as a tensor.
func (c *call) pick(x, at *node) Tensor { return c.out(c.op(ir.OpGather, &ir.AxisAttr{}, x, at)) }

// trueCoordinates returns the coordinates of the true elements of a mask, one
// vector an axis. Where the mask has a value, it is evaluated; else their
// number is a new symbol.
func (c *call) trueCoordinates(mask *node) []Tensor {
	if c.err != nil {
		return nil
	}
	if mask.tr != nil {
		return c.symbolicCoordinates(mask)
	}
	l, err := evaluate(mask)
	if err != nil {
		c.fail("%v", err)
		return nil
	}
	coords := make([][]int64, len(l.Shape))
	hits := int64(0)
	for i, b := range spread[bool](l) {
		if !b {
			continue
		}
		hits++
		for a := len(l.Shape) - 1; a >= 0; a-- {
			coords[a] = append(coords[a], int64(i)%l.Shape[a])
			i /= int(l.Shape[a])
		}
	}
	out := make([]Tensor, len(coords))
	for a := range coords {
		out[a] = fresh(leafNode(ir.NewLiteral(I64, []int64{hits}, coords[a]), c.pos))
	}
	return out
}

func (c *call) symbolicCoordinates(mask *node) []Tensor {
	c.join(mask)
	if c.err != nil {
		return nil
	}
	c.tr.symbols++
	name := fmt.Sprint("found", c.tr.symbols)
	number := ir.Sym(name)
	at := c.op(ir.OpNonZero, &ir.DimsAttr{Dims: ir.Shape{number}}, mask)
	if c.err != nil {
		return nil
	}
	if c.tr.binders == nil {
		c.tr.binders = map[string]*node{}
	}
	c.tr.binders[name] = at
	out := make([]Tensor, mask.typ.Rank())
	for a := range out {
		s := wholeSlice(at.typ.Shape)
		s.Start[0], s.Shape[0] = ir.Const(int64(a)), ir.Const(1)
		out[a] = c.out(c.reshape(c.op(ir.OpSlice, s, at), ir.Shape{number}))
	}
	return out
}

// withBinders adds to the nodes of a traced function those that bind the
// symbols which the nodes mention.
func (tr *tracer) withBinders(roots []*node) []*node {
	if len(tr.binders) == 0 {
		return roots
	}
	all := slices.Clone(roots)
	for added := true; added; {
		added = false
		syms := map[string]bool{}
		for _, n := range reach(all, func(n *node) bool { return n.tr == nil }) {
			for _, d := range n.typ.Shape {
				d.Syms(syms)
			}
		}
		for s := range syms {
			if b := tr.binders[s]; b != nil && !slices.Contains(all, b) {
				all, added = append(all, b), true
			}
		}
	}
	return all
}
