// Package arrow moves arrays and tensors between Apache Arrow and tensors,
// without copying where it can.
//
// Arrow's arrays are immutable by its rules: who writes to a tensor over one
// changes what all its users see. The array must be retained, and not released,
// as long as the tensor is used.
package arrow

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/tensor"

	"github.com/tensorcc/tcc/runtime"
)

// dtypes are the element types of Arrow's fixed-width types. Bools, which Arrow
// packs eight to a byte, are not among them.
var dtypes = map[arrow.Type]runtime.DType{
	arrow.INT8: runtime.I8, arrow.INT16: runtime.I16, arrow.INT32: runtime.I32,
	arrow.INT64: runtime.I64,
	arrow.UINT8: runtime.U8, arrow.UINT16: runtime.U16, arrow.UINT32: runtime.U32,
	arrow.UINT64: runtime.U64, arrow.FLOAT16: runtime.F16, arrow.FLOAT32: runtime.F32,
	arrow.FLOAT64: runtime.F64,
}

// arrowTypes are the inverse of dtypes.
var arrowTypes = map[runtime.DType]arrow.FixedWidthDataType{
	runtime.I8: &arrow.Int8Type{}, runtime.I16: &arrow.Int16Type{}, runtime.I32: &arrow.Int32Type{},
	runtime.I64: &arrow.Int64Type{}, runtime.U8: &arrow.Uint8Type{}, runtime.U16: &arrow.Uint16Type{},
	runtime.U32: &arrow.Uint32Type{}, runtime.U64: &arrow.Uint64Type{},
	runtime.F16: &arrow.Float16Type{},
	runtime.F32: &arrow.Float32Type{}, runtime.F64: &arrow.Float64Type{},
}

// FromArray returns an array of numbers without nulls as a tensor over its memory,
// and a fixed-size list of such, without nulls, as one with an axis more; an array
// of bools as a copy, which shared tells.
func FromArray(a arrow.Array) (t *runtime.Tensor, shared bool, err error) {
	if a.NullN() > 0 {
		return nil, false, fmt.Errorf("arrow: %v with %d nulls: tensors have none: fill them first",
			a.DataType(), a.NullN())
	}
	switch a := a.(type) {
	case *array.Boolean:
		bits := make([]bool, a.Len())
		for i := range bits {
			bits[i] = a.Value(i)
		}
		t, err = runtime.From(bits, a.Len())
		return t, false, err
	case *array.FixedSizeList:
		n := int(a.DataType().(*arrow.FixedSizeListType).Len())
		all := a.ListValues()
		part := array.NewSlice(all, int64(a.Offset()*n), int64((a.Offset()+a.Len())*n))
		defer part.Release() // the list holds the memory
		if t, shared, err = FromArray(part); err != nil {
			return nil, false, err
		}
		t, err = t.Reshape(append([]int{a.Len(), n}, t.Shape()[1:]...)...)
		return t, shared, err
	}
	d, ok := dtypes[a.DataType().ID()]
	if !ok {
		return nil, false, fmt.Errorf("arrow: array of %v: want numbers, bools or fixed-size "+
			"lists of these", a.DataType())
	}
	t, err = overData(d, a.Data(), a.Len())
	return t, err == nil, err
}

// overData is a tensor over n elements of an array's values.
func overData(d runtime.DType, data arrow.ArrayData, n int) (*runtime.Tensor, error) {
	var b []byte
	if buf := data.Buffers()[1]; buf != nil {
		b = buf.Bytes()[data.Offset()*d.Size():]
	}
	return runtime.FromBytes(d, b, n)
}

// Array returns a tensor of numbers with one axis as an array: over its memory if
// it is contiguous, as shared tells, else a copy. The caller releases it.
func Array(t *runtime.Tensor) (a arrow.Array, shared bool, err error) {
	typ, ok := arrowTypes[t.DType()]
	if !ok || t.Rank() != 1 {
		return nil, false, fmt.Errorf("arrow: %v: want numbers with one axis", t)
	}
	data, err := dataOf(typ, t.Contiguous())
	if err != nil {
		return nil, false, err
	}
	defer data.Release()
	return array.MakeFromData(data), t.IsContiguous(), nil
}

func dataOf(typ arrow.DataType, t *runtime.Tensor) (arrow.ArrayData, error) {
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	buf := memory.NewBufferBytes(b)
	defer buf.Release()
	return array.NewData(typ, t.Len(), []*memory.Buffer{nil, buf}, nil, 0, 0), nil
}

// FromTensor returns an Arrow tensor of numbers as one over its memory, with its
// strides.
func FromTensor(x tensor.Interface) (*runtime.Tensor, error) {
	d, ok := dtypes[x.DataType().ID()]
	if !ok {
		return nil, fmt.Errorf("arrow: tensor of %v: want numbers", x.DataType())
	}
	shape, strides, size := ints(x.Shape(), 1), ints(x.Strides(), d.Size()), 0
	buf := x.Data().Buffers()[1]
	if buf != nil {
		size = len(buf.Bytes())/d.Size() - x.Data().Offset()
	}
	if size <= 0 {
		return runtime.NewTensor(d, shape...)
	}
	flat, err := overData(d, x.Data(), size)
	if err != nil {
		return nil, err
	}
	return strided[d](flat, shape, strides)
}

// strided are views of a flat tensor, by element type.
var strided = map[runtime.DType]func(*runtime.Tensor, []int, []int) (*runtime.Tensor, error){
	runtime.I8: restride[int8], runtime.I16: restride[int16], runtime.I32: restride[int32],
	runtime.I64: restride[int64], runtime.U8: restride[uint8], runtime.U16: restride[uint16],
	runtime.U32: restride[uint32], runtime.U64: restride[uint64],
	runtime.F16: restride[runtime.Float16],
	runtime.F32: restride[float32], runtime.F64: restride[float64],
}

func restride[E runtime.Elem](flat *runtime.Tensor, shape, strides []int) (*runtime.Tensor, error) {
	data, err := runtime.Slice[E](flat)
	if err != nil {
		return nil, err
	}
	return runtime.FromStrided(data, 0, shape, strides)
}

func ints(xs []int64, unit int) []int {
	out := make([]int, len(xs))
	for i, x := range xs {
		out[i] = int(x) / unit
	}
	return out
}

// Tensor returns a tensor of numbers as Arrow's, over its memory if it is
// contiguous, as shared tells, else a copy. The caller releases it.
func Tensor(t *runtime.Tensor) (x tensor.Interface, shared bool, err error) {
	typ, ok := arrowTypes[t.DType()]
	if !ok {
		return nil, false, fmt.Errorf("arrow: %v: want numbers", t)
	}
	c := t.Contiguous()
	data, err := dataOf(typ, c)
	if err != nil {
		return nil, false, err
	}
	defer data.Release()
	shape := make([]int64, c.Rank())
	for i, d := range c.Shape() {
		shape[i] = int64(d)
	}
	return tensor.New(data, shape, nil, nil), t.IsContiguous(), nil
}
