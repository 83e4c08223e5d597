package mathfn

// Exponential functions.

// ln2 in two floats of each type; products of the first with an exponent are
// exact in an fma that cancels.
const (
	log2e   = 0x1.71547652b82fep+0
	ln2Hi   = 0x1.62e42fefa39efp-1
	ln2Lo   = 0x1.abc9e3b39803fp-56
	ln2Hi32 = 0x1.62e43p-1
	ln2Lo32 = -0x1.05c61p-29
)

// expParts writes e**x as (1+e)*2**n with |log(1+e)| <= log(2)/2.
func expParts(x expr) (e, n expr) {
	hi2, lo2, c := ln2Hi, ln2Lo, exp64Coef
	if formatOf(x) == single {
		hi2, lo2, c = ln2Hi32, ln2Lo32, exp32Coef
	}
	f, n := nearest(x, log2e)
	r := negFMA(f, like(x, hi2), x)
	r = negFMA(f, like(x, lo2), r)
	return fma(mul(r, r), poly(r, c), r), n
}

// expPieces is the same with e as r + tail, where r is an argument reduced and
// the tail small, which has what rounding r lost.
func expPieces(x, lo expr) (r, tail, n expr) {
	hi2, lo2, c := ln2Hi, ln2Lo, exp64Coef
	if formatOf(x) == single {
		hi2, lo2, c = ln2Hi32, ln2Lo32, exp32Coef
	}
	f, n := nearest(x, log2e)
	a := negFMA(f, like(x, hi2), x)
	r = negFMA(f, like(x, lo2), a)
	tail = negFMA(f, like(x, lo2), sub(a, r))
	if lo != nil {
		var rest expr
		r, rest = sum(r, lo)
		tail = add(tail, rest)
	}
	return r, fma(mul(r, r), poly(r, c), tail), n
}

// expMantissa writes e**(x+lo) as t*2**n with log(t) about within log(2)/2; t is
// good to 0.55 ulp. lo may be nil.
func expMantissa(x, lo expr) (t, n expr) {
	r, tail, n := expPieces(x, lo)
	t, lost := fastSum(like(x, 1), r)
	return add(t, add(lost, tail)), n
}

// between limits x to [lo, hi]; NaN stays.
func between(x expr, lo, hi float64) expr {
	x = sel(lt(x, like(x, lo)), like(x, lo), x)
	return sel(gt(x, like(x, hi)), like(x, hi), x)
}

func exp32(x expr) expr {
	e, n := expParts(between(x, -104, 89))
	return scale(add(like(x, 1), e), n)
}

func exp64(x expr) expr { return expSum(x, nil, 0) }

// expSum is e**(x+lo) * 2**k.
func expSum(x, lo expr, k int64) expr {
	t, n := expMantissa(between(x, -746, 711), lo)
	if k != 0 {
		n = add(n, intLike(n, k))
	}
	return scale(t, n)
}

// expm1 is 2**n*(1+e) - 1 = 2*((s - 1/2) + s*e) with s = 2**(n-1), which does
// not overflow before the result.
func expm1(x expr) expr {
	most := 709.8
	if formatOf(x) == single {
		most = 88.8
	}
	r, tail, n := expPieces(between(x, -40, most), nil)
	s := pow2(x, sub(n, intLike(n, 1)))
	h := sub(s, like(x, 0.5))
	v := fma(s, r, h)
	lost := fma(s, r, sub(h, v))
	y := mul(add(v, fma(s, tail, lost)), like(x, 2))
	return sel(eq(x, like(x, 0)), x, y)
}

// sigmoid32, with e**-x = t*2**-n, is 2**n/(2**n+t). The power is 2**24 times as
// large, which the result of the least x, 2**-150, needs. Below 2**-23 it is no part
// of 1+2**n.
func sigmoid32(x expr) expr {
	x = between(x, -103.98, 20)
	f, n := nearest(x, log2e)
	r := fma(f, like(x, ln2Hi32), neg(x))
	r = fma(f, like(x, ln2Lo32), r)
	e := fma(mul(r, r), poly(r, exp32Coef), r) // t-1
	s := pow2(x, add(n, intLike(n, 24)))
	one, down := like(x, 1), like(x, 0x1p-24)
	e = sel(lt(f, like(x, -23.5)), fma(s, down, e), e)
	d := add(fma(s, down, one), e)
	return mul(div(s, d), down)
}

// sigmoid64, from e = e**-|x|, is 1/(1+e) or e/(1+e), corrected by what the sum
// and the quotient lost.
func sigmoid64(x expr) expr {
	e := exp64(neg(abs(x)))
	one := like(x, 1)
	d, lost := fastSum(one, e)
	left := lt(x, like(x, 0))
	num := sel(left, e, one)
	q := div(num, d)
	inverse := sel(left, sub(one, q), q) // of d
	return fma(negFMA(q, lost, negFMA(q, d, num)), inverse, q)
}

// sinh is an odd polynomial below 1, and (e**x - e**-x)/2 above, from
// e = e**|x|/2.
func sinh(x, e expr, c []float64) expr {
	a := abs(x)
	z := mul(a, a)
	small := fma(mul(a, z), poly(z, c), a)
	large := sub(e, div(like(x, 0.25), e))
	return withSign(sel(lt(a, like(x, 1)), small, large), x)
}

func sinh32(x expr) expr { return sinh(x, halfExp32(abs(x)), sinh32Coef) }
func sinh64(x expr) expr { return sinh(x, expSum(abs(x), nil, -1), sinh64Coef) }

func cosh(x, e expr) expr { return add(e, div(like(x, 0.25), e)) }
func cosh32(x expr) expr  { return cosh(x, halfExp32(abs(x))) }
func cosh64(x expr) expr  { return cosh(x, expSum(abs(x), nil, -1)) }

// halfExp32 is e**x/2 for x >= 0.
func halfExp32(x expr) expr {
	e, n := expParts(between(x, 0, 90))
	return scale(half(add(like(x, 1), e)), n)
}

func tanh32(x expr) expr {
	a := abs(x)
	e := exp32(mul(between(a, 0, 10), like(x, 2)))
	return tanh(x, a, e, tanh32Coef)
}

func tanh64(x expr) expr {
	a := abs(x)
	e := exp64(mul(between(a, 0, 22), like(x, 2)))
	return tanh(x, a, e, tanh64Coef)
}

// tanh, from e = e**(2|x|): 1 - 2/(e+1) where the quotient is below 1/2, else
// an odd polynomial.
func tanh(x, a, e expr, c []float64) expr {
	z := mul(a, a)
	small := fma(mul(a, z), poly(z, c), a)
	one := like(x, 1)
	large := sub(one, div(like(x, 2), add(e, one)))
	return withSign(sel(lt(a, like(x, 0.55)), small, large), x)
}
