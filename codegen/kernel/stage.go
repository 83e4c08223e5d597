package kernel

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Axis is a dimension of a staged copy. The axis runs over the values of At,
// an expression of loop variables; Var, which occurs in At with factor 1,
// is what At is solved for.
type Axis struct {
	Var    string
	At     ir.Dim // zero: Var itself
	Extent ir.Dim
	Stride ir.Dim // in the copy, in elements
}

// Stage computes the values of all loads of buf in the body of loop v (or, with
// v empty, in the kernel) ahead of time, into a buffer of the kernel that is
// allocated at the start of the body: the copy has an element for each
// combination of the axes, and a load becomes a read of the element for the
// axes' values. Masks are computed once, with the copy. The buffer has the
// given size; loops that fill it are named after the axes.
//
// It is legal where buf is not written in the body, all its loads have one
// index and mask, and these depend on what is inside only by way of the axes.
func (k *Kernel) Stage(v, buf, name string, space Space, size ir.Dim, axes []Axis) ([]string, error) {
	p, err := k.find("stage", v)
	if err != nil {
		return nil, err
	}
	load, err := soleLoad(v, buf, p.loop.Body)
	if err != nil {
		return nil, err
	}
	s := &staging{k: k, v: v, load: load}
	if err := s.axes(axes); err != nil {
		return nil, err
	}
	f := p.inside(k)
	if err := s.closed(f, p.loop.Body); err != nil {
		return nil, err
	}
	out := &Buffer{Name: k.fresh(name), DType: load.DType, Size: size, Space: space}
	g := f.Clone()
	for i := range axes {
		g.Loop(s.vars[i], axes[i].Extent)
	}
	if !g.InBounds(s.at, size) {
		return nil, refuse("stage", v, "index %v of the copy may not be below its size %v", s.at, size)
	}
	if err := s.covered(p, f, axes); err != nil {
		return nil, err
	}
	fill := s.nest(axes, out)
	use := s.use(axes)
	body := (&subst{expr: func(e *Expr) *Expr {
		if e.Kind == KLoad && e.Buf == load.Buf {
			return Load(out, use)
		}
		return e
	}}).body(p.loop.Body)
	p.loop.Body = simplifyBody(append([]Stmt{&Alloc{Buf: out}, fill}, body...), f)
	return s.vars, nil
}

// soleLoad returns the load of buf in body: there may be several equal ones.
func soleLoad(v, buf string, body []Stmt) (*Expr, error) {
	var load *Expr
	var err error
	WalkExprs(body, func(e *Expr) {
		if e.Kind != KLoad || e.Buf.Name != buf {
			return
		}
		if load != nil && !sameExpr(load, e) {
			err = refuse("stage", v, "loads of %s differ", buf)
		}
		load = e
	})
	if load == nil {
		return nil, refuse("stage", v, "there is no load of %s", buf)
	}
	for b := range collect(body).writes() {
		if b == load.Buf {
			return nil, refuse("stage", v, "%s is written", buf)
		}
	}
	return load, err
}

// sameExpr reports whether a and b are the same expression.
func sameExpr(a, b *Expr) bool {
	if a == b {
		return true
	}
	if a.Kind != b.Kind || a.DType != b.DType || a.Op != b.Op || a.Bits != b.Bits || a.Buf != b.Buf ||
		a.Var != b.Var || !a.Index.Equal(b.Index) || len(a.Args) != len(b.Args) {
		return false
	}
	for i := range a.Args {
		if !sameExpr(a.Args[i], b.Args[i]) {
			return false
		}
	}
	return true
}

type staging struct {
	k    *Kernel
	v    string
	load *Expr
	vars []string // of the loops that fill the copy
	at   ir.Dim   // in the copy, of these
	copy *Expr    // the load in terms of these
}

// axes expresses the load by the axes.
func (s *staging) axes(axes []Axis) error {
	s.copy = s.load
	used := s.k.Names()
	for _, a := range axes {
		name := a.Var + ".s"
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s.s%d", a.Var, n)
		}
		used[name] = true
		s.vars = append(s.vars, name)
		s.at = s.at.Add(ir.Sym(name).Mul(a.Stride))
		value := ir.Sym(name)
		if !a.At.IsConst(0) {
			coef, rest, ok := a.At.Linear(a.Var)
			if !ok || !coef.IsConst(1) {
				return refuse("stage", s.v, "axis %v does not have %s with factor 1", a.At, a.Var)
			}
			value = value.Sub(rest)
		}
		s.copy = (&subst{dim: func(d ir.Dim) ir.Dim {
			return d.Subst(func(sym string) (ir.Dim, bool) { return value, sym == a.Var })
		}}).e(s.copy)
	}
	return nil
}

// closed checks that the copy depends on nothing that body defines.
func (s *staging) closed(f *Facts, body []Stmt) error {
	s.copy = (&subst{dim: f.Simplify}).e(s.copy)
	a := collect(body)
	var err error
	stmt := []Stmt{&Let{Value: s.copy}}
	WalkDims(stmt, func(d ir.Dim) {
		for _, n := range d.SymNames() {
			if a.vars[n] {
				err = refuse("stage", s.v, "the load of %s at %v depends on %s, which is no axis",
					s.load.Buf.Name, s.load.Index, n)
			}
		}
	})
	writes := a.writes()
	WalkExprs(stmt, func(e *Expr) {
		if e.Kind == KVar && a.vars[e.Var] || e.Kind == KLoad && (writes[e.Buf] || a.inner[e.Buf]) {
			err = refuse("stage", s.v, "the load of %s depends on what the body computes", s.load.Buf.Name)
		}
	})
	return err
}

// covered checks that each load has its axes' values inside the extents.
func (s *staging) covered(p *place, f *Facts, axes []Axis) error {
	var err error
	a := collect(p.loop.Body)
	for _, x := range a.list {
		if x.write || x.buf != s.load.Buf {
			continue
		}
		g := f.Clone()
		for _, h := range x.facts {
			h(g, func(d ir.Dim) ir.Dim { return d })
		}
		for _, ax := range axes {
			at := ax.At
			if at.IsConst(0) {
				at = ir.Sym(ax.Var)
			}
			if !g.InBounds(at, ax.Extent) {
				err = refuse("stage", s.v, "%v may not be below %v", at, ax.Extent)
			}
		}
	}
	return err
}

// nest is the loops that fill the copy.
func (s *staging) nest(axes []Axis, out *Buffer) Stmt {
	var st Stmt = &Store{Buf: out, Index: s.at, Value: s.copy}
	for i := len(axes) - 1; i >= 0; i-- {
		st = &Loop{Var: s.vars[i], Extent: axes[i].Extent, Body: []Stmt{st}, Indep: true}
	}
	return st
}

// use is the index in the copy of a load.
func (s *staging) use(axes []Axis) ir.Dim {
	at := ir.Const(0)
	for _, a := range axes {
		v := a.At
		if v.IsConst(0) {
			v = ir.Sym(a.Var)
		}
		at = at.Add(v.Mul(a.Stride))
	}
	return at
}
