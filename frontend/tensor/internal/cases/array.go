// Package cases runs files of recorded cases of NumPy's and PyTorch's
// semantics, whose form bench/numpy/README.md describes, in the tests of
// package tensor and of its back ends.
package cases

import (
	"fmt"
	"math"
	"slices"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// Array is an array of the file.
type Array struct {
	DType string
	Shape []int
	Data  []byte // little-endian, row-major
}

func (a Array) dtype() ir.DType {
	d, _ := ir.ParseDType(a.DType)
	return d
}

func (a Array) literal() *ir.Literal {
	dims := make([]int64, len(a.Shape))
	for i, k := range a.Shape {
		dims[i] = int64(k)
	}
	return &ir.Literal{DType: a.dtype(), Shape: dims, Data: aligned(a.Data)}
}

// aligned copies bytes to where they are aligned for every type.
func aligned(b []byte) []byte {
	words := make([]uint64, (len(b)+7)/8)
	l := ir.NewLiteral(ir.U64, []int64{int64(len(words))}, words)
	return l.Data[:copy(l.Data, b)]
}

// Tensor makes a tensor of the array.
func (a Array) Tensor() tensor.Tensor {
	l := a.literal()
	shape := a.Shape
	if len(shape) == 0 {
		shape = []int{1}
	}
	t := fromLiteral(l, shape)
	if len(a.Shape) == 0 {
		return t.Reshape().Clone()
	}
	return t
}

func fromLiteral(l *ir.Literal, shape []int) tensor.Tensor {
	switch l.DType {
	case ir.Bool:
		return tensor.FromSlice(ir.Elements[bool](l), shape...)
	case ir.I8:
		return tensor.FromSlice(ir.Elements[int8](l), shape...)
	case ir.I16:
		return tensor.FromSlice(ir.Elements[int16](l), shape...)
	case ir.I32:
		return tensor.FromSlice(ir.Elements[int32](l), shape...)
	case ir.I64:
		return tensor.FromSlice(ir.Elements[int64](l), shape...)
	case ir.U8:
		return tensor.FromSlice(ir.Elements[uint8](l), shape...)
	case ir.U16:
		return tensor.FromSlice(ir.Elements[uint16](l), shape...)
	case ir.U32:
		return tensor.FromSlice(ir.Elements[uint32](l), shape...)
	case ir.U64:
		return tensor.FromSlice(ir.Elements[uint64](l), shape...)
	case ir.F32:
		return tensor.FromSlice(ir.Elements[float32](l), shape...)
	case ir.F64:
		return tensor.FromSlice(ir.Elements[float64](l), shape...)
	}
	return tensor.FromBits(l.DType, ir.Elements[uint16](l), shape...)
}

// Spec is the array's type as Trace has it.
func (a Array) Spec() string { return ir.Of(a.dtype(), a.literal().Type().Shape).String() }

// floats are the elements in f64, which holds all of a floating-point type.
func (a Array) floats() []float64 {
	l := a.literal()
	switch a.dtype() {
	case ir.F64:
		return ir.Elements[float64](l)
	case ir.F32:
		return convert(ir.Elements[float32](l), func(x float32) float64 { return float64(x) })
	}
	value := ir.F16Value
	if a.dtype() == ir.BF16 {
		value = ir.BF16Value
	}
	return convert(ir.Elements[uint16](l), func(x uint16) float64 { return float64(value(x)) })
}

func convert[A any](xs []A, f func(A) float64) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = f(x)
	}
	return out
}

// Want is an expected result.
type Want struct {
	Array
	// Exact, where it is there, is the exact result as f64, Low what that
	// leaves out, else it is the array; Ulps is how many units of the last
	// place of the type a result may be off, and Bound an absolute error, one
	// or one an element, that it may have instead. Without these elements agree
	// to the bit, but that NaN is NaN.
	Exact, Low, Bound []byte
	Ulps              float64
	// AnyZero lets the sign of zeros differ where NumPy leaves it open.
	AnyZero bool
}

func f64s(b []byte) []float64 {
	return ir.Elements[float64](&ir.Literal{DType: ir.F64, Shape: []int64{int64(len(b) / 8)}, Data: b})
}

// precision is the number of digits of a mantissa and the exponent of the
// smallest numbers' last digit.
var precision = map[ir.DType][2]int{ir.F16: {11, -24}, ir.BF16: {8, -133}, ir.F32: {24, -149},
	ir.F64: {53, -1074}}

// ulp is the unit in the last place of x in type d.
func ulp(x float64, d ir.DType) float64 {
	p := precision[d]
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return math.Ldexp(1, p[1])
	}
	_, e := math.Frexp(x)
	return math.Ldexp(1, max(e-p[0], p[1]))
}

// Compare compares a result with what is wanted.
func (w *Want) Compare(got Array) error {
	if got.DType != w.DType {
		return fmt.Errorf("type %s, want %s", got.DType, w.DType)
	}
	if fmt.Sprint(got.Shape) != fmt.Sprint(w.Shape) {
		return fmt.Errorf("shape %v, want %v", got.Shape, w.Shape)
	}
	d := w.dtype()
	if !d.IsFloat() {
		size := d.Size()
		for i := range len(w.Data) / size {
			g, e := got.Data[i*size:][:size], w.Data[i*size:][:size]
			if string(g) != string(e) {
				return fmt.Errorf("element %d is %x, want %x (little-endian)", i, g, e)
			}
		}
		return nil
	}
	gs, ws := got.floats(), w.floats()
	exact, low, bound := f64s(w.Exact), f64s(w.Low), f64s(w.Bound)
	if len(exact) == 0 {
		exact = ws
	}
	if len(bound) == 1 {
		bound = slices.Repeat(bound, len(gs))
	}
	for i, g := range gs {
		if g == ws[i] && (w.AnyZero || math.Signbit(g) == math.Signbit(ws[i])) ||
			math.IsNaN(g) && math.IsNaN(ws[i]) {
			continue
		}
		off := math.Abs(g - exact[i])
		if len(low) > 0 {
			off = math.Abs((g - exact[i]) - low[i])
		}
		limit := w.Ulps * ulp(exact[i], d)
		if len(bound) > 0 {
			limit = max(limit, bound[i])
		}
		zeros := g == 0 && exact[i] == 0 && len(bound) == 0 // of different signs
		if !(off <= limit) && !overflows(g, exact[i], d) || zeros {
			return fmt.Errorf("element %d is %v, want %v: off by %.3g ulp", i, g, exact[i],
				off/ulp(exact[i], d))
		}
	}
	return nil
}

// overflows reports whether g is the infinity next to a result at the end of
// the type's range.
func overflows(g, exact float64, d ir.DType) bool {
	f, err := tensor.Finfo(d)
	return err == nil && math.IsInf(g, 0) && math.Abs(exact) >= f.Max && (g > 0) == (exact > 0)
}
