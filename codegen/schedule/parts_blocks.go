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
// packs least, as each task packs its rows and, where they are not shared, its
// columns. A task takes about two milliseconds at most.
func (g *groupProduct) tasksOfParts(t *gtiling, m, n, k int64) (tm, tn int64) {
	height, width := ceil(m, t.rows*g.ti), ceil(n, t.cols*t.w) // in blocks
	steps := k
	if t.deep > 0 {
		steps = t.deep
	}
	fits := max(partsRoom/(t.rows*g.ti*steps*int64(g.parts*g.unit.rows.Size())), 1)
	work := m * n * k
	least := max(min(work/partsWork, 4), work/(8*partsWork), 1)
	best := int64(math.MaxInt64)
	for a := min(ceil(height, fits), height); a <= height; a++ {
		b := min(ceil(least, a), width)
		if packed := m*b + n*a; packed < best {
			best, tm, tn = packed, ceil(height, a), ceil(width, b)
		}
	}
	a := max(ceil(height, fits), min(height/fewUses, partsTasks))
	if g.t.Eager { // two blocks are too few to share
		a = max(a, ceil(height, 2))
	}
	b := min(ceil(least, a), width)
	for c := b; c < 2*b; c++ {
		if width%c == 0 { // tasks of one width
			b = c
			break
		}
	}
	if g.mayShareParts(t, a, (best-m*b-2*n)*k) == nil {
		t.shared, tm, tn = true, ceil(height, a), ceil(width, b)
	}
	return tm, tn
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// partsWork is the multiply-adds from which on there are several tasks: a quarter
// of a millisecond of them.
const partsWork = 32 << 20
