package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Products with long tails are split: a kernel that computes a block of the
// result reads and writes a few rows of each tensor that its tail touches, far
// apart in memory. One is hidden behind the product; of more, the
// latencies add up, and a loop of its own over the result, which streams, is
// faster (the gradient of gelu, 2048 by 1024, depth 256: 29 ms with five tensors in the tail,
// 11 and 5 ms apart; AMD EPYC, 2026-11-25). A transcendental function, which takes registers that
// the product's next block needs, counts like a tensor (tanh and one tensor in the tail: 18 ms,
// 10 and 2 ms apart; 2026-11-26).
const maxStreams = 1 // tensors of the size of the result beside it

// minSplit is the smallest result whose tail is split; smaller ones stay in the
// caches. Tests lower it.
var minSplit int64 = 1 << 19

// splitTails takes the tails of products apart that touch too much memory.
func (f *fuser) splitTails() {
	seen := map[*group]bool{}
	for _, v := range f.g.Values {
		gr := f.group[v.ID]
		if gr == nil || seen[gr] {
			continue
		}
		seen[gr] = true
		n, static := gr.domain.Size().Int()
		streams := f.streams(gr)
		if slices.ContainsFunc(gr.members, func(m *ir.Value) bool { return transcendental[m.Op] }) {
			streams++
		}
		if rank(gr) < 2 || len(gr.members) == 1 || static && n < minSplit || streams <= maxStreams {
			continue
		}
		i := slices.IndexFunc(gr.members, func(m *ir.Value) bool { return heroOps[m.Op] != "" })
		tail := slices.Delete(slices.Clone(gr.members), i, i+1)
		other := func(m *ir.Value) bool { return !m.Op.Is(ir.Elementwise) }
		if i < 0 || slices.ContainsFunc(tail, other) {
			continue
		}
		f.adopt(&group{kind: gr.kind, domain: gr.domain, members: gr.members[i : i+1 : i+1]})
		f.adopt(&group{kind: "loop", domain: tail[0].Type.Shape, members: tail})
	}
}

// streams counts the tensors of the size of the result, beside one result, that
// the members after the product read and write.
func (f *fuser) streams(gr *group) int {
	n := -1
	read := map[*ir.Value]bool{}
	for _, m := range gr.members {
		if f.isRes[m.ID] || f.readOutside(gr, m) {
			n++
		}
		if heroOps[m.Op] != "" {
			continue
		}
		for _, a := range m.Args {
			x := root(a)
			if f.group[x.ID] != gr && !read[x] && x.Op != ir.OpConst && sameReal(x.Type.Shape, gr.domain) {
				read[x] = true
				n++
			}
		}
	}
	return n
}

// minColumns is the smallest operand of a reduction that is split. Tests lower
// it.
var minColumns int64 = 1 << 15

// splitColumns takes the sums of columns apart from a tensor that they are sums
// of where that is read elsewhere, too, as a gradient is beside that of the bias:
// one kernel would compute it twice, and as wide as a few columns are, where a
// loop of its own streams in one pass and on all threads.
func (f *fuser) splitColumns() {
	seen := map[*group]bool{}
	for _, v := range f.g.Values {
		gr := f.group[v.ID]
		if gr == nil || seen[gr] {
			continue
		}
		seen[gr] = true
		real := realAxes(gr.domain)
		n, static := gr.domain.Size().Int()
		if gr.kind != "reduce" || static && n < minColumns || len(real) == 0 ||
			slices.Contains(gr.axes, real[len(real)-1]) {
			continue
		}
		if before, ok := f.before(gr); ok {
			rest := slices.DeleteFunc(slices.Clone(gr.members), func(m *ir.Value) bool {
				return slices.Contains(before, m)
			})
			f.adopt(&group{kind: "loop", domain: before[0].Type.Shape, members: before})
			f.adopt(&group{kind: gr.kind, domain: gr.domain, axes: gr.axes, members: rest})
		}
	}
}

// before lists the members of a reduction that are computed over its domain
// before it reduces, if they need no other member and one is read elsewhere.
func (f *fuser) before(gr *group) (members []*ir.Value, read bool) {
	in := map[*ir.Value]bool{}
	for _, m := range gr.members {
		inner := slices.DeleteFunc(f.links(m), func(l link) bool { return f.group[l.from.ID] != gr })
		depends := slices.ContainsFunc(inner, func(l link) bool { return !in[l.from] })
		if reduceOps[m.Op] || !sameReal(m.Type.Shape, gr.domain) || depends {
			continue
		}
		in[m] = true
		members = append(members, m)
		read = read || f.isRes[m.ID] || f.readOutside(gr, m)
	}
	return members, read
}
