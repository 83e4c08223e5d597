package interp

import (
	"math"

	"github.com/x448/float16"
)

// Storage of the small floating-point types. Each is reached from float64 in
// one correct rounding to nearest even.

// f16 and bf16 are the bits of an element.
type (
	f16  uint16
	bf16 uint16
)

func (h f16) float() float64 { return float64(float16.Frombits(uint16(h)).Float32()) }

func (h bf16) float() float64 { return float64(math.Float32frombits(uint32(h) << 16)) }

// oddFloat32 rounds x to float32 to odd: what is inexact gets an odd last bit,
// so that rounding once more to a format of at least two bits less gives what
// rounding x itself would give (Boldo and Melquiond 2008).
func oddFloat32(x float64) float32 {
	f := float32(x)
	if float64(f) == x || x != x {
		return f
	}
	b := math.Float32bits(f)
	if math.Abs(float64(f)) > math.Abs(x) {
		b-- // the neighbour towards zero; of infinity the largest finite
	}
	return math.Float32frombits(b | 1)
}

func toF16(x float64) f16 { return f16(float16.Fromfloat32(oddFloat32(x)).Bits()) }

func toBF16(x float64) bf16 {
	b := math.Float32bits(oddFloat32(x))
	if x != x {
		return bf16(b>>16 | 1<<6) // stays a NaN when its low bits go
	}
	return bf16((b + 0x7fff + b>>16&1) >> 16)
}

// smallFloat describes an 8-bit format: 1 sign bit, then exponent, then man
// bits of mantissa. The first has is infinity and NaN as in IEEE 754 or, as
// the FN formats do, only NaN, all bits one.
type smallFloat struct {
	man, bias int
	fn        bool
}

var (
	e4m3 = smallFloat{man: 3, bias: 7, fn: true}
	e5m2 = smallFloat{man: 2, bias: 15}
)

func (s smallFloat) decode(b uint8) float64 {
	sign := 1.0
	if b >= 0x80 {
		sign = -1
	}
	b &= 0x7f
	man, exp := int(b)&(1<<s.man-1), int(b)>>s.man
	switch {
	case s.fn && b == 0x7f || !s.fn && b > s.inf():
		return math.NaN()
	case !s.fn && b == s.inf():
		return math.Inf(int(sign))
	case exp == 0:
		return sign * math.Ldexp(float64(man), 1-s.bias-s.man)
	}
	return sign * math.Ldexp(float64(man+1<<s.man), exp-s.bias-s.man)
}

// inf is the first pattern above the finite numbers.
func (s smallFloat) inf() uint8 {
	if s.fn {
		return 0x7f
	}
	return 0x7f >> s.man << s.man
}

// encode rounds to nearest even; what is too large becomes infinity, or NaN
// in a format without infinities.
func (s smallFloat) encode(x float64) uint8 {
	var sign uint8
	if math.Signbit(x) {
		sign = 0x80
	}
	x = math.Abs(x)
	switch {
	case x != x:
		return sign | 0x7f
	case math.IsInf(x, 0) || x > 1<<17: // beyond either format
		return sign | s.inf()
	case x == 0:
		return sign
	}
	_, exp := math.Frexp(x)
	exp = max(exp-1, 1-s.bias) // of the leading bit
	q := int(math.RoundToEven(math.Ldexp(x, s.man-exp)))
	// q has the leading bit at position man, or below for subnormals, and
	// carries into the exponent by itself.
	b := q + (exp+s.bias-1)<<s.man
	return sign | uint8(min(b, int(s.inf())))
}
