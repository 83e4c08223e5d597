package interp

import (
	"fmt"
	"unsafe"

	"github.com/tensorcc/tcc/ir"
)

// Tensor is a dense array in row-major order. A tensor that Run was given or
// has returned is never written to by this package; tensors may share Data.
type Tensor struct {
	DType ir.DType
	Shape []int64
	// Data has the elements as in [ir.Literal]: little-endian, bool as one
	// byte of 0 or 1, the 4-bit types one to a byte.
	Data []byte
	// Strings holds the elements of a string tensor; Data is then nil.
	Strings []string
}

// maxBytes bounds a single tensor, so that absurd extents are an error rather
// than the end of the process.
const maxBytes int64 = 1 << 32

// New returns a tensor of zeros (or empty strings).
func New(d ir.DType, shape []int64) (*Tensor, error) {
	n, err := sizeOf(d, shape)
	if err != nil {
		return nil, err
	}
	t := &Tensor{DType: d, Shape: shape}
	if d == ir.String {
		t.Strings = make([]string, n)
		return t, nil
	}
	t.Data = allocate(n * int64(d.Size()))
	return t, nil
}

// sizeOf returns the number of elements of a shape that can be held. As in
// NumPy the extents of an empty shape that are not 0 must not multiply to too
// much either, so that products of some of the extents are numbers.
func sizeOf(d ir.DType, shape []int64) (int64, error) {
	if !ir.Storable.Has(d) && d != ir.String {
		return 0, fmt.Errorf("%v%v: want an element type that can be stored", d, shape)
	}
	limit := maxBytes / int64(max(d.Size(), 1))
	n, zeros := int64(1), 0
	for _, k := range shape {
		switch {
		case k < 0:
			return 0, fmt.Errorf("%v%v: extent %d, want at least 0", d, shape, k)
		case k == 0:
			zeros++
			continue
		case k > limit/n:
			return 0, fmt.Errorf("%v%v: larger than the limit of %d GiB", d, shape, maxBytes>>30)
		}
		n *= k
	}
	if zeros > 0 {
		return 0, nil
	}
	return n, nil
}

// allocate returns n zero bytes, aligned for every element type.
func allocate(n int64) []byte {
	if n == 0 {
		return nil
	}
	words := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}

// FromSlice makes a tensor of data, whose memory it shares; the size of E is
// that of d (f16 and bf16 are held as their bits in a uint16).
func FromSlice[E ir.Element](d ir.DType, shape []int64, data []E) *Tensor {
	l := ir.NewLiteral(d, shape, data)
	return &Tensor{DType: d, Shape: shape, Data: l.Data}
}

// FromLiteral returns the tensor of a constant. It shares the literal's memory
// where that is possible.
func FromLiteral(l *ir.Literal) (*Tensor, error) {
	t := &Tensor{DType: l.DType, Shape: l.Shape, Data: l.Bytes(), Strings: l.Strings}
	if l.Splat {
		var err error
		if t, err = New(l.DType, l.Shape); err != nil {
			return nil, err
		}
		if len(l.Data) != l.DType.Size() {
			return nil, fmt.Errorf("splat constant %v%v has %d bytes, want %d", l.DType, l.Shape,
				len(l.Data), l.DType.Size())
		}
		fill(t.Data, l.Data)
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	return t.aligned(), nil
}

// fill repeats pattern over dst by copies of doubling length.
func fill(dst, pattern []byte) {
	n := copy(dst, pattern)
	for n < len(dst) {
		n += copy(dst[n:], dst[:n])
	}
}

// Literal returns t as a constant, which shares its memory.
func (t *Tensor) Literal() *ir.Literal {
	return &ir.Literal{DType: t.DType, Shape: t.Shape, Data: t.Data, Strings: t.Strings}
}

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return int(n)
}

// String describes t by dtype and shape.
func (t *Tensor) String() string { return fmt.Sprintf("%v%v", t.DType, t.Shape) }

// Check reports why t is not a well-formed tensor.
func (t *Tensor) Check() error {
	n, err := sizeOf(t.DType, t.Shape)
	switch {
	case err != nil:
		return err
	case t.DType == ir.String && int64(len(t.Strings)) != n:
		return fmt.Errorf("%v has %d strings, want %d", t, len(t.Strings), n)
	case int64(len(t.Data)) != n*int64(t.DType.Size()):
		return fmt.Errorf("%v has %d bytes, want %d", t, len(t.Data), n*int64(t.DType.Size()))
	case t.DType == ir.Bool:
		for i, b := range t.Data {
			if b > 1 {
				return fmt.Errorf("%v: element %d is the byte %d, want 0 or 1", t, i, b)
			}
		}
	}
	return nil
}

// aligned returns t, or a copy of it if its data is not aligned.
func (t *Tensor) aligned() *Tensor {
	if len(t.Data) == 0 || uintptr(unsafe.Pointer(&t.Data[0]))%uintptr(t.DType.Size()) == 0 {
		return t
	}
	u := *t
	u.Data = allocate(int64(len(t.Data)))
	copy(u.Data, t.Data)
	return &u
}

// Elements returns the elements of t as Go values of the dtype's size, sharing
// memory. The tensor must be one that this package made.
func Elements[E ir.Element](t *Tensor) []E {
	var e E
	size := int(unsafe.Sizeof(e))
	if size != t.DType.Size() {
		panic(fmt.Sprintf("BUG: interp.Elements[%T] of %v", e, t))
	}
	if len(t.Data) == 0 {
		return nil
	}
	return unsafe.Slice((*E)(unsafe.Pointer(&t.Data[0])), len(t.Data)/size)
}

// Float64s returns the elements of a tensor of any dtype but string as
// float64 (integers beyond 2^53 are rounded).
func (t *Tensor) Float64s() []float64 {
	switch classOf(t.DType) {
	case signedClass:
		return convertAll[int64](t)
	case unsignedClass:
		return convertAll[uint64](t)
	}
	return widen[float64](t)
}

func convertAll[A wide](t *Tensor) []float64 {
	in := widen[A](t)
	out := make([]float64, len(in))
	for i, v := range in {
		out[i] = float64(v)
	}
	return out
}

// scalarInts returns the elements of an i32 or i64 tensor.
func scalarInts(t *Tensor) []int64 { return widen[int64](t) }

// strides returns the row-major strides of a shape, in elements.
func strides(shape []int64) []int {
	out := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= int(max(shape[i], 1))
	}
	return out
}

// product returns the number of elements of a shape that was checked.
func product(shape []int64) int {
	n := 1
	for _, d := range shape {
		n *= int(d)
	}
	return n
}
