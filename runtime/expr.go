package runtime

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// This file evaluates and prints the integers of a plan.

// overflow is the value of a slot whose result does not fit; it spreads to all that use it.
const overflow = math.MinInt64

// value returns the number that x stands for.
func value(slots []int64, x Int) int64 {
	if x >= 0 {
		return int64(x)
	}
	return slots[^x]
}

// eval computes one expression.
func eval(e *Expr, slots, symbols []int64) int64 {
	switch e.Op {
	case OpConst:
		return e.Const
	case OpSym:
		return symbols[e.A]
	}
	a, b := value(slots, e.A), value(slots, e.B)
	if e.Op == OpSelect {
		if a == overflow {
			return overflow
		}
		if a != 0 {
			return b
		}
		return value(slots, e.C)
	}
	if a == overflow || b == overflow {
		return overflow
	}
	return binary[e.Op](a, b)
}

// binary has the operations of two operands.
var binary = [...]func(a, b int64) int64{
	OpAdd: func(a, b int64) int64 {
		if s := a + b; (a < 0) != (b < 0) || (s < 0) == (a < 0) {
			return s
		}
		return overflow
	},
	OpSub: func(a, b int64) int64 {
		if s := a - b; (a < 0) == (b < 0) || (s < 0) == (a < 0) {
			return s
		}
		return overflow
	},
	OpMul:      mul,
	OpFloorDiv: floorDiv,
	OpCeilDiv: func(a, b int64) int64 {
		q := floorDiv(a, b)
		if b != 0 && q*b != a {
			q++
		}
		return q
	},
	OpMod: func(a, b int64) int64 {
		if b == 0 {
			return 0
		}
		return a - b*floorDiv(a, b)
	},
	OpMin:  func(a, b int64) int64 { return min(a, b) },
	OpMax:  func(a, b int64) int64 { return max(a, b) },
	OpEq:   func(a, b int64) int64 { return truth(a == b) },
	OpLess: func(a, b int64) int64 { return truth(a < b) },
}

func mul(a, b int64) int64 {
	ua, ub := uint64(a), uint64(b)
	if a < 0 {
		ua = -ua
	}
	if b < 0 {
		ub = -ub
	}
	hi, lo := bits.Mul64(ua, ub)
	if hi != 0 || lo > math.MaxInt64 {
		return overflow
	}
	if (a < 0) != (b < 0) {
		return -int64(lo)
	}
	return int64(lo)
}

func floorDiv(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// exprForms are the texts of the operations: %a, %b, %c are operands.
var exprForms = [...]string{
	OpAdd: "(%a+%b)", OpSub: "(%a-%b)", OpMul: "%a*%b", OpFloorDiv: "floor(%a/%b)",
	OpCeilDiv: "ceil(%a/%b)", OpMod: "mod(%a,%b)", OpMin: "min(%a,%b)", OpMax: "max(%a,%b)",
	OpEq: "(%a==%b)", OpLess: "(%a<%b)", OpSelect: "(%a ? %b : %c)",
}

// IntString returns x in terms of the symbols' names, such as 2*N.
func (p *Program) IntString(x Int) string {
	if x >= 0 {
		return fmt.Sprint(int64(x))
	}
	e := p.Exprs[^x]
	switch e.Op {
	case OpConst:
		return fmt.Sprint(e.Const)
	case OpSym:
		return p.Symbols[e.A].Name
	}
	form := exprForms[e.Op]
	r := []string{"%a", p.IntString(e.A), "%b", p.IntString(e.B)}
	if e.Op == OpSelect {
		r = append(r, "%c", p.IntString(e.C))
	}
	return strings.ReplaceAll(strings.NewReplacer(r...).Replace(form), "+-", "-")
}

// PortString returns the dtype and dims of a port, such as f32[N,784].
func (p *Program) PortString(port *Port) string {
	dims := make([]string, len(port.Dims))
	for i, d := range port.Dims {
		dims[i] = p.IntString(d)
	}
	return port.DType.String() + "[" + strings.Join(dims, ",") + "]"
}
