package mathfn

// The error function: x + x*P(x**2) up to 1 or so, beyond 1 - erfc(x).

// erf32 has erfc as a square, whose root is as smooth as a polynomial wants it and
// whose rounding errors are small beside 1. From 3.92 on the result is 1.
func erf32(x expr) expr {
	a := abs(x)
	small := fma(a, poly(mul(a, a), erf32Coef), a)
	t := sel(gt(a, like(x, 3.92)), like(x, 3.92), a)
	root := poly(sub(t, like(x, 2.46875)), erfc32Coef)
	large := negFMA(root, root, like(x, 1))
	return withSign(sel(lt(a, like(x, 1.03125)), small, large), x)
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
