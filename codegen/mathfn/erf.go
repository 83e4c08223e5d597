package mathfn

// The error function: x + x*P(x**2) up to 1, beyond 1 - erfc(x).

func erf32(x expr) expr {
	a := abs(x)
	small := fma(a, poly(mul(a, a), erf32Coef), a)
	t := sel(gt(a, like(x, 4)), like(x, 4), a)
	e, n := expParts(poly(t, erfc32Coef))
	erfc := mul(add(e, like(x, 1)), pow2(x, n))
	large := sub(like(x, 1), erfc)
	return withSign(sel(lt(a, like(x, 1)), small, large), x)
}

// erf64: erfc(x) is e**-x**2 times a function that hardly bends.
func erf64(x expr) expr {
	a := abs(x)
	b := sel(lt(a, like(x, 1)), a, like(x, 0))
	small := fma(b, poly(mul(b, b), erf64Coef), b)
	t := between(a, 1, 6)
	e, n := expParts(neg(mul(t, t)))
	g := poly(div(sub(t, like(x, 3)), add(t, like(x, 3))), erfc64Coef)
	erfc := mul(mul(add(e, like(x, 1)), pow2(x, n)), g)
	large := sub(like(x, 1), erfc)
	return withSign(sel(lt(a, like(x, 1)), small, large), x)
}
