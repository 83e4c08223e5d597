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

func (a *Axis) value() ir.Dim {
	if a.At.IsConst(0) {
		return ir.Sym(a.Var)
	}
	return a.At
}

// Stage computes the values of the expression e in the body of loop v ahead of
// time, into a buffer of the kernel that is allocated at the start of the
// body: the copy has an element for each combination of the axes' values, and
// e becomes a read of the element for these. Masks are computed once, with the
// copy. The loops that fill it are named after the axes; their names are
// returned.
//
// It is legal where the body does not write what e reads, e depends on what is
// inside the loop only by way of the axes, its uses have the axes' values below
// the extents, and e may be computed for all values.
func (k *Kernel) Stage(v string, e *Expr, name string, space Space, size ir.Dim, axes []Axis) (
	[]string, error) {

	p, err := k.find("stage", v)
	if err != nil {
		return nil, err
	}
	s := &staging{k: k, v: v, e: e, passed: p.passed(k)}
	if err := s.axes(axes); err != nil {
		return nil, err
	}
	f := p.inside()
	if err := s.closed(f, p.loop.Body); err != nil {
		return nil, err
	}
	out := &Buffer{Name: k.fresh(name), DType: e.DType, Size: size, Space: space}
	g := f.Clone()
	for i := range axes {
		g.Loop(s.vars[i], axes[i].Extent)
	}
	if !g.InBounds(s.at, size) {
		return nil, refuse("stage", v, "index %v of the copy may not be below its size %v", s.at, size)
	}
	if err := s.harmless(g, s.copy); err != nil {
		return nil, err
	}
	if err := s.covered(f, p.loop.Body, axes); err != nil {
		return nil, err
	}
	fill := s.nest(axes, out)
	use := ir.Const(0)
	for i := range axes {
		use = use.Add(axes[i].value().Mul(axes[i].Stride))
	}
	body := (&subst{expr: func(x *Expr) *Expr {
		if sameExpr(x, e) {
			return Load(out, use)
		}
		return x
	}}).body(p.loop.Body)
	p.loop.Body = simplifyBody(append([]Stmt{&Alloc{Buf: out}, fill}, body...), f)
	return s.vars, nil
}

// sameExpr reports whether a and b are the same expression.
func sameExpr(a, b *Expr) bool {
	if a == b {
		return true
	}
	if a.Kind != b.Kind || a.DType != b.DType || a.Op != b.Op || a.Bits != b.Bits || a.Buf != b.Buf ||
		a.Var != b.Var || len(a.Args) != len(b.Args) || !a.Index.Equal(b.Index) {
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
	k      *Kernel
	v      string
	e      *Expr
	passed []check  // what is known there of elements of parameters
	vars   []string // of the loops that fill the copy
	at     ir.Dim   // in the copy, of these
	copy   *Expr    // e in terms of these
}

// axes expresses e by the axes.
func (s *staging) axes(axes []Axis) error {
	s.copy = s.e
	used := s.k.Names()
	for _, a := range axes {
		name := a.Var + ".s"
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s.s%d", a.Var, n)
		}
		used[name] = true
		s.vars = append(s.vars, name)
		s.at = s.at.Add(ir.Sym(name).Mul(a.Stride))
		coef, rest, ok := a.value().Linear(a.Var)
		if !ok || !coef.IsConst(1) {
			return refuse("stage", s.v, "axis %v does not have %s with factor 1", a.At, a.Var)
		}
		value := ir.Sym(name).Sub(rest)
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
				err = refuse("stage", s.v, "%v depends on %s, which is no axis", d, n)
			}
		}
	})
	writes := a.writes()
	WalkExprs(stmt, func(e *Expr) {
		if e.Kind == KVar && a.vars[e.Var] || e.Kind == KLoad && (writes[e.Buf] || a.inner[e.Buf]) {
			err = refuse("stage", s.v, "the expression depends on what the body computes")
		}
	})
	return err
}

// harmless checks that e can be computed for all values of the axes.
func (s *staging) harmless(f *Facts, e *Expr) error {
	if e.Kind == KLoad {
		g := f
		if len(e.Args) == 2 {
			g = f.Clone()
			g.Cond(e.Args[0], true)
		}
		if !g.InBounds(e.Index, e.Buf.Size) {
			return refuse("stage", s.v, "%s[%v] may be out of bounds for values that are not used",
				e.Buf.Name, e.Index)
		}
	}
	for _, a := range e.Args {
		if err := s.harmless(f, a); err != nil {
			return err
		}
	}
	return nil
}

// covered checks that each use of e has its axes' values inside the extents.
func (s *staging) covered(f *Facts, body []Stmt, axes []Axis) error {
	f = f.Clone()
	f.signs(body)
	for _, st := range body {
		used := false
		StmtExprs(st, func(e *Expr) {
			WalkExprs([]Stmt{&Let{Value: e}}, func(x *Expr) { used = used || sameExpr(x, s.e) })
		})
		for i := range axes {
			if used && !f.InBounds(axes[i].value(), axes[i].Extent) {
				return refuse("stage", s.v, "%v may not be below %v", axes[i].value(), axes[i].Extent)
			}
		}
		var err error
		switch st := st.(type) {
		case *Let:
			for _, c := range s.passed {
				c.tell(f, st)
			}
		case *Loop:
			g := f.Clone()
			g.Loop(st.Var, st.Extent)
			err = s.covered(g, st.Body, axes)
		case *If:
			g, h := f.Clone(), f.Clone()
			g.Cond(st.Cond, true)
			h.Cond(st.Cond, false)
			if err = s.covered(g, st.Then, axes); err == nil {
				err = s.covered(h, st.Else, axes)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nest is the loops that fill the copy.
func (s *staging) nest(axes []Axis, out *Buffer) Stmt {
	var st Stmt = &Store{Buf: out, Index: s.at, Value: s.copy}
	for i := len(axes) - 1; i >= 0; i-- {
		st = &Loop{Var: s.vars[i], Extent: axes[i].Extent, Body: []Stmt{st}, Indep: true}
	}
	return st
}
