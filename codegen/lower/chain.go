package lower

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// chain lowers a convolution and one that reads its result pixel by pixel: loops
// over the lines of the result, and in each a line of the first convolution,
// which is kept, then one of the second. Each is in a loop with one iteration, so
// that it can be scheduled like a kernel.
func (l *lowerer) chain() error {
	var convs []*ir.Value
	for _, v := range l.body.Values {
		if v.Op == ir.OpConv {
			convs = append(convs, v)
		}
	}
	first, second := convs[0], convs[1]
	mid := second.Args[0]
	rank := mid.Type.Rank()
	line := mid.Type.Shape[rank-2:]
	l.columns = map[*ir.Value]int{mid: len(line)}
	return l.nest("i", mid.Type.Shape[:rank-2], func(at []ir.Dim) error {
		b := &kernel.Buffer{Name: l.name("line"), DType: mid.Type.DType, Size: line.Size(),
			Space: kernel.Scratch}
		l.emit(&kernel.Alloc{Buf: b})
		err := l.linePart(first, at, func(idx []ir.Dim) error {
			e, err := l.pull(mid, idx, nil)
			if err != nil {
				return err
			}
			l.emit(&kernel.Store{Buf: b, Index: l.flat(line, idx[rank-2:]), Value: e})
			return nil
		})
		if err != nil {
			return err
		}
		l.bufs[mid] = b
		return l.linePart(second, at, func(idx []ir.Dim) error { return l.results(second, idx) })
	})
}

// linePart computes the line at of the convolution v; body stores element idx.
func (l *lowerer) linePart(v *ir.Value, at []ir.Dim, body func(idx []ir.Dim) error) error {
	part := &kernel.Loop{Var: l.name("part"), Extent: ir.Const(1), Indep: true}
	outer := l.scope
	l.scope = &scope{parent: outer}
	domain, split := convDomain(v)
	err := l.nest("j", domain[len(at):], func(loops []ir.Dim) error {
		idx := split(slices.Concat(at, loops))
		acc, err := heroConv(l, v, idx)
		if err != nil {
			return err
		}
		l.heroes[v] = castExpr(v.Type.DType, acc)
		return body(idx)
	})
	delete(l.heroes, v)
	part.Body = l.scope.stmts
	l.scope = outer
	l.emit(part)
	return err
}
