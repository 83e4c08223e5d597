package kernel

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Tail says what [Kernel.Split] does where the factor does not divide the
// extent.
type Tail uint8

// The tails.
const (
	Exact Tail = iota // refuse
	Mask              // run whole groups, with a condition around the body
	Clip              // shorten the inner loop: its extent is min(factor, what is left)
	Pad               // run whole groups; what is beyond the extent loads zeros and stores nothing
)

// refuse is the error of a primitive that cannot prove itself legal.
func refuse(what, v, format string, args ...any) error {
	return fmt.Errorf("%s %s: %s", what, v, fmt.Sprintf(format, args...))
}

func (k *Kernel) find(what, v string) (*place, error) {
	p := k.locate(v)
	if p == nil {
		return nil, refuse(what, v, "there is no such loop")
	}
	return p, nil
}

// Split makes of loop v a loop over groups, which keeps the name, and inside
// it a loop over the factor iterations of a group, whose name is made from
// inner and returned. It is legal, as the order of iterations stays, unless the
// loop is to be padded: there must then be nothing but stores in it, and
// integer products added to a sum.
func (k *Kernel) Split(v, inner string, factor int64, tail Tail) (string, error) {
	p, err := k.find("split", v)
	if err != nil {
		return "", err
	}
	l, n := p.loop, ir.Const(factor)
	if factor < 1 {
		return "", refuse("split", v, "factor %d, want at least 1", factor)
	}
	whole := l.Extent.Mod(n).IsConst(0)
	if !whole && tail == Exact {
		return "", refuse("split", v, "%d may not divide the extent %v", factor, l.Extent)
	}
	name := k.fresh(inner)
	at := ir.Sym(v).MulConst(factor).Add(ir.Sym(name))
	in := &Loop{Var: name, Extent: n, Body: replaceVar(l.Body, v, at), Indep: l.Indep}
	switch {
	case whole:
	case tail == Mask:
		in.Body = []Stmt{&If{Cond: OpExpr(ir.OpLt, IndexExpr(at), IndexExpr(l.Extent)), Then: in.Body}}
	case tail == Pad:
		cond := OpExpr(ir.OpLt, IndexExpr(at), IndexExpr(l.Extent))
		if in.Body, err = pad(v, []string{v, name}, in.Body, cond); err != nil {
			return "", err
		}
	case tail == Clip:
		in.Extent = n.Min(l.Extent.Sub(ir.Sym(v).MulConst(factor)))
	}
	out := &Loop{Var: v, Extent: l.Extent.CeilDiv(n), Bind: l.Bind, Indep: l.Indep, Body: []Stmt{in}}
	f := p.facts()
	p.replace(simplifyBody([]Stmt{out}, f)...)
	return name, nil
}

// Cut makes of loop v two loops in sequence: the first n iterations keep the
// name; it returns the names of the variables in the copy for the rest. n is
// bounded to the extent.
func (k *Kernel) Cut(v string, n ir.Dim) (map[string]string, error) {
	p, err := k.find("cut", v)
	if err != nil {
		return nil, err
	}
	l, f := p.loop, p.facts()
	if l.Bind != Serial && l.Bind != Unroll {
		return nil, refuse("cut", v, "the loop is bound to %v", l.Bind)
	}
	if !f.NonNeg(n) {
		return nil, refuse("cut", v, "%v may be negative", n)
	}
	n = f.Simplify(n.Min(l.Extent))
	second, names := k.copyBody([]Stmt{l})
	m := second[0].(*Loop)
	first := *l
	first.Extent = n
	m.Extent = l.Extent.Sub(n)
	m.Body = replaceVar(m.Body, m.Var, ir.Sym(m.Var).Add(n))
	p.replace(simplifyBody([]Stmt{&first, m}, f)...)
	return names, nil
}

// Version makes two copies of the body of loop v, one for where cond holds and
// one for where it does not. It returns the names that the loops in each have,
// by the names they had; nil for a copy that there is not, because cond is
// decided. It is always legal.
func (k *Kernel) Version(v string, cond *Expr) (then, els map[string]string, err error) {
	p, err := k.find("version", v)
	if err != nil {
		return nil, nil, err
	}
	then = map[string]string{}
	WalkStmts(p.loop.Body, func(s Stmt) {
		if l, ok := s.(*Loop); ok {
			then[l.Var] = l.Var
		}
	})
	f := p.inside()
	if holds, ok := f.decide(f.simplifyExpr(cond)); ok {
		p.loop.Body = simplifyBody(p.loop.Body, f)
		if holds {
			return then, nil, nil
		}
		return nil, then, nil
	}
	other, els := k.copyBody(p.loop.Body)
	p.loop.Body = simplifyBody([]Stmt{&If{Cond: cond, Then: p.loop.Body, Else: other}}, f)
	return then, els, nil
}

// Specialize makes of loop v, whose extent is min(n, rest) for a number n, two
// loops: where there are n iterations left the loop with the extent n, else a
// copy with the extent rest mod n. It returns the names of the variables in
// the copy, nil where there is none: the extent was a number or every loop is
// full.
func (k *Kernel) Specialize(v string) (map[string]string, error) {
	p, err := k.find("specialize", v)
	if err != nil {
		return nil, err
	}
	l, f := p.loop, p.facts()
	n, rest, ok := minConst(l.Extent)
	if !ok {
		if l.Extent.Static() {
			return nil, nil
		}
		return nil, refuse("specialize", v, "the extent %v is no minimum of a number and another", l.Extent)
	}
	full := *l
	full.Extent = ir.Const(n)
	tail := f.Simplify(rest.Mod(ir.Const(n)))
	if tail.IsConst(0) {
		p.replace(simplifyBody([]Stmt{&full}, f)...)
		return nil, nil
	}
	other, names := k.copyBody([]Stmt{l})
	other[0].(*Loop).Extent = tail
	cond := OpExpr(ir.OpGe, IndexExpr(rest), IndexExpr(ir.Const(n)))
	p.replace(simplifyBody([]Stmt{&If{Cond: cond, Then: []Stmt{&full}, Else: other}}, f)...)
	return names, nil
}

// minConst takes d apart as min(n, rest) with a number n.
func minConst(d ir.Dim) (n int64, rest ir.Dim, ok bool) {
	type node struct {
		d    ir.Dim
		a, b *ir.Dim // of a minimum
	}
	top := ir.Walk(d, func(k int64) node { return node{d: ir.Const(k)} },
		func(s string) node { return node{d: ir.Sym(s)} },
		func(op byte, a, b node) node {
			out := node{d: ir.DimOp(op, a.d, b.d)}
			if op == '<' {
				out.a, out.b = &a.d, &b.d
			}
			return out
		})
	if top.a == nil {
		return 0, ir.Dim{}, false
	}
	if c, ok := top.a.Int(); ok {
		return c, *top.b, true
	}
	c, ok := top.b.Int()
	return c, *top.a, ok
}
