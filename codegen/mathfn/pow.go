package mathfn

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Powers.

// pow32 is e**(y*log|x|) in f64, where 53 bits of the logarithm are enough.
func pow32(x, y expr) expr {
	x, y = kernel.CastExpr(ir.F64, x), kernel.CastExpr(ir.F64, y)
	a := abs(x)
	r := exp64(mul(y, logDomain(a, logPlus(a, nil))))
	return kernel.CastExpr(ir.F32, powDomain(x, y, r))
}

// pow64 is the same with the logarithm and its product with y in two doubles.
func pow64(x, y expr) expr {
	a := abs(x)
	hi, lo := logDouble(a)
	hi = logDomain(a, hi)
	p := mul(y, hi)
	tail := fma(y, lo, fma(y, hi, neg(p)))
	usable := lt(abs(p), like(p, 1e4))
	tail = sel(usable, tail, like(p, 0)) // elsewhere the result is 0 or infinite
	return powDomain(x, y, expSum(p, tail, 0))
}

// powDomain gives r, the power of |x|, its sign and its special values.
func powDomain(x, y, r expr) expr {
	zero, one := like(x, 0), like(x, 1)
	whole := eq(y, trunc(y))
	h := half(y)
	odd := and(whole, ne(h, trunc(h)))
	negative := lt(bits(x), intLike(bits(x), 0))
	r = sel(and(negative, odd), neg(r), r)
	finite := and(lt(x, zero), gt(x, like(x, -inf)))
	r = sel(and(finite, not(whole)), like(x, nan), r)
	r = sel(and(eq(x, like(x, -1)), eq(abs(y), like(x, inf))), one, r)
	nans := or(op(ir.OpIsNaN, x), op(ir.OpIsNaN, y))
	r = sel(nans, like(x, nan), r)
	return sel(or(eq(y, zero), eq(x, one)), one, r)
}

// logDouble is log(x) for positive finite x in two doubles, good to about
// 2**-67: 2*atanh(s) with s = f/(2+f), s, s**2 and the first term of the
// series in two doubles.
func logDouble(x expr) (hi, lo expr) {
	m, k := mantissa(x)
	f := sub(m, like(x, 1))
	d := add(f, like(x, 2))
	dLo := sub(f, sub(d, like(x, 2)))
	s := div(f, d)
	sLo := div(sub(negFMA(s, d, f), mul(s, dLo)), d)
	z := mul(s, s)
	zLo := fma(s, s, neg(z))
	zLo = fma(add(s, s), sLo, zLo)
	// t = 1/3 + z*P(z)
	const third, thirdLo = 0x1.5555555555555p-2, 0x1.5555555555555p-56
	p := mul(z, poly(z, pow64Coef))
	t, tLo := fastSum(like(x, third), p)
	tLo = add(tLo, like(x, thirdLo))
	// u = s*z*t
	v, vLo := product(s, sLo, z, zLo)
	u, uLo := product(v, vLo, t, tLo)
	a, aLo := fastSum(s, u)
	aLo = add(aLo, add(sLo, uLo))
	a, aLo = add(a, a), add(aLo, aLo)
	// n*log(2), whose high part has 42 bits.
	const ln2High, ln2Low = 0x1.62e42fefa38p-1, 0x1.ef35793c7673p-45
	n := floatOf(x, k)
	nHi := mul(n, like(x, ln2High))
	hi, lo = sum(nHi, a)
	lo = add(lo, fma(n, like(x, ln2Low), aLo))
	return fastSum(hi, lo)
}

// product is (a+aLo)*(b+bLo).
func product(a, aLo, b, bLo expr) (p, lost expr) {
	p = mul(a, b)
	return p, fma(a, bLo, fma(aLo, b, fma(a, b, neg(p))))
}

// sum is a+b and what that loses.
func sum(a, b expr) (s, lost expr) {
	s = add(a, b)
	t := sub(s, a)
	return s, add(sub(a, sub(s, t)), sub(b, t))
}

// fmaOdd is x*y+z for arguments of at most 24 bits in f64, rounded to odd: so
// that rounding it to their type is rounding once.
func fmaOdd(a []expr) expr {
	s, lost := sum(mul(a[0], a[1]), a[2])
	b := bits(s)
	toward := sel(eq(gt(lost, like(s, 0)), gt(s, like(s, 0))), intLike(b, 1), intLike(b, -1))
	even := eq(and(b, intLike(b, 1)), intLike(b, 0))
	inexact := and(ne(lost, like(s, 0)), lt(abs(s), like(s, inf)))
	return float(ir.F64, sel(and(even, inexact), add(b, toward), b))
}

// powInt is x**y by squaring, for every bit of y.
func powInt(x, y expr) expr {
	d := x.DType
	c := func(k int64) expr { return kernel.ConstExpr(d, uint64(k)) }
	p, square := c(1), x
	n := d.Bits()
	if d.IsSigned() {
		n--
	}
	for i := range n {
		bit := ne(and(y, c(int64(1)<<i)), c(0))
		p = sel(bit, mul(p, square), p)
		if i < n-1 {
			square = mul(square, square)
		}
	}
	if d.IsUnsigned() {
		return p
	}
	// A negative power of 1 is 1, of -1 is 1 or -1, of others 0.
	sign := sub(c(1), shl(and(y, c(1)), 1))
	inverse := sel(eq(x, c(1)), c(1), sel(eq(x, c(-1)), sign, c(0)))
	return sel(lt(y, c(0)), inverse, p)
}
