package schedule

import (
	"math"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Blocks and tasks of products by parts: see parts.

// Steps of a block of the accumulation of products by parts. The parts of rows
// that a task has of a block stay in the second cache, with those of its columns
// in turn: with 512 steps these are 256 rows, and a row that is packed serves as
// many products as a column. (A loop in C for 1024 on one core: 220 GFLOP/s with all
// steps in one block and 128 rows, 244 with two blocks and 256 rows; Xeon, Emerald
// Rapids, 2026-11-26.)
const (
	partsDeep = 512
	partsRoom = 768 << 10 // bytes of the rows' parts
)

// deepOf is the steps of a block of the accumulation, 0 where it has one block: if it
// is short, or cannot be divided in blocks of about partsDeep whole tiles.
func (g *groupProduct) deepOf(t *gtiling) int64 {
	k, ok := t.k.Int()
	tile := g.tk * g.g
	if g.parts < 2 || !ok || k <= partsDeep*5/4 || k%tile != 0 {
		return 0
	}
	for n := k / (partsDeep * 5 / 4); n <= k/(partsDeep/2); n++ {
		if k%(n*tile) == 0 && k/n <= partsDeep*5/4 {
			return k / n
		}
	}
	return 0
}

// deepen splits the innermost loop of the accumulation in blocks, if it has several,
// and returns the loops that BlockInside is to move around the tiles of a task.
func (g *groupProduct) deepen(t *gtiling) (moved []string, err error) {
	if t.task = g.n; t.deep == 0 {
		return nil, nil
	}
	moved = g.red
	t.task = last(moved)
	if t.kt, err = g.Split(t.task, t.task+"b", t.deep, kernel.Clip); err != nil {
		return nil, err
	}
	g.red = []string{t.kt}
	t.k = g.Loop(t.kt).Extent
	return moved, nil
}

// groupsOf is the number of tiles of the accumulation that a block of it has.
func (g *groupProduct) groupsOf(t *gtiling) ir.Dim { return t.k.CeilDiv(ir.Const(g.tk * g.g)) }

// tasksOfParts sizes the tasks of m x n results, sums of k products: rows whose
// parts stay in the second cache, and of the ways to have some tasks that which
// packs least, as each task packs its rows and its columns. A task takes about two
// milliseconds at most.
func (g *groupProduct) tasksOfParts(t *gtiling, m, n, k int64) (tm, tn int64) {
	up := func(a, b int64) int64 { return (a + b - 1) / b }
	height, width := up(m, t.rows*g.ti), up(n, t.cols*t.w) // in blocks
	steps := k
	if t.deep > 0 {
		steps = t.deep
	}
	fits := max(partsRoom/(t.rows*g.ti*steps*int64(g.parts*g.unit.rows.Size())), 1)
	work := m * n * k
	least := max(min(work/partsWork, 4), work/(8*partsWork), 1)
	best := int64(math.MaxInt64)
	for a := min(up(height, fits), height); a <= height; a++ {
		b := min(up(least, a), width)
		if packed := m*b + n*a; packed < best {
			best, tm, tn = packed, up(height, a), up(width, b)
		}
	}
	return tm, tn
}

// partsWork is the multiply-adds from which on there are several tasks: a quarter
// of a millisecond of them.
const partsWork = 32 << 20

// askColumns has the steps of a tile of columns ask for what the next tile packs
// of y, its operand: some rows of it a step and row of tiles, where these are
// enough and y does not stay in the second cache. (The loop in C for 2048: packing of
// columns 19 ms without, 8 with it, of 70.)
func (g *groupProduct) askColumns(t *gtiling, y *kernel.Expr) error {
	if g.parts < 2 || t.tm < fewUses || y.Kind != kernel.KLoad || len(y.Args) > 0 ||
		g.size(y.Buf.Size, partsRoom)*int64(y.DType.Size()) < partsRoom {
		return nil
	}
	rows := (g.tk*g.g + t.tm - 1) / t.tm
	for i := range rows {
		row := ir.Sym(t.mt).MulConst(rows).AddConst(i)
		for c := range t.cols {
			at := map[string]ir.Dim{t.nt: ir.Sym(t.nt).AddConst(1), t.c: ir.Const(c), t.l: ir.Const(0),
				t.q: row.FloorDiv(ir.Const(g.tk)), t.kg: row.Mod(ir.Const(g.tk))}
			index := y.Index.Subst(func(v string) (ir.Dim, bool) { d, ok := at[v]; return d, ok })
			if err := g.Ask(t.kt, y.Buf.Name, index); err != nil {
				return err
			}
		}
	}
	return nil
}
