package kernel

import (
	"maps"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Advance computes loop f of the body of loop v, with what is ahead of it there, an
// iteration early, at the start of the iteration before: what one iteration of v needs of
// f and the other loops of the one before may then be joined. What the first iteration
// needs is computed ahead of loop v, which has one iteration less, and the last one
// stands behind it.
//
// It is legal where v runs at least once, what is advanced writes only what it allocates
// and reads nothing that the body writes, and the rest of the body reads of it scalars.
func (k *Kernel) Advance(v, f string) error {
	p, err := k.find("advance", v)
	if err != nil {
		return err
	}
	l := p.loop
	if l.Bind != Serial || !p.facts().NonNeg(l.Extent.AddConst(-1)) {
		return refuse("advance", v, "it is %v and runs %v times, want serial and at least once", l.Bind,
			l.Extent)
	}
	n := 1 + slices.IndexFunc(l.Body, func(st Stmt) bool {
		in, ok := st.(*Loop)
		return ok && in.Var == f
	})
	if n == 0 || n == len(l.Body) {
		return refuse("advance", v, "%s is not a loop of its body ahead of others", f)
	}
	lead, rest := l.Body[:n:n], l.Body[n:]
	scalars, err := k.leads(v, lead, rest)
	if err != nil {
		return err
	}
	p.replace(simplifyBody(k.advance(l, lead, rest, scalars), p.facts())...)
	return nil
}

// leads checks that lead may be computed an iteration early and returns the scalars of it
// that the rest reads.
func (k *Kernel) leads(v string, lead, rest []Stmt) ([]*Buffer, error) {
	x, y := collect(lead), collect(rest)
	if !x.known || !y.known {
		return nil, refuse("advance", v, "instructions hide what they touch")
	}
	WalkStmts(lead, func(s Stmt) {
		switch s.(type) {
		case *Let, *Fail:
			x.known = false
		}
	})
	if !x.known {
		return nil, refuse("advance", v, "what is to be advanced binds variables or may fail")
	}
	written := map[*Buffer]bool{} // or its own
	for _, a := range y.list {
		root, _ := a.buf.Root()
		written[root] = written[root] || a.write
	}
	for b := range y.inner {
		written[b] = true
	}
	for _, a := range x.list {
		if root, _ := a.buf.Root(); a.write || written[root] {
			return nil, refuse("advance", v, "%s is not its own", a.buf.Name)
		}
	}
	var scalars []*Buffer
	for _, a := range y.list {
		root, _ := a.buf.Root()
		switch {
		case !x.inner[root] || slices.Contains(scalars, a.buf):
		case a.write || a.buf != root || root.Space != Local || !root.Size.IsConst(1):
			return nil, refuse("advance", v, "%s is no scalar that the rest reads", a.buf.Name)
		default:
			scalars = append(scalars, a.buf)
		}
	}
	return scalars, nil
}

// advance is the new form of loop l.
func (k *Kernel) advance(l *Loop, lead, rest []Stmt, scalars []*Buffer) []Stmt {
	var out, take []Stmt
	zero, used := ir.Const(0), k.Names()
	carry, taken := map[*Buffer]*Buffer{}, map[*Buffer]*Buffer{}
	scalar := func(b *Buffer, suffix string) *Buffer {
		return &Buffer{Name: unused(b.Name+suffix, used), DType: b.DType, Size: b.Size, Space: Local}
	}
	for _, b := range scalars {
		carry[b], taken[b] = scalar(b, "n"), scalar(b, "t")
		out = append(out, &Alloc{Buf: carry[b]})
		take = append(take, &Alloc{Buf: taken[b]},
			&Store{Buf: taken[b], Index: zero, Value: Load(carry[b], zero)})
		lead = append(lead, &Store{Buf: carry[b], Index: zero, Value: Load(b, zero)})
	}
	names := map[string]string{}
	for _, b := range scalars {
		names[b.Name+"n"], names[b.Name+"t"] = carry[b].Name, taken[b].Name
	}
	first, more := k.copyAlso(lead, names)
	maps.Copy(names, more)
	end, _ := k.copyAlso(rest, names)
	end = (&subst{bufs: carry}).body(end)
	loop := *l
	loop.Extent, loop.Indep = l.Extent.AddConst(-1), false
	loop.Body = slices.Concat(take, replaceVar(lead, l.Var, ir.Sym(l.Var).AddConst(1)),
		(&subst{bufs: taken}).body(rest))
	out = append(out, replaceVar(first, l.Var, zero)...)
	out = append(out, &loop)
	return append(out, replaceVar(end, l.Var, l.Extent.AddConst(-1))...)
}
