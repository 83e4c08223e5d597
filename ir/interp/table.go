package interp

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// evalFunc computes the results of an operation: one, but for tuples.
type evalFunc func(c *call) ([]*Tensor, error)

// missing says why evals lacks an operation.
var missing = map[ir.Op]string{
	ir.OpParam: "bound by the caller of Run",
}

// evals is the meaning of each operation. It is filled by init because
// regions refer back to it.
var evals map[ir.Op]evalFunc

func init() {
	evals = map[ir.Op]evalFunc{
		ir.OpConst: evalConst,
		ir.OpGet:   evalGet,
		ir.OpDims:  evalDims,
		ir.OpBind:  evalBind,
		ir.OpCheck: evalCheck,
		ir.OpIf:    evalIf,
		ir.OpScan:  evalScan,
		ir.OpFuse:  evalFuse,

		ir.OpNeg:      unary(neg, neg, neg),
		ir.OpAbs:      unary(math.Abs, absInt, same),
		ir.OpSign:     unary(signFloat, signInt, signUint),
		ir.OpCeil:     float(math.Ceil),
		ir.OpFloor:    float(math.Floor),
		ir.OpTrunc:    float(math.Trunc),
		ir.OpRound:    float(math.RoundToEven),
		ir.OpSqrt:     float(math.Sqrt),
		ir.OpExp:      float(exp),
		ir.OpExpm1:    float(math.Expm1),
		ir.OpLog:      float(log),
		ir.OpLog1p:    float(math.Log1p),
		ir.OpSin:      float(sin),
		ir.OpCos:      float(cos),
		ir.OpTan:      float(tan),
		ir.OpAsin:     float(asin),
		ir.OpAcos:     float(acos),
		ir.OpAtan:     float(math.Atan),
		ir.OpSinh:     float(sinh),
		ir.OpCosh:     float(cosh),
		ir.OpTanh:     float(math.Tanh),
		ir.OpAsinh:    float(math.Asinh),
		ir.OpAcosh:    float(math.Acosh),
		ir.OpAtanh:    float(math.Atanh),
		ir.OpErf:      float(math.Erf),
		ir.OpSigmoid:  float(sigmoid),
		ir.OpNot:      unary(nil, not, not),
		ir.OpIsNaN:    predicate(math.IsNaN),
		ir.OpIsInf:    predicate(isInf),
		ir.OpPopcount: into(evalPopcount),
		ir.OpCast:     into(evalCast),
		ir.OpBitcast:  into(evalBitcast),
		ir.OpBarrier:  func(c *call) ([]*Tensor, error) { return []*Tensor{c.arg(0)}, nil },

		ir.OpAdd:      binary(add, add, add),
		ir.OpSub:      binary(sub, sub, sub),
		ir.OpMul:      binary(mul, mul, mul),
		ir.OpDiv:      binary(quoFloat, quo, quo),
		ir.OpFloorDiv: binary(floorDivFloat, floorQuo, quo),
		ir.OpRem:      binary(math.Mod, rem, rem),
		ir.OpMod:      binary(modFloat, floorMod, rem),
		ir.OpPow:      binary(pow, powInt, powUint),
		ir.OpAtan2:    binary(atan2, nil, nil),
		ir.OpMax:      binary(larger, larger, larger),
		ir.OpMin:      binary(smaller, smaller, smaller),
		ir.OpAnd:      binary(nil, and, and),
		ir.OpOr:       binary(nil, or, or),
		ir.OpXor:      binary(nil, xor, xor),
		ir.OpShl:      binary(nil, shlInt, shlUint),
		ir.OpShr:      binary(nil, shrInt, shrUint),
		ir.OpEq:       compare(eq, eq, eq),
		ir.OpNe:       compare(ne, ne, ne),
		ir.OpLt:       compare(lt, lt, lt),
		ir.OpLe:       compare(le, le, le),
		ir.OpGt:       compare(gt, gt, gt),
		ir.OpGe:       compare(ge, ge, ge),
		ir.OpSelect:   into(evalSelect),
		ir.OpFMA:      into(evalFMA),

		ir.OpIota:       into(evalIota),
		ir.OpRandomBits: into(evalRandomBits),

		ir.OpBroadcast:     into(evalBroadcast),
		ir.OpReshape:       evalReshape,
		ir.OpTranspose:     into(evalTranspose),
		ir.OpSlice:         into(evalSlice),
		ir.OpUpdateSlice:   into(evalUpdateSlice),
		ir.OpPad:           into(evalPad),
		ir.OpConcat:        into(evalConcat),
		ir.OpGather:        into(evalGather),
		ir.OpTakeAlong:     into(evalTakeAlong),
		ir.OpGatherND:      into(evalGatherND),
		ir.OpScatterAlong:  into(evalScatterAlong),
		ir.OpScatterND:     into(evalScatterND),
		ir.OpDynamicSlice:  into(evalDynamicSlice),
		ir.OpDynamicUpdate: into(evalDynamicUpdate),
		ir.OpNonZero:       evalNonZero,

		ir.OpSum:          reduction(zero, add, add, add),
		ir.OpProd:         reduction(one, mul, mul, mul),
		ir.OpReduceMax:    reduction(lowest, larger, larger, larger),
		ir.OpReduceMin:    reduction(highest, smaller, smaller, smaller),
		ir.OpArgMax:       argOf(aboveNaN, gt, gt),
		ir.OpArgMin:       argOf(belowNaN, lt, lt),
		ir.OpCumSum:       cumulative(zero, add, add, add),
		ir.OpCumProd:      cumulative(one, mul, mul, mul),
		ir.OpCumMax:       cumulative(lowest, larger, larger, larger),
		ir.OpCumLogSumExp: cumulative(lowest, logAddExp, nil, nil),
		ir.OpArgSort:      into(evalArgSort),
		ir.OpWindowSum:    windowed(zero, add, add, add),
		ir.OpWindowMax:    windowed(lowest, larger, larger, larger),

		ir.OpDot:  into(evalDot),
		ir.OpConv: into(evalConv),
	}
}
