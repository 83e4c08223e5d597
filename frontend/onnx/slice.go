package onnx

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Slice and Pad.

func sliceAttrs(n *node) []*tensor {
	starts, ends := n.ints("starts"), n.ints("ends")
	axes := n.ints("axes")
	steps := make([]int64, len(starts))
	for i := range steps {
		steps[i] = 1
	}
	return n.slice(ir.Dims(starts...), ir.Dims(ends...), axes, steps)
}

func sliceInputs(n *node) []*tensor {
	var axes []int64
	if n.has(3) {
		axes = n.constInts(3, "axes")
	}
	staticSteps := !n.has(4) || n.in[4].elems != nil
	if n.in[1].elems == nil || n.in[2].elems == nil || !staticSteps {
		return n.dynamicSlice(axes)
	}
	starts, ends := n.intsOf(1), n.intsOf(2)
	steps := make([]int64, len(starts))
	for i := range steps {
		steps[i] = 1
	}
	if n.has(4) {
		steps = n.constInts(4, "steps")
	}
	return n.slice(starts, ends, axes, steps)
}

// sliceAxes checks the lists of a slice and returns the axes that they are of.
func (n *node) sliceAxes(axes []int64, count int) []int {
	if axes == nil {
		for i := range count {
			axes = append(axes, int64(i))
		}
	}
	if len(axes) != count {
		n.fail("%d axes for %d starts", len(axes), count)
	}
	return n.axes(axes, n.typ(0).Rank())
}

func (n *node) slice(starts, ends ir.Shape, axes []int64, steps []int64) []*tensor {
	if len(ends) != len(starts) || len(steps) != len(starts) {
		n.fail("%d starts, %d ends, %d steps", len(starts), len(ends), len(steps))
	}
	a := wholeSlice(n.typ(0).Shape)
	whole := true
	for i, axis := range n.sliceAxes(axes, len(starts)) {
		d := n.typ(0).Shape[axis]
		if steps[i] == 0 || steps[i] == math.MinInt64 {
			n.fail("step %d", steps[i])
		}
		a.Start[axis], a.Shape[axis] = sliceRange(starts[i], ends[i], d, steps[i])
		a.Step[axis] = steps[i]
		whole = whole && steps[i] == 1 && a.Start[axis].IsConst(0) && a.Shape[axis].Equal(d)
	}
	if whole {
		return identity(n)
	}
	if t := n.sliceElems(a); t != nil {
		return t
	}
	return result(n.op(ir.OpSlice, a, n.arg(0)))
}

// sliceElems slices known elements.
func (n *node) sliceElems(a *ir.SliceAttr) []*tensor {
	in, ok := n.typ(0).Shape.Ints()
	start, ok2 := a.Start.Ints()
	shape, ok3 := a.Shape.Ints()
	if !ok || !ok2 || !ok3 || n.in[0].elems == nil {
		return nil
	}
	st := strides(in)
	return n.pick(shape, func(idx []int64) int {
		at := int64(0)
		for i := range idx {
			at += (start[i] + idx[i]*a.Step[i]) * st[i]
		}
		return int(at)
	})
}

// sliceRange returns the first coordinate and the number of the elements of a
// slice from start to end of an axis of extent d, as NumPy has it: negative
// coordinates count from the end, and both are clamped to the axis.
func sliceRange(start, end, d ir.Dim, step int64) (first, count ir.Dim) {
	if step == 1 {
		if k, ok := start.Int(); ok && k < 0 && k > -math.MaxInt32 && endsBeyond(end, d) {
			return greater(d.AddConst(k), ir.Const(0)), lesser(d, ir.Const(-k)) // the last -k
		}
	}
	start, end = fromEnd(start, d), fromEnd(end, d)
	lo, hi := ir.Const(0), d
	if step < 0 {
		lo, hi = ir.Const(-1), d.AddConst(-1)
	}
	first, last := clamp(start, lo, hi), clamp(end, lo, hi)
	span := last.Sub(first)
	if step < 0 {
		span, step = span.Neg(), -step
	}
	count = greater(span.CeilDiv(ir.Const(step)), ir.Const(0))
	return first, count
}

// farEnd is from where on a number means the end of any axis: exporters write
// the largest int32 or int64.
const farEnd = math.MaxInt32

func endsBeyond(end, d ir.Dim) bool {
	k, ok := end.Int()
	return ok && k >= farEnd || end.Equal(d)
}

// fromEnd adds d to a coordinate that is negative.
func fromEnd(x, d ir.Dim) ir.Dim {
	if k, ok := x.Int(); ok && k <= -farEnd {
		return ir.Const(-1).Sub(d) // below 0 even after clamping
	}
	r := bounds(x)
	switch {
	case r.lo >= 0:
		return x
	case r.hi < 0:
		return x.Add(d)
	}
	negative := x.Neg().Max(ir.Const(0)).Min(ir.Const(1)) // 1 where x < 0
	return x.Add(d.Mul(negative))
}

func clamp(x, lo, hi ir.Dim) ir.Dim {
	if k, ok := x.Int(); ok && k >= farEnd {
		return hi
	}
	return greater(lesser(x, hi), lo)
}

// dynamicSlice slices at coordinates that only running the model gives, by
// gathering along each axis.
func (n *node) dynamicSlice(axes []int64) []*tensor {
	count, ok := n.typ(1).Shape.Size().Int()
	if !ok || count > maxElems {
		n.fail("starts have %v elements, want a number known at compile time", n.typ(1).Shape.Size())
	}
	at := func(input, i int, def float64) *ir.Value {
		if !n.has(input) {
			return n.full(ir.I64, ir.Shape{}, def)
		}
		v := n.cast(n.reshape(n.arg(input), ir.Dims(count)), ir.I64)
		return n.view(n.take(v, 0, ir.Const(int64(i)), ir.Const(1)), ir.Shape{})
	}
	v := n.arg(0)
	for i, axis := range n.sliceAxes(axes, int(count)) {
		idx := n.sliceIndices(v.Type.Shape[axis], at(1, i, 0), at(2, i, 0), at(4, i, 1))
		v = n.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, v, idx)
	}
	return result(v)
}

// sliceIndices computes the coordinates of a slice of an axis of extent d from
// the i64 scalars start, end and step.
func (n *node) sliceIndices(d ir.Dim, start, end, step *ir.Value) *ir.Value {
	op := func(op ir.Op, args ...*ir.Value) *ir.Value { return n.op(op, nil, args...) }
	zero, one, size := n.like(start, 0), n.like(start, 1), n.dim(d)
	down := op(ir.OpLt, step, zero)
	lo := op(ir.OpSelect, down, n.like(start, -1), zero)
	hi := op(ir.OpSelect, down, op(ir.OpSub, size, one), size)
	clip := func(x *ir.Value) *ir.Value {
		x = op(ir.OpSelect, op(ir.OpLt, x, zero), op(ir.OpAdd, x, size), x)
		return op(ir.OpMin, op(ir.OpMax, x, lo), hi)
	}
	first := clip(start)
	// ceil((end-first)/step) = -floor((first-end)/step)
	count := op(ir.OpNeg, op(ir.OpFloorDiv, op(ir.OpSub, first, clip(end)), step))
	length := n.bind(op(ir.OpMax, count, zero))
	return n.elementwise(ir.OpAdd, first, n.elementwise(ir.OpMul, n.iota(length), step))
}

func padAttrs(n *node) []*tensor {
	pads := n.ints("pads")
	if pads == nil {
		pads = n.ints("paddings")
	}
	value := n.float("value", 0)
	if n.typ(0).DType == ir.String {
		n.fail("strings cannot be padded")
	}
	v := n.arg(0)
	return n.pad(v, ir.Dims(pads...), nil, n.full(v.Type.DType, ir.Shape{}, value))
}

func padInputs(n *node) []*tensor {
	v := n.arg(0)
	var axes []int
	if n.has(3) {
		axes = n.axes(n.constInts(3, "axes"), v.Type.Rank())
	}
	fill := n.full(v.Type.DType, ir.Shape{}, 0)
	if n.has(2) {
		if n.typ(2).DType != v.Type.DType {
			n.fail("constant_value is %v, data is %v", n.typ(2), v.Type)
		}
		fill = n.value(n.onlyElement(2))
	}
	if t := n.in[1]; t.elems == nil && !t.typ.Shape.Size().IsConst(0) {
		return n.pad(v, n.computedPads(v, axes), axes, fill)
	}
	return n.pad(v, n.intsOf(1), axes, fill)
}

// computedPads are pads that only running the model gives. The padded extents
// are bound to symbols of their own, so that shapes stay simple.
func (n *node) computedPads(v *ir.Value, axes []int) ir.Shape {
	pads := n.cast(n.arg(1), ir.I64)
	count, ok := pads.Type.Shape.Size().Int()
	if axes == nil {
		axes = n.allAxes()
	}
	if !ok || pads.Type.Rank() != 1 || int(count) != 2*len(axes) {
		n.fail("%v pads for %d axes, want twice as many", pads.Type.Shape.Size(), len(axes))
	}
	at := func(i int) *ir.Value {
		return n.view(n.take(pads, 0, ir.Const(int64(i)), ir.Const(1)), ir.Shape{})
	}
	out := make(ir.Shape, count)
	for i, axis := range axes {
		d, known := v.Type.Shape[axis], n.in[1].dims
		if known != nil && known[i] != nil && known[len(axes)+i] != nil {
			out[i], out[len(axes)+i] = *known[i], *known[len(axes)+i]
			continue
		}
		sum := n.apply(ir.OpAdd, n.apply(ir.OpAdd, at(i), at(len(axes)+i)), n.dim(d))
		out[i] = n.bindSigned(at(i))
		out[len(axes)+i] = n.bind(sum).Sub(d).Sub(out[i])
	}
	return out
}

func (n *node) pad(v *ir.Value, pads ir.Shape, axes []int, fill *ir.Value) []*tensor {
	rank := v.Type.Rank()
	if axes == nil {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	if len(pads) != 2*len(axes) {
		n.fail("%d pads for %d axes, want twice as many", len(pads), len(axes))
	}
	mode := n.choice("mode", "constant", "reflect", "edge", "wrap")
	a := &ir.PadAttr{Lo: make(ir.Shape, rank), Hi: make(ir.Shape, rank)}
	for i, axis := range axes {
		a.Lo[axis], a.Hi[axis] = pads[i], pads[len(axes)+i]
	}
	if mode == "constant" {
		for i, d := range v.Type.Shape {
			n.checkLE(ir.Const(0), d.Add(a.Lo[i]).Add(a.Hi[i]), fmt.Sprintf("padded extent of axis %d", i))
		}
		return result(n.op(ir.OpPad, a, v, fill))
	}
	for i := range rank {
		if !a.Lo[i].IsConst(0) || !a.Hi[i].IsConst(0) {
			v = n.padAxis(v, i, a.Lo[i], a.Hi[i], mode)
		}
	}
	return result(v)
}

// padAxis pads with elements of v, gathered at the coordinates that mode says
// for each place i - lo along the axis.
func (n *node) padAxis(v *ir.Value, axis int, lo, hi ir.Dim, mode string) *ir.Value {
	d := v.Type.Shape[axis]
	length := d.Add(lo).Add(hi)
	n.checkLE(ir.Const(0), length, fmt.Sprintf("padded extent of axis %d", axis))
	op := func(op ir.Op, x *ir.Value, y ir.Dim) *ir.Value {
		return n.elementwise(op, x, n.dim(y))
	}
	i := op(ir.OpSub, n.iota(length), lo)
	last := d.AddConst(-1)
	switch mode {
	case "edge":
		i = op(ir.OpMax, op(ir.OpMin, i, last), ir.Const(0))
	case "wrap":
		i = op(ir.OpMod, i, d)
	case "reflect": // with the period 2(d-1): up, then down
		i = op(ir.OpMod, i, greater(last.MulConst(2), ir.Const(1)))
		down := n.op(ir.OpSub, nil, n.broadcast(n.dim(last.MulConst(2)), i.Type.Shape), i)
		i = n.op(ir.OpMin, nil, i, down)
		if bounds(last).lo <= 0 { // of one element, that one
			i = op(ir.OpMax, i, ir.Const(0))
		}
	}
	return n.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, v, i)
}

// centerCropPad gives axes the extents of input 1 by cropping, or padding with
// zeros, half at either end.
func centerCropPad(n *node) []*tensor {
	v := n.arg(0)
	want := n.intsOf(1)
	axes := n.allAxes()
	if list := n.ints("axes"); list != nil {
		axes = n.axes(list, v.Type.Rank())
	}
	if len(want) != len(axes) {
		n.fail("%d extents for %d axes", len(want), len(axes))
	}
	a := &ir.PadAttr{Lo: make(ir.Shape, v.Type.Rank()), Hi: make(ir.Shape, v.Type.Rank())}
	for i, axis := range axes {
		grow := want[i].Sub(v.Type.Shape[axis])
		// The odd element is added at the end, and cropped there.
		more := greater(grow, ir.Const(0)).FloorDiv(ir.Const(2))
		less := greater(grow.Neg(), ir.Const(0)).FloorDiv(ir.Const(2))
		half := more.Sub(less)
		a.Lo[axis], a.Hi[axis] = half, grow.Sub(half)
	}
	return result(n.op(ir.OpPad, a, v, n.full(v.Type.DType, ir.Shape{}, 0)))
}
