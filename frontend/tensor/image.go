package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Padding and what images need, with PyTorch's names.

// PadMode says what [Tensor.Pad] puts around a tensor.
type PadMode string

// The modes of padding: a number; the elements turned around at the edge
// without it; the edge; the elements from the other side.
const (
	PadConstant  PadMode = "constant"
	PadReflect   PadMode = "reflect"
	PadReplicate PadMode = "replicate"
	PadCircular  PadMode = "circular"
)

// Pad returns t with elements around it. pads has the number before and after
// for the last axis, then for the axis before it, and so on, as in PyTorch;
// negative ones cut elements off. value is of PadConstant.
func (t Tensor) Pad(pads []int, mode PadMode, value any) Tensor {
	c := start("Pad")
	x := c.in(t)
	if x == nil {
		return c.bad()
	}
	rank := x.typ.Rank()
	if len(pads)%2 != 0 || len(pads)/2 > rank {
		return c.fail("%d pads for shape %s, want two an axis", len(pads), shapeString(x.typ.Shape))
	}
	if mode == PadConstant {
		a := &ir.PadAttr{Lo: slices.Repeat(ir.Shape{ir.Const(0)}, rank)}
		a.Hi = a.Lo.Clone()
		for i := range len(pads) / 2 {
			axis := rank - 1 - i
			a.Lo[axis], a.Hi[axis] = ir.Const(int64(pads[2*i])), ir.Const(int64(pads[2*i+1]))
			if d, ok := x.typ.Shape[axis].Int(); ok && d+int64(pads[2*i]+pads[2*i+1]) < 0 {
				return c.fail("pads %v cut more than axis %d of shape %s has", pads, axis,
					shapeString(x.typ.Shape))
			}
		}
		if value == nil {
			value = 0
		}
		return c.out(c.op(ir.OpPad, a, x, c.fitted(c.operand(value), ir.T(x.typ.DType))))
	}
	for i := range len(pads) / 2 {
		x = c.padAxis(x, rank-1-i, pads[2*i], pads[2*i+1], mode)
	}
	return c.out(x)
}

// padAxis pads an axis with elements of the tensor: a gather of coordinates
// computed from those of the result.
func (c *call) padAxis(x *node, axis, lo, hi int, mode PadMode) *node {
	if c.err != nil {
		return nil
	}
	d := x.typ.Shape[axis]
	least := map[PadMode]int{PadReflect: max(lo, hi) + 1, PadCircular: max(lo, hi)}[mode]
	c.condition(ir.Const(int64(max(least, 1))), "<=", d, fmt.Sprintf(
		"mode %q of %d and %d elements for axis %d of extent %v", mode, lo, hi, axis, d))
	if c.err != nil {
		return nil
	}
	to := d.AddConst(int64(lo + hi))
	if n, ok := to.Int(); ok && n < 0 {
		c.fail("pads %d and %d cut more than axis %d of extent %v has", lo, hi, axis, d)
		return nil
	}
	at := c.iota(I64, ir.Shape{to}, 0)
	at = c.sub(at, c.integer(int64(lo), at))
	size := c.stretch(c.extent(d), at.typ.Shape)
	last := c.sub(size, c.integer(1, at))
	switch mode {
	case PadReplicate:
		at = c.op(ir.OpMin, nil, c.op(ir.OpMax, nil, at, c.integer(0, at)), last)
	case PadCircular:
		at = c.op(ir.OpMod, nil, at, size)
	case PadReflect:
		at = c.sub(last, c.abs(c.sub(last, c.abs(at))))
	default:
		c.fail("mode %q, want PadConstant, PadReflect, PadReplicate or PadCircular", mode)
	}
	return c.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, x, at)
}

// PixelShuffle returns t, of shape (..., C*r*r, H, W), as (..., C, H*r, W*r).
func (t Tensor) PixelShuffle(r int) Tensor {
	c := start("PixelShuffle")
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	n := len(s) - 3
	k := ir.Const(int64(r))
	if n < 0 || r < 1 || !s[n].Mod(k.Mul(k)).IsConst(0) {
		return c.fail("shape %s by %d, want (..., C*r*r, H, W)", shapeString(s), r)
	}
	ch := s[n].FloorDiv(k.Mul(k))
	front := s[:n:n]
	x := t.ReshapeTo(slices.Concat(front, ir.Shape{ch, k, k, s[n+1], s[n+2]}))
	x = x.Permute(slices.Concat(count(0, n+1), []int{n + 3, n + 1, n + 4, n + 2})...)
	return c.named(x.ReshapeTo(slices.Concat(front, ir.Shape{ch, s[n+1].Mul(k), s[n+2].Mul(k)})))
}

// PixelUnshuffle is the inverse of [Tensor.PixelShuffle].
func (t Tensor) PixelUnshuffle(r int) Tensor {
	c := start("PixelUnshuffle")
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	n := len(s) - 3
	k := ir.Const(int64(r))
	if n < 0 || r < 1 || !s[n+1].Mod(k).IsConst(0) || !s[n+2].Mod(k).IsConst(0) {
		return c.fail("shape %s by %d, want (..., C, H*r, W*r)", shapeString(s), r)
	}
	h, w := s[n+1].FloorDiv(k), s[n+2].FloorDiv(k)
	front := s[:n:n]
	x := t.ReshapeTo(slices.Concat(front, ir.Shape{s[n], h, k, w, k}))
	x = x.Permute(slices.Concat(count(0, n+1), []int{n + 2, n + 4, n + 1, n + 3})...)
	return c.named(x.ReshapeTo(slices.Concat(front, ir.Shape{s[n].Mul(k).Mul(k), h, w})))
}

// Unfold returns the windows of t, of shape (N, C, H, W), as the columns of
// matrices: (N, C*kh*kw, windows), as PyTorch's functional unfold. The method
// Unfold has windows of one axis.
func Unfold(t Tensor, size []int, opts ...WindowOption) Tensor {
	c := start("Unfold")
	size = c.perAxis("size", size, 2, 1)
	w := c.windowOptions(2, []int{1}, opts)
	if !c.checks(t) {
		return c.bad()
	}
	if t.Rank() != 4 {
		return c.fail("shape %s, want (N, C, H, W)", shapeString(t.Dims()))
	}
	x := c.in(t.Pad([]int{w.padding[1], w.padding[1], w.padding[0], w.padding[0]}, PadConstant, 0))
	for i := range 2 { // axes 2 and 4: windows and elements
		if c.err != nil {
			return c.bad()
		}
		axis := 2 + 2*i
		k, stride, dilation := int64(size[i]), int64(w.stride[i]), int64(w.dilation[i])
		n := c.windowExtent(2+i, x.typ.Shape[axis], ir.Const(k), stride, dilation)
		if c.err != nil {
			return c.bad()
		}
		s := ir.Shape{n, ir.Const(k)}
		at := c.mul(c.iota(I64, s, 0), c.integer(stride, &node{typ: ir.Of(I64, s)}))
		at = c.add(at, c.mul(c.iota(I64, s, 1), c.integer(dilation, at)))
		x = c.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, x, at)
	}
	x = c.transpose(x, []int{0, 1, 3, 5, 2, 4})
	if c.err != nil {
		return c.bad()
	}
	s := x.typ.Shape
	return c.out(c.reshape(x, ir.Shape{s[0], s[1].Mul(s[2]).Mul(s[3]), s[4].Mul(s[5])}))
}

// Fold adds the columns that [Unfold] gives to the places in an image of the
// size given that they come from: (N, C*kh*kw, windows) to (N, C, H, W).
func Fold(t Tensor, out, size []int, opts ...WindowOption) Tensor {
	c := start("Fold")
	out = c.perAxis("output size", out, 2, 1)
	return c.fold(t, ir.Dims(int64s(out)...), size, opts)
}

// FoldTo is [Fold] to extents that may be symbolic, such as those of another
// tensor's Dims.
func FoldTo(t Tensor, out ir.Shape, size []int, opts ...WindowOption) Tensor {
	c := start("FoldTo")
	if len(out) != 2 {
		return c.fail("output size %s, want (H,W)", shapeString(out))
	}
	return c.fold(t, out, size, opts)
}

// fold is a transposed convolution of each channel on its own, whose windows
// are 1 at one element each.
func (c *call) fold(t Tensor, out ir.Shape, size []int, opts []WindowOption) Tensor {
	size = c.perAxis("size", size, 2, 1)
	w := c.windowOptions(2, []int{1}, opts)
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	taps := ir.Const(int64(size[0] * size[1]))
	if len(s) != 3 || !s[1].Mod(taps).IsConst(0) {
		return c.fail("shape %s for windows of %v, want (N, C*kh*kw, windows)", shapeString(s), size)
	}
	var windows ir.Shape
	a := &ir.ConvAttr{Stride: ones(2), Dilation: int64s(w.dilation), InDilation: int64s(w.stride),
		Groups: 1}
	for i := range 2 {
		padded := out[i].AddConst(2 * int64(w.padding[i]))
		reach := int64((size[i] - 1) * w.dilation[i])
		n := c.windowExtent(2+i, padded, ir.Const(int64(size[i])), int64(w.stride[i]),
			int64(w.dilation[i]))
		windows = append(windows, n)
		lo := ir.Const(reach - int64(w.padding[i]))
		left := padded.Sub(n.AddConst(-1).MulConst(int64(w.stride[i]))).AddConst(-reach - 1)
		a.Lo, a.Hi = append(a.Lo, lo), append(a.Hi, lo.Add(left))
	}
	if c.err != nil {
		return c.bad()
	}
	ch := s[1].FloorDiv(taps)
	c.require(s[2], windows.Size(), fmt.Sprintf("windows of shape %s for an image of %s and windows "+
		"of %v", shapeString(s), shapeString(out), size))
	x := c.reshape(c.in(t), ir.Shape{s[0].Mul(ch), taps, windows[0], windows[1]})
	k := Eye(t.DType(), size[0]*size[1]).Reshape(1, -1, size[0], size[1]).Flip(2, 3)
	y := c.op(ir.OpConv, a, x, c.in(k))
	return c.out(c.reshape(y, ir.Shape{s[0], ch, out[0], out[1]}))
}
