package kernel

import "github.com/tensorcc/tcc/ir"

// FoldAhead folds the values of the expression e in the body of loop v, for all
// values of the axes, by the operation op into a local scalar at the start of
// the body, which nothing reads yet. The last axis, whose extent is a number,
// has partial results of its own: FoldAhead returns the names of the loop over
// it that starts these and of the loops that fold. It is legal where
// [Kernel.Stage] is; the axes' strides count for nothing.
func (k *Kernel) FoldAhead(v string, e *Expr, name string, op ir.Op, axes []Axis) (out *Buffer,
	start string, loops []string, err error) {

	p, err := k.find("foldahead", v)
	if err != nil {
		return nil, "", nil, err
	}
	s := &staging{k: k, v: v, e: e}
	if err := s.axes(axes); err != nil {
		return nil, "", nil, err
	}
	n := axes[len(axes)-1].Extent
	if !n.Static() {
		return nil, "", nil, refuse("foldahead", v, "the extent %v of the last axis is no number", n)
	}
	f := p.inside()
	if err := s.closed(f, p.loop.Body); err != nil {
		return nil, "", nil, err
	}
	g := f.Clone()
	for i := range axes {
		g.Loop(s.vars[i], axes[i].Extent)
	}
	if err := s.harmless(g, s.copy); err != nil {
		return nil, "", nil, err
	}
	lanes := s.vars[len(axes)-1]
	start = k.fresh(name + ".start")
	end := k.fresh(name + ".end")
	part := &Buffer{Name: k.fresh(name + ".part"), DType: e.DType, Size: n, Space: Local}
	out = &Buffer{Name: k.fresh(name), DType: e.DType, Size: ir.Const(1), Space: Local}
	fold := func(b *Buffer, at ir.Dim, x *Expr) Stmt {
		return &Store{Buf: b, Index: at, Value: OpExpr(op, Load(b, at), x)}
	}
	nest := fold(part, ir.Sym(lanes), s.copy)
	for i := len(axes) - 1; i >= 0; i-- {
		nest = &Loop{Var: s.vars[i], Extent: axes[i].Extent, Body: []Stmt{nest}, Indep: i == len(axes)-1}
	}
	none := identity(op, e.DType)
	ahead := []Stmt{&Alloc{Buf: part}, &Loop{Var: start, Extent: n, Indep: true,
		Body: []Stmt{&Store{Buf: part, Index: ir.Sym(start), Value: none}}}, nest,
		&Alloc{Buf: out}, &Store{Buf: out, Value: none}, &Loop{Var: end, Extent: n,
			Body: []Stmt{fold(out, ir.Const(0), Load(part, ir.Sym(end)))}}}
	p.loop.Body = append(simplifyBody(ahead, f), p.loop.Body...)
	return out, start, s.vars, nil
}
