package onnx

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// interval is the integers from lo to hi; the extreme int64 values stand for
// infinity.
type interval struct{ lo, hi int64 }

const (
	negInf = math.MinInt64
	posInf = math.MaxInt64
)

// bounds returns an interval that holds every value of d. Symbols are extents
// and so not negative.
func bounds(d ir.Dim) interval {
	return ir.Walk(d,
		func(k int64) interval { return interval{k, k} },
		func(string) interval { return interval{0, posInf} }, combine)
}

// combine returns an interval of the results of an operation of ir.Walk.
func combine(op byte, a, b interval) interval {
	switch op {
	case '+':
		return interval{addSat(a.lo, b.lo, negInf), addSat(a.hi, b.hi, posInf)}
	case '*':
		return mulInterval(a, b)
	case '/':
		return divInterval(a, b)
	case '%':
		if b.lo <= 0 {
			return interval{negInf, posInf}
		}
		hi := addSat(b.hi, -1, posInf)
		if a.lo >= 0 {
			hi = min(hi, a.hi)
		}
		return interval{0, hi}
	case '<':
		return interval{min(a.lo, b.lo), min(a.hi, b.hi)}
	default:
		return interval{max(a.lo, b.lo), max(a.hi, b.hi)}
	}
}

// addSat adds; a sum with an infinity or beyond int64 is the infinity inf of
// the bound that is computed.
func addSat(a, b, inf int64) int64 {
	if a == negInf || a == posInf || b == negInf || b == posInf {
		return inf
	}
	s := a + b
	if (s > a) != (b > 0) && b != 0 {
		return inf
	}
	return s
}

func mulInterval(a, b interval) interval {
	out := interval{posInf, negInf}
	for _, x := range []int64{a.lo, a.hi} {
		for _, y := range []int64{b.lo, b.hi} {
			p := mulSat(x, y)
			out.lo, out.hi = min(out.lo, p), max(out.hi, p)
		}
	}
	return out
}

func mulSat(x, y int64) int64 {
	if x == 0 || y == 0 {
		return 0
	}
	inf := int64(posInf)
	if (x < 0) != (y < 0) {
		inf = negInf
	}
	if x == negInf || x == posInf || y == negInf || y == posInf {
		return inf
	}
	p := x * y
	if p/y != x {
		return inf
	}
	return p
}

func divInterval(a, b interval) interval {
	if b.lo != b.hi || b.lo <= 0 {
		if a.lo >= 0 && b.lo > 0 {
			return interval{0, a.hi}
		}
		return interval{negInf, posInf}
	}
	div := func(x int64) int64 {
		if x == negInf || x == posInf {
			return x
		}
		q := x / b.lo
		if x%b.lo < 0 {
			q--
		}
		return q
	}
	return interval{div(a.lo), div(a.hi)}
}

// notNegative reports whether d is known to be 0 or more.
func notNegative(d ir.Dim) bool { return bounds(d).lo >= 0 }

// compare returns the sign of a-b if it is known to be -1, 0 or 1 for all
// values of the symbols.
func compare(a, b ir.Dim) (sign int, known bool) {
	diff := a.Sub(b)
	r := bounds(diff)
	switch {
	case diff.IsConst(0):
		return 0, true
	case r.lo > 0:
		return 1, true
	case r.hi < 0:
		return -1, true
	}
	return 0, false
}

// lesser and greater are minimum and maximum without the expression where the
// bounds decide.
func lesser(a, b ir.Dim) ir.Dim {
	r := bounds(a.Sub(b))
	if r.hi <= 0 {
		return a
	}
	if r.lo >= 0 {
		return b
	}
	return a.Min(b)
}

func greater(a, b ir.Dim) ir.Dim {
	r := bounds(a.Sub(b))
	if r.lo >= 0 {
		return a
	}
	if r.hi <= 0 {
		return b
	}
	return a.Max(b)
}
