package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// acyclic reports whether m can be one kernel: no value outside of it lies on
// a path from one member to another.
func (f *fuser) acyclic(m *group) bool {
	c := &cycleCheck{f: f, low: f.lowest(m),
		inner: make([]bool, len(f.g.Values)), seen: make([]uint8, len(f.g.Values)),
		groups: map[*group]bool{}}
	for _, v := range m.members {
		c.inner[v.ID] = true
	}
	for _, v := range m.members {
		for _, p := range f.preds[v.ID] {
			if !c.inner[p.ID] && c.reaches(p, false) {
				return false
			}
		}
	}
	return true
}

// lowest bounds the IDs from which a member of m can be reached: an edge goes
// from a smaller ID to a larger one, and only a group leads back.
func (f *fuser) lowest(m *group) int {
	low := m.members[0].ID
	for i := len(f.g.Values) - 1; i >= low; i-- {
		if gr := f.group[i]; gr != nil {
			low = min(low, gr.members[0].ID)
		}
	}
	return low
}

type cycleCheck struct {
	f      *fuser
	low    int
	inner  []bool
	seen   []uint8 // bit 0: visited before, bit 1: visited beyond a unit
	groups map[*group]bool
}

// reaches reports whether a member of the group lies upstream of x; through
// says that a unit outside of the group has been passed, as free values do
// not count.
func (c *cycleCheck) reaches(x *ir.Value, through bool) bool {
	if c.inner[x.ID] {
		return through
	}
	bit := uint8(1)
	if through {
		bit = 2
	}
	if x.ID < c.low || c.seen[x.ID]&(bit|2) != 0 {
		return false
	}
	c.seen[x.ID] |= bit
	c.f.scans++
	if gr := c.f.group[x.ID]; gr != nil {
		if c.groups[gr] {
			return false
		}
		c.groups[gr] = true
		for _, w := range gr.members {
			if c.upstream(w, true) {
				return true
			}
		}
		return false
	}
	return c.upstream(x, through || c.f.place[x.ID] != isFree)
}

func (c *cycleCheck) upstream(x *ir.Value, through bool) bool {
	for _, p := range c.f.preds[x.ID] {
		if c.reaches(p, through) {
			return true
		}
	}
	return false
}

// reading is a use of an exported value of a group by another group.
type reading struct {
	by   *ir.Value // the member that reads
	size ir.Dim    // elements read, after the free values in between
}

// absorbAll pulls loops into the only kernel that reads them: their values are
// then computed where they are needed and never written. Later groups come
// first, so that chains of loops end in their last reader.
func (f *fuser) absorbAll() {
	for i := len(f.g.Values) - 1; i >= 0; i-- {
		v := f.g.Values[i]
		if p := f.group[i]; p != nil && p.members[len(p.members)-1] == v {
			f.absorb(p)
		}
	}
}

func (f *fuser) absorb(p *group) {
	if p.kind != "loop" || p.closed {
		return
	}
	var reads []reading
	for _, v := range p.members {
		if f.isRes[v.ID] {
			return
		}
		var ok bool
		if reads, ok = f.readings(reads, p, v, v.Type.Shape.Size()); !ok {
			return
		}
	}
	if len(reads) == 0 {
		return
	}
	c := f.group[reads[0].by.ID]
	for _, r := range reads {
		if f.group[r.by.ID] != c {
			return
		}
	}
	if !f.wanted(p, c, reads) {
		return
	}
	m := &group{kind: c.kind, domain: c.domain, axes: c.axes, closed: c.closed,
		members: slices.Concat(c.members, p.members), inlined: map[*ir.Value]bool{}}
	slices.SortFunc(m.members, func(v, w *ir.Value) int { return v.ID - w.ID })
	if len(m.members) > f.most || !f.acyclic(m) {
		return
	}
	for v := range c.inlined {
		m.inlined[v] = true
	}
	for _, v := range p.members {
		m.inlined[v] = true
	}
	f.adopt(m)
}

// readings appends the uses of v outside of p; it reports false where one is
// at the top level.
func (f *fuser) readings(out []reading, p *group, v *ir.Value, size ir.Dim) ([]reading, bool) {
	ok := true
	for _, w := range f.users[v.ID] {
		switch {
		case f.place[w.ID] == atTop || f.isRes[w.ID] && f.place[w.ID] == isFree || f.roots[w.ID] &&
			f.place[w.ID] == isFree:
			return nil, false
		case f.place[w.ID] == isFree:
			if out, ok = f.readings(out, p, w, w.Type.Shape.Size()); !ok {
				return nil, false
			}
		case f.group[w.ID] != p:
			out = append(out, reading{w, size})
		}
	}
	return out, true
}

// wanted decides whether computing p inside c costs no more than writing and
// reading its values.
func (f *fuser) wanted(p, c *group, reads []reading) bool {
	evaluations := ir.Const(0)
	for _, r := range reads {
		evaluations = evaluations.Add(r.size)
		if heroOps[r.by.Op] != "" && !onlyCasts(p) || r.by.Op == ir.OpArgSort {
			return false
		}
	}
	dear := slices.ContainsFunc(p.members, func(v *ir.Value) bool { return transcendental[v.Op] })
	if c.kind == "reduce" && dear {
		return false
	}
	spare, known := p.domain.Size().Sub(evaluations).Int()
	if known && spare >= 0 {
		return true
	}
	const cheap = 4 // operations that cost less than a store and a load
	return !dear && len(p.members) <= cheap && f.inputs(p) <= 2 && c.kind != "conv" && c.kind != "dot"
}

func onlyCasts(p *group) bool {
	return !slices.ContainsFunc(p.members, func(v *ir.Value) bool { return v.Op != ir.OpCast })
}

// inputs counts the values in memory that p reads.
func (f *fuser) inputs(p *group) int {
	seen := map[*ir.Value]bool{}
	var walk func(v *ir.Value)
	walk = func(v *ir.Value) {
		for _, a := range v.Args {
			switch {
			case f.place[a.ID] == isFree:
				walk(a)
			case f.group[a.ID] != p:
				seen[a] = true
			}
		}
	}
	for _, v := range p.members {
		walk(v)
	}
	return len(seen)
}
