package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// tiling has the loops of a product after splitting, from the task inwards.
// Where an axis has no loop its name is empty.
type tiling struct {
	block
	grouping
	once       bool         // see product.once
	lines      *kernel.Expr // columns that each tile packs, lines of them, as they were loaded
	task       string       // the innermost parallel loop
	nt, n0     string       // tiles of columns in a task, columns of a tile
	ht, mt, m0 string       // rows of the outer row axis, tiles of rows, rows of a tile
	extents    map[string]ir.Dim
	kb         string    // the innermost loop over blocks of the accumulation
	moved      []string  // these loops, outermost first
	split      splitLoop // the last of them and its block
	// inside is the condition under which a tile of rows reads no padding; nil where
	// nothing is peeled.
	inside *kernel.Expr
}

// splitLoop is a loop that was split: its iterations are at, below extent.
type splitLoop struct {
	out, in    string
	factor     int64
	at, extent ir.Dim
}

// tile splits and orders the loops, packs operands, and makes the blocks.
func (p *product) tile() error {
	shape := p.shape
	if p.scalar() {
		shape = p.scalarShape
	}
	t := &tiling{block: shape(), extents: map[string]ir.Dim{}}
	t.once = p.once(t.block)
	for _, v := range p.domain {
		t.extents[v] = p.Loop(v).Extent
	}
	p.outerRows()
	p.shares = map[*kernel.Buffer]bool{}
	for _, e := range p.loads {
		p.shares[e.Buf] = p.mayShare(e)
	}
	d := p.depth(t.block)
	t.grouping = p.group(t.block, d.moved > 0)
	p.askNext(t.block)
	if err := p.splitTiles(t); err != nil {
		return err
	}
	outer, err := p.tasks(t, d)
	if err != nil {
		return err
	}
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
	if err := p.lift(t, d); err != nil {
		return err
	}
	if err := p.pack(t); err != nil {
		return err
	}
	p.unrollWindow(t)
	if err := p.blocks(t); err != nil {
		return err
	}
	p.unguard()
	if err := p.askColumns(t); err != nil {
		return err
	}
	return p.askInOrder(t)
}

// splitTiles splits the loops of the domain in tasks, tiles and what these have.
func (p *product) splitTiles(t *tiling) error {
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
	return err
}

// tasks lists the loops over tasks in their order, columns innermost. Where the
// columns' operand does not stay in a cache that cores share until the rows of
// the next tasks come, columns are done in groups that about do, of one task at least.
func (p *product) tasks(t *tiling, d depth) ([]string, error) {
	t.task = p.n
	var outer []string
	for _, v := range p.domain {
		if v != p.n {
			outer = append(outer, v)
		}
	}
	tasks, ok := p.static(p.n)
	each := p.size(p.k, 0) * t.n * t.cols * t.w * 4
	n := max(ceil(int64(p.t.L3), max(each, 1)), 1)
	for ok && tasks%n != 0 {
		n--
	}
	first := slices.IndexFunc(outer, func(v string) bool { return v == p.m || v == p.h })
	if d.moved == 0 || t.once || !ok || n >= tasks || first < 0 {
		return append(outer, p.n), nil
	}
	in, err := p.Split(p.n, p.n+"g", n, kernel.Exact)
	t.task = in
	return append(slices.Insert(outer, first, p.n), in), err
}

// lift moves the loops over blocks of the accumulation around the tiles.
func (p *product) lift(t *tiling, d depth) error {
	if d.moved == 0 {
		return nil
	}
	t.moved = p.red[:d.moved:d.moved]
	t.kb = last(t.moved)
	p.red = p.red[d.moved:]
	if d.split > 0 {
		extent := p.Loop(t.kb).Extent
		in, err := p.Split(t.kb, t.kb+"b", d.split, kernel.Clip)
		if err != nil {
			return err
		}
		p.red = append([]string{in}, p.red...)
		t.split = splitLoop{t.kb, in, d.split, ir.Sym(t.kb).MulConst(d.split).Add(ir.Sym(in)), extent}
	}
	order := slices.DeleteFunc([]string{t.nt, t.ht, t.mt, t.m0, t.n0},
		func(v string) bool { return v == "" })
	if !t.once && p.BlockInside(order, t.moved, "part") == nil {
		return nil
	}
	set, rest, err := p.Block(order, t.moved, "part") // where there may be no block
	if err != nil {
		return err
	}
	for _, names := range []map[string]string{set, rest} {
		if err := p.sweep(order, names); err != nil {
			return err
		}
	}
	return nil
}

// sweep makes vectors of the columns, the last loop of order, in a copy of the
// nest with the given names.
func (p *product) sweep(order []string, names map[string]string) error {
	copied := make([]string, len(order))
	for i, v := range order {
		copied[i] = names[v]
	}
	if err := p.Reorder(copied...); err != nil {
		return err
	}
	return p.vectorize(last(copied))
}

// mostCopies is how many vector operations an unrolled window may have.
const mostCopies = 256

// unrollWindow copies out the innermost loop of the accumulation where an
// operand moves along it as along the rows, so that one load serves several
// steps.
func (p *product) unrollWindow(t *tiling) {
	r := last(p.red)
	n, ok := p.static(r)
	if !ok || p.m == "" || t.kb != "" || n*t.rows*t.cols > mostCopies {
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
	return slides(index, v, p.red)
}

func slides(index ir.Dim, v string, red []string) (r string, q int64) {
	cv, _, ok := index.Linear(v)
	if !ok || cv.IsConst(0) {
		return "", 0
	}
	for _, x := range red {
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
		if err := p.peel(all[i], t); err != nil {
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
	if _, ok := p.static(n0); !ok && w == 1 {
		rows = nil // no mask
	} else if w = p.narrow(n0, w); w == 1 {
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
