package kernel

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Narrow computes the integer expression e, in the body of loop v, in type d
// and converts it back: an instruction for small integers can then have it. It
// returns e as a d. It is legal where the values of e, which follow from its
// types and constants, fit d.
func (k *Kernel) Narrow(v string, e *Expr, d ir.DType) (*Expr, error) {
	p, err := k.find("narrow", v)
	if err != nil {
		return nil, err
	}
	if e.Kind == KOp && e.Op == ir.OpCast && e.Args[0].DType == d && values(d).in(values(e.DType)) {
		return e.Args[0], nil
	}
	if r := values(d); !e.DType.IsInt() || !rangeOf(e).in(r) {
		return nil, refuse("narrow", v, "values from %d to %d are not all %v", rangeOf(e).lo,
			rangeOf(e).hi, d)
	}
	small := CastExpr(d, e)
	p.loop.Body = (&subst{expr: func(x *Expr) *Expr {
		if sameExpr(x, e) {
			return CastExpr(e.DType, small)
		}
		return x
	}}).body(p.loop.Body)
	return small, nil
}

// interval is the integers from lo to hi.
type interval struct{ lo, hi int64 }

func (a interval) in(b interval) bool { return a.lo >= b.lo && a.hi <= b.hi }

func (a interval) union(b interval) interval {
	return interval{min(a.lo, b.lo), max(a.hi, b.hi)}
}

var unbounded = interval{math.MinInt64, math.MaxInt64}

// values are those of d; unbounded stands for more than that of i32 and u32.
func values(d ir.DType) interval {
	switch {
	case d == ir.Bool:
		return interval{0, 1}
	case !d.IsInt() || d.Bits() > 32:
		return unbounded
	case d.IsUnsigned():
		return interval{0, 1<<d.Bits() - 1}
	}
	return interval{-1 << (d.Bits() - 1), 1<<(d.Bits()-1) - 1}
}

// rangeOf bounds the values of the integer expression e.
func rangeOf(e *Expr) interval {
	all := values(e.DType)
	if e.Kind == KConst && e.DType.IsInt() {
		return interval{int64(e.Bits), int64(e.Bits)}
	}
	if e.Kind != KOp || !e.DType.IsInt() || e.DType.Bits() > 32 {
		return all
	}
	var args []interval
	for _, a := range e.Args {
		if !a.DType.IsInt() && a.DType != ir.Bool || a.DType.Bits() > 32 {
			return all
		}
		args = append(args, rangeOf(a))
	}
	r := all
	switch e.Op {
	case ir.OpCast:
		r = args[0]
	case ir.OpSelect:
		r = args[1].union(args[2])
	case ir.OpAdd:
		r = interval{args[0].lo + args[1].lo, args[0].hi + args[1].hi}
	case ir.OpSub:
		r = interval{args[0].lo - args[1].hi, args[0].hi - args[1].lo}
	case ir.OpNeg:
		r = interval{-args[0].hi, -args[0].lo}
	}
	if !r.in(all) {
		return all // it wraps around
	}
	return r
}
