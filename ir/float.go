package ir

import "math"

// The floating-point formats smaller than float32, held as their bits.

// floatFormat describes a binary format of at most 16 bits.
type floatFormat struct {
	exp, man uint // widths of exponent and mantissa
	inf      bool // has infinities; else only the largest code is NaN
}

var (
	formatF16  = floatFormat{exp: 5, man: 10, inf: true}
	formatBF16 = floatFormat{exp: 8, man: 7, inf: true}
	formatE4M3 = floatFormat{exp: 4, man: 3}
	formatE5M2 = floatFormat{exp: 5, man: 2, inf: true}
)

func (f floatFormat) bias() int { return 1<<(f.exp-1) - 1 }

func (f floatFormat) sign() uint16 { return 1 << (f.exp + f.man) }

// nan returns the canonical quiet NaN.
func (f floatFormat) nan() uint16 {
	if !f.inf {
		return f.sign() - 1
	}
	return (1<<f.exp-1)<<f.man | 1<<(f.man-1)
}

// overflow returns the code of what lies beyond the largest finite number.
func (f floatFormat) overflow() uint16 {
	if !f.inf {
		return f.nan()
	}
	return (1<<f.exp - 1) << f.man
}

// decode returns the value of the code b, exactly.
func (f floatFormat) decode(b uint16) float64 {
	man, exp := int(b&(1<<f.man-1)), int(b>>f.man)&(1<<f.exp-1)
	var v float64
	switch {
	case f.inf && exp == 1<<f.exp-1 && man == 0:
		v = math.Inf(1)
	case f.inf && exp == 1<<f.exp-1, !f.inf && b&(f.sign()-1) == f.nan():
		v = math.NaN()
	case exp == 0:
		v = math.Ldexp(float64(man), 1-f.bias()-int(f.man))
	default:
		v = math.Ldexp(float64(man|1<<f.man), exp-f.bias()-int(f.man))
	}
	if b&f.sign() != 0 {
		v = math.Copysign(v, -1)
	}
	return v
}

// encode returns the code nearest to x, ties to even. Overflow gives an
// infinity, or NaN where the format has none.
func (f floatFormat) encode(x float64) uint16 {
	bits := math.Float64bits(x)
	sign := uint16(bits>>63) * f.sign()
	x = math.Abs(x)
	if x != x {
		return sign | f.nan()
	}
	exp := int(bits>>52)&2047 - 1023
	if exp > f.bias()+1 {
		return sign | f.overflow()
	}
	exp = max(exp, 1-f.bias())
	// In units of the last place n fits in man+2 bits, and scaling is exact.
	n := uint16(math.RoundToEven(math.Ldexp(x, int(f.man)-exp)))
	code := uint16(exp+f.bias()-1)<<f.man + n // a carry moves to the exponent
	return sign | min(code, f.overflow())
}

// F16Bits returns the float16 nearest to x, as bits.
func F16Bits(x float64) uint16 { return formatF16.encode(x) }

// BF16Bits returns the bfloat16 nearest to x, as bits. A float32 argument is
// rounded once.
func BF16Bits(x float64) uint16 { return formatBF16.encode(x) }

// F16Value returns the value of the float16 with the bits b.
func F16Value(b uint16) float32 {
	exp, man := uint32(b>>10)&31, uint32(b)&1023
	sign := uint32(b&0x8000) << 16
	switch exp {
	case 0:
		f := float32(man) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | man<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
}

// BF16Value returns the value of the bfloat16 with the bits b.
func BF16Value(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// F8Value returns the value of an element of F8E4M3 or F8E5M2.
func F8Value(d DType, b uint8) float32 { return float32(d.format().decode(uint16(b))) }

// F8Bits returns the element of F8E4M3 or F8E5M2 nearest to x. Overflow gives
// an infinity, or NaN in F8E4M3, which has no infinities.
func F8Bits(d DType, x float64) uint8 { return uint8(d.format().encode(x)) }

// format returns the format of the floating-point types below 32 bits.
func (d DType) format() floatFormat {
	switch d {
	case F16:
		return formatF16
	case BF16:
		return formatBF16
	case F8E4M3:
		return formatE4M3
	case F8E5M2:
		return formatE5M2
	}
	panic("BUG: ir: no small float format for " + d.String())
}
