package llvm

import (
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Integers and addresses.

// fold replaces the variables of unrolled loops and integer lets.
func (e *emitter) fold(d ir.Dim) ir.Dim {
	if d.Static() || len(e.unrolled) == 0 {
		return d
	}
	return d.Subst(func(name string) (ir.Dim, bool) {
		v, ok := e.unrolled[name]
		return v, ok
	})
}

// index emits the integer d as an i64, or as a vector of them where it differs
// between lanes.
func (e *emitter) index(d ir.Dim) val { return e.folded(e.fold(d)) }

func (e *emitter) folded(d ir.Dim) val {
	if k, ok := d.Int(); ok {
		return val{Value: constant.NewInt(i64, k)}
	}
	key := d.String()
	for _, s := range e.scopes {
		if v, ok := s[key]; ok {
			return v
		}
	}
	// The part that is the same in all lanes is computed once.
	var v val
	coef, rest, linear := d.Linear(e.lane)
	if e.lane != "" && linear && !rest.IsConst(0) && !coef.IsConst(0) {
		v = e.arith('+', e.folded(coef.Mul(ir.Sym(e.lane))), e.folded(rest))
	} else {
		v = e.polynomial(d)
	}
	e.scopes[len(e.scopes)-1][key] = v
	return v
}

func (e *emitter) polynomial(d ir.Dim) val {
	type operand struct {
		v   val
		neg bool // may be negative
	}
	out := ir.Walk(d, func(k int64) operand {
		return operand{val{Value: constant.NewInt(i64, k)}, k < 0}
	}, func(name string) operand {
		v, ok := e.vars[name]
		if !ok {
			e.errorf("integer %v: symbol %s is not bound", d, name)
			v = val{Value: constant.NewInt(i64, 0)}
		}
		return operand{v, !e.natural[name]}
	}, func(op byte, a, b operand) operand {
		neg := a.neg || b.neg
		switch {
		case op == '/' && !neg:
			return operand{e.arith('u', a.v, e.divisor(b.v)), false}
		case op == '%' && !neg:
			return operand{e.arith('m', a.v, e.divisor(b.v)), false}
		case op == '/':
			return operand{e.floorDiv(a.v, b.v), true}
		case op == '%':
			b.v = e.divisor(b.v)
			q := e.floorDiv(a.v, b.v)
			return operand{e.arith('-', a.v, e.arith('*', q, b.v)), b.neg}
		}
		return operand{e.arith(op, a.v, b.v), neg}
	})
	return out.v
}

// divisor makes a divisor that is not zero, so that nothing faults: a zero
// comes only where the result is not used.
func (e *emitter) divisor(d val) val {
	if c, ok := d.Value.(*constant.Int); ok && c.X.Sign() > 0 {
		return d
	}
	zero := e.widen(val{Value: constant.NewInt(i64, 0)}, d.vec)
	one := e.widen(val{Value: constant.NewInt(i64, 1)}, d.vec)
	isZero := e.cur.NewICmp(enum.IPredEQ, d.Value, zero)
	return val{e.cur.NewSelect(isZero, one, d.Value), d.vec}
}

func (e *emitter) floorDiv(a, b val) val {
	b = e.divisor(b)
	a, b = e.same(a, b)
	q := e.cur.NewSDiv(a.Value, b.Value)
	r := e.cur.NewSub(a.Value, e.cur.NewMul(q, b.Value))
	zero := e.widen(val{Value: constant.NewInt(i64, 0)}, a.vec).Value
	inexact := e.cur.NewICmp(enum.IPredNE, r, zero)
	apart := e.cur.NewICmp(enum.IPredSLT, e.cur.NewXor(r, b.Value), zero)
	down := e.cur.NewAnd(inexact, apart)
	return val{e.cur.NewAdd(q, e.cur.NewSExt(down, q.Type())), a.vec}
}

// arith emits one operation of index arithmetic, which never overflows: u and
// m are the quotient and remainder of natural numbers.
func (e *emitter) arith(op byte, a, b val) val {
	a, b = e.same(a, b)
	nsw := []enum.OverflowFlag{enum.OverflowFlagNSW}
	x, y, c := a.Value, b.Value, e.cur
	var out value.Value
	switch op {
	case '+':
		i := c.NewAdd(x, y)
		i.OverflowFlags, out = nsw, i
	case '-':
		i := c.NewSub(x, y)
		i.OverflowFlags, out = nsw, i
	case '*':
		i := c.NewMul(x, y)
		i.OverflowFlags, out = nsw, i
	case 'u':
		out = c.NewUDiv(x, y)
	case 'm':
		out = c.NewURem(x, y)
	case '<':
		out = e.intrinsic("llvm.smin."+suffix(x.Type()), x.Type(), x, y)
	case '>':
		out = e.intrinsic("llvm.smax."+suffix(x.Type()), x.Type(), x, y)
	}
	return val{out, a.vec}
}

// varies reports whether d, folded, differs between lanes.
func (e *emitter) varies(d ir.Dim) bool {
	if e.lane == "" || d.Static() {
		return false
	}
	for _, name := range d.SymNames() {
		if name == e.lane || e.vars[name].vec {
			return true
		}
	}
	return false
}

// stride returns the distance between lanes of the folded index d where that
// is a number, and the index of lane 0.
func (e *emitter) stride(d ir.Dim) (stride int64, first ir.Dim, ok bool) {
	if !e.varies(d) {
		return 0, d, true
	}
	coef, rest, ok := d.Linear(e.lane)
	n, static := coef.Int()
	return n, rest, ok && static && !e.varies(rest)
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

// address returns the pointer to the element at the folded index d, which is
// the same in all lanes. The constant term is added last, so that accesses
// near each other share the rest.
func (e *emitter) address(b *kernel.Buffer, d ir.Dim) value.Value {
	m := e.memory(b)
	k := constTerm(d)
	p := m.base
	if rest := d.AddConst(-k); !rest.IsConst(0) {
		p = e.cached("&"+b.Name+"+"+rest.String(), func() value.Value {
			return e.cur.NewGetElementPtr(m.elem, m.base, e.folded(rest).Value)
		})
	}
	if k == 0 {
		return p
	}
	return e.cur.NewGetElementPtr(m.elem, p, constant.NewInt(i64, k))
}

// addresses returns the vector of pointers at the folded index d.
func (e *emitter) addresses(b *kernel.Buffer, d ir.Dim) value.Value {
	m := e.memory(b)
	g := e.cur.NewGetElementPtr(m.elem, m.base, e.widen(e.folded(d), true).Value)
	g.Typ = types.NewVector(uint64(e.width), types.NewPointer(m.elem))
	return g
}

func (e *emitter) cached(key string, f func() value.Value) value.Value {
	for _, s := range e.scopes {
		if v, ok := s[key]; ok {
			return v.Value
		}
	}
	v := f()
	e.scopes[len(e.scopes)-1][key] = val{Value: v}
	return v
}

func (e *emitter) memory(b *kernel.Buffer) *memory {
	m, ok := e.bufs[b]
	if !ok {
		e.errorf("buffer %s is not a parameter and not allocated here", b.Name)
		m = &memory{base: constant.NewNull(types.NewPointer(stored(b.DType))), elem: stored(b.DType)}
		e.bufs[b] = m
	}
	return m
}
