package kernel

import (
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// place is where a loop stands.
type place struct {
	loop *Loop
	body *[]Stmt // the list that has it
	at   int
	path []enclosing // what is around, outermost first
}

// enclosing is a statement around a place, and for an If the branch.
type enclosing struct {
	stmt Stmt
	els  bool
	body *[]Stmt // the list inside stmt that leads to the place
}

// locate finds the loop with variable v.
func (k *Kernel) locate(v string) *place {
	var found *place
	var walk func(body *[]Stmt, path []enclosing)
	walk = func(body *[]Stmt, path []enclosing) {
		for i, s := range *body {
			switch s := s.(type) {
			case *Loop:
				if s.Var == v {
					found = &place{s, body, i, path}
					return
				}
				walk(&s.Body, append(path[:len(path):len(path)], enclosing{s, false, &s.Body}))
			case *If:
				walk(&s.Then, append(path[:len(path):len(path)], enclosing{s, false, &s.Then}))
				walk(&s.Else, append(path[:len(path):len(path)], enclosing{s, true, &s.Else}))
			}
			if found != nil {
				return
			}
		}
	}
	walk(&k.Body, nil)
	return found
}

// Loop returns the loop with variable v, nil if there is none.
func (k *Kernel) Loop(v string) *Loop {
	if p := k.locate(v); p != nil {
		return p.loop
	}
	return nil
}

// replace puts stmts in place of the loop.
func (p *place) replace(stmts ...Stmt) {
	*p.body = splice(*p.body, p.at, 1, stmts...)
}

// splice returns body with n statements at i replaced.
func splice(body []Stmt, i, n int, stmts ...Stmt) []Stmt {
	out := make([]Stmt, 0, len(body)-n+len(stmts))
	out = append(out, body[:i]...)
	out = append(out, stmts...)
	return append(out, body[i+n:]...)
}

// facts is what holds at the place, without its loop.
func (p *place) facts() *Facts {
	f := NewFacts()
	for _, e := range p.path {
		e.add(f)
	}
	return f
}

// inside is what holds in the body of the loop.
func (p *place) inside() *Facts {
	f := p.facts()
	f.signs(*p.body)
	f.Loop(p.loop.Var, p.loop.Extent)
	f.signs(p.loop.Body)
	return f
}

func (e enclosing) add(f *Facts) {
	switch s := e.stmt.(type) {
	case *Loop:
		f.Loop(s.Var, s.Extent)
	case *If:
		f.Cond(s.Cond, !e.els)
	}
	f.signs(*e.body)
}

// signs notes that integers bound in body may be negative.
func (f *Facts) signs(body []Stmt) {
	for _, s := range body {
		if s, ok := s.(*Let); ok && s.Value.DType == ir.I64 {
			f.Signed(s.Var)
		}
	}
}

// Clone copies k; buffers and expressions, which do not change, are shared
// unless they are local to the kernel.
func (k *Kernel) Clone() *Kernel {
	c := *k
	c.Body = cloneBody(k.Body)
	return &c
}

func cloneBody(body []Stmt) []Stmt { return (&subst{}).body(body) }

// subst copies statements with replacements.
type subst struct {
	dim   func(ir.Dim) ir.Dim                     // of every integer expression
	names map[string]string                       // of bound variables
	bufs  map[*Buffer]*Buffer                     // of buffers
	expr  func(*Expr) *Expr                       // of every expression, bottom up, before dim
	memo  map[*Expr]*Expr                         // shared over the statements
	index func(*Buffer, ir.Dim) ir.Dim            // of accesses, after dim
	store func(*Buffer, ir.Dim) (*Buffer, ir.Dim) // of stores
}

func (s *subst) d(d ir.Dim) ir.Dim {
	if s.names != nil {
		d = d.Subst(func(v string) (ir.Dim, bool) {
			n, ok := s.names[v]
			if !ok {
				return ir.Dim{}, false
			}
			return ir.Sym(n), true
		})
	}
	if s.dim != nil {
		d = s.dim(d)
	}
	return d
}

func (s *subst) name(v string) string {
	if n, ok := s.names[v]; ok {
		return n
	}
	return v
}

func (s *subst) buf(b *Buffer) *Buffer {
	if c, ok := s.bufs[b]; ok {
		return c
	}
	return b
}

func (s *subst) e(e *Expr) *Expr {
	if s.dim == nil && s.names == nil && s.bufs == nil && s.expr == nil && s.index == nil {
		return e
	}
	if s.memo == nil {
		s.memo = map[*Expr]*Expr{}
	}
	return rewrite(e, func(e *Expr) *Expr {
		if s.expr != nil {
			e = s.expr(e)
		}
		switch e.Kind {
		case KIndex:
			if d := s.d(e.Index); !d.Equal(e.Index) {
				return IndexExpr(d)
			}
		case KVar:
			if n := s.name(e.Var); n != e.Var {
				return VarExpr(n, e.DType)
			}
		case KLoad:
			d, b := s.d(e.Index), s.buf(e.Buf)
			if s.index != nil {
				d = s.index(b, d)
			}
			if b != e.Buf || !d.Equal(e.Index) {
				c := *e
				c.Index, c.Buf = d, b
				return &c
			}
		}
		return e
	}, s.memo)
}

func (s *subst) body(body []Stmt) []Stmt {
	out := make([]Stmt, len(body))
	for i, st := range body {
		out[i] = s.stmt(st)
	}
	return out
}

func (s *subst) stmt(st Stmt) Stmt {
	switch st := st.(type) {
	case *Loop:
		c := *st
		c.Var, c.Extent, c.Body = s.name(st.Var), s.d(st.Extent), s.body(st.Body)
		return &c
	case *Store:
		at := s.d(st.Index)
		if s.index != nil {
			at = s.index(s.buf(st.Buf), at)
		}
		b := s.buf(st.Buf)
		if s.store != nil {
			b, at = s.store(b, at)
		}
		return &Store{Buf: b, Index: at, Value: s.e(st.Value)}
	case *Let:
		return &Let{Var: s.name(st.Var), Value: s.e(st.Value)}
	case *If:
		return &If{Cond: s.e(st.Cond), Then: s.body(st.Then), Else: s.body(st.Else)}
	case *Alloc:
		return &Alloc{Buf: s.buf(st.Buf)}
	case *Fail:
		return &Fail{Cond: s.e(st.Cond), Status: st.Status}
	case *Call:
		c := &Call{Instr: st.Instr}
		for _, t := range st.Tiles {
			u := Tile{Buf: s.buf(t.Buf), Index: s.d(t.Index)}
			if s.index != nil {
				u.Index = s.index(u.Buf, u.Index)
			}
			for _, d := range t.Strides {
				u.Strides = append(u.Strides, s.d(d))
			}
			c.Tiles = append(c.Tiles, u)
		}
		return c
	}
	panic("BUG: kernel: unknown statement")
}

// replaceVar puts d in place of the symbol v.
func replaceVar(body []Stmt, v string, d ir.Dim) []Stmt {
	return (&subst{dim: func(e ir.Dim) ir.Dim {
		return e.Subst(func(s string) (ir.Dim, bool) { return d, s == v })
	}}).body(body)
}

// simplifyBody simplifies all integers in body under f, and drops conditions
// that are decided.
func simplifyBody(body []Stmt, f *Facts) []Stmt {
	f = f.Clone()
	f.signs(body)
	var out []Stmt
	for _, st := range body {
		switch st := st.(type) {
		case *Loop:
			e := f.Simplify(st.Extent)
			g := f.Clone()
			g.Loop(st.Var, e)
			c := *st
			c.Extent = e
			if e.IsConst(1) {
				c.Body = replaceVar(c.Body, st.Var, ir.Const(0))
			}
			c.Body = simplifyBody(c.Body, g)
			out = append(out, &c)
		case *If:
			cond := f.simplifyExpr(st.Cond)
			if holds, ok := f.decide(cond); ok {
				if holds {
					out = append(out, simplifyBody(st.Then, f)...)
				} else {
					out = append(out, simplifyBody(st.Else, f)...)
				}
				continue
			}
			g, h := f.Clone(), f.Clone()
			g.Cond(cond, true)
			h.Cond(cond, false)
			out = append(out, &If{Cond: cond, Then: simplifyBody(st.Then, g),
				Else: simplifyBody(st.Else, h)})
		default:
			out = append(out, (&subst{dim: f.Simplify, expr: f.simplifyLoad}).stmt(st))
		}
	}
	return out
}

func (f *Facts) simplifyExpr(e *Expr) *Expr {
	return (&subst{dim: f.Simplify, expr: f.simplifyLoad}).e(e)
}

// simplifyLoad decides masks and the comparisons in them.
func (f *Facts) simplifyLoad(e *Expr) *Expr {
	if e.Kind == KOp && (e.Op == ir.OpAnd || e.Op == ir.OpOr) && e.DType == ir.Bool {
		for i, a := range e.Args {
			if v, ok := f.decide(a); ok {
				if v == (e.Op == ir.OpAnd) {
					return e.Args[1-i]
				}
				return a
			}
		}
	}
	if e.Kind == KLoad && len(e.Args) == 2 {
		if v, ok := f.decide(e.Args[0]); ok {
			if v {
				return Load(e.Buf, e.Index)
			}
			return e.Args[1]
		}
	}
	if e.Kind == KOp && e.Op == ir.OpSelect {
		if v, ok := f.decide(e.Args[0]); ok {
			if v {
				return e.Args[1]
			}
			return e.Args[2]
		}
	}
	return e
}

// decide tells whether a condition holds where that follows.
func (f *Facts) decide(e *Expr) (holds, ok bool) {
	if e.Kind == KConst && e.DType == ir.Bool {
		return e.Bits != 0, true
	}
	if e.Kind != KOp {
		return false, false
	}
	switch e.Op {
	case ir.OpNot:
		h, ok := f.decide(e.Args[0])
		return !h, ok
	case ir.OpAnd, ir.OpOr:
		a, okA := f.decide(e.Args[0])
		b, okB := f.decide(e.Args[1])
		absorbs := e.Op == ir.OpOr
		if okA && a == absorbs || okB && b == absorbs {
			return absorbs, true
		}
		return !absorbs, okA && okB
	}
	if !e.Op.Is(ir.Compares) || len(e.Args) != 2 {
		return false, false
	}
	a, okA := indexOf(e.Args[0])
	b, okB := indexOf(e.Args[1])
	if !okA || !okB {
		return false, false
	}
	switch e.Op {
	case ir.OpGt, ir.OpLe:
		a, b = b, a
	}
	switch e.Op {
	case ir.OpLt, ir.OpGt:
		if f.Less(a, b) {
			return true, true
		}
		return false, f.NonNeg(a.Sub(b))
	case ir.OpLe, ir.OpGe:
		if f.NonNeg(a.Sub(b)) {
			return true, true
		}
		return false, f.Less(a, b)
	}
	return false, false
}

// fresh makes a variable name from base that k does not use.
func (k *Kernel) fresh(base string) string {
	if i := strings.LastIndexByte(base, '_'); i > 0 {
		if _, err := strconv.Atoi(base[i+1:]); err == nil {
			base = base[:i]
		}
	}
	used := k.Names()
	if !used[base] {
		return base
	}
	for n := 2; ; n++ {
		if v := base + "_" + strconv.Itoa(n); !used[v] {
			return v
		}
	}
}

// Names returns all names of dims, variables and buffers in k.
func (k *Kernel) Names() map[string]bool {
	used := map[string]bool{}
	for _, d := range k.Dims {
		used[d] = true
	}
	for _, p := range k.Params {
		used[p.Name] = true
	}
	WalkStmts(k.Body, func(s Stmt) {
		switch s := s.(type) {
		case *Loop:
			used[s.Var] = true
		case *Let:
			used[s.Var] = true
		case *Alloc:
			used[s.Buf.Name] = true
		}
	})
	return used
}

// copyBody copies statements of k with fresh names for all variables and
// buffers that they define; it returns the new name of each.
func (k *Kernel) copyBody(body []Stmt) ([]Stmt, map[string]string) { return k.copyAlso(body, nil) }

// copyAlso is copyBody beside another copy, whose names are not in k yet.
func (k *Kernel) copyAlso(body []Stmt, other map[string]string) ([]Stmt, map[string]string) {
	s := &subst{names: map[string]string{}, bufs: map[*Buffer]*Buffer{}}
	used := k.Names()
	for _, v := range other {
		used[v] = true
	}
	pick := func(name string) string {
		base := name
		if i := strings.LastIndexByte(base, '_'); i > 0 {
			if _, err := strconv.Atoi(base[i+1:]); err == nil {
				base = base[:i]
			}
		}
		for n := 2; ; n++ {
			if v := base + "_" + strconv.Itoa(n); !used[v] {
				used[v] = true
				return v
			}
		}
	}
	WalkStmts(body, func(st Stmt) {
		switch st := st.(type) {
		case *Loop:
			s.names[st.Var] = pick(st.Var)
		case *Let:
			s.names[st.Var] = pick(st.Var)
		case *Alloc:
			b := *st.Buf
			b.Name = pick(b.Name)
			s.bufs[st.Buf] = &b
		}
	})
	for old, b := range s.bufs {
		b.Size = s.d(old.Size)
		if old.Of != nil {
			b.Of, b.At = s.buf(old.Of), s.d(old.At)
		}
	}
	return s.body(body), s.names
}
