package tensor

import (
	"fmt"
	"reflect"
	"strconv"
	"unsafe"

	"github.com/tensorcc/tcc/ir"
)

// Go values as literals.

// dtypeOfKind is the element type of Go's numeric kinds; int and uint are those
// of their size.
var dtypeOfKind = map[reflect.Kind]DType{
	reflect.Bool: Bool, reflect.Int: wordType(I32,
		I64), reflect.Int8: I8, reflect.Int16: I16, reflect.Int32: I32,
	reflect.Int64: I64, reflect.Uint: wordType(U32,
		U64), reflect.Uint8: U8, reflect.Uint16: U16, reflect.Uint32: U32,
	reflect.Uint64: U64, reflect.Float32: F32, reflect.Float64: F64,
}

func wordType(d32, d64 DType) DType {
	if strconv.IntSize == 32 {
		return d32
	}
	return d64
}

// literalOf copies a Go number or a (nested) slice or array of numbers. All
// slices at one depth have the same length.
func literalOf(v reflect.Value) (*ir.Literal, error) {
	shape := []int64{}
	t := v
	for t.IsValid() && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		shape = append(shape, int64(t.Len()))
		if t.Len() == 0 {
			t = reflect.Zero(t.Type().Elem())
		} else {
			t = t.Index(0)
		}
	}
	if !t.IsValid() {
		return nil, fmt.Errorf("nil is no tensor: want a Tensor, a number or a slice of numbers")
	}
	d, ok := dtypeOfKind[t.Kind()]
	if !ok {
		return nil, fmt.Errorf("a %v is no tensor: want a Tensor, a number or a slice of numbers",
			v.Type())
	}
	size := int64(d.Size())
	for _, n := range shape {
		size *= n
	}
	l := &ir.Literal{DType: d, Shape: shape}
	l.Data = make([]byte, 0, size)
	if err := appendElements(l, v, shape); err != nil {
		return nil, err
	}
	return l, nil
}

func appendElements(l *ir.Literal, v reflect.Value, shape []int64) error {
	if len(shape) == 0 {
		l.Data = append(l.Data, elementBytes(v)...)
		return nil
	}
	if int64(v.Len()) != shape[0] {
		return fmt.Errorf("ragged slices: one has %d elements, the first of its depth %d", v.Len(),
			shape[0])
	}
	if len(shape) == 1 && v.Kind() == reflect.Slice && v.Len() > 0 {
		l.Data = append(l.Data, unsafe.Slice((*byte)(v.UnsafePointer()), v.Len()*l.DType.Size())...)
		return nil
	}
	for i := range v.Len() {
		if err := appendElements(l, v.Index(i), shape[1:]); err != nil {
			return err
		}
	}
	return nil
}

// elementBytes is a number's memory.
func elementBytes(v reflect.Value) []byte {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return unsafe.Slice((*byte)(p.UnsafePointer()), v.Type().Size())
}

// Element is the set of Go types that elements of tensors have; half-precision
// floats are held as their bits in a uint16.
type Element interface {
	ir.Element | ~int | ~uint
}

// dtypeFor returns the element type that holds Go values of type E.
func dtypeFor[E Element]() DType {
	return dtypeOfKind[reflect.TypeFor[E]().Kind()]
}

// bytesOf is the memory of data.
func bytesOf[E Element](data []E) []byte {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(data[0])))
}

// elements returns the stored elements of l, whose size is that of E: one if l
// is a splat. Literals of this package are aligned.
func elements[E Element](l *ir.Literal) []E {
	var e E
	n := len(l.Data) / int(unsafe.Sizeof(e))
	if n == 0 {
		return nil
	}
	p := unsafe.Pointer(&l.Data[0])
	if uintptr(p)%unsafe.Alignof(e) != 0 {
		l = &ir.Literal{Data: alignedClone(l.Data)}
		p = unsafe.Pointer(&l.Data[0])
	}
	return unsafe.Slice((*E)(p), n)
}
