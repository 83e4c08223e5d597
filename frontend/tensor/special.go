package tensor

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Special functions, as compositions in f64: derivatives are those of the
// pieces, each of which stays finite where another one is chosen.

// erfcSeries is erfc(x)*e**(x*x)*(1+2*x) in (x-4)/(x+4) for x from 1/2 to 28.
var erfcSeries = []float64{
	0x1.3ba5916e9fd7fp0, -0x1.1df1ad154a28fp-3, 0x1.f7f5df66fd575p-7, 0x1.16ecefcfa547fp-4,
	-0x1.9ddb23c3e7cf5p-4, 0x1.7fee004e106bdp-4, -0x1.0fb06dfe6b25cp-4, 0x1.3079edf6b9159p-5,
	-0x1.0962387dac933p-6, 0x1.49c6727ace9e5p-8, -0x1.8d4aa17050e08p-11, -0x1.a1df222b3ca59p-13,
	0x1.3be0d61957f14p-13, -0x1.9958d66770982p-16, -0x1.78a3b73fcffbfp-17, 0x1.7f19bc91ad5ccp-18,
	0x1.41a5d9b6c3abbp-22, -0x1.b99bb9bcb0974p-21, 0x1.1fde3f8d8313bp-24, 0x1.c5e4aa4a32304p-24,
	-0x1.a403ddb107533p-27, -0x1.67fa3128dee34p-27,
}

// lgammaSeries is lgamma(2+y)/y for y from -3/4 to 1/2.
var lgammaSeries = []float64{
	0x1.b0ee6072093cep-2, 0x1.4a34cc4a60fa6p-2, -0x1.13e001a557607p-4, 0x1.51322ac7d8458p-6,
	-0x1.e404fc218f529p-8, 0x1.7add6eadbd2a5p-9, -0x1.38ac5c2bfe506p-10, 0x1.0b36af82b8b9cp-11,
	-0x1.d3fd4c784b3ap-13, 0x1.a127b30fe8ad2p-14, -0x1.78de598ab297dp-15, 0x1.580d6c3f44442p-16,
	-0x1.3cbd4eb2636b9p-17, 0x1.25a2c3d9b633p-18, -0x1.119594af70305p-19, 0x1.ff41e9499b0ebp-21,
	-0x1.e7c495562aea8p-22, 0x1.d64a2b8de6ed4p-23, -0x1.65443daa6d837p-24, 0x1.685408235bb58p-25,
	-0x1.d665f5b41f6c2p-25, 0x1.526d9492eb1e1p-30, 0x1.4ac2700302a1ep-26, 0x1.66958be1826e5p-26,
}

// stirling is lgamma(x) - (x-1/2)*log(x) + x - log(2*pi)/2, times x, in 1/x**2:
// Bernoulli numbers over 2n*(2n-1).
var stirling = []float64{1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188, -691. / 360360,
	1. / 156, -3617. / 122400}

// Erfc returns 1 - erf(t) without loss of digits where that is small: f64 within
// 4 ulp, smaller types as if rounded from f64.
func (t Tensor) Erfc() Tensor { return wideFunction("Erfc", t, (*call).erfc) }

func (c *call) erfc(x *node) *node {
	half, one, two := c.con(0.5, x), c.con(1, x), c.con(2, x)
	a := c.abs(x)
	near := c.lt(a, half)
	small := c.sub(one, c.op(ir.OpErf, nil, c.sel(near, x, c.con(0, x))))
	top := c.con(28, x) // where the result has long been 0
	a = c.sel(near, half, c.sel(c.lt(top, a), top, a))
	g := c.div(c.polynomial(erfcSeries, c.div(c.sub(a, c.con(4, a)), c.add(a, c.con(4, a)))),
		c.add(one, c.add(a, a)))
	square := c.mul(a, a)
	lost := c.op(ir.OpFMA, nil, a, a, c.neg(square))
	large := c.mul(c.mul(c.exp(c.neg(square)), c.sub(one, lost)), g)
	large = c.sel(c.lt(x, c.con(0, x)), c.sub(two, large), large)
	return c.sel(near, small, large)
}

// Lgamma returns the logarithm of the absolute value of the gamma function: an
// infinity at 0 and negative integers. It computes in f64: within 4 ulp for
// positive numbers; for negative ones, where results are differences, within
// 1e-15 of what is subtracted.
func (t Tensor) Lgamma() Tensor { return wideFunction("Lgamma", t, (*call).lgamma) }

// lgamma of negative numbers is log(pi/|sin(pi*x)|) - lgamma(1-x).
func (c *call) lgamma(x *node) *node {
	zero, one, half := c.con(0, x), c.con(1, x), c.con(0.5, x)
	inf := c.con(math.Inf(1), x)
	below := c.lt(x, zero)
	z := c.sel(below, c.sub(one, x), x)
	far := c.op(ir.OpLe, nil, c.con(8, z), z)
	y := c.sel(far, c.lgammaFar(c.sel(far, z, c.con(8, z))), c.lgammaNear(c.sel(far, c.con(2, z), z)))
	part := c.sel(below, x, half)
	part = c.sub(part, c.op(ir.OpRound, nil, part))
	sine := c.abs(c.op(ir.OpSin, nil, c.times(math.Pi, part)))
	mirrored := c.sub(c.log(c.div(c.con(math.Pi, x), sine)), y)
	return c.sel(c.eq(x, c.neg(inf)), inf, c.sel(below, mirrored, y))
}

// lgammaFar is Stirling's series, for z from 8.
func (c *call) lgammaFar(z *node) *node {
	one := c.con(1, z)
	inverse := c.div(one, z)
	rest := c.mul(inverse, c.polynomial(stirling, c.mul(inverse, inverse)))
	rest = c.add(rest, c.con(0.5*math.Log(2*math.Pi)-0.5, z))
	return c.add(c.mul(c.sub(z, c.con(0.5, z)), c.sub(c.log(z), one)), rest)
}

// lgammaNear is lgamma(2+y) and the logarithm of the factors by which gamma(z)
// differs from gamma(2+y), for z from 0 to 8.
func (c *call) lgammaNear(z *node) *node {
	one, middle := c.con(1, z), c.con(2.5, z)
	first, second := c.lt(z, c.con(0.5, z)), c.lt(z, c.con(1.25, z))
	r, factors := z, one
	for range 6 {
		big := c.lt(middle, r)
		less := c.sub(r, one)
		factors = c.sel(big, c.mul(factors, less), factors)
		r = c.sel(big, less, r)
	}
	y := c.sel(first, z, c.sel(second, c.sub(z, one), c.sub(r, c.con(2, r))))
	factors = c.sel(first, c.mul(z, c.add(one, z)), c.sel(second, z, factors))
	log := c.log(factors)
	log = c.sel(second, c.neg(log), log)
	return c.add(c.mul(y, c.polynomial(lgammaSeries, y)), log)
}
