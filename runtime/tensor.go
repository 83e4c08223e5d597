package runtime

import (
	"fmt"
	"math/bits"
	"slices"
	"unsafe"
)

// A Tensor is an n-dimensional view of memory on the host: elements of one DType at
// offset + sum(index[i]*stride[i]), strides in elements, possibly zero or negative.
// Tensors made by From, FromBytes, Slice, Transpose, Reshape share the memory they are made of.
//
// The zero Tensor holds nothing; RunInto fills it. A Tensor may be read by many goroutines at once.
type Tensor struct {
	dtype   DType
	shape   []int
	strides []int
	base    unsafe.Pointer // first element of the memory; nil when it has none
	length  int            // elements from base on
	offset  int            // element index of the first element of the view
	packed  bool           // row-major without gaps
	owned   bool           // the runtime made the memory: RunInto may resize it
}

// NewTensor returns a tensor of zeros.
func NewTensor(d DType, shape ...int) (*Tensor, error) {
	n, err := count(d, shape)
	if err != nil {
		return nil, err
	}
	t := &Tensor{owned: true}
	t.alloc(d, n)
	t.setShape(shape)
	return t, nil
}

// alloc gives t new memory of n elements, 64-byte aligned where it is large.
func (t *Tensor) alloc(d DType, n int) {
	t.dtype, t.length, t.offset = d, n, 0
	switch {
	case d == String:
		t.base = unsafe.Pointer(unsafe.SliceData(make([]string, n)))
	default:
		t.base = alignedBytes(n * d.Size())
	}
}

// alignedBytes returns size bytes of zeros on the Go heap, 64-byte aligned and, where they
// are many, in large pages.
func alignedBytes(size int) unsafe.Pointer {
	b := make([]byte, size+63)
	p := unsafe.Pointer(unsafe.SliceData(b))
	p = unsafe.Add(p, int(-uintptr(p)&63))
	useLargePages(p, size)
	return p
}

// setShape makes t a packed view of the given shape from its first element on.
func (t *Tensor) setShape(shape []int) {
	t.shape = append(t.shape[:0], shape...)
	t.strides = slices.Grow(t.strides[:0], len(shape))[:len(shape)]
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		t.strides[i] = n
		n *= shape[i]
	}
	t.packed = true
}

// count returns the product of shape, checked so that the bytes fit an int.
func count(d DType, shape []int) (int, error) {
	if d == NoDType || d.Size() == 0 {
		return 0, fmt.Errorf("tensor: dtype is %v, wanted one of the element types", d)
	}
	n := uint64(1)
	empty := slices.Contains(shape, 0)
	for _, s := range shape {
		if s < 0 {
			return 0, fmt.Errorf("tensor: shape %s has a negative dim", shapeString(shape))
		}
		hi, lo := bits.Mul64(n, uint64(s))
		if n = lo; !empty && (hi != 0 || lo > 1<<62/16) {
			return 0, fmt.Errorf("tensor: shape %s has more elements than memory can hold",
				shapeString(shape))
		}
	}
	if empty {
		return 0, nil
	}
	return int(n), nil
}

// From returns a tensor over data, without copying: both see each other's writes.
func From[T Elem](data []T, shape ...int) (*Tensor, error) {
	d := DTypeOf[T]()
	n, err := count(d, shape)
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, fmt.Errorf("tensor: slice has %d elements, shape %s wants %d",
			len(data), shapeString(shape), n)
	}
	t := &Tensor{dtype: d, base: unsafe.Pointer(unsafe.SliceData(data)), length: n}
	t.setShape(shape)
	return t, nil
}

// MustFrom is From for data whose shape is known to fit, as in tests and examples; it panics
// where From returns an error.
func MustFrom[T Elem](data []T, shape ...int) *Tensor {
	t, err := From(data, shape...)
	if err != nil {
		panic(err)
	}
	return t
}

// Scalar returns a tensor of rank 0 that holds v.
func Scalar[T Elem](v T) *Tensor { return MustFrom([]T{v}) }

// FromBytes returns a tensor over raw little-endian memory, without copying. The memory must be
// aligned to the element size, and hold at least the shape's elements.
func FromBytes(d DType, data []byte, shape ...int) (*Tensor, error) {
	n, err := count(d, shape)
	if err != nil {
		return nil, err
	}
	if d == String {
		return nil, fmt.Errorf("tensor: string elements cannot lie in raw bytes: use From")
	}
	if len(data) < n*d.Size() {
		return nil, fmt.Errorf("tensor: %d bytes given, %v%s wants %d",
			len(data), d, shapeString(shape), n*d.Size())
	}
	p := unsafe.Pointer(unsafe.SliceData(data))
	if n > 0 && uintptr(p)%uintptr(d.Size()) != 0 {
		return nil, fmt.Errorf("tensor: bytes are not aligned to %d, as %v wants: copy them",
			d.Size(), d)
	}
	t := &Tensor{dtype: d, base: p, length: n}
	t.setShape(shape)
	return t, nil
}

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.dtype }

// Shape returns the dims; the caller must not change them.
func (t *Tensor) Shape() []int { return t.shape }

// Strides returns the distances between neighbours along each axis in elements; the caller must
// not change them.
func (t *Tensor) Strides() []int { return t.strides }

// Rank returns the number of axes.
func (t *Tensor) Rank() int { return len(t.shape) }

// Len returns the number of elements.
func (t *Tensor) Len() int {
	if t.dtype == NoDType {
		return 0
	}
	n := 1
	for _, s := range t.shape {
		n *= s
	}
	return n
}

// IsContiguous reports whether the elements lie in row-major order without gaps.
func (t *Tensor) IsContiguous() bool { return t.packed }

// ptr returns the address of the view's first element.
func (t *Tensor) ptr() unsafe.Pointer { return unsafe.Add(t.base, t.offset*t.dtype.Size()) }

// Slice returns the elements of a contiguous tensor in row-major order, sharing its memory.
func Slice[T Elem](t *Tensor) ([]T, error) {
	if d := DTypeOf[T](); d != t.dtype {
		return nil, fmt.Errorf("tensor: elements are %v, asked for %v", t.dtype, d)
	}
	if !t.packed {
		return nil, fmt.Errorf("tensor: view %v with strides %v is not contiguous: "+
			"use Contiguous first", t, t.strides)
	}
	if t.Len() == 0 {
		return nil, nil
	}
	return unsafe.Slice((*T)(t.ptr()), t.Len()), nil
}

// Bytes returns the memory of a contiguous tensor, shared; strings have none.
func (t *Tensor) Bytes() ([]byte, error) {
	if t.dtype == String || !t.packed {
		return nil, fmt.Errorf("tensor: %v has no contiguous bytes: use Contiguous first", t)
	}
	if t.Len() == 0 {
		return nil, nil
	}
	return unsafe.Slice((*byte)(t.ptr()), t.Len()*t.dtype.Size()), nil
}

// At returns one element; it is for tests and printing rather than loops. The index has a number
// for each axis, within its dim, else At panics as Go's slices do.
func At[T Elem](t *Tensor, index ...int) T {
	if d := DTypeOf[T](); d != t.dtype {
		panic(fmt.Sprintf("tensor: elements are %v, asked for %v", t.dtype, d))
	}
	return *(*T)(t.elem(index))
}

// Set stores one element, as At reads one.
func Set[T Elem](t *Tensor, v T, index ...int) {
	if d := DTypeOf[T](); d != t.dtype {
		panic(fmt.Sprintf("tensor: elements are %v, stored %v", t.dtype, d))
	}
	*(*T)(t.elem(index)) = v
}

func (t *Tensor) elem(index []int) unsafe.Pointer {
	if len(index) != len(t.shape) {
		panic(fmt.Sprintf("tensor: index %v for %v", index, t))
	}
	at := t.offset
	for i, x := range index {
		if uint(x) >= uint(t.shape[i]) {
			panic(fmt.Sprintf("tensor: index %v out of range for %v", index, t))
		}
		at += x * t.strides[i]
	}
	return unsafe.Add(t.base, at*t.dtype.Size())
}
