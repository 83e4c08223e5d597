package onnx

import (
	"github.com/tensorcc/tcc/ir"
)

// Activations, softmax and normalizations.

var normRows = []row{
	{"BatchNormalization", 7, 5, 5, batchNorm},
	{"Celu", 12, 1, 1, activate("Celu")},
	{"Clip", 6, 1, 1, clipAttrs},
	{"Clip", 11, 1, 3, clip},
	{"Dropout", 7, 1, 1, dropoutAttr},
	{"Dropout", 12, 1, 3, dropout},
	{"Elu", 6, 1, 1, activate("Elu")},
	{"Gelu", 20, 1, 1, gelu},
	{"GroupNormalization", 18, 3, 3, func(n *node) []*tensor { return n.groupNorm(true) }},
	{"GroupNormalization", 21, 3, 3, func(n *node) []*tensor { return n.groupNorm(false) }},
	{"HardSigmoid", 6, 1, 1, activate("HardSigmoid")},
	{"HardSwish", 14, 1, 1, activate("HardSwish")},
	{"Hardmax", 1, 1, 1, flattened(hardmaxOver, 1)},
	{"Hardmax", 13, 1, 1, alongAxis(hardmaxOver)},
	{"InstanceNormalization", 6, 3, 3, instanceNorm},
	{"LRN", 1, 1, 1, lrn},
	{"LayerNormalization", 17, 2, 3, layerNorm},
	{"LeakyRelu", 6, 1, 1, activate("LeakyRelu")},
	{"LogSoftmax", 1, 1, 1, flattened(logSoftmaxOver, 1)},
	{"LogSoftmax", 13, 1, 1, alongAxis(logSoftmaxOver)},
	{"LpNormalization", 1, 1, 1, lpNorm},
	{"MeanVarianceNormalization", 9, 1, 1, meanVariance},
	{"Mish", 18, 1, 1, activate("Mish")},
	{"PRelu", 7, 2, 2, prelu},
	{"RMSNormalization", 23, 2, 2, rmsNorm},
	{"Relu", 6, 1, 1, activate("Relu")},
	{"Selu", 6, 1, 1, activate("Selu")},
	{"Shrink", 9, 1, 1, activate("Shrink")},
	{"Softmax", 1, 1, 1, flattened(softmaxOver, 1)},
	{"Softmax", 13, 1, 1, alongAxis(softmaxOver)},
	{"Softplus", 1, 1, 1, activate("Softplus")},
	{"Softsign", 1, 1, 1, activate("Softsign")},
	{"Swish", 24, 1, 1, activate("Swish")},
	{"ThresholdedRelu", 10, 1, 1, activate("ThresholdedRelu")},
}

// overAxes computes something of v that looks along axes together.
type overAxes func(n *node, v *ir.Value, axes ...int) *ir.Value

// alongAxis imports an operator along one axis, by default the last.
func alongAxis(f overAxes) func(*node) []*tensor {
	return func(n *node) []*tensor {
		v := n.arg(0)
		return result(f(n, v, n.axis(n.int("axis", -1), v.Type.Rank())))
	}
}

// flattened imports an operator of before version 13: along all axes from
// axis on, as if they were one.
func flattened(f overAxes, def int64) func(*node) []*tensor {
	return func(n *node) []*tensor {
		v := n.arg(0)
		rank := v.Type.Rank()
		first := n.axis(n.int("axis", def), rank)
		var axes []int
		for i := first; i < rank; i++ {
			axes = append(axes, i)
		}
		return result(f(n, v, axes...))
	}
}

// wide casts 16-bit floats to float32: sums and powers of theirs are computed
// there.
func (n *node) wide(v *ir.Value) *ir.Value {
	if d := v.Type.DType; d == ir.F16 || d == ir.BF16 {
		return n.cast(v, ir.F32)
	}
	return v
}

func softmaxOver(n *node, v *ir.Value, axes ...int) *ir.Value {
	d := v.Type.DType
	v = n.wide(v)
	e := n.apply(ir.OpExp, n.elementwise(ir.OpSub, v, n.reduce(ir.OpReduceMax, v, true, axes...)))
	return n.cast(n.elementwise(ir.OpDiv, e, n.reduce(ir.OpSum, e, true, axes...)), d)
}

func logSoftmaxOver(n *node, v *ir.Value, axes ...int) *ir.Value {
	d := v.Type.DType
	v = n.wide(v)
	v = n.elementwise(ir.OpSub, v, n.reduce(ir.OpReduceMax, v, true, axes...))
	sum := n.reduce(ir.OpSum, n.apply(ir.OpExp, v), true, axes...)
	return n.cast(n.elementwise(ir.OpSub, v, n.apply(ir.OpLog, sum)), d)
}

// hardmaxOver is 1 at the first largest element along axes and 0 elsewhere.
func hardmaxOver(n *node, v *ir.Value, axes ...int) *ir.Value {
	s := v.Type.Shape
	first, last := axes[0], axes[len(axes)-1]
	flat := append(append(s[:first].Clone(), s[first:last+1].Size()), s[last+1:]...)
	x := n.view(v, flat)
	top := n.op(ir.OpArgMax, &ir.AxisAttr{Axis: first}, x)
	at := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: flat, Axis: first})
	hit := n.elementwise(ir.OpEq, at, n.unsqueeze(top, first))
	return n.view(n.cast(hit, v.Type.DType), s)
}

// moments returns mean and variance along axes, which stay with extent 1.
func (n *node) moments(v *ir.Value, axes ...int) (mean, variance *ir.Value) {
	mean = n.mean(v, true, axes...)
	dev := n.elementwise(ir.OpSub, v, mean)
	return mean, n.mean(n.apply(ir.OpMul, dev, dev), true, axes...)
}

// inverseDeviation is 1/sqrt(variance + epsilon).
func (n *node) inverseDeviation(variance *ir.Value, epsilon float64) *ir.Value {
	s := n.apply(ir.OpSqrt, n.with(ir.OpAdd, variance, epsilon))
	return n.apply(ir.OpDiv, n.like(s, 1), s)
}

// batchNorm folds the statistics into a factor and a summand for each channel.
func batchNorm(n *node) []*tensor {
	x := n.arg(0)
	if x.Type.Rank() < 2 {
		n.fail("input %v, want a batch and channels", x.Type)
	}
	if n.int("spatial", 1) != 1 {
		n.lacks("spatial = 0 is not supported")
	}
	epsilon, momentum := n.float("epsilon", 1e-5), n.float("momentum", 0.9)
	d := x.Type.DType
	scale, b := n.cast(n.arg(1), d), n.cast(n.arg(2), d)
	mean, variance := n.arg(3), n.arg(4)
	var running []*tensor
	if n.flag("training_mode", false) {
		axes := []int{0}
		for i := 2; i < x.Type.Rank(); i++ {
			axes = append(axes, i)
		}
		m, v := n.moments(n.cast(x, mean.Type.DType), axes...)
		m, v = n.view(m, mean.Type.Shape), n.view(v, variance.Type.Shape)
		running = tensors([]*ir.Value{n.blend(mean, m, momentum), n.blend(variance, v, momentum)})
		mean, variance = m, v
	}
	inv := n.cast(n.inverseDeviation(variance, epsilon), d)
	factor := n.elementwise(ir.OpMul, scale, inv)
	summand := n.elementwise(ir.OpSub, b, n.elementwise(ir.OpMul, n.cast(mean, d), factor))
	y := n.apply(ir.OpMul, x, n.perChannel(x, factor))
	y = n.apply(ir.OpAdd, y, n.perChannel(x, summand))
	return append(result(y), running...)
}

// blend is the running average of old and v.
func (n *node) blend(old, v *ir.Value, momentum float64) *ir.Value {
	return n.elementwise(ir.OpAdd, n.with(ir.OpMul, old, momentum), n.with(ir.OpMul, v, 1-momentum))
}

// perChannel stretches a vector along axis 1 of x.
func (n *node) perChannel(x, v *ir.Value) *ir.Value {
	if v.Type.Rank() != 1 {
		n.fail("%v for the channels of %v, want a vector", v.Type, x.Type)
	}
	return n.broadcast(n.place(v, x.Type.Rank(), 1), x.Type.Shape)
}

func instanceNorm(n *node) []*tensor {
	x := n.arg(0)
	y := n.normalize(x, n.float("epsilon", 1e-5), n.spatialAxes()...)
	y = n.apply(ir.OpMul, y, n.perChannel(x, n.arg(1)))
	return result(n.apply(ir.OpAdd, y, n.perChannel(x, n.arg(2))))
}

// normalize is (x-mean)/sqrt(variance+epsilon) along axes.
func (n *node) normalize(x *ir.Value, epsilon float64, axes ...int) *ir.Value {
	v := n.wide(x)
	mean, variance := n.moments(v, axes...)
	inv := n.inverseDeviation(variance, epsilon)
	v = n.elementwise(ir.OpMul, n.elementwise(ir.OpSub, v, mean), inv)
	return n.cast(v, x.Type.DType)
}

// groupNorm has scale and bias for each group, or for each channel.
func (n *node) groupNorm(perGroup bool) []*tensor {
	n.ignore("stash_type")
	x := n.arg(0)
	s := x.Type.Shape
	n.spatial()
	groups := n.int("num_groups", 0)
	if groups < 1 {
		n.fail("num_groups is %d, want a positive number", groups)
	}
	each := s[1].FloorDiv(ir.Const(groups))
	n.check(each.MulConst(groups), s[1], "channels divide into groups")
	v := n.view(x, append(ir.Shape{s[0], ir.Const(groups), each}, s[2:]...))
	axes := []int{2}
	for i := 2; i < len(s); i++ {
		axes = append(axes, i+1)
	}
	v = n.normalize(v, n.float("epsilon", 1e-5), axes...)
	scale, b := n.arg(1), n.arg(2)
	if perGroup {
		v = n.apply(ir.OpMul, v, n.perChannel(v, scale))
		v = n.apply(ir.OpAdd, v, n.perChannel(v, b))
		return result(n.view(v, s))
	}
	v = n.view(v, s)
	v = n.apply(ir.OpMul, v, n.perChannel(v, scale))
	return result(n.apply(ir.OpAdd, v, n.perChannel(v, b)))
}

// lastAxes are the axes from attribute axis on.
func (n *node) lastAxes() []int {
	rank := n.typ(0).Rank()
	var axes []int
	for i := n.axis(n.int("axis", -1), rank); i < rank; i++ {
		axes = append(axes, i)
	}
	return axes
}

func (n *node) stashType() ir.DType { return n.dtype("stash_type", 1) }

func layerNorm(n *node) []*tensor {
	x, axes := n.arg(0), n.lastAxes()
	v := n.cast(x, n.stashType())
	mean, variance := n.moments(v, axes...)
	inv := n.inverseDeviation(variance, n.float("epsilon", 1e-5))
	y := n.elementwise(ir.OpMul, n.elementwise(ir.OpSub, v, mean), inv)
	y = n.cast(y, x.Type.DType)
	y = n.elementwise(ir.OpMul, y, n.arg(1))
	if n.has(2) {
		y = n.elementwise(ir.OpAdd, y, n.arg(2))
	}
	return []*tensor{computed(y), computed(mean), computed(inv)}
}

func rmsNorm(n *node) []*tensor {
	x, axes := n.arg(0), n.lastAxes()
	v := n.cast(x, n.stashType())
	square := n.mean(n.apply(ir.OpMul, v, v), true, axes...)
	v = n.elementwise(ir.OpMul, v, n.inverseDeviation(square, n.float("epsilon", 1e-5)))
	return result(n.elementwise(ir.OpMul, n.cast(v, n.typ(1).DType), n.arg(1)))
}

func meanVariance(n *node) []*tensor {
	x := n.arg(0)
	list := n.ints("axes")
	if list == nil {
		list = []int64{0, 2, 3}
	}
	mean, variance := n.moments(x, n.axes(list, x.Type.Rank())...)
	dev := n.with(ir.OpAdd, n.apply(ir.OpSqrt, variance), 1e-9)
	return result(n.elementwise(ir.OpDiv, n.elementwise(ir.OpSub, x, mean), dev))
}

func lpNorm(n *node) []*tensor {
	x := n.arg(0)
	axis := n.axis(n.int("axis", -1), x.Type.Rank())
	var norm *ir.Value
	switch p := n.int("p", 2); p {
	case 1:
		norm = n.reduce(ir.OpSum, n.apply(ir.OpAbs, x), true, axis)
	case 2:
		norm = n.apply(ir.OpSqrt, n.reduce(ir.OpSum, n.apply(ir.OpMul, x, x), true, axis))
	default:
		n.fail("attribute \"p\" is %d, want 1 or 2", p)
	}
	// Of zeros, zeros.
	norm = n.apply(ir.OpSelect, n.with(ir.OpEq, norm, 0), n.like(norm, 1), norm)
	return result(n.elementwise(ir.OpDiv, x, norm))
}

func lrn(n *node) []*tensor {
	x := n.arg(0)
	rank := x.Type.Rank()
	k := n.int("size", 0)
	if k < 1 || rank < 2 {
		n.fail("size %d for %v", k, x.Type)
	}
	a := &ir.WindowAttr{Size: ones(rank), Stride: ones(rank), Dilation: ones(rank),
		Lo: make(ir.Shape, rank), Hi: make(ir.Shape, rank)}
	a.Size[1], a.Lo[1], a.Hi[1] = k, ir.Const((k-1)/2), ir.Const(k/2)
	sum := n.op(ir.OpWindowSum, a, n.apply(ir.OpMul, x, x))
	base := n.with(ir.OpAdd, n.scaled(sum, n.float("alpha", 1e-4)/float64(k)), n.float("bias", 1))
	sum = n.with(ir.OpPow, base, n.float("beta", 0.75))
	return result(n.apply(ir.OpDiv, x, sum))
}

func dropoutAttr(n *node) []*tensor {
	n.ignore("ratio", "seed")
	return n.dropped()
}

func dropout(n *node) []*tensor {
	n.ignore("seed")
	if n.has(2) {
		e := n.in[2].elems
		if len(e) != 1 || !e[0].d.IsConst(0) {
			ratio := []elem{{f: 0.5}}
			if n.has(1) {
				ratio = n.in[1].elems
			}
			if len(e) != 1 || len(ratio) != 1 || ratio[0].f != 0 {
				n.lacks("training mode is not supported, only inference")
			}
		}
	}
	return n.dropped()
}

// dropped is the input and the mask of what is kept: all.
func (n *node) dropped() []*tensor {
	out := []*tensor{n.in[0]}
	if len(n.p.Output) > 1 {
		out = append(out, computed(n.full(ir.Bool, n.typ(0).Shape, 1)))
	}
	return out
}
