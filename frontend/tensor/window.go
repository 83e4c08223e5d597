package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Convolutions and pooling, with PyTorch's names, order of arguments and
// defaults: inputs of shape (N, C, spatial...), or (C, spatial...) without a
// batch.

// window is the options of convolutions and pooling, one entry a spatial axis.
type window struct {
	stride, padding, dilation, outPadding []int
	groups                                int
	same, ceil, excludePad                bool
}

// WindowOption is an option of convolutions, pooling and the like. Numbers are
// one for all spatial axes, or one an axis. Windows that reach over more than
// there is, with padding, are an error.
type WindowOption func(*window)

// Stride is the distance of windows: by default 1 for convolutions, the size of
// the window for pooling.
func Stride(n ...int) WindowOption { return func(w *window) { w.stride = n } }

// Padding adds so many elements at both ends: zeros for convolutions and
// averages, nothing for maxima.
func Padding(n ...int) WindowOption { return func(w *window) { w.padding = n } }

// PaddingSame pads a convolution of stride 1 so that the result has the size of
// the input.
func PaddingSame() WindowOption { return func(w *window) { w.same = true } }

// Dilation is the distance of elements in a window.
func Dilation(n ...int) WindowOption { return func(w *window) { w.dilation = n } }

// OutputPadding makes the result of a transposed convolution larger at the end.
func OutputPadding(n ...int) WindowOption { return func(w *window) { w.outPadding = n } }

// Groups divides channels into groups that a convolution keeps apart.
func Groups(n int) WindowOption { return func(w *window) { w.groups = n } }

// CeilMode lets the last window of pooling reach beyond the end.
func CeilMode() WindowOption { return func(w *window) { w.ceil = true } }

// CountIncludePad says whether padding counts in averages; by default it does.
func CountIncludePad(count bool) WindowOption {
	return func(w *window) { w.excludePad = !count }
}

// windowOptions reads options for n spatial axes.
func (c *call) windowOptions(n int, stride []int, opts []WindowOption) *window {
	w := &window{stride: stride, padding: []int{0}, dilation: []int{1}, outPadding: []int{0},
		groups: 1}
	for _, f := range opts {
		f(w)
	}
	w.stride, w.padding = c.perAxis("stride", w.stride, n, 1), c.perAxis("padding", w.padding, n, 0)
	w.dilation = c.perAxis("dilation", w.dilation, n, 1)
	w.outPadding = c.perAxis("output padding", w.outPadding, n, 0)
	if w.groups < 1 {
		c.fail("%d groups", w.groups)
	}
	return w
}

// perAxis repeats a single number for n axes.
func (c *call) perAxis(what string, xs []int, n, least int) []int {
	if len(xs) == 1 {
		xs = slices.Repeat(xs, n)
	}
	if len(xs) != n || n > 0 && slices.Min(xs) < least {
		c.fail("%s %v, want one number or %d, of at least %d", what, xs, n, least)
		return slices.Repeat([]int{1}, n)
	}
	return xs
}

func int64s(xs []int) []int64 {
	out := make([]int64, len(xs))
	for i, x := range xs {
		out[i] = int64(x)
	}
	return out
}

func ones(n int) []int64 { return slices.Repeat([]int64{1}, n) }

// batched gives an input of n spatial axes a batch, and says whether it had
// none.
func (c *call) batched(t Tensor, n int) (x *node, single bool) {
	x = c.in(t)
	if x == nil {
		return nil, false
	}
	switch s := x.typ.Shape; len(s) {
	case n + 2:
		return x, false
	case n + 1:
		return c.reshape(x, slices.Insert(s.Clone(), 0, ir.Const(1))), true
	default:
		c.fail("shape %s, want (N, C) or (C) and %d spatial axes", shapeString(s), n)
		return nil, false
	}
}

// unbatched takes the batch off again.
func (c *call) unbatched(x *node, single bool) Tensor {
	if c.err == nil && single {
		x = c.reshape(x, x.typ.Shape[1:])
	}
	return c.out(x)
}

// Conv1d returns the cross-correlation of t with weight, of shape (out,
// in/groups, size), plus bias, of shape (out) or nil.
func (t Tensor) Conv1d(weight Tensor, bias any, opts ...WindowOption) Tensor {
	return t.conv("Conv1d", 1, weight, bias, opts)
}

// Conv2d is [Tensor.Conv1d] over two spatial axes.
func (t Tensor) Conv2d(weight Tensor, bias any, opts ...WindowOption) Tensor {
	return t.conv("Conv2d", 2, weight, bias, opts)
}

// Conv3d is [Tensor.Conv1d] over three spatial axes.
func (t Tensor) Conv3d(weight Tensor, bias any, opts ...WindowOption) Tensor {
	return t.conv("Conv3d", 3, weight, bias, opts)
}

func (t Tensor) conv(name string, n int, weight Tensor, bias any, opts []WindowOption) Tensor {
	c := start(name)
	w := c.windowOptions(n, []int{1}, opts)
	x, single := c.batched(t, n)
	k := c.in(weight)
	if c.err != nil {
		return c.bad()
	}
	ks, groups := k.typ.Shape, ir.Const(int64(w.groups))
	if len(ks) != n+2 || !ks[1].Mul(groups).Equal(x.typ.Shape[1]) || !ks[0].Mod(groups).IsConst(0) {
		return c.fail("weights of shape %s for input %s in %d groups, want (out, in/groups) and %d "+
			"spatial axes", shapeString(ks), shapeString(x.typ.Shape), w.groups, n)
	}
	a := &ir.ConvAttr{Stride: int64s(w.stride), Dilation: int64s(w.dilation), InDilation: ones(n),
		Groups: int64(w.groups)}
	for i := range n {
		lo, hi := ir.Const(int64(w.padding[i])), ir.Const(int64(w.padding[i]))
		if w.same {
			all := ks[2+i].AddConst(-1).MulConst(int64(w.dilation[i]))
			lo = all.FloorDiv(ir.Const(2))
			hi = all.Sub(lo)
		}
		a.Lo, a.Hi = append(a.Lo, lo), append(a.Hi, hi)
	}
	if w.same && slices.Max(w.stride) > 1 {
		return c.fail("PaddingSame with stride %v, want 1", w.stride)
	}
	return c.convolve(x, k, a, bias, single)
}

// windowExtent is how many windows of k elements lie along an axis whose extent,
// with padding, is d: at least one.
func (c *call) windowExtent(axis int, d, k ir.Dim, stride, dilation int64) ir.Dim {
	reach := k.AddConst(-1).MulConst(dilation).AddConst(1)
	c.condition(reach, "<=", d, fmt.Sprintf("windows that reach over %v elements along axis %d of "+
		"extent %v with padding", reach, axis, d))
	return ir.WindowExtent(d, k, stride, dilation)
}

// convolve records a convolution in the promoted type, and the bias.
func (c *call) convolve(x, k *node, a *ir.ConvAttr, bias any, single bool) Tensor {
	for i := range a.Lo {
		if c.err == nil {
			d := x.typ.Shape[2+i].AddConst(-1).MulConst(a.InDilation[i]).AddConst(1)
			c.windowExtent(2+i, d.Add(a.Lo[i]).Add(a.Hi[i]), k.typ.Shape[2+i], a.Stride[i], a.Dilation[i])
		}
	}
	d := c.meet(operand{n: x}, operand{n: k})
	y := c.op(ir.OpConv, a, c.cast(x, d), c.cast(k, d))
	if bias != nil && c.err == nil {
		b := c.operand(bias)
		if c.err == nil && b.typ().Rank() == 1 && b.n != nil {
			to := append(ir.Shape{b.n.typ.Shape[0]}, slices.Repeat(ir.Shape{ir.Const(1)}, len(a.Lo))...)
			b.n = c.reshape(b.n, to)
		}
		d = c.meet(operand{n: y}, b)
		ns := c.broadcast(c.as(operand{n: y}, d), c.as(b, d))
		if c.err == nil {
			y = c.add(ns[0], ns[1])
		}
	}
	return c.unbatched(y, single)
}

// ConvTranspose1d returns the transposed convolution of t by weight, of shape
// (in, out/groups, size), plus bias, of shape (out) or nil: the gradient of
// Conv1d with respect to its input.
func (t Tensor) ConvTranspose1d(weight Tensor, bias any, opts ...WindowOption) Tensor {
	return t.convTranspose("ConvTranspose1d", 1, weight, bias, opts)
}

// ConvTranspose2d is [Tensor.ConvTranspose1d] over two spatial axes.
func (t Tensor) ConvTranspose2d(weight Tensor, bias any, opts ...WindowOption) Tensor {
	return t.convTranspose("ConvTranspose2d", 2, weight, bias, opts)
}

// ConvTranspose3d is [Tensor.ConvTranspose1d] over three spatial axes.
func (t Tensor) ConvTranspose3d(weight Tensor, bias any, opts ...WindowOption) Tensor {
	return t.convTranspose("ConvTranspose3d", 3, weight, bias, opts)
}

func (t Tensor) convTranspose(name string, n int, weight Tensor, bias any,
	opts []WindowOption) Tensor {
	c := start(name)
	w := c.windowOptions(n, []int{1}, opts)
	x, single := c.batched(t, n)
	k := c.in(weight)
	if c.err != nil {
		return c.bad()
	}
	ks, g := k.typ.Shape, ir.Const(int64(w.groups))
	if len(ks) != n+2 || !ks[0].Equal(x.typ.Shape[1]) || !ks[0].Mod(g).IsConst(0) {
		return c.fail("weights of shape %s for input %s in %d groups, want (in, out/groups) and %d "+
			"spatial axes", shapeString(ks), shapeString(x.typ.Shape), w.groups, n)
	}
	// The weights of the convolution whose gradient it is: groups apart, in
	// and out exchanged, turned around.
	in := ks[0].FloorDiv(g)
	k = c.reshape(k, append(ir.Shape{g, in}, ks[1:]...))
	k = c.transpose(k, append([]int{0, 2, 1}, count(3, n+3)...))
	k = c.reshape(k, append(ir.Shape{g.Mul(ks[1]), in}, ks[2:]...))
	turn := wholeSlice(ir.Shape{})
	if c.err == nil {
		turn = wholeSlice(k.typ.Shape)
	}
	a := &ir.ConvAttr{Stride: ones(n), Dilation: int64s(w.dilation), InDilation: int64s(w.stride),
		Groups: int64(w.groups)}
	for i := range n {
		turn.Start[2+i], turn.Step[2+i] = ks[2+i].AddConst(-1), -1
		lo := ks[2+i].AddConst(-1).MulConst(int64(w.dilation[i])).AddConst(-int64(w.padding[i]))
		a.Lo, a.Hi = append(a.Lo, lo), append(a.Hi, lo.AddConst(int64(w.outPadding[i])))
	}
	return c.convolve(x, c.op(ir.OpSlice, turn, k), a, bias, single)
}
