package onnx

import "github.com/tensorcc/tcc/ir"

// Losses.

var lossRows = []row{
	{"NegativeLogLikelihoodLoss", 12, 2, 3, func(n *node) []*tensor { return result(n.loss(n.arg(0))) }},
	{"SoftmaxCrossEntropyLoss", 12, 2, 3, softmaxLoss},
}

func softmaxLoss(n *node) []*tensor {
	if n.typ(0).Rank() < 2 {
		n.fail("scores %v, want a batch and classes", n.typ(0))
	}
	v := logSoftmaxOver(n, n.arg(0), 1)
	return []*tensor{computed(n.loss(v)), computed(v)}
}

// loss picks the logarithms v [batch, classes, ...] of the probabilities of
// the labels (input 1), weighs them (input 2), and reduces. Labels that are to
// be ignored have no weight.
func (n *node) loss(v *ir.Value) *ir.Value {
	if v.Type.Rank() < 2 {
		n.fail("scores %v, want a batch and classes", v.Type)
	}
	d := v.Type.DType
	labels := n.cast(n.arg(1), ir.I64)
	labels = n.reshape(labels, dropAxes(v.Type.Shape, []int{1}))
	var ignored *ir.Value
	if n.attrs["ignore_index"] != nil {
		ignored = n.with(ir.OpEq, labels, float64(n.int("ignore_index", 0)))
		labels = n.apply(ir.OpSelect, ignored, n.like(labels, 0), labels)
	}
	picked := n.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: 1}, v, n.unsqueeze(labels, 1))
	loss := n.apply(ir.OpNeg, n.view(picked, labels.Type.Shape))
	weight := n.like(loss, 1)
	if n.has(2) {
		weight = n.op(ir.OpGather, &ir.AxisAttr{}, n.cast(n.arg(2), d), labels)
	}
	if ignored != nil {
		weight = n.apply(ir.OpSelect, ignored, n.like(weight, 0), weight)
	}
	loss = n.apply(ir.OpMul, loss, weight)
	axes := make([]int, loss.Type.Rank())
	for i := range axes {
		axes[i] = i
	}
	switch n.choice("reduction", "mean", "sum", "none") {
	case "none":
		return loss
	case "sum":
		return n.reduce(ir.OpSum, loss, false, axes...)
	}
	return n.apply(ir.OpDiv, n.reduce(ir.OpSum, loss, false, axes...),
		n.reduce(ir.OpSum, weight, false, axes...))
}
