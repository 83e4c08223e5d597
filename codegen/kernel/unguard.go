package kernel

import "github.com/tensorcc/tcc/ir"

// Unguard drops the conditions around stores to the local buffer buf: the lanes
// beyond an edge are then computed as well, and never looked at.
//
// It is legal where the index of an element decides the condition, the same at
// each access, so that what is stored now is read by such stores alone; and
// where these read memory that is there without the condition. A store for which
// that is not proven keeps its condition.
func (k *Kernel) Unguard(buf string) error {
	u := &unguarding{buf: buf}
	u.walk(&k.Body, NewFacts(), nil)
	if u.err != nil {
		return u.err
	}
	changed, all := false, true
	for _, g := range u.sites {
		all = all && (g.free || !g.store)
	}
	for _, g := range u.sites {
		if g.free && (all || !g.own) {
			*g.body = splice(*g.body, g.at, 1, g.cond.Then...)
			changed = true
		}
	}
	if !changed {
		return refuse("unguard", buf, "no store of it can do without its condition")
	}
	return nil
}

// unguarding collects the accesses of a buffer.
type unguarding struct {
	buf   string
	loops []*Loop // inside of the buffer's scope
	in    bool    // in its scope
	sites []guarded
	first *elements
	err   error
}

// guarded is a condition with one statement that accesses the buffer.
type guarded struct {
	cond *If
	body *[]Stmt // has the condition
	at   int
	// facts are those that hold without the condition
	facts *Facts
	store bool // it stores to the buffer
	own   bool // and reads it
	free  bool // the condition can go
}

// elements says which elements an access touches: those that are rest modulo
// span are accessed where the same condition, outer+rest < bound, holds.
type elements struct {
	span, rest   int64
	outer, bound ir.Dim
}

func (u *unguarding) walk(body *[]Stmt, f *Facts, cond *guarded) {
	outside := u.in
	for i, s := range *body {
		switch s := s.(type) {
		case *Alloc:
			u.in = u.in || s.Buf.Name == u.buf
		case *Loop:
			g := f.Clone()
			g.signs(*body)
			g.Loop(s.Var, s.Extent)
			if u.in {
				u.loops = append(u.loops, s)
			}
			u.walk(&s.Body, g, nil)
			if u.in && u.err == nil {
				u.loops = u.loops[:len(u.loops)-1]
			}
		case *If:
			g := f.Clone()
			g.Cond(s.Cond, true)
			if u.accesses(s.Cond) {
				u.fail("a condition reads it")
			}
			site := &guarded{cond: s, body: body, at: i, facts: f}
			if len(s.Then) != 1 || len(s.Else) != 0 {
				site = nil
			}
			u.walk(&s.Then, g, site)
			g = f.Clone()
			g.Cond(s.Cond, false)
			u.walk(&s.Else, g, nil)
		default:
			u.stmt(s, f, cond)
		}
		if u.err != nil {
			return
		}
	}
	u.in = outside
}

func (u *unguarding) fail(format string, args ...any) {
	if u.err == nil {
		u.err = refuse("unguard", u.buf, format, args...)
	}
}

func (u *unguarding) accesses(e *Expr) bool {
	found := false
	WalkExprs([]Stmt{&Let{Value: e}}, func(x *Expr) {
		found = found || x.Kind == KLoad && x.Buf.Space == Local && x.Buf.Name == u.buf
	})
	return found
}

// stmt looks at a statement that has no others inside.
func (u *unguarding) stmt(s Stmt, f *Facts, cond *guarded) {
	var at []ir.Dim
	StmtExprs(s, func(e *Expr) {
		WalkExprs([]Stmt{&Let{Value: e}}, func(x *Expr) {
			if x.Kind == KLoad && x.Buf.Space == Local && x.Buf.Name == u.buf {
				at = append(at, x.Index)
			}
		})
	})
	st, stores := s.(*Store)
	stores = stores && st.Buf.Space == Local && st.Buf.Name == u.buf
	if stores {
		at = append(at, st.Index)
	}
	if _, ok := s.(*Call); ok && u.in {
		u.fail("an instruction may access it")
	}
	if len(at) == 0 {
		return
	}
	if cond == nil {
		u.fail("an access has no condition of its own")
		return
	}
	for _, index := range at {
		e, ok := u.elements(cond.cond.Cond, index, f)
		switch {
		case !ok:
			u.fail("element %v does not decide the condition", index)
			return
		case u.first == nil:
			u.first = e
		case u.first.span != e.span || u.first.rest != e.rest || !u.first.outer.Equal(e.outer) ||
			!u.first.bound.Equal(e.bound):
			u.fail("conditions differ")
			return
		}
	}
	u.sites = append(u.sites, *cond)
	if stores {
		site := &u.sites[len(u.sites)-1]
		site.store, site.own, site.free = true, len(at) > 1, u.harmless(st, cond)
	}
}

// elements takes the condition apart, g < n, with g = outer + inner where inner
// has the loops in the scope of the buffer: it is the index modulo a span.
func (u *unguarding) elements(cond *Expr, index ir.Dim, f *Facts) (*elements, bool) {
	if cond.Kind != KOp || cond.Op != ir.OpLt {
		return nil, false
	}
	g, ok := indexOf(cond.Args[0])
	n, ok2 := indexOf(cond.Args[1])
	if !ok || !ok2 {
		return nil, false
	}
	outer, most := g, g
	for _, l := range u.loops {
		end, ok := l.Extent.Int()
		if g.Has(l.Var) && !ok || n.Has(l.Var) {
			return nil, false
		}
		outer = outer.Subst(func(s string) (ir.Dim, bool) { return ir.Const(0), s == l.Var })
		most = most.Subst(func(s string) (ir.Dim, bool) { return ir.Const(end - 1), s == l.Var })
	}
	inner := g.Sub(outer)
	span, ok := most.Sub(outer).Int()
	if !ok || !f.NonNeg(inner) || !f.Less(inner, ir.Const(span+1)) {
		return nil, false
	}
	span++
	rest, ok := f.Simplify(index.Sub(inner).Mod(ir.Const(span))).Int()
	return &elements{span, rest, outer, n}, ok
}

// harmless reports whether the store can be executed without the condition.
func (u *unguarding) harmless(s *Store, cond *guarded) bool {
	ok := cond.facts.InBounds(s.Index, s.Buf.Size)
	WalkExprs([]Stmt{s}, func(e *Expr) {
		if e.Kind != KLoad {
			return
		}
		f := cond.facts
		if len(e.Args) == 2 {
			f = f.Clone()
			f.Cond(e.Args[0], true)
		}
		ok = ok && f.InBounds(e.Index, e.Buf.Size) && (e.Buf == s.Buf || u.written(e, cond))
	})
	return ok
}

// written reports whether what e loads has a value without the condition: it is
// a parameter's, or what is loaded where the condition holds.
func (u *unguarding) written(e *Expr, cond *guarded) bool {
	if e.Buf.Space == Global {
		return true
	}
	g, _ := indexOf(cond.cond.Cond.Args[0])
	for _, l := range u.loops {
		if g.Has(l.Var) && e.Index.Has(l.Var) {
			return false
		}
	}
	return cond.facts.Less(u.first.outer, u.first.bound)
}
