package lower

import (
	"fmt"
	"math"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// reducer says how a reduction folds elements.
type reducer struct {
	combine ir.Op
	start   func(d ir.DType) *kernel.Expr
}

var reducers = map[ir.Op]reducer{
	ir.OpSum:       {ir.OpAdd, zero},
	ir.OpProd:      {ir.OpMul, one},
	ir.OpReduceMax: {ir.OpMax, lowest},
	ir.OpReduceMin: {ir.OpMin, highest},
	ir.OpWindowSum: {ir.OpAdd, zero},
	ir.OpWindowMax: {ir.OpMax, lowest},
}

func one(d ir.DType) *kernel.Expr {
	switch d {
	case ir.F32:
		return kernel.ConstExpr(d, uint64(math.Float32bits(1)))
	case ir.F64:
		return kernel.ConstExpr(d, math.Float64bits(1))
	}
	return kernel.ConstExpr(d, 1)
}

// lowest is the identity of max.
func lowest(d ir.DType) *kernel.Expr {
	switch {
	case d == ir.F32:
		return kernel.ConstExpr(d, uint64(math.Float32bits(float32(math.Inf(-1)))))
	case d == ir.F64:
		return kernel.ConstExpr(d, math.Float64bits(math.Inf(-1)))
	case d.IsSigned():
		return kernel.ConstExpr(d, uint64(int64(-1)<<(d.Bits()-1)))
	}
	return kernel.ConstExpr(d, 0)
}

// highest is the identity of min.
func highest(d ir.DType) *kernel.Expr {
	switch {
	case d == ir.Bool:
		return kernel.ConstExpr(d, 1)
	case d == ir.F32:
		return kernel.ConstExpr(d, uint64(math.Float32bits(float32(math.Inf(1)))))
	case d == ir.F64:
		return kernel.ConstExpr(d, math.Float64bits(math.Inf(1)))
	case d.IsSigned():
		return kernel.ConstExpr(d, uint64(1)<<(d.Bits()-1)-1)
	}
	return kernel.ConstExpr(d, math.MaxUint64>>(64-d.Bits()))
}

// fold combines an accumulator with an element; bools fold as or and and.
func (r reducer) fold(acc, e *kernel.Expr) *kernel.Expr {
	op := r.combine
	if e.DType == ir.Bool {
		op = map[ir.Op]ir.Op{ir.OpMax: ir.OpOr, ir.OpMin: ir.OpAnd}[op]
	}
	return kernel.OpExpr(op, acc, e)
}

// reduction is the plan of a region of class reduce.
type reduction struct {
	domain ir.Shape // of the operands
	axes   []int    // that are folded
	kept   []int
	levels [][]*ir.Value // reductions by dependence
}

// planReduction finds the reductions of the body and orders them by
// dependence: those of one level share a loop.
func planReduction(body *ir.Graph) (*reduction, error) {
	p := &reduction{}
	level := make([]int, len(body.Values))
	for _, v := range body.Values {
		for _, a := range v.Args {
			level[v.ID] = max(level[v.ID], level[a.ID])
		}
		if _, ok := reducers[v.Op]; !ok {
			continue
		}
		axes := v.Attr.(*ir.AxesAttr).Axes
		if p.levels == nil {
			p.domain, p.axes = v.Args[0].Type.Shape, axes
		}
		if !p.domain.Equal(v.Args[0].Type.Shape) || !slices.Equal(axes, p.axes) {
			return nil, fmt.Errorf("%v: reduces axes %v of %v beside axes %v of %v", v, axes,
				v.Args[0].Type.Shape, p.axes, p.domain)
		}
		for len(p.levels) <= level[v.ID] {
			p.levels = append(p.levels, nil)
		}
		p.levels[level[v.ID]] = append(p.levels[level[v.ID]], v)
		level[v.ID]++
	}
	if p.levels == nil {
		return nil, fmt.Errorf("no reduction in the region")
	}
	for i := range p.domain {
		if !slices.Contains(p.axes, i) {
			p.kept = append(p.kept, i)
		}
	}
	return p, nil
}

func pick(s ir.Shape, axes []int) ir.Shape {
	out := make(ir.Shape, len(axes))
	for i, a := range axes {
		out[i] = s[a]
	}
	return out
}

// at merges the indices of the kept and of the folded axes.
func (p *reduction) at(kept, folded []ir.Dim) []ir.Dim {
	out := make([]ir.Dim, len(p.domain))
	for i, a := range p.kept {
		out[a] = kept[i]
	}
	for i, a := range p.axes {
		out[a] = folded[i]
	}
	return out
}

// reduce lowers loops over the kept axes; inside, a loop over the folded axes
// for each level of reductions, and a last one for results of the full
// domain.
func (l *lowerer) reduce() error {
	p, err := planReduction(l.body)
	if err != nil {
		return err
	}
	folded := pick(p.domain, p.axes)
	costly := l.recomputed(p)
	return l.nest("i", pick(p.domain, p.kept), func(kept []ir.Dim) error {
		l.heroes = map[*ir.Value]*kernel.Expr{}
		for _, level := range p.levels {
			if err := l.reduceLevel(p, level, kept, folded, costly); err != nil {
				return err
			}
		}
		return l.reduceResults(p, kept, folded)
	})
}

func (l *lowerer) reduceLevel(p *reduction, level []*ir.Value, kept []ir.Dim, folded ir.Shape,
	costly map[*ir.Value]bool) error {
	var sets []func(*kernel.Expr)
	var gets []*kernel.Expr
	for _, v := range level {
		d := computeType(v.Type.DType)
		set, get := l.accumulator(d, reducers[v.Op].start(d))
		sets, gets = append(sets, set), append(gets, get)
	}
	keep := l.rowsOf(level, costly, folded)
	err := l.nest("r", folded, func(idx []ir.Dim) error {
		full := p.at(kept, idx)
		l.placeRows(folded, idx)
		for _, k := range keep {
			e, err := l.pull(k.v, full, nil)
			if err != nil {
				return err
			}
			l.emit(&kernel.Store{Buf: k.buf, Index: l.flat(folded, idx), Value: e})
		}
		for i, v := range level {
			e, err := l.pull(v.Args[0], full, nil)
			if err != nil {
				return err
			}
			sets[i](reducers[v.Op].fold(gets[i], wide(e)))
		}
		return nil
	})
	for i, v := range level {
		l.heroes[v] = castExpr(v.Type.DType, gets[i])
	}
	for _, k := range keep {
		l.bufs[k.v] = k.buf
	}
	l.scope.memo = nil
	return err
}

func (l *lowerer) reduceResults(p *reduction, kept []ir.Dim, folded ir.Shape) error {
	keptShape := pick(p.domain, p.kept)
	var full []int
	for i, r := range l.body.Results {
		if r.Type.Shape.Size().Equal(p.domain.Size()) && !keptShape.Size().Equal(p.domain.Size()) {
			full = append(full, i)
			continue
		}
		at := l.reshapeIndex(keptShape, r.Type.Shape, kept)
		e, err := l.pull(r, at, nil)
		if err != nil {
			return err
		}
		l.store(i, at, e)
	}
	if full == nil {
		return nil
	}
	return l.nest("j", folded, func(idx []ir.Dim) error {
		l.placeRows(folded, idx)
		for _, i := range full {
			at := l.reshapeIndex(p.domain, l.body.Results[i].Type.Shape, p.at(kept, idx))
			e, err := l.pull(l.body.Results[i], at, nil)
			if err != nil {
				return err
			}
			l.store(i, at, e)
		}
		return nil
	})
}

// placeRows says where in their rows the values kept in scratch are read: at
// idx of the folded axes.
func (l *lowerer) placeRows(folded ir.Shape, idx []ir.Dim) {
	for v := range l.bufs {
		if v.Op != ir.OpParam {
			l.rows[v] = l.flat(folded, idx)
		}
	}
}

// keptRow is a value that is computed in one level and used in a later one.
type keptRow struct {
	v   *ir.Value
	buf *kernel.Buffer
}

// rowsOf allocates scratch for the costly values that the loop of a level
// computes first.
func (l *lowerer) rowsOf(level []*ir.Value, costly map[*ir.Value]bool, folded ir.Shape) []keptRow {
	if l.rows == nil {
		l.rows = map[*ir.Value]ir.Dim{}
	}
	var keep []keptRow
	if folded.Size().Equal(ir.Const(1)) {
		return nil // a row of one element keeps the loops around from being vectors
	}
	for _, v := range level {
		a := v.Args[0]
		if !costly[a] || l.bufs[a] != nil || slices.ContainsFunc(keep, func(k keptRow) bool { return k.v == a }) {
			continue
		}
		b := &kernel.Buffer{Name: l.name("row"), DType: a.Type.DType, Size: folded.Size(), Space: kernel.Scratch}
		l.emit(&kernel.Alloc{Buf: b})
		keep = append(keep, keptRow{a, b})
	}
	return keep
}

// recomputed finds the operands of reductions that a later level or a result
// needs again and that are dear to compute: they are kept in scratch.
func (l *lowerer) recomputed(p *reduction) map[*ir.Value]bool {
	uses := l.body.Uses()
	costly := map[*ir.Value]bool{}
	for _, level := range p.levels {
		for _, v := range level {
			if a := v.Args[0]; uses[a.ID] > 1 && dear[a.Op] {
				costly[a] = true
			}
		}
	}
	return costly
}

// dear has the operations that cost more than reading a value back.
var dear = map[ir.Op]bool{
	ir.OpExp: true, ir.OpExpm1: true, ir.OpLog: true, ir.OpLog1p: true, ir.OpSin: true, ir.OpCos: true,
	ir.OpTan: true, ir.OpTanh: true, ir.OpErf: true, ir.OpSigmoid: true, ir.OpPow: true,
	ir.OpSinh: true, ir.OpCosh: true, ir.OpAsin: true, ir.OpAcos: true, ir.OpAtan: true,
	ir.OpAtan2: true, ir.OpAsinh: true, ir.OpAcosh: true, ir.OpAtanh: true,
}
