package llvm

import (
	"fmt"
	"strings"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// transpose loads rows as vectors and stores the columns as vectors. Between
// them are shuffles of two vectors that every target has as one instruction:
// first the elements within 16 bytes change places, then groups of 16 bytes.
func (e *emitter) transpose(c *kernel.Call) {
	dst, src := c.Tiles[0], c.Tiles[1]
	n := int(c.Instr.Shapes[0][0])
	elem := e.memory(src.Buf).elem
	if f, ok := elem.(*types.FloatType); ok && f.Kind == types.FloatKindHalf {
		elem = types.I16 // only moved
	}
	t := types.NewVector(uint64(n), elem)
	rows := make([]value.Value, n)
	for i := range rows {
		p := e.cur.NewBitCast(e.rowAddress(&src, i), types.NewPointer(t))
		if src.Buf.Ahead != 0 {
			e.prefetch(p, src.Buf.Ahead*int64(src.Buf.DType.Size()), secondCache)
		}
		l := e.cur.NewLoad(t, p)
		l.Align, l.Metadata = llvm.Align(src.Buf.DType.Size()), e.memory(src.Buf).meta
		rows[i] = l
	}
	within := 16 / src.Buf.DType.Size()
	for h := within / 2; h >= 1; h /= 2 {
		rows = e.alternate(rows, n, within)
	}
	for h := within; h < n; h *= 2 {
		e.unzip(rows, n, within, h)
	}
	for i := range rows {
		p := e.cur.NewBitCast(e.rowAddress(&dst, i), types.NewPointer(t))
		st := e.cur.NewStore(rows[i], p)
		st.Align, st.Metadata = llvm.Align(dst.Buf.DType.Size()), e.memory(dst.Buf).meta
	}
}

// rowAddress is the address of row i of a tile whose rows are contiguous.
func (e *emitter) rowAddress(t *kernel.Tile, i int) value.Value {
	if !t.Strides[1].IsConst(1) {
		e.errorf("tile of %s: elements of a row are %v apart, wanted 1", t.Buf.Name, t.Strides[1])
	}
	return e.address(t.Buf, e.fold(t.Index.Add(t.Strides[0].Mul(ir.Const(int64(i))))))
}

// alternate is a step in the transposition of each group of within rows, in
// each group of within lanes: of rows r and r+within/2 the lower lanes
// alternate, then the upper ones.
func (e *emitter) alternate(rows []value.Value, n, within int) []value.Value {
	out := make([]value.Value, len(rows))
	for g := 0; g < len(rows); g += within {
		for r := range within / 2 {
			a, b := rows[g+r], rows[g+r+within/2]
			for half := range 2 {
				out[g+2*r+half] = e.shuffle(a, b, n, func(i int) int {
					lane := i/within*within + half*within/2 + i%within/2
					return lane + i%2*n
				})
			}
		}
	}
	return out
}

// unzip is a step in the transposition of groups of within lanes: of rows r and
// r+h the even groups, then the odd ones.
func (e *emitter) unzip(rows []value.Value, n, within, h int) {
	for r := range rows {
		if r&h != 0 {
			continue
		}
		a, b := rows[r], rows[r+h]
		for odd := range 2 {
			rows[r+odd*h] = e.shuffle(a, b, n, func(i int) int {
				g := 2*(i/within) + odd // of both, one after the other
				return g*within + i%within
			})
		}
	}
}

// shuffle picks n lanes of a and b: lane at(i) of both, one after the other.
func (e *emitter) shuffle(a, b value.Value, n int, at func(i int) int) value.Value {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprintf("i32 %d", at(i))
	}
	pick := &literal{types.NewVector(uint64(n), types.I32), "<" + strings.Join(s, ", ") + ">"}
	return e.cur.NewShuffleVector(a, b, pick)
}
