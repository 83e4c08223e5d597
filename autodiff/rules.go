package autodiff

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// rule says what reaches each argument of v of the cotangents dy of its
// results, of which those that are zero are nil. It returns one value an
// argument, nil where nothing reaches it or b.need does not ask for it.
type rule func(b *back, v *ir.Value, dy []*ir.Value) []*ir.Value

// formula is the rule of one argument of an operation with one result.
type formula func(b *back, v, dy *ir.Value) *ir.Value

// val makes the rows of the table short.
type val = *ir.Value

// each makes a rule from a formula an argument; nil is for arguments to which
// nothing reaches: integers, and what counts as locally constant.
func each(formulas ...formula) rule {
	return func(b *back, v *ir.Value, dy []*ir.Value) []*ir.Value {
		out := make([]*ir.Value, len(formulas))
		for i, f := range formulas {
			if f != nil && b.need[i] {
				out[i] = f(b, v, dy[0])
			}
		}
		return out
	}
}

// of makes a rule of an operation y = f(x) from its formula.
func of(f func(b *back, x, y, dy *ir.Value) *ir.Value) rule {
	return each(func(b *back, v, dy *ir.Value) *ir.Value { return f(b, v.Args[0], v, dy) })
}

// flat is the rule of operations that are constant almost everywhere.
var flat = each(nil)

func pass(_ *back, _, dy *ir.Value) *ir.Value { return dy }

// rules is THE table of vector-Jacobian products. In formulas, x and y are the
// arguments, r is the result and d its cotangent.
//
// The rows of operations with bodies are in init, because they differentiate
// their bodies with the table.
var rules = map[ir.Op]rule{
	ir.OpNeg:   each(func(b *back, _, d val) val { return b.neg(d) }),
	ir.OpAbs:   of(func(b *back, x, _, d val) val { return b.mul(d, b.op(ir.OpSign, nil, x)) }),
	ir.OpSign:  flat,
	ir.OpCeil:  flat,
	ir.OpFloor: flat,
	ir.OpTrunc: flat,
	ir.OpRound: flat,
	ir.OpSqrt:  of(func(b *back, _, r, d val) val { return b.div(d, b.scale(r, 2)) }),
	ir.OpExp:   of(func(b *back, _, r, d val) val { return b.mul(d, r) }),
	ir.OpExpm1: of(func(b *back, _, r, d val) val { return b.mul(d, b.add(r, b.num(r, 1))) }),
	ir.OpLog:   of(func(b *back, x, _, d val) val { return b.div(d, x) }),
	ir.OpLog1p: of(func(b *back, x, _, d val) val { return b.div(d, b.add(x, b.num(x, 1))) }),
	ir.OpSin:   of(func(b *back, x, _, d val) val { return b.mul(d, b.op(ir.OpCos, nil, x)) }),
	ir.OpCos:   of(func(b *back, x, _, d val) val { return b.neg(b.mul(d, b.op(ir.OpSin, nil, x))) }),
	ir.OpTan: of(func(b *back, _, r, d val) val {
		return b.mul(d, b.add(b.square(r), b.num(r, 1)))
	}),
	ir.OpAsin: of(func(b *back, x, _, d val) val { return b.div(d, b.rootOf(1, x, -1)) }),
	ir.OpAcos: of(func(b *back, x, _, d val) val { return b.neg(b.div(d, b.rootOf(1, x, -1))) }),
	ir.OpAtan: of(func(b *back, x, _, d val) val {
		return b.div(d, b.add(b.square(x), b.num(x, 1)))
	}),
	ir.OpSinh: of(func(b *back, x, _, d val) val { return b.mul(d, b.op(ir.OpCosh, nil, x)) }),
	ir.OpCosh: of(func(b *back, x, _, d val) val { return b.mul(d, b.op(ir.OpSinh, nil, x)) }),
	ir.OpTanh: of(func(b *back, _, r, d val) val {
		return b.mul(d, b.sub(b.num(r, 1),
			b.square(r)))
	}),
	ir.OpAsinh: of(func(b *back, x, _, d val) val { return b.div(d, b.rootOf(1, x, 1)) }),
	ir.OpAcosh: of(func(b *back, x, _, d val) val { return b.div(d, b.rootOf(-1, x, 1)) }),
	ir.OpAtanh: of(func(b *back, x, _, d val) val {
		return b.div(d, b.sub(b.num(x, 1),
			b.square(x)))
	}),
	ir.OpErf: of(func(b *back, x, _, d val) val {
		return b.mul(d, b.scale(b.op(ir.OpExp, nil, b.neg(b.square(x))), 2/math.Sqrt(math.Pi)))
	}),
	ir.OpSigmoid: of(func(b *back, _, r, d val) val {
		return b.mul(d, b.mul(r, b.sub(b.num(r, 1), r)))
	}),
	ir.OpBarrier: each(func(_ *back, v, d val) val {
		if v.Attr.(*ir.BarrierAttr).Stop {
			return nil
		}
		return d
	}),
	ir.OpCast: of(func(b *back, x, _, d val) val { return b.cast(d, x.Type.DType) }),

	ir.OpAdd: each(pass, pass),
	ir.OpSub: each(pass, func(b *back, _, d val) val { return b.neg(d) }),
	ir.OpMul: each(
		func(b *back, v, d val) val { return b.mul(d, v.Args[1]) },
		func(b *back, v, d val) val { return b.mul(d, v.Args[0]) }),
	ir.OpDiv: each(
		func(b *back, v, d val) val { return b.div(d, v.Args[1]) },
		func(b *back, v, d val) val { return b.neg(b.div(b.mul(d, v), v.Args[1])) }),
	ir.OpFloorDiv: each(nil, nil),
	ir.OpRem:      each(pass, remainder(ir.OpTrunc)),
	ir.OpMod:      each(pass, remainder(ir.OpFloor)),
	ir.OpPow:      each(powBase, powExponent),
	ir.OpAtan2: each(
		func(b *back, v, d val) val { return b.div(b.mul(d, v.Args[1]), b.norm2(v)) },
		func(b *back, v, d val) val { return b.neg(b.div(b.mul(d, v.Args[0]), b.norm2(v))) }),
	ir.OpMax:    each(extremum(ir.OpGt, 0), extremum(ir.OpGt, 1)),
	ir.OpMin:    each(extremum(ir.OpLt, 0), extremum(ir.OpLt, 1)),
	ir.OpSelect: each(nil, selected(true), selected(false)),
	ir.OpFMA: each(
		func(b *back, v, d val) val { return b.mul(d, v.Args[1]) },
		func(b *back, v, d val) val { return b.mul(d, v.Args[0]) },
		pass),

	ir.OpBroadcast:     each(broadcastRule),
	ir.OpReshape:       of(func(b *back, x, _, d val) val { return b.reshape(d, x.Type.Shape) }),
	ir.OpTranspose:     each(transposeRule),
	ir.OpSlice:         each(sliceRule),
	ir.OpUpdateSlice:   each(updateSliceBase, updateSlicePart),
	ir.OpPad:           each(padInner, padValue),
	ir.OpConcat:        concatRule,
	ir.OpGather:        each(gatherRule, nil),
	ir.OpTakeAlong:     each(takeAlongRule, nil),
	ir.OpGatherND:      each(gatherNDRule, nil),
	ir.OpScatterAlong:  scatterRule,
	ir.OpScatterND:     scatterRule,
	ir.OpDynamicSlice:  each(dynamicSliceRule, nil),
	ir.OpDynamicUpdate: each(dynamicUpdateBase, dynamicUpdatePart, nil),

	ir.OpSum:          each(sumRule),
	ir.OpProd:         each(prodRule),
	ir.OpReduceMax:    each(reduceExtremum),
	ir.OpReduceMin:    each(reduceExtremum),
	ir.OpCumSum:       each(cumSumRule),
	ir.OpCumProd:      each(cumProdRule),
	ir.OpCumMax:       each(cumMaxRule),
	ir.OpCumLogSumExp: each(cumLogSumExpRule),
	ir.OpWindowSum:    each(windowSumRule),
	ir.OpWindowMax:    each(windowMaxRule),

	ir.OpDot:  each(dotLeft, dotRight),
	ir.OpConv: each(convInput, convWeights),
}

func init() {
	rules[ir.OpIf], rules[ir.OpScan] = ifRule, scanRule
}

const (
	discrete = "its result is not of a floating-point type"
	source   = "it has no argument that a gradient could reach"
)

// missing lists, with the reason, the operations that rules does not have.
var missing = map[ir.Op]string{
	ir.OpParam: "the walk ends here", ir.OpConst: source, ir.OpDims: source, ir.OpIota: source,
	ir.OpGet:  "the walk itself hands its cotangent to the tuple",
	ir.OpBind: discrete, ir.OpCheck: source,
	ir.OpFuse: "fusion runs after differentiation: differentiate before the passes",
	ir.OpNot:  discrete, ir.OpIsNaN: discrete, ir.OpIsInf: discrete, ir.OpPopcount: discrete,
	ir.OpBitcast: "bits are not a differentiable function of a number: use cast",
	ir.OpAnd:     discrete, ir.OpOr: discrete, ir.OpXor: discrete,
	ir.OpShl: discrete, ir.OpShr: discrete,
	ir.OpEq: discrete, ir.OpNe: discrete, ir.OpLt: discrete, ir.OpLe: discrete, ir.OpGt: discrete,
	ir.OpGe: discrete, ir.OpRandomBits: discrete, ir.OpNonZero: discrete,
	ir.OpArgMax: discrete, ir.OpArgMin: discrete, ir.OpArgSort: discrete,
}

// Missing says why op has no gradient of its own, "" if it has one.
func Missing(op ir.Op) string { return missing[op] }

// rootOf is sqrt(c + s*x*x).
func (b *back) rootOf(c float64, x *ir.Value, s float64) *ir.Value {
	q := b.square(x)
	if s < 0 {
		q = b.neg(q)
	}
	return b.op(ir.OpSqrt, nil, b.add(q, b.num(x, c)))
}

// norm2 is x*x + y*y of the arguments of v, and 1 where both are 0: what it
// divides is 0 there.
func (b *back) norm2(v *ir.Value) *ir.Value {
	x, y := v.Args[0], v.Args[1]
	n := b.add(b.square(x), b.square(y))
	none := b.op(ir.OpAnd, nil, b.eq(x, b.num(x, 0)), b.eq(y, b.num(y, 0)))
	return b.op(ir.OpSelect, nil, none, b.num(n, 1), n)
}

// remainder is the formula of y in x - y*round(x/y).
func remainder(round ir.Op) formula {
	return func(b *back, v, d val) val {
		return b.neg(b.mul(d, b.op(round, nil, b.div(v.Args[0], v.Args[1]))))
	}
}

// powBase is d*y*x**(y-1), and 0 where y is 0 even if x is.
func powBase(b *back, v, d val) val {
	x, y := v.Args[0], v.Args[1]
	if c, ok := constant(y); ok {
		switch c {
		case 0:
			return nil
		case 1:
			return d
		case 2:
			return b.mul(d, b.scale(x, 2))
		}
		return b.mul(d, b.mul(y, b.op(ir.OpPow, nil, x, b.num(y, c-1))))
	}
	r := b.mul(d, b.mul(y, b.op(ir.OpPow, nil, x, b.sub(y, b.num(y, 1)))))
	return b.unless(b.eq(y, b.num(y, 0)), r)
}

// powExponent is d*r*log(x), and 0 where x is 0 and y is not negative.
func powExponent(b *back, v, d val) val {
	x, y := v.Args[0], v.Args[1]
	zero := b.op(ir.OpAnd, nil, b.eq(x, b.num(x, 0)), b.op(ir.OpGe, nil, y, b.num(y, 0)))
	return b.unless(zero, b.mul(d, b.mul(v, b.op(ir.OpLog, nil, x))))
}

// constant returns the value of v where all its elements are one f32 or f64
// constant.
func constant(v *ir.Value) (float64, bool) {
	for v.Op == ir.OpBroadcast || v.Op == ir.OpReshape {
		v = v.Args[0]
	}
	if v.Op != ir.OpConst {
		return 0, false
	}
	l := v.Attr.(*ir.ConstAttr).Value
	if !l.Splat && l.Size() != 1 {
		return 0, false
	}
	switch l.DType {
	case ir.F32:
		return float64(ir.Elements[float32](l)[0]), true
	case ir.F64:
		return ir.Elements[float64](l)[0], true
	}
	return 0, false
}

// extremum is the formula of argument i of max (wins is gt) or min (lt): all
// where it wins, half where both are equal.
func extremum(wins ir.Op, i int) formula {
	return func(b *back, v, d val) val {
		x, y := v.Args[i], v.Args[1-i]
		half := b.where(b.eq(x, y), b.scale(d, 0.5))
		return b.op(ir.OpSelect, nil, b.op(wins, nil, x, y), d, half)
	}
}

// selected is the formula of an argument of select.
func selected(whenTrue bool) formula {
	return func(b *back, v, d val) val {
		if whenTrue {
			return b.where(v.Args[0], d)
		}
		return b.unless(v.Args[0], d)
	}
}
