package onnx

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Products, convolutions and pooling.

var nnRows = []row{
	{"AveragePool", 7, 1, 1, averagePool},
	{"Conv", 1, 2, 3, conv},
	{"ConvTranspose", 1, 2, 3, convTranspose},
	{"Gemm", 7, 2, 3, gemm},
	{"GlobalAveragePool", 1, 1, 1, globalAveragePool},
	{"GlobalLpPool", 2, 1, 1, globalLpPool},
	{"GlobalMaxPool", 1, 1, 1, globalMaxPool},
	{"LpPool", 2, 1, 1, lpPool},
	{"MatMul", 1, 2, 2, matMulOp},
	{"MaxPool", 1, 1, 1, maxPool},
	{"Resize", 10, 2, 2, resize10},
	{"Resize", 11, 1, 4, resize11},
	{"Upsample", 7, 1, 1, upsampleAttr},
	{"Upsample", 9, 2, 2, upsample},
}

// dot contracts the last axis of x with axis -2 of y (or its only one) after
// broadcasting the axes before, as NumPy's matmul.
func (n *node) matMul(x, y *ir.Value) *ir.Value {
	rx, ry := x.Type.Rank(), y.Type.Rank()
	if rx == 0 || ry == 0 {
		n.fail("a product of %v and %v", x.Type, y.Type)
	}
	ky := max(ry-2, 0)
	n.check(x.Type.Shape[rx-1], y.Type.Shape[ky], fmt.Sprintf("product of %v and %v, inner extents",
		x.Type.Shape, y.Type.Shape))
	if d := x.Type.Shape[rx-1]; !d.Equal(y.Type.Shape[ky]) {
		s := y.Type.Shape.Clone()
		s[ky] = d
		y = n.view(y, s)
	}
	if ry <= 2 {
		return n.op(ir.OpDot, &ir.DotAttr{LContract: []int{rx - 1}, RContract: []int{ky}}, x, y)
	}
	vector := rx == 1
	if vector {
		x, rx = n.unsqueeze(x, 0), 2
	}
	batch := n.broadcastShapes(x.Type.Shape[:rx-2], y.Type.Shape[:ry-2])
	nb := len(batch)
	x = n.broadcast(x, append(batch.Clone(), x.Type.Shape[rx-2:]...))
	y = n.broadcast(y, append(batch.Clone(), y.Type.Shape[ry-2:]...))
	a := &ir.DotAttr{LContract: []int{nb + 1}, RContract: []int{nb}}
	for i := range nb {
		a.LBatch, a.RBatch = append(a.LBatch, i), append(a.RBatch, i)
	}
	v := n.op(ir.OpDot, a, x, y)
	if vector {
		v = n.view(v, dropAxes(v.Type.Shape, []int{nb}))
	}
	return v
}

func matMulOp(n *node) []*tensor {
	n.sameTypes()
	return result(n.matMul(n.arg(0), n.arg(1)))
}

func gemm(n *node) []*tensor {
	n.sameTypes()
	x, y := n.arg(0), n.arg(1)
	if x.Type.Rank() != 2 || y.Type.Rank() != 2 {
		n.fail("a product of %v and %v, want matrices", x.Type, y.Type)
	}
	if n.flag("transA", false) {
		x = n.transpose(x, 1, 0)
	}
	if n.flag("transB", false) {
		y = n.transpose(y, 1, 0)
	}
	v := n.scaled(n.matMul(x, y), n.float("alpha", 1))
	beta := n.float("beta", 1)
	if !n.has(2) {
		return result(v)
	}
	return result(n.op(ir.OpAdd, nil, v, n.broadcast(n.scaled(n.arg(2), beta), v.Type.Shape)))
}

func (n *node) scaled(v *ir.Value, by float64) *ir.Value {
	if by == 1 {
		return v
	}
	if !v.Type.DType.IsFloat() && by != math.Trunc(by) {
		n.fail("a factor of %v for integers", by)
	}
	return n.op(ir.OpMul, nil, v, n.like(v, by))
}

// window is the geometry of a convolution or pooling over spatial axes.
type window struct {
	size             ir.Shape
	stride, dilation []int64
	lo, hi           ir.Shape
}

// window reads the attributes for n spatial axes of the input in, with
// windows of the given size.
func (n *node) window(in, size ir.Shape) window {
	k := len(in)
	w := window{size: size, stride: n.perAxis("strides", k), dilation: n.perAxis("dilations", k),
		lo: make(ir.Shape, k), hi: make(ir.Shape, k)}
	pads := n.ints("pads")
	switch mode := n.choice("auto_pad", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"); mode {
	case "NOTSET":
		if pads != nil && len(pads) != 2*k {
			n.fail("%d pads for %d axes, want twice as many", len(pads), k)
		}
		for i := range k {
			if pads != nil {
				w.lo[i], w.hi[i] = ir.Const(pads[i]), ir.Const(pads[k+i])
			}
		}
	case "SAME_UPPER", "SAME_LOWER":
		for i, d := range in {
			s := ir.Const(w.stride[i])
			span := w.span(i)
			total := d.CeilDiv(s).AddConst(-1).Mul(s).Add(span).Sub(d)
			total = greater(total, ir.Const(0))
			less := total.FloorDiv(ir.Const(2))
			w.lo[i], w.hi[i] = less, total.Sub(less)
			if mode == "SAME_LOWER" {
				w.lo[i], w.hi[i] = w.hi[i], w.lo[i]
			}
		}
	}
	return w
}

// span is the extent that a window covers along spatial axis i.
func (w *window) span(i int) ir.Dim {
	return w.size[i].AddConst(-1).MulConst(w.dilation[i]).AddConst(1)
}

// perAxis is a list attribute of positive numbers, one an axis, 1 by default.
func (n *node) perAxis(name string, k int) []int64 {
	list := n.ints(name)
	if list == nil {
		for range k {
			list = append(list, 1)
		}
	}
	if len(list) != k {
		n.fail("attribute %q has %d entries for %d axes", name, len(list), k)
	}
	for _, s := range list {
		if s < 1 || s > math.MaxInt32 {
			n.fail("attribute %q is %v, want positive numbers", name, list)
		}
	}
	return list
}

// spatial returns the number of spatial axes of input 0.
func (n *node) spatial() int {
	k := n.typ(0).Rank() - 2
	if k < 1 {
		n.fail("input %v, want a batch, channels and spatial axes", n.typ(0))
	}
	return k
}

func ones(k int) []int64 {
	out := make([]int64, k)
	for i := range out {
		out[i] = 1
	}
	return out
}

func conv(n *node) []*tensor {
	n.sameTypes()
	k := n.spatial()
	x, w := n.arg(0), n.arg(1)
	if w.Type.Rank() != k+2 {
		n.fail("weights %v for input %v", w.Type, x.Type)
	}
	size := w.Type.Shape[2:]
	n.kernelShape(size)
	win := n.window(x.Type.Shape[2:], size)
	groups := n.groups()
	x = n.channels(x, w.Type.Shape[1].MulConst(groups))
	w = n.multiple(w, 0, groups)
	v := n.op(ir.OpConv, &ir.ConvAttr{Stride: win.stride, Dilation: win.dilation, InDilation: ones(k),
		Lo: win.lo, Hi: win.hi, Groups: groups}, x, w)
	return result(n.bias(v))
}

// kernelShape checks the attribute that repeats the extents of the weights.
func (n *node) kernelShape(size ir.Shape) {
	list := n.ints("kernel_shape")
	if list == nil {
		return
	}
	if len(list) != len(size) {
		n.fail("kernel_shape %v, the weights have %v", list, size)
	}
	for i, k := range list {
		n.check(size[i], ir.Const(k), "extents of the weights, kernel_shape")
	}
}

func (n *node) groups() int64 {
	g := n.int("group", 1)
	if g < 1 || g > math.MaxInt32 {
		n.fail("attribute \"group\" is %d, want a positive number", g)
	}
	return g
}

// multiple makes sure that an extent of v is a multiple of k, and writes it as
// one.
func (n *node) multiple(v *ir.Value, axis int, k int64) *ir.Value {
	s := v.Type.Shape.Clone()
	s[axis] = s[axis].FloorDiv(ir.Const(k)).MulConst(k)
	n.check(s[axis], v.Type.Shape[axis], fmt.Sprintf("%v: channels divide into %d groups", v.Type, k))
	return n.view(v, s)
}

// channels makes sure that axis 1 of x is want.
func (n *node) channels(x *ir.Value, want ir.Dim) *ir.Value {
	n.check(x.Type.Shape[1], want, fmt.Sprintf("input %v: channels", x.Type))
	s := x.Type.Shape.Clone()
	s[1] = want
	return n.view(x, s)
}

// bias adds input 2, if it is there, to the channels of v.
func (n *node) bias(v *ir.Value) *ir.Value {
	if !n.has(2) {
		return v
	}
	b := n.arg(2)
	if b.Type.Rank() != 1 {
		n.fail("bias %v, want a vector", b.Type)
	}
	return n.op(ir.OpAdd, nil, v, n.broadcast(n.place(b, v.Type.Rank(), 1), v.Type.Shape))
}

// convTranspose is a convolution of the input, with stride-1 zeros put between
// its elements, with the weights turned around.
func convTranspose(n *node) []*tensor {
	n.sameTypes()
	k := n.spatial()
	x, w := n.arg(0), n.arg(1)
	if w.Type.Rank() != k+2 {
		n.fail("weights %v for input %v", w.Type, x.Type)
	}
	size := w.Type.Shape[2:]
	n.kernelShape(size)
	groups := n.groups()
	w = n.multiple(w, 0, groups)
	x = n.channels(x, w.Type.Shape[0])
	a := &ir.ConvAttr{Stride: ones(k), Dilation: n.perAxis("dilations", k),
		InDilation: n.perAxis("strides", k), Groups: groups}
	a.Lo, a.Hi = n.transposedPads(x.Type.Shape[2:], size, a.InDilation, a.Dilation)
	v := n.op(ir.OpConv, a, x, n.transposedWeights(w, groups))
	return result(n.bias(v))
}

// transposedWeights makes [M, C/groups, ...] of [C, M/groups, ...] and turns
// the spatial axes around.
func (n *node) transposedWeights(w *ir.Value, groups int64) *ir.Value {
	s := w.Type.Shape
	g := ir.Const(groups)
	c := s[0].FloorDiv(g)
	v := n.view(w, append(ir.Shape{g, c, s[1]}, s[2:]...))
	perm := []int{0, 2, 1}
	var axes []int
	for i := range len(s) - 2 {
		perm, axes = append(perm, 3+i), append(axes, 2+i)
	}
	v = n.transpose(v, perm...)
	v = n.view(v, append(ir.Shape{s[1].MulConst(groups), c}, s[2:]...))
	return n.reverse(v, axes...)
}

// transposedPads returns the padding of the convolution that a transposed
// one is.
func (n *node) transposedPads(in, size ir.Shape, stride, dilation []int64) (lo, hi ir.Shape) {
	k := len(in)
	pads, extra, want := n.ints("pads"), n.ints("output_padding"), n.ints("output_shape")
	mode := n.choice("auto_pad", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
	if pads == nil {
		pads = make([]int64, 2*k)
	}
	if extra == nil {
		extra = make([]int64, k)
	}
	if want != nil && len(want) == k+2 {
		want = want[2:]
	}
	if len(pads) != 2*k || len(extra) != k || want != nil && len(want) != k {
		n.fail("%d pads, %d output_padding, %d output_shape for %d axes",
			len(pads), len(extra), len(want), k)
	}
	lo, hi = make(ir.Shape, k), make(ir.Shape, k)
	for i := range k {
		span := size[i].AddConst(-1).MulConst(dilation[i])
		before, after := ir.Const(pads[i]), ir.Const(pads[k+i])
		if want != nil || mode == "SAME_UPPER" || mode == "SAME_LOWER" {
			full := in[i].AddConst(-1).MulConst(stride[i]).Add(span).AddConst(1 + extra[i])
			target := in[i].MulConst(stride[i])
			if want != nil {
				target = ir.Const(want[i])
			}
			total := full.Sub(target)
			half := total.FloorDiv(ir.Const(2))
			before, after = total.Sub(half), half
			if mode == "SAME_UPPER" {
				before, after = half, total.Sub(half)
			}
		}
		lo[i] = span.Sub(before)
		hi[i] = span.Sub(after).AddConst(extra[i])
	}
	return lo, hi
}
