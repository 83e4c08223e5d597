package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// The parts of columns made once for all tasks of a product: see parts. They are
// tiles in the order in which a task reads them, with the exponents of each block.

const (
	partsTasks  = 16       // tasks with rows of their own, if these have fewUses blocks
	partsSaved  = 64 << 10 // elements that are not packed again, worth waiting for the last task
	partsShared = 32 << 20 // bytes that all parts of columns take up
)

// mayShare says why the parts of columns are not made once, nil where they are:
// tasks have one of a sets of rows, and saved elements are packed less.
func (g *groupProduct) mayShare(t *gtiling, a, saved int64) error {
	_, y, _ := g.factors()
	if g.t.Inner {
		return refuse("it is a part of a kernel, whose tasks are not its own")
	}
	if !g.fixed() {
		return refuse("how many tasks there are is not known")
	}
	if len(g.red) > 1 {
		return refuse("windows overlap: columns are several times what they are made of")
	}
	if a < 2 {
		return refuse("one task has all rows of a column")
	}
	bytes := ceil(g.size(t.k, 1), g.tk*g.g) * g.tk * g.g * ceil(g.size(t.n, 1), t.cols*t.w) *
		t.cols * t.w * int64(g.parts*g.unit.cols.Size())
	for _, v := range g.domain {
		if n := g.size(g.Loop(v).Extent, 1); v != g.n && v != g.m {
			saved *= n
			if g.depends(y, v) {
				bytes *= n
			}
		}
	}
	switch {
	case bytes > partsShared:
		return refuse("the parts take up %d bytes", bytes)
	case saved < partsSaved && !g.t.Eager || saved == 0:
		return refuse("%d elements are packed again, too few to wait for", saved)
	}
	return nil
}

// share makes the parts of columns once for all tasks.
func (g *groupProduct) share(t *gtiling, y *kernel.Expr) error {
	if !t.shared {
		return nil
	}
	at := slices.IndexFunc(g.Loop(t.nt).Body, func(s kernel.Stmt) bool {
		l, ok := s.(*kernel.Loop)
		return ok && l.Var == t.mt
	})
	if err := g.askLines(t, y, g.Loop(t.nt).Body[:at]); err != nil {
		return err
	}
	if err := g.Phase(t.nt, at); err != nil {
		return err
	}
	kernel.WalkExprs(g.Loop(t.mt).Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad && e.Buf.Space == kernel.Common && e.DType == g.unit.cols &&
			!slices.ContainsFunc(t.parts, func(p *kernel.Expr) bool { return p.Buf == e.Buf }) {
			t.parts = append(t.parts, e)
		}
	})
	return nil
}

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
