package ir

// DType is an element type.
type DType uint8

// The element types. Int4, Uint4 and the 8-bit floats are storage types: they
// can be stored and cast, not computed with. Tuple marks the type of a value
// with several results, see [Type].
const (
	Invalid DType = iota
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
	I4
	U4
	F8E4M3
	F8E5M2
	String
	Tuple
	numDTypes
)

// dtypeInfo is one row of the dtype table.
type dtypeInfo struct {
	name string
	bits int // size of an element; 0 where it has none
}

// DTypes is a set of element types.
type DTypes uint32

// Sets of element types, used by the op table to say what an op computes on.
const (
	Booleans   DTypes = 1 << Bool
	Signed     DTypes = 1<<I8 | 1<<I16 | 1<<I32 | 1<<I64
	Unsigned   DTypes = 1<<U8 | 1<<U16 | 1<<U32 | 1<<U64
	Ints       DTypes = Signed | Unsigned
	Floats     DTypes = 1<<F16 | 1<<BF16 | 1<<F32 | 1<<F64
	Numeric    DTypes = Ints | Floats
	BoolInts   DTypes = Booleans | Ints
	Computable DTypes = Booleans | Numeric
	Storable   DTypes = Computable | 1<<I4 | 1<<U4 | 1<<F8E4M3 | 1<<F8E5M2
)

// Has reports whether d is in s.
func (s DTypes) Has(d DType) bool { return s>>d&1 != 0 }

var dtypeTable = [numDTypes]dtypeInfo{
	Invalid: {name: "invalid"},
	Bool:    {name: "bool", bits: 8},
	I8:      {name: "i8", bits: 8},
	I16:     {name: "i16", bits: 16},
	I32:     {name: "i32", bits: 32},
	I64:     {name: "i64", bits: 64},
	U8:      {name: "u8", bits: 8},
	U16:     {name: "u16", bits: 16},
	U32:     {name: "u32", bits: 32},
	U64:     {name: "u64", bits: 64},
	F16:     {name: "f16", bits: 16},
	BF16:    {name: "bf16", bits: 16},
	F32:     {name: "f32", bits: 32},
	F64:     {name: "f64", bits: 64},
	I4:      {name: "i4", bits: 4},
	U4:      {name: "u4", bits: 4},
	F8E4M3:  {name: "f8e4m3", bits: 8},
	F8E5M2:  {name: "f8e5m2", bits: 8},
	String:  {name: "string"},
	Tuple:   {name: "tuple"},
}

// String returns the name of d in the text form: "f32", "i64", "bool".
func (d DType) String() string {
	if d < numDTypes {
		return dtypeTable[d].name
	}
	return "invalid"
}

// ParseDType returns the element type that has the given name.
func ParseDType(name string) (DType, bool) {
	for d := Bool; d < Tuple; d++ {
		if dtypeTable[d].name == name {
			return d, true
		}
	}
	return Invalid, false
}

// Bits returns the size of an element in bits, 0 for strings and tuples.
func (d DType) Bits() int { return dtypeTable[d].bits }

// Size returns the size of an element in bytes, 1 for the 4-bit types, which
// are kept one to a byte, and 0 for strings and tuples.
func (d DType) Size() int { return (dtypeTable[d].bits + 7) / 8 }

// IsFloat reports whether d is f16, bf16, f32 or f64.
func (d DType) IsFloat() bool { return Floats.Has(d) }

// IsInt reports whether d is a signed or unsigned integer type of 8 to 64 bits.
func (d DType) IsInt() bool { return Ints.Has(d) }

// IsSigned reports whether d is a signed integer type of 8 to 64 bits.
func (d DType) IsSigned() bool { return Signed.Has(d) }

// IsUnsigned reports whether d is an unsigned integer type of 8 to 64 bits.
func (d DType) IsUnsigned() bool { return Unsigned.Has(d) }
