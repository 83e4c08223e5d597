package mathfn

import (
	"math"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Remainders, exact by subtracting multiples of y*2**j with quotients of at
// most 52 bits, j falling: an fma with such a quotient does not round. The
// steps above the last are needed only where x/y is huge.

const remBits = 52

// remPos is x rem y for finite x >= 0 and y > 0, x/y below
// 2**(remBits*(steps+1)).
func remPos(x, y expr, steps int) expr {
	far := x
	for j := steps; j > 0; j-- {
		far = remStep(far, scaleUp(y, remBits*j))
	}
	x = sel(ge(mul(x, like(x, math.Ldexp(1, -remBits))), y), far, x)
	return remStep(x, y)
}

// scaleUp is y*2**k, infinite where that is too large.
func scaleUp(y expr, k int) expr {
	for ; k > 1000; k -= 1000 {
		y = mul(y, like(y, 0x1p1000))
	}
	return mul(y, like(y, math.Ldexp(1, k)))
}

// remStep is r rem y where r/y is below 2**52; an infinite y leaves r.
func remStep(r, y expr) expr {
	q := trunc(div(r, y))
	next := negFMA(q, y, r)
	next = sel(lt(next, like(r, 0)), add(next, y), next)
	return sel(lt(r, y), r, next)
}

// rem is C's fmod.
func rem(x, y expr, steps int) expr {
	a, b := abs(x), abs(y)
	ok := and(lt(a, like(x, inf)), gt(b, like(x, 0)))
	r := remPos(sel(ok, a, like(x, 0)), sel(ok, b, like(x, 1)), steps)
	return withSign(sel(ok, r, like(x, nan)), x)
}

// divmod is NumPy's: x - y*floor(x/y) with the sign of y, and the quotient
// made from it.
func divmod(x, y expr, steps int) (q, m expr) {
	zero, one := like(x, 0), like(x, 1)
	m = rem(x, y, steps)
	q = div(sub(x, m), y)
	turn := and(ne(m, zero), xor(lt(y, zero), lt(m, zero)))
	q = sel(turn, sub(q, one), q)
	f := op(ir.OpFloor, q)
	f = sel(gt(sub(q, f), like(x, 0.5)), add(f, one), f)
	f = sel(eq(q, zero), withSign(zero, div(x, y)), f)
	f = sel(eq(y, zero), div(x, y), f)
	m = sel(eq(m, zero), sel(eq(y, zero), m, withSign(zero, y)), sel(turn, add(m, y), m))
	return f, m
}

// Quotients of finite numbers are below 2**2098; those of f32, in f64, below
// 2**277.
const remSteps32, remSteps64 = 5, 40

func rem64(x, y expr) expr { return rem(x, y, remSteps64) }

func mod64(x, y expr) expr {
	_, m := divmod(x, y, remSteps64)
	return m
}

func floorDiv64(x, y expr) expr {
	q, _ := divmod(x, y, remSteps64)
	return q
}

// inDouble makes an f32 operation of one on f64.
func inDouble(x, y expr, f func(x, y expr) expr) expr {
	return kernel.CastExpr(ir.F32, f(kernel.CastExpr(ir.F64, x), kernel.CastExpr(ir.F64, y)))
}

func rem32(x, y expr) expr {
	return inDouble(x, y, func(x, y expr) expr { return rem(x, y, remSteps32) })
}

func mod32(x, y expr) expr {
	return inDouble(x, y, func(x, y expr) expr {
		_, m := divmod(x, y, remSteps32)
		return m
	})
}

func floorDiv32(x, y expr) expr {
	return inDouble(x, y, func(x, y expr) expr {
		q, _ := divmod(x, y, remSteps32)
		return q
	})
}
