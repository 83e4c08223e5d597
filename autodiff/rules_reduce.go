package autodiff

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// The rules of reductions, running sums and windows.

// keep broadcasts r, reduced over axes, back to shape s.
func (b *back) keep(r *ir.Value, s ir.Shape, axes []int) *ir.Value {
	var kept []int
	for i := range s {
		if !slices.Contains(axes, i) {
			kept = append(kept, i)
		}
	}
	return b.broadcast(r, s, kept)
}

func sumRule(b *back, v, d *ir.Value) *ir.Value {
	return b.keep(d, v.Args[0].Type.Shape, v.Attr.(*ir.AxesAttr).Axes)
}

// reduceExtremum shares d among the elements that attain the extremum.
func reduceExtremum(b *back, v, d *ir.Value) *ir.Value {
	x, axes := v.Args[0], v.Attr.(*ir.AxesAttr).Axes
	hit := b.cast(b.eq(x, b.keep(v, x.Type.Shape, axes)), d.Type.DType)
	share := b.div(d, b.sum(hit, axes))
	return b.mul(b.keep(share, x.Type.Shape, axes), hit)
}

func (b *back) cumulate(op ir.Op, x *ir.Value, axis int, exclusive, reverse bool) *ir.Value {
	return b.op(op, &ir.CumAttr{Axis: axis, Exclusive: exclusive, Reverse: reverse}, x)
}

// prodRule gives each element the product of the others: of those before it
// and those after it, which holds where some are zero, too.
func prodRule(b *back, v, d *ir.Value) *ir.Value {
	x, axes := v.Args[0], v.Attr.(*ir.AxesAttr).Axes
	if len(axes) == 0 {
		return d
	}
	// One axis in the place of all: the others in front of them, in order.
	var perm []int
	var shape ir.Shape
	for i, e := range x.Type.Shape {
		if !slices.Contains(axes, i) {
			perm, shape = append(perm, i), append(shape, e)
		}
	}
	perm = append(perm, axes...)
	n := ir.Const(1)
	for _, a := range axes {
		n = n.Mul(x.Type.Shape[a])
	}
	last := len(shape)
	shape = append(shape, n)
	moved := b.transpose(x, perm)
	row := b.reshape(moved, shape)
	others := b.mul(b.cumulate(ir.OpCumProd, row, last, true, false),
		b.cumulate(ir.OpCumProd, row, last, true, true))
	dx := b.mul(b.keep(d, shape, []int{last}), others)
	return b.transpose(b.reshape(dx, moved.Type.Shape), inverse(perm))
}

func cumSumRule(b *back, v, d *ir.Value) *ir.Value {
	a := v.Attr.(*ir.CumAttr)
	return b.cumulate(ir.OpCumSum, d, a.Axis, a.Exclusive, !a.Reverse)
}

// cumProdRule is exact for zeros, too, at quadratic cost: with the axis last,
// the result at i is the product over j <= i (j < i if exclusive), so that
// dx[k] = sum over i of d[i] * prod over j of (x[j] if j counts for i and is
// not k, else 1), where k counts for i.
func cumProdRule(b *back, v, d *ir.Value) *ir.Value {
	a := v.Attr.(*ir.CumAttr)
	rank := v.Type.Rank()
	perm := moveAxis(rank, a.Axis, rank-1)
	x, d := b.transpose(v.Args[0], perm), b.transpose(d, perm)
	n := x.Type.Shape[rank-1]
	square := append(x.Type.Shape.Clone(), n) // axes ..., k, i
	k, i := b.iota(square, rank-1), b.iota(square, rank)
	alongI := b.keep(x, square, []int{rank - 1})
	// Left out of the running product: the place of k, by a factor 1.
	factors := b.op(ir.OpSelect, nil, b.eq(k, i), b.num(alongI, 1), alongI)
	prods := b.cumulate(ir.OpCumProd, factors, rank, a.Exclusive, a.Reverse)
	terms := b.mul(b.keep(d, square, []int{rank - 1}), prods)
	dx := b.sum(b.where(b.counts(a, k, i), terms), []int{rank})
	return b.transpose(dx, inverse(perm))
}

// span is the extent that a window of size k covers.
func span(k, dilation int64) int64 { return (k-1)*dilation + 1 }

// cumMaxRule gives d to the element that each result is: the last of equals,
// and the last NaN.
func cumMaxRule(b *back, v, d *ir.Value) *ir.Value {
	a, x := v.Attr.(*ir.CumAttr), v.Args[0]
	s := x.Type.Shape
	y := b.cumulate(ir.OpCumMax, x, a.Axis, false, a.Reverse)
	if a.Exclusive { // result i is that of the elements before it
		by := int64(1)
		if a.Reverse {
			by = -1
		}
		lo, hi := make(ir.Shape, len(s)), make(ir.Shape, len(s))
		lo[a.Axis], hi[a.Axis] = ir.Const(-by), ir.Const(by)
		d = b.pad(d, lo, hi)
	}
	place := b.iota(s, a.Axis)
	if a.Reverse {
		place = b.neg(place)
	}
	hit := b.op(ir.OpOr, nil, b.eq(x, y), b.op(ir.OpIsNaN, nil, x))
	at := b.cumulate(ir.OpCumMax, b.op(ir.OpSelect, nil, hit, place, b.num(place, -1<<62)), a.Axis,
		false, a.Reverse)
	if a.Reverse {
		at = b.neg(at)
	}
	return b.scatterAdd(ir.OpScatterAlong, a.Axis, b.zeros(x.Type), at, d)
}

// counts tells whether element k is part of running result i.
func (b *back) counts(a *ir.CumAttr, k, i *ir.Value) *ir.Value {
	op := ir.OpLe
	switch {
	case a.Reverse && a.Exclusive:
		op = ir.OpGt
	case a.Reverse:
		op = ir.OpGe
	case a.Exclusive:
		op = ir.OpLt
	}
	return b.op(op, nil, k, i)
}

// cumLogSumExpRule is dx[k] = sum of d[i]*e**(x[k]-y[i]) over the i for which k
// counts, at quadratic cost. A result of nothing but e**-Inf depends on no x.
func cumLogSumExpRule(b *back, v, d *ir.Value) *ir.Value {
	a := v.Attr.(*ir.CumAttr)
	rank := v.Type.Rank()
	perm := moveAxis(rank, a.Axis, rank-1)
	x, y, d := b.transpose(v.Args[0], perm), b.transpose(v, perm), b.transpose(d, perm)
	square := append(x.Type.Shape.Clone(), x.Type.Shape[rank-1]) // axes ..., k, i
	k, i := b.iota(square, rank-1), b.iota(square, rank)
	y = b.keep(y, square, []int{rank - 1})
	none := b.num(y, math.Inf(-1))
	counts := b.op(ir.OpAnd, nil, b.counts(a, k, i), b.op(ir.OpNe, nil, y, none))
	power := b.sub(b.keep(x, square, []int{rank}), b.where(counts, y))
	share := b.op(ir.OpExp, nil, b.op(ir.OpSelect, nil, counts, power, none))
	dx := b.sum(b.mul(b.keep(d, square, []int{rank - 1}), share), []int{rank})
	return b.transpose(dx, inverse(perm))
}

// dilated puts step-1 zeros between the elements of d along each axis.
func (b *back) dilated(d *ir.Value, step []int64) *ir.Value {
	if !slices.ContainsFunc(step, func(s int64) bool { return s != 1 }) {
		return d
	}
	wide := make(ir.Shape, len(step))
	for i, e := range d.Type.Shape {
		wide[i] = e.AddConst(-1).MulConst(step[i]).AddConst(1).Max(ir.Const(0))
		if k, ok := e.Int(); !ok || k > 0 {
			// A dynamic extent may be 0 only where the program yields
			// nothing anyway; the plain form keeps later extents equal.
			wide[i] = e.AddConst(-1).MulConst(step[i]).AddConst(1)
		}
	}
	return b.op(ir.OpUpdateSlice, &ir.SliceAttr{Start: make(ir.Shape, len(step)), Step: step,
		Shape: d.Type.Shape},
		b.zeros(ir.Of(d.Type.DType, wide)), d)
}

// windowSumRule sums d over the windows that have the element: with zeros
// between for strides and around for the borders, a windowsum of step 1.
func windowSumRule(b *back, v, d *ir.Value) *ir.Value {
	x, a := v.Args[0], v.Attr.(*ir.WindowAttr)
	n := x.Type.Rank()
	wide := b.dilated(d, a.Stride)
	around := make(ir.Shape, n)
	lo, hi := make(ir.Shape, n), make(ir.Shape, n)
	for i, e := range x.Type.Shape {
		around[i] = ir.Const(span(a.Size[i], a.Dilation[i]) - 1)
		covered := wide.Type.Shape[i].Add(around[i])
		lo[i] = a.Lo[i].Neg()
		hi[i] = e.Add(a.Lo[i]).Sub(covered)
	}
	sums := b.op(ir.OpWindowSum, &ir.WindowAttr{Size: a.Size, Stride: ones(n), Dilation: a.Dilation,
		Lo: around, Hi: around}, wide)
	return b.pad(sums, lo, hi)
}

// windowMaxRule takes the windows apart into one axis after the other, the
// last first: the first maximum of the maxima of rows, each the first in its
// row, is the first in row-major order.
func windowMaxRule(b *back, v, d *ir.Value) *ir.Value {
	a := v.Attr.(*ir.WindowAttr)
	n := v.Type.Rank()
	var stages []*ir.Value
	x := v.Args[0]
	for i := n - 1; i >= 0; i-- {
		if a.Size[i] == 1 && a.Stride[i] == 1 && a.Lo[i].IsConst(0) && a.Hi[i].IsConst(0) {
			continue
		}
		one := &ir.WindowAttr{Size: ones(n), Stride: ones(n), Dilation: ones(n), Lo: make(ir.Shape, n),
			Hi: make(ir.Shape, n)}
		one.Size[i], one.Stride[i], one.Dilation[i] = a.Size[i], a.Stride[i], a.Dilation[i]
		one.Lo[i], one.Hi[i] = a.Lo[i], a.Hi[i]
		x = b.op(ir.OpWindowMax, one, x)
		stages = append(stages, x)
	}
	for _, s := range slices.Backward(stages) {
		d = windowMaxAxis(b, s, d)
	}
	return d
}

// windowMaxAxis is the rule of a window along a single axis: for each place in
// the window, d where that place has the first maximum, put back.
func windowMaxAxis(b *back, v, d *ir.Value) *ir.Value {
	x, a := v.Args[0], v.Attr.(*ir.WindowAttr)
	n := x.Type.Rank()
	axis := slices.IndexFunc(a.Size, func(k int64) bool { return k != 1 })
	if axis < 0 {
		axis = max(0, slices.IndexFunc(a.Stride, func(k int64) bool { return k != 1 }))
	}
	lowest := b.op(ir.OpReduceMax, &ir.AxesAttr{Axes: []int{0}}, b.zeros(ir.T(x.Type.DType,
		ir.Const(0))))
	padded := b.op(ir.OpPad, &ir.PadAttr{Lo: a.Lo, Hi: a.Hi}, x, lowest)
	if a.Stride[axis] == a.Size[axis] && a.Dilation[axis] == 1 {
		dp := windowMaxApart(b, padded, v, d, axis)
		return b.pad(dp, negated(a.Lo), negated(a.Hi))
	}
	dp := b.zeros(padded.Type)
	var seen *ir.Value
	for j := range a.Size[axis] {
		at := &ir.SliceAttr{Start: make(ir.Shape, n), Step: a.Stride, Shape: v.Type.Shape}
		at.Start[axis] = ir.Const(j * a.Dilation[axis])
		hit := b.eq(b.slice(padded, at), v)
		first := hit
		if seen == nil {
			seen = hit
		} else {
			first = b.op(ir.OpAnd, nil, hit, b.op(ir.OpNot, nil, seen))
			seen = b.op(ir.OpOr, nil, seen, hit)
		}
		dp = b.op(ir.OpUpdateSlice, at, dp, b.add(b.slice(dp, at), b.where(first, d)))
	}
	return b.pad(dp, negated(a.Lo), negated(a.Hi))
}

// windowMaxApart is windowMaxAxis for windows side by side: with an axis for the
// places in a window, all elements are computed at once, d where a place has the
// maximum and none before it has.
func windowMaxApart(b *back, x, v, d *ir.Value, axis int) *ir.Value {
	n, k := x.Type.Rank(), v.Attr.(*ir.WindowAttr).Size[axis]
	covered := x.Type.Shape.Clone()
	covered[axis] = v.Type.Shape[axis].MulConst(k)
	rest := make(ir.Shape, n)
	rest[axis] = covered[axis].Sub(x.Type.Shape[axis])
	x = b.pad(x, make(ir.Shape, n), rest)
	shape := slices.Insert(v.Type.Shape.Clone(), axis+1, ir.Const(k))
	var axes []int // of what has one element a window
	for i := range n + 1 {
		if i != axis+1 {
			axes = append(axes, i)
		}
	}
	wide := func(v *ir.Value) *ir.Value { return b.broadcast(v, shape, axes) }
	place := b.iota(shape, axis+1)
	first := b.eq(b.reshape(x, shape), wide(v))
	for j := range k - 1 {
		at := &ir.SliceAttr{Start: make(ir.Shape, n), Step: ones(n), Shape: v.Type.Shape}
		at.Start[axis], at.Step[axis] = ir.Const(j), k
		hit := wide(b.eq(b.slice(x, at), v))
		later := b.op(ir.OpGt, nil, place, b.num(place, float64(j)))
		first = b.op(ir.OpAnd, nil, first, b.op(ir.OpNot, nil, b.op(ir.OpAnd, nil, hit, later)))
	}
	dx := b.reshape(b.where(first, wide(d)), covered)
	return b.pad(dx, make(ir.Shape, n), negated(rest))
}
