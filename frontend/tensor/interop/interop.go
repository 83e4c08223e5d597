// Package interop moves tensors between package tensor and what surrounds it.
// The packages below it read, write and wrap what other libraries have, each
// with its own dependency:
//
//	npy          NumPy's .npy and .npz files, mapped
//	safetensors  Hugging Face's .safetensors files, mapped
//	gonum        mat.Dense, blas64.Vector and blas64.General
//	images       image.Image, channels last or first
//	arrow        Apache Arrow arrays and tensors
//
// They speak of tensors of package runtime, which generated code takes: views
// with strides over memory that both sides share. [Tensor] and [Runtime] make
// lazy tensors of these and back. docs/interop.md says what is a view and what
// a copy.
package interop

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// Tensor returns a lazy tensor over the memory of t: a write through the tensor
// is seen in t at once, one to t by what is evaluated later. What is not
// row-major becomes a view of what is, if its axes only have another order, as
// with a Fortran-ordered array; else, with gaps or repeated elements, it is a
// copy, and shared is false. Strings have no lazy form.
func Tensor(t *runtime.Tensor) (x tensor.Tensor, shared bool, err error) {
	perm := order(t)
	base, err := t.Transpose(perm...)
	if err != nil {
		return x, false, err
	}
	shared = base.IsContiguous()
	base = base.Contiguous()
	from, ok := wrap[t.DType()]
	if !ok {
		return x, false, fmt.Errorf("interop: tensor %v: no lazy tensor has elements of type %v", t,
			t.DType())
	}
	if x, err = from(base); err != nil {
		return x, false, err
	}
	back := make([]int, len(perm))
	for i, p := range perm {
		back[p] = i
	}
	switch {
	case len(perm) == 0:
		x = x.Reshape() // what is made of a slice has an axis
	case !slices.IsSorted(perm):
		x = x.Permute(back...)
	}
	return x, shared, x.Err()
}

// order is the order of t's axes by falling stride, in which memory is
// row-major if it can be.
func order(t *runtime.Tensor) []int {
	perm := make([]int, t.Rank())
	for i := range perm {
		perm[i] = i
	}
	if t.IsContiguous() {
		return perm
	}
	slices.SortStableFunc(perm, func(a, b int) int { return t.Strides()[b] - t.Strides()[a] })
	return perm
}

// wrap makes lazy tensors of row-major memory, by element type.
var wrap = map[runtime.DType]func(*runtime.Tensor) (tensor.Tensor, error){
	runtime.Bool: wrapper[bool], runtime.I8: wrapper[int8], runtime.I16: wrapper[int16],
	runtime.I32: wrapper[int32], runtime.I64: wrapper[int64], runtime.U8: wrapper[uint8],
	runtime.U16: wrapper[uint16], runtime.U32: wrapper[uint32], runtime.U64: wrapper[uint64],
	runtime.F32: wrapper[float32], runtime.F64: wrapper[float64],
	runtime.F16: half(tensor.F16), runtime.BF16: half(tensor.BF16),
}

func wrapper[E interface {
	runtime.Elem
	tensor.Element
}](t *runtime.Tensor) (tensor.Tensor, error) {
	data, err := runtime.Slice[E](t)
	if err != nil {
		return tensor.Tensor{}, err
	}
	return tensor.FromSlice(data, t.Shape()...), nil
}

// half wraps 16-bit floats, which Go holds in integers.
func half(d tensor.DType) func(*runtime.Tensor) (tensor.Tensor, error) {
	return func(t *runtime.Tensor) (tensor.Tensor, error) {
		b, err := t.Bytes()
		if err != nil {
			return tensor.Tensor{}, err
		}
		bits, err := runtime.FromBytes(runtime.U16, b, t.Shape()...)
		if err != nil {
			return tensor.Tensor{}, err
		}
		data, err := runtime.Slice[uint16](bits)
		if err != nil {
			return tensor.Tensor{}, err
		}
		return tensor.FromBits(d, data, t.Shape()...), nil
	}
}

// Runtime computes x and returns a tensor over its memory, as [tensor.Data]
// does: shared with x where x lies contiguously in its storage, else a copy.
func Runtime(x tensor.Tensor) (*runtime.Tensor, error) {
	if err := x.Err(); err != nil {
		return nil, err
	}
	unwrap, ok := data[x.DType()]
	if !ok {
		return nil, fmt.Errorf("interop: tensor of %v: the runtime has no such elements", x.DType())
	}
	return unwrap(x)
}

// data are the inverses of wrap.
var data = map[ir.DType]func(tensor.Tensor) (*runtime.Tensor, error){
	ir.I8: unwrapper[int8], ir.I16: unwrapper[int16],
	ir.I32: unwrapper[int32], ir.I64: unwrapper[int64],
	ir.U8: unwrapper[uint8], ir.U16: unwrapper[uint16],
	ir.U32: unwrapper[uint32], ir.U64: unwrapper[uint64],
	ir.F32: unwrapper[float32], ir.F64: unwrapper[float64],
	ir.F16: halves(runtime.F16), ir.BF16: halves(runtime.BF16),
	ir.Bool: unwrapper[bool],
}

func unwrapper[E interface {
	runtime.Elem
	tensor.Element
}](x tensor.Tensor) (*runtime.Tensor, error) {
	d, err := tensor.Data[E](x)
	if err != nil {
		return nil, err
	}
	return runtime.From(d, x.Shape()...)
}

func halves(d runtime.DType) func(tensor.Tensor) (*runtime.Tensor, error) {
	return func(x tensor.Tensor) (*runtime.Tensor, error) {
		t, err := unwrapper[uint16](x)
		if err != nil {
			return nil, err
		}
		b, err := t.Bytes()
		if err != nil {
			return nil, err
		}
		return runtime.FromBytes(d, b, x.Shape()...)
	}
}
