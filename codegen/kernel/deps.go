package kernel

import (
	"github.com/tensorcc/tcc/ir"
)

// access is one load or store of a buffer inside a loop.
type access struct {
	buf   *Buffer
	index ir.Dim
	write bool
	facts []func(*Facts, func(ir.Dim) ir.Dim) // what holds there, renamed by the second argument
}

// accesses lists what body reads and writes of buffers that it does not
// declare itself; known is false where an instruction hides what it touches.
type accesses struct {
	list  []access
	inner map[*Buffer]bool // declared in the body
	vars  map[string]bool  // variables that the body defines
	known bool
}

func collect(body []Stmt) *accesses {
	a := &accesses{inner: map[*Buffer]bool{}, vars: map[string]bool{}, known: true}
	a.walk(body, nil)
	out := a.list[:0]
	for _, x := range a.list {
		if !a.inner[x.buf] {
			out = append(out, x)
		}
	}
	a.list = out
	return a
}

type renamedFact = func(*Facts, func(ir.Dim) ir.Dim)

func (a *accesses) walk(body []Stmt, facts []renamedFact) {
	facts = facts[:len(facts):len(facts)]
	for _, s := range body {
		StmtExprs(s, func(e *Expr) { a.exprs(e, facts) })
		switch s := s.(type) {
		case *Loop:
			a.vars[s.Var] = true
			a.walk(s.Body, append(facts, func(f *Facts, r func(ir.Dim) ir.Dim) {
				f.Add(r(s.Extent.AddConst(-1).Sub(ir.Sym(s.Var))))
			}))
		case *If:
			a.walk(s.Then, append(facts, condFact(s.Cond, true)))
			a.walk(s.Else, append(facts, condFact(s.Cond, false)))
		case *Let:
			a.vars[s.Var] = true
			facts = append(facts, func(f *Facts, r func(ir.Dim) ir.Dim) {
				for _, n := range r(ir.Sym(s.Var)).SymNames() {
					f.Signed(n)
				}
			})
		case *Alloc:
			a.inner[s.Buf] = true
		case *Store:
			a.list = append(a.list, access{s.Buf, s.Index, true, facts})
		case *Call:
			a.known = false
		}
	}
}

func condFact(cond *Expr, holds bool) renamedFact {
	return func(f *Facts, r func(ir.Dim) ir.Dim) { f.Cond((&subst{dim: r}).e(cond), holds) }
}

func (a *accesses) exprs(e *Expr, facts []renamedFact) {
	seen := map[*Expr]bool{}
	var walk func(e *Expr, facts []renamedFact)
	walk = func(e *Expr, facts []renamedFact) {
		if seen[e] {
			return
		}
		seen[e] = true
		for _, x := range e.Args {
			walk(x, facts)
		}
		if e.Kind == KLoad {
			if len(e.Args) == 2 {
				facts = append(facts[:len(facts):len(facts)], condFact(e.Args[0], true))
			}
			a.list = append(a.list, access{e.Buf, e.Index, false, facts})
		}
	}
	walk(e, facts)
}

// writes reports the buffers that are written.
func (a *accesses) writes() map[*Buffer]bool {
	out := map[*Buffer]bool{}
	for _, x := range a.list {
		if x.write {
			out[x.buf] = true
		}
	}
	return out
}

// MarkIndep proves for each serial loop of k, where it can, that iterations
// are independent, and notes it in the loop.
func MarkIndep(k *Kernel) {
	WalkStmts(k.Body, func(s Stmt) {
		if l, ok := s.(*Loop); ok && !l.Indep {
			p := k.locate(l.Var)
			l.Indep = independent(p.facts(), l.Var, l.Body, nil)
		}
	})
}

// independent proves that two executions of body with different values of v,
// and any values of the variables in free, touch no element in common that
// one of them writes. f is what holds around the loop.
func independent(f *Facts, v string, body []Stmt, free []string) bool {
	a := collect(body)
	if !a.known {
		return false
	}
	written := a.writes()
	for _, s := range free {
		a.vars[s] = true
	}
	for i, x := range a.list {
		if !written[x.buf] {
			continue
		}
		for _, y := range a.list[i:] {
			if y.buf != x.buf || !x.write && !y.write {
				continue
			}
			if !a.disjoint(f, v, x, y) {
				return false
			}
		}
	}
	return true
}

// disjoint proves that x in one iteration of v and y in another have different
// addresses: both advance by the same stride, which exceeds all other
// differences.
func (a *accesses) disjoint(f *Facts, v string, x, y access) bool {
	cx, rx, okX := x.index.Linear(v)
	cy, ry, okY := y.index.Linear(v)
	if !okX || !okY || !cx.Equal(cy) || cx.IsConst(0) {
		return false
	}
	other := func(d ir.Dim) ir.Dim {
		return d.Subst(func(s string) (ir.Dim, bool) {
			if a.vars[s] {
				return ir.Sym(s + ".2"), true
			}
			if s == v {
				return ir.Sym(v + ".2"), true
			}
			return ir.Dim{}, false
		})
	}
	g := f.Clone()
	g.Signed(v + ".2") // only its difference to v is known
	same := func(d ir.Dim) ir.Dim { return d }
	for _, h := range x.facts {
		h(g, same)
	}
	for _, h := range y.facts {
		h(g, other)
	}
	if !g.NonNeg(cx) {
		cx, rx, ry = cx.Neg(), rx.Neg(), ry.Neg()
	}
	gap := other(ry).Sub(rx)
	return g.NonNeg(cx.AddConst(-1)) &&
		g.NonNeg(cx.AddConst(-1).Add(gap)) && g.NonNeg(cx.AddConst(-1).Sub(gap))
}
