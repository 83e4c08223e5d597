package schedule

import (
	"cmp"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// groups schedules products of small integers with an instruction that adds up
// products of a group of neighbours along the accumulation. Both operands are
// packed, whole tiles of them, with zeros beyond the edges: each task packs its
// rows, and each tile of columns, in which a group of one column lies together.
func (s *scheduler) groups() error {
	d := s.domain()
	if len(d) < 2 || s.t.Vector == 0 {
		return refuse("no rows and columns")
	}
	g := &groupProduct{product: &product{scheduler: s, domain: s.collapse(d)}}
	if err := g.recognize(); err != nil {
		return err
	}
	if err := g.axes(); err != nil {
		return err
	}
	for _, u := range s.t.units() {
		try := *g
		try.product = &product{}
		*try.product = *g.product
		try.scheduler = &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
		try.unit, try.in = u, kernel.Instrs[u.instr]
		if !try.in.On(s.t.Name) || !try.fits() {
			continue
		}
		if err := try.tile(); err != nil {
			return err
		}
		s.Kernel = try.Kernel
		return nil
	}
	return refuse("no instruction for these operands")
}

// unit is an instruction that does a product of tiles: ti rows of w columns,
// tk groups of g. Of f32 operands it has parts.
type unit struct {
	instr        string
	rows, cols   ir.DType // of the operands
	ti, w, tk, g int64
	parts        int
}

// units in order of preference.
var units = []unit{
	{kernel.TileProduct(ir.U8, ir.I8), ir.U8, ir.I8, 16, 16, 16, 4, 0},
	{kernel.TileProduct(ir.I8, ir.I8), ir.I8, ir.I8, 16, 16, 16, 4, 0},
	{kernel.TileProduct(ir.U8, ir.U8), ir.U8, ir.U8, 16, 16, 16, 4, 0},
	{kernel.TileProduct(ir.I8, ir.U8), ir.I8, ir.U8, 16, 16, 16, 4, 0},
	{"vpdpbusd.512", ir.U8, ir.I8, 1, 16, 1, 4, 0},
	{"vpdpwssd.512", ir.I16, ir.I16, 1, 16, 1, 2, 0},
	{"vpmaddwd.512", ir.I16, ir.I16, 1, 16, 1, 2, 0},
	{"vpmaddwd.256", ir.I16, ir.I16, 1, 8, 1, 2, 0},
}

// tiled reports whether the unit's operands are in registers of their own.
func (u *unit) tiled() bool { return u.ti > 1 }

// groupProduct is a product acc += x*y of integers, x of rows and y of columns.
type groupProduct struct {
	*product
	unit
	in    *kernel.Instr
	lanes []string // the loops over columns
}

// axes picks the axis of columns, the last on which one factor alone depends,
// and the axis of rows, the longest on which the other one does.
func (g *groupProduct) axes() error {
	x, y, ok := g.factors()
	if !ok {
		return refuse("no sum of products")
	}
	for i := len(g.domain) - 1; i >= 0 && g.n == ""; i-- {
		v := g.domain[i]
		if a, b := g.depends(x, v), g.depends(y, v); a != b && g.size(g.Loop(v).Extent, 64) >= 8 {
			g.n, g.lanes = v, []string{v}
			if a {
				x, y = y, x
			}
		}
	}
	if g.n == "" {
		return refuse("no axis long enough for lanes")
	}
	best := int64(1)
	for _, v := range g.domain {
		n := g.size(g.Loop(v).Extent, 64)
		if n > best && g.depends(x, v) && !g.depends(y, v) {
			best, g.m = n, v
		}
	}
	if g.m == "" || best < 4 {
		return refuse("too few rows to pack columns for")
	}
	if g.size(g.Loop(last(g.red)).Extent, 64) < 4 {
		return refuse("the accumulation is too short")
	}
	return nil
}

// factors are the operands of the product in the update: of rows first, once
// the axes are known.
func (g *groupProduct) factors() (x, y *kernel.Expr, ok bool) {
	e := g.current().Value
	switch {
	case e.Kind != kernel.KOp:
	case e.Op == ir.OpFMA && e.DType == ir.F32:
		x, y = e.Args[0], e.Args[1]
	case e.Op == ir.OpAdd && e.DType == ir.I32:
		for _, m := range e.Args {
			if m.Kind == kernel.KOp && m.Op == ir.OpMul {
				x, y = m.Args[0], m.Args[1]
			}
		}
	}
	if x == nil || g.accumulates(x) || g.accumulates(y) {
		return nil, nil, false
	}
	if g.depends(x, g.lanes...) {
		x, y = y, x
	}
	return x, y, true
}

// fits reports whether the factors' values are those of the unit's operands,
// and most of a tile is not beyond the edges.
func (g *groupProduct) fits() bool {
	if g.tiled() && (g.size(g.Loop(g.m).Extent, 64) < g.ti/2 ||
		g.size(g.Loop(last(g.red)).Extent, 512) < g.tk*g.g/2) {
		return false
	}
	x, y, _ := g.factors()
	if x.DType == ir.F32 || g.parts > 0 {
		return x.DType == ir.F32 && g.parts > 0
	}
	try := g.Kernel.Clone()
	_, errX := try.Narrow(last(g.red), x, g.unit.rows)
	_, errY := try.Narrow(last(g.red), y, g.unit.cols)
	return errX == nil && errY == nil
}

// gtiling names the loops: blocks in a task, tiles of a block and what a tile
// has, of rows m, columns n and the accumulation k. Where a tile has one row,
// or one group, there is no loop for it.
type gtiling struct {
	block
	mt, r, i  string
	nt, c, l  string
	kt, kg, q string
	m, n, k   ir.Dim // extents
	tm, tn    int64  // blocks of a task
	deep      int64  // steps of a block of the accumulation, 0 if there is one
	task      string // the loop in which rows are packed: over these blocks, or n

	shared bool           // the parts of columns are made once for all tasks
	parts  []*kernel.Expr // these, as products read them

	results []written // by blocks, to be asked for
}

// tile splits and orders the loops, packs the operands, and puts the
// instruction in place.
func (g *groupProduct) tile() error {
	t := &gtiling{block: g.gblock(), kt: last(g.red), m: g.Loop(g.m).Extent, n: g.Loop(g.n).Extent,
		k: g.Loop(last(g.red)).Extent}
	t.deep = g.deepOf(t)
	t.tm, t.tn = g.tasksOf(t)
	if g.parts > 1 && !g.worthParts(t) {
		return refuse("too much is packed for what is multiplied")
	}
	moved, err := g.deepen(t)
	if err != nil {
		return err
	}
	if err := g.split(t); err != nil {
		return err
	}
	var outer []string
	for _, v := range g.domain {
		if v != g.m && v != g.n {
			outer = append(outer, v)
		}
	}
	outer = append(outer, g.m, g.n)
	inner := []string{t.nt, t.mt, t.r, t.c}
	if g.tiled() {
		inner = append(inner, t.i)
	}
	inner = append(inner, t.l)
	if err := g.Reorder(slices.Concat(outer, inner)...); err != nil {
		return err
	}
	if moved != nil {
		if err := g.BlockInside(inner, moved, "part"); err != nil {
			return err
		}
	}
	if err := g.parallel(outer); err != nil {
		return err
	}
	_, y, _ := g.factors()
	if err := g.pack(t); err != nil {
		return err
	}
	if err := g.share(t, y); err != nil {
		return err
	}
	if err := g.versions(t); err != nil {
		return err
	}
	if err := g.askColumns(t, y); err != nil {
		return err
	}
	return g.askResults(t)
}

// split splits the loops over rows, columns and the accumulation.
func (g *groupProduct) split(t *gtiling) error {
	var err error
	split := func(v, suffix string, n int64, tail kernel.Tail) string {
		var in string
		if err == nil {
			in, err = g.Split(v, v+suffix, n, tail)
		}
		return in
	}
	t.q = split(t.kt, "q", g.tk*g.g, kernel.Pad)
	t.c = split(g.n, "c", t.cols*t.w, kernel.Pad)
	t.l = split(t.c, "l", t.w, kernel.Exact)
	t.r = split(g.m, "r", t.rows*g.ti, kernel.Pad)
	if g.tiled() {
		t.i = split(t.r, "i", g.ti, kernel.Exact)
		if g.parts > 0 { // both operands are packed by g at a distance of tk
			t.kg = split(t.q, "g", g.tk, kernel.Exact)
			if err == nil {
				err = g.Reorder(t.kg, t.q)
			}
		} else {
			t.kg = t.q
			t.q = split(t.kg, "g", g.g, kernel.Exact)
		}
	}
	t.nt = split(g.n, "t", t.tn, kernel.Clip)
	t.mt = split(g.m, "t", t.tm, kernel.Clip)
	g.lanes = []string{g.n, t.nt, t.c, t.l}
	return err
}

// gblock is the register block: whole vectors of columns, and rows of which
// few are beyond the edge.
func (g *groupProduct) gblock() block {
	b := block{rows: int64(g.t.Rows), cols: int64(g.t.Cols), w: g.w}
	if g.tiled() { // of eight registers four for operands
		b.rows, b.cols = 2, 2
	}
	b.cols = min(b.cols, (g.size(g.Loop(g.n).Extent, 1<<20)+b.w-1)/b.w)
	if m, ok := g.static(g.m); ok && g.tiled() {
		b.rows = min(b.rows, (m+g.ti-1)/g.ti)
	} else if ok {
		b.rows = min(int64(g.t.Accs)/b.cols, 2*b.rows)
		tiles := (m + b.rows - 1) / b.rows
		b.rows = (m + tiles - 1) / tiles
	}
	return b
}

// tasksOf sizes tasks: as many tiles of rows as share the packing of columns,
// then columns.
func (g *groupProduct) tasksOf(t *gtiling) (tm, tn int64) {
	k := int64(1)
	for _, v := range g.red {
		k *= g.size(g.Loop(v).Extent, 512)
	}
	m, n := g.size(t.m, 256), g.size(t.n, 256)
	const macs = 4 // of these a lane does at once
	if g.parts > 1 && g.t.Task == 0 {
		return g.tasksOfParts(t, m, n, k)
	}
	work := cmp.Or(int64(g.t.Task), min(max(m*n*k/fewTasks, leastWork*macs), mostWork*macs))
	height := t.rows * g.ti
	left := max(work/(height*t.cols*t.w*k), 1)
	l2 := int64(g.t.L2)
	if g.tiled() {
		l2 = 2 << 20 // CPUs with tiles have as much
	}
	rows := max(l2/2/(height*k*int64(g.unit.rows.Size()*max(g.parts, 1))), 1)
	tm = min((m+height-1)/height, left, rows)
	tn = min((n+t.cols*t.w-1)/(t.cols*t.w), max(left/tm, 1))
	return tm, tn
}

// pack stages both operands.
func (g *groupProduct) pack(t *gtiling) error {
	if g.parts > 0 {
		return g.packParts(t)
	}
	inner := last(g.red)
	x, y, _ := g.factors()
	x, err := g.Narrow(inner, x, g.unit.rows)
	if err != nil {
		return err
	}
	if y, err = g.Narrow(inner, y, g.unit.cols); err != nil {
		return err
	}
	groups := g.groupsOf(t)
	cols, err := g.stageColumns(t, y, groups, 0)
	if err != nil {
		return err
	}
	if err := g.interleave(t, g.wholeColumns(t), []packing{cols}); err != nil {
		return err
	}
	return g.packRows(t, x, groups)
}

// layers are the axes of the loops of the accumulation but the last, for a
// copy with size elements for each of their values; it returns the elements.
func (g *groupProduct) layers(size ir.Dim) ([]kernel.Axis, ir.Dim) {
	list := make([]kernel.Axis, len(g.red)-1)
	for i := len(list) - 1; i >= 0; i-- {
		n := g.Loop(g.red[i]).Extent
		list[i] = kernel.Axis{Var: g.red[i], Extent: n, Stride: size}
		size = size.Mul(n)
	}
	return list, size
}

// versions makes the blocks of whole tiles and those at the edges.
func (g *groupProduct) versions(t *gtiling) error {
	if g.parts > 1 { // a copy for the edges is too much code
		names := map[string]string{}
		for _, v := range append([]string{t.r, t.c, t.i, t.l, t.kg, t.q}, g.red...) {
			names[v] = v
		}
		return g.block(t, names)
	}
	cond := kernel.OpExpr(ir.OpAnd, g.whole(g.m, t.mt, t.tm, t.rows*g.ti, t.m),
		g.whole(g.n, t.nt, t.tn, t.cols*t.w, t.n))
	then, els, err := g.Version(t.mt, cond)
	if err != nil {
		return err
	}
	for _, names := range []map[string]string{then, els} {
		if names == nil {
			continue
		}
		if err := g.block(t, names); err != nil {
			return err
		}
	}
	return nil
}

// block makes one block: accumulators, the instruction, and what follows. The
// loops have the given names.
func (g *groupProduct) block(t *gtiling, names map[string]string) error {
	nest := []string{names[t.r], names[t.c]}
	if g.tiled() {
		nest = append(nest, names[t.i])
	}
	nest = append(nest, names[t.l])
	allocs := allocsOf(g.Loop(last(nest)).Body)
	for _, name := range allocs {
		for i := len(nest) - 1; i >= 0; i-- {
			if err := g.ExpandDim(name, nest[i]); err != nil {
				return err
			}
		}
	}
	at := slices.IndexFunc(g.Loop(last(nest)).Body, func(st kernel.Stmt) bool {
		l, ok := st.(*kernel.Loop)
		return ok && l.Var == names[g.red[0]]
	})
	if at != 1 || len(allocs) != 1 {
		return refuse("there is more than one accumulator")
	}
	sum, err := g.FissionNest(nest, at)
	if err != nil {
		return err
	}
	rest, err := g.FissionNest(sum, 1)
	if err != nil {
		return err
	}
	if g.tiled() {
		return g.tiles(t, names, nest, sum, rest)
	}
	if err := g.distribute(nest); err != nil {
		return err
	}
	if err := g.replace(t, names, sum); err != nil {
		return err
	}
	return g.distribute(rest)
}

// replace puts the instruction in place of the innermost loops of the
// accumulation, over the lanes and a group, or over a tile.
func (g *groupProduct) replace(t *gtiling, names map[string]string, nest []string) error {
	var order []string
	for _, r := range g.red {
		order = append(order, names[r])
	}
	inner := nest[: len(nest)-1 : len(nest)-1]
	if g.tiled() {
		inner = append(inner, names[t.kg])
	}
	inner = append(inner, last(nest), names[t.q])
	if err := g.Reorder(append(order, inner...)...); err != nil {
		return err
	}
	if g.parts < 2 {
		return g.replaceSum(t, last(order), inner)
	}
	scopes, nests, err := g.FissionSums(inner)
	if err != nil {
		return err
	}
	for i := range scopes {
		if err := g.replaceSum(t, scopes[i], nests[i]); err != nil {
			return err
		}
	}
	return nil
}

// replaceSum is replace for one sum: its nest is r, c, l, q, or r, c, i, kg, l,
// q. Operands in registers are loaded at the start of loop at.
func (g *groupProduct) replaceSum(t *gtiling, at string, nest []string) error {
	if g.tiled() {
		if err := g.loadTiles(t, at, nest); err != nil {
			return err
		}
	}
	lane, q := nest[len(nest)-2], last(nest)
	st, ok := g.Loop(q).Body[0].(*kernel.Store)
	if !ok || len(g.Loop(q).Body) != 1 {
		return refuse("the accumulation is not one store")
	}
	tiles := make([]kernel.Tile, 3)
	walkExpr(st.Value, func(e *kernel.Expr) {
		switch {
		case e.Kind != kernel.KLoad:
		case e.Buf == st.Buf && g.tiled():
			tiles[2] = tileAt(e, nest[2], lane)
		case e.Buf == st.Buf:
			tiles[2] = tileAt(e, lane)
		case e.Index.Has(lane) && g.tiled():
			tiles[1] = flatTile(e, nest[3], lane, q)
		case e.Index.Has(lane):
			tiles[1] = tileAt(e, lane, q)
		case g.tiled():
			tiles[0] = flatTile(e, nest[2], nest[3], q)
		default:
			tiles[0] = tileAt(e, q)
		}
	})
	if err := g.Replace(nest[2], g.in, tiles); err != nil {
		return err
	}
	return g.unrollAll(nest[:2])
}

func (g *groupProduct) unrollAll(vars []string) error {
	for _, v := range vars {
		if err := g.Bind(v, kernel.Unroll); err != nil {
			return err
		}
	}
	return nil
}

// tileAt is the tile of the elements that the load e reads in the loops vars.
func tileAt(e *kernel.Expr, vars ...string) kernel.Tile {
	t := kernel.Tile{Buf: e.Buf, Index: e.Index}
	for _, v := range vars {
		stride, rest, _ := t.Index.Linear(v)
		t.Index, t.Strides = rest, append(t.Strides, stride)
	}
	return t
}
