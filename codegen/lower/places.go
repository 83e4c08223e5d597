package lower

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Places says where the arguments and results of a region lie that are parts of
// something larger. Those that it does not have lie in one piece.
type Places struct {
	Args, Results map[int]Rows // by their index
	// Written says which parts of the concat that the region is are in their
	// places already.
	Written []bool
}

// Rows says that a tensor lies in rows of Len elements, Pitch apart. In each shape
// that it has in the region, rows begin where an axis does.
type Rows struct{ Len, Pitch ir.Dim }

// param makes b, a tensor of the given shape, parameter i of its kind.
func (l *lowerer) param(b *kernel.Buffer, shape ir.Shape, rows map[int]Rows, i int) {
	b.Size = shape.Size()
	if r, ok := rows[i]; ok {
		l.apart[b] = r
		b.Size = r.Span(b.Size)
	}
	l.k.Params = append(l.k.Params, b)
}

// Span is how many elements lie between the first and the last of n, both
// included.
func (r Rows) Span(n ir.Dim) ir.Dim {
	gap := r.Pitch.Sub(r.Len)
	return n.FloorDiv(r.Len).Mul(r.Pitch).Sub(gap).Max(ir.Const(0))
}

// place is the index in b of element idx of a tensor of the given shape.
func (l *lowerer) place(b *kernel.Buffer, shape ir.Shape, idx []ir.Dim) ir.Dim {
	r, ok := l.apart[b]
	if !ok {
		return l.flat(shape, idx)
	}
	k := shape.Tail(r.Len)
	return l.simplify(l.flat(shape[:k], idx[:k]).Mul(r.Pitch).Add(l.flat(shape[k:], idx[k:])))
}
