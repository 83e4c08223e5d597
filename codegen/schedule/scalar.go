package schedule

import "github.com/tensorcc/tcc/codegen/kernel"

// Products in scalar code, of levels without vectors, have register blocks of
// elements: vectors of one lane. What takes the place of lanes are the steps of the
// accumulation: each row and column of a block is to be contiguous along them, so
// that a step is a load at the next place of each, and columns are packed so where
// there are rows enough. Longer sums are not blocked for that: a step takes longer than
// the second cache to deliver what it loads.
const (
	minScalarSteps = 8   // of the innermost loop; fewer are not worth its start
	minScalarRows  = 16  // that share columns, for these to be packed
	scalarRows     = 128 // of a task, for which it packs columns
	scalarLines    = 16  // steps that pass along their lines together
)

// scalar reports whether p is for a level without vectors.
func (p *product) scalar() bool { return p.t.Vector == 0 }

// loops refuses what scalar code does better as it is: short inner loops.
func (p *product) loops() error {
	if n, ok := p.static(last(p.red)); ok && n < minScalarSteps {
		return refuse("scalar code: %d steps in a row", n)
	}
	return nil
}

// oddSteps finds the operands of columns that are packed, as rows enough share them. Those
// that are contiguous along the steps are too: the copy is of the type of the sum, so
// that elements are converted once.
func (p *product) oddSteps() {
	p.odd, p.shared = map[*kernel.Buffer]bool{}, map[*kernel.Buffer]bool{}
	if p.m == "" {
		return
	}
	if n, ok := p.static(p.m); ok && n < minScalarRows {
		return
	}
	for _, e := range p.loads {
		if e.Index.Has(p.n) {
			p.odd[e.Buf] = true
		}
	}
}

// scalarShape is the register block of scalar code.
func (p *product) scalarShape() block {
	b := block{rows: 1, cols: int64(p.t.Accs), w: 1}
	if p.m != "" {
		b.rows, b.cols = int64(p.t.Rows), int64(p.t.Cols)
		if m, ok := p.static(p.m); ok && m < b.rows {
			b.rows, b.cols = m, int64(p.t.Accs)/m
		}
	}
	if n, ok := p.static(p.n); ok {
		b.cols = min(b.cols, n)
	}
	return b
}

// scalarDepth blocks sums of few rows whose columns lie in lines of memory, each step's
// far from those of the next: some steps pass along their lines together, and sums lie in
// the nearest cache meanwhile. (One and 8 rows by 2048 x 2048: 6.7 and 28 ms without, 2.5
// and 14.6 so, 3.0 and 19 with 8 steps, 2.3 and 18.7 with 64; AMD EPYC, Zen 4, 2026-11-26.)
func (p *product) scalarDepth() depth {
	const line = 16 // elements
	k, ok := p.static(last(p.red))
	if len(p.red) > 1 || !ok || k < 4*scalarLines {
		return depth{}
	}
	for _, e := range p.loads {
		step, _, linear := e.Index.Linear(last(p.red))
		n, static := step.Int()
		if linear && static && n > line && !p.odd[e.Buf] && stride(e.Index, p.n) == 1 {
			return depth{1, scalarLines}
		}
	}
	return depth{}
}
