package tensor

import (
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
