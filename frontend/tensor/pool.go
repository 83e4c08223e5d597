package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Pooling: see window.go for the options.

// windowOf is a window of one element for a rank.
func windowOf(rank int) *ir.WindowAttr {
	return &ir.WindowAttr{Size: ones(rank), Stride: ones(rank), Dilation: ones(rank),
		Lo: slices.Repeat(ir.Shape{ir.Const(0)}, rank), Hi: slices.Repeat(ir.Shape{ir.Const(0)}, rank)}
}

// MaxPool1d returns the largest elements of windows of the size given along the
// last axis.
func (t Tensor) MaxPool1d(size int, opts ...WindowOption) Tensor {
	return t.maxPool("MaxPool1d", 1, []int{size}, opts)
}

// MaxPool2d returns the largest elements of windows over the last two axes;
// size has one number or two.
func (t Tensor) MaxPool2d(size []int, opts ...WindowOption) Tensor {
	return t.maxPool("MaxPool2d", 2, size, opts)
}

// MaxPool3d returns the largest elements of windows over the last three axes.
func (t Tensor) MaxPool3d(size []int, opts ...WindowOption) Tensor {
	return t.maxPool("MaxPool3d", 3, size, opts)
}

// AvgPool1d returns the means of windows of the size given along the last axis.
func (t Tensor) AvgPool1d(size int, opts ...WindowOption) Tensor {
	return t.avgPool("AvgPool1d", 1, []int{size}, opts)
}

// AvgPool2d returns the means of windows over the last two axes; size has one
// number or two.
func (t Tensor) AvgPool2d(size []int, opts ...WindowOption) Tensor {
	return t.avgPool("AvgPool2d", 2, size, opts)
}

// AvgPool3d returns the means of windows over the last three axes.
func (t Tensor) AvgPool3d(size []int, opts ...WindowOption) Tensor {
	return t.avgPool("AvgPool3d", 3, size, opts)
}

// pooling reads the arguments of pooling over n axes.
func (c *call) pooling(t Tensor, n int, size []int, opts []WindowOption) (x *node, single bool,
	w *window, a *ir.WindowAttr) {
	size = c.perAxis("size", size, n, 1)
	w = c.windowOptions(n, size, opts)
	x, single = c.batched(t, n)
	if c.err != nil {
		return nil, false, nil, nil
	}
	a = windowOf(n + 2)
	for i := range n {
		k, stride, dilation := int64(size[i]), int64(w.stride[i]), int64(w.dilation[i])
		if int64(w.padding[i]) > k/2 {
			c.fail("padding %v for windows of %v, want at most half", w.padding, size)
			return nil, false, nil, nil
		}
		p := ir.Const(int64(w.padding[i]))
		a.Size[2+i], a.Stride[2+i], a.Dilation[2+i] = k, stride, dilation
		a.Lo[2+i], a.Hi[2+i] = p, p
		if w.ceil {
			a.Hi[2+i] = p.Add(overhang(x.typ.Shape[2+i], p, k, stride, dilation))
		}
		c.windowExtent(2+i, x.typ.Shape[2+i].Add(p).Add(a.Hi[2+i]), ir.Const(k), stride, dilation)
	}
	if c.err != nil {
		return nil, false, nil, nil
	}
	return x, single, w, a
}

// overhang is by how much the last window of ceil mode reaches beyond the
// padding: it starts inside of the input or the padding before.
func overhang(d, pad ir.Dim, k, stride, dilation int64) ir.Dim {
	reach := (k-1)*dilation + 1
	room := d.Add(pad.MulConst(2)).AddConst(-reach)
	windows := room.CeilDiv(ir.Const(stride)).AddConst(1)
	last := d.Add(pad).AddConst(-1).FloorDiv(ir.Const(stride)).AddConst(1)
	windows = windows.Min(last)
	return windows.AddConst(-1).MulConst(stride).Sub(room).Max(ir.Const(0))
}

func (t Tensor) maxPool(name string, n int, size []int, opts []WindowOption) Tensor {
	c := start(name)
	x, single, _, a := c.pooling(t, n, size, opts)
	if c.err != nil {
		return c.bad()
	}
	return c.unbatched(c.op(ir.OpWindowMax, a, x), single)
}

func (t Tensor) avgPool(name string, n int, size []int, opts []WindowOption) Tensor {
	c := start(name)
	x, single, w, a := c.pooling(t, n, size, opts)
	if c.err != nil {
		return c.bad()
	}
	x = c.cast(x, meanType(x.typ.DType))
	sum := c.op(ir.OpWindowSum, a, x)
	// How many elements count in each window: those of the input, or of the
	// padded input.
	one := c.con(1, x)
	in := *a
	if !w.excludePad && c.err == nil {
		s := x.typ.Shape.Clone()
		in.Lo, in.Hi = a.Lo.Clone(), a.Hi.Clone()
		for i := range n {
			p := int64(w.padding[i])
			s[2+i] = s[2+i].AddConst(2 * p)
			in.Lo[2+i], in.Hi[2+i] = a.Lo[2+i].AddConst(-p), a.Hi[2+i].AddConst(-p)
		}
		one = c.stretch(c.number(weak{kind: I64, i: 1, f: 1}, x.typ.DType), s)
	}
	return c.unbatched(c.div(sum, c.op(ir.OpWindowSum, &in, one)), single)
}

// MaxPool1dWithIndices is [Tensor.MaxPool1d] that also returns, as i64, where
// in the axis each element stands: the first of equals. NaN is largest.
func (t Tensor) MaxPool1dWithIndices(size int, opts ...WindowOption) (values, indices Tensor) {
	return t.maxPoolIndices("MaxPool1dWithIndices", 1, []int{size}, opts)
}

// MaxPool2dWithIndices is [Tensor.MaxPool2d] that also returns, as i64, where
// in the last two axes, taken as one, each element stands: the first of
// equals. NaN is largest.
func (t Tensor) MaxPool2dWithIndices(size []int, opts ...WindowOption) (values, indices Tensor) {
	return t.maxPoolIndices("MaxPool2dWithIndices", 2, size, opts)
}

// MaxPool3dWithIndices is [Tensor.MaxPool2dWithIndices] over three axes.
func (t Tensor) MaxPool3dWithIndices(size []int, opts ...WindowOption) (values, indices Tensor) {
	return t.maxPoolIndices("MaxPool3dWithIndices", 3, size, opts)
}

func (t Tensor) maxPoolIndices(name string, n int, size []int, opts []WindowOption) (values,
	indices Tensor) {
	c := start(name)
	x, single, _, a := c.pooling(t, n, size, opts)
	if c.err != nil {
		return c.bad(), c.bad()
	}
	flat := ir.Shape{x.typ.Shape[0], x.typ.Shape[1], x.typ.Shape[2:].Size()}
	windows, places := c.windows(x, a)
	if c.err != nil {
		return c.bad(), c.bad()
	}
	s := windows.typ.Shape // N, C, windows..., elements of one
	tap := c.reshape(c.op(ir.OpArgMax, &ir.AxisAttr{Axis: n + 2}, windows),
		append(s[:n+2].Clone(), ir.Const(1)))
	at := c.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: n + 2}, c.stretch(places, s), tap)
	at = c.reshape(at, ir.Shape{flat[0], flat[1], s[2 : n+2].Size()})
	y := c.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: 2}, c.reshape(x, flat), at)
	return c.unbatched(c.reshape(y, s[:n+2]), single), c.unbatched(c.reshape(at, s[:n+2]), single)
}

// windows returns the elements of the windows of x along a new last axis, and
// in the shape of these, without batch and channels, where they stand in the
// spatial axes taken as one. An element that would lie outside is the next one
// of its window that does not.
func (c *call) windows(x *node, a *ir.WindowAttr) (elements, places *node) {
	n := x.typ.Rank() - 2
	spatial := x.typ.Shape[2:].Clone()
	var counts, sizes, all ir.Shape
	for i, d := range spatial {
		k := ir.Const(a.Size[2+i])
		to := d.Add(a.Lo[2+i]).Add(a.Hi[2+i])
		counts = append(counts, ir.WindowExtent(to, k, a.Stride[2+i], a.Dilation[2+i]))
		sizes = append(sizes, k)
	}
	all = append(counts.Clone(), sizes...)
	elements = x
	for i, d := range spatial {
		at := c.windowCoordinates(ir.Shape{counts[i], sizes[i]}, d, a, 2+i)
		if c.err != nil {
			return nil, nil
		}
		elements = c.op(ir.OpGather, &ir.AxisAttr{Axis: 2 + 2*i}, elements, at)
		wide := c.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: all, Axes: []int{i, n + i}}, at)
		if places == nil {
			places = wide
		} else {
			places = c.add(c.mul(places, c.stretch(c.extent(d), all)), wide)
		}
	}
	perm := []int{0, 1}
	for i := range 2 * n { // windows, then elements
		perm = append(perm, 2+2*(i%n)+i/n)
	}
	shape := append(counts.Clone(), sizes.Size())
	elements = c.transpose(elements, perm)
	elements = c.reshape(elements, append(x.typ.Shape[:2].Clone(), shape...))
	return elements, c.reshape(places, shape)
}

// windowCoordinates are those of the elements of windows, in shape (windows,
// size), along an axis of extent d.
func (c *call) windowCoordinates(s ir.Shape, d ir.Dim, a *ir.WindowAttr, axis int) *node {
	window, tap := c.iota(I64, s, 0), c.iota(I64, s, 1)
	step := c.integer(a.Dilation[axis], tap)
	lo, _ := a.Lo[axis].Int()
	from := c.sub(c.mul(window, c.integer(a.Stride[axis], window)), c.integer(lo, window))
	floorDiv := func(x *node) *node { return c.op(ir.OpFloorDiv, nil, x, step) }
	last := c.stretch(c.extent(d.AddConst(-1)), s)
	tap = c.op(ir.OpMax, nil, tap, c.neg(floorDiv(from))) // from + step*tap is at least 0
	tap = c.op(ir.OpMin, nil, tap, floorDiv(c.sub(last, from)))
	return c.table(c.add(from, c.mul(step, tap)), d)
}

// MaxUnpool1d returns zeros but for t's elements, which stand where indices
// says: the inverse of [Tensor.MaxPool1dWithIndices] with the same size and
// options, of which [OutputPadding] says by how much the extent was larger.
func (t Tensor) MaxUnpool1d(indices Tensor, size int, opts ...WindowOption) Tensor {
	return t.maxUnpool("MaxUnpool1d", 1, indices, []int{size}, opts)
}

// MaxUnpool2d is [Tensor.MaxUnpool1d] over the last two axes.
func (t Tensor) MaxUnpool2d(indices Tensor, size []int, opts ...WindowOption) Tensor {
	return t.maxUnpool("MaxUnpool2d", 2, indices, size, opts)
}

// MaxUnpool3d is [Tensor.MaxUnpool1d] over the last three axes.
func (t Tensor) MaxUnpool3d(indices Tensor, size []int, opts ...WindowOption) Tensor {
	return t.maxUnpool("MaxUnpool3d", 3, indices, size, opts)
}

func (t Tensor) maxUnpool(name string, n int, indices Tensor, size []int,
	opts []WindowOption) Tensor {
	c := start(name)
	size = c.perAxis("size", size, n, 1)
	w := c.windowOptions(n, size, opts)
	x, single := c.batched(t, n)
	idx, _ := c.batched(indices, n)
	if c.err != nil {
		return c.bad()
	}
	s := x.typ.Shape
	if !idx.typ.DType.IsInt() || !idx.typ.Shape.Equal(s) {
		return c.fail("indices %v for shape %s, want integers of that shape", idx.typ, shapeString(s))
	}
	out := s.Clone()
	for i := range n {
		more := size[i] - w.stride[i] - 2*w.padding[i] + w.outPadding[i]
		out[2+i] = s[2+i].MulConst(int64(w.stride[i])).AddConst(int64(more))
		c.condition(ir.Const(0), "<=", out[2+i], fmt.Sprintf("padding %v of shape %s", w.padding,
			shapeString(s)))
	}
	flat := ir.Shape{s[0], s[1], s[2:].Size()}
	zeros := c.stretch(c.number(weak{kind: I64}, x.typ.DType), ir.Shape{s[0], s[1], out[2:].Size()})
	y := c.op(ir.OpScatterAlong, &ir.ScatterAttr{Axis: 2, Reduce: "none"}, zeros,
		c.reshape(c.cast(idx, I64), flat), c.reshape(x, flat))
	return c.unbatched(c.reshape(y, out), single)
}
