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
	if p.scalar() {
		return false
	}
	return m >= minSharedRows && k >= minSharedDepth
}

// shareColumns packs the operand e of columns tile by tile, ahead of all tasks. Steps
// whose lines are apart ask for those of the next tile.
func (p *product) shareColumns(e *kernel.Expr, t *tiling) error {
	from, index, own := e.Buf.Name, e.Index, len(p.Loop(t.nt).Body)
	if err := p.packAt(t.nt, e, t, false, false); err != nil {
		return err
	}
	body := p.Loop(t.nt).Body
	own = len(body) - own
	for _, s := range body[:own] {
		if p.scalar() {
			break // no requests for lines
		}
		l, ok := s.(*kernel.Loop)
		if step, _, _ := index.Linear(last(p.red)); !ok || p.magnitude(step) <= t.cols*t.w {
			continue
		}
		var lines []ir.Dim
		for n := int64(0); n < t.cols*t.w; n += perLine(e.DType) {
			at := map[string]ir.Dim{t.nt: ir.Sym(t.nt).AddConst(1), t.n0: ir.Const(n),
				last(p.red): ir.Sym(l.Var)}
			lines = append(lines, index.Subst(func(v string) (ir.Dim, bool) {
				d, ok := at[v]
				return d, ok
			}))
		}
		if err := p.Ask(l.Var, from, lines...); err != nil {
			return err
		}
	}
	return p.Phase(t.nt, own)
}

// perLine is the elements of a line of memory.
func perLine(d ir.DType) int64 { return 64 / int64(d.Size()) }
