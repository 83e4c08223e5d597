package kernel

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Delay moves the last loop in the body of loop v, which writes results of an
// iteration, into loop s of the same body an iteration later: what one stores and
// the other computes then overlap. What it stores is computed ahead of the body of s
// and stored behind it. The first iteration stands ahead of loop v, which has one
// less, and the last results are written behind it.
//
// It is legal where iterations of v are independent and there is at least one, both
// loops have one extent, and of what the body allocates the last loop reads
// scalars, which are carried on, and element i of buffers in its iteration i, as s
// writes it in its own.
func (k *Kernel) Delay(v, s string) error {
	p, err := k.find("delay", v)
	if err != nil {
		return err
	}
	d := &delay{k: k, v: v, carry: map[*Buffer]*Buffer{}, kept: map[*Buffer]bool{}}
	if err := d.parts(p, s); err != nil {
		return err
	}
	if err := d.values(); err != nil {
		return err
	}
	out := d.rewrite(p.loop)
	p.replace(simplifyBody(out, p.facts())...)
	return nil
}

type delay struct {
	k     *Kernel
	v     string
	ahead []Stmt // the body without its last loop
	into  *Loop  // one of them
	last  *Loop
	own   map[*Buffer]bool    // what the body allocates
	carry map[*Buffer]*Buffer // scalars that last reads, as they are an iteration later
	kept  map[*Buffer]bool    // buffers that last reads
	order []*Buffer           // all of them, as they are allocated
}

// parts finds the loops and checks that they may be interleaved.
func (d *delay) parts(p *place, s string) error {
	l := p.loop
	if l.Bind != Serial || !l.Indep {
		return refuse("delay", d.v, "it is not serial with independent iterations")
	}
	if !p.facts().NonNeg(l.Extent.AddConst(-1)) {
		return refuse("delay", d.v, "it may run no time at all: its extent is %v", l.Extent)
	}
	n := len(l.Body) - 1
	i := slices.IndexFunc(l.Body, func(st Stmt) bool {
		in, ok := st.(*Loop)
		return ok && in.Var == s
	})
	if i < 0 || i >= n {
		return refuse("delay", d.v, "%s is not a loop of its body ahead of another", s)
	}
	last, ok := l.Body[n].(*Loop)
	if !ok || !last.Indep || last.Bind != Serial {
		return refuse("delay", d.v, "its body ends in no serial loop of independent iterations")
	}
	d.ahead, d.into, d.last = l.Body[:n:n], l.Body[i].(*Loop), last
	if d.into.Bind != Serial || !d.into.Extent.Equal(last.Extent) || last.Extent.Has(d.v) {
		return refuse("delay", d.v, "%s < %v and %s < %v are not serial loops of one extent", s,
			d.into.Extent, last.Var, last.Extent)
	}
	return nil
}

// values sorts what the last loop reads of what the body allocates.
func (d *delay) values() error {
	d.own = collect(d.ahead).inner
	ahead, last := collect(d.ahead), collect([]Stmt{d.last})
	if !ahead.known || !last.known {
		return refuse("delay", d.v, "instructions hide what they touch")
	}
	if len(last.inner) > 0 {
		return refuse("delay", d.v, "%s allocates memory", d.last.Var)
	}
	for _, st := range d.ahead {
		let, ok := st.(*Let)
		if ok && mentions([]Stmt{d.last}, let.Var) {
			return refuse("delay", d.v, "%s uses %s", d.last.Var, let.Var)
		}
	}
	for _, a := range last.list {
		switch {
		case a.write && slices.ContainsFunc(ahead.list, func(x access) bool { return x.buf == a.buf }) ||
			a.write && d.own[a.buf]:
			return refuse("delay", d.v, "%s is written by %s and used ahead of it", a.buf.Name, d.last.Var)
		case !d.own[a.buf]:
		case a.buf.Space == Local && a.buf.Size.IsConst(1):
			d.carry[a.buf] = nil
		case a.index.Equal(ir.Sym(d.last.Var)):
			d.kept[a.buf] = true
		default:
			return refuse("delay", d.v, "it reads %s[%v]", a.buf.Name, a.index)
		}
	}
	top := map[*Buffer]bool{}
	for _, st := range d.ahead {
		if al, ok := st.(*Alloc); ok && al.Buf.Of == nil && (d.kept[al.Buf] || hasKey(d.carry, al.Buf)) {
			top[al.Buf] = true
			d.order = append(d.order, al.Buf)
		}
	}
	if len(top) != len(d.kept)+len(d.carry) {
		return refuse("delay", d.v, "%s reads what is allocated in a loop", d.last.Var)
	}
	return d.writers()
}

func hasKey(m map[*Buffer]*Buffer, b *Buffer) bool { _, ok := m[b]; return ok }

// writers checks that loop s alone touches the buffers that last reads, and each
// iteration its own element, by a store.
func (d *delay) writers() error {
	touched := map[*Buffer]int{}
	var all []Stmt
	WalkStmts(d.ahead, func(st Stmt) { all = append(all, st) })
	for _, st := range all {
		if st, ok := st.(*Store); ok {
			touched[st.Buf]++
		}
		StmtExprs(st, func(root *Expr) {
			WalkExprs([]Stmt{&Let{Value: root}}, func(e *Expr) {
				if e.Kind == KLoad {
					touched[e.Buf]++
				}
			})
		})
		if al, ok := st.(*Alloc); ok && al.Buf.Of != nil {
			touched[al.Buf.Of]++
		}
	}
	for _, st := range d.into.Body {
		if st, ok := st.(*Store); ok && d.kept[st.Buf] && st.Index.Equal(ir.Sym(d.into.Var)) {
			touched[st.Buf]--
		}
	}
	for _, b := range d.order {
		if d.kept[b] && touched[b] != 0 {
			return refuse("delay", d.v, "%s is not only written by iteration i of %s at i", b.Name,
				d.into.Var)
		}
	}
	return nil
}

// rewrite is the new form of loop l.
func (d *delay) rewrite(l *Loop) []Stmt {
	var out, ahead []Stmt
	used := d.k.Names()
	for _, b := range d.order {
		if d.kept[b] {
			out = append(out, &Alloc{Buf: b})
			continue
		}
		d.carry[b] = &Buffer{Name: unused(b.Name+"c", used), DType: b.DType, Size: b.Size, Space: Local}
		out = append(out, &Alloc{Buf: d.carry[b]})
	}
	for _, st := range d.ahead {
		if al, ok := st.(*Alloc); !ok || !d.kept[al.Buf] {
			ahead = append(ahead, st)
		}
	}
	for _, b := range d.order {
		if c := d.carry[b]; c != nil {
			ahead = append(ahead, &Store{Buf: c, Index: ir.Const(0), Value: Load(b, ir.Const(0))})
		}
	}
	last := (&subst{bufs: d.carry}).body(d.last.Body)
	first, names := d.k.copyBody(ahead)
	out = append(out, replaceVar(first, d.v, ir.Const(0))...)
	inner, _ := d.k.copyAlso(last, names)
	into := *d.into
	values, stores := behind(replaceVar(inner, d.last.Var, ir.Sym(d.into.Var)), used)
	into.Body = slices.Concat(values, replaceVar(d.into.Body, d.v, ir.Sym(d.v).AddConst(1)), stores)
	into.Indep = d.into.Indep && d.last.Indep
	loop := &Loop{Var: d.v, Extent: l.Extent.AddConst(-1)}
	for _, st := range ahead {
		if st == Stmt(d.into) {
			loop.Body = append(loop.Body, &into)
			continue
		}
		loop.Body = append(loop.Body, replaceVar([]Stmt{st}, d.v, ir.Sym(d.v).AddConst(1))...)
	}
	end := *d.last
	end.Body = replaceVar(last, d.v, l.Extent.AddConst(-1))
	return append(out, loop, &end)
}

// behind splits body into what computes values and what stores them, in locals in
// between, so that what comes to stand between the two loads before this is stored. A
// load waits for a store ahead of it to an address with the same 12 low bits, as an
// element of a result and the one that it is made of often have.
func behind(body []Stmt, used map[string]bool) (values, stores []Stmt) {
	touched := map[*Buffer]int{}
	for _, a := range collect(body).list {
		touched[a.buf]++
	}
	for _, st := range body {
		s, ok := st.(*Store)
		if !ok || touched[s.Buf] != 1 {
			values = append(values, st)
			continue
		}
		b, zero := &Buffer{Name: unused(s.Buf.Name+"v", used), DType: s.Buf.DType, Size: ir.Const(1),
			Space: Local}, ir.Const(0)
		values = append(values, &Alloc{Buf: b}, &Store{Buf: b, Index: zero, Value: s.Value})
		stores = append(stores, &Store{Buf: s.Buf, Index: s.Index, Value: Load(b, zero)})
	}
	return values, stores
}

// unused is name, or a longer one, that is not used; it is from here on.
func unused(name string, used map[string]bool) string {
	for used[name] {
		name += "_"
	}
	used[name] = true
	return name
}
