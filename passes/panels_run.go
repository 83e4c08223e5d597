package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Products of many rows store a right operand of the run as panels, too: in a
// kernel of its own, once for all tasks of the product. Where the sum is short
// enough for the columns of a register block to stay in the nearest cache, or
// the operand is as large as all that the product reads and writes beside it,
// the product reads it where it lies, or packs what a task needs.
const (
	minPanelDepth = 769 // shorter sums are not blocked, see schedule.depth
	minPanelRows  = 512 // rows that share a panel: each element saves as many reads of lines far apart
	minTurnedRows = 64  // the same, where columns are rows in memory
)

// panelBarrier numbers the barrier between the kernel that makes panels and the
// product that reads them; above those of recompute.
const panelBarrier = 1 << 21

// runOperand stores the right operand w of the product v as panels where that
// pays, and returns it unpacked, or nil.
func (p *packer) runOperand(out *ir.Graph, v, w *ir.Value) *ir.Value {
	a := v.Attr.(*ir.DotAttr)
	turned := a.RContract[0] == 1
	k, okK := w.Type.Shape[a.RContract[0]].Int()
	n, okN := w.Type.Shape[1-a.RContract[0]].Int()
	m, okM := rowsOfDot(v).Int()
	if !okK || !okN || !okM || w.Type.DType != ir.F32 || n < 2*PanelWidth || k*n > m*(k+n) {
		return nil
	}
	if turned && m < minTurnedRows || !turned && (m < minPanelRows || k < minPanelDepth) {
		return nil
	}
	x, count := w, (n+PanelWidth-1)/PanelWidth
	if rest := count*PanelWidth - n; rest > 0 {
		hi := ir.Dims(0, rest)
		if turned {
			hi = ir.Dims(rest, 0)
		}
		x = out.Must(w.Pos, ir.OpPad, &ir.PadAttr{Lo: ir.Dims(0, 0), Hi: hi}, x,
			out.Must(w.Pos, ir.OpConst, &ir.ConstAttr{Value: ir.SplatLiteral[float32](ir.F32, nil, 0)}))
	}
	shape, perm := ir.Dims(k, count, PanelWidth), []int{1, 0, 2}
	if turned {
		shape, perm = ir.Dims(count, PanelWidth, k), []int{0, 2, 1}
	}
	x = out.Must(w.Pos, ir.OpTranspose, &ir.PermAttr{Perm: perm}, reshape(out, w.Pos, x, shape))
	x = out.Must(w.Pos, ir.OpBarrier, &ir.BarrierAttr{ID: panelBarrier}, x)
	return unpack(out, w, x, k, n)
}

// rowsOfDot is the number of rows of the product v: of its left operand's axes that
// are not summed over.
func rowsOfDot(v *ir.Value) ir.Dim {
	n := ir.Const(1)
	for i, d := range v.Args[0].Type.Shape {
		if !slices.Contains(v.Attr.(*ir.DotAttr).LContract, i) {
			n = n.Mul(d)
		}
	}
	return n
}
