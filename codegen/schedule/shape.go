package schedule

import (
	"cmp"
	"math"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// block is the register block: rows by cols vectors of w lanes.
type block struct {
	rows, cols, w int64
}

// cost is the cycles of one step of the accumulation with r rows, times the
// multiply-adds of a cycle: bound by the units, the loads, of which those of
// columns come from farther away, or the latency of one accumulator.
func (b block) cost(r int64) int64 { return max(r*b.cols, r+2*b.cols, 10) }

// total is the cost of all n rows in blocks, with one block for the rest.
func (b block) total(n int64) int64 {
	t := n / b.rows * b.cost(b.rows)
	if n%b.rows > 0 {
		t += b.cost(n % b.rows)
	}
	return t
}

// fits reports whether b is better than x of the same cost for m rows: it leaves no
// rest, or is larger.
func (b block) fits(x block, m int64) bool {
	if whole := m%b.rows == 0; whole != (m%x.rows == 0) {
		return whole
	}
	return b.rows*b.cols > x.rows*x.cols
}

// shape picks the register block for the extents of the axes.
func (p *product) shape() block {
	w := p.narrow(p.n, p.lanes(p.Loop(p.n).Body))
	n, fixed := p.static(p.n)
	b := block{int64(p.t.Rows), int64(p.t.Cols), w}
	if p.m == "" {
		b.rows, b.cols = 1, int64(cmp.Or(p.t.BlockCols, p.t.Chains))
		if fixed {
			b.cols = min(b.cols, (n+w-1)/w)
		}
		return b
	}
	b.rows = max(min(b.rows, (int64(p.t.Regs)-p.resident(b.cols))/b.cols), 1)
	m, rowsFixed := p.static(p.m)
	if !rowsFixed {
		if fixed {
			b.cols = min(b.cols, (n+w-1)/w)
		}
		return b
	}
	cost := func(c block) int64 {
		if !fixed {
			return c.total(m) * 1024 / c.cols
		}
		vecs := (n + w - 1) / w
		rest := block{c.rows, max(vecs%c.cols, 1), w}
		return vecs/c.cols*c.total(m)*1024 + min(vecs%c.cols, 1)*rest.total(m)*1024
	}
	best, bestCost := b, int64(1)<<62
	rowsSet, colsSet := min(int64(p.t.BlockRows), m), int64(p.t.BlockCols)
	if rowsSet <= 0 && m <= fewRows && p.once(block{m, 1, w}) {
		rowsSet = m
		if m >= orderRows && p.passes(block{m, 1, w}) {
			colsSet = 1
		}
	}
	if m >= b.rows && rowsSet <= 0 && colsSet <= 0 {
		bestCost = cost(b) * 31 / 32 // others are to be worth the odd sizes
	}
	most := int64(8)
	if p.spread() {
		most = int64(p.t.Cols) // rows share loads by overlapping, columns do not
	}
	for cols := int64(1); cols <= most; cols++ {
		if fixed && cols > 1 && (cols-1)*w >= n || !fixed && cols > b.cols && m >= b.rows {
			break
		}
		free := int64(p.t.Regs) - p.resident(cols)
		for rows := min(free/cols, int64(p.t.Accs)/cols, m); rows >= 1; rows-- {
			if rowsSet > 0 && rows != rowsSet || colsSet > 0 && cols != colsSet {
				continue
			}
			c := block{rows, cols, w}
			if x := cost(c); x < bestCost || x == bestCost && c.fits(best, m) {
				best, bestCost = c, x
			}
		}
	}
	return best
}

// resident is the registers that a step has beside the accumulators: its columns, in
// depthwise convolutions those of all steps of the window along the rows.
func (p *product) resident(cols int64) int64 {
	n, ok := p.static(last(p.red))
	if !ok || !p.spread() || len(p.loads) < 2 || !p.windowed(last(p.red)) {
		return cols
	}
	const loads = 2 // on their way
	return min(cols*n+loads, int64(p.t.Regs)/2)
}

// spread reports whether an operand has lanes and differs from row to row, as in
// depthwise convolutions and windows.
func (p *product) spread() bool {
	return slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool {
		return e.Index.Has(p.n) && e.Index.Has(p.m)
	})
}

// depth says how an accumulation is blocked: how many of its loops move around
// the tiles, the last of them split by a number if that is not 0.
type depth struct {
	moved int
	split int64
}

// depth blocks long accumulations, so that what a block reads of the columns of
// a tile stays in the nearest cache while the rows of a task pass, and what it
// reads of the rows in the next one.
func (p *product) depth(b block) depth {
	if p.passes(b) {
		return depth{len(p.red), p.passSteps()}
	}
	if p.scalar() {
		return p.scalarDepth()
	}
	if p.m == "" || p.spread() {
		return depth{}
	}
	most := max(int64(p.t.Deep)/(b.cols*b.w*4), 16)
	if k, ok := p.k.Int(); ok &&
		(k <= most*3/2 || p.h != "" && k*b.cols*b.w*4 <= int64(p.t.L2)/4) {
		return depth{} // windows share rows, which leaves most of the next cache for columns
	}
	n := int64(1)
	for i := len(p.red) - 1; i >= 0; i-- {
		e, ok := p.static(p.red[i])
		if ok && n*e <= most {
			n *= e
			continue
		}
		f := most / n
		switch {
		case ok && f < 2:
			return depth{i + 1, 0}
		case p.windowed(p.red[i]):
			return depth{}
		case !ok:
			return depth{i + 1, max(f, 2)}
		}
		parts := (e + f - 1) / f                       // of about the same size
		vectors := (e + parts*b.w - 1) / (parts * b.w) // copies are made of whole ones
		return depth{i + 1, vectors * b.w}
	}
	return depth{}
}

// rows is the number of rows, if it is known.
func (p *product) rows() (int64, bool) {
	if p.m == "" {
		return 1, true
	}
	return p.static(p.m)
}

// even is about n, if possible a divisor of all.
func even(n, all int64) int64 {
	for d := range n/3 + 1 {
		for _, x := range []int64{n + d, n - d} {
			if all%x == 0 {
				return x
			}
		}
	}
	return n
}

// windowed reports whether an operand moves along loop r of the accumulation as
// it does along the rows.
func (p *product) windowed(r string) bool {
	return slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool {
		x, _ := p.slides(e.Index, p.m)
		y, _ := p.slides(e.Index, p.h)
		return x == r || y == r
	})
}

// grouping is how many tiles one task has along each axis.
type grouping struct{ n, m, h int64 }

// Bounds of the multiply-adds of one task: from some microseconds to some
// tenths of a millisecond. The larger bound is for blocked accumulations,
// whose tasks are to be large enough for operands to be used often.

const (
	leastWork = 256 << 10
	mostWork  = 4 << 20
	deepWork  = 32 << 20
	openWork  = 16 << 20 // of a typical sum, where extents are not numbers

	fewShare  = 64 // rows that one task has where it copies columns for them
	fewTasks  = 16 // tasks that a kernel should have before they grow
	manyTasks = 64 // from which on they may be twice as large
)

// fixed reports whether all extents are numbers.
func (p *product) fixed() bool {
	_, ok := p.k.Int()
	for _, v := range p.domain {
		_, static := p.static(v)
		ok = ok && static
	}
	return ok
}

// copies reports whether an operand with lanes that serves all rows is copied by
// tasks: panels are not.
func (p *product) copies(b block) bool {
	return slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool {
		return e.Index.Has(p.n) && !e.Index.Has(p.m) && !p.shares[e.Buf] &&
			(p.odd[e.Buf] || p.sparse(e, b))
	})
}

// across reports whether an operand without lanes is contiguous along the rows,
// so that few of them are short pieces of memory.
func (p *product) across() bool {
	return slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool {
		return !e.Index.Has(p.n) && stride(e.Index, p.m) == 1
	})
}

// side is about how many rows a task of a blocked accumulation has for an area
// of the result: what is copied of one operand is to serve more of the other. Of panels
// rows alone are copied, and few more are needed for columns not to come from the last
// cache too often. (K = 4096: 28 rows and 256 columns take 85 to 89 % of the time of 14 and
// 512; with AVX2 68 %. AMD EPYC, Zen 4, 2026-11-26.)
func (p *product) side(b block, area int64) int64 {
	side := int64(math.Sqrt(float64(area)))
	switch {
	case !p.fixed():
		return side * 7 / 5 // copies of columns cost more, as their lines are apart
	case p.copies(b) || p.across():
		return side
	case p.h != "":
		return side / 4
	}
	return side / 3
}

// piece is the least tiles of columns of a task that copies them for rows whose
// number is not known: lines of so many bytes that memory is read in whole runs.
// (16, 64 and 256 rows by 4096 x 4096: 49, 67 and 240 ms with pieces of 128 bytes,
// 10, 24 and 98 with these, 13, 28 and 111 with twice as many; AMD EPYC, 2026-11-26.)
// Fewer columns than four pieces would be too few tasks.
func (p *product) piece(b block) int64 {
	const bytes = 1024
	if n, ok := p.static(p.n); !ok || n < 4*bytes/4 || p.fixed() || !p.copies(b) {
		return 1
	}
	return max(bytes/4/(b.w*b.cols), 1)
}

// work is the multiply-adds of a task, for m rows and k steps.
func (p *product) work(b block, m, k int64, deep bool) int64 {
	total := k
	for _, v := range p.domain {
		typical := int64(1) // batches
		if v == p.n || v == p.m || v == p.h {
			typical = 64
		}
		total *= p.size(p.Loop(v).Extent, typical)
	}
	most := int64(mostWork)
	if deep {
		most = min(max(total/manyTasks, deepWork), 2*deepWork)
	}
	least := int64(leastWork)
	if p.m == "" {
		least /= 8 // each element of the operand is read once: bound by memory
	}
	work := min(max(total/fewTasks, least), most)
	if deep && !p.fixed() {
		work = openWork
	}
	if p.passes(b) {
		n, _ := p.static(p.n)
		work = max(work, min(passPiece/4, n/4)*m*k)
	}
	return cmp.Or(int64(p.t.Task), work)
}

// group sizes tasks: columns first as long as their operand stays in the
// cache, since what is packed of the rows serves them all, then rows; with a
// blocked accumulation about as many of both.
func (p *product) group(b block, deep bool) grouping {
	k := p.size(p.k, 512)
	m, n, h := int64(1), p.size(p.Loop(p.n).Extent, 256), int64(1)
	if p.m != "" {
		m = p.size(p.Loop(p.m).Extent, 256)
	}
	if p.h != "" {
		h = p.size(p.Loop(p.h).Extent, 64)
	}
	work := p.work(b, m, k, deep)
	tilesN, tilesM := (n+b.w*b.cols-1)/(b.w*b.cols), (m+b.rows-1)/b.rows
	left := max(work/max(b.rows*b.cols*b.w*k, 1), 1)
	g := grouping{1, 1, 1}
	take := func(most int64) int64 {
		x := max(min(left, most), 1)
		left = max(left/x, 1)
		return x
	}
	columns := k * b.w * b.cols * 4 // bytes of a tile's operand
	near := int64(p.t.L2) / 2
	if p.h != "" {
		near += near / 2 // the rows' operand is small: windows overlap
	}
	switch {
	case deep:
		side := p.side(b, work/max(k, 1))
		if g.m = take(min(tilesM, max(side/b.rows, 1))); m <= fewShare && p.copies(b) {
			g.m = tilesM // so that columns are copied once
		}
		g.h = take(min(h, max(side/b.rows/g.m, 1)))
		g.n = even(max(take(tilesN), min(p.piece(b), tilesN)), tilesN)
	case p.m == "" || columns*tilesN <= near:
		g.n = take(tilesN)
		g.m = take(tilesM)
		g.h = take(h)
	default:
		rows := max(min(int64(p.t.L2)/4/max(k*b.rows*4, 1), 128/b.rows), 1)
		if p.scalar() {
			rows = scalarRows / b.rows
		}
		g.m = take(min(tilesM, rows))
		g.h = take(min(h, max(rows/g.m, 1)))
		g.n = take(tilesN)
	}
	return g
}
