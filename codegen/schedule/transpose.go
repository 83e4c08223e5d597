package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// crossing schedules loops over a result that reads memory along another axis
// than it writes it: tiles of both axes are exchanged in registers.
type crossing struct {
	*scheduler
	i, j  string         // axes along which memory is contiguous in the source, in the result
	loads []*kernel.Expr // that are contiguous along i
	n     int64          // rows and columns of a tile
	size  int            // bytes of the largest element
}

// Tiles of one task: a square that lies in the nearest cache together with its
// source. It has some whole lines along both axes.
const (
	crossTiles = 4
	mostTiles  = 8
)

// wholeLines are the columns of tiles of half lines and less that are exchanged at once with
// those they share lines with: lines are begun and finished one after the other. (Eight that
// are begun went to memory in halves at times, at 5.5 GB/s for 28 to 38: AVX2, one core of an AMD
// EPYC, Zen 4, whose other thread the host had given away, 2026-11-26.)
const wholeLines = 4

const line = 64 // bytes of memory that are read or written at once

// transpose schedules what crosses.
func (s *scheduler) transpose() error {
	d := s.domain()
	if s.t.Vector == 0 || len(d) < 2 {
		return refuse("no two axes for vectors")
	}
	d = s.collapse(d)
	body := s.Loop(last(d)).Body
	if hasLoops(body) || effects(body) || len(d) < 2 {
		return refuse("other loops, or statements with effects")
	}
	c := &crossing{scheduler: s}
	if err := c.axes(d, body); err != nil {
		return err
	}
	if c.byRows() {
		return c.rows(d)
	}
	return c.tile(d)
}

// axes finds the two axes and the loads between them.
func (c *crossing) axes(d []string, body []kernel.Stmt) error {
	size := 0
	for _, a := range accessesOf(body) {
		if !a.write {
			continue
		}
		at := slices.IndexFunc(d, func(v string) bool { return stride(a.index, v) == 1 })
		if at < 0 || c.j != "" && c.j != d[at] {
			return refuse("no axis along which all results are contiguous")
		}
		c.j, size = d[at], max(size, a.buf.DType.Size())
	}
	kernel.WalkExprs(body, func(e *kernel.Expr) {
		if e.Kind != kernel.KLoad || len(e.Args) > 0 || stride(e.Index, c.j) != 2 {
			return
		}
		at := slices.IndexFunc(d, func(v string) bool { return stride(e.Index, v) == 1 })
		if at < 0 || c.i != "" && c.i != d[at] {
			return
		}
		c.i, size = d[at], max(size, e.Buf.DType.Size())
		c.loads = append(c.loads, e)
	})
	if c.j == "" || c.i == "" {
		return refuse("no load is contiguous along another axis")
	}
	c.size = size
	c.n = c.width(size)
	if c.n < 4 {
		return refuse("no tiles of elements of %d bytes", size)
	}
	for _, e := range c.loads {
		if kernel.Transposition(c.n, c.n, e.Buf.DType) == nil {
			return refuse("no tiles of %d %v", c.n, e.Buf.DType)
		}
	}
	return nil
}

// width is how many rows and columns tiles have: half as many where the rest
// of an axis is then less.
func (c *crossing) width(size int) int64 {
	n := min(int64(c.t.Vector/size), 16)
	for _, v := range []string{c.i, c.j} {
		k, ok := c.static(v)
		if ok && n > 4 && (k < n || k < 8*n && k%n >= n/2) && n/2*int64(size) >= 16 {
			n /= 2
		}
	}
	for _, v := range []string{c.i, c.j} {
		if k, ok := c.static(v); ok && k < n {
			return 0
		}
	}
	return n
}

// tile splits both axes into tiles and groups of tiles, which are tasks. A task
// goes along the source first, as what it reads comes in lines; but tiles that
// share lines of the result follow each other.
func (c *crossing) tile(d []string) error {
	outer := slices.DeleteFunc(slices.Clone(d), func(v string) bool { return v == c.i || v == c.j })
	outer = c.inMemory(outer, c.Loop(last(d)).Body, c.i)
	tiles := min(crossTiles*c.perLine(), mostTiles)
	b, further := c.byBlocks(), c.long(c.j)
	inBlocks := b.i > 0
	if !inBlocks {
		c.askNext(outer)
		b = blocks{tiles, tiles}
	}
	in := make([]string, 0, 4)
	for _, step := range []struct {
		v, suffix string
		n         int64
	}{{c.i, "r", c.n}, {c.j, "v", c.n}, {c.i, "t", b.i}, {c.j, "t", b.j}} {
		name, err := c.Split(step.v, step.v+step.suffix, step.n, kernel.Clip)
		if err != nil {
			return err
		}
		in = append(in, name)
	}
	i0, j0, it, jt := in[0], in[1], in[2], in[3]
	outer = append(outer, c.i, c.j)
	inner := []string{jt, it}
	if inBlocks || c.aroundCaches() {
		inner = []string{it, jt}
	}
	halves, err := c.halves(it, jt, inBlocks)
	if err != nil {
		return err
	}
	inner = append(inner, halves...)
	ju, columns := "", c.n
	if len(halves) > 0 && c.wholeTiles(i0, j0, last(halves)) && c.past() && c.exchanges(wholeLines) {
		ju, columns = last(halves), wholeLines
	}
	if err := c.Reorder(slices.Concat(outer, inner, []string{j0, i0})...); err != nil {
		return err
	}
	if err := c.parallel(outer); err != nil {
		return err
	}
	if err := c.edges(i0, j0); err != nil {
		return err
	}
	if err := c.exchange(i0, ju, j0, columns); err != nil || !inBlocks {
		return err
	}
	return c.askBlock(b, it, jt, further)
}

// aroundCaches reports whether tiles are whole lines of results that are written around the
// caches. Tiles then go along the result: stores of a line to each of many rows that are a
// multiple of 4 KB apart take twice as long as those of two lines of each of a few. (All
// axes of [32,48,40,64] reversed, loops in C: 32 GB/s along the source, 37 along the
// result; one core of an AMD EPYC, Zen 4, 2026-11-26.)
func (c *crossing) aroundCaches() bool { return c.perLine() == 1 && c.past() }

// halves splits off the loops over tiles that share lines: of the result, and in blocks of
// the source as well, none where a tile has whole lines.
func (c *crossing) halves(it, jt string, inBlocks bool) (inner []string, err error) {
	axes := []string{jt}
	if inBlocks {
		axes = []string{it, jt}
	}
	for _, v := range axes {
		if n := c.perLine(); n > 1 {
			half, err := c.Split(v, v+"h", n, kernel.Clip)
			if err != nil {
				return nil, err
			}
			inner = append(inner, half)
		}
	}
	return inner, nil
}

// wholeTiles reports whether there are just whole tiles, of loops i0 and j0, and of those that
// share lines, of loop half, all.
func (c *crossing) wholeTiles(i0, j0, half string) bool {
	whole := func(v string, n int64) bool { k, ok := c.static(v); return ok && k == n }
	return whole(i0, c.n) && whole(j0, c.n) && whole(half, c.perLine())
}

// past reports whether results are written around the caches.
func (c *crossing) past() bool {
	return slices.ContainsFunc(c.Params, func(b *kernel.Buffer) bool { return b.Out && c.t.passes(b) })
}

// exchanges reports whether there are instructions for tiles of m columns of all loads.
func (c *crossing) exchanges(m int64) bool {
	return !slices.ContainsFunc(c.loads, func(e *kernel.Expr) bool {
		return kernel.Transposition(c.n, m, e.Buf.DType) == nil
	})
}

// edges splits off what is left of tiles.
func (c *crossing) edges(i0, j0 string) error {
	columns, err := c.specialize(j0)
	if err != nil {
		return err
	}
	if columns != nil {
		if err := c.edge(columns[i0], columns[j0]); err != nil {
			return err
		}
	}
	rows, err := c.specialize(i0)
	if err != nil {
		return err
	}
	if rows != nil {
		if _, err := c.Hoist(j0); err != nil {
			return err
		}
		// the copy has the loop over columns that Hoist made around it
		if err := c.edge(rows[i0], c.around(rows[i0])); err != nil {
			return err
		}
	}
	return nil
}

// perLine is how many tiles the lines have that they begin in.
func (c *crossing) perLine() int64 { return max(line/(c.n*int64(c.size)), 1) }

// askNext asks for the next tile of sources that do not stay in the caches: the
// one behind it along the result, or where a task has all of those, one of the
// next task; outer are the loops around the axes. Of results it asks for the lines
// that the next tile reaches. (2048 x 2048: 20 GB/s without, 28 with it; 2001 x
// 2047: 14, 15 with the source alone, 22; one core of an AMD EPYC, Zen 4,
// 2026-11-26.)
func (c *crossing) askNext(outer []string) {
	type move struct {
		v          string
		most, step int64
	}
	all := min(crossTiles*c.perLine(), mostTiles) * c.n
	moves := []move{{c.j, all, c.n * c.perLine()}, {c.i, all, all}}
	for _, v := range slices.Backward(outer) {
		moves = append(moves, move{v, 1, 1})
	}
	c.ahead = map[string]int64{}
	for _, b := range c.Params {
		if b.Out && c.t.passes(b) {
			c.ahead[b.Name] = c.n + line/int64(b.DType.Size()) - 1
		}
	}
	for _, e := range c.loads {
		if !c.t.passes(e.Buf) {
			continue
		}
		for _, m := range moves {
			coef, _, _ := e.Index.Linear(m.v)
			k, known := coef.Int()
			if n, ok := c.Loop(m.v).Extent.Int(); known && k != 0 && (!ok || n > m.most) {
				c.ahead[e.Buf.Name] = k * m.step
				break
			}
		}
	}
}

// specialize is Specialize where the extent of v is not a number.
func (c *crossing) specialize(v string) (map[string]string, error) {
	if _, ok := c.static(v); ok {
		return nil, nil
	}
	return c.Specialize(v)
}

// around names the loop whose body is just loop v.
func (c *crossing) around(v string) string {
	name := ""
	kernel.WalkStmts(c.Body, func(st kernel.Stmt) {
		if l, ok := st.(*kernel.Loop); ok && len(l.Body) == 1 {
			if in, ok := l.Body[0].(*kernel.Loop); ok && in.Var == v {
				name = l.Var
			}
		}
	})
	return name
}

// edge finishes a tile at the edge: vectors along the result.
func (c *crossing) edge(i0, j0 string) error {
	if err := c.Reorder(i0, j0); err != nil {
		return err
	}
	return c.vectorize(j0)
}

// exchange makes of the tile of loops j0 and i0 inside it, whole tiles of m columns, ones
// that read rows, exchange rows and columns, and go on with vectors; in each turn of loop
// ju, if there is one, around j0.
func (c *crossing) exchange(i0, ju, j0 string, m int64) error {
	rows := []string{j0}
	if ju != "" {
		rows = []string{ju, j0}
	}
	if err := c.Reorder(append([]string{i0}, rows...)...); err != nil {
		return err
	}
	// tiles are staged in an iteration of i0
	in, err := c.Split(i0, i0+"x", m, kernel.Exact)
	if err != nil {
		return err
	}
	for _, e := range c.crossed(in, j0) {
		axes := []kernel.Axis{{Var: in, Extent: ir.Const(m), Stride: ir.Const(c.n)},
			{Var: j0, Extent: ir.Const(c.n), Stride: ir.Const(1)}}
		size := ir.Const(m * c.n)
		if ju != "" {
			turns := c.Loop(ju).Extent
			axes = append([]kernel.Axis{{Var: ju, Extent: turns, Stride: size}}, axes...)
			size = size.Mul(turns)
		}
		names, err := c.Stage(i0, e, "tile", kernel.Local, size, axes)
		if err != nil {
			return err
		}
		n := len(names)
		if err := c.swap(names[n-2], names[n-1], c.n, m); err != nil {
			return err
		}
		if n > 2 {
			if err := c.Bind(names[0], kernel.Unroll); err != nil {
				return err
			}
		}
	}
	return c.distribute(append([]string{in}, rows...))
}

// crossed lists the loads in the full tile that are contiguous along its rows.
func (c *crossing) crossed(i0, j0 string) []*kernel.Expr {
	var out []*kernel.Expr
	kernel.WalkExprs(c.Loop(i0).Body, func(e *kernel.Expr) {
		same := func(x *kernel.Expr) bool { return x.Buf == e.Buf && x.Index.Equal(e.Index) }
		if e.Kind == kernel.KLoad && len(e.Args) == 0 && stride(e.Index, i0) == 1 &&
			stride(e.Index, j0) == 2 && !slices.ContainsFunc(out, same) {
			out = append(out, e)
		}
	})
	return out
}

// swap puts the instruction in place of the nest of i and j that copies a tile of n rows
// and m columns.
func (s *scheduler) swap(i, j string, n, m int64) error {
	st, ok := s.Loop(j).Body[0].(*kernel.Store)
	if !ok || st.Value.Kind != kernel.KLoad {
		return refuse("the copy of a tile is not plain")
	}
	in := kernel.Transposition(n, m, st.Buf.DType)
	if in == nil {
		return refuse("no tiles of %d by %d %v", n, m, st.Buf.DType)
	}
	tile := func(b *kernel.Buffer, at ir.Dim, rows, columns string) kernel.Tile {
		r, _, _ := at.Linear(rows)
		q, _, _ := at.Linear(columns)
		first := at.Subst(func(s string) (ir.Dim, bool) { return ir.Const(0), s == rows || s == columns })
		return kernel.Tile{Buf: b, Index: first, Strides: []ir.Dim{r, q}}
	}
	return s.Replace(i, in, []kernel.Tile{
		tile(st.Buf, st.Index, i, j), tile(st.Value.Buf, st.Value.Index, j, i)})
}

// cross makes tiles that are exchanged in registers of the nest of vars, a copy
// that is contiguous in its last loop and in the source along another; what is
// left at the edges becomes vectors along the copy.
func (s *scheduler) cross(vars []string) error {
	j := last(vars)
	st, ok := s.Loop(j).Body[0].(*kernel.Store)
	if !ok || st.Value.Kind != kernel.KLoad || len(st.Value.Args) > 0 || len(s.Loop(j).Body) != 1 {
		return refuse("the copy is not plain")
	}
	at := slices.IndexFunc(vars, func(v string) bool { return stride(st.Value.Index, v) == 1 })
	n := min(s.lanes(s.Loop(j).Body), 16)
	if at < 0 || vars[at] == j || stride(st.Index, j) != 1 ||
		kernel.Transposition(n, n, st.Buf.DType) == nil {

		return refuse("nothing to exchange")
	}
	i := vars[at]
	outer := slices.DeleteFunc(slices.Clone(vars), func(v string) bool { return v == i || v == j })
	if err := s.Reorder(append(outer, i, j)...); err != nil {
		return err
	}
	if err := s.crossRest(i, j, n); err != nil {
		return err
	}
	if err := s.Reorder(j, i); err != nil {
		return err
	}
	if err := s.crossRest(j, i, n); err != nil {
		return err
	}
	ii, err := s.Split(i, i+"x", n, kernel.Exact)
	if err != nil {
		return err
	}
	jj, err := s.Split(j, j+"x", n, kernel.Exact)
	if err != nil {
		return err
	}
	if err := s.Reorder(j, i, ii, jj); err != nil {
		return err
	}
	return s.swap(ii, jj, n, n)
}

// crossRest cuts off of loop v what is left of whole tiles of n, and makes
// vectors of it along the copy: along the loop w inside v where the copy is
// contiguous in that, else along v.
func (s *scheduler) crossRest(v, w string, n int64) error {
	main := s.Loop(v).Extent.FloorDiv(ir.Const(n)).MulConst(n)
	if main.IsConst(0) {
		return refuse("no whole tile")
	}
	if main.Equal(s.Loop(v).Extent) {
		return nil
	}
	rest, err := s.Cut(v, main)
	if err != nil {
		return err
	}
	v, w = rest[v], rest[w]
	if st, ok := s.Loop(w).Body[0].(*kernel.Store); ok && stride(st.Index, w) != 1 {
		if err := s.Reorder(w, v); err != nil {
			return err
		}
		w = v
	}
	return s.vectorize(w)
}
