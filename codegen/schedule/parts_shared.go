package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// The parts of columns made once for all tasks of a product: see parts. They are
// tiles in the order in which a task reads them, with the exponents of each block.

const (
	partsTasks  = 16       // tasks with rows of their own, if these have fewUses blocks
	partsSaved  = 64 << 10 // elements that are not packed again, worth waiting for the last task
	partsShared = 32 << 20 // bytes that all parts of columns take up
)

// mayShareParts says why the parts of columns are not made once, nil where they are:
// tasks have one of a sets of rows, and saved elements are packed less.
func (g *groupProduct) mayShareParts(t *gtiling, a, saved int64) error {
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
