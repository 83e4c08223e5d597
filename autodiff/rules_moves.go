package autodiff

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// The rules of moves, gathers and scatters: each is linear in what it moves,
// and its gradient moves back.

// broadcastRule sums what was stretched.
func broadcastRule(b *back, v, d *ir.Value) *ir.Value {
	x, a := v.Args[0], v.Attr.(*ir.BroadcastAttr)
	var axes []int
	for j, e := range a.Shape {
		i := slices.Index(a.Axes, j)
		if i < 0 || !x.Type.Shape[i].Equal(e) {
			axes = append(axes, j)
		}
	}
	return b.reshape(b.sum(d, axes), x.Type.Shape)
}

func transposeRule(b *back, v, d *ir.Value) *ir.Value {
	return b.transpose(d, inverse(v.Attr.(*ir.PermAttr).Perm))
}

// sliceRule surrounds d with zeros: a pad where steps are 1, which fuses, else
// an update of zeros.
func sliceRule(b *back, v, d *ir.Value) *ir.Value {
	x, a := v.Args[0], v.Attr.(*ir.SliceAttr)
	if slices.ContainsFunc(a.Step, func(s int64) bool { return s != 1 }) {
		return b.op(ir.OpUpdateSlice, a, b.zeros(x.Type), d)
	}
	hi := make(ir.Shape, len(a.Shape))
	for i, e := range x.Type.Shape {
		hi[i] = e.Sub(a.Start[i]).Sub(a.Shape[i])
	}
	return b.pad(d, a.Start, hi)
}

func updateSliceBase(b *back, v, d *ir.Value) *ir.Value {
	return b.op(ir.OpUpdateSlice, v.Attr, d, b.zeros(v.Args[1].Type))
}

func updateSlicePart(b *back, v, d *ir.Value) *ir.Value {
	return b.slice(d, v.Attr.(*ir.SliceAttr))
}

func negated(s ir.Shape) ir.Shape {
	out := make(ir.Shape, len(s))
	for i, e := range s {
		out[i] = e.Neg()
	}
	return out
}

func padInner(b *back, v, d *ir.Value) *ir.Value {
	a := v.Attr.(*ir.PadAttr)
	return b.pad(d, negated(a.Lo), negated(a.Hi))
}

// padValue sums d over the padding.
func padValue(b *back, v, d *ir.Value) *ir.Value {
	inside := b.op(ir.OpPad, v.Attr, b.fill(v.Args[0].Type.With(ir.Bool), 1), b.scalar(ir.Bool, 0))
	return b.sum(b.unless(inside, d), allAxes(d))
}

func allAxes(v *ir.Value) []int {
	axes := make([]int, v.Type.Rank())
	for i := range axes {
		axes[i] = i
	}
	return axes
}

func concatRule(b *back, v *ir.Value, dy []*ir.Value) []*ir.Value {
	axis := v.Attr.(*ir.AxisAttr).Axis
	out := make([]*ir.Value, len(v.Args))
	at := ir.Const(0)
	for i, x := range v.Args {
		if b.need[i] {
			start := make(ir.Shape, v.Type.Rank())
			start[axis] = at
			out[i] = b.slice(dy[0], &ir.SliceAttr{Start: start, Step: ones(v.Type.Rank()),
				Shape: x.Type.Shape})
		}
		at = at.Add(x.Type.Shape[axis])
	}
	return out
}

func ones(n int) []int64 {
	s := make([]int64, n)
	for i := range s {
		s[i] = 1
	}
	return s
}

// gatherRule adds the slices of d at the indices: with the axis in front, that
// is a scatter of index tuples of length 1.
func gatherRule(b *back, v, d *ir.Value) *ir.Value {
	x, idx, axis := v.Args[0], v.Args[1], v.Attr.(*ir.AxisAttr).Axis
	k := idx.Type.Rank()
	front := make([]int, 0, d.Type.Rank())
	for i := range k {
		front = append(front, axis+i)
	}
	for i := range d.Type.Rank() {
		if i < axis || i >= axis+k {
			front = append(front, i)
		}
	}
	perm := moveAxis(x.Type.Rank(), axis, 0)
	shape := make(ir.Shape, len(perm))
	for i, p := range perm {
		shape[i] = x.Type.Shape[p]
	}
	tuples := b.reshape(idx, append(idx.Type.Shape.Clone(), ir.Const(1)))
	sum := b.scatterAdd(ir.OpScatterND, 0, b.zeros(ir.Of(d.Type.DType, shape)), tuples,
		b.transpose(d, front))
	return b.transpose(sum, inverse(perm))
}

func (b *back) scatterAdd(op ir.Op, axis int, x, idx, upd *ir.Value) *ir.Value {
	return b.op(op, &ir.ScatterAttr{Axis: axis, Reduce: "add"}, x, idx, upd)
}

// takeAlongRule adds the elements of d at the indices: where one element of
// each line was taken, by comparing with the coordinate, which fuses.
func takeAlongRule(b *back, v, d *ir.Value) *ir.Value {
	axis, s := v.Attr.(*ir.AxisAttr).Axis, v.Args[0].Type.Shape
	one := s.Clone()
	one[axis] = ir.Const(1)
	if one.Equal(d.Type.Shape) {
		all := count(0, len(s))
		idx := b.broadcast(b.cast(v.Args[1], ir.I64), s, all)
		return b.alone(loner{axis, b.eq(b.iota(s, axis), idx), d}, s)
	}
	return b.scatterAdd(ir.OpScatterAlong, v.Attr.(*ir.AxisAttr).Axis, b.zeros(v.Args[0].Type),
		v.Args[1], d)
}

// gatherNDRule scatters d; the batch axes become coordinates of the tuples.
func gatherNDRule(b *back, v, d *ir.Value) *ir.Value {
	x, idx, batch := v.Args[0], v.Args[1], v.Attr.(*ir.BatchAttr).Batch
	if batch > 0 {
		s := idx.Type.Shape.Clone()
		last := len(s) - 1
		s[last] = ir.Const(1)
		parts := make([]*ir.Value, 0, batch+1)
		for i := range batch {
			parts = append(parts, b.iota(s, i))
		}
		parts = append(parts, b.cast(idx, ir.I64))
		idx = b.op(ir.OpConcat, &ir.AxisAttr{Axis: last}, parts...)
	}
	return b.scatterAdd(ir.OpScatterND, 0, b.zeros(x.Type), idx, d)
}

// scatterRule covers both scatters. With "none" the last of several updates to
// a place is the one that stays and alone gets d; with "min" and "max" all
// that attain the extremum share d.
func scatterRule(b *back, v *ir.Value, dy []*ir.Value) []*ir.Value {
	x, idx, upd, d := v.Args[0], v.Args[1], v.Args[2], dy[0]
	a := v.Attr.(*ir.ScatterAttr)
	take := func(t *ir.Value) *ir.Value {
		if v.Op == ir.OpScatterAlong {
			return b.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: a.Axis}, t, idx)
		}
		return b.op(ir.OpGatherND, &ir.BatchAttr{}, t, idx)
	}
	put := func(t, u *ir.Value, reduce string) *ir.Value {
		return b.op(v.Op, &ir.ScatterAttr{Axis: a.Axis, Reduce: reduce}, t, idx, u)
	}
	out := make([]*ir.Value, 3)
	switch a.Reduce {
	case "add":
		out[0] = d
		if b.need[2] {
			out[2] = take(d)
		}
	case "none":
		if b.need[0] {
			out[0] = put(d, b.zeros(upd.Type), "none")
		}
		if b.need[2] {
			place := b.ordinals(upd.Type.Shape)
			winner := take(put(b.zeros(x.Type.With(ir.I64)), place, "none"))
			out[2] = b.where(b.eq(winner, place), take(d))
		}
	case "min", "max":
		fromX := b.cast(b.eq(x, v), d.Type.DType)
		fromUpd := b.cast(b.eq(upd, take(v)), d.Type.DType)
		share := b.div(d, put(fromX, fromUpd, "add"))
		out[0], out[2] = b.mul(share, fromX), b.mul(take(share), fromUpd)
	default:
		b.fail("%v: reduction %q has no gradient: want none, add, min or max", v.Op, a.Reduce)
	}
	return out
}

// ordinals numbers the elements of shape s in row-major order, from 1 so that
// none is taken for the zeros it is scattered into.
func (b *back) ordinals(s ir.Shape) *ir.Value {
	flat := b.iota(ir.Shape{s.Size()}, 0)
	one := b.num(flat, 1)
	return b.reshape(b.add(flat, one), s)
}

func dynamicSliceRule(b *back, v, d *ir.Value) *ir.Value {
	return b.op(ir.OpDynamicUpdate, nil, b.zeros(v.Args[0].Type), d, v.Args[1])
}

func dynamicUpdateBase(b *back, v, d *ir.Value) *ir.Value {
	return b.op(ir.OpDynamicUpdate, nil, d, b.zeros(v.Args[1].Type), v.Args[2])
}

func dynamicUpdatePart(b *back, v, d *ir.Value) *ir.Value {
	return b.op(ir.OpDynamicSlice, &ir.ShapeAttr{Shape: v.Args[1].Type.Shape}, d, v.Args[2])
}
