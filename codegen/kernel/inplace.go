package kernel

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// InPlace makes parameter out take the memory of parameter in: what the kernel
// read from in it reads from out, and in is gone. Where that makes it legal, out
// is stored later than before. It is legal where each element of in is read, if
// at all, before this element of out is stored, and in the iteration that stores
// it; or in loops over the same elements that are done before those around the
// store begin. Loops around the store are independent: an element is stored once.
func (k *Kernel) InPlace(out, in string) error {
	o, i := k.param(out), k.param(in)
	switch {
	case o == nil || i == nil:
		return refuse("in place", out, "it or %s is no parameter", in)
	case o.In || !o.Out || i.Out || !i.In:
		return refuse("in place", out, "it is not just written, or %s not just read", in)
	case o.DType != i.DType || !o.Size.Equal(i.Size):
		return refuse("in place", out, "its type or size is not that of %s", in)
	}
	c := k.Clone()
	at, err := c.delayStore(o, i)
	if err != nil {
		return err
	}
	var loops []*Loop // around the store
	around(c.Body, nil, func(s Stmt, path []*Loop) {
		if st, ok := s.(*Store); ok && st.Buf == o {
			loops = slices.Clone(path)
		}
	})
	around(c.Body, nil, func(s Stmt, path []*Loop) {
		StmtExprs(s, func(e *Expr) {
			WalkExprs([]Stmt{&Let{Value: e}}, func(e *Expr) {
				if e.Kind == KLoad && e.Buf == i && !sameElements(e.Index, path, at, loops) {
					err = refuse("in place", out, "element %v of %s is read where %v is stored", e.Index, in, at)
				}
			})
		})
	})
	if err != nil {
		return err
	}
	both := *o
	both.In = true
	k.Params = slices.DeleteFunc(slices.Clone(k.Params), func(b *Buffer) bool { return b == i })
	k.Params[slices.Index(k.Params, o)] = &both
	k.Body = (&subst{bufs: map[*Buffer]*Buffer{i: &both, o: &both}}).body(c.Body)
	return nil
}

// around calls f for each statement of body with the loops around it.
func around(body []Stmt, path []*Loop, f func(Stmt, []*Loop)) {
	for _, s := range body {
		f(s, path)
		switch s := s.(type) {
		case *Loop:
			around(s.Body, append(path, s), f)
		case *If:
			around(s.Then, path, f)
			around(s.Else, path, f)
		}
	}
}

// sameElements reports whether index x inside the loops xs is index y inside ys,
// or takes the same values in loops of its own instead of those of ys.
func sameElements(x ir.Dim, xs []*Loop, y ir.Dim, ys []*Loop) bool {
	if x.Equal(y) {
		return true
	}
	n := 0
	for n < len(xs) && n < len(ys) && xs[n] == ys[n] {
		n++
	}
	if len(xs) != len(ys) {
		return false
	}
	names := map[string]ir.Dim{}
	for i := n; i < len(xs); i++ {
		if !xs[i].Extent.Equal(ys[i].Extent) {
			return false
		}
		names[xs[i].Var] = ir.Sym(ys[i].Var)
	}
	return x.Subst(func(s string) (ir.Dim, bool) {
		d, ok := names[s]
		return d, ok
	}).Equal(y)
}

func (k *Kernel) param(name string) *Buffer {
	if i := slices.IndexFunc(k.Params, func(b *Buffer) bool { return b.Name == name }); i >= 0 {
		return k.Params[i]
	}
	return nil
}

// delayStore moves the one store to out behind what reads in beside it, and
// returns its index.
func (k *Kernel) delayStore(out, in *Buffer) (ir.Dim, error) {
	no := func(why string) (ir.Dim, error) { return ir.Dim{}, refuse("in place", out.Name, "%s", why) }
	f := &storeFinder{buf: out}
	f.walk(&k.Body, true)
	if f.count != 1 || f.hidden {
		return no("it is not stored by one statement")
	}
	if !f.indep {
		return no("a loop around its store is not independent")
	}
	body, last := *f.body, f.at
	st := body[f.at].(*Store)
	for j := f.at + 1; j < len(body); j++ {
		if loads(body[j:j+1], in) {
			last = j
		}
	}
	moved := body[f.at+1 : last+1]
	if reads(st.Value, collect(moved).writes()) {
		return no("what it is stored from changes before " + in.Name + " is read for the last time")
	}
	*f.body = slices.Concat(body[:f.at], moved, []Stmt{st}, body[last+1:])
	past := false
	WalkStmts(k.Body, func(s Stmt) {
		StmtExprs(s, func(e *Expr) {
			if past && reads(e, map[*Buffer]bool{in: true}) {
				f.count++
			}
		})
		past = past || s == st
	})
	if f.count > 1 {
		return no(in.Name + " is read after it is stored")
	}
	return st.Index, nil
}

// storeFinder finds the stores to buf.
type storeFinder struct {
	buf    *Buffer
	count  int
	body   *[]Stmt // that has the last one found, at its place
	at     int
	indep  bool // whether all loops around it are independent
	hidden bool // whether an instruction may touch it
}

func (f *storeFinder) walk(body *[]Stmt, indep bool) {
	for i, s := range *body {
		switch s := s.(type) {
		case *Loop:
			f.walk(&s.Body, indep && s.Indep)
		case *If:
			f.walk(&s.Then, indep)
			f.walk(&s.Else, indep)
		case *Store:
			if s.Buf == f.buf {
				f.count++
				f.body, f.at, f.indep = body, i, indep
			}
		case *Call:
			f.hidden = true
		}
	}
}

// loads reports whether body loads from b.
func loads(body []Stmt, b *Buffer) bool {
	found := false
	WalkExprs(body, func(e *Expr) { found = found || e.Kind == KLoad && e.Buf == b })
	return found
}
