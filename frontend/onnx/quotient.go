package onnx

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// quotient is the expression num/den. Exporters compute sizes in floats, as
// floor(float(height)*1.5): the elements of a computed tensor of floats that
// are quotients of expressions are followed beside its value, so that the
// integers they become are expressions again. Floats of extents are exact, as
// extents are far below 2^24.
type quotient struct {
	num ir.Dim
	den int64
}

// maxDen bounds denominators; a factor that needs a larger one is no simple
// fraction.
const maxDen = 1 << 12

// quotientsOf returns what is known of the elements of t: its quotients, or
// those of its known floats; nil if one is not a simple fraction.
func quotientsOf(t *tensor) []quotient {
	if t.quots != nil || t.elems == nil || !t.typ.DType.IsFloat() {
		return t.quots
	}
	out := make([]quotient, len(t.elems))
	for i, e := range t.elems {
		den := int64(1)
		for e.f*float64(den) != math.Trunc(e.f*float64(den)) && den < maxDen {
			den *= 2
		}
		num := e.f * float64(den)
		if num != math.Trunc(num) || math.Abs(num) > 1<<31 {
			return nil
		}
		out[i] = quotient{ir.Const(int64(num)), den}
	}
	return out
}

// castToFloat returns the quotients of known integers that become floats.
func castToFloat(t *tensor, d ir.DType) []quotient {
	if t.elems == nil || !exprType(t.typ.DType) || d != ir.F32 && d != ir.F64 {
		return nil
	}
	out := make([]quotient, len(t.elems))
	for i, e := range t.elems {
		out[i] = quotient{e.d, 1}
	}
	return out
}

// castToInt returns the elements of floats that become integers: truncated,
// which is floor for what is not negative.
func castToInt(t *tensor) []elem {
	if t.quots == nil {
		return nil
	}
	out := make([]elem, len(t.quots))
	for i, q := range t.quots {
		if q.den != 1 && !notNegative(q.num) {
			return nil
		}
		out[i].d = q.num.FloorDiv(ir.Const(q.den))
	}
	return out
}

// combineQuotients applies an operation to the quotients of two vectors of one
// size, or of which one has a single element.
func combineQuotients(op ir.Op, a, b *tensor) []quotient {
	x, y := quotientsOf(a), quotientsOf(b)
	if x == nil || y == nil || a.quots == nil && b.quots == nil ||
		a.typ.Rank() > 1 || b.typ.Rank() > 1 {
		return nil
	}
	if len(x) != len(y) && len(x) != 1 && len(y) != 1 {
		return nil
	}
	out := make([]quotient, max(len(x), len(y)))
	for i := range out {
		q, ok := combineQuotient(op, x[min(i, len(x)-1)], y[min(i, len(y)-1)])
		if !ok || q.den > maxDen || q.num.Overflows() {
			return nil
		}
		out[i] = q
	}
	return out
}

func combineQuotient(op ir.Op, x, y quotient) (quotient, bool) {
	switch op {
	case ir.OpMul:
		return quotient{x.num.Mul(y.num), x.den * y.den}, true
	case ir.OpDiv:
		k, ok := y.num.Int()
		if !ok || k <= 0 || k > maxDen {
			return quotient{}, false
		}
		return quotient{x.num.MulConst(y.den), x.den * k}, true
	case ir.OpAdd, ir.OpSub:
		other := y.num.MulConst(x.den)
		if op == ir.OpSub {
			other = other.Neg()
		}
		return quotient{x.num.MulConst(y.den).Add(other), x.den * y.den}, true
	}
	return quotient{}, false
}

// roundQuotients rounds quotients to integers.
func roundQuotients(op ir.Op, t *tensor) []quotient {
	out := slices.Clone(t.quots)
	for i, q := range out {
		den := ir.Const(q.den)
		switch op {
		case ir.OpFloor:
			out[i] = quotient{q.num.FloorDiv(den), 1}
		case ir.OpCeil:
			out[i] = quotient{q.num.CeilDiv(den), 1}
		default:
			if q.den != 1 {
				return nil
			}
		}
	}
	return out
}
