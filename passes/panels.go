package passes

import (
	"github.com/tensorcc/tcc/ir"
)

// panels stores right operands of products, constant ones and those that
// runOperand takes, as panels of PanelWidth columns: element (k, n) of K rows
// lies at (n/16)*K*16 + k*16 + n%16, columns filled up with zeros. A
// micro-kernel of any level then reads its operand row by row, without a gap;
// the widths of all vectors divide that of a panel, so that one copy of the
// weights serves all levels.
//
// The operand becomes the panels followed by a transpose, a reshape
// and a slice that unpack it. Fusion keeps these inside of the region, where
// they are index arithmetic.
func panels(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	p := &packer{packed: map[packKey]*ir.Literal{}}
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		var w *ir.Value
		switch v.Op {
		case ir.OpDot:
			w = p.dotOperand(out, v, args[1])
		case ir.OpConv:
			w = p.convOperand(out, v, args[1])
		}
		if w == nil {
			return nil, nil
		}
		return out.New(v.Pos, v.Op, v.Attr, args[0], w)
	})
}

// PanelWidth is the number of columns of a weight panel: the lanes of the
// widest vector of f32, and a divisor of all register blocks.
const PanelWidth = 16

type packer struct{ packed map[packKey]*ir.Literal }

// packKey tells packed constants apart: products may share their weights.
type packKey struct {
	l       *ir.Literal
	columns int64
	trans   bool
}

// dotOperand packs a constant matrix, which may be transposed.
func (p *packer) dotOperand(out *ir.Graph, v, w *ir.Value) *ir.Value {
	a := v.Attr.(*ir.DotAttr)
	if w.Type.Rank() != 2 || len(a.RBatch) > 0 || len(a.RContract) != 1 {
		return nil
	}
	trans := a.RContract[0] == 1
	n := w.Type.Shape[1]
	if trans {
		n = w.Type.Shape[0]
	}
	if w.Op != ir.OpConst {
		return p.runOperand(out, v, w)
	}
	return p.pack(out, w, n, trans)
}

// convOperand packs weights with the output channels last; grouped ones stay,
// as their columns do not meet the same input.
func (p *packer) convOperand(out *ir.Graph, v, w *ir.Value) *ir.Value {
	a := v.Attr.(*ir.ConvAttr)
	if !a.Last || a.Groups != 1 {
		return nil
	}
	x := p.pack(out, w, w.Type.Shape[w.Type.Rank()-1], false)
	if x == nil {
		return nil
	}
	return reshape(out, w.Pos, x, w.Type.Shape)
}

// pack returns the matrix of the rows and n columns of the constant w, or nil
// where packing is not possible or does not pay. With trans, w has the
// columns as rows.
func (p *packer) pack(out *ir.Graph, w *ir.Value, columns ir.Dim, trans bool) *ir.Value {
	n, ok := columns.Int()
	if w.Op != ir.OpConst || !w.Type.DType.IsFloat() || !ok || n < PanelWidth/2 {
		return nil
	}
	l := w.Attr.(*ir.ConstAttr).Value
	if l.Splat || l.Size() == 0 {
		return nil
	}
	k := l.Size() / n
	key := packKey{l, n, trans}
	if p.packed[key] == nil {
		p.packed[key] = packLiteral(l, k, n, trans)
	}
	x := out.Must(w.Pos, ir.OpConst, &ir.ConstAttr{Value: p.packed[key]})
	return unpack(out, w, x, k, n, trans)
}

// unpack is the matrix of k rows and n columns of which x has the panels; with
// trans its transpose. It stands for w.
func unpack(out *ir.Graph, w, x *ir.Value, k, n int64, trans bool) *ir.Value {
	count, _ := x.Type.Shape[0].Int()
	x = out.Must(w.Pos, ir.OpTranspose, &ir.PermAttr{Perm: []int{1, 0, 2}}, x)
	x = reshape(out, w.Pos, x, ir.Dims(k, count*PanelWidth))
	if count*PanelWidth != n {
		x = out.Must(w.Pos, ir.OpSlice, &ir.SliceAttr{Start: ir.Dims(0, 0), Step: []int64{1, 1},
			Shape: ir.Dims(k, n)}, x)
	}
	if trans {
		x = out.Must(w.Pos, ir.OpTranspose, &ir.PermAttr{Perm: []int{1, 0}}, x)
	}
	return x
}

func packLiteral(l *ir.Literal, k, n int64, trans bool) *ir.Literal {
	count := (n + PanelWidth - 1) / PanelWidth
	size := int64(l.DType.Size())
	data := make([]byte, count*k*PanelWidth*size)
	for panel := range count {
		first := panel * PanelWidth
		width := min(PanelWidth, n-first)
		for row := range k {
			to := data[(panel*k+row)*PanelWidth*size:]
			if !trans {
				from := (row*n + first) * size
				copy(to, l.Data[from:from+width*size])
				continue
			}
			for c := range width {
				from := ((first+c)*k + row) * size
				copy(to[c*size:], l.Data[from:from+size])
			}
		}
	}
	return &ir.Literal{DType: l.DType, Shape: []int64{count, k, PanelWidth}, Data: data}
}
