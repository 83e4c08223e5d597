package runtime

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// This file has the views of tensors, which share memory, and copies between layouts.

// view returns a tensor over the memory of t with another layout.
func (t *Tensor) view(offset int, shape, strides []int) *Tensor {
	v := &Tensor{dtype: t.dtype, base: t.base, length: t.length, offset: offset,
		shape: shape, strides: strides}
	v.packed = isPacked(shape, strides)
	return v
}

func isPacked(shape, strides []int) bool {
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 0 {
			return true
		}
		n *= shape[i]
	}
	for i, s := range shape {
		n /= s
		if s != 1 && strides[i] != n {
			return false
		}
	}
	return true
}

// FromStrided returns a tensor over data, without copying, whose element i lies at offset +
// sum(i[k]*strides[k]), counted in elements, which must all be in data.
func FromStrided[T Elem](data []T, offset int, shape, strides []int) (*Tensor, error) {
	d := DTypeOf[T]()
	n, err := count(d, shape)
	if err != nil {
		return nil, err
	}
	if len(strides) != len(shape) {
		return nil, fmt.Errorf("tensor: strides %v for shape %s: wanted one an axis", strides,
			shapeString(shape))
	}
	lo, hi := offset, offset
	for i, s := range shape {
		st := strides[i]
		if n == 0 || s == 1 {
			continue
		}
		if reach := len(data) / (s - 1); st > reach || -st > reach || st == math.MinInt {
			lo = -1
			break
		}
		lo, hi = lo+min(0, (s-1)*st), hi+max(0, (s-1)*st)
	}
	if n > 0 && (lo < 0 || hi >= len(data)) {
		return nil, fmt.Errorf("tensor: shape %s with strides %v from element %d leaves the slice, "+
			"which has %d elements", shapeString(shape), strides, offset, len(data))
	}
	t := &Tensor{dtype: d, base: unsafe.Pointer(unsafe.SliceData(data)), length: len(data)}
	return t.view(offset, slices.Clone(shape), slices.Clone(strides)), nil
}

// Slice returns the view of elements start, start+step, ... before stop along axis. As in NumPy,
// a negative axis, start or stop counts from the end, both are clamped, and step may be negative;
// for a negative step, stop = -dim-1 includes element 0.
func (t *Tensor) Slice(axis, start, stop, step int) (*Tensor, error) {
	a, err := t.axis(axis)
	if err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, fmt.Errorf("tensor: slice of %v along axis %d has step 0", t, axis)
	}
	dim := t.shape[a]
	lo, hi := 0, dim
	if step < 0 {
		lo, hi = -1, dim-1
	}
	start, stop = clamp(start, dim, lo, hi), clamp(stop, dim, lo, hi)
	n := 0
	if step > 0 && stop > start {
		n = (stop-start-1)/step + 1
	} else if step < 0 && stop < start {
		n = (start-stop-1)/-step + 1
	}
	shape := append([]int(nil), t.shape...)
	strides := append([]int(nil), t.strides...)
	offset := t.offset
	if n > 0 {
		offset += start * strides[a]
	}
	shape[a] = n
	strides[a] *= step
	return t.view(offset, shape, strides), nil
}

func clamp(x, dim, lo, hi int) int {
	if x < 0 {
		x += dim
	}
	return min(max(x, lo), hi)
}

func (t *Tensor) axis(axis int) (int, error) {
	a := axis
	if a < 0 {
		a += len(t.shape)
	}
	if a < 0 || a >= len(t.shape) {
		return 0, fmt.Errorf("tensor: axis %d of %v, wanted -%d to %d",
			axis, t, len(t.shape), len(t.shape)-1)
	}
	return a, nil
}

// Transpose returns the view whose axis i is axis perm[i] of t; without perm the axes are reversed.
func (t *Tensor) Transpose(perm ...int) (*Tensor, error) {
	if len(perm) == 0 {
		for i := range t.shape {
			perm = append(perm, len(t.shape)-1-i)
		}
	}
	if len(perm) != len(t.shape) {
		return nil, fmt.Errorf("tensor: transpose of %v by %v, wanted %d axes", t, perm, t.Rank())
	}
	seen := make([]bool, len(perm))
	shape, strides := make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		a, err := t.axis(p)
		if err != nil {
			return nil, err
		}
		if seen[a] {
			return nil, fmt.Errorf("tensor: transpose of %v by %v has axis %d twice", t, perm, a)
		}
		seen[a] = true
		shape[i], strides[i] = t.shape[a], t.strides[a]
	}
	return t.view(t.offset, shape, strides), nil
}

// Reshape returns the view of a contiguous tensor with another shape of as many elements.
func (t *Tensor) Reshape(shape ...int) (*Tensor, error) {
	n, err := count(t.dtype, shape)
	if err != nil {
		return nil, err
	}
	if n != t.Len() {
		return nil, fmt.Errorf("tensor: reshape of %v to %s: %d elements, wanted %d",
			t, shapeString(shape), n, t.Len())
	}
	if !t.packed {
		return nil, fmt.Errorf("tensor: reshape of %v with strides %v, which is not contiguous: "+
			"use Contiguous first", t, t.strides)
	}
	v := &Tensor{dtype: t.dtype, base: t.base, length: t.length, offset: t.offset}
	v.setShape(shape)
	return v, nil
}

// Contiguous returns t if it is contiguous, else a copy of it that is.
func (t *Tensor) Contiguous() *Tensor {
	if t.packed {
		return t
	}
	return t.Clone()
}

// Clone returns a contiguous copy of t in memory of its own.
func (t *Tensor) Clone() *Tensor {
	c := &Tensor{owned: true}
	if t.dtype == NoDType {
		return c
	}
	c.alloc(t.dtype, t.Len())
	c.setShape(t.shape)
	copyElems(c, t)
	return c
}

// CopyFrom copies the elements of src, which has the dtype and shape of t, into t.
func (t *Tensor) CopyFrom(src *Tensor) error {
	if t.dtype != src.dtype || !equalDims(t.shape, src.shape) {
		return fmt.Errorf("tensor: copy of %v into %v: wanted the same dtype and shape", src, t)
	}
	if overlaps(t, src) {
		src = src.Clone()
	}
	copyElems(t, src)
	return nil
}

// copyElems copies src to dst, which have the same dtype and shape and do not overlap.
func copyElems(dst, src *Tensor) {
	if dst.Len() == 0 {
		return
	}
	if dst.dtype == String {
		copyStrided[string](dst, src)
		return
	}
	switch dst.dtype.Size() {
	case 1:
		copyStrided[uint8](dst, src)
	case 2:
		copyStrided[uint16](dst, src)
	case 4:
		copyStrided[uint32](dst, src)
	case 8:
		copyStrided[uint64](dst, src)
	}
}

// maxRank bounds the ranks whose copies need no memory for the index.
const maxRank = 16

func copyStrided[T any](dst, src *Tensor) {
	if dst.packed && src.packed {
		n := dst.Len()
		copy(unsafe.Slice((*T)(dst.ptr()), n), unsafe.Slice((*T)(src.ptr()), n))
		return
	}
	size := int(unsafe.Sizeof(*new(T)))
	rank := len(dst.shape) // at least 1: tensors of rank 0 are packed
	inner, ds, ss := dst.shape[rank-1], dst.strides[rank-1]*size, src.strides[rank-1]*size
	var small [maxRank]int
	index := small[:0]
	if rank > maxRank {
		index = make([]int, 0, rank)
	}
	index = index[:rank]
	d, s := dst.offset, src.offset
	for {
		dp, sp := unsafe.Add(dst.base, d*size), unsafe.Add(src.base, s*size)
		for i := range inner {
			*(*T)(unsafe.Add(dp, i*ds)) = *(*T)(unsafe.Add(sp, i*ss))
		}
		a := rank - 2
		for ; a >= 0; a-- {
			index[a]++
			d, s = d+dst.strides[a], s+src.strides[a]
			if index[a] < dst.shape[a] {
				break
			}
			d, s = d-index[a]*dst.strides[a], s-index[a]*src.strides[a]
			index[a] = 0
		}
		if a < 0 {
			return
		}
	}
}

// span returns the addresses of the first and behind the last byte that t covers.
func (t *Tensor) span() (lo, hi uintptr) {
	if t.Len() == 0 {
		return 0, 0
	}
	first, last := t.offset, t.offset
	for i, s := range t.shape {
		if d := (s - 1) * t.strides[i]; d < 0 {
			first += d
		} else {
			last += d
		}
	}
	size := t.dtype.Size()
	at := uintptr(t.base)
	return at + uintptr(first*size), at + uintptr((last+1)*size)
}

// overlaps reports whether the address ranges of a and b meet.
func overlaps(a, b *Tensor) bool {
	alo, ahi := a.span()
	blo, bhi := b.span()
	return alo < bhi && blo < ahi
}

func equalDims(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
