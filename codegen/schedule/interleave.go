package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Packing of the operands of instructions that multiply tiles, see groups.

// packing is a nest that packs an operand, or a part of it: loops around, of
// which kt is that over tiles of the accumulation, lanes and groups.
type packing struct {
	outer    []string
	kt, l, q string
	part     int
}

// newPacking is the nest of the given loops, of which that at kt is over tiles
// of the accumulation.
func newPacking(names []string, kt, part int) packing {
	n := len(names) - 2
	if n < 0 { // there was an error
		return packing{}
	}
	return packing{names[:n], names[kt], names[n], names[n+1], part}
}

func (g *groupProduct) stageColumns(t *gtiling, y *kernel.Expr, groups ir.Dim, part int) (packing,
	error) {

	list, size := g.columnAxes(t, groups)
	names, err := g.Stage(t.nt, y, "cols", kernel.Scratch, size, list)
	return newPacking(names, len(g.red)-1, part), err
}

// columnAxes are the axes of the packed columns of a block: tile after tile, and
// in it group after group.
func (g *groupProduct) columnAxes(t *gtiling, groups ir.Dim) ([]kernel.Axis, ir.Dim) {
	c := ir.Const
	tile := g.tk * t.w * g.g
	list, size := g.layers(groups.MulConst(t.cols * tile))
	list = append(list, kernel.Axis{Var: t.kt, Extent: groups, Stride: c(t.cols * tile)},
		kernel.Axis{Var: t.c, Extent: c(t.cols), Stride: c(tile)})
	if g.tiled() {
		list = append(list, kernel.Axis{Var: t.kg, Extent: c(g.tk), Stride: c(t.w * g.g)})
	}
	return append(list, kernel.Axis{Var: t.l, Extent: c(t.w), Stride: c(g.g)},
		kernel.Axis{Var: t.q, Extent: c(g.g), Stride: c(1)}), size
}

// wholeColumns is the condition that no column of a tile is beyond the edge.
func (g *groupProduct) wholeColumns(t *gtiling) *kernel.Expr {
	return g.whole(g.n, t.nt, t.tn, t.cols*t.w, t.n)
}

// interleave makes code of the nest that packs the parts of an operand, which has
// the outer loops of the first: the instruction for whole groups of what is
// whole.
func (g *groupProduct) interleave(t *gtiling, whole *kernel.Expr, parts []packing) error {
	first := parts[0]
	end := atMost(ir.Sym(first.kt).AddConst(1).MulConst(g.tk*g.g), t.k)
	then, els, err := g.Version(first.kt, kernel.OpExpr(ir.OpAnd, whole, end))
	if err != nil {
		return err
	}
	for _, copied := range []map[string]string{then, els} {
		if copied == nil {
			continue
		}
		for _, p := range parts {
			l, q := copied[p.l], copied[p.q]
			if g.packed(l, q, p.part) {
				continue
			}
			if err := g.Reorder(q, l); err != nil {
				return err
			}
			if err := g.vectorize(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// packed puts an instruction in place of loop l, over the lanes, around q, over
// a group; it reports whether there is one.
func (g *groupProduct) packed(l, q string, part int) bool {
	st, ok := g.Loop(q).Body[0].(*kernel.Store)
	if !ok {
		return false
	}
	var load *kernel.Expr
	walkExpr(st.Value, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad {
			load = e
		}
	})
	if load == nil || len(load.Args) > 0 || stride(load.Index, l) != 1 {
		return false
	}
	in := kernel.Instrs[kernel.Interleave(load.DType, st.Buf.DType, part, g.g, g.w)]
	to := &kernel.Expr{Buf: st.Buf, Index: st.Index}
	return in != nil && in.On(g.t.Name) &&
		g.Replace(l, in, []kernel.Tile{tileAt(load, q, l), tileAt(to, l, q)}) == nil
}

// whole is the condition that tile, in the task v, has no element beyond n.
func (g *groupProduct) whole(v, tile string, count, size int64, n ir.Dim) *kernel.Expr {
	return atMost(ir.Sym(v).MulConst(count).Add(ir.Sym(tile)).AddConst(1).MulConst(size), n)
}

func atMost(a, b ir.Dim) *kernel.Expr {
	return kernel.OpExpr(ir.OpLe, kernel.IndexExpr(a), kernel.IndexExpr(b))
}

func (g *groupProduct) packRows(t *gtiling, x *kernel.Expr, groups ir.Dim) error {
	list, size := g.rowAxes(t, groups)
	names, err := g.Stage(g.n, x, "rows", kernel.Scratch, size, list)
	if err != nil {
		return err
	}
	in := last(names)
	if _, err := g.Cut(in, t.k); err != nil {
		return err
	}
	return g.vectorize(in)
}

// rowAxes are the axes of the packed rows of a task: row after row as they are.
func (g *groupProduct) rowAxes(t *gtiling, groups ir.Dim) ([]kernel.Axis, ir.Dim) {
	width := groups.MulConst(g.tk * g.g)
	row := width
	if n, ok := width.Int(); ok && len(g.red) == 1 && n >= 64 {
		row = ir.Const((n+63)/64*64 | 64) // lines keep off each other's cache sets
	}
	layers, size := g.layers(width)
	if len(layers) == 0 {
		size = row
	}
	list := []kernel.Axis{
		{Var: t.mt, Extent: g.Loop(t.mt).Extent, Stride: size.MulConst(t.rows * g.ti)},
		{Var: t.r, Extent: ir.Const(t.rows), Stride: size.MulConst(g.ti)}}
	at := ir.Sym(t.q)
	if !groups.IsConst(1) { // its loop's variable is 0
		at = at.Add(ir.Sym(t.kt).MulConst(g.tk * g.g))
	}
	if g.tiled() {
		list = append(list, kernel.Axis{Var: t.i, Extent: ir.Const(g.ti), Stride: size})
		at = at.Add(ir.Sym(t.kg).MulConst(g.g))
	}
	list = append(append(list, layers...),
		kernel.Axis{Var: t.q, At: at, Extent: width, Stride: ir.Const(1)})
	return list, size.MulConst(t.rows * g.ti * t.tm)
}
