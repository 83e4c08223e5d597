package schedule

import (
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

// worthParts reports whether the operands are used often enough: an element's
// parts take about a cycle to pack, a product by tiles saves 1/50 of one.
func (g *groupProduct) worthParts() bool {
	return g.size(g.Loop(g.n).Extent, 64) >= 64 && g.size(g.Loop(g.m).Extent, 64) >= 32
}

// packParts stages the parts of both factors.
func (g *groupProduct) packParts(t *gtiling) error {
	groups := t.k.CeilDiv(ir.Const(g.tk * g.g))
	if g.parts > 1 {
		if err := g.guard(t, groups); err != nil {
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
	for i := g.parts - 1; i >= 0; i-- { // a part is in those after it
		if err := g.packColumns(t, ys[i], groups, i); err != nil {
			return err
		}
		if err := g.packRows(t, xs[i], groups); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of exponents, biased by 127, in which all parts of a factor and of
// products are normal numbers. A factor has parts down to 2^-23 of it.
const (
	leastExp    = 24  // of a factor: its last part is at least 2^-126
	leastExpSum = 158 // of a product: 2^-96, its last part is at least 2^-119
	mostExp     = 250 // of a factor: it does not round to infinity
	mostExpSum  = 354 // of a product: 2^100, so that a million add up
)

// guard makes two forms of a block: one, which keeps the names, for where no part
// is lost, and one that does fused multiply-adds.
func (g *groupProduct) guard(t *gtiling, groups ir.Dim) error {
	x, y, _ := g.factors()
	c := ir.Const
	layers, _ := g.layers(c(0))
	kt := kernel.Axis{Var: t.kt, Extent: groups}
	rows := append([]kernel.Axis{{Var: t.mt, Extent: g.Loop(t.mt).Extent},
		{Var: t.r, Extent: c(t.rows)}, {Var: t.i, Extent: c(g.ti)}}, layers...)
	rows = append(rows, kt, kernel.Axis{Var: t.q, Extent: c(g.tk * g.g),
		At: ir.Sym(t.kg).MulConst(g.g).Add(ir.Sym(t.q))})
	columns := append(layers[:len(layers):len(layers)], kt, kernel.Axis{Var: t.kg, Extent: c(g.tk)},
		kernel.Axis{Var: t.q, Extent: c(g.g)}, kernel.Axis{Var: t.c, Extent: c(t.cols)},
		kernel.Axis{Var: t.l, Extent: c(t.w)})
	leastX, mostX, err := g.exponents(g.n, x, rows)
	if err != nil {
		return err
	}
	leastY, mostY, err := g.exponents(t.nt, y, columns)
	if err != nil {
		return err
	}
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
		return err
	}
	return g.multiplyAdd(t, els)
}

// exponents computes at the start of loop v the least and the greatest exponent
// of the values of e that are not zero, over the axes.
func (g *groupProduct) exponents(v string, e *kernel.Expr, axes []kernel.Axis) (
	least, most *kernel.Expr, err error) {

	one := kernel.ConstExpr(ir.U32, 1)
	bits := kernel.OpExpr(ir.OpAnd, kernel.BitcastExpr(ir.U32, e), kernel.ConstExpr(ir.U32, 1<<31-1))
	fold := func(name string, op ir.Op, e *kernel.Expr) *kernel.Expr {
		if err != nil {
			return nil
		}
		var out *kernel.Buffer
		var start, lanes string
		if out, start, lanes, err = g.FoldAhead(v, e, name, op, axes); err != nil {
			return nil
		}
		for _, l := range []string{start, lanes} {
			if err == nil {
				err = g.Bind(l, kernel.Vector)
			}
		}
		return kernel.OpExpr(ir.OpShr, kernel.Load(out, ir.Const(0)), kernel.ConstExpr(ir.U32, 23))
	}
	least = fold("least", ir.OpMin, kernel.OpExpr(ir.OpSub, bits, one)) // zero wraps around
	most = fold("most", ir.OpMax, bits)
	return least, most, err
}

// multiplyAdd makes the other form of a block, whose loops have the given names:
// rows in turn, a few at a time.
func (g *groupProduct) multiplyAdd(t *gtiling, names map[string]string) error {
	r, i, c, l := names[t.r], names[t.i], names[t.c], names[t.l]
	in, err := g.Split(i, i+"f", 4, kernel.Exact)
	if err != nil {
		return err
	}
	if err := g.Reorder(r, i, in, c, l); err != nil {
		return err
	}
	return g.distribute([]string{in, c, l})
}
