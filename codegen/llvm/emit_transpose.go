package llvm

import (
	"fmt"
	"strings"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// transpose loads rows as vectors and stores the columns as vectors. Between them are
// shuffles of two vectors that every target has as one instruction: the elements within
// 16 bytes change places, then groups of 16 bytes. Vectors are put together of parts of
// two or four rows as they are loaded, which takes the place of shuffles.
func (e *emitter) transpose(c *kernel.Call) {
	dst, src := c.Tiles[0], c.Tiles[1]
	m, n := int(c.Instr.Shapes[0][0]), int(c.Instr.Shapes[0][1])
	elem := moved(e.memory(src.Buf).elem)
	if m > n {
		e.weave(dst, src, elem, m, n)
		return
	}
	rows := e.columns(elem, n, m, src.Buf.DType.Size(), func(i int) value.Value {
		row := e.rowAddress(&src, i)
		if src.Buf.Ahead != 0 {
			e.prefetch(row, src.Buf.Ahead*int64(src.Buf.DType.Size()), secondCache)
		}
		return row
	}, e.memory(src.Buf))
	t := types.NewVector(uint64(n), elem)
	for i := range rows {
		p := e.cur.NewBitCast(e.rowAddress(&dst, i), types.NewPointer(t))
		st := e.cur.NewStore(rows[i], p)
		st.Align, st.Metadata = llvm.Align(dst.Buf.DType.Size()), e.memory(dst.Buf).meta
	}
}

// moved is a type that elements of type t are moved as.
func moved(t types.Type) types.Type {
	if f, ok := t.(*types.FloatType); ok && f.Kind == types.FloatKindHalf {
		return types.I16
	}
	return t
}

// weave is transpose of n rows of 16 bytes or more, into m that have 16 bytes each and lie one
// behind the other: the elements within 16 bytes change places, then those groups come
// together that are neighbours in the result.
func (e *emitter) weave(dst, src kernel.Tile, elem types.Type, m, n int) {
	if !dst.Strides[0].IsConst(int64(n)) {
		e.errorf("tile of %s: rows are %v apart, wanted %d", dst.Buf.Name, dst.Strides[0], n)
	}
	t := types.NewVector(uint64(m), elem)
	rows := make([]value.Value, n)
	for i := range rows {
		l := e.cur.NewLoad(t, e.cur.NewBitCast(e.rowAddress(&src, i), types.NewPointer(t)))
		l.Align, l.Metadata = llvm.Align(src.Buf.DType.Size()), e.memory(src.Buf).meta
		rows[i] = l
	}
	for h := n / 2; h >= 1; h /= 2 {
		rows = e.alternate(rows, m, n)
	}
	groups := m / n
	for h := 1; h < groups; h *= 2 {
		e.unzip(rows, m, n, h)
	}
	for i, v := range rows {
		at := (i%groups*(n/groups) + i/groups) * groups // row of the result
		p := e.cur.NewBitCast(e.rowAddress(&dst, at), types.NewPointer(t))
		st := e.cur.NewStore(v, p)
		st.Align, st.Metadata = llvm.Align(dst.Buf.DType.Size()), e.memory(dst.Buf).meta
	}
}

// columns are m vectors, of the elements of the columns of n rows, each of which begins in
// mem where row says.
func (e *emitter) columns(elem types.Type, n, m, size int, row func(int) value.Value,
	mem *memory) []value.Value {

	within := 16 / size
	part := max(min(m, n/2), within)
	rows := e.parts(elem, n, m, within, part, row, mem)
	for h := within / 2; h >= 1; h /= 2 {
		rows = e.alternate(rows, n, within)
	}
	for i := 0; i < m && part > within; i += part {
		e.unzip(rows[i:i+part], n, within, within)
	}
	return rows
}

// parts loads n rows of m elements as m vectors: for each part of a row one after the
// other, those of rows that are within, 16 bytes of elements, apart.
func (e *emitter) parts(elem types.Type, n, m, within, part int, row func(int) value.Value,
	mem *memory) []value.Value {

	t := types.NewVector(uint64(part), elem)
	rows := make([]value.Value, m)
	for i := range n {
		first := row(i)
		set, k := i/within/(n/part), i/within%(n/part)
		for at := 0; at < m; at += part {
			p := e.cur.NewGetElementPtr(elem, first, constant.NewInt(i64, int64(at)))
			l := e.cur.NewLoad(t, e.cur.NewBitCast(p, types.NewPointer(t)))
			l.Align, l.Metadata = llvm.Align(16/within), mem.meta
			v := &rows[at+set*within+i%within]
			*v = e.withPart(*v, l, n, part, k)
		}
	}
	return rows
}

// withPart is v, a vector of n lanes, with part number k of it from l.
func (e *emitter) withPart(v, l value.Value, n, part, k int) value.Value {
	if part == n {
		return l
	}
	all := e.shuffle(l, l, n, func(i int) int { return i % part })
	if k == 0 {
		return all
	}
	return e.shuffle(v, all, n, func(i int) int {
		if i/part == k {
			return n + i
		}
		return i
	})
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
