package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Depthwise convolutions and windows read a padded operand where it lies if few
// tiles of rows reach into the padding: the others are a copy of the block without
// conditions. Else the operand is packed, padding included. (128 x 128 pixels of 24 channels,
// 3x3: 152 µs packed, 134 so; of 44 x 44, two thirds of whose tiles are at the border, 8 % of
// the time more; one core of an AMD EPYC, Zen 4, 2026-11-26.)
const peelShare = 0.6 // of the tiles that are to be inside

// peels reports whether operand e is read where it lies; t.inside is then the
// condition under which a tile is inside.
func (p *product) peels(e *kernel.Expr, t *tiling) bool {
	if e.Kind != kernel.KLoad || len(e.Args) != 2 || p.m == "" || t.kb != "" || t.inside != nil ||
		p.strided(e) || !p.depends(e, t.n0) || !p.depends(e, p.m, t.mt, t.m0) ||
		p.depends(e.Args[0], p.n, t.nt, t.n0) {
		return false
	}
	inner := map[string]int64{t.m0: t.rows}
	for _, r := range p.red {
		n, ok := p.static(r)
		if !ok {
			return false
		}
		inner[r] = n
	}
	inside := always(e.Args[0], inner)
	if inside == nil || p.insideShare(inside, t) < peelShare {
		return false
	}
	t.inside = inside
	return true
}

// always is a condition under which cond, bounds of indices, holds for all
// values of the variables below their extents; nil if none is known.
func always(cond *kernel.Expr, extents map[string]int64) *kernel.Expr {
	if cond.Kind != kernel.KOp || len(cond.Args) != 2 {
		return nil
	}
	a, b := cond.Args[0], cond.Args[1]
	switch {
	case cond.Op == ir.OpAnd:
		if a, b = always(a, extents), always(b, extents); a == nil || b == nil {
			return nil
		}
		return kernel.OpExpr(ir.OpAnd, a, b)
	case cond.Op != ir.OpGe && cond.Op != ir.OpLt || a.Kind != kernel.KIndex || b.Kind != kernel.KIndex:
		return nil
	}
	at := a.Index
	for _, v := range at.SymNames() {
		n, ok := extents[v]
		if !ok {
			continue
		}
		coef, rest, linear := at.Linear(v)
		c, known := coef.Int()
		if !linear || !known {
			return nil
		}
		if at = rest; (cond.Op == ir.OpLt) == (c > 0) {
			at = at.AddConst(c * (n - 1))
		}
	}
	return kernel.OpExpr(cond.Op, kernel.IndexExpr(at), b)
}

// insideShare is the share of the tiles of an image, or a line, for which
// inside holds; what depends on other loops and on symbols counts as holding.
func (p *product) insideShare(inside *kernel.Expr, t *tiling) float64 {
	rows, ok := t.extents[p.m].Int()
	if !ok {
		return 0
	}
	lines := int64(1)
	if p.h != "" {
		lines = p.size(t.extents[p.h], 64)
	}
	tiles := (rows + t.rows - 1) / t.rows
	found := 0
	for y := range lines {
		for x := range tiles {
			env := map[string]int64{p.m: x / t.m, t.mt: x % t.m}
			if p.h != "" {
				env[p.h], env[t.ht] = y/t.grouping.h, y%t.grouping.h
			}
			if holds(inside, env) {
				found++
			}
		}
	}
	return float64(found) / float64(lines*tiles)
}

// holds evaluates a condition on indices, where env has all of its variables.
func holds(cond *kernel.Expr, env map[string]int64) bool {
	if cond.Op == ir.OpAnd {
		return holds(cond.Args[0], env) && holds(cond.Args[1], env)
	}
	a, err := cond.Args[0].Index.Eval(env)
	b, err2 := cond.Args[1].Index.Eval(env)
	return err != nil || err2 != nil || (a < b) == (cond.Op == ir.OpLt)
}

// peel makes the copies of the blocks of a variant, whose loops have names of
// their own.
func (p *product) peel(v variant, t *tiling) error {
	if t.inside == nil {
		return nil
	}
	_, _, err := p.Version(v.mt, withNames(t.inside, map[string]string{t.ht: v.ht, t.mt: v.mt}))
	return err
}

// withNames is a condition on indices with other names of variables.
func withNames(cond *kernel.Expr, names map[string]string) *kernel.Expr {
	if cond.Kind == kernel.KIndex {
		return kernel.IndexExpr(cond.Index.Subst(func(s string) (ir.Dim, bool) {
			if name, ok := names[s]; ok {
				return ir.Sym(name), true
			}
			return ir.Dim{}, false
		}))
	}
	return kernel.OpExpr(cond.Op, withNames(cond.Args[0], names), withNames(cond.Args[1], names))
}
