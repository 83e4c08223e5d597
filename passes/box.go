package passes

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// box is a copy of elements between strided arrays that do not overlap: that with the
// coordinates i of shape lies at the sum of i*from in src, and of i*to in dst. Weights are
// laid out by such copies. They run in parallel, at the speed of memory where both sides are
// passed over in lines of the cache, and need no alignment: a mapped file has what it has.
type box struct {
	dst, src []byte
	size     int   // bytes of an element
	shape    []int // not empty
	to, from []int // strides in elements; from is not negative, to is positive, the last 1
	near     int   // axis before the last that is nearest in src: blocks of it are innermost
}

// Extents of the blocks of a copy that turns rows into columns. A row is eight lines of f32, as
// rows are often in pages of their own; a block is 8 KB.
const (
	boxRows    = 128 // of the nearest axis
	boxColumns = 16  // of the last
)

// copy does what b says.
func (b box) copy() {
	if slices.Contains(b.shape, 0) {
		return
	}
	b.merge()
	for i, s := range b.from[:len(b.from)-1] {
		if s < b.from[b.near] {
			b.near = i
		}
	}
	parts := 8 * runtime.GOMAXPROCS(0)
	step := (b.shape[0] + parts - 1) / parts
	if b.near == 0 {
		step = (step + boxRows - 1) / boxRows * boxRows
	}
	share(b.shape[0], step, func(lo, hi int) { b.walk(0, lo, hi, 0, 0, 0) })
}

// merge drops axes of extent 1 and joins those that follow each other on both sides. There
// are at least two afterwards.
func (b *box) merge() {
	shape, to, from := []int{1}, []int{1}, []int{0}
	for i, n := range b.shape {
		k := len(shape) - 1
		switch {
		case n == 1 && i < len(b.shape)-1:
		case k > 0 && to[k] == n*b.to[i] && from[k] == n*b.from[i]:
			shape[k], to[k], from[k] = shape[k]*n, b.to[i], b.from[i]
		default:
			shape, to, from = append(shape, n), append(to, b.to[i]), append(from, b.from[i])
		}
	}
	if len(shape) > 2 {
		shape, to, from = shape[1:], to[1:], from[1:]
	}
	b.shape, b.to, b.from = shape, to, from
}

// walk copies what the elements [lo, hi) of axis i contain, from and to the places of the
// first; rows is how many of the nearest axis there are, if that is outside of i.
func (b *box) walk(i, lo, hi, to, from, rows int) {
	if i == len(b.shape)-1 {
		b.block(to, from, rows)
		return
	}
	step := 1
	if i == b.near {
		step = boxRows
	}
	for at := lo; at < hi; at += step {
		if i == b.near {
			rows = min(step, hi-at)
		}
		b.walk(i+1, 0, b.shape[i+1], to+at*b.to[i], from+at*b.from[i], rows)
	}
}

// block copies rows of the last axis, whole ones.
func (b *box) block(to, from, rows int) {
	last := len(b.shape) - 1
	n, size := b.shape[last], b.size
	dst, down := b.dst[to*size:], b.to[b.near]*size
	src, near, far := b.src[from*size:], b.from[b.near]*size, b.from[last]*size
	if far == size {
		for i := range rows {
			copy(dst[i*down:i*down+n*size], src[i*near:])
		}
		return
	}
	for at := 0; at < n; at += boxColumns {
		turns[size](dst[at*size:], src[at*far:], rows, min(boxColumns, n-at), down, near, far)
	}
}

// turns has turn by the size of an element.
var turns = map[int]func(dst, src []byte, rows, columns, down, near, far int){
	1: turn[uint8], 2: turn[uint16], 4: turn[uint32], 8: turn[uint64],
}

// turn copies a block: rows are down bytes apart in dst and near in src, columns follow each
// other in dst and are far bytes apart in src. It goes through an array of its own, as rows
// that are powers of two apart would push each other out of the cache.
func turn[E any](dst, src []byte, rows, columns, down, near, far int) {
	var block [boxRows][boxColumns]E
	size := int(unsafe.Sizeof(block[0][0]))
	_ = src[(rows-1)*near+(columns-1)*far+size-1] // what follows is inside
	column := func(j int) unsafe.Pointer { return unsafe.Pointer(&src[j*far]) }
	j := 0
	for ; j+4 <= columns; j += 4 {
		s0, s1, s2, s3 := column(j), column(j+1), column(j+2), column(j+3)
		for i, at := 0, 0; i < min(rows, boxRows); i, at = i+1, at+near {
			d := (*[4]E)(block[i][j:])
			d[0], d[1] = *(*E)(unsafe.Add(s0, at)), *(*E)(unsafe.Add(s1, at))
			d[2], d[3] = *(*E)(unsafe.Add(s2, at)), *(*E)(unsafe.Add(s3, at))
		}
	}
	for ; j < columns; j++ {
		for i := range rows {
			block[i][j] = *(*E)(unsafe.Add(column(j), i*near))
		}
	}
	for i := range rows {
		row := unsafe.Slice((*byte)(unsafe.Pointer(&block[i])), columns*size)
		copy(dst[i*down:i*down+columns*size], row)
	}
}

// share calls f for parts of [0, n) of step elements, as many at once as there are threads.
func share(n, step int, f func(lo, hi int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+step-1)/step) {
		wg.Go(func() {
			for {
				hi := int(next.Add(int64(step)))
				if hi-step >= n {
					return
				}
				f(hi-step, min(hi, n))
			}
		})
	}
	wg.Wait()
}
