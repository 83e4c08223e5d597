package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Manipulation of shapes: views where the elements stay where they are.

// Reshape returns t in another shape, of which one extent may be -1: what is
// left over. It is a view where t's elements lie so that they need not move,
// else a copy, as in NumPy.
func (t Tensor) Reshape(shape ...int) Tensor {
	c := start("Reshape")
	if !c.check(t) {
		return c.bad()
	}
	dims, free := make(ir.Shape, len(shape)), -1
	for i, d := range shape {
		switch {
		case d == -1 && free < 0:
			free = i
			dims[i] = ir.Const(1)
		case d < 0:
			return c.fail("shape %v, want extents and at most one -1", shape)
		default:
			dims[i] = ir.Const(int64(d))
		}
	}
	if free >= 0 {
		if dims.Size().IsConst(0) {
			return c.fail("shape %v: -1 stands for any number beside an extent of 0", shape)
		}
		dims[free] = t.typ().Shape.Size().FloorDiv(dims.Size())
	}
	return t.reshape(c, dims)
}

// ReshapeTo is Reshape to extents that may be symbolic, such as those of
// another tensor's Dims.
func (t Tensor) ReshapeTo(shape ir.Shape) Tensor {
	c := start("ReshapeTo")
	if !c.check(t) {
		return c.bad()
	}
	return t.reshape(c, shape)
}

func (t Tensor) reshape(c *call, to ir.Shape) Tensor {
	from := t.typ().Shape
	have, want := from.Size(), to.Size()
	if diff, ok := have.Sub(want).Int(); ok && diff != 0 {
		return c.fail("shape %s has %v elements, %s has %v", shapeString(from), have, shapeString(to),
			want)
	}
	c.join(t.value())
	c.require(have, want, fmt.Sprintf("shape %s reshaped to %s", shapeString(from), shapeString(to)))
	if t.isContiguous() {
		return t.view(c, ir.OpReshape, &ir.ShapeAttr{Shape: to})
	}
	if _, ok := reshapeStrides(from, t.layout().strides, to); ok {
		return t.view(c, ir.OpReshape, &ir.ShapeAttr{Shape: to})
	}
	return c.out(c.op(ir.OpReshape, &ir.ShapeAttr{Shape: to}, c.in(t)))
}

// require makes x == y a condition of the traced function unless it is known.
func (c *call) require(x, y ir.Dim, msg string) { c.condition(x, "==", y, msg) }

// positive requires that d is at least 1.
func (c *call) positive(d ir.Dim, msg string) { c.condition(ir.Const(1), "<=", d, msg) }

// condition makes "x rel y" one of the traced function, where rel is == or <=,
// unless it is known to hold, or fails where it is known not to.
func (c *call) condition(x ir.Dim, rel string, y ir.Dim, msg string) {
	if c.err != nil {
		return
	}
	diff, known := y.Sub(x).Int()
	switch {
	case known && (diff == 0 || diff > 0 && rel == "<="):
		return
	case known || c.tr == nil:
		than := map[string]string{"==": "not", "<=": "more than"}[rel]
		c.fail("%s: %v is %s %v", msg, x, than, y)
		return
	}
	c.tr.checks = append(c.tr.checks,
		check{c.pos, &ir.CheckAttr{X: x, Y: y, Rel: rel, Msg: c.name + ": " + msg}})
}

// Flatten returns t as a vector: a view where Reshape is one.
func (t Tensor) Flatten() Tensor { return t.Reshape(-1) }

// Permute returns a view with the axes in the order given.
func (t Tensor) Permute(axes ...int) Tensor {
	c := start("Permute")
	if !c.check(t) {
		return c.bad()
	}
	rank := t.typ().Rank()
	if len(axes) != rank {
		return c.fail("%d axes for shape %s, want all %d", len(axes), shapeString(t.typ().Shape), rank)
	}
	perm := c.axes(axes, rank)
	return t.view(c, ir.OpTranspose, &ir.PermAttr{Perm: perm})
}

// axes resolves axes that may be negative, each at most once.
func (c *call) axes(axes []int, rank int) []int {
	out := make([]int, len(axes))
	for i, a := range axes {
		k, ok := c.axis(a, rank)
		if ok && slices.Contains(out[:i], k) {
			c.fail("axis %d is named twice in %v", a, axes)
		}
		out[i] = k
	}
	return out
}

// Transpose returns a view with two axes exchanged.
func (t Tensor) Transpose(a, b int) Tensor {
	c := start("Transpose")
	if !c.check(t) {
		return c.bad()
	}
	rank := t.typ().Rank()
	i, ok1 := c.axis(a, rank)
	j, ok2 := c.axis(b, rank)
	if !ok1 || !ok2 {
		return c.bad()
	}
	perm := count(0, rank)
	perm[i], perm[j] = j, i
	return t.view(c, ir.OpTranspose, &ir.PermAttr{Perm: perm})
}

// T returns a view with all axes in reverse order.
func (t Tensor) T() Tensor {
	c := start("T")
	if !c.check(t) {
		return c.bad()
	}
	perm := count(0, t.typ().Rank())
	slices.Reverse(perm)
	return t.view(c, ir.OpTranspose, &ir.PermAttr{Perm: perm})
}

func count(from, to int) []int {
	var out []int
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// Unsqueeze returns a view with an axis of extent 1 put in at the place given,
// which may count from the end of the result.
func (t Tensor) Unsqueeze(axis int) Tensor {
	c := start("Unsqueeze")
	if !c.check(t) {
		return c.bad()
	}
	s := t.typ().Shape
	i, ok := c.axis(axis, len(s)+1)
	if !ok {
		return c.bad()
	}
	return t.reshape(c, slices.Insert(s.Clone(), i, ir.Const(1)))
}

// Squeeze returns a view without the axes named, which must have extent 1;
// without arguments, without all axes that have.
func (t Tensor) Squeeze(axes ...int) Tensor {
	c := start("Squeeze")
	if !c.check(t) {
		return c.bad()
	}
	s := t.typ().Shape
	drop := c.axes(axes, len(s))
	if c.err != nil {
		return c.bad()
	}
	var out ir.Shape
	for i, d := range s {
		named := slices.Contains(drop, i)
		if named && !d.IsConst(1) {
			return c.fail("axis %d of shape %s has extent %v, want 1", i, shapeString(s), d)
		}
		if !named && (len(axes) > 0 || !d.IsConst(1)) {
			out = append(out, d)
		}
	}
	return t.reshape(c, out)
}

// Expand returns a view in which axes of extent 1 are stretched to the shape
// given, and axes are added in front; -1 keeps an extent. It cannot be written
// to.
func (t Tensor) Expand(shape ...int) Tensor {
	c := start("Expand")
	if !c.check(t) {
		return c.bad()
	}
	from := t.typ().Shape
	to := make(ir.Shape, len(shape))
	for i, d := range shape {
		k := i - (len(shape) - len(from))
		switch {
		case d >= 0:
			to[i] = ir.Const(int64(d))
		case d == -1 && k >= 0:
			to[i] = from[k]
		default:
			return c.fail("extent %d in %v: want a number, or -1 for an axis that is there", d, shape)
		}
	}
	return t.expand(c, to)
}

// ExpandTo is Expand to extents that may be symbolic.
func (t Tensor) ExpandTo(shape ir.Shape) Tensor {
	c := start("ExpandTo")
	if !c.check(t) {
		return c.bad()
	}
	return t.expand(c, shape)
}

func (t Tensor) expand(c *call, to ir.Shape) Tensor {
	from := t.typ().Shape
	got, err := ir.Broadcast(from, to)
	if err != nil || !got.Equal(to) {
		return c.fail("shape %s does not stretch to %s: each axis, from the last, must have extent 1 "+
			"or that of the target",
			shapeString(from), shapeString(to))
	}
	return t.view(c, ir.OpBroadcast, &ir.BroadcastAttr{Shape: to, Axes: lastAxes(len(from), len(to))})
}

// Flip returns a view with the order of elements reversed along axes, all if
// none is named.
func (t Tensor) Flip(axes ...int) Tensor {
	c := start("Flip")
	if !c.check(t) {
		return c.bad()
	}
	s := t.typ().Shape
	if len(axes) == 0 {
		axes = count(0, len(s))
	}
	a := wholeSlice(s)
	axes = c.axes(axes, len(s))
	if c.err != nil {
		return c.bad()
	}
	for _, i := range axes {
		a.Start[i], a.Step[i] = s[i].AddConst(-1), -1
		if s[i].IsConst(0) {
			a.Start[i] = ir.Const(0)
		}
	}
	return t.view(c, ir.OpSlice, a)
}

// wholeSlice is the slice that is everything.
func wholeSlice(s ir.Shape) *ir.SliceAttr {
	a := &ir.SliceAttr{Start: make(ir.Shape, len(s)), Step: make([]int64, len(s)), Shape: s.Clone()}
	for i := range s {
		a.Step[i] = 1
	}
	return a
}

// Clone returns a copy of t that shares no storage with it.
func (t Tensor) Clone() Tensor {
	c := start("Clone")
	n := c.in(t)
	return c.out(n)
}

// Concat returns tensors one after the other along an axis, in the promoted
// type. All other extents agree.
func Concat(axis int, ts ...Tensor) Tensor { return join("Concat", axis, ts) }

// Stack returns tensors of one shape one after the other along a new axis.
func Stack(axis int, ts ...Tensor) Tensor {
	c := start("Stack")
	ups := make([]Tensor, len(ts))
	for i, t := range ts {
		if !c.check(t) {
			return c.bad()
		}
		if !t.typ().Shape.Equal(ts[0].typ().Shape) {
			return c.fail("tensor %d has shape %s, the first %s", i, shapeString(t.typ().Shape),
				shapeString(ts[0].typ().Shape))
		}
		if ups[i] = t.Unsqueeze(axis); ups[i].err != nil {
			return ups[i]
		}
	}
	return join("Stack", axis, ups)
}

func join(name string, axis int, ts []Tensor) Tensor {
	c := start(name)
	if len(ts) == 0 {
		return c.fail("no tensors")
	}
	ns, os := make([]*node, len(ts)), make([]operand, len(ts))
	for i, t := range ts {
		if ns[i] = c.in(t); ns[i] == nil {
			return c.bad()
		}
		os[i] = operand{n: ns[i]}
	}
	d := c.meet(os...)
	if c.err != nil {
		return c.bad()
	}
	i, ok := c.axis(axis, ns[0].typ.Rank())
	if !ok {
		return c.bad()
	}
	for k, n := range ns {
		if !sameBut(n.typ.Shape, ns[0].typ.Shape, i) {
			return c.fail("tensor %d has shape %s, the first %s: want the same extents but along axis %d",
				k, shapeString(n.typ.Shape), shapeString(ns[0].typ.Shape), i)
		}
		ns[k] = c.as(os[k], d)
	}
	return c.out(c.op(ir.OpConcat, &ir.AxisAttr{Axis: i}, ns...))
}

// sameBut reports whether shapes agree but along an axis.
func sameBut(s, t ir.Shape, axis int) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range s {
		if i != axis && !s[i].Equal(t[i]) {
			return false
		}
	}
	return true
}
