package mathfn

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Trigonometric functions.

// pi/2 in three doubles.
const (
	pio2Hi  = 0x1.921fb54442d18p+0
	pio2Mid = 0x1.1a62633145c07p-54
	pio2Lo  = -0x1.f1976b7ed8fbcp-110
	twoOPi  = 0x1.45f306dc9c883p-1
)

// angle is an argument less a multiple of pi/2: |hi+lo| <= pi/4, and the
// multiple's low two bits.
type angle struct{ hi, lo, quadrant expr }

// reduce reduces x >= 0. Below limit by products with pi/2 in parts (Cody and
// Waite 1980): the first subtraction is exact, since x and the product are
// multiples of 2**-53 and the difference is below 1. Above by Payne and Hanek.
func reduce(x expr, limit float64) angle {
	f, n := nearest(x, twoOPi)
	t := negFMA(f, like(x, pio2Hi), x)
	hi := negFMA(f, like(x, pio2Mid), t)
	lo := negFMA(f, like(x, pio2Mid), sub(t, hi))
	lo = negFMA(f, like(x, pio2Lo), lo)
	far := ge(x, like(x, limit))
	big := reduceFar(x)
	return angle{
		sel(far, big.hi, hi), sel(far, big.lo, lo), sel(far, big.quadrant, n),
	}
}

// reduceFar reduces a finite x >= 2**22 by the bits of 2/pi that matter: for
// x = m*2**e with an integer m of 53 bits, 192 bits of 2/pi from the one of
// weight 2**(1-e) on give m*2**e*2/pi mod 4 with 2**-137 (Payne and Hanek
// 1983). Integers are u64.
func reduceFar(x expr) angle {
	u := func(v uint64) expr { return kernel.ConstExpr(ir.U64, v) }
	b := kernel.BitcastExpr(ir.U64, x)
	m := or(and(b, u(1<<52-1)), u(1<<52))
	// The bit of weight 2**-p is bit p+63 of the row of words that begins
	// with a zero word; the window begins at p = e-1, where e is the biased
	// exponent less 1075.
	start := sub(shr(b, 52), u(1075-62))
	w := window(start)
	hi := mul(m, w[0])
	p1, p0 := mul128(m, w[1])
	hi = add(hi, p1)
	q1, _ := mul128(m, w[2])
	lo := add(p0, q1)
	hi = add(hi, kernel.CastExpr(ir.U64, lt(lo, p0)))
	// hi:lo is the product in units of 2**-126, quadrant in the top bits.
	quadrant := shr(hi, 62)
	h := or(shl(hi, 2), shr(lo, 62))
	l := shl(lo, 2)
	up := shr(h, 63) // nearer to the next quadrant
	quadrant = add(quadrant, up)
	minus := sub(u(0), up)
	// The magnitude of the two's complement, but for its last bit.
	h, l = xor(h, minus), xor(l, minus)
	sign := kernel.BitcastExpr(ir.F64, or(shl(up, 63), bitsU(like(x, 1))))
	fh, fl := fraction(h, l)
	fh, fl = mul(fh, sign), mul(fl, sign)
	rh := mul(fh, like(x, pio2Hi))
	rl := fma(fh, like(x, pio2Hi), neg(rh))
	rl = fma(fh, like(x, pio2Mid), fma(fl, like(x, pio2Hi), rl))
	return angle{rh, rl, kernel.CastExpr(ir.I64, quadrant)}
}

func bitsU(x expr) expr { return kernel.BitcastExpr(ir.U64, x) }

// window returns the 192 bits from bit start of 2/pi, after a zero word.
func window(start expr) [3]expr {
	words := []expr{kernel.ConstExpr(ir.U64, 0)}
	for _, w := range twoOverPi {
		words = append(words, kernel.ConstExpr(ir.U64, w))
	}
	// Word start/64 and the three after it, by halving.
	for step := 16; step > 0; step /= 2 {
		bit := ne(and(start, intLike(start, int64(64*step))), intLike(start, 0))
		next := make([]expr, min(step+3, len(words)))
		if step == 16 {
			next = make([]expr, 19)
		}
		for i := range next {
			next[i] = words[i]
			if i+step < len(words) {
				next[i] = sel(bit, words[i+step], words[i])
			}
		}
		words = next
	}
	s := and(start, intLike(start, 63))
	rest := sub(intLike(start, 63), s)
	var out [3]expr
	for i := range out {
		out[i] = or(shlBy(words[i], s), shrBy(shr(words[i+1], 1), rest))
	}
	return out
}

// mul128 is the product of two u64 in two words.
func mul128(a, b expr) (hi, lo expr) {
	low := intLike(a, 1<<32-1)
	ah, al, bh, bl := shr(a, 32), and(a, low), shr(b, 32), and(b, low)
	ll, lh, hl := mul(al, bl), mul(al, bh), mul(ah, bl)
	mid := add(add(and(lh, low), and(hl, low)), shr(ll, 32))
	hi = add(add(mul(ah, bh), shr(mid, 32)), add(shr(lh, 32), shr(hl, 32)))
	return hi, or(shl(mid, 32), and(ll, low))
}

// fraction is (h*2**64+l)/2**128 as two doubles.
func fraction(h, l expr) (hi, lo expr) {
	low := intLike(h, 1<<32-1)
	// A u32 in the low bits of 2**52.
	word := func(w expr, unit float64) expr {
		base := kernel.ConstExpr(ir.U64, 0x433<<52)
		f := kernel.BitcastExpr(ir.F64, or(w, base))
		return mul(sub(f, like(f, 0x1p52)), like(f, unit))
	}
	a, b := word(shr(h, 32), 0x1p-32), word(and(h, low), 0x1p-64)
	c, d := word(shr(l, 32), 0x1p-96), word(and(l, low), 0x1p-128)
	hi, lo = fastSum(a, b)
	hi, e := fastSum(hi, add(c, d))
	return fastSum(hi, add(e, lo))
}

// fastSum is a+b and what that loses, for |a| >= |b| or a = 0.
func fastSum(a, b expr) (s, lost expr) {
	s = add(a, b)
	return s, sub(b, sub(s, a))
}

// sinKernel and cosKernel are sine and cosine of a reduced angle.
func sinKernel(a angle, c []float64) expr {
	z := mul(a.hi, a.hi)
	p := mul(mul(a.hi, z), poly(z, c))
	return add(a.hi, add(p, fma(half(z), neg(a.lo), a.lo)))
}

func cosKernel(a angle, c []float64) expr {
	z := mul(a.hi, a.hi)
	one, h := like(z, 1), half(z)
	w := sub(one, h)
	tail := negFMA(a.hi, a.lo, mul(mul(z, z), poly(z, c)))
	return add(w, add(sub(sub(one, w), h), tail))
}

// trig is the sine of an angle: shift is 0 for sine, 1 for cosine; sign, the
// sign bit of the argument or nil.
func trig(a angle, s, c []float64, shift int64, sign expr) expr {
	q := a.quadrant
	if shift != 0 {
		q = add(q, intLike(q, shift))
	}
	odd := ne(and(q, intLike(q, 1)), intLike(q, 0))
	y := sel(odd, cosKernel(a, c), sinKernel(a, s))
	flip := shl(and(q, intLike(q, 2)), 62)
	if sign != nil {
		flip = xor(flip, sign)
	}
	return float(ir.F64, xor(bits(y), flip))
}

// finite gives NaN where x is not finite.
func finite(x, y expr) expr { return sel(lt(abs(x), like(x, inf)), y, like(y, nan)) }

func sin64(x expr) expr {
	return finite(x, trig(reduce(abs(x), 0x1p22), sin64Coef, cos64Coef, 0, signBit(x)))
}

func cos64(x expr) expr {
	return finite(x, trig(reduce(abs(x), 0x1p22), sin64Coef, cos64Coef, 1, nil))
}

// tan64 divides sine and cosine, each with what its last addition lost.
func tan64(x expr) expr {
	a := reduce(abs(x), 0x1p22)
	s, sLo := lossy(sinKernel(a, sin64Coef))
	c, cLo := lossy(cosKernel(a, cos64Coef))
	odd := ne(and(a.quadrant, intLike(a.quadrant, 1)), intLike(a.quadrant, 0))
	n, nLo := sel(odd, neg(c), s), sel(odd, neg(cLo), sLo)
	d, dLo := sel(odd, s, c), sel(odd, sLo, cLo)
	inverse := div(like(d, 1), d)
	q := mul(n, inverse)
	rest := add(negFMA(q, d, n), negFMA(q, dLo, nLo))
	y := fma(rest, inverse, q)
	return finite(x, float(ir.F64, xor(bits(y), signBit(x))))
}

// lossy splits y = a+b, |a| >= |b|, into the sum and what it lost.
func lossy(y expr) (sum, lost expr) { return fastSum(y.Args[0], y.Args[1]) }
