package runtime

import "unsafe"

// block is 64-byte aligned memory of the Go heap that only grows.
type block struct {
	base unsafe.Pointer
	size int64
}

// reserve makes b hold at least n bytes; growing loses the contents.
func (b *block) reserve(n int64) {
	if n > b.size {
		b.base, b.size = nil, 0 // let the collector have it before the new one is made
		b.base, b.size = alignedBytes(int(n)), n
	}
}

// scratchpad is memory whose size is known only as a call proceeds: a bump allocator over chunks.
// Where a call needed several, the next starts with one chunk of their sum, so that it allocates
// nothing in steady state.
type scratchpad struct {
	chunks []block
	used   int64 // of the last chunk
	total  int64 // of all chunks
}

func (s *scratchpad) reset() {
	if len(s.chunks) > 1 {
		clear(s.chunks)
		s.chunks = append(s.chunks[:0], block{alignedBytes(int(s.total)), s.total})
	}
	s.used = 0
}

// alloc returns n bytes, 64-byte aligned, contents undefined.
func (s *scratchpad) alloc(n int64) unsafe.Pointer {
	n = (n + 63) &^ 63
	if len(s.chunks) > 0 {
		if b := s.chunks[len(s.chunks)-1]; b.size-s.used >= n {
			p := unsafe.Add(b.base, s.used)
			s.used += n
			return p
		}
	}
	size := max(n, s.total, 4096)
	s.chunks = append(s.chunks, block{alignedBytes(int(size)), size})
	s.total += size
	s.used = n
	return s.chunks[len(s.chunks)-1].base
}
