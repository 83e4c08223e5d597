package tensor

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// DType is an element type.
type DType = ir.DType

// The element types that tensors compute with.
const (
	Bool = ir.Bool
	I8   = ir.I8
	I16  = ir.I16
	I32  = ir.I32
	I64  = ir.I64
	U8   = ir.U8
	U16  = ir.U16
	U32  = ir.U32
	U64  = ir.U64
	F16  = ir.F16
	BF16 = ir.BF16
	F32  = ir.F32
	F64  = ir.F64
)

// Promote returns the type in which a and b meet, as NumPy's promote_types;
// bfloat16, which NumPy lacks, behaves as float16 does and meets it in
// float32. Types that are only stored (4-bit integers, 8-bit floats, strings)
// promote to nothing.
func Promote(a, b DType) (DType, error) {
	switch {
	case a == b:
		return a, nil
	case !ir.Computable.Has(a) || !ir.Computable.Has(b):
		return ir.Invalid, fmt.Errorf("%v and %v have no common type: cast one of them", a, b)
	case a == Bool:
		return b, nil
	case b == Bool:
		return a, nil
	case a.IsFloat() && b.IsFloat():
		if a.Bits() == b.Bits() {
			return F32, nil // f16 and bf16
		}
		return wider(a, b), nil
	case a.IsFloat():
		return floatWithInt(a, b), nil
	case b.IsFloat():
		return floatWithInt(b, a), nil
	case a.IsSigned() == b.IsSigned():
		return wider(a, b), nil
	case a.IsSigned():
		return signedWithUnsigned(a, b), nil
	}
	return signedWithUnsigned(b, a), nil
}

// promoteAll returns the type in which all meet, as NumPy's result_type: where there are floating-
// point types, integers meet these and not each other first. None is Invalid.
func promoteAll(ds []DType) (DType, error) {
	float, all := Bool, ir.Invalid
	var err error
	for _, d := range ds {
		if d.IsFloat() && err == nil {
			float, err = Promote(float, d)
		}
	}
	for i, d := range ds {
		if err == nil {
			d, err = Promote(float, d)
		}
		if i == 0 {
			all = d
		} else if err == nil {
			all, err = Promote(all, d)
		}
	}
	if err != nil {
		return ir.Invalid, err
	}
	return all, nil
}

func wider(a, b DType) DType {
	if a.Bits() >= b.Bits() {
		return a
	}
	return b
}

// floatWithInt is the smallest float type, not below f, that holds f and i.
func floatWithInt(f, i DType) DType {
	switch {
	case i.Bits() <= 8:
		return f
	case i.Bits() == 16:
		return wider(f, F32)
	}
	return F64
}

func signedWithUnsigned(s, u DType) DType {
	if s.Bits() > u.Bits() {
		return s
	}
	switch u {
	case U8:
		return I16
	case U16:
		return I32
	case U32:
		return I64
	}
	return F64
}

// inexact is the type in which functions such as exp compute on d: that of
// NumPy's smallest float that holds d.
func inexact(d DType) DType {
	switch {
	case d.IsFloat():
		return d
	case d.Bits() <= 8:
		return F16
	case d.Bits() == 16:
		return F32
	}
	return F64
}

// accumulator is the type in which sum and prod add d: small integers widen to
// 64 bits.
func accumulator(d DType) DType {
	switch {
	case d == Bool || d.IsSigned():
		return I64
	case d.IsUnsigned():
		return U64
	}
	return d
}

// weak is a Go scalar whose type yields to that of the tensor it meets.
type weak struct {
	kind DType // Bool, I64 or F64: what it is on its own
	i    int64
	f    float64
}

// meet is the type in which a weak scalar and a tensor of type d meet.
func (w weak) meet(d DType) DType {
	switch {
	case d == Bool:
		return w.kind
	case w.kind == F64 && !d.IsFloat():
		return F64
	}
	return d
}

// fits reports whether w can be held by the integer type d.
func (w weak) fits(d DType) bool {
	if w.kind != I64 || !d.IsInt() {
		return true
	}
	if d.IsUnsigned() {
		return w.i >= 0 && (d.Bits() == 64 || w.i < 1<<d.Bits())
	}
	return d.Bits() == 64 || w.i >= -1<<(d.Bits()-1) && w.i < 1<<(d.Bits()-1)
}
