package schedule

import (
	"cmp"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Products of f32 by instructions for bf16: the factors are split in parts, of
// which three are the factor to the last bit, and the sum of six products of
// parts has no larger error than a loop of fused multiply-adds. That is so where
// no part is lost as a subnormal number and none is infinite, which each task
// asks of its operands; where the answer is no, it does fused multiply-adds.

// Precision is how exact products of f32 are, as of
// torch.set_float32_matmul_precision.
type Precision uint8

// The precisions.
const (
	Highest Precision = iota // no worse than a loop of fused multiply-adds
	High                     // 16 bits of each factor
	Medium                   // 8 bits of each factor
)

// units are the instructions for products, in order of preference. Of f32 there
// are those that pay: six products by tiles, or three; with vectors, which are
// twice as fast as fused multiply-adds, a single one.
func (t Target) units() []unit {
	parts := map[Precision]int{Highest: 3, High: 2, Medium: 1}[t.Precision]
	out := append(units[:len(units):len(units)],
		unit{"tdpbf16ps", ir.BF16, ir.BF16, 16, 16, 16, 2, parts})
	if parts == 1 {
		out = append(out, unit{"vdpbf16ps.512", ir.BF16, ir.BF16, 1, 16, 1, 2, parts})
	}
	return out
}

// worthParts reports whether products by parts take four fifths of the time of
// fused multiply-adds, 32 a cycle: 512 products of parts are done a cycle, with
// what is beyond the edges, and an element of a task's rows and columns takes a
// cycle to pack.
func (g *groupProduct) worthParts(t *gtiling) bool {
	share := func(n, unit, count int64) (filled, of float64) { // of n elements, in tasks of count units
		padded := (n + unit - 1) / unit * unit
		return float64(padded) / float64(n), float64(min(n, unit*count))
	}
	m, rows := share(g.size(t.m, 256), t.rows*g.ti, t.tm)
	if t.shared { // what is made once goes through memory
		rows = float64(g.size(t.m, 256)) / 2
	}
	n, cols := share(g.size(t.n, 256), t.cols*t.w, t.tn)
	k, _ := share(g.size(t.k, 512), g.tk*g.g, 1)
	products := float64(g.parts * (g.parts + 1) / 2)
	return g.t.Eager || m*n*k*products/512+1/rows+1/cols < 0.8/32
}

// packParts stages the parts of both factors.
func (g *groupProduct) packParts(t *gtiling) error {
	groups := g.groupsOf(t)
	var ofRows, ofColumns exponents
	if g.parts > 1 {
		var err error
		if ofRows, ofColumns, err = g.guard(t, groups); err != nil {
			return err
		}
	}
	xs, ys, err := g.SplitProduct(t.q, g.parts)
	if err != nil {
		return err
	}
	if g.depends(xs[0], g.lanes...) {
		xs, ys = ys, xs
	}
	part := func(i int) int {
		if g.parts == 1 {
			return 0
		}
		return i + 1
	}
	cols, rows := make([]packing, g.parts), make([]packing, g.parts)
	for i := g.parts - 1; i >= 0; i-- { // a part may be in those after it
		if cols[i], err = g.stageColumns(t, ys[i], groups, part(i)); err != nil {
			return err
		}
		if !g.tiled() {
			err = g.packRows(t, xs[i], groups)
		} else {
			rows[i], err = g.stageRows(t, xs[i], groups, part(i))
		}
		if err != nil {
			return err
		}
	}
	if g.parts > 1 { // they read the same, and so does what finds exponents
		for i := 1; i <= g.parts; i++ {
			c, r := ofColumns.loops, ofRows.loops
			if i < g.parts {
				c, r = cols[i].outer, rows[i].outer
			}
			if err := cmp.Or(g.joinNests(cols[0].outer, c), g.joinNests(rows[0].outer, r)); err != nil {
				return err
			}
		}
	}
	if err := g.interleave(t, g.wholeColumns(t), cols); err != nil || !g.tiled() {
		return err
	}
	return g.interleave(t, g.whole(g.m, rows[0].outer[0], t.tm, t.rows*g.ti, t.m), rows)
}

// stageRows packs rows as columns are packed: tile after tile, and in it row
// after row, of which a group's elements are tk apart.
func (g *groupProduct) stageRows(t *gtiling, x *kernel.Expr, groups ir.Dim, part int) (packing,
	error) {

	c := ir.Const
	tile := g.ti * g.tk * g.g
	layers, size := g.layers(groups.MulConst(t.rows * tile))
	list := append([]kernel.Axis{{Var: t.mt, Extent: g.Loop(t.mt).Extent, Stride: size}}, layers...)
	list = append(list, kernel.Axis{Var: t.kt, Extent: groups, Stride: c(t.rows * tile)},
		kernel.Axis{Var: t.r, Extent: c(t.rows), Stride: c(tile)},
		kernel.Axis{Var: t.i, Extent: c(g.ti), Stride: c(g.tk * g.g)},
		kernel.Axis{Var: t.kg, Extent: c(g.tk), Stride: c(g.g)},
		kernel.Axis{Var: t.q, Extent: c(g.g), Stride: c(1)})
	names, err := g.Stage(t.task, x, "rows", kernel.Scratch, size.MulConst(t.tm), list)
	return newPacking(names, len(g.red), part), err
}

// Bounds of exponents, biased by 127, in which all parts of a factor and of
// products are normal numbers. A factor has parts down to 2^-23 of it.
const (
	leastExp    = 24  // of a factor: its last part is at least 2^-126
	leastExpSum = 158 // of a product: 2^-96, its last part is at least 2^-119
	mostExp     = 250 // of a factor: it does not round to infinity
	mostExpSum  = 354 // of a product: 2^100, so that a million add up
)

// exponents are the least and the greatest of an operand, and the loops that find
// them, the outermost first.
type exponents struct {
	least, most *kernel.Expr
	loops       []string
}

// guard makes two forms of a block: one, which keeps the names, for where no part
// is lost, and one that does fused multiply-adds. The loops that it adds are
// those of the packing, but for the innermost ones.
func (g *groupProduct) guard(t *gtiling, groups ir.Dim) (ofRows, ofColumns exponents, err error) {
	x, y, _ := g.factors()
	c := ir.Const
	layers, _ := g.layers(c(0))
	kt := kernel.Axis{Var: t.kt, Extent: groups}
	rows := append([]kernel.Axis{{Var: t.mt, Extent: g.Loop(t.mt).Extent}}, layers...)
	rows = append(rows, kt, kernel.Axis{Var: t.r, Extent: c(t.rows)},
		kernel.Axis{Var: t.i, Extent: c(g.ti)}, kernel.Axis{Var: t.kg, Extent: c(g.tk * g.g),
			At: ir.Sym(t.q).MulConst(g.tk).Add(ir.Sym(t.kg))})
	columns := append(layers[:len(layers):len(layers)], kt, kernel.Axis{Var: t.c, Extent: c(t.cols)},
		kernel.Axis{Var: t.kg, Extent: c(g.tk)}, kernel.Axis{Var: t.q, Extent: c(g.g)},
		kernel.Axis{Var: t.l, Extent: c(t.w)})
	if ofRows, err = g.exponents(t.task, x, rows); err != nil {
		return ofRows, ofColumns, err
	}
	if ofColumns, err = g.exponents(t.nt, y, columns); err != nil {
		return ofRows, ofColumns, err
	}
	if err := g.Bind(ofColumns.loops[len(columns)-2], kernel.Unroll); err != nil {
		return ofRows, ofColumns, err
	}
	leastX, mostX, leastY, mostY := ofRows.least, ofRows.most, ofColumns.least, ofColumns.most
	op, num := kernel.OpExpr, func(n uint64) *kernel.Expr { return kernel.ConstExpr(ir.U32, n) }
	cond := kernel.ConstExpr(ir.Bool, 1)
	for _, e := range []*kernel.Expr{
		op(ir.OpGe, leastX, num(leastExp)), op(ir.OpGe, leastY, num(leastExp)),
		op(ir.OpGe, op(ir.OpAdd, leastX, leastY), num(leastExpSum)),
		op(ir.OpLe, mostX, num(mostExp)), op(ir.OpLe, mostY, num(mostExp)),
		op(ir.OpLe, op(ir.OpAdd, mostX, mostY), num(mostExpSum)),
	} {
		cond = op(ir.OpAnd, cond, e)
	}
	_, els, err := g.Version(t.mt, cond)
	if err != nil {
		return ofRows, ofColumns, err
	}
	return ofRows, ofColumns, g.multiplyAdd(t, els)
}

// exponents computes at the start of loop v the least and the greatest exponent
// of the values of e that are not zero, over the axes.
func (g *groupProduct) exponents(v string, e *kernel.Expr, axes []kernel.Axis) (exponents, error) {
	one := kernel.ConstExpr(ir.U32, 1)
	bits := kernel.OpExpr(ir.OpAnd, kernel.BitcastExpr(ir.U32, e), kernel.ConstExpr(ir.U32, 1<<31-1))
	fold := func(name string, op ir.Op, e *kernel.Expr) (*kernel.Expr, []string, error) {
		out, start, loops, err := g.FoldAhead(v, e, name, op, axes)
		if err != nil {
			return nil, nil, err
		}
		for _, l := range []string{start, last(loops)} {
			if err := g.Bind(l, kernel.Vector); err != nil {
				return nil, nil, err
			}
		}
		exp := kernel.OpExpr(ir.OpShr, kernel.Load(out, ir.Const(0)), kernel.ConstExpr(ir.U32, 23))
		return exp, loops, nil
	}
	least, after, err := fold("least", ir.OpMin, kernel.OpExpr(ir.OpSub, bits, one)) // zero wraps around
	if err != nil {
		return exponents{}, err
	}
	most, loops, err := fold("most", ir.OpMax, bits)
	if err != nil {
		return exponents{}, err
	}
	return exponents{least, most, loops}, g.joinNests(loops, after)
}

// joinNests makes one nest of v and w, loop by loop.
func (g *groupProduct) joinNests(v, w []string) error {
	for i := range v {
		if err := g.Join(v[i], w[i]); err != nil {
			return err
		}
	}
	return nil
}

// multiplyAdd makes the other form of a block, whose loops have the given names:
// rows in turn, a few at a time.
func (g *groupProduct) multiplyAdd(t *gtiling, names map[string]string) error {
	r, i, c, l := names[t.r], names[t.i], names[t.c], names[t.l]
	if err := g.Reorder(names[t.q], names[t.kg]); err != nil { // terms in order
		return err
	}
	in, err := g.Split(i, i+"f", 4, kernel.Exact)
	if err != nil {
		return err
	}
	if err := g.Reorder(r, i, in, c, l); err != nil {
		return err
	}
	return g.distribute([]string{in, c, l})
}
