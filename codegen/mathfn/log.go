package mathfn

import (
	"math"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// Logarithms and what is made of them.

// mantissa writes a positive finite x as m*2**k with sqrt(1/2) <= m < sqrt(2);
// k is an integer.
func mantissa(x expr) (m, k expr) {
	f := formatOf(x)
	tiny := lt(x, like(x, math.Ldexp(1, 1-int(f.bias))))
	b := bits(sel(tiny, mul(x, like(x, math.Ldexp(1, f.man+1))), x))
	root := bitsOf(x, math.Sqrt2/2)
	k = shr(sub(b, root), f.man)
	m = float(x.DType, sub(b, shl(k, f.man)))
	return m, add(k, sel(tiny, intLike(k, -int64(f.man)-1), intLike(k, 0)))
}

// bitsOf is the bits of the number v of x's type.
func bitsOf(x expr, v float64) expr {
	b := like(x, v).Bits
	if formatOf(x) == single {
		return kernel.ConstExpr(single.bits, b)
	}
	return kernel.ConstExpr(double.bits, b)
}

// logDomain gives y, the logarithm of a positive finite x, its values at the
// other x.
func logDomain(x, y expr) expr {
	y = sel(lt(x, like(x, inf)), y, x) // infinity and NaN are their own
	y = sel(eq(x, like(x, 0)), like(x, -inf), y)
	return sel(lt(x, like(x, 0)), like(x, nan), y)
}

func log32(x expr) expr {
	m, k := mantissa(x)
	return logDomain(x, log32Of(sub(m, like(x, 1)), nil, floatOf(x, k)))
}

// log32Of is log((1+f+c) * 2**n): log(1+f) = f - f**2/2 + f**3*P(f). What f lost, c,
// may be nil.
func log32Of(f, c, n expr) expr {
	z := mul(f, f)
	t := mul(mul(f, z), poly(f, log32Coef))
	if c != nil {
		t = add(t, c)
	}
	t = fma(z, like(f, -0.5), t)
	t = fma(n, like(f, ln2Lo32), t)
	return fma(n, like(f, ln2Hi32), add(f, t))
}

// logTail writes log(1+f) as f + tail, by s = f/(2+f): log(1+f) is
// 2*atanh(s) = 2s + s**3*P(s**2), and 2s is f - s*f.
func logTail(f expr) (tail expr) {
	h := mul(half(f), f)
	s := div(f, add(f, like(f, 2)))
	z := mul(s, s)
	r := mul(z, poly(z, log64Coef))
	return sub(mul(s, add(h, r)), h)
}

// logPlus is log(x + c) for positive finite x and a c below half an ulp of x.
func logPlus(x, c expr) expr {
	m, k := mantissa(x)
	f := sub(m, like(x, 1))
	n := floatOf(x, k)
	t := logTail(f)
	if c != nil {
		t = add(t, div(c, x))
	}
	return fma(n, like(x, ln2Hi), add(f, fma(n, like(x, ln2Lo), t)))
}

func log64(x expr) expr { return logDomain(x, logPlus(x, nil)) }

// onePlus is 1+x as u + c: rounded, and what that lost, which is nothing that
// matters of a u from 2**60 on.
func onePlus(x expr) (u, c expr) {
	one := like(x, 1)
	u = add(one, x)
	d := sub(u, x)
	return u, add(sub(one, d), sub(x, sub(u, d)))
}

// log1p32, with u = m*2**k, is log((m + c/2**k) * 2**k). Where k is 0, the first
// factor is 1+x to the last bit.
func log1p32(x expr) expr {
	u, c := onePlus(x)
	b := bits(u)
	k := shr(sub(b, bitsOf(x, math.Sqrt2/2)), single.man)
	m := float(x.DType, sub(b, shl(k, single.man)))
	low := sel(lt(u, like(x, 0x1p60)), mul(c, pow2(x, sub(intLike(k, 0), k))), like(x, 0))
	high := sub(m, like(x, 1))
	f := add(high, low)
	y := logDomain(u, log32Of(f, sub(low, sub(f, high)), floatOf(x, k)))
	return sel(eq(x, like(x, 0)), x, y)
}

// log1p is log(u) + c/u.
func log1p(x expr) expr {
	u, c := onePlus(x)
	c = sel(lt(u, like(x, 0x1p60)), c, like(x, 0)) // and not inf-inf
	y := logDomain(u, logPlus(u, c))
	return sel(eq(x, like(x, 0)), x, y)
}

func asinh(x expr) expr {
	a := abs(x)
	one := like(x, 1)
	b := sel(gt(a, like(x, 0x1p30)), one, a)
	z := mul(b, b)
	small := log1p(add(b, div(z, add(one, sqrt(add(z, one))))))
	large := add(log64(a), like(x, math.Ln2))
	return withSign(sel(gt(a, like(x, 0x1p30)), large, small), x)
}

func acosh(x expr) expr {
	t := sub(x, like(x, 1))
	b := sel(gt(t, like(x, 0x1p30)), like(x, 1), t)
	small := log1p(add(b, sqrt(fma(b, b, add(b, b)))))
	large := add(log64(x), like(x, math.Ln2))
	y := sel(gt(t, like(x, 0x1p30)), large, small)
	return sel(lt(t, like(x, 0)), like(x, nan), y)
}

func atanh(x expr) expr {
	a := abs(x)
	y := half(log1p(div(add(a, a), sub(like(x, 1), a))))
	return withSign(sel(gt(a, like(x, 1)), like(x, nan), y), x)
}
