package tensor

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Memory that Go code and a storage share: slices given to FromSlice, and what
// Data has handed out.

// pinned gives t's storage memory that stays, and returns it with the offset
// of the contiguous tensor t in it.
func (t Tensor) pinned(c *call) (*ir.Literal, int64) {
	s := t.s
	s.mu.Lock()
	defer s.mu.Unlock()
	offset, _ := t.layout().offset.Int()
	if s.mem != nil {
		return s.mem, offset
	}
	l, err := evaluate(s.cur)
	if err != nil {
		c.fail("%v", err)
		return nil, 0
	}
	// Other nodes may hold l; the copy is the storage's own.
	mem := &ir.Literal{DType: l.DType, Shape: l.Shape, Data: repeated(l)}
	if s.cur.grads && s.cur.leaf != s {
		return mem, offset // the past of the value is still needed
	}
	next := leafNode(mem, s.cur.pos)
	next.shared = true
	if s.cur.leaf == s {
		next = leafOf(s, next)
	}
	s.mem, s.cur = mem, next
	return mem, offset
}

// repeated is a copy of l's data, that of a splat in full.
func repeated(l *ir.Literal) []byte {
	if !l.Splat {
		return alignedClone(l.Data)
	}
	return alignedClone(slices.Repeat(l.Data, int(l.Size())))
}

// alignedClone copies bytes to memory that is aligned for every element type.
func alignedClone(b []byte) []byte {
	words := make([]uint64, (len(b)+7)/8)
	l := ir.NewLiteral(U64, []int64{int64(len(words))}, words)
	copy(l.Data, b)
	return l.Data[:len(b):len(b)]
}

// writeThrough evaluates the storage's next value and writes it to the shared
// memory. What was recorded with the old value keeps it, as a copy. The caller
// holds s.mu.
func (s *storage) writeThrough(next *node) error {
	evalMu.Lock()
	defer evalMu.Unlock()
	if next.tr != nil {
		s.cur, s.mem = next, nil // symbolic: the memory is outside
		return nil
	}
	if err := evaluateLocked([]*node{next}); err != nil {
		return err
	}
	val := repeated(next.data.Load())
	if old := s.cur; old.shared {
		kept := *s.mem
		kept.Data = alignedClone(s.mem.Data)
		old.data.Store(&kept)
		old.shared = false
	}
	copy(s.mem.Data, val)
	s.cur = leafNode(s.mem, next.pos)
	s.cur.shared = true
	if next.leaf == s {
		s.cur = leafOf(s, s.cur)
	}
	return nil
}
