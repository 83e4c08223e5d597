package main

import (
	"math"
	"math/big"
)

// Functions of f64 in double-double arithmetic, good to some 95 bits: the true
// values that f64 results are measured against.

// dd is hi+lo.
type dd struct{ hi, lo float64 }

func twoSum(a, b float64) dd {
	s := a + b
	t := s - a
	return dd{s, (a - (s - t)) + (b - t)}
}

func (a dd) add(b dd) dd {
	s, t := twoSum(a.hi, b.hi), twoSum(a.lo, b.lo)
	s = twoSum(s.hi, s.lo+t.hi)
	return twoSum(s.hi, s.lo+t.lo)
}

func (a dd) mul(b dd) dd {
	p := a.hi * b.hi
	return twoSum(p, math.FMA(a.hi, b.hi, -p)+(a.hi*b.lo+a.lo*b.hi))
}

func (a dd) times(k float64) dd { return a.mul(dd{k, 0}) }
func (a dd) neg() dd            { return dd{-a.hi, -a.lo} }

func (a dd) div(b dd) dd {
	q := a.hi / b.hi
	r := a.add(b.times(-q))
	p := r.hi / b.hi
	r = r.add(b.times(-p))
	return twoSum(q, p).add(dd{r.hi / b.hi, 0})
}

func (a dd) scale(k int) dd { return dd{math.Ldexp(a.hi, k), math.Ldexp(a.lo, k)} }

var (
	one   = dd{1, 0}
	ln2   = [3]float64{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56, 0x1.7b57a079a1934p-111}
	pio2  = [3]float64{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110}
	piBig = piDigits()
)

// less is a - n*c, for an integer n of at most 30 bits.
func (a dd) less(n float64, c [3]float64) dd {
	p := dd{n * c[0], math.FMA(n, c[0], -(n * c[0]))}
	q := dd{n * c[1], math.FMA(n, c[1], -(n * c[1]))}
	return a.add(p.neg()).add(q.neg()).add(dd{-n * c[2], 0})
}

// exp is e**a as m*2**k.
func (a dd) exp() (m dd, k int) {
	n := math.RoundToEven(a.hi / math.Ln2)
	r := a.less(n, ln2).scale(-6)
	sum := one
	for i := 13; i > 0; i-- {
		sum = sum.mul(r).div(dd{float64(i), 0}).add(one)
	}
	for range 6 {
		sum = sum.mul(sum)
	}
	return sum, int(n)
}

// log is log(x) for finite x > 0: an approximation, and Newton's correction.
func log(x float64) dd {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, e = 2*f, e-1
	}
	y := math.Log(f)
	m, k := dd{-y, 0}.exp()
	t := m.scale(k).times(f).add(dd{-1, 0})
	c := t.add(t.mul(t).times(-0.5)).add(dd{t.hi * t.hi * t.hi / 3, 0})
	return c.add(dd{y, 0}).less(-float64(e), ln2)
}

// reduce is x less a multiple of pi/2, and the multiple's last bits.
func reduce(x float64) (r dd, q int) {
	if math.Abs(x) < 1<<28 {
		n := math.RoundToEven(x * (2 / math.Pi))
		return dd{x, 0}.less(n, pio2), int(int64(n) & 3)
	}
	v := new(big.Float).SetPrec(1300).SetFloat64(x)
	t := new(big.Float).SetPrec(1300).Quo(v, piBig)
	t.Mul(t, big.NewFloat(2))
	half := big.NewFloat(math.Copysign(0.5, x))
	n, _ := new(big.Float).SetPrec(1300).Add(t, half).Int(nil)
	t.Sub(t, new(big.Float).SetPrec(1300).SetInt(n))
	t.Mul(t, piBig).Quo(t, big.NewFloat(2))
	hi, _ := t.Float64()
	lo, _ := t.Sub(t, big.NewFloat(hi)).Float64()
	return dd{hi, lo}, int(new(big.Int).And(n, big.NewInt(3)).Int64())
}

// piDigits is pi by Machin's formula, 16*atan(1/5) - 4*atan(1/239).
func piDigits() *big.Float {
	const prec = 1400
	arc := func(n int64) *big.Int {
		sum, term := new(big.Int), new(big.Int).Lsh(big.NewInt(1), prec)
		term.Div(term, big.NewInt(n))
		for i := int64(1); term.Sign() != 0; i += 2 {
			t := new(big.Int).Div(term, big.NewInt(i))
			if i%4 == 1 {
				sum.Add(sum, t)
			} else {
				sum.Sub(sum, t)
			}
			term.Div(term, big.NewInt(n*n))
		}
		return sum
	}
	p := new(big.Int).Mul(arc(5), big.NewInt(16))
	p.Sub(p, new(big.Int).Mul(arc(239), big.NewInt(4)))
	f := new(big.Float).SetPrec(prec).SetInt(p)
	return f.SetMantExp(f, -prec)
}

// series is first*(1 + r/(c*(c+1))*(1 + …)) with c rising by 2: sine from x
// and 2, cosine from 1 and 1, for r = -x*x; their hyperbolic kin for x*x.
func series(first, r dd, c int) dd {
	sum := one
	for i := c + 26; i >= c; i -= 2 {
		sum = sum.mul(r).div(dd{float64(i * (i + 1)), 0}).add(one)
	}
	return sum.mul(first)
}

func sin(x float64, shift int) dd {
	r, q := reduce(x)
	q += shift
	z := r.mul(r).neg()
	y := series(r, z, 2)
	if q&1 != 0 {
		y = series(one, z, 1)
	}
	if q&2 != 0 {
		y = y.neg()
	}
	return y
}

func tanh(x float64) dd {
	a := dd{math.Abs(x), 0}
	if a.hi < 0.4 {
		z := a.mul(a)
		return series(a, z, 2).div(series(one, z, 1)).times(math.Copysign(1, x))
	}
	m, k := a.times(-2).exp()
	e := m.scale(k)
	return one.add(e.neg()).div(one.add(e)).times(math.Copysign(1, x))
}

// erf sums e**-x**2 * x * (2*x**2)**n / (1*3*…*(2n+1)), all positive.
func erf(x float64) dd {
	if math.Abs(x) > 3.5 {
		return dd{math.Copysign(1, x), -math.Copysign(math.Erfc(math.Abs(x)), x)}
	}
	z := dd{x, 0}.times(x)
	sum, term := one, one
	for n := 1; term.hi > 0x1p-110; n++ {
		term = term.mul(z.times(2)).div(dd{float64(2*n + 1), 0})
		sum = sum.add(term)
	}
	m, k := z.neg().exp()
	twoOverRootPi := dd{0x1.20dd750429b6dp+0, 0x1.1ae3a914fed8p-56}
	return sum.mul(m.scale(k)).times(x).mul(twoOverRootPi)
}
