package passes

import (
	"github.com/tensorcc/tcc/ir"
)

// panels stores constant right operands of products as panels of PanelWidth
// columns: element (k, n) of K rows lies at (n/16)*K*16 + k*16 + n%16, columns filled up with zeros. A
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
		attr := v.Attr
		switch v.Op {
		case ir.OpDot:
			w = p.dotOperand(out, v, args[1])
			a := *v.Attr.(*ir.DotAttr)
			a.RContract = []int{0}
			attr = &a
		case ir.OpConv:
			w = p.convOperand(out, v, args[1])
		}
		if w == nil {
			return nil, nil
		}
		return out.New(v.Pos, v.Op, attr, args[0], w)
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

// dotOperand packs a matrix, which may be summed over either axis: what stands for it is
// summed over the first.
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

// packs reports whether panels are made of w, which has the given number of columns: that it
// is a constant, and that it pays.
func packs(w *ir.Value, columns ir.Dim) bool {
	n, ok := columns.Int()
	if w.Op != ir.OpConst || !w.Type.DType.IsFloat() || !ok || n < PanelWidth/2 {
		return false
	}
	l := w.Attr.(*ir.ConstAttr).Value
	return !l.Splat && l.Size() > 0
}

// pack returns the matrix of the rows and columns of the constant w, or nil
// where packing is not possible or does not pay. With trans, w has the
// columns as rows.
func (p *packer) pack(out *ir.Graph, w *ir.Value, columns ir.Dim, trans bool) *ir.Value {
	if !packs(w, columns) {
		return nil
	}
	l := w.Attr.(*ir.ConstAttr).Value
	n, _ := columns.Int()
	k := l.Size() / n
	key := packKey{l, n, trans}
	if p.packed[key] == nil {
		p.packed[key] = packLiteral(l, k, n, trans)
	}
	x := out.Must(w.Pos, ir.OpConst, &ir.ConstAttr{Value: p.packed[key]})
	return unpack(out, w, x, k, n)
}

// unpack is the matrix of k rows and n columns of which x has the panels. It stands for w.
func unpack(out *ir.Graph, w, x *ir.Value, k, n int64) *ir.Value {
	count, _ := x.Type.Shape[0].Int()
	x = out.Must(w.Pos, ir.OpTranspose, &ir.PermAttr{Perm: []int{1, 0, 2}}, x)
	x = reshape(out, w.Pos, x, ir.Dims(k, count*PanelWidth))
	if count*PanelWidth != n {
		x = out.Must(w.Pos, ir.OpSlice, &ir.SliceAttr{Start: ir.Dims(0, 0), Step: []int64{1, 1},
			Shape: ir.Dims(k, n)}, x)
	}
	return x
}

// lazyPanels is from how many bytes on panels are not written before they have their place
// among the weights.
const lazyPanels = 1 << 20

func packLiteral(l *ir.Literal, k, n int64, trans bool) *ir.Literal {
	count := (n + PanelWidth - 1) / PanelWidth
	p := &ir.Literal{DType: l.DType, Shape: []int64{count, k, PanelWidth},
		Fill: func(dst []byte) { writePanels(dst, l, k, n, trans) }}
	if p.Size()*int64(p.DType.Size()) < lazyPanels {
		p.Data, p.Fill = p.Bytes(), nil
	}
	return p
}

// writePanels writes the panels of a matrix of k rows and n columns to dst, which is zero.
func writePanels(dst []byte, l *ir.Literal, k, n int64, trans bool) {
	const width = PanelWidth
	size := int64(l.DType.Size())
	row, column := int(n), 1
	if trans {
		row, column = 1, int(k)
	}
	whole := n / width
	b := box{dst: dst, src: l.Data, size: int(size),
		shape: []int{int(whole), int(k), width},
		to:    []int{int(k) * width, width, 1}, from: []int{width * column, row, column}}
	b.copy()
	if rest := n - whole*width; rest > 0 {
		b.dst, b.src = dst[whole*k*width*size:], l.Data[whole*width*int64(column)*size:]
		b.shape[0], b.shape[2] = 1, int(rest)
		b.copy()
	}
}
