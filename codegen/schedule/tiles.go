package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Products by a matrix unit: see groups. Accumulators and operands are in its
// registers; results come back through memory.

// flatTile is the tile of the elements that e reads in the loops: rows along
// the first, the others within a row.
func flatTile(e *kernel.Expr, row string, within ...string) kernel.Tile {
	t := tileAt(e, append([]string{row}, within...)...)
	t.Strides = []ir.Dim{t.Strides[0], ir.Const(1)}
	return t
}

// loadTiles loads the operands of a block to registers at the start of loop at,
// of which r, c, i, kg, l, q is the nest.
func (g *groupProduct) loadTiles(t *gtiling, at string, nest []string) error {
	c := ir.Const
	r, col, i, kg, l, q := nest[0], nest[1], nest[2], nest[3], nest[4], nest[5]
	row := g.tk * g.g // elements in a row of a tile
	k := ir.Sym(kg).MulConst(g.g).Add(ir.Sym(q))
	err := g.loadTile(at, "a", func(e *kernel.Expr) bool { return e.Index.Has(i) }, []kernel.Axis{
		{Var: r, Extent: c(t.rows), Stride: c(g.ti * row)},
		{Var: i, Extent: c(g.ti), Stride: c(row)},
		{Var: q, At: k, Extent: c(row), Stride: c(1)}})
	if err != nil {
		return err
	}
	column := ir.Sym(l).MulConst(g.g).Add(ir.Sym(q))
	return g.loadTile(at, "b", func(e *kernel.Expr) bool { return e.Index.Has(l) }, []kernel.Axis{
		{Var: col, Extent: c(t.cols), Stride: c(g.tk * g.w * g.g)},
		{Var: kg, Extent: c(g.tk), Stride: c(g.w * g.g)},
		{Var: q, At: column, Extent: c(g.w * g.g), Stride: c(1)}})
}

// loadTile stages the operand that is picked, at loop at, in registers.
func (g *groupProduct) loadTile(at, name string, pick func(*kernel.Expr) bool,
	axes []kernel.Axis) error {

	var load *kernel.Expr
	kernel.WalkExprs(g.Loop(at).Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad && packed(e.Buf) && pick(e) {
			load = e
		}
	})
	if load == nil {
		return refuse("no operand %s", name)
	}
	size := axes[0].Stride.Mul(axes[0].Extent)
	vars, err := g.Stage(at, load, name, kernel.Registers, size, axes)
	if err != nil {
		return err
	}
	return g.moveTiles("tileload", vars[:1], vars[1:])
}

// packed reports whether b has a packed operand.
func packed(b *kernel.Buffer) bool { return b.Space == kernel.Scratch || b.Space == kernel.Common }

// moveTiles puts the instruction in place of the loops tile, which copy or set
// one tile, and copies out those around.
func (g *groupProduct) moveTiles(name string, outer, tile []string) error {
	st, ok := g.Loop(last(tile)).Body[0].(*kernel.Store)
	if !ok {
		return refuse("no copy of a tile")
	}
	in := kernel.Instrs[name+"."+st.Buf.DType.String()]
	if in == nil || !in.On(g.t.Name) {
		return refuse("no instruction %s of %v", name, st.Buf.DType)
	}
	to := tileAt(&kernel.Expr{Buf: st.Buf, Index: st.Index}, tile...)
	tiles := []kernel.Tile{to}
	if st.Value.Kind == kernel.KLoad {
		tiles = []kernel.Tile{tileAt(st.Value, tile...), to}
	}
	if err := g.Replace(tile[0], in, tiles); err != nil {
		return err
	}
	return g.unrollAll(outer)
}

// tiles makes one block with accumulators in registers: init and sum are the
// nests that start and accumulate, rest is what follows.
func (g *groupProduct) tiles(t *gtiling, names map[string]string, init, sum, rest []string) error {
	if t.deep > 0 { // the first block starts the sums, others go on with them
		again, err := g.HoistNest(init)
		if err != nil {
			return err
		}
		if err := g.moveTiles("tileload", again[:2], again[2:]); err != nil {
			return err
		}
		kept, err := g.HoistNest(rest)
		if err != nil {
			return err
		}
		if err := g.moveTiles("tilestore", kept[:2], kept[2:]); err != nil {
			return err
		}
	}
	acc := g.Loop(last(init)).Body[0].(*kernel.Store).Buf.Name
	if err := g.moveTiles("tilezero", init[:2], init[2:]); err != nil {
		return err
	}
	if err := g.replace(t, names, sum); err != nil {
		return err
	}
	t.noteResults(g.Loop(last(rest)).Body, rest)
	if err := g.results(rest, acc); err != nil {
		return err
	}
	return g.Place(acc, kernel.Registers)
}

// results makes code of the nest rest, which reads the sums acc: results that
// are the sums are stored as tiles, others are computed from a copy of them.
func (g *groupProduct) results(rest []string, acc string) error {
	if g.moveTiles("tilestore", rest[:2], rest[2:]) == nil {
		return nil
	}
	stored, err := g.SpillWhole(rest[0], acc)
	if err != nil {
		return err
	}
	sums := g.Loop(last(stored)).Body[0].(*kernel.Store).Buf.Name
	if err := g.moveTiles("tilestore", stored[:2], stored[2:]); err != nil {
		return err
	}
	if err := g.Place(sums, kernel.Scratch); err != nil {
		return err
	}
	return g.Bind(last(rest), kernel.Vector)
}
