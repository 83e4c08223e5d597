package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// relation says at which index a region reads a value that it computes.
type relation uint8

const (
	direct relation = iota // the same index, axes of extent 1 aside
	spread                 // a broadcast: mapping has the axes
	moved                  // any other index
)

// link is a use of the computed value from by another, through free values.
type link struct {
	from    *ir.Value
	rel     relation
	mapping []int // of spread: where the axes of from that are not 1 go
}

// links lists the computed values that v reads, looking through free values.
func (f *fuser) links(v *ir.Value) []link {
	var out []link
	for _, a := range v.Args {
		out = f.linksFrom(out, a, nil)
	}
	return out
}

// linksFrom walks towards memory; chain holds the free values passed, the one
// nearest to the reader first.
func (f *fuser) linksFrom(out []link, a *ir.Value, chain []*ir.Value) []link {
	switch {
	case f.place[a.ID] == inGroup:
		rel, mapping := relationOf(a, chain)
		return append(out, link{a, rel, mapping})
	case f.place[a.ID] == isFree:
		for i, b := range a.Args {
			next := append(slices.Clip(chain), a)
			if i > 0 {
				next = append(next, nil) // an index or a filler: moved
			}
			out = f.linksFrom(out, b, next)
		}
	}
	return out
}

func relationOf(from *ir.Value, chain []*ir.Value) (relation, []int) {
	shape := from.Type.Shape
	at := realAxes(shape)
	rel := direct
	for i := len(chain) - 1; i >= 0; i-- {
		m := chain[i]
		switch {
		case m == nil:
			return moved, nil
		case m.Op == ir.OpReshape && sameReal(shape, m.Type.Shape):
			from, to := realAxes(shape), realAxes(m.Type.Shape)
			for j, axis := range at {
				at[j] = to[slices.Index(from, axis)]
			}
		case m.Op == ir.OpBroadcast:
			axes := m.Attr.(*ir.BroadcastAttr).Axes
			for j, axis := range at {
				at[j] = axes[axis]
			}
			if !sameReal(shape, m.Type.Shape) {
				rel = spread
			}
		default:
			return moved, nil
		}
		shape = m.Type.Shape
	}
	return rel, at
}

// realAxes lists the axes whose extent is not the number 1.
func realAxes(s ir.Shape) []int {
	var axes []int
	for i, d := range s {
		if !d.IsConst(1) {
			axes = append(axes, i)
		}
	}
	return axes
}

// real is s without axes of extent 1.
func real(s ir.Shape) ir.Shape {
	return slices.DeleteFunc(s.Clone(), func(d ir.Dim) bool { return d.IsConst(1) })
}

func sameReal(s, t ir.Shape) bool { return real(s).Equal(real(t)) }

// kept is the shape of the results of the group's reductions.
func (gr *group) kept() ir.Shape {
	var s ir.Shape
	for i, d := range gr.domain {
		if !slices.Contains(gr.axes, i) {
			s = append(s, d)
		}
	}
	return s
}

// formGroups puts each computed value into the group that computes its
// arguments where that is legal, else into a group of its own.
func (f *fuser) formGroups() {
	for _, v := range f.g.Values {
		if f.place[v.ID] != inGroup {
			continue
		}
		switch {
		case heroOps[v.Op] != "":
			f.adopt(&group{kind: heroOps[v.Op], members: []*ir.Value{v}, domain: v.Type.Shape})
		case reduceOps[v.Op]:
			f.join(v, &group{kind: "reduce", members: []*ir.Value{v},
				domain: v.Args[0].Type.Shape, axes: v.Attr.(*ir.AxesAttr).Axes})
		case singleOps[v.Op]:
			f.adopt(&group{kind: v.Op.String(), members: []*ir.Value{v}, domain: v.Type.Shape, closed: true})
		case v.Op.Is(ir.Elementwise):
			f.join(v, &group{kind: "loop", members: []*ir.Value{v}, domain: v.Type.Shape})
		default:
			if !f.joinTail(v) {
				f.adopt(&group{kind: "loop", members: []*ir.Value{v}, domain: v.Type.Shape,
					closed: copyOps[v.Op]})
			}
		}
	}
}

func (f *fuser) adopt(gr *group) {
	for _, v := range gr.members {
		f.group[v.ID] = gr
	}
}

// join merges the group of the new value v with as many groups of its
// arguments as is legal: that of the last product first, then reductions.
func (f *fuser) join(v *ir.Value, own *group) {
	var cands []*group
	for _, l := range f.links(v) {
		gr := f.group[l.from.ID]
		if l.rel != moved && gr != nil && !gr.closed && !slices.Contains(cands, gr) {
			cands = append(cands, gr)
		}
	}
	slices.SortStableFunc(cands, func(a, b *group) int {
		if d := rank(b) - rank(a); d != 0 {
			return d
		}
		return b.members[len(b.members)-1].ID - a.members[len(a.members)-1].ID
	})
	for _, c := range cands {
		if m := f.merge(own, c); m != nil {
			own = m
		}
	}
	f.adopt(own)
}

func rank(gr *group) int {
	switch gr.kind {
	case "loop":
		return 0
	case "reduce":
		return 1
	}
	return 2
}

// merge returns the union of two groups, or nil where it is not legal or not
// wanted.
func (f *fuser) merge(a, b *group) *group {
	if rank(a) < rank(b) {
		a, b = b, a
	}
	if rank(b) > 0 && (rank(a) != 1 || !a.domain.Equal(b.domain) || !slices.Equal(a.axes, b.axes)) ||
		len(a.members)+len(b.members) > f.most {
		return nil
	}
	m := &group{kind: a.kind, domain: a.domain, axes: a.axes,
		members: slices.Concat(a.members, b.members)}
	slices.SortFunc(m.members, func(v, w *ir.Value) int { return v.ID - w.ID })
	if f.legal(m) && f.acyclic(m) {
		return m
	}
	return nil
}

// legal checks that every value of the group is computed at the index of the
// domain at which it is used.
func (f *fuser) legal(m *group) bool {
	after := map[*ir.Value]bool{} // values that depend on a reduction
	narrow := m.kind == "reduce" && m.narrow()
	for _, v := range m.members {
		if !m.fits(v) {
			return false
		}
		after[v] = reduceOps[v.Op]
		for _, l := range f.links(v) {
			if !slices.Contains(m.members, l.from) {
				continue
			}
			if !m.allows(v, l) {
				return false
			}
			after[v] = after[v] || after[l.from]
		}
		if narrow && after[v] && !reduceOps[v.Op] && !sameReal(v.Type.Shape, m.kept()) {
			return false
		}
	}
	return true
}

// narrow reports whether the reduction has so few results that a kernel with
// a task for each would leave threads idle; what follows over the full domain
// is then better a kernel of its own.
func (gr *group) narrow() bool {
	kept, ok := gr.kept().Size().Int()
	full, known := gr.domain.Size().Int()
	return ok && known && kept < 4 && full > 1<<15
}

// fits checks the shape of a member.
func (gr *group) fits(v *ir.Value) bool {
	switch {
	case heroOps[v.Op] != "":
		return true
	case reduceOps[v.Op]:
		return gr.kind == "reduce" && v.Args[0].Type.Shape.Equal(gr.domain)
	}
	return sameReal(v.Type.Shape, gr.domain) ||
		gr.kind == "reduce" && sameReal(v.Type.Shape, gr.kept())
}

// allows reports whether member v may read another member over l.
func (gr *group) allows(v *ir.Value, l link) bool {
	switch {
	case heroOps[v.Op] != "" || l.rel == moved:
		return false
	case l.rel == direct:
		return !reduceOps[v.Op] || sameReal(l.from.Type.Shape, gr.domain)
	}
	if gr.kind != "reduce" || !sameReal(l.from.Type.Shape, gr.kept()) {
		return false
	}
	reader := v.Type.Shape
	if reduceOps[v.Op] {
		reader = v.Args[0].Type.Shape
	}
	return sameReal(reader, gr.domain) && gr.spreadsAlong(l.mapping, reader)
}

// spreadsAlong checks that a broadcast from the kept shape to the domain
// repeats along the reduced axes and no other.
func (gr *group) spreadsAlong(mapping []int, reader ir.Shape) bool {
	readerReal, domainReal := realAxes(reader), realAxes(gr.domain)
	i := 0
	for pos, axis := range domainReal {
		if slices.Contains(gr.axes, axis) {
			continue
		}
		if i >= len(mapping) || slices.Index(readerReal, mapping[i]) != pos {
			return false
		}
		i++
	}
	return i == len(mapping)
}

// joinTail puts a transpose that must be written to memory into the group of
// the product that it permutes: the product then writes in that order.
func (f *fuser) joinTail(v *ir.Value) bool {
	if v.Op != ir.OpTranspose {
		return false
	}
	chain := []*ir.Value{v}
	u := v.Args[0]
	for f.place[u.ID] == isFree && (u.Op == ir.OpReshape || u.Op == ir.OpTranspose) &&
		len(f.users[u.ID]) == 1 && !f.isRes[u.ID] {
		chain = append(chain, u)
		u = u.Args[0]
	}
	gr := f.group[u.ID]
	if f.place[u.ID] != inGroup || gr == nil || rank(gr) != 2 || gr.closed {
		return false
	}
	f.export(gr)
	if len(gr.exported) != 1 || gr.exported[0] != u || len(f.users[u.ID]) != 1 || f.isRes[u.ID] {
		return false
	}
	for _, c := range chain {
		f.place[c.ID] = inGroup
	}
	gr.members = append(gr.members, chain...)
	slices.SortFunc(gr.members, func(v, w *ir.Value) int { return v.ID - w.ID })
	gr.closed = true
	f.adopt(gr)
	return true
}
