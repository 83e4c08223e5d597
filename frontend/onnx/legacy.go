package onnx

import "github.com/tensorcc/tcc/ir"

// Operators as they were before operator set 7: what broadcasts says so, and
// where.

var legacyRows = []row{
	{"Add", 1, 2, 2, legacyBinary(ir.OpAdd)},
	{"And", 1, 2, 2, legacyBinary(ir.OpAnd)},
	{"AveragePool", 1, 1, 1, averagePool},
	{"BatchNormalization", 1, 5, 5, legacyBatchNorm},
	{"Div", 1, 2, 2, legacyBinary(ir.OpDiv)},
	{"Equal", 1, 2, 2, legacyBinary(ir.OpEq)},
	{"Gemm", 1, 3, 3, legacyGemm},
	{"Greater", 1, 2, 2, legacyBinary(ir.OpGt)},
	{"Less", 1, 2, 2, legacyBinary(ir.OpLt)},
	{"Mul", 1, 2, 2, legacyBinary(ir.OpMul)},
	{"Or", 1, 2, 2, legacyBinary(ir.OpOr)},
	{"PRelu", 1, 2, 2, legacyPRelu},
	{"Pow", 1, 2, 2, legacyBinary(ir.OpPow)},
	{"Sub", 1, 2, 2, legacyBinary(ir.OpSub)},
	{"Xor", 1, 2, 2, legacyBinary(ir.OpXor)},
}

// legacyBinary places the axes of the second argument from attribute axis on,
// or at the end.
func legacyBinary(op ir.Op) func(*node) []*tensor {
	return func(n *node) []*tensor {
		n.ignore("consumed_inputs")
		n.sameTypes()
		x, y := n.arg(0), n.arg(1)
		broadcast := n.flag("broadcast", false)
		rank := x.Type.Rank()
		if n.attrs["axis"] != nil && broadcast {
			first := n.axis(n.int("axis", 0), rank)
			if first+y.Type.Rank() > rank {
				n.fail("%v from axis %d of %v on", y.Type, first, x.Type)
			}
			axes := make([]int, y.Type.Rank())
			for i := range axes {
				axes[i] = first + i
			}
			y = n.place(y, rank, axes...)
		}
		n.ignore("axis")
		return result(n.op(op, nil, x, n.broadcast(y, x.Type.Shape)))
	}
}

// legacyGemm broadcasts its third argument always: where it need not be, that
// changes nothing.
func legacyGemm(n *node) []*tensor {
	n.ignore("broadcast")
	return gemm(n)
}

func legacyBatchNorm(n *node) []*tensor {
	n.ignore("consumed_inputs")
	if !n.flag("is_test", false) {
		n.fail("training is not supported, only is_test = 1")
	}
	return batchNorm(n)
}

// legacyPRelu has one slope, or one a channel.
func legacyPRelu(n *node) []*tensor {
	n.ignore("consumed_inputs")
	x, slope := n.arg(0), n.arg(1)
	if slope.Type.Rank() == 1 && x.Type.Rank() > 1 && !slope.Type.Shape[0].IsConst(1) {
		slope = n.place(slope, x.Type.Rank(), 1)
	}
	slope = n.broadcast(slope, x.Type.Shape)
	below := n.apply(ir.OpMul, x, slope)
	return result(n.apply(ir.OpSelect, n.with(ir.OpLt, x, 0), below, x))
}
