package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Columns of a product packed once for all tasks, in a phase of its own, where many
// rows share them: those of a tile then lie together, step after step, and tile after
// tile. Where the sum is short enough for the columns of a tile to stay in the nearest
// cache, or the operand is as large as all that the product reads and writes beside it,
// tasks read it where it lies, or pack what they need.
const (
	minSharedDepth  = 769      // steps; shorter sums are not blocked, see depth
	minSharedRows   = 512      // each element saves as many reads of lines far apart
	minTurnedRows   = 64       // the same, where columns are rows in memory
	mostSharedBytes = 64 << 20 // of the copy
)

// mayShare reports whether what the load e reads of columns is packed once for all
// tasks.
func (p *product) mayShare(e *kernel.Expr) bool {
	if p.m == "" || p.t.Inner || !p.fixed() || len(e.Args) > 0 || e.Buf.Space != kernel.Global ||
		len(p.red) != 1 || !e.Index.Has(p.n) {
		return false
	}
	for _, v := range p.domain {
		if v != p.n && (v != p.m || e.Index.Has(v)) {
			return false // windows, or batches
		}
	}
	m, n, k := p.size(p.Loop(p.m).Extent, 0), p.size(p.Loop(p.n).Extent, 0), p.size(p.k, 0)
	if k*n > m*(k+n) || k*n*int64(e.DType.Size()) > mostSharedBytes {
		return false
	}
	if p.odd[e.Buf] {
		return m >= minTurnedRows
	}
	return m >= minSharedRows && k >= minSharedDepth
}

// shareColumns packs the operand e of columns tile by tile, ahead of all tasks.
func (p *product) shareColumns(e *kernel.Expr, t *tiling) error {
	from, index, own := e.Buf.Name, e.Index, len(p.Loop(t.nt).Body)
	if err := p.packAt(t.nt, e, t, false, false); err != nil {
		return err
	}
	body := p.Loop(t.nt).Body
	own = len(body) - own
	for _, s := range body[:own] {
		l, ok := s.(*kernel.Loop)
		if step, _, _ := index.Linear(last(p.red)); !ok || p.magnitude(step) <= t.cols*t.w {
			continue
		}
		at := index.Subst(next(t, map[string]bool{t.n0: true})).Subst(func(v string) (ir.Dim, bool) {
			return ir.Sym(l.Var), v == last(p.red)
		})
		each := ceil(t.cols*t.w, perLine(e.DType))
		if err := p.Ask(l.Var, from, lines(at, each, e.DType)...); err != nil {
			return err
		}
	}
	return p.Phase(t.nt, own)
}

// next takes an index to the first element that the next tile of columns reads in the
// same step, where inner are the loops over columns and rows of a tile.
func next(t *tiling, inner map[string]bool) func(string) (ir.Dim, bool) {
	return func(v string) (ir.Dim, bool) {
		if v == t.nt {
			return ir.Sym(v).AddConst(1), true
		}
		return ir.Const(0), inner[v]
	}
}

// perLine is the elements of a line of memory.
func perLine(d ir.DType) int64 { return 64 / int64(d.Size()) }

// lines are the indices of n lines from that at on.
func lines(at ir.Dim, n int64, d ir.DType) []ir.Dim {
	out := make([]ir.Dim, n)
	for i := range out {
		out[i] = at.AddConst(int64(i) * perLine(d))
	}
	return out
}
