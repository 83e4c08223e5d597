package kernel

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Primitives that change where values are kept.

// Place puts buffer buf, which the kernel allocates, in another space. It is
// legal where that space can hold it: local and shared buffers have a number
// as size.
func (k *Kernel) Place(buf string, space Space) error {
	var old *Buffer
	WalkStmts(k.Body, func(s Stmt) {
		if a, ok := s.(*Alloc); ok && a.Buf.Name == buf {
			old = a.Buf
		}
	})
	switch {
	case old == nil:
		return refuse("place", buf, "the kernel does not allocate it")
	case space == Global:
		return refuse("place", buf, "global buffers are parameters")
	case space != Scratch && !old.Size.Static():
		return refuse("place", buf, "its size %v is no number, which %v buffers need", old.Size, space)
	}
	b := *old
	b.Space = space
	k.Body = (&subst{bufs: map[*Buffer]*Buffer{old: &b}}).body(k.Body)
	return nil
}

// Stream marks parameter buf as one that is passed through once. It is legal
// where the kernel does not both read and write it.
func (k *Kernel) Stream(buf string) error {
	return k.mark("stream", buf, func(b *Buffer) { b.Stream = true })
}

// Ahead has reads and writes of parameter buf ask for the memory n elements
// behind them, which may be outside of it; not those that go around the caches.
// It is legal under the same condition.
func (k *Kernel) Ahead(buf string, n int64) error {
	return k.mark("ahead", buf, func(b *Buffer) { b.Ahead = n })
}

// Ask has each iteration of loop v begin with requests for the lines of memory at
// some indices of parameter or common buffer buf, which may be outside of it. It is
// legal where the loop does not write buf; other primitives do not see through it.
func (k *Kernel) Ask(v, buf string, at ...ir.Dim) error { return k.AskIf(v, nil, buf, at...) }

// AskIf is Ask in the iterations for which cond holds.
func (k *Kernel) AskIf(v string, cond *Expr, buf string, at ...ir.Dim) error {
	p, err := k.find("ask", v)
	if err != nil {
		return err
	}
	all := slices.Clone(k.Params)
	for _, s := range k.Body {
		if a, ok := s.(*Alloc); ok && a.Buf.Space == Common {
			all = append(all, a.Buf)
		}
	}
	i := slices.IndexFunc(all, func(b *Buffer) bool { return b.Name == buf })
	switch {
	case i < 0:
		return refuse("ask", v, "%s is neither a parameter nor common", buf)
	case touched(p.loop.Body)[all[i]]:
		return refuse("ask", v, "it writes %s", buf)
	case p.loop.Bind == Vector:
		return refuse("ask", v, "its iterations are lanes")
	}
	var asks []Stmt
	for _, d := range at {
		asks = append(asks, &Call{Instr: Asking(all[i].DType), Tiles: []Tile{{Buf: all[i], Index: d}}})
	}
	if cond != nil {
		asks = []Stmt{&If{Cond: cond, Then: asks}}
	}
	p.loop.Body = append(asks, p.loop.Body...)
	return nil
}

func (k *Kernel) mark(what, buf string, set func(*Buffer)) error {
	for i, old := range k.Params {
		if old.Name != buf {
			continue
		}
		if old.Out && old.In {
			return refuse(what, buf, "it is read and written")
		}
		b := *old
		set(&b)
		k.Params = append([]*Buffer(nil), k.Params...)
		k.Params[i] = &b
		k.Body = (&subst{bufs: map[*Buffer]*Buffer{old: &b}, store: func(x *Buffer, at ir.Dim) (*Buffer, ir.Dim) {
			if x == old {
				x = &b
			}
			return x, at
		}}).body(k.Body)
		return nil
	}
	return refuse(what, buf, "it is no parameter")
}

// Keep holds the element of buf that the body of loop v uses in a local scalar
// meanwhile: it is loaded at the start of the body and stored at its end. It
// returns the name of the scalar. It is legal where the body uses no other
// element of buf, which was written before; each iteration then has its own, or
// none runs at the same time.
func (k *Kernel) Keep(v, buf string) (string, error) {
	p, err := k.find("keep", v)
	if err != nil {
		return "", err
	}
	a := collect(p.loop.Body)
	var b *Buffer
	var at ir.Dim
	for _, x := range a.list {
		if x.buf.Name != buf {
			continue
		}
		if b != nil && !x.index.Equal(at) {
			return "", refuse("keep", v, "it uses %s[%v] and %s[%v]", buf, at, buf, x.index)
		}
		b, at = x.buf, x.index
	}
	switch {
	case b == nil || !a.known:
		return "", refuse("keep", v, "what it uses of %s is not known", buf)
	case b.Space == Global:
		return "", refuse("keep", v, "%s may be the same memory as another buffer", buf)
	}
	for _, s := range at.SymNames() {
		if a.vars[s] {
			return "", refuse("keep", v, "%s[%v] depends on %s inside", buf, at, s)
		}
	}
	c := &Buffer{Name: k.fresh(buf), DType: b.DType, Size: ir.Const(1), Space: Local}
	body := (&subst{bufs: map[*Buffer]*Buffer{b: c}, index: func(x *Buffer, d ir.Dim) ir.Dim {
		if x == c {
			return ir.Const(0)
		}
		return d
	}}).body(p.loop.Body)
	in := []Stmt{&Alloc{Buf: c}, &Store{Buf: c, Index: ir.Const(0), Value: Load(b, at)}}
	out := &Store{Buf: b, Index: at, Value: Load(c, ir.Const(0))}
	p.loop.Body = append(append(in, body...), out)
	return c.Name, nil
}

// Recompute drops buf, a buffer of the kernel that one loop fills element by
// element, and computes each element again where it is used. It is legal where
// nothing that the value reads is written from that loop on; an output that is
// the same memory as an input counts as written once per element, after its
// use.
func (k *Kernel) Recompute(buf string) error {
	body := k.allocates(&k.Body, buf)
	if body == nil {
		return refuse("recompute", buf, "the kernel does not allocate it")
	}
	r := &recomputation{buf: buf}
	for i, s := range *body {
		switch s := s.(type) {
		case *Alloc:
			if s.Buf.Name == buf {
				r.b = s.Buf
			}
		case *Loop:
			if r.find(s) {
				r.from = i
			}
		}
	}
	if err := r.check(*body); err != nil {
		return err
	}
	uses := &subst{expr: func(e *Expr) *Expr {
		if e.Kind != KLoad || e.Buf != r.b {
			return e
		}
		value := (&subst{dim: func(d ir.Dim) ir.Dim {
			return d.Subst(func(s string) (ir.Dim, bool) { return e.Index, s == r.loop.Var })
		}}).e(r.store.Value)
		if len(e.Args) == 0 {
			return value
		}
		return OpExpr(ir.OpSelect, e.Args[0], value, e.Args[1])
	}}
	r.loop.Body = splice(r.loop.Body, r.at, 1)
	out := uses.body(*body)
	for i, s := range out {
		if a, ok := s.(*Alloc); ok && a.Buf == r.b {
			out = splice(out, i, 1)
			break
		}
	}
	*body = out
	return nil
}

// allocates finds the list of statements that has the alloc of buf.
func (k *Kernel) allocates(body *[]Stmt, buf string) *[]Stmt {
	for _, s := range *body {
		var found *[]Stmt
		switch s := s.(type) {
		case *Alloc:
			if s.Buf.Name == buf {
				return body
			}
		case *Loop:
			found = k.allocates(&s.Body, buf)
		case *If:
			if found = k.allocates(&s.Then, buf); found == nil {
				found = k.allocates(&s.Else, buf)
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

type recomputation struct {
	buf   string
	b     *Buffer
	loop  *Loop  // that fills it
	store *Store // by this statement
	at    int    // of its body
	from  int    // of the list that has the loop
}

// find looks for the store in the body of l.
func (r *recomputation) find(l *Loop) bool {
	for i, s := range l.Body {
		if st, ok := s.(*Store); ok && st.Buf == r.b && r.store == nil {
			r.loop, r.store, r.at = l, st, i
			return true
		}
	}
	return false
}

func (r *recomputation) check(body []Stmt) error {
	switch {
	case r.store == nil || !r.store.Index.Equal(ir.Sym(r.loop.Var)):
		return refuse("recompute", r.buf, "no loop beside it fills it element by element")
	case len(r.loop.Body) == 1:
		return refuse("recompute", r.buf, "loop %s does nothing else", r.loop.Var)
	}
	inner := collect(r.loop.Body)
	reads := map[*Buffer]bool{}
	var err error
	WalkExprs([]Stmt{&Let{Value: r.store.Value}}, func(e *Expr) {
		switch {
		case e.Kind == KLoad && len(e.Args) == 2:
			err = refuse("recompute", r.buf, "its value is loaded under a condition")
		case e.Kind == KLoad:
			reads[e.Buf] = true
		case e.Kind == KVar && inner.vars[e.Var]:
			err = refuse("recompute", r.buf, "its value depends on %s", e.Var)
		}
	})
	WalkDims([]Stmt{&Let{Value: r.store.Value}}, func(d ir.Dim) {
		for _, s := range d.SymNames() {
			if inner.vars[s] {
				err = refuse("recompute", r.buf, "its value depends on %s", s)
			}
		}
	})
	stores := 0
	for i, s := range body {
		a := collect([]Stmt{s})
		for _, x := range a.list {
			if x.write && x.buf == r.b {
				stores++
			}
			if i >= r.from && x.write && reads[x.buf] || !a.known {
				err = refuse("recompute", r.buf, "what it is computed from may change")
			}
		}
	}
	if stores != 1 {
		err = refuse("recompute", r.buf, "%d statements store to it", stores)
	}
	return err
}
