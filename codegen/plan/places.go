package plan

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/lower"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// Values that lie within another one: parts of a concat that their kernels write
// to their places.

// argRows says which args do not lie in one piece.
func (b *builder) argRows(args []*ir.Value) map[int]lower.Rows {
	all := map[int]lower.Rows{}
	for i, a := range args {
		if rows, ok := b.rows(producer(a)); ok {
			all[i] = rows
		}
	}
	return all
}

// placesOf says where region v writes.
func (b *builder) placesOf(v *ir.Value) lower.Places {
	at := lower.Places{Results: map[int]lower.Rows{}, Written: b.mem.Written(v)}
	for i := range v.ResultTypes() {
		if rows, ok := b.rows(v, i); ok {
			at.Results[i] = rows
		}
	}
	return at
}

// rows says how result i of v lies where that is not in one piece.
func (b *builder) rows(v *ir.Value, i int) (lower.Rows, bool) {
	whole, _, row, pitch := b.mem.Within(v, i)
	if whole == nil {
		return lower.Rows{}, false
	}
	return lower.Rows{Len: row, Pitch: pitch}, !row.Equal(v.ResultTypes()[i].Shape.Size())
}

// part gives result i of v its place in the memory of the value that it lies
// within, which the first of its parts makes. Where that is empty, so is the part,
// and at its beginning.
func (b *builder) part(v *ir.Value, i int) (int, []runtime.Step, error) {
	whole, offset, _, _ := b.mem.Within(v, i)
	var steps []runtime.Step
	if b.bufs[whole] == nil {
		buf, s, err := b.place(whole, 0, whole.Type)
		if err != nil {
			return 0, nil, err
		}
		b.bufs[whole], steps = []int{buf}, s
	}
	t := v.ResultTypes()[i]
	size := t.Shape.Size()
	if rows, ok := b.rows(v, i); ok {
		size = rows.Span(size)
	}
	bytes := int64(t.DType.Size())
	at := offset.Min(whole.Type.Shape.Size()).MulConst(bytes)
	buf, err := b.slice(b.bufs[whole][0], at, size.MulConst(bytes))
	return buf, steps, err
}

// slice is the part of buffer buf that begins at offset, relative to it, in bytes.
func (b *builder) slice(buf int, offset, size ir.Dim) (int, error) {
	x := b.p.Buffers[buf]
	off, err := b.slots.int(offset)
	if err != nil {
		return 0, err
	}
	if x.Offset = b.slots.sum(x.Offset, off); err != nil {
		return 0, err
	}
	x.Size, err = b.slots.int(size)
	return b.buffer(x), err
}

// written reports whether others than its own kernel write parts of v.
func (b *builder) written(v *ir.Value) bool { return slices.Contains(b.mem.Written(v), true) }
