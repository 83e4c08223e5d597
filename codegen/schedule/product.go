package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// product is a kernel with one accumulation inside its domain: matrix
// products, convolutions, windows.
type product struct {
	*scheduler
	domain []string
	red    []string       // loops of the accumulation, outermost first
	update *kernel.Store  // in the innermost of them
	loads  []*kernel.Expr // in the update, without the accumulator
	n, m   string         // the axis of lanes; the axis of rows, or empty
	k      ir.Dim         // iterations of the accumulation
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
	outer := accessesOf(p.Loop(last(p.domain)).Body)
	for i := len(p.domain) - 1; i >= 0; i-- {
		v, cost := p.domain[i], 0
		for _, e := range p.loads {
			if stride(e.Index, v) == 2 {
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
	along := 0
	for _, e := range p.loads {
		if stride(e.Index, last(p.red)) == 2 {
			along += 8
		}
	}
	if best >= 8 && along == 0 && !p.packs() {
		return refuse("memory is contiguous along the accumulation")
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
		if g > gain {
			gain, p.m = g, v
		}
	}
	return nil
}

// packs reports whether there are rows enough that an operand without
// contiguous lanes is worth packing.
func (p *product) packs() bool { return false }

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
	for cols := int64(1); cols <= 8; cols++ {
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

// tile splits and orders the loops, packs operands, and makes the blocks.
func (p *product) tile() error {
	b := p.shape()
	var err error
	nt, mt := "", "" // tiles inside a task
	n0, m0 := "", ""
	if n0, err = p.Split(p.n, p.n+"v", b.w*b.cols, kernel.Clip); err != nil {
		return err
	}
	if p.m != "" {
		if m0, err = p.Split(p.m, p.m+"r", b.rows, kernel.Clip); err != nil {
			return err
		}
	}
	g := p.group(b)
	if nt, err = p.Split(p.n, p.n+"t", g.n, kernel.Clip); err != nil {
		return err
	}
	if p.m != "" {
		if mt, err = p.Split(p.m, p.m+"t", g.m, kernel.Clip); err != nil {
			return err
		}
	}
	var outer, order []string
	for _, v := range p.domain {
		if v != p.n {
			outer = append(outer, v)
		}
	}
	outer = append(outer, p.n)
	order = append(order, outer...)
	order = append(order, nt, n0)
	if p.m != "" {
		order = append(order, mt, m0)
	}
	if err := p.Reorder(order...); err != nil {
		return err
	}
	if err := p.parallel(outer); err != nil {
		return err
	}
	return p.blocks(b, nt, n0, mt, m0)
}

// grouping is how many tiles one task has along each axis.
type grouping struct{ n, m int64 }

// taskWork is about how many multiply-adds one task has: some tens of
// microseconds.
const taskWork = 2 << 20

// group sizes tasks: enough rows that what is packed is used again, in all
// about taskWork.
func (p *product) group(b block) grouping {
	k, ok := p.k.Int()
	if !ok {
		k = 512
	}
	tile := max(b.rows*b.cols*b.w*k, 1)
	left := max(taskWork/tile, 1)
	g := grouping{1, 1}
	if p.m != "" {
		g.m = min(left, max(128/b.rows, 1))
		if m, ok := p.static(p.m); ok {
			g.m = min(g.m, m)
		}
	}
	g.n = max(left/g.m, 1)
	if n, ok := p.static(p.n); ok {
		g.n = min(g.n, n)
	}
	return g
}

// blocks makes the variants: full and partial vectors, full and partial rows.
func (p *product) blocks(b block, nt, n0, mt, m0 string) error {
	type variant struct{ n0, mt, m0 string }
	full := variant{n0, mt, m0}
	var rest *variant
	if n, ok := p.static(n0); !ok {
		names, err := p.Specialize(n0)
		if err != nil {
			return err
		}
		if names != nil {
			rest = &variant{names[n0], names[mt], names[m0]}
		}
	} else if n < b.w*b.cols {
		full, rest = variant{}, &variant{n0, mt, m0}
	}
	for _, v := range []*variant{&full, rest} {
		if v == nil || v.n0 == "" {
			continue
		}
		cols, err := p.lanesIn(v.n0, v.mt, b.w)
		if err != nil {
			return err
		}
		if v.m0 == "" {
			if err := p.distribute(cols); err != nil {
				return err
			}
			continue
		}
		order := append([]string{v.mt, v.m0}, cols...)
		if len(cols) == 1 && cols[0] != v.n0 {
			order = append([]string{v.n0}, order...)
		}
		if err := p.Reorder(order...); err != nil {
			return err
		}
		if err := p.rowBlocks(v.m0, cols, b.rows); err != nil {
			return err
		}
	}
	return nil
}

// lanesIn splits the loop over columns into vectors and lanes, under a mask
// where it is not whole vectors, and returns those of them that are unrolled:
// without the vectors where their number is not known.
func (p *product) lanesIn(n0, mt string, w int64) ([]string, error) {
	if w = p.narrow(n0, w); w == 1 {
		return []string{n0}, nil
	}
	lane, err := p.Split(n0, n0+"l", w, kernel.Mask)
	if err != nil {
		return nil, err
	}
	for _, x := range []string{lane, mt} { // the mask goes inwards
		if x != "" && p.guards(x) {
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
