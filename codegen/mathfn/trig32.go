package mathfn

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Trigonometric functions of f32.

// pi/2 in three floats, each below what is left, so that products of the last two
// with zero are zeros of one sign.
const (
	pio2Hi24  = 0x1.921fb4p+0
	pio2Mid24 = 0x1.4442dp-24
	pio2Lo24  = 0x1.846988p-48
)

// near32 is the limit below which angles are reduced in f32. The nearest multiple of
// pi/2 may be the second nearest there, but no angle is above 0.791.
const near32 = 0x1p17

// angle32 is an argument less a multiple of pi/2, as hi-less, and bits of which the low
// two are those of the multiple. Of -0 hi is -0 and less is +0.
type angle32 struct{ hi, less, quadrant expr }

// reduce32 reduces x, and adds shift to the multiple. Below near32 the first difference
// is exact, a multiple of 2**-24; so is what the second one lost, since it subtracts a
// number below 2**-7 (Dekker 1971, the condition being that of Daumas, Rideau and
// Théry 2001); and no hi is below 2**-28 but of an x below pi/4, where f is 0.
func reduce32(x expr, shift float64) angle32 {
	magic := like(x, single.magic+shift)
	t := fma(x, like(x, twoOPi), magic)
	f := sub(t, magic)
	a := negFMA(f, like(x, pio2Hi24), x)
	p := mul(f, like(x, pio2Mid24))
	hi := sub(a, p)
	less := fma(f, like(x, pio2Lo24), fma(f, like(x, pio2Mid24), neg(p)))
	less = sub(less, sub(sub(a, hi), p))
	far := ge(abs(x), like(x, near32))
	big := reduceFar32(x, int64(shift))
	return angle32{
		sel(far, big.hi, hi), sel(far, big.less, less), sel(far, big.quadrant, bits(t)),
	}
}

// reduceFar32 is that in f64, where one double is enough: no f32 below 2**30 is nearer
// than 2**-35 to a multiple of pi/2. What is not finite gives NaN.
func reduceFar32(x expr, shift int64) angle32 {
	w := kernel.CastExpr(ir.F64, x)
	a := reduce(abs(w), 0x1p30)
	r := float(ir.F64, xor(bits(finite(w, a.hi)), signBit(w)))
	minus := shr(bits(w), 63)
	q := add(sub(xor(a.quadrant, minus), minus), intLike(minus, shift))
	hi := kernel.CastExpr(ir.F32, r)
	less := kernel.CastExpr(ir.F32, sub(kernel.CastExpr(ir.F64, hi), r))
	return angle32{hi, less, kernel.CastExpr(ir.I32, q)}
}

// odd is whether the multiple is.
func (a angle32) odd() expr {
	return ne(and(a.quadrant, intLike(a.quadrant, 1)), intLike(a.quadrant, 0))
}

func sin32(x expr) expr { return trig32(reduce32(x, 0)) }
func cos32(x expr) expr { return trig32(reduce32(x, 1)) }

// trig32 is the sine of an angle: that of hi-less, or the cosine, of which the square
// is not rounded before the difference.
func trig32(a angle32) expr {
	z := mul(a.hi, a.hi)
	s := sub(a.hi, fma(mul(a.hi, z), poly(z, sin32Coef), a.less))
	tail := fma(z, mul(z, poly(z, cos32Coef)), mul(a.hi, a.less))
	c := sub(like(z, 1), fma(half(a.hi), a.hi, neg(tail)))
	flip := shl(and(a.quadrant, intLike(a.quadrant, 2)), 30)
	return float(ir.F32, xor(bits(sel(a.odd(), c, s)), flip))
}

// tan32 is t = tan(hi-less) or -1/t, corrected by what rounding t and the quotient lost.
// The derivative of the tangent is 1 + z + z**2 to a fiftieth.
func tan32(x expr) expr {
	a := reduce32(x, 0)
	one := like(x, 1)
	z := mul(a.hi, a.hi)
	less := mul(a.less, fma(z, add(z, one), one))
	w := fma(mul(a.hi, z), poly(z, tan32Coef), less)
	t := sub(a.hi, w)
	lost := sub(sub(a.hi, t), w)
	q := div(like(x, -1), t)
	q = fma(q, fma(q, lost, fma(q, t, one)), q)
	return sel(a.odd(), q, t)
}
