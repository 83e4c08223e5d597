package kernel

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// padding runs a body for values of a variable beyond the extent of its loop:
// where cond is false it stores nothing outside, and what it loads is zero.
type padding struct {
	v     string // of the loop
	cond  *Expr
	inner map[*Buffer]bool // declared in the body
	err   error
}

// pad returns body, of loop v, so that it may run where cond is false.
func pad(v string, dep []string, body []Stmt, cond *Expr) ([]Stmt, error) {
	p := &padding{v: v, cond: cond, inner: collect(body).inner}
	out := p.body(body, dep)
	return out, p.err
}

func (p *padding) refuse(format string, args ...any) {
	if p.err == nil {
		p.err = refuse("pad", p.v, format, args...)
	}
}

func (p *padding) body(body []Stmt, dep []string) []Stmt {
	var out []Stmt
	for _, s := range body {
		switch s := s.(type) {
		case *Alloc:
			out = append(out, s)
		case *Loop:
			if slices.ContainsFunc(dep, s.Extent.Has) {
				p.refuse("the extent %v of %s depends on it", s.Extent, s.Var)
			}
			c := *s
			c.Body = p.body(s.Body, dep)
			out = append(out, &c)
		case *Store:
			out = append(out, p.store(s, dep))
		case *If:
			if len(s.Else) > 0 || len(s.Then) != 1 {
				p.refuse("there is a condition with several statements")
			}
			in := p.body(s.Then, dep)[0]
			cond := p.expr(s.Cond, dep)
			if c, ok := in.(*If); ok {
				cond, in = OpExpr(ir.OpAnd, cond, c.Cond), c.Then[0]
			}
			out = append(out, &If{Cond: cond, Then: []Stmt{in}})
		default:
			p.refuse("%T cannot be left out", s)
		}
	}
	return out
}

// store keeps a store to a buffer of the body, makes a fold add nothing, and
// leaves out another one.
func (p *padding) store(s *Store, dep []string) Stmt {
	if p.inner[s.Buf] {
		return &Store{Buf: s.Buf, Index: s.Index, Value: p.expr(s.Value, dep)}
	}
	if acc, x, y, ok := sumOfProducts(s); ok && !slices.ContainsFunc(dep, s.Index.Has) {
		return &Store{Buf: s.Buf, Index: s.Index, Value: OpExpr(ir.OpAdd, acc,
			OpExpr(ir.OpMul, p.zeroed(x, p.expr(y, dep), dep)...))}
	}
	if isProductSum(s) && !slices.ContainsFunc(dep, s.Index.Has) {
		x, y, acc := s.Value.Args[0], s.Value.Args[1], s.Value.Args[2]
		if y = p.expr(y, dep); !p.zero(y) { // zero times what y is there may be NaN
			y = OpExpr(ir.OpSelect, p.cond, y, ConstExpr(ir.F32, 0))
		}
		if x = p.expr(x, dep); !p.zero(x) {
			x = OpExpr(ir.OpSelect, p.cond, x, ConstExpr(ir.F32, 0))
		}
		return &Store{Buf: s.Buf, Index: s.Index, Value: OpExpr(ir.OpFMA, x, y, acc)}
	}
	return &If{Cond: p.cond, Then: []Stmt{s}}
}

// zeroed are two factors of which one is zero where the condition is false.
func (p *padding) zeroed(x, y *Expr, dep []string) []*Expr {
	if x = p.expr(x, dep); !p.zero(x) && !p.zero(y) {
		x = OpExpr(ir.OpSelect, p.cond, x, ConstExpr(x.DType, 0))
	}
	return []*Expr{x, y}
}

// sumOfProducts takes apart acc = acc + x*y of integers.
func sumOfProducts(s *Store) (acc, x, y *Expr, ok bool) {
	e := s.Value
	if e.Kind != KOp || e.Op != ir.OpAdd || !e.DType.IsInt() {
		return nil, nil, nil, false
	}
	for i, a := range e.Args {
		m := e.Args[1-i]
		if a.Kind == KLoad && a.Buf == s.Buf && len(a.Args) == 0 && a.Index.Equal(s.Index) &&
			m.Kind == KOp && m.Op == ir.OpMul {
			return a, m.Args[0], m.Args[1], true
		}
	}
	return nil, nil, nil, false
}

// expr is e with the loads that depend on the variable left out.
func (p *padding) expr(e *Expr, dep []string) *Expr {
	return e.Rewrite(func(x *Expr) *Expr {
		if x.Kind == KVar {
			p.refuse("it uses %s, which is bound elsewhere", x.Var)
		}
		if x.Kind != KLoad || p.inner[x.Buf] || !dependsOn(x, dep) {
			return x
		}
		if len(x.Args) == 2 {
			return LoadIf(x.Buf, x.Index, OpExpr(ir.OpAnd, p.cond, x.Args[0]), x.Args[1])
		}
		return LoadIf(x.Buf, x.Index, p.cond, ConstExpr(x.DType, 0))
	})
}

func dependsOn(e *Expr, vars []string) bool {
	found := false
	WalkDims([]Stmt{&Let{Value: e}}, func(d ir.Dim) {
		found = found || slices.ContainsFunc(vars, d.Has)
	})
	return found
}

// zero reports whether e is zero where the condition is false.
func (p *padding) zero(e *Expr) bool {
	switch {
	case e.Kind == KConst:
		return e.Bits == 0
	case e.Kind == KLoad:
		return len(e.Args) == 2 && p.zero(e.Args[1]) && implies(e.Args[0], p.cond)
	case e.Kind != KOp || !e.DType.IsInt():
		return false
	}
	switch e.Op {
	case ir.OpCast, ir.OpNeg:
		return p.zero(e.Args[0])
	case ir.OpMul:
		return p.zero(e.Args[0]) || p.zero(e.Args[1])
	case ir.OpAdd, ir.OpSub:
		return p.zero(e.Args[0]) && p.zero(e.Args[1])
	case ir.OpSelect:
		return p.zero(e.Args[1]) && p.zero(e.Args[2])
	}
	return false
}

// implies reports whether e is cond, alone or with others.
func implies(e, cond *Expr) bool {
	if e == cond {
		return true
	}
	return e.Kind == KOp && e.Op == ir.OpAnd && (implies(e.Args[0], cond) || implies(e.Args[1], cond))
}
