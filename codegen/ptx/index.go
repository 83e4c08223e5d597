package ptx

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Integers and addresses.

// fold replaces the variables of unrolled loops and integer lets.
func (e *emitter) fold(d ir.Dim) ir.Dim {
	if d.Static() || len(e.exact) == 0 {
		return d
	}
	return d.Subst(func(name string) (ir.Dim, bool) {
		v, ok := e.exact[name]
		return v, ok
	})
}

// index is the folded integer d.
func (e *emitter) index(d ir.Dim) val {
	type operand struct {
		v   val
		neg bool // may be negative
	}
	return ir.Walk(d, func(k int64) operand {
		return operand{val(fmt.Sprint(k)), k < 0}
	}, func(name string) operand {
		v, ok := e.vars[name]
		if !ok {
			e.errorf("integer %v: symbol %s is not bound", d, name)
			v = "0"
		}
		return operand{v, !e.natural[name]}
	}, func(op byte, a, b operand) operand {
		neg := a.neg || b.neg
		return operand{e.arith(op, neg, a.v, b.v), neg}
	}).v
}

var indexOps = map[byte]string{'+': "add.s64", '*': "mul.lo.s64", '<': "min.s64", '>': "max.s64"}

// arith is one operation of index arithmetic, which never overflows.
func (e *emitter) arith(op byte, neg bool, a, b val) val {
	name, ok := indexOps[op]
	if ok {
		if !a.isReg() {
			a, b = b, a
		}
		return e.pure(b64, name, e.inReg(b64, a), b)
	}
	a, b = e.inReg(b64, a), e.divisor(b)
	if !neg {
		return e.pure(b64, map[byte]string{'/': "div.u64", '%': "rem.u64"}[op], a, b)
	}
	q := e.pure(b64, "div.s64", a, b)
	r := e.pure(b64, "sub.s64", a, e.pure(b64, "mul.lo.s64", q, b))
	apart := e.pure(pred, "setp.lt.s64", e.pure(b64, "xor.b64", r, b), "0")
	down := e.pure(pred, "and.pred", e.pure(pred, "setp.ne.s64", r, "0"), apart)
	if op == '%' {
		return e.pure(b64, "selp.b64", e.pure(b64, "add.s64", r, b), r, down)
	}
	return e.pure(b64, "selp.b64", e.pure(b64, "add.s64", q, "-1"), q, down)
}

// divisor makes a divisor that is not zero: a zero comes only where the result
// is not used, and its quotient is not defined.
func (e *emitter) divisor(b val) val {
	if !b.isReg() && b != "0" {
		return b
	}
	b = e.inReg(b64, b)
	return e.pure(b64, "selp.b64", "1", b, e.pure(pred, "setp.eq.s64", b, "0"))
}

// constTerm returns the constant term of d.
func constTerm(d ir.Dim) int64 {
	return ir.Walk(d, func(k int64) int64 { return k }, func(string) int64 { return 0 },
		func(op byte, a, b int64) int64 {
			switch op {
			case '+':
				return a + b
			case '*':
				return a * b
			}
			return 0
		})
}

// address is the operand [register+offset] of the element at the folded index
// d. The constant term is the offset, so that neighbours share a register.
func (e *emitter) address(b *kernel.Buffer, d ir.Dim) string {
	m := e.memory(b)
	size := int64(b.DType.Size())
	k := constTerm(d)
	if k*size != int64(int32(k*size)) {
		k = 0
	}
	base := m.base
	if rest := d.AddConst(-k); !rest.IsConst(0) {
		base = e.pure(b64, "add.s64", base, e.index(rest.MulConst(size)))
	}
	if k == 0 {
		return fmt.Sprintf("[%s]", base)
	}
	return fmt.Sprintf("[%s+%d]", base, k*size)
}

func (e *emitter) memory(b *kernel.Buffer) *memory {
	m, ok := e.bufs[b]
	if !ok {
		e.errorf("buffer %s is not a parameter and not allocated here", b.Name)
		m = &memory{space: "global", base: "%rd0"}
		e.bufs[b] = m
	}
	return m
}
