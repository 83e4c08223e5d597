package onnx

import (
	"github.com/tensorcc/tcc/ir"
)

// pooling is the geometry of a pooling operator; with ceil_mode, grow is by
// how much the windows reach beyond the padding.
type pooling struct {
	window
	grow ir.Shape
}

func (n *node) pooling() pooling {
	k := n.spatial()
	list := n.ints("kernel_shape")
	if list == nil {
		n.fail("attribute \"kernel_shape\" is missing")
	}
	n.perAxis("kernel_shape", k)
	in := n.typ(0).Shape[2:]
	p := pooling{window: n.window(in, ir.Dims(list...)), grow: make(ir.Shape, k)}
	for i := range k {
		span := p.span(i)
		padded := in[i].Add(p.lo[i]).Add(p.hi[i])
		if !n.flag("ceil_mode", false) {
			n.checkLE(span, padded, "pooling window")
		} else {
			n.checkLE(span, padded.AddConst(p.stride[i]-1), "pooling window")
			stride := ir.Const(p.stride[i])
			steps := padded.Sub(span).CeilDiv(stride)
			// No window may start beyond the input and its padding before.
			last := in[i].Add(p.lo[i]).AddConst(-1).FloorDiv(stride)
			steps = lesser(steps, last)
			p.grow[i] = greater(steps.Mul(stride).Add(span).Sub(padded), ir.Const(0))
		}
	}
	return p
}

// attr is the pooling over all axes of an input; with pads the input is not
// padded yet.
func (p *pooling) attr(pads bool) *ir.WindowAttr {
	a := &ir.WindowAttr{Size: []int64{1, 1}, Stride: []int64{1, 1}, Dilation: []int64{1, 1},
		Lo: make(ir.Shape, 2), Hi: make(ir.Shape, 2)}
	for i := range p.size {
		k, _ := p.size[i].Int()
		a.Size, a.Stride = append(a.Size, k), append(a.Stride, p.stride[i])
		a.Dilation = append(a.Dilation, p.dilation[i])
		lo, hi := ir.Const(0), p.grow[i]
		if pads {
			lo, hi = p.lo[i], p.hi[i].Add(hi)
		}
		a.Lo, a.Hi = append(a.Lo, lo), append(a.Hi, hi)
	}
	return a
}

func maxPool(n *node) []*tensor {
	n.flag("storage_order", false) // of the second output alone
	p := n.pooling()
	return result(n.op(ir.OpWindowMax, p.attr(true), n.arg(0)))
}

func averagePool(n *node) []*tensor {
	p := n.pooling()
	x := n.arg(0)
	sum := n.op(ir.OpWindowSum, p.attr(true), x)
	return result(n.op(ir.OpDiv, nil, sum, n.broadcast(n.windowCount(&p, x), sum.Type.Shape)))
}

// windowCount is the number of elements that each window averages over: all,
// or without the padding.
func (n *node) windowCount(p *pooling, x *ir.Value) *ir.Value {
	withPads := n.flag("count_include_pad", false)
	plain, area := true, int64(1)
	for i := range p.size {
		k, _ := p.size[i].Int()
		area *= k
		padded := !p.lo[i].IsConst(0) || !p.hi[i].IsConst(0)
		plain = plain && p.grow[i].IsConst(0) && (withPads || !padded)
	}
	if plain {
		return n.full(x.Type.DType, ir.Shape{}, float64(area))
	}
	shape := append(ir.Dims(1, 1), x.Type.Shape[2:]...)
	if withPads {
		for i := range p.size {
			shape[2+i] = shape[2+i].Add(p.lo[i]).Add(p.hi[i])
		}
	}
	return n.op(ir.OpWindowSum, p.attr(!withPads), n.full(x.Type.DType, shape, 1))
}

// lpPool is the p-th root of the sum of p-th powers of absolute values.
func lpPool(n *node) []*tensor {
	p := n.pooling()
	order := float64(n.int("p", 2))
	x := n.arg(0)
	v := n.op(ir.OpPow, nil, n.op(ir.OpAbs, nil, x), n.like(x, order))
	v = n.op(ir.OpWindowSum, p.attr(true), v)
	return result(n.op(ir.OpPow, nil, v, n.like(v, 1/order)))
}

// spatialAxes are the axes of input 0 behind batch and channels.
func (n *node) spatialAxes() []int {
	axes := make([]int, n.spatial())
	for i := range axes {
		axes[i] = 2 + i
	}
	return axes
}

func globalAveragePool(n *node) []*tensor {
	return result(n.mean(n.arg(0), true, n.spatialAxes()...))
}

// globalLpPool is the p-th root of the sum of p-th powers of absolute values.
func globalLpPool(n *node) []*tensor {
	order := float64(n.int("p", 2))
	v := n.with(ir.OpPow, n.apply(ir.OpAbs, n.arg(0)), order)
	v = n.reduce(ir.OpSum, v, true, n.spatialAxes()...)
	return result(n.with(ir.OpPow, v, 1/order))
}

func globalMaxPool(n *node) []*tensor {
	return result(n.reduce(ir.OpReduceMax, n.arg(0), true, n.spatialAxes()...))
}
