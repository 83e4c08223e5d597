package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// askColumns has the steps of a tile of columns, in a block of the accumulation, ask for
// those of the next tile where they come from beyond the second cache: each step and row
// of tiles asks for a line or some. A task has few rows, so that there are many tasks, and
// reads all of its columns from the last cache; how slow that is then does not matter as
// long as it delivers a line a step. What a tile packs is asked for all the same. (1024 and
// 2048, one core of an AMD EPYC, Zen 4, while another one reads 24 MB again and again: 85
// and 87 % of the peak without, 89 and 89 so; 2026-11-26.)
func (p *product) askColumns(t *tiling) error {
	if p.m == "" || t.once || p.scalar() {
		return nil
	}
	step := last(p.red)
	e := t.lines
	if e == nil {
		e = p.farColumns(t, step)
	}
	if e == nil {
		return nil
	}
	at, line := p.nextTile(t), max(perLine(e.DType), t.w)
	lines := ceil(t.cols*t.w, line)
	if t.lines != nil {
		lines++ // they may begin anywhere
	}
	each := ceil(lines, t.m)
	list := make([]ir.Dim, each)
	for i := range list {
		n := ir.Const(int64(i))
		if each < lines {
			n = ir.Sym(t.mt).MulConst(each).Add(n).Mod(ir.Const(lines))
		}
		list[i] = p.atLine(t, e, n.MulConst(line), at)
	}
	return p.Ask(step, e.Buf.Name, list...)
}

// atLine is the index of e in the next tile, column n of it.
func (p *product) atLine(t *tiling, e *kernel.Expr, n ir.Dim, next map[string]ir.Dim) ir.Dim {
	unrolled := map[string]bool{} // of the loops in a step, the vectors of columns and the lanes
	kernel.WalkStmts(p.Loop(last(p.red)).Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok {
			unrolled[l.Var] = l.Bind == kernel.Unroll
		}
	})
	return e.Index.Subst(func(s string) (ir.Dim, bool) {
		if d, ok := next[s]; ok {
			return d, true
		}
		switch vector, inner := unrolled[s]; {
		case t.lines != nil:
			return n, s == t.n0
		case vector:
			return n.FloorDiv(ir.Const(t.w)), true
		default:
			return ir.Const(0), inner
		}
	})
}

// nextTile is where the next tile of columns is: that after the last one is the first of
// the next block of the accumulation, and behind the last block, in the next task, the
// first of the first one.
func (p *product) nextTile(t *tiling) map[string]ir.Dim {
	next := ir.Sym(t.nt).AddConst(1)
	out := map[string]ir.Dim{t.nt: next}
	if t.kb == "" {
		return out
	}
	if n, k := p.Loop(t.nt).Extent, p.Loop(t.kb).Extent; n.Static() && k.Static() {
		out[t.nt], out[t.kb] = next.Mod(n), ir.Sym(t.kb).Add(next.FloorDiv(n)).Mod(k)
	}
	return out
}

// farColumns is the load of columns in the steps if what it reads may be asked for: those
// that are packed for all tasks, and in blocks of the accumulation those of a parameter
// that does not stay in the second cache; nil else.
func (p *product) farColumns(t *tiling, step string) *kernel.Expr {
	var out *kernel.Expr
	kernel.WalkExprs(p.Loop(step).Body, func(e *kernel.Expr) {
		switch {
		case e.Kind != kernel.KLoad || !e.Index.Has(t.nt):
		case e.Buf.Space == kernel.Common:
			out = e
		case t.kb == "" || !e.Index.Has(t.kb) || !mayAsk(e):
		default:
			if n, ok := e.Buf.Size.Int(); ok && n*int64(e.DType.Size()) > int64(p.t.L2)/2 {
				out = e
			}
		}
	})
	return out
}

// mayAsk reports whether what e loads may be asked for: of a parameter that is read alone,
// without a condition.
func mayAsk(e *kernel.Expr) bool {
	return e.Buf.Space == kernel.Global && !e.Buf.Out && len(e.Args) == 0
}
