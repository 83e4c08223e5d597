package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Manipulation that moves elements, and views that NumPy and PyTorch have
// beside Reshape, Permute and the like.

// View is Reshape that never copies: an error where the elements would have to
// move.
func (t Tensor) View(shape ...int) Tensor {
	c := start("View")
	if !c.check(t) {
		return c.bad()
	}
	v := t.Reshape(shape...)
	if v.err == nil && v.s != t.s {
		return c.fail("shape %s does not lie so that it could be seen as %v: Reshape it, which copies",
			shapeString(t.typ().Shape), shape)
	}
	return c.named(v)
}

// ExpandDims returns a view with an axis of extent 1 put in, as
// [Tensor.Unsqueeze].
func (t Tensor) ExpandDims(axis int) Tensor { return t.Unsqueeze(axis) }

// BroadcastTo returns a view stretched to a shape, as [Tensor.Expand].
func (t Tensor) BroadcastTo(shape ...int) Tensor { return t.Expand(shape...) }

// BroadcastArrays returns views of the tensors, all stretched to the shape to
// which they broadcast.
func BroadcastArrays(ts ...Tensor) ([]Tensor, error) {
	c := start("BroadcastArrays")
	var shape ir.Shape
	for _, t := range ts {
		if !c.check(t) {
			return nil, c.err
		}
		s, err := ir.Broadcast(shape, t.typ().Shape)
		if err != nil {
			c.fail("%s", misfit(shape, t.typ().Shape, len(ts) == 2))
			return nil, c.err
		}
		shape = s
	}
	out := make([]Tensor, len(ts))
	for i, t := range ts {
		out[i] = t.expand(c, shape)
	}
	return c.several(out)
}

// MatrixTranspose returns a view with the last two axes exchanged.
func (t Tensor) MatrixTranspose() Tensor {
	c := start("MatrixTranspose")
	if !c.check(t) {
		return c.bad()
	}
	if r := t.typ().Rank(); r < 2 {
		return c.fail("shape %s, want at least 2 axes", shapeString(t.typ().Shape))
	}
	return t.Transpose(-2, -1)
}

// MT is MatrixTranspose.
func (t Tensor) MT() Tensor { return t.MatrixTranspose() }

// Moveaxis returns a view with the axes from at the places to, and the others
// in their order.
func (t Tensor) Moveaxis(from, to []int) Tensor {
	c := start("Moveaxis")
	if !c.check(t) {
		return c.bad()
	}
	rank := t.typ().Rank()
	if len(from) != len(to) {
		return c.fail("%d axes to %d places", len(from), len(to))
	}
	src, dst := c.axes(from, rank), c.axes(to, rank)
	if c.err != nil {
		return c.bad()
	}
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = -1
	}
	for i, d := range dst {
		perm[d] = src[i]
	}
	rest := slices.DeleteFunc(count(0, rank), func(a int) bool { return slices.Contains(src, a) })
	for i := range perm {
		if perm[i] < 0 {
			perm[i], rest = rest[0], rest[1:]
		}
	}
	return t.view(c, ir.OpTranspose, &ir.PermAttr{Perm: perm})
}

// Swapaxes returns a view with two axes exchanged, as [Tensor.Transpose].
func (t Tensor) Swapaxes(a, b int) Tensor { return t.Transpose(a, b) }

// Narrow returns a view of length elements along an axis, from start on.
func (t Tensor) Narrow(axis, from, length int) Tensor {
	c := start("Narrow")
	i, ok := c.along(t, axis)
	if !ok {
		return c.bad()
	}
	if length < 0 {
		return c.fail("length %d", length)
	}
	s := t.typ().Shape
	a := wholeSlice(s)
	at := ir.Const(int64(from))
	if from < 0 {
		at = s[i].AddConst(int64(from))
	}
	what := fmt.Sprintf("elements %d to %d of axis %d of shape %s", from, from+length, i,
		shapeString(s))
	c.condition(at.AddConst(int64(length)), "<=", s[i], what)
	if c.condition(ir.Const(0), "<=", at, what); c.err != nil {
		return c.bad()
	}
	a.Start[i], a.Shape[i] = at, ir.Const(int64(length))
	if length == 0 {
		a.Start[i] = ir.Const(0)
	}
	return t.view(c, ir.OpSlice, a)
}

// Select returns a view of element i along an axis, which disappears.
func (t Tensor) Select(axis, i int) Tensor {
	c := start("Select")
	k, ok := c.along(t, axis)
	if !ok {
		return c.bad()
	}
	idx := slices.Repeat([]any{All}, k)
	return c.named(t.Index(append(idx, i)...))
}

// Unstack returns views of the elements along an axis, which disappears. The
// extent must be known.
func (t Tensor) Unstack(axis int) ([]Tensor, error) {
	c := start("Unstack")
	k, ok := c.along(t, axis)
	if !ok {
		return nil, c.err
	}
	n, static := t.typ().Shape[k].Int()
	if !static {
		c.fail("axis %d has extent %v, so that the number of results is not known: Scan goes through "+
			"such an axis, Select picks an element", k, t.typ().Shape[k])
		return nil, c.err
	}
	out := make([]Tensor, n)
	for i := range out {
		out[i] = t.Select(k, i)
	}
	return c.several(out)
}

// Split returns views of the parts of an axis that have the sizes given, of
// which one may be -1: what is left over. A single size is that of each part,
// of which the last may be smaller; the extent must then be known.
func (t Tensor) Split(axis int, sizes ...int) ([]Tensor, error) {
	c := start("Split")
	k, ok := c.along(t, axis)
	if !ok {
		return nil, c.err
	}
	d := t.typ().Shape[k]
	rest, sum := -1, int64(0)
	for i, size := range sizes {
		if size == -1 && rest < 0 {
			rest = i
			continue
		}
		if size < 0 {
			c.fail("sizes %v, want numbers and at most one -1", sizes)
			return nil, c.err
		}
		sum += int64(size)
	}
	what := fmt.Sprintf("sizes %v for axis %d of extent %v: they add up to %d", sizes, k, d, sum)
	parts := ir.Dims(int64s(sizes)...)
	switch n, static := d.Int(); {
	case len(sizes) == 0:
		c.fail("no sizes")
	case rest >= 0:
		c.condition(ir.Const(sum), "<=", d, what)
		parts[rest] = d.AddConst(-sum)
	case len(sizes) > 1 || sum == 0 || static && sum == n:
		c.require(d, ir.Const(sum), what)
	case !static:
		c.fail("parts of %d elements of axis %d of extent %v, whose number is not known: say all sizes, "+
			"of which one may be -1, or use TensorSplit", sum, k, d)
	default:
		parts = slices.Repeat(parts, int(n/sum))
		if left := n % sum; left > 0 || n == 0 {
			parts = append(parts, ir.Const(left))
		}
	}
	return c.cut(t, k, parts)
}

// cut returns views of the parts of an axis that have the extents given.
func (c *call) cut(t Tensor, axis int, parts ir.Shape) ([]Tensor, error) {
	if c.err != nil {
		c.bad()
		return nil, c.err
	}
	out := make([]Tensor, len(parts))
	at := ir.Const(0)
	for i, d := range parts {
		a := wholeSlice(t.typ().Shape)
		a.Start[axis], a.Shape[axis] = at, d
		if d.IsConst(0) {
			a.Start[axis] = ir.Const(0)
		}
		out[i] = t.view(c, ir.OpSlice, a)
		at = at.Add(d)
	}
	return c.several(out)
}

// Chunk returns views of at most n parts of an axis, of equal size but for the
// last. The extent must be known, or known to be a multiple of n; otherwise
// how many parts there are is not: see [Tensor.TensorSplit].
func (t Tensor) Chunk(n, axis int) ([]Tensor, error) {
	c := start("Chunk")
	k, ok := c.along(t, axis)
	if !ok {
		return nil, c.err
	}
	if n < 1 {
		c.fail("%d parts, want at least 1", n)
		return nil, c.err
	}
	d, parts := t.typ().Shape[k], ir.Const(int64(n))
	if size, static := d.Int(); static && size > 0 {
		return t.Split(k, max(1, (int(size)+n-1)/n))
	}
	if !d.Mod(parts).IsConst(0) {
		c.fail("at most %d parts of axis %d of extent %v, whose number is not known: use TensorSplit, "+
			"which makes %d, or an extent such as %d*N", n, k, d, n, n)
	}
	return c.cut(t, k, slices.Repeat(ir.Shape{d.FloorDiv(parts)}, n))
}

// TensorSplit returns views of n parts of an axis, of which the first are
// longer by one if n does not divide the extent.
func (t Tensor) TensorSplit(n, axis int) ([]Tensor, error) {
	c := start("TensorSplit")
	k, ok := c.along(t, axis)
	if !ok {
		return nil, c.err
	}
	if n < 1 {
		c.fail("%d parts, want at least 1", n)
		return nil, c.err
	}
	d := t.typ().Shape[k]
	parts := make(ir.Shape, n)
	for i := range parts { // element i, i+n, i+2n, ... is one more for part i
		parts[i] = d.AddConst(-int64(i)).CeilDiv(ir.Const(int64(n)))
	}
	return c.cut(t, k, parts)
}

// Repeat returns t with each element along an axis repeated n times; without
// an axis, of t flattened. (PyTorch's repeat is [Tensor.Tile].)
func (t Tensor) Repeat(n int, axis ...int) Tensor {
	c := start("Repeat")
	if !c.check(t) {
		return c.bad()
	}
	if n < 0 || len(axis) > 1 {
		return c.fail("%d times along axes %v, want a number and at most one axis", n, axis)
	}
	if len(axis) == 0 {
		t, axis = t.Flatten(), []int{0}
	}
	x := c.in(t)
	if c.err != nil {
		return c.bad()
	}
	k, ok := c.axis(axis[0], x.typ.Rank())
	if !ok {
		return c.bad()
	}
	s := x.typ.Shape
	wide := slices.Insert(s.Clone(), k+1, ir.Const(int64(n)))
	axes := slices.Delete(count(0, len(s)+1), k+1, k+2)
	x = c.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: wide, Axes: axes}, x)
	out := s.Clone()
	out[k] = s[k].MulConst(int64(n))
	return c.out(c.reshape(x, out))
}

// RepeatEach is Repeat with a count for each element along the axis.
func (t Tensor) RepeatEach(counts []int, axis int) Tensor {
	c := start("RepeatEach")
	k, ok := c.along(t, axis)
	if !ok {
		return c.bad()
	}
	d := t.typ().Shape[k]
	what := fmt.Sprintf("%d counts for axis %d of extent %v", len(counts), k, d)
	if c.require(d, ir.Const(int64(len(counts))), what); c.err != nil {
		return c.bad()
	}
	at := []int64{}
	for i, n := range counts {
		if n < 0 {
			return c.fail("count %d", n)
		}
		at = append(at, slices.Repeat([]int64{int64(i)}, n)...)
	}
	return c.named(t.Take(k, at))
}

// Tile returns t repeated as a whole, reps times along each axis; of t's shape
// and reps the shorter is filled up with 1 in front.
func (t Tensor) Tile(reps ...int) Tensor {
	c := start("Tile")
	x := c.in(t)
	if c.err != nil {
		return c.bad()
	}
	s := x.typ.Shape
	rank := max(len(s), len(reps))
	reps = slices.Concat(slices.Repeat([]int{1}, rank-len(reps)), reps)
	full := append(slices.Repeat(ir.Shape{ir.Const(1)}, rank-len(s)), s...)
	var wide, out ir.Shape
	var axes []int
	for i, d := range full {
		if reps[i] < 0 {
			return c.fail("repetitions %v: %d is negative", reps, reps[i])
		}
		wide = append(wide, ir.Const(int64(reps[i])), d)
		axes = append(axes, 2*i+1)
		out = append(out, d.MulConst(int64(reps[i])))
	}
	x = c.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: wide, Axes: axes}, c.reshape(x, full))
	return c.out(c.reshape(x, out))
}

// Roll returns t with its elements moved by shift along the axes, those that
// fall out at the end coming in at the beginning; without axes, of t
// flattened, in t's shape.
func (t Tensor) Roll(shift int, axes ...int) Tensor {
	c := start("Roll")
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	if len(axes) == 0 {
		return c.named(t.Flatten().Roll(shift, 0).ReshapeTo(s))
	}
	for _, a := range c.axes(axes, len(s)) {
		if c.err != nil {
			return c.bad()
		}
		by := ir.Const(int64(shift)).Mod(s[a].Max(ir.Const(1)))
		first, second := wholeSlice(s), wholeSlice(s)
		first.Start[a], first.Shape[a] = s[a].Sub(by), by
		second.Shape[a] = s[a].Sub(by)
		if by.IsConst(0) {
			continue
		}
		x := c.in(t)
		t = c.out(c.op(ir.OpConcat, &ir.AxisAttr{Axis: a}, c.op(ir.OpSlice, first, x),
			c.op(ir.OpSlice, second, x)))
	}
	return c.named(t.Clone())
}

// Diff returns the differences of neighbours along an axis, n times over;
// those of bools are exclusive-or.
func (t Tensor) Diff(n, axis int) Tensor {
	c := start("Diff")
	k, ok := c.along(t, axis)
	if !ok {
		return c.bad()
	}
	if n < 0 {
		return c.fail("order %d", n)
	}
	for range n {
		x := c.in(t)
		if c.err != nil {
			return c.bad()
		}
		from, to := wholeSlice(x.typ.Shape), wholeSlice(x.typ.Shape)
		less := x.typ.Shape[k].AddConst(-1).Max(ir.Const(0))
		from.Shape[k], to.Shape[k], to.Start[k] = less, less, ir.Const(1)
		lower, upper := c.out(c.op(ir.OpSlice, from, x)), c.out(c.op(ir.OpSlice, to, x))
		if t.DType() == Bool {
			t = upper.Xor(lower)
		} else {
			t = upper.Sub(lower)
		}
	}
	return c.named(t)
}

// Rot90 returns t turned by k quarters of a circle in the plane of two axes,
// from the first towards the second.
func (t Tensor) Rot90(k, first, second int) Tensor {
	c := start("Rot90")
	if !c.checks(t) {
		return c.bad()
	}
	switch ((k % 4) + 4) % 4 {
	case 1:
		t = t.Flip(second).Transpose(first, second)
	case 2:
		t = t.Flip(first, second)
	case 3:
		t = t.Transpose(first, second).Flip(second)
	}
	return c.named(t)
}
