package mathfn

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Inverse trigonometric functions.

// pi/2 in two floats.
const (
	pio2Hi32 = 0x1.921fb6p+0
	pio2Lo32 = -0x1.777a5cp-25
)

// Arcs of the centres in two doubles.
const (
	atanHalfHi = 0x1.dac670561bb4fp-2
	atanHalfLo = 0x1.a2b7f222f65e2p-56
	atan32Hi   = 0x1.f730bd281f69bp-1
	atan32Lo   = 0x1.007887af0cbbdp-56
)

// arcCentres says for each interval of |x| the centre c, with which
// atan(x) = atan(c) + atan((x-c)/(1+c*x)), the last arc being below 7/16; for
// the last interval c is infinite, and the quotient -1/x.
var arcCentres = []struct{ from, c, hi, lo float64 }{
	{0, 0, 0, 0},
	{7.0 / 16, 0.5, atanHalfHi, atanHalfLo},
	{11.0 / 16, 1, pio2Hi / 2, pio2Mid / 2},
	{19.0 / 16, 1.5, atan32Hi, atan32Lo},
	{39.0 / 16, 0, pio2Hi, pio2Mid},
}

// atan32 has the centres 0, 1 and infinity.
func atan32(x expr) expr {
	a := abs(x)
	one, zero := like(x, 1), like(x, 0)
	mid, far := ge(a, like(x, 0.5)), ge(a, like(x, 2))
	num := sel(far, like(x, -1), sel(mid, sub(a, one), a))
	den := sel(far, a, sel(mid, add(a, one), one))
	hi := sel(far, like(x, pio2Hi32), sel(mid, like(x, pio2Hi32/2), zero))
	lo := sel(far, like(x, pio2Lo32), sel(mid, like(x, pio2Lo32/2), zero))
	return withSign(add(hi, arcTail(div(num, den), lo, atan32Coef)), x)
}

func atan64(x expr) expr { return withSign(atanPos(abs(x)), x) }

func atanPos(a expr) expr {
	c, hi, lo := like(a, 0), like(a, 0), like(a, 0)
	for _, r := range arcCentres[1:] {
		in := ge(a, like(a, r.from))
		c = sel(in, like(a, r.c), c)
		hi, lo = sel(in, like(a, r.hi), hi), sel(in, like(a, r.lo), lo)
	}
	far := ge(a, like(a, arcCentres[4].from))
	num := sel(far, like(a, -1), sub(a, c))
	den := sel(far, a, fma(c, a, like(a, 1)))
	return add(hi, arcTail(div(num, den), lo, atan64Coef))
}

// arcTail is atan(t) + lo.
func arcTail(t, lo expr, c []float64) expr {
	z := mul(t, t)
	return add(t, fma(mul(t, z), poly(z, c), lo))
}

// atan2 is the arc of (x, y), x the ordinate: of the quotient, brought to the
// half plane of x.
func atan2(y, x expr) expr {
	zero := like(x, 0)
	ax, ay := abs(x), abs(y)
	both := and(eq(ax, like(x, inf)), eq(ay, like(x, inf)))
	q := sel(both, like(x, 1), div(ay, ax))
	q = sel(eq(ay, zero), sel(eq(ax, zero), zero, div(zero, ax)), q)
	// A quotient that is not normal loses digits, or is exact where x is huge:
	// then the arc is y/x itself.
	r := atanPos(q)
	left := lt(bits(x), intLike(bits(x), 0))
	r = sel(left, sub(like(x, math.Pi), sub(r, like(x, pio2Mid*2))), r)
	r = sel(or(op(ir.OpIsNaN, x), op(ir.OpIsNaN, y)), like(x, nan), r)
	return withSign(r, y)
}

// asin32 and acos32 know asin(s), of |x| or of the root.
func asin32(x expr) expr {
	near, s, tail := asinParts32(abs(x))
	large := sub(like(x, pio2Hi32), add(add(s, s), sub(add(tail, tail), like(x, pio2Lo32))))
	return withSign(sel(near, large, add(s, tail)), x)
}

func acos32(x expr) expr {
	near, s, tail := asinParts32(abs(x))
	twice := add(add(s, s), add(tail, tail))
	left := lt(x, like(x, 0))
	large := sel(left, sub(like(x, 2*pio2Hi32), sub(twice, like(x, 2*pio2Lo32))), twice)
	arc := float(x.DType, xor(bits(add(s, tail)), signBit(x)))
	return sel(near, large, sub(like(x, pio2Hi32), sub(arc, like(x, pio2Lo32))))
}

// asinParts32 is, where a is near 1, asin(sqrt((1-a)/2)), else asin(a), as the
// argument and the rest.
func asinParts32(a expr) (near, s, tail expr) {
	near = gt(a, like(a, 0.5))
	z := half(sub(like(a, 1), a))
	s, z = sel(near, sqrt(z), a), sel(near, z, mul(a, a))
	return near, s, mul(mul(s, z), poly(z, asin32Coef))
}

// asinTail is asin(t) - t for 0 <= t <= 1/2.
func asinTail(t expr) expr {
	z := mul(t, t)
	return mul(mul(t, z), poly(z, asin64Coef))
}

// asinNear is asin(sqrt((1-a)/2)) for 1/2 <= a <= 1, the root with what its
// rounding lost.
func asinNear(a expr) (root, tail expr) {
	z := half(sub(like(a, 1), a))
	s := sqrt(z)
	lost := div(negFMA(s, s, z), add(s, s))
	lost = sel(eq(s, like(a, 0)), like(a, 0), lost)
	return s, add(asinTail(s), lost)
}

// asin64 is pi/2 - 2*asin(sqrt((1-x)/2)) above 1/2.
func asin64(x expr) expr {
	a := abs(x)
	near := gt(a, like(x, 0.5))
	s, tail := asinNear(a)
	large := sub(like(x, pio2Hi), sub(add(s, s), sub(like(x, pio2Mid), add(tail, tail))))
	t := sel(near, like(x, 0), a)
	return withSign(sel(near, large, add(t, asinTail(t))), x)
}

func acos64(x expr) expr {
	a := abs(x)
	near := gt(a, like(x, 0.5))
	s, tail := asinNear(a)
	twice := add(add(s, s), add(tail, tail))
	left := lt(x, like(x, 0))
	large := sel(left, sub(like(x, 2*pio2Hi), sub(twice, like(x, 2*pio2Mid))), twice)
	t := sel(near, like(x, 0), x)
	small := sub(like(x, pio2Hi), sub(t, sub(like(x, pio2Mid), asinTail(t))))
	return sel(near, large, small)
}
