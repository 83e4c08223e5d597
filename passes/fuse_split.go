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
// 11 and 5 ms apart; AMD EPYC, 2026-11-25).
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
		if rank(gr) < 2 || len(gr.members) == 1 || static && n < minSplit || f.streams(gr) <= maxStreams {
			continue
		}
		i := slices.IndexFunc(gr.members, func(m *ir.Value) bool { return heroOps[m.Op] != "" })
		tail := slices.Delete(slices.Clone(gr.members), i, i+1)
		if i < 0 || slices.ContainsFunc(tail, func(m *ir.Value) bool { return !m.Op.Is(ir.Elementwise) }) {
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
