package mathfn

import "github.com/tensorcc/tcc/codegen/kernel"

// Kernel returns k with the transcendental operations of all its expressions
// expanded but for the native ones. Expressions that statements share stay shared.
func Kernel(k *kernel.Kernel, native Native) *kernel.Kernel {
	out := *k
	memo := map[*kernel.Expr]*kernel.Expr{}
	out.Body = stmts(k.Body, native, memo)
	return &out
}

func stmts(body []kernel.Stmt, native Native, memo map[*kernel.Expr]*kernel.Expr) []kernel.Stmt {
	expr := func(e *kernel.Expr) *kernel.Expr {
		if _, ok := memo[e]; !ok {
			memo[e] = Expand(e, native)
		}
		return memo[e]
	}
	out := make([]kernel.Stmt, len(body))
	for i, s := range body {
		switch s := s.(type) {
		case *kernel.Loop:
			c := *s
			c.Body = stmts(s.Body, native, memo)
			out[i] = &c
		case *kernel.If:
			then, els := stmts(s.Then, native, memo), stmts(s.Else, native, memo)
			out[i] = &kernel.If{Cond: expr(s.Cond), Then: then, Else: els}
		case *kernel.Store:
			out[i] = &kernel.Store{Buf: s.Buf, Index: s.Index, Value: expr(s.Value)}
		case *kernel.Let:
			out[i] = &kernel.Let{Var: s.Var, Value: expr(s.Value)}
		case *kernel.Fail:
			out[i] = &kernel.Fail{Cond: expr(s.Cond), Status: s.Status}
		default:
			out[i] = s
		}
	}
	return out
}
