package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// product is a kernel with one accumulation inside its domain: matrix
// products, convolutions, windows.
type product struct {
	*scheduler
	domain []string
	red    []string                // loops of the accumulation, outermost first
	update *kernel.Store           // in the innermost of them
	loads  []*kernel.Expr          // in the update, without the accumulator
	n      string                  // the axis of lanes
	m, h   string                  // the axis of rows and one around it, or empty
	k      ir.Dim                  // iterations of the accumulation
	odd    map[*kernel.Buffer]bool // what is not contiguous over lanes
	shared map[*kernel.Buffer]bool // of it, what neighbouring columns share
}

// product schedules accumulations in register blocks: rows of one axis by
// vectors of another.
func (s *scheduler) product() error {
	if s.t.Vector == 0 {
		return refuse("scalar code")
	}
	d := s.domain()
	if len(d) == 0 {
		return refuse("no independent outer loop")
	}
	d = s.collapse(d)
	p := &product{scheduler: s, domain: d}
	if err := p.recognize(); err != nil {
		return err
	}
	if err := p.axes(); err != nil {
		return err
	}
	return p.tile()
}

// recognize finds the accumulation: the only nest of loops in the domain, with
// one store into a local scalar.
func (p *product) recognize() error {
	var l *kernel.Loop
	for _, st := range p.Loop(last(p.domain)).Body {
		switch st := st.(type) {
		case *kernel.Loop:
			if l != nil {
				return refuse("several accumulations")
			}
			l = st
		case *kernel.Fail, *kernel.Call, *kernel.If:
			return refuse("statements beside the accumulation")
		}
	}
	if l == nil {
		return refuse("no accumulation")
	}
	p.k = ir.Const(1)
	for {
		if l.Indep {
			return refuse("loop %s folds nothing", l.Var)
		}
		p.red = append(p.red, l.Var)
		p.k = p.k.Mul(l.Extent)
		if len(l.Body) != 1 {
			return refuse("%d statements in the accumulation", len(l.Body))
		}
		if in, ok := l.Body[0].(*kernel.Loop); ok {
			l = in
			continue
		}
		break
	}
	st, ok := l.Body[0].(*kernel.Store)
	if !ok || st.Buf.Space != kernel.Local {
		return refuse("no accumulator")
	}
	p.update = st
	kernel.WalkExprs(l.Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad && e.Buf != st.Buf {
			p.loads = append(p.loads, e)
		}
	})
	return nil
}

func last(v []string) string { return v[len(v)-1] }

// axes picks the axes of lanes and rows.
func (p *product) axes() error {
	best := 1 << 30
	w := p.lanes(p.Loop(last(p.domain)).Body)
	outer := accessesOf(p.Loop(last(p.domain)).Body)
	for i := len(p.domain) - 1; i >= 0; i-- {
		v, cost := p.domain[i], 0
		for _, e := range p.loads {
			switch {
			case laneStride(e.Index, v, w) < 2:
			case p.window(e, v):
				cost += 2 // once packed
			default:
				cost += 8
			}
		}
		for _, a := range outer {
			if a.write && stride(a.index, v) == 2 {
				cost++
			}
		}
		if n, ok := p.static(v); ok && n < 4 {
			cost += 100
		}
		if cost < best {
			best, p.n = cost, v
		}
	}
	if best >= 100 {
		return refuse("no axis long enough for lanes")
	}
	if best >= 8 && p.contiguous() && p.size(p.k, 64) > 8 && !p.packs() {
		return refuse("memory is contiguous along the accumulation")
	}
	p.odd, p.shared = map[*kernel.Buffer]bool{}, map[*kernel.Buffer]bool{}
	for _, e := range p.loads {
		if laneStride(e.Index, p.n, w) == 2 {
			p.odd[e.Buf] = true
			p.shared[e.Buf] = p.window(e, p.n)
		}
	}
	gain := 0
	for i := len(p.domain) - 1; i >= 0; i-- {
		v, g := p.domain[i], 0
		if v == p.n {
			continue
		}
		for _, e := range p.loads {
			if e.Index.Has(p.n) && !e.Index.Has(v) {
				g++
			}
		}
		if n, ok := p.static(v); ok && n == 1 {
			g = 0
		}
		for _, e := range p.loads {
			if r, _ := p.slides(e.Index, v); g == 0 && r != "" {
				g = 1 // windows overlap along v
			}
		}
		if g > gain {
			gain, p.m = g, v
		}
	}
	return nil
}

// contiguous reports whether memory is contiguous along a loop of the
// accumulation.
func (p *product) contiguous() bool {
	return slices.ContainsFunc(p.red, func(r string) bool {
		return !slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool { return stride(e.Index, r) == 2 })
	})
}

// packs reports whether there are rows enough that an operand without
// contiguous lanes is worth packing.
func (p *product) packs() bool {
	for _, v := range p.domain {
		if v == p.n {
			continue
		}
		if n, ok := p.static(v); ok && n < 4 {
			continue
		}
		for _, e := range p.loads {
			if stride(e.Index, p.n) == 2 && !e.Index.Has(v) {
				return true
			}
		}
	}
	return slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool { return p.window(e, p.n) })
}

// window reports whether the load e is not contiguous along v, and neighbours
// use the same elements.
func (p *product) window(e *kernel.Expr, v string) bool {
	r, q := p.slides(e.Index, v)
	return r != "" && q == 1 && stride(e.Index, v) == 2
}

// block is the register block: rows by cols vectors of w lanes.
type block struct {
	rows, cols, w int64
}

// cost is the cycles of one step of the accumulation with r rows: bound by the
// multiply-add units, the loads, or the latency of one accumulator.
func (b block) cost(r int64) int64 { return max(r*b.cols, r+b.cols, 8) }

// total is the cost of all n rows in blocks, with one block for the rest.
func (b block) total(n int64) int64 {
	t := n / b.rows * b.cost(b.rows)
	if n%b.rows > 0 {
		t += b.cost(n % b.rows)
	}
	return t
}

// shape picks the register block for the extents of the axes.
func (p *product) shape() block {
	w := p.narrow(p.n, p.lanes(p.Loop(p.n).Body))
	n, fixed := p.static(p.n)
	b := block{int64(p.t.Rows), int64(p.t.Cols), w}
	if p.m == "" {
		b.rows, b.cols = 1, int64(p.t.Chains)
		if fixed {
			b.cols = min(b.cols, (n+w-1)/w)
		}
		return b
	}
	m, rowsFixed := p.static(p.m)
	if !rowsFixed {
		if fixed {
			b.cols = min(b.cols, (n+w-1)/w)
		}
		return b
	}
	best, bestCost := b, int64(1)<<62
	most := int64(8)
	if p.spread() {
		most = int64(p.t.Cols) // rows share loads by overlapping, columns do not
	}
	for cols := int64(1); cols <= most; cols++ {
		if fixed && cols > 1 && (cols-1)*w >= n || !fixed && cols > b.cols && m >= b.rows {
			break
		}
		for rows := min(int64(p.t.Accs)/cols, m); rows >= 1; rows-- {
			c := block{rows, cols, w}
			cost := c.total(m) * 1024 / cols
			if fixed {
				vecs := (n + w - 1) / w
				rest := block{rows, max(vecs%cols, 1), w}
				cost = vecs/cols*c.total(m)*1024 + min(vecs%cols, 1)*rest.total(m)*1024
			}
			if cost < bestCost || cost == bestCost && rows*cols > best.rows*best.cols {
				best, bestCost = c, cost
			}
		}
	}
	return best
}

// spread reports whether an operand has lanes and differs from row to row, as in
// depthwise convolutions and windows.
func (p *product) spread() bool {
	return slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool {
		return e.Index.Has(p.n) && e.Index.Has(p.m)
	})
}

// tiling has the loops of a product after splitting, from the task inwards.
// Where an axis has no loop its name is empty.
type tiling struct {
	block
	grouping
	task       string // the innermost parallel loop
	nt, n0     string // tiles of columns in a task, columns of a tile
	ht, mt, m0 string // rows of the outer row axis, tiles of rows, rows of a tile
	extents    map[string]ir.Dim
}

// tile splits and orders the loops, packs operands, and makes the blocks.
func (p *product) tile() error {
	t := &tiling{block: p.shape(), extents: map[string]ir.Dim{}}
	for _, v := range p.domain {
		t.extents[v] = p.Loop(v).Extent
	}
	p.outerRows()
	t.grouping = p.group(t.block)
	var err error
	split := func(v, suffix string, n int64) string {
		if v == "" || err != nil {
			return ""
		}
		var in string
		in, err = p.Split(v, v+suffix, n, kernel.Clip)
		return in
	}
	t.n0 = split(p.n, "v", t.w*t.cols)
	t.m0 = split(p.m, "r", t.rows)
	t.nt = split(p.n, "t", t.n)
	t.mt = split(p.m, "t", t.m)
	t.ht = split(p.h, "t", t.h)
	if err != nil {
		return err
	}
	var outer []string
	for _, v := range p.domain {
		if v != p.n {
			outer = append(outer, v)
		}
	}
	outer = append(outer, p.n)
	order := append(outer[:len(outer):len(outer)], t.nt, t.n0)
	for _, v := range []string{t.ht, t.mt, t.m0} {
		if v != "" {
			order = append(order, v)
		}
	}
	if err := p.Reorder(order...); err != nil {
		return err
	}
	if err := p.parallel(outer); err != nil {
		return err
	}
	t.task = p.n
	if err := p.pack(t); err != nil {
		return err
	}
	p.unrollWindow(t)
	if err := p.blocks(t); err != nil {
		return err
	}
	p.unguard()
	return nil
}

// mostCopies is how many vector operations an unrolled window may have.
const mostCopies = 256

// unrollWindow copies out the innermost loop of the accumulation where an
// operand moves along it as along the rows, so that one load serves several
// steps.
func (p *product) unrollWindow(t *tiling) {
	r := last(p.red)
	n, ok := p.static(r)
	if !ok || p.m == "" || n*t.rows*t.cols > mostCopies {
		return
	}
	for _, e := range p.loads {
		if x, _ := p.slides(e.Index, p.m); x == r && e.Index.Has(p.n) {
			p.Loop(r).Bind = kernel.Unroll
			return
		}
	}
}

// outerRows picks the axis of rows around p.m: one that moves the operand
// without lanes along with another loop of the accumulation, as the lines of
// an image.
func (p *product) outerRows() {
	for _, v := range p.domain {
		if v == p.n || v == p.m || p.m == "" {
			continue
		}
		for _, e := range p.loads {
			if r, _ := p.slides(e.Index, v); r != "" {
				p.h = v
			}
		}
	}
}

// slides returns the loop r of the accumulation along which an index moves as
// it does along v, with the ratio q of the strides, a small number: the values
// q*v+r overlap.
func (p *product) slides(index ir.Dim, v string) (r string, q int64) {
	cv, _, ok := index.Linear(v)
	if !ok || cv.IsConst(0) {
		return "", 0
	}
	for _, x := range p.red {
		cr, _, ok := index.Linear(x)
		if !ok || cr.IsConst(0) {
			continue
		}
		n, ok := cv.FloorDiv(cr).Int()
		if ok && n > 0 && n <= 4 && cr.MulConst(n).Equal(cv) && (r == "" || n < q) {
			r, q = x, n
		}
	}
	return r, q
}

// grouping is how many tiles one task has along each axis.
type grouping struct{ n, m, h int64 }

// Bounds of the multiply-adds of one task: from some microseconds to a tenth
// of a millisecond.
const (
	leastWork = 256 << 10
	mostWork  = 4 << 20
	fewTasks  = 16 // tasks that a kernel should have before they grow
)

// group sizes tasks: columns first as long as their operand stays in the
// cache, since what is packed of the rows serves them all, then rows.
func (p *product) group(b block) grouping {
	k := p.size(p.k, 512)
	m, n, h := int64(1), p.size(p.Loop(p.n).Extent, 256), int64(1)
	if p.m != "" {
		m = p.size(p.Loop(p.m).Extent, 256)
	}
	if p.h != "" {
		h = p.size(p.Loop(p.h).Extent, 64)
	}
	total := k
	for _, v := range p.domain {
		typical := int64(1) // batches
		if v == p.n || v == p.m || v == p.h {
			typical = 64
		}
		total *= p.size(p.Loop(v).Extent, typical)
	}
	least := int64(leastWork)
	if p.m == "" {
		least /= 8 // each element of the operand is read once: bound by memory
	}
	work := min(max(total/fewTasks, least), mostWork)
	tilesN, tilesM := (n+b.w*b.cols-1)/(b.w*b.cols), (m+b.rows-1)/b.rows
	left := max(work/max(b.rows*b.cols*b.w*k, 1), 1)
	g := grouping{1, 1, 1}
	take := func(most int64) int64 {
		x := max(min(left, most), 1)
		left = max(left/x, 1)
		return x
	}
	columns := k * b.w * b.cols * 4 // bytes of a tile's operand
	if p.m == "" || columns*tilesN <= int64(p.t.L2)/2 {
		g.n = take(tilesN)
		g.m = take(tilesM)
		g.h = take(h)
		return g
	}
	rows := max(min(int64(p.t.L2)/4/max(k*b.rows*4, 1), 128/b.rows), 1)
	g.m = take(min(tilesM, rows))
	g.h = take(min(h, max(rows/g.m, 1)))
	g.n = take(tilesN)
	return g
}

// size is d where it is a number, else a typical value.
func (p *product) size(d ir.Dim, typical int64) int64 {
	if n, ok := d.Int(); ok {
		return n
	}
	return typical
}

// variant names the loops of one of the blocks: columns, outer rows, tiles of
// rows, rows. Where an axis has no loop its name is empty.
type variant struct{ n0, ht, mt, m0 string }

// copied is v after a primitive that copied its loops.
func (v variant) copied(names map[string]string) variant {
	return variant{names[v.n0], names[v.ht], names[v.mt], names[v.m0]}
}

// blocks makes the variants: full and partial vectors, full and partial rows.
func (p *product) blocks(t *tiling) error {
	all := []variant{{t.n0, t.ht, t.mt, t.m0}}
	if _, ok := p.static(t.n0); !ok {
		names, err := p.Specialize(t.n0)
		if err != nil {
			return err
		}
		if names != nil {
			all = append(all, all[0].copied(names))
		}
	}
	for i := 0; i < len(all); i++ {
		names, err := p.cutRest(all[i].n0, t.w)
		if err != nil {
			return err
		}
		if names != nil {
			all = append(all, all[i].copied(names))
		}
		if err := p.block(all[i], t); err != nil {
			return err
		}
	}
	return nil
}

// block makes the blocks of a variant.
func (p *product) block(v variant, t *tiling) error {
	rows := slices.DeleteFunc([]string{v.ht, v.mt, v.m0}, func(s string) bool { return s == "" })
	cols, err := p.lanesIn(v.n0, rows, t.w)
	if err != nil {
		return err
	}
	if v.m0 == "" {
		return p.distribute(cols)
	}
	order := append(rows, cols...)
	if len(cols) == 1 && cols[0] != v.n0 {
		order = append([]string{v.n0}, order...)
	}
	if err := p.Reorder(order...); err != nil {
		return err
	}
	return p.rowBlocks(v.m0, cols, t.rows)
}

// lanesIn splits the loop over columns into vectors and lanes, under a mask
// where it is not whole vectors, and returns those of them that are unrolled:
// without the vectors where their number is not known.
func (p *product) lanesIn(n0 string, rows []string, w int64) ([]string, error) {
	if w = p.narrow(n0, w); w == 1 {
		return []string{n0}, nil
	}
	lane, err := p.Split(n0, n0+"l", w, kernel.Mask)
	if err != nil {
		return nil, err
	}
	for _, x := range append([]string{lane}, rows...) { // the mask goes inwards
		if p.guards(x) {
			if err := p.Sink(x); err != nil {
				return nil, err
			}
		}
	}
	if _, ok := p.static(n0); !ok {
		return []string{lane}, nil
	}
	return []string{n0, lane}, nil
}

// rowBlocks makes the blocks of loop m0: full ones, then the rest, in blocks
// of 4 and single rows where it is not a number.
func (p *product) rowBlocks(m0 string, cols []string, rows int64) error {
	if n, ok := p.static(m0); ok {
		if n == 1 {
			return p.distribute(cols)
		}
		return p.distribute(append([]string{m0}, cols...))
	}
	names, err := p.Specialize(m0)
	if err != nil {
		return err
	}
	if err := p.distribute(append([]string{m0}, cols...)); err != nil || names == nil {
		return err
	}
	rest := make([]string, len(cols))
	for i, c := range cols {
		rest[i] = names[c]
	}
	m0 = names[m0]
	if _, ok := p.static(m0); ok {
		return p.rowBlocks(m0, rest, rows)
	}
	if rows > 4 {
		in, err := p.Split(m0, m0+"q", 4, kernel.Clip)
		if err != nil {
			return err
		}
		return p.rowBlocks(in, rest, 4)
	}
	return p.distribute(rest)
}
