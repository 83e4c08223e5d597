package onnx

import "github.com/tensorcc/tcc/ir"

// Operators of the domain ai.onnx.ml.

var mlRows = []row{
	{"ai.onnx.ml.Binarizer", 1, 1, 1, binarizer},
	{"ai.onnx.ml.Scaler", 1, 1, 1, scaler},
}

// scaler is (x - offset) * scale along the last axis, in float32.
func scaler(n *node) []*tensor {
	x := n.cast(n.arg(0), ir.F32)
	vector := func(name string) *ir.Value {
		a := n.attr(name, 6)
		if a == nil || len(a.Floats) == 0 {
			n.fail("attribute %q is missing", name)
		}
		shape := []int64{int64(len(a.Floats))}
		if len(a.Floats) == 1 {
			shape = nil
		}
		return n.op(ir.OpConst, &ir.ConstAttr{Value: ir.NewLiteral(ir.F32, shape, a.Floats)})
	}
	x = n.elementwise(ir.OpSub, x, vector("offset"))
	return result(n.elementwise(ir.OpMul, x, vector("scale")))
}

func binarizer(n *node) []*tensor {
	x := n.arg(0)
	return result(n.cast(n.with(ir.OpGt, x, n.float("threshold", 0)), x.Type.DType))
}
