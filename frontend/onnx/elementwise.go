package onnx

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Operators on elements: arithmetic, comparison, logic, conversion.

var elementwiseRows = []row{
	{"Abs", 6, 1, 1, unaryOp(ir.OpAbs)},
	{"Acos", 7, 1, 1, unaryOp(ir.OpAcos)},
	{"Acosh", 9, 1, 1, unaryOp(ir.OpAcosh)},
	{"Add", 7, 2, 2, binaryOp(ir.OpAdd)},
	{"And", 7, 2, 2, binaryOp(ir.OpAnd)},
	{"Asin", 7, 1, 1, unaryOp(ir.OpAsin)},
	{"Asinh", 9, 1, 1, unaryOp(ir.OpAsinh)},
	{"Atan", 7, 1, 1, unaryOp(ir.OpAtan)},
	{"Atanh", 9, 1, 1, unaryOp(ir.OpAtanh)},
	{"BitCast", 26, 1, 1, bitCast},
	{"BitShift", 11, 2, 2, bitShift},
	{"BitwiseAnd", 18, 2, 2, binaryOp(ir.OpAnd)},
	{"BitwiseNot", 18, 1, 1, unaryOp(ir.OpNot)},
	{"BitwiseOr", 18, 2, 2, binaryOp(ir.OpOr)},
	{"BitwiseXor", 18, 2, 2, binaryOp(ir.OpXor)},
	{"Cast", 6, 1, 1, cast},
	{"CastLike", 15, 2, 2, castLike},
	{"Ceil", 6, 1, 1, round(ir.OpCeil)},
	{"Cos", 7, 1, 1, unaryOp(ir.OpCos)},
	{"Cosh", 9, 1, 1, unaryOp(ir.OpCosh)},
	{"Div", 7, 2, 2, binaryOp(ir.OpDiv)},
	{"Equal", 7, 2, 2, binaryOp(ir.OpEq)},
	{"Erf", 9, 1, 1, unaryOp(ir.OpErf)},
	{"Exp", 6, 1, 1, unaryOp(ir.OpExp)},
	{"Floor", 6, 1, 1, round(ir.OpFloor)},
	{"Greater", 7, 2, 2, binaryOp(ir.OpGt)},
	{"GreaterOrEqual", 12, 2, 2, binaryOp(ir.OpGe)},
	{"IsInf", 10, 1, 1, isInf},
	{"IsNaN", 9, 1, 1, unaryOp(ir.OpIsNaN)},
	{"Less", 7, 2, 2, binaryOp(ir.OpLt)},
	{"LessOrEqual", 12, 2, 2, binaryOp(ir.OpLe)},
	{"Log", 6, 1, 1, unaryOp(ir.OpLog)},
	{"Max", 6, 1, -1, fold(ir.OpMax)},
	{"Mean", 6, 1, -1, meanOf},
	{"Min", 6, 1, -1, fold(ir.OpMin)},
	{"Mod", 10, 2, 2, mod},
	{"Mul", 7, 2, 2, binaryOp(ir.OpMul)},
	{"Neg", 6, 1, 1, unaryOp(ir.OpNeg)},
	{"Not", 1, 1, 1, unaryOp(ir.OpNot)},
	{"Or", 7, 2, 2, binaryOp(ir.OpOr)},
	{"Pow", 7, 2, 2, pow},
	{"Reciprocal", 6, 1, 1, reciprocal},
	{"Round", 11, 1, 1, round(ir.OpRound)},
	{"Sigmoid", 6, 1, 1, unaryOp(ir.OpSigmoid)},
	{"Sign", 9, 1, 1, unaryOp(ir.OpSign)},
	{"Sin", 7, 1, 1, unaryOp(ir.OpSin)},
	{"Sinh", 9, 1, 1, unaryOp(ir.OpSinh)},
	{"Sqrt", 6, 1, 1, unaryOp(ir.OpSqrt)},
	{"Sub", 7, 2, 2, binaryOp(ir.OpSub)},
	{"Sum", 6, 1, -1, fold(ir.OpAdd)},
	{"Tan", 7, 1, 1, unaryOp(ir.OpTan)},
	{"Tanh", 6, 1, 1, unaryOp(ir.OpTanh)},
	{"Where", 9, 3, 3, where},
	{"Xor", 7, 2, 2, binaryOp(ir.OpXor)},
}

// unaryOp imports an operator that is an operation of ir.
func unaryOp(op ir.Op) func(*node) []*tensor {
	return func(n *node) []*tensor {
		if f := elemUnary[op]; f != nil {
			if e := n.zip(f); e != nil {
				return e
			}
		}
		return result(n.op(op, nil, n.arg(0)))
	}
}

// round imports an operator that integers are unchanged by.
func round(op ir.Op) func(*node) []*tensor {
	return func(n *node) []*tensor {
		if e := n.in[0].elems; e != nil && n.typ(0).DType.IsFloat() {
			f := map[ir.Op]func(float64) float64{ir.OpCeil: math.Ceil, ir.OpFloor: math.Floor,
				ir.OpRound: math.RoundToEven}[op]
			out := make([]elem, len(e))
			for i := range e {
				out[i].f = f(e[i].f)
			}
			return known(n.typ(0).DType, n.typ(0).Shape, out)
		}
		out := result(n.op(op, nil, n.arg(0)))
		out[0].quots = roundQuotients(op, n.in[0])
		return out
	}
}

// binaryOp imports an operator that is an operation of ir on broadcast
// arguments.
func binaryOp(op ir.Op) func(*node) []*tensor {
	return func(n *node) []*tensor {
		n.sameTypes()
		if f := elemBinary[op]; f != nil {
			if e := n.zip(f); e != nil {
				if op.Is(ir.Compares) {
					e[0].typ.DType = ir.Bool
				}
				return e
			}
		}
		out := result(n.elementwise(op, n.arg(0), n.arg(1)))
		out[0].quots = combineQuotients(op, n.in[0], n.in[1])
		return out
	}
}

func (n *node) sameTypes() {
	for i := range n.in {
		if n.typ(i).DType != n.typ(0).DType {
			n.fail("input %d is %v, input 0 is %v, want equal types", i, n.typ(i), n.typ(0))
		}
	}
}

// fold imports an operator of any number of broadcast arguments.
func fold(op ir.Op) func(*node) []*tensor {
	return func(n *node) []*tensor {
		n.sameTypes()
		if f := elemBinary[op]; f != nil {
			if e := n.zip(foldElems(f)); e != nil {
				return e
			}
		}
		acc := n.arg(0)
		for i := 1; i < len(n.in); i++ {
			acc = n.elementwise(op, acc, n.arg(i))
		}
		return result(acc)
	}
}

func foldElems(f elemFunc) elemFunc {
	return func(d ir.DType, args []elem) (elem, bool) {
		acc, ok := args[0], true
		for _, e := range args[1:] {
			if acc, ok = f(d, []elem{acc, e}); !ok {
				break
			}
		}
		return acc, ok
	}
}

func meanOf(n *node) []*tensor {
	sum := fold(ir.OpAdd)(n)[0]
	v := n.value(sum)
	return result(n.op(ir.OpDiv, nil, v, n.like(v, float64(len(n.in)))))
}

func reciprocal(n *node) []*tensor {
	x := n.arg(0)
	return result(n.op(ir.OpDiv, nil, n.like(x, 1), x))
}

func mod(n *node) []*tensor {
	if n.flag("fmod", false) {
		return binaryOp(ir.OpRem)(n)
	}
	return binaryOp(ir.OpMod)(n)
}

// pow computes in the base's type, or in float64 for a float power of an
// integer.
func pow(n *node) []*tensor {
	x, y := n.typ(0).DType, n.typ(1).DType
	if e := n.in[1].elems; len(e) == 1 && n.typ(1).Rank() <= n.typ(0).Rank() {
		if k, _ := e[0].d.Int(); e[0].f == 2 || exprType(y) && k == 2 {
			return result(n.op(ir.OpMul, nil, n.arg(0), n.arg(0)))
		}
	}
	t := x
	if x.IsInt() && y.IsFloat() {
		t = ir.F64
	}
	return result(n.cast(n.elementwise(ir.OpPow, n.cast(n.arg(0), t), n.cast(n.arg(1), t)), x))
}

func bitShift(n *node) []*tensor {
	n.sameTypes()
	op := ir.OpShl
	if n.choice("direction", "LEFT", "RIGHT") == "RIGHT" {
		op = ir.OpShr
	}
	return result(n.elementwise(op, n.arg(0), n.arg(1)))
}

func isInf(n *node) []*tensor {
	x := n.arg(0)
	neg, pos := n.flag("detect_negative", true), n.flag("detect_positive", true)
	inf := n.op(ir.OpIsInf, nil, x)
	switch {
	case neg && pos:
		return result(inf)
	case neg:
		return result(n.op(ir.OpAnd, nil, inf, n.op(ir.OpLt, nil, x, n.like(x, 0))))
	case pos:
		return result(n.op(ir.OpAnd, nil, inf, n.op(ir.OpGt, nil, x, n.like(x, 0))))
	}
	return result(n.full(ir.Bool, x.Type.Shape, 0))
}

func bitCast(n *node) []*tensor {
	return result(n.op(ir.OpBitcast, &ir.DTypeAttr{DType: n.dtype("to", 0)}, n.arg(0)))
}

func cast(n *node) []*tensor { return n.convert(n.dtype("to", 0)) }

func castLike(n *node) []*tensor { return n.convert(n.typ(1).DType) }

// largest8 has the largest finite numbers of the 8-bit floats.
var largest8 = map[ir.DType]float64{ir.F8E4M3: 448, ir.F8E5M2: 57344}

// convert casts input 0 to d.
func (n *node) convert(d ir.DType) []*tensor {
	n.ignore("round_mode") // of a type that ir does not have
	saturate := n.flag("saturate", true)
	t := n.in[0]
	if t.typ.DType == ir.String || d == ir.String {
		n.lacks("casts of strings are not supported")
	}
	if t.typ.DType == d {
		return []*tensor{t}
	}
	if out := convertElems(t, d); out != nil {
		return known(d, t.typ.Shape, out)
	}
	if out := castToInt(t); out != nil && exprType(d) && d != ir.Bool {
		return known(d, t.typ.Shape, out)
	}
	v := n.value(t)
	if limit, ok := largest8[d]; ok && saturate {
		if !v.Type.DType.IsFloat() {
			v = n.cast(v, ir.F32)
		}
		v = n.with(ir.OpMin, n.with(ir.OpMax, v, -limit), limit)
	}
	if (d == ir.I4 || d == ir.U4) && v.Type.DType.IsFloat() {
		v = n.cast(v, ir.I32) // of which the low bits are taken
	}
	out := result(n.cast(v, d))
	if out[0].quots = castToFloat(t, d); d == ir.F32 || d == ir.F64 {
		out[0].quots = append(out[0].quots, t.quots...)
	}
	return out
}

// convertElems converts known elements, nil where the result cannot be known.
func convertElems(t *tensor, d ir.DType) []elem {
	if t.elems == nil || !ir.DTypes(knowable).Has(d) {
		return nil
	}
	out := make([]elem, len(t.elems))
	for i, e := range t.elems {
		switch {
		case exprType(t.typ.DType) && d == ir.Bool:
			sign, ok := compare(e.d, ir.Const(0))
			switch r := bounds(e.d); {
			case ok:
				out[i].d = ir.Const(int64(sign * sign))
			case r.lo >= 0: // 1 from 1 on
				out[i].d = e.d.Min(ir.Const(1))
			default:
				return nil
			}
		case exprType(t.typ.DType) && exprType(d):
			k, static := e.d.Int()
			if static && d == ir.I32 {
				e.d = ir.Const(int64(int32(k)))
			}
			out[i].d, out[i].eq = e.d, e.eq
		case exprType(t.typ.DType):
			k, ok := e.d.Int()
			if !ok {
				return nil
			}
			out[i].f = roundTo(d, float64(k))
		case exprType(d):
			if math.Abs(e.f) > 1<<31-1 || e.f != e.f {
				return nil
			}
			out[i].d = ir.Const(int64(e.f))
			if d == ir.Bool && e.f != 0 {
				out[i].d = ir.Const(1)
			}
		default:
			out[i].f = roundTo(d, e.f)
		}
	}
	return out
}

func roundTo(d ir.DType, x float64) float64 {
	if d == ir.F32 {
		return float64(float32(x))
	}
	return x
}

func where(n *node) []*tensor {
	if n.typ(1).DType != n.typ(2).DType {
		n.fail("inputs are %v and %v, want equal types", n.typ(1), n.typ(2))
	}
	pick := func(d ir.DType, e []elem) (elem, bool) {
		k, ok := e[0].d.Int()
		if k != 0 {
			return e[1], ok
		}
		return e[2], ok
	}
	if e := n.zip(pick); e != nil {
		e[0].typ.DType = n.typ(1).DType
		return e
	}
	// A condition that is known and uniform picks its side.
	if t := n.uniformWhere(); t != nil {
		return t
	}
	return result(n.elementwise(ir.OpSelect, n.arg(0), n.arg(1), n.arg(2)))
}

// uniformWhere returns the side that a known condition picks everywhere,
// stretched to the shape of the result; nil if there is none.
func (n *node) uniformWhere() []*tensor {
	e := n.in[0].elems
	if len(e) == 0 {
		return nil
	}
	first, ok := e[0].d.Int()
	for _, x := range e {
		if k, static := x.d.Int(); !ok || !static || k != first {
			return nil
		}
	}
	side := n.in[2]
	if first != 0 {
		side = n.in[1]
	}
	shape := n.broadcastShapes(n.typ(0).Shape, n.typ(1).Shape, n.typ(2).Shape)
	if side.typ.Shape.Equal(shape) {
		return []*tensor{side}
	}
	return result(n.broadcast(n.value(side), shape))
}
