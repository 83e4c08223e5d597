package llvm

import (
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Comparisons of integers that are polynomials: the conditions of tails and
// padding.

// sideOf says of an ordered comparison a OP b, by the difference n = a-b,
// which it is: n < 0, n <= 0, or the negation of one.
var sideOf = map[ir.Op]struct {
	orEqual, negate bool
}{
	ir.OpLt: {false, false}, ir.OpLe: {true, false},
	ir.OpGt: {true, true}, ir.OpGe: {false, true},
}

// compareIndex emits the comparison x of two polynomials: a number where their
// difference is one, and a compare of narrow lane numbers with a limit where
// the difference goes up or down by one a lane.
func (e *emitter) compareIndex(x *kernel.Expr) (val, bool) {
	a, okA := e.asIndex(x.Args[0])
	b, okB := e.asIndex(x.Args[1])
	if !okA || !okB {
		return val{}, false
	}
	diff := a.Sub(b)
	if k, ok := diff.Int(); ok {
		return val{Value: constant.NewBool(holds(x.Op, k))}, true
	}
	step, first, ok := e.stride(diff)
	side, ordered := sideOf[x.Op]
	if !ok || !ordered || step != 1 && step != -1 {
		return val{}, false
	}
	// step 1:  lane + first < 0, that is lane < -first.
	// step -1: first - lane < 0, that is not lane < first+1.
	limit, negate := first.Neg(), side.negate
	if side.orEqual {
		limit = limit.AddConst(1)
	}
	if step < 0 {
		limit, negate = first.AddConst(1), !negate
		if side.orEqual {
			limit = first
		}
	}
	v := e.below(limit)
	if negate {
		v = e.not(v)
	}
	return v, true
}

// asIndex returns x as a polynomial, folded.
func (e *emitter) asIndex(x *kernel.Expr) (ir.Dim, bool) {
	switch {
	case x.Kind == kernel.KIndex:
		return e.fold(x.Index), true
	case x.Kind == kernel.KConst && x.DType == ir.I64:
		return ir.Const(int64(x.Bits)), true
	case x.Kind == kernel.KVar:
		d, ok := e.unrolled[x.Var]
		return d, ok
	}
	return ir.Dim{}, false
}

func holds(op ir.Op, diff int64) bool {
	switch op {
	case ir.OpEq:
		return diff == 0
	case ir.OpNe:
		return diff != 0
	case ir.OpLt:
		return diff < 0
	case ir.OpLe:
		return diff <= 0
	case ir.OpGt:
		return diff > 0
	}
	return diff >= 0
}

// below is the mask of the lanes whose number is less than limit, which is the
// same in all lanes.
func (e *emitter) below(limit ir.Dim) val {
	key := "below " + e.lane + " " + limit.String()
	return val{e.cached(key, func() value.Value {
		lim := e.folded(limit).Value
		lim = e.intrinsic("llvm.smax.i64", i64, lim, constant.NewInt(i64, 0))
		lim = e.intrinsic("llvm.smin.i64", i64, lim, constant.NewInt(i64, int64(e.width)))
		t := e.laneType()
		if t != i64 {
			lim = e.cur.NewTrunc(lim, t)
		}
		return e.cur.NewICmp(enum.IPredULT, e.iota(t), e.widen(val{Value: lim}, true).Value)
	}), true}
}

// laneType is the integer type whose vector of all lanes fits registers best.
func (e *emitter) laneType() *types.IntType {
	switch bits := e.target.Vector / e.width; {
	case bits >= 64:
		return i64
	case bits >= 16:
		return types.I32
	case bits >= 8:
		return types.I16
	}
	return types.I8
}
