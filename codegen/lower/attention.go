package lower

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// attention lowers a product, reductions over the last axis of its result, and
// a product with what is made of them: loops over the rows, and in each row one
// after the other, so that no more than a row is ever kept.
func (l *lowerer) attention() error {
	p, err := planReduction(l.body)
	if err != nil {
		return err
	}
	var dots []*ir.Value
	for _, v := range l.body.Values {
		if v.Op == ir.OpDot {
			dots = append(dots, v)
		}
	}
	if len(dots) != 2 || len(p.axes) != 1 || p.axes[0] != len(p.domain)-1 {
		return fmt.Errorf("%d products around reductions over axes %v of %v", len(dots), p.axes, p.domain)
	}
	a := &attended{lowerer: l, reduction: p, first: dots[0], second: dots[1],
		scores: onlyReader(l.body, dots[0]), weights: dots[1].Args[0]}
	for a.weights.Op == ir.OpReshape {
		a.weights = a.weights.Args[0]
	}
	l.columns = map[*ir.Value]int{a.scores: 1, a.weights: 1}
	return l.nest("i", pick(p.domain, p.kept), a.row)
}

// onlyReader follows v to the last of the elementwise operations after it that
// each are the only reader of the one before: what the rest is computed from.
func onlyReader(g *ir.Graph, v *ir.Value) *ir.Value {
	readers := make([][]*ir.Value, len(g.Values))
	for _, x := range g.Values {
		for i, a := range x.Args {
			if !slices.Contains(x.Args[:i], a) {
				readers[a.ID] = append(readers[a.ID], x)
			}
		}
	}
	for len(readers[v.ID]) == 1 {
		r := readers[v.ID][0]
		if !r.Op.Is(ir.Elementwise) && r.Op != ir.OpReshape || reducedInto(r, v) {
			break
		}
		v = r
	}
	return v
}

// reducedInto reports whether an argument of x other than v depends on a
// reduction.
func reducedInto(x, v *ir.Value) bool {
	for _, a := range x.Args {
		if _, ok := reducers[a.Op]; a != v && (ok || reducedInto(a, v)) {
			return true
		}
	}
	return false
}

// attended is the state of lowering attention.
type attended struct {
	*lowerer
	*reduction
	first, second   *ir.Value // the products
	scores, weights *ir.Value // what the reductions read, what the second product reads
}

func (a *attended) row(kept []ir.Dim) error {
	l := a.lowerer
	folded := pick(a.domain, a.axes)
	err := a.keep(a.scores, kept, func(full []ir.Dim) error {
		acc, err := heroDot(l, a.first, l.reshapeIndex(a.domain, a.first.Type.Shape, full))
		if err != nil {
			return err
		}
		l.heroes[a.first] = castExpr(a.first.Type.DType, acc)
		return nil
	})
	if err != nil {
		return err
	}
	delete(l.heroes, a.first)
	costly := l.recomputed(a.reduction)
	for _, level := range a.levels {
		if err := l.reduceLevel(a.reduction, level, kept, folded, costly); err != nil {
			return err
		}
	}
	if err := a.keep(a.weights, kept, func([]ir.Dim) error { return nil }); err != nil {
		return err
	}
	out := a.second.Type.Shape
	last := out[len(out)-1]
	rows := append(pick(a.domain, a.kept), last)
	return l.nest("j", ir.Shape{last}, func(at []ir.Dim) error {
		idx := l.reshapeIndex(rows, out, append(kept[:len(kept):len(kept)], at...))
		acc, err := heroDot(l, a.second, idx)
		if err != nil {
			return err
		}
		l.heroes[a.second] = castExpr(a.second.Type.DType, acc)
		return l.results(a.second, idx)
	})
}

// keep computes v for a row into scratch; first makes what it is made of.
func (a *attended) keep(v *ir.Value, kept []ir.Dim, first func(full []ir.Dim) error) error {
	l, n := a.lowerer, a.domain[len(a.domain)-1]
	if l.bufs[v] != nil {
		return nil
	}
	b := &kernel.Buffer{Name: l.name("row"), DType: v.Type.DType, Size: n, Space: kernel.Scratch}
	l.emit(&kernel.Alloc{Buf: b})
	if l.rows == nil {
		l.rows = map[*ir.Value]ir.Dim{}
	}
	err := l.nest("j", ir.Shape{n}, func(at []ir.Dim) error {
		l.placeRows(ir.Shape{n}, at)
		full := append(kept[:len(kept):len(kept)], at...)
		if err := first(full); err != nil {
			return err
		}
		e, err := l.pull(v, l.reshapeIndex(a.domain, v.Type.Shape, full), nil)
		if err != nil {
			return err
		}
		l.emit(&kernel.Store{Buf: b, Index: at[0], Value: e})
		return nil
	})
	l.bufs[v] = b
	l.scope.memo = nil
	return err
}
