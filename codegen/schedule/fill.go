package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// fill makes vectors of the nest that fills a packed operand. What lies inside
// of the padding is copied without conditions, lines that follow each other at
// once.
func (s *scheduler) fill(names []string) error {
	for _, nest := range s.peel(names, 0) {
		nest = s.collapse(nest)
		if err := s.vectorize(last(nest)); err != nil {
			return err
		}
	}
	return nil
}

// peel takes the loops of the nest from the i-th on apart at the bounds that the
// masks in it have, and returns the nests that this makes: bounds that are
// numbers cut a loop, others become conditions around the loops inside.
func (s *scheduler) peel(nest []string, i int) [][]string {
	if i == len(nest) {
		return [][]string{nest}
	}
	e := s.edges(nest[i])
	lo, fixedLo := e.lo.Int()
	hi, fixedHi := e.hi.Int()
	parts := [][]string{nest}
	switch {
	case len(e.conds) == 0:
	case fixedLo && fixedHi:
		parts = s.cutAt(parts, i, max(lo, 0))
		parts = s.cutAt(parts, i, max(hi-max(lo, 0), 0))
	case i+1 < len(nest):
		parts = s.branches(nest, i, e.conds)
	}
	var out [][]string
	for _, p := range parts {
		out = append(out, s.peel(p, i+1)...)
	}
	return out
}

// cutAt cuts the i-th loop of the last part after n iterations.
func (s *scheduler) cutAt(parts [][]string, i int, n int64) [][]string {
	nest := parts[len(parts)-1]
	if most, ok := s.static(nest[i]); ok && (n == 0 || n >= most) {
		return parts
	}
	names, err := s.Cut(nest[i], ir.Const(n))
	if err != nil {
		return parts
	}
	return append(parts, renamed(nest, i, names))
}

// branches puts conditions around what is in the i-th loop of the nest. What is left of
// the nest under conditions that exclude each other is no part.
func (s *scheduler) branches(nest []string, i int, conds []*kernel.Expr) [][]string {
	parts := [][]string{nest}
	for _, c := range conds {
		if then, els, err := s.Version(nest[i], c); err == nil && then != nil && els != nil {
			parts = append(parts, renamed(nest, i+1, els))
		}
	}
	return slices.DeleteFunc(parts, func(p []string) bool {
		return slices.ContainsFunc(p, func(v string) bool { return s.Loop(v) == nil })
	})
}

// renamed is nest with the copies of its loops from the i-th on.
func renamed(nest []string, i int, names map[string]string) []string {
	out := append([]string(nil), nest...)
	for ; i < len(out); i++ {
		out[i] = names[out[i]]
	}
	return out
}

// bounds says for which iterations of a loop masks in it let something through,
// as far as it is concerned: from lo to hi-1, where conds hold.
type bounds struct {
	lo, hi ir.Dim
	conds  []*kernel.Expr
}

// edges collects the parts of masks that depend on loop v and not on loops in it.
func (s *scheduler) edges(v string) bounds {
	l := s.Loop(v)
	out := bounds{lo: ir.Const(0), hi: l.Extent}
	inner := map[string]bool{}
	kernel.WalkStmts(l.Body, func(st kernel.Stmt) {
		if st, ok := st.(*kernel.Loop); ok {
			inner[st.Var] = true
		}
	})
	bound := func(e *kernel.Expr) {
		a, b, ok := comparison(e)
		rest := a.Sub(ir.Sym(v))
		if !ok || rest.Has(v) || b.Has(v) {
			return
		}
		for _, n := range append(rest.SymNames(), b.SymNames()...) {
			if inner[n] {
				return
			}
		}
		if out.conds = append(out.conds, e); e.Op == ir.OpGe {
			out.lo = out.lo.Max(b.Sub(rest))
		} else {
			out.hi = out.hi.Min(b.Sub(rest))
		}
	}
	kernel.WalkExprs(l.Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad && len(e.Args) == 2 {
			conjuncts(e.Args[0], bound)
		}
	})
	return out
}

// conjuncts calls f for the parts of a conjunction.
func conjuncts(e *kernel.Expr, f func(*kernel.Expr)) {
	if e.Kind == kernel.KOp && e.Op == ir.OpAnd && e.DType == ir.Bool {
		for _, a := range e.Args {
			conjuncts(a, f)
		}
		return
	}
	f(e)
}

// comparison takes apart a >= b or a < b of integers.
func comparison(e *kernel.Expr) (a, b ir.Dim, ok bool) {
	if e.Kind != kernel.KOp || e.Op != ir.OpGe && e.Op != ir.OpLt {
		return a, b, false
	}
	x, y := e.Args[0], e.Args[1]
	return x.Index, y.Index, x.Kind == kernel.KIndex && y.Kind == kernel.KIndex
}
