package tensor

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/ir"
)

// What the array API calls data type functions.

// FloatInfo describes a floating-point type.
type FloatInfo struct {
	DType          DType
	Bits           int
	Eps            float64 // distance from 1 to the next number
	Max, Min       float64 // the largest and its negative
	SmallestNormal float64
}

var finfo = map[DType]FloatInfo{
	F16:  {F16, 16, 0x1p-10, 65504, -65504, 0x1p-14},
	BF16: {BF16, 16, 0x1p-7, 0x1.fep127, -0x1.fep127, 0x1p-126},
	F32:  {F32, 32, 0x1p-23, math.MaxFloat32, -math.MaxFloat32, 0x1p-126},
	F64:  {F64, 64, 0x1p-52, math.MaxFloat64, -math.MaxFloat64, 0x1p-1022},
}

// Finfo returns the limits of a floating-point type; an error for others.
func Finfo(d DType) (FloatInfo, error) {
	f, ok := finfo[d]
	if !ok {
		return f, fmt.Errorf("tensor: Finfo: %v, want a floating-point type: Iinfo has the others", d)
	}
	return f, nil
}

// IntInfo describes an integer type.
type IntInfo struct {
	DType DType
	Bits  int
	Min   int64
	Max   uint64
}

// Iinfo returns the limits of an integer type; an error for others.
func Iinfo(d DType) (IntInfo, error) {
	i := IntInfo{DType: d, Bits: d.Bits()}
	switch {
	case d.IsSigned():
		i.Min, i.Max = -1<<(i.Bits-1), 1<<(i.Bits-1)-1
	case d.IsUnsigned():
		i.Max = math.MaxUint64 >> (64 - i.Bits)
	default:
		return IntInfo{}, fmt.Errorf("tensor: Iinfo: %v, want an integer type: Finfo has the others", d)
	}
	return i, nil
}

// CanCast reports whether every number of type from is kept by type to as
// promotion sees it: i32 to f64, but not to f32.
func CanCast(from, to DType) bool {
	d, err := Promote(from, to)
	return err == nil && d == to
}

// ResultType returns the type in which its arguments meet: tensors, element
// types and Go numbers, of which int, float64 and bool are weak.
func ResultType(xs ...any) (DType, error) {
	c := start("ResultType")
	os := make([]operand, len(xs))
	for i, x := range xs {
		switch x := x.(type) {
		case DType:
			os[i].n = &node{typ: ir.T(x)}
		case Tensor:
			if c.check(x) {
				os[i].n = &node{typ: x.typ()}
			}
		default:
			os[i] = c.operand(x)
		}
	}
	if len(xs) == 0 {
		c.fail("no arguments")
	}
	d := c.meet(os...)
	if c.err != nil {
		return ir.Invalid, c.err
	}
	return d, nil
}

// kinds are the array API's names of sets of types.
var kinds = map[string]ir.DTypes{
	"bool": ir.Booleans, "signed integer": ir.Signed, "unsigned integer": ir.Unsigned,
	"integral": ir.Ints, "real floating": ir.Floats, "numeric": ir.Numeric, "complex floating": 0,
}

// IsDType reports whether d is one of the kinds: a [DType], or one of "bool",
// "signed integer", "unsigned integer", "integral", "real floating",
// "numeric". Other words are an error.
func IsDType(d DType, of ...any) (bool, error) {
	is := false
	for _, k := range of {
		switch k := k.(type) {
		case DType:
			is = is || d == k
		case string:
			set, ok := kinds[k]
			if !ok {
				return false, fmt.Errorf("tensor: IsDType: no kind %q, want one such as %q", k, "integral")
			}
			is = is || set.Has(d)
		default:
			return false, fmt.Errorf("tensor: IsDType: a %T, want a DType or a word", k)
		}
	}
	return is, nil
}
