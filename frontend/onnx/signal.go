package onnx

import (
	"math"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// Fourier transforms and windows.

var signalRows = []row{
	{"BlackmanWindow", 17, 1, 1, cosineWindow(0.42, 0.5, 0.08)},
	{"DFT", 17, 1, 2, func(n *node) []*tensor { return n.dft(n.int("axis", 1)) }},
	{"DFT", 20, 1, 3, dft20},
	{"HammingWindow", 17, 1, 1, cosineWindow(25.0/46, 1-25.0/46, 0)},
	{"HannWindow", 17, 1, 1, cosineWindow(0.5, 0.5, 0)},
	{"STFT", 17, 2, 4, stft},
}

// cosineWindow imports a0 - a1*cos(2*pi*i/N) + a2*cos(4*pi*i/N), where N is the size
// or, for a symmetric window, one less.
func cosineWindow(a0, a1, a2 float64) func(*node) []*tensor {
	return func(n *node) []*tensor {
		size := n.intsOf(0)
		if len(size) != 1 {
			n.fail("size has %d elements, want 1", len(size))
		}
		span := size[0]
		if !n.flag("periodic", true) {
			span = greater(span.AddConst(-1), ir.Const(1))
		}
		x := n.cast(n.iota(size[0]), ir.F64)
		x = n.elementwise(ir.OpDiv, x, n.number(ir.F64, span))
		cosine := func(turns, by float64) *ir.Value {
			return n.scaled(n.apply(ir.OpCos, n.scaled(x, 2*math.Pi*turns)), by)
		}
		v := n.with(ir.OpAdd, cosine(1, -a1), a0)
		if a2 != 0 {
			v = n.apply(ir.OpAdd, v, cosine(2, a2))
		}
		return result(n.cast(v, n.dtype("output_datatype", onnxpb.Float)))
	}
}

func dft20(n *node) []*tensor {
	axis := int64(-2)
	if n.has(2) {
		list := n.constInts(2, "axis")
		if len(list) != 1 {
			n.fail("%d axes, want 1", len(list))
		}
		axis = list[0]
	}
	return n.dft(axis)
}

func (n *node) dft(axis int64) []*tensor {
	x := n.arg(0)
	rank := x.Type.Rank()
	if rank < 2 {
		n.fail("input %v, want a signal of real or complex numbers", x.Type)
	}
	at := n.axis(axis, rank)
	if at == rank-1 {
		n.fail("axis %d is that of real and imaginary parts", axis)
	}
	inverse, half := n.flag("inverse", false), n.flag("onesided", false)
	if inverse && half {
		n.lacks("a one-sided inverse transform is not supported")
	}
	length := x.Type.Shape[at]
	if n.has(1) {
		list := n.intsOf(1)
		if len(list) != 1 {
			n.fail("dft_length has %d elements, want 1", len(list))
		}
		length = list[0]
		x = n.fit(x, at, length)
	}
	return result(n.fourier(x, at, length, inverse, half))
}

// fit pads an axis with zeros, or crops it, to a length.
func (n *node) fit(x *ir.Value, axis int, length ir.Dim) *ir.Value {
	a := &ir.PadAttr{Lo: make(ir.Shape, x.Type.Rank()), Hi: make(ir.Shape, x.Type.Rank())}
	if a.Hi[axis] = length.Sub(x.Type.Shape[axis]); a.Hi[axis].IsConst(0) {
		return x
	}
	return n.op(ir.OpPad, a, x, n.full(x.Type.DType, ir.Shape{}, 0))
}

// fourier transforms an axis of x, whose last axis has real parts, or real
// and imaginary ones, by products with matrices of cosines and sines.
func (n *node) fourier(x *ir.Value, axis int, length ir.Dim, inverse, half bool) *ir.Value {
	rank, d := x.Type.Rank(), x.Type.DType
	bins := length
	if half {
		bins = length.FloorDiv(ir.Const(2)).AddConst(1)
	}
	// The angles' turns modulo 1, exactly: (row*column mod length)/length.
	shape := ir.Shape{length, bins}
	row := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: shape, Axis: 0})
	col := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: shape, Axis: 1})
	turns := n.elementwise(ir.OpMod, n.apply(ir.OpMul, row, col), n.dim(length))
	angle := n.elementwise(ir.OpDiv, n.cast(turns, ir.F64), n.number(ir.F64, length))
	angle = n.scaled(angle, 2*math.Pi)
	cos, sin := n.cast(n.apply(ir.OpCos, angle), d), n.cast(n.apply(ir.OpSin, angle), d)
	if !inverse {
		sin = n.apply(ir.OpNeg, sin)
	}
	part := func(i int64) *ir.Value {
		v := n.take(x, rank-1, ir.Const(i), ir.Const(1))
		return n.view(v, x.Type.Shape[:rank-1])
	}
	times := func(v, m *ir.Value) *ir.Value { // the new axis is the last
		return n.op(ir.OpDot, &ir.DotAttr{LContract: []int{axis}, RContract: []int{0}}, v, m)
	}
	re, im := times(part(0), cos), times(part(0), sin)
	if x.Type.Shape[rank-1].IsConst(2) {
		re = n.apply(ir.OpSub, re, times(part(1), sin))
		im = n.apply(ir.OpAdd, im, times(part(1), cos))
	} else {
		n.check(x.Type.Shape[rank-1], ir.Const(1), "real, or real and imaginary parts")
	}
	v := n.concat(rank-1, n.unsqueeze(re, rank-1), n.unsqueeze(im, rank-1))
	if inverse {
		v = n.elementwise(ir.OpDiv, v, n.number(d, length))
	}
	// From [..., bin, part] with the bins at rank-2 to where the axis was.
	var perm []int
	for i := range rank - 2 {
		if i == axis {
			perm = append(perm, rank-2)
		}
		perm = append(perm, i)
	}
	if axis == rank-2 {
		perm = append(perm, rank-2)
	}
	return n.transpose(v, append(perm, rank-1)...)
}

// stft transforms windows of the signal [batch, length, parts].
func stft(n *node) []*tensor {
	x := n.arg(0)
	if x.Type.Rank() != 3 {
		n.fail("signal %v, want rank 3", x.Type)
	}
	step := n.intsOf(1)
	if len(step) != 1 {
		n.fail("frame_step has %d elements, want 1", len(step))
	}
	var length ir.Dim
	switch {
	case n.has(3):
		list := n.intsOf(3)
		if len(list) != 1 {
			n.fail("frame_length has %d elements, want 1", len(list))
		}
		length = list[0]
	case n.has(2):
		length = n.typ(2).Shape.Size()
	default:
		n.fail("neither a window nor a frame_length is given")
	}
	frames := x.Type.Shape[1].Sub(length).FloorDiv(step[0]).AddConst(1)
	n.checkLE(length, x.Type.Shape[1], "frame_length")
	start := n.elementwise(ir.OpMul, n.iota(frames), n.dim(step[0]))
	at := n.elementwise(ir.OpAdd, n.unsqueeze(start, 1), n.iota(length))
	v := n.op(ir.OpGather, &ir.AxisAttr{Axis: 1}, x, at) // [batch, frames, length, parts]
	if n.has(2) {
		v = n.elementwise(ir.OpMul, v, n.place(n.arg(2), 4, 2))
	}
	return result(n.fourier(v, 2, length, false, n.flag("onesided", true)))
}
