package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// What products by parts ask for while a tile is multiplied: see parts.

// askColumns has the steps of a tile of columns ask for what comes next: of the
// parts that all tasks share those of the next tile, else what it packs of y, the
// operand. Each step and row of tiles asks for some lines, where these rows are enough
// and all columns do not stay in the second cache. (The loop in C for 2048: packing of
// columns 19 ms without, 8 with it, of 70.)
func (g *groupProduct) askColumns(t *gtiling, y *kernel.Expr) error {
	next, lines := []*kernel.Expr{y}, g.tk*g.g
	if t.shared {
		next, lines = t.parts, g.tk
	}
	if g.parts < 2 || t.tm < fewUses {
		return nil
	}
	each := ceil(lines, t.tm)
	for _, e := range next {
		if e.Kind != kernel.KLoad || len(e.Args) > 0 ||
			g.size(e.Buf.Size, partsRoom)*int64(e.DType.Size())*int64(len(next)) < partsRoom {
			continue
		}
		for i := range each {
			line := ir.Sym(t.mt).MulConst(each).AddConst(i)
			at := map[string]ir.Dim{t.nt: ir.Sym(t.nt).AddConst(1), t.l: ir.Const(0), t.q: ir.Const(0),
				t.kg: line}
			if !t.shared { // a line of the operand is a step, and these are tk apart in a group
				at[t.q], at[t.kg] = line.FloorDiv(ir.Const(g.tk)), line.Mod(ir.Const(g.tk))
			}
			for c := range t.cols {
				at[t.c] = ir.Const(c)
				index := e.Index.Subst(func(v string) (ir.Dim, bool) { d, ok := at[v]; return d, ok })
				if err := g.Ask(t.kt, e.Buf.Name, index); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// askLines has body, which packs a tile of columns that lie in lines, a line a step, ask
// for those of the next tile. (2048 x 2048 and 2000 x 2000: 0.73 and 0.75 ns an element
// without, 0.49 and 0.54 so, 0.49 and 0.73 where the next steps of the same tile are asked
// for; panels take 0.56. One core of an AMD EPYC, Zen 4, 2026-11-26.)
func (g *groupProduct) askLines(t *gtiling, y *kernel.Expr, body []kernel.Stmt) error {
	step, _, ok := y.Index.Linear(t.kg)
	if n, static := step.Int(); !ok || !static || n <= t.cols*t.w {
		return nil
	}
	var at string
	var line kernel.Tile
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		l, ok := s.(*kernel.Loop)
		if !ok {
			return
		}
		for _, s := range l.Body {
			if c, ok := s.(*kernel.Call); ok && c.Tiles[0].Buf == y.Buf && at == "" {
				at, line = l.Var, c.Tiles[0]
			}
		}
	})
	if at == "" {
		return nil
	}
	next := line.Index.Subst(func(v string) (ir.Dim, bool) { return ir.Sym(v).AddConst(1), v == t.nt })
	for i := range g.g {
		if err := g.Ask(at, y.Buf.Name, next.Add(line.Strides[0].MulConst(i))); err != nil {
			return err
		}
	}
	return nil
}

// written is a result of a block: what it stores in the loops r, c, i and l.
type written struct {
	store *kernel.Store
	loops []string
}

// noteResults notes what the nest of the given loops stores.
func (t *gtiling) noteResults(body []kernel.Stmt, loops []string) {
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		if st, ok := s.(*kernel.Store); ok && st.Buf.Out {
			t.results = append(t.results, written{st, loops})
		}
	})
}

// askResults has the steps of a tile ask for the lines that its results will be
// written to, some rows each, where these do not stay in the second cache: else the
// stores wait for them. (In the loop in C for 1024, results take one in eight of the
// time of products.)
func (g *groupProduct) askResults(t *gtiling) error {
	if g.parts < 2 {
		return nil
	}
	var cond *kernel.Expr
	if t.deep > 0 { // the last block writes results
		last := g.Loop(t.task).Extent.AddConst(-1)
		cond = kernel.OpExpr(ir.OpLe, kernel.IndexExpr(last), kernel.IndexExpr(ir.Sym(t.task)))
	}
	rows := t.rows * g.ti
	each := ceil(rows, g.size(g.Loop(t.kt).Extent, rows))
	for _, w := range t.results {
		b, at := w.store.Buf, w.store.Index
		step, at, linear := at.Linear(w.loops[2])
		tile, at, tiles := at.Linear(w.loops[0])
		if !linear || !tiles || !tile.Equal(step.MulConst(g.ti)) || stride(at, w.loops[3]) != 1 ||
			g.size(b.Size, partsRoom)*int64(b.DType.Size()) < partsRoom {
			continue
		}
		var lines []ir.Dim
		for n := range each * t.cols {
			col := map[string]ir.Dim{w.loops[1]: ir.Const(n % t.cols), w.loops[3]: ir.Const(0)}
			row := ir.Sym(t.kt).MulConst(each).AddConst(n / t.cols)
			lines = append(lines, at.Subst(func(v string) (ir.Dim, bool) {
				d, ok := col[v]
				return d, ok
			}).Add(step.Mul(row)))
		}
		if err := g.AskIf(t.kt, cond, b.Name, lines...); err != nil {
			return err
		}
	}
	return nil
}
