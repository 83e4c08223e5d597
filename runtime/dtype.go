package runtime

import (
	"math"
	"unsafe"
)

// DType is the type of a tensor's elements.
type DType uint8

// The element types. The zero DType is that of the zero Tensor, which holds nothing.
const (
	NoDType DType = iota
	Bool
	I8
	I16
	I32
	I64
	U8
	U16
	U32
	U64
	F16
	BF16
	F32
	F64
	String
)

var dtypes = [...]struct {
	name string
	size int
}{
	NoDType: {"none", 0}, Bool: {"bool", 1},
	I8: {"i8", 1}, I16: {"i16", 2}, I32: {"i32", 4}, I64: {"i64", 8},
	U8: {"u8", 1}, U16: {"u16", 2}, U32: {"u32", 4}, U64: {"u64", 8},
	F16: {"f16", 2}, BF16: {"bf16", 2}, F32: {"f32", 4}, F64: {"f64", 8},
	String: {"string", int(unsafe.Sizeof(""))},
}

// String returns the short name of d, such as f32.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return "invalid"
}

// Size returns the bytes of one element in memory.
func (d DType) Size() int {
	if int(d) < len(dtypes) {
		return dtypes[d].size
	}
	return 0
}

// ParseDType returns the DType whose short name is s.
func ParseDType(s string) (DType, bool) {
	for d := Bool; int(d) < len(dtypes); d++ {
		if dtypes[d].name == s {
			return d, true
		}
	}
	return NoDType, false
}

// Float16 is the bits of an IEEE 754 half-precision number.
type Float16 uint16

// BFloat16 is the upper half of the bits of a float32.
type BFloat16 uint16

// Elem is the constraint of the Go types of elements.
type Elem interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 |
		Float16 | BFloat16 | float32 | float64 | string
}

// DTypeOf returns the DType whose elements are T in Go.
func DTypeOf[T Elem]() DType {
	var z T
	switch any(z).(type) {
	case bool:
		return Bool
	case int8:
		return I8
	case int16:
		return I16
	case int32:
		return I32
	case int64:
		return I64
	case uint8:
		return U8
	case uint16:
		return U16
	case uint32:
		return U32
	case uint64:
		return U64
	default:
		return floatDType(any(z))
	}
}

func floatDType(z any) DType {
	switch z.(type) {
	case Float16:
		return F16
	case BFloat16:
		return BF16
	case float32:
		return F32
	case float64:
		return F64
	case string:
		return String
	}
	panic("BUG: runtime: DTypeOf: no DType for this type")
}

// Float32 returns the value of h, which float32 holds exactly.
func (h Float16) Float32() float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10&31), uint32(h&0x3ff)
	switch exp {
	case 0: // zero and subnormals: frac * 2^-24
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// ToFloat16 returns f rounded to nearest, ties to even; NaN stays NaN.
func ToFloat16(f float32) Float16 {
	b := math.Float32bits(f)
	sign, a := Float16(b>>16&0x8000), b&0x7fffffff
	switch {
	case a > 0x7f800000:
		return sign | 0x7e00 | Float16(a>>13&0x3ff)
	case a >= 0x477ff000: // rounds to 65536 or more
		return sign | 0x7c00
	case a < 0x38800000: // subnormal: adding 0.5 makes the last bit worth 2^-24
		return sign | Float16(math.Float32bits(math.Float32frombits(a)+0.5)-0x3f000000)
	}
	return sign | Float16((a-0x38000000+0xfff+(a>>13&1))>>13)
}

// Float32 returns the value of h, which float32 holds exactly.
func (h BFloat16) Float32() float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBFloat16 returns f rounded to nearest, ties to even; NaN stays NaN.
func ToBFloat16(f float32) BFloat16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return BFloat16(b>>16 | 0x40)
	}
	return BFloat16((b + 0x7fff + (b >> 16 & 1)) >> 16)
}
