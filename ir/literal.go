package ir

import (
	"fmt"
	"unsafe"
)

// Literal is constant data: elements in row-major order, little-endian, bool
// as one byte of 0 or 1, the 4-bit types one to a byte. Data is not changed
// and may point into a mapped file. With Splat, Data is the one element that
// fills the shape.
type Literal struct {
	DType DType
	Shape []int64
	Data  []byte
	Splat bool
	// Fill, if not nil, writes the elements to dst, zeros so far, and Data is nil: a large
	// constant that is another one in a different order is written once, where it is to stay.
	// It may be called more than once, by several goroutines.
	Fill func(dst []byte)
	// Strings holds the elements of a string literal; Data is then nil.
	Strings []string
}

// Type returns the type of l.
func (l *Literal) Type() Type { return Of(l.DType, Dims(l.Shape...)) }

// Size returns the number of elements.
func (l *Literal) Size() int64 {
	n := int64(1)
	for _, d := range l.Shape {
		n *= d
	}
	return n
}

// Bytes returns Data, or new memory that Fill has written.
func (l *Literal) Bytes() []byte {
	if l.Fill == nil {
		return l.Data
	}
	data := make([]byte, l.Size()*int64(l.DType.Size()))
	l.Fill(data)
	return data
}

// Element is the set of Go types that elements of literals have; f16 and bf16
// are held as their bits in a uint16.
type Element interface {
	~bool | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 |
		~float32 | ~float64
}

// NewLiteral makes a literal of dtype d from data, which must have the size
// of d and as many elements as the shape. The literal shares data's memory.
func NewLiteral[E Element](d DType, shape []int64, data []E) *Literal {
	l := &Literal{DType: d, Shape: shape, Data: asBytes(data)}
	if int64(len(l.Data)) != l.Size()*int64(d.Size()) {
		panic(fmt.Sprintf("BUG: ir.NewLiteral: %d bytes for %v%v", len(l.Data), d, shape))
	}
	return l
}

// SplatLiteral makes a literal whose elements are all v.
func SplatLiteral[E Element](d DType, shape []int64, v E) *Literal {
	return &Literal{DType: d, Shape: shape, Data: asBytes([]E{v}), Splat: true}
}

func asBytes[E Element](data []E) []byte {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(data[0])))
}

// Elements returns the stored elements of l as Go values: one if l is a
// splat. It copies where Data is not aligned for E. The size of E must be the
// dtype's.
func Elements[E Element](l *Literal) []E {
	var e E
	size := int(unsafe.Sizeof(e))
	if size != l.DType.Size() {
		panic(fmt.Sprintf("BUG: ir.Elements[%T] of %v", e, l.DType))
	}
	data := l.Bytes()
	n := len(data) / size
	if n == 0 {
		return nil
	}
	p := unsafe.Pointer(&data[0])
	if uintptr(p)%unsafe.Alignof(e) != 0 {
		out := make([]E, n)
		copy(asBytes(out), data)
		return out
	}
	return unsafe.Slice((*E)(p), n)
}
