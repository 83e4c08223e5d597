package kernel

import (
	"maps"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Overlap runs loop s in the body of loop v an iteration early, inside the loop that
// follows it there as the last one: while that uses what s has put into buffers of the
// body, s fills them for the next iteration. The buffers become twice as large; iterations
// take turns at their halves. Where the last statement of an iteration of the last loop is
// a loop of as many iterations as one that s has as its body, the two run together as
// well, and so on inwards. What the first iteration uses is computed ahead of loop v,
// which has one less, and the last use stands behind it.
//
// It is legal where iterations of v are independent and there is at least one, both loops
// have one extent, s touches only those buffers and what the last loop does not write, and
// the last loop does not write those.
func (k *Kernel) Overlap(v, s string) error {
	p, err := k.find("overlap", v)
	if err != nil {
		return err
	}
	o := &overlap{v: v, s: s}
	if err := o.parts(p); err != nil {
		return err
	}
	if err := o.apart(); err != nil {
		return err
	}
	p.replace(simplifyBody(o.rewrite(k, p.loop), p.facts())...)
	return nil
}

type overlap struct {
	v, s       string
	bufs       []*Buffer // that the body allocates
	fill, last *Loop
}

// parts finds the buffers and the loops.
func (o *overlap) parts(p *place) error {
	l := p.loop
	if l.Bind != Serial || !l.Indep || !p.facts().NonNeg(l.Extent.AddConst(-1)) {
		return refuse("overlap", o.v, "it is %v and runs %v times, want serial, at least once, and "+
			"independent iterations", l.Bind, l.Extent)
	}
	n := len(l.Body) - 2
	for _, st := range l.Body[:max(n, 0)] {
		a, ok := st.(*Alloc)
		if !ok || a.Buf.Of != nil || a.Buf.Size.Has(o.v) {
			return refuse("overlap", o.v, "its body does not begin with buffers of its own alone")
		}
		o.bufs = append(o.bufs, a.Buf)
	}
	if n < 1 {
		return refuse("overlap", o.v, "its body is not buffers and two loops")
	}
	fill, ok := l.Body[n].(*Loop)
	last, also := l.Body[n+1].(*Loop)
	switch {
	case !ok || !also || fill.Var != o.s:
		return refuse("overlap", o.v, "its body does not end in loop %s and another", o.s)
	case !joins(last, fill) || last.Extent.Has(o.v):
		return refuse("overlap", o.v, "%s < %v, %v, and %s < %v, %v, do not run together", fill.Var,
			fill.Extent, fill.Bind, last.Var, last.Extent, last.Bind)
	}
	o.fill, o.last = fill, last
	return nil
}

// apart checks what the loops touch.
func (o *overlap) apart() error {
	fill, last := touched([]Stmt{o.fill}), touched([]Stmt{o.last})
	written := map[*Buffer]bool{} // by the last loop
	for b, write := range last {
		root, _ := b.Root()
		written[root] = written[root] || write
	}
	for b, write := range fill {
		root, _ := b.Root()
		if own := slices.Contains(o.bufs, b); write && !own || written[root] {
			return refuse("overlap", o.v, "%s is written by %s and used by the other loop, or written by "+
				"%s and not its own", b.Name, o.last.Var, o.s)
		}
	}
	for _, b := range o.bufs {
		if written[b] {
			return refuse("overlap", o.v, "%s is written by %s", b.Name, o.last.Var)
		}
	}
	plain := true
	WalkStmts([]Stmt{o.fill, o.last}, func(st Stmt) {
		switch st := st.(type) {
		case *Let, *Fail:
			plain = false
		case *Alloc:
			plain = plain && st.Buf.Of == nil
		}
	})
	if !plain {
		return refuse("overlap", o.v, "the loops bind variables, may fail or name parts of buffers")
	}
	return nil
}

// rewrite is the new form of loop l.
func (o *overlap) rewrite(k *Kernel, l *Loop) []Stmt {
	var out, ahead, body, behind []Stmt
	used := k.Names()
	early, now := map[*Buffer]*Buffer{}, map[*Buffer]*Buffer{}
	half := func(b, both *Buffer, suffix string, i ir.Dim) *Alloc {
		c := *b
		c.Name, c.Of, c.At = unused(b.Name+suffix, used), both, i.Mod(ir.Const(2)).Mul(b.Size)
		return &Alloc{Buf: &c}
	}
	i, end := ir.Sym(o.v), l.Extent.AddConst(-1)
	first, final := map[*Buffer]*Buffer{}, map[*Buffer]*Buffer{}
	for _, b := range o.bufs {
		both := *b
		both.Name, both.Size = unused(b.Name+"b", used), b.Size.MulConst(2)
		a, c := half(b, &both, "f", ir.Const(0)), half(b, &both, "l", end)
		x, y := half(b, &both, "x", i.AddConst(1)), half(b, &both, "n", i)
		first[b], final[b], early[b], now[b] = a.Buf, c.Buf, x.Buf, y.Buf
		out, ahead = append(out, &Alloc{Buf: &both}), append(ahead, a)
		body, behind = append(body, x, y), append(behind, c)
	}
	names := map[string]string{}
	for n := range used {
		names[n] = n
	}
	fill, more := k.copyAlso([]Stmt{o.fill}, names)
	maps.Copy(names, more)
	last, _ := k.copyAlso([]Stmt{o.last}, names)
	ahead = append(ahead, (&subst{bufs: first}).body(replaceVar(fill, o.v, ir.Const(0)))...)
	behind = append(behind, (&subst{bufs: final}).body(replaceVar(last, o.v, end))...)
	into := (&subst{bufs: early}).body(replaceVar([]Stmt{o.fill}, o.v, i.AddConst(1)))[0].(*Loop)
	loop := *l
	loop.Extent, loop.Indep = end, false
	loop.Body = append(body, together((&subst{bufs: now}).body([]Stmt{o.last})[0].(*Loop), into))
	return slices.Concat(out, ahead, []Stmt{&loop}, behind)
}

// joins reports whether iterations of a and b may run in turn.
func joins(a, b *Loop) bool {
	plain := func(l *Loop) bool { return l.Indep && (l.Bind == Serial || l.Bind == Unroll) }
	return plain(a) && plain(b) && a.Extent.Equal(b.Extent)
}

// together is loop a with that of b, which is apart from it, in each iteration.
func together(a, b *Loop) *Loop {
	out := *a
	body := replaceVar(b.Body, b.Var, ir.Sym(a.Var))
	n := len(a.Body) - 1
	if x, ok := a.Body[n].(*Loop); ok && len(body) == 1 {
		if y, ok := body[0].(*Loop); ok && joins(x, y) {
			out.Body = append(a.Body[:n:n], together(x, y))
			return &out
		}
	}
	out.Body = append(a.Body[:n+1:n+1], body...)
	return &out
}
