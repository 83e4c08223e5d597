package interp

import (
	"math"
	"math/big"
	"sync"
)

// Scalar functions of float64. Products are written float64(x*y) where they
// feed a sum, so that no machine fuses the two: the results are the same
// everywhere but for the assembly that package math has for some functions on
// some architectures.

func quoFloat(x, y float64) float64 { return x / y }

func signFloat(x float64) float64 {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return x
}

// divmod is NumPy's npy_divmod: floor(x/y) and x - y*floor(x/y), with the
// remainder exact and the quotient made from it.
func divmod(x, y float64) (div, mod float64) {
	mod = math.Mod(x, y)
	if y == 0 {
		return x / y, mod
	}
	div = (x - mod) / y
	if mod == 0 {
		mod = math.Copysign(0, y)
	} else if (y < 0) != (mod < 0) {
		mod += y
		div--
	}
	if div == 0 {
		return math.Copysign(0, x/y), mod
	}
	floor := math.Floor(div)
	if div-floor > 0.5 {
		floor++
	}
	return floor, mod
}

func floorDivFloat(x, y float64) float64 {
	div, _ := divmod(x, y)
	return div
}

func modFloat(x, y float64) float64 {
	_, mod := divmod(x, y)
	return mod
}

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + exp(-x))
	}
	e := exp(x)
	return e / (1 + e)
}

// asin and acos: math.Asin takes the root of 1-x*x, which loses half of the
// digits near 1, and math.Acos is a difference from it.
func asin(x float64) float64 { return math.Atan2(x, math.Sqrt((1-x)*(1+x))) }

func acos(x float64) float64 { return 2 * math.Atan2(math.Sqrt(1-x), math.Sqrt(1+x)) }

// sinh and cosh: those of package math overflow where e**x does, before the
// result. That of math.Sinh is off by more than 2 ulp for some small numbers,
// which the series is not.
func sinh(x float64) float64 {
	switch a := math.Abs(x); {
	case a < 1:
		y, q := 0.0, x*x
		for k := 18.0; k > 0; k -= 2 {
			y = q * (1 + y) / (k * (k + 1))
		}
		return x + x*y
	case a < 709:
		return math.Sinh(x)
	}
	e := exp(math.Abs(x) / 2)
	return math.Copysign(e/2*e, x)
}

func cosh(x float64) float64 {
	if math.Abs(x) < 709 {
		return math.Cosh(x)
	}
	e := exp(math.Abs(x) / 2)
	return e / 2 * e
}

// sin, cos and tan: near multiples of pi/2 package math loses digits of small
// results, so the argument is reduced here, in double-double.
func sincos(x float64) (sin, cos float64) {
	if !(math.Abs(x) > math.Pi/4) || math.IsInf(x, 0) {
		return math.Sin(x), math.Cos(x)
	}
	quadrant, r, lo := reduceAngle(x)
	s, c := math.Sin(r), math.Cos(r)
	s, c = s+float64(lo*c), c-float64(lo*s)
	switch quadrant {
	case 1:
		return c, -s
	case 2:
		return -s, -c
	case 3:
		return -c, s
	}
	return s, c
}

// reduceAngle returns hi+lo = x - k*pi/2, at most pi/4 in magnitude, and k mod 4.
func reduceAngle(x float64) (quadrant int, hi, lo float64) {
	const (
		// pi/2 in two parts of 33 bits and a rest.
		part1, part2 = 1.57079632673412561417e+00, 6.07710050630396597660e-11
		rest         = 2.02226624879595063154e-21
	)
	if math.Abs(x) >= 3<<19 {
		return reduceFar(x)
	}
	k := math.RoundToEven(x * (2 / math.Pi))
	r, lo := twoSum(x-float64(k*part1), -float64(k*part2)) // products exact: k < 2**20
	r, lo = twoSum(r, lo-float64(k*rest))
	return int(k) & 3, r, lo
}

// fixedBits are the bits behind the point of reduceFar's numbers: k has at
// most 1024 bits, and k times the error of pi/2 is below 2**-176.
const fixedBits = 1200

// reduceFar reduces a finite |x| >= 2**20, in integers.
func reduceFar(x float64) (quadrant int, hi, lo float64) {
	m, e := math.Frexp(x)
	n := big.NewInt(int64(math.Ldexp(m, 53)))
	n.Lsh(n, uint(e-53+fixedBits))
	p := halfPi()
	k, r := new(big.Int), new(big.Int)
	k.DivMod(n, p, r)
	quadrant = int(new(big.Int).And(k, big.NewInt(3)).Int64())
	if new(big.Int).Lsh(r, 1).Cmp(p) > 0 {
		r.Sub(r, p)
		quadrant = (quadrant + 1) & 3
	}
	f := new(big.Float).SetMantExp(new(big.Float).SetInt(r), -fixedBits)
	hi, _ = f.Float64()
	lo, _ = f.Sub(f, big.NewFloat(hi)).Float64()
	return quadrant, hi, lo
}

// halfPi is pi/2 with fixedBits bits behind the point, by Machin's
// pi/4 = 4*atan(1/5) - atan(1/239).
var halfPi = sync.OnceValue(func() *big.Int {
	const guard = 32
	atan := func(n int64) *big.Int {
		term := new(big.Int).Lsh(big.NewInt(1), fixedBits+guard)
		term.Quo(term, big.NewInt(n))
		sum, square := new(big.Int).Set(term), big.NewInt(n*n)
		for i := int64(1); term.Sign() != 0; i++ {
			term.Quo(term, square)
			term.Neg(term)
			sum.Add(sum, new(big.Int).Quo(term, big.NewInt(2*i+1)))
		}
		return sum
	}
	p := atan(5)
	p.Lsh(p, 2).Sub(p, atan(239))
	return p.Rsh(p, guard-1)
})

func sin(x float64) float64 {
	s, _ := sincos(x)
	return s
}

func cos(x float64) float64 {
	_, c := sincos(x)
	return c
}

// tan divides sine and cosine of the reduced argument, each the sum of two numbers: rounded
// once each, their quotient is off by more than 2 ulp. The polynomials are those of fdlibm's
// __kernel_sin and __kernel_cos (Sun Microsystems, 1993), for at most pi/4.
func tan(x float64) float64 {
	if !(math.Abs(x) > math.Pi/4) || math.IsInf(x, 0) {
		return math.Tan(x)
	}
	quadrant, r, lo := reduceAngle(x)
	z := float64(r * r)
	p := 8.33333333332248946124e-03 + z*(-1.98412698298579493134e-04+
		z*(2.75573137070700676789e-06+z*(-2.50507602534068634195e-08+z*1.58969099521155010221e-10)))
	q := z * (4.16666666666666019037e-02 + z*(-1.38888888888741095749e-03+
		z*(2.48015872894767294178e-05+z*(-2.75573143513906633035e-07+
			z*(2.08757232129817482790e-09+z*-1.13596475577881948265e-11)))))
	half := z / 2
	one := 1 - half
	s, sLo := twoSum(r, float64(float64(z*r)*(float64(z*p)-1.66666666666666324348e-01))+
		float64(lo*one))
	c, cLo := twoSum(one, (1-one)-half+(float64(z*q)-float64(r*lo)))
	if quadrant&1 != 0 {
		s, sLo, c, cLo = -c, -cLo, s, sLo
	}
	t := s / c
	rest := math.FMA(-t, c, s) + (sLo - float64(t*cLo))
	return t + rest/c
}

// atan2: math.Atan2 forgets the sign of y where y/x underflows.
func atan2(y, x float64) float64 { return math.Copysign(math.Atan2(math.Abs(y), x), y) }

// fmaOdd is x*y+z for arguments of at most 24 bits, rounded to odd, so that
// rounding it to their type is rounding once.
func fmaOdd(x, y, z float64) float64 {
	p := float64(x * y) // exact
	s := p + z
	if math.IsInf(s, 0) || s != s {
		return s
	}
	t := s - p
	lost := (p - (s - t)) + (z - t) // Knuth's two-sum
	if lost != 0 && math.Float64bits(s)&1 == 0 {
		return math.Nextafter(s, math.Copysign(math.MaxFloat64, lost))
	}
	return s
}

// pow: math.Pow multiplies by squaring, which loses digits in proportion to
// y. Special cases are its own; elsewhere this is exp(y*log|x|) with the
// logarithm in double-double.
func pow(x, y float64) float64 {
	special := x == 0 || y == 0 || x == 1 || x != x || y != y ||
		math.IsInf(x, 0) || math.IsInf(y, 0) || math.Abs(y) < 3 && y == math.Trunc(y)
	if special || x < 0 && y != math.Trunc(y) {
		return math.Pow(x, y)
	}
	hi, lo := logDD(math.Abs(x))
	p := y * hi
	lo = math.FMA(y, hi, -p) + float64(y*lo)
	r := expDD(p, lo)
	if x < 0 && math.Mod(y, 2) != 0 {
		return -r
	}
	return r
}

// exp and log: the assembly that math.Exp and math.Log have on amd64 overflows
// at 709.7, where e**x is still finite, and is wrong for subnormal x (Go 1.26).
func exp(x float64) float64 {
	if x != x {
		return x
	}
	return expDD(x, 0)
}

func log(x float64) float64 {
	switch {
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x != x || math.IsInf(x, 1):
		return x
	}
	hi, _ := logDD(x)
	return hi
}

// The logarithm of 2, in two parts of which the first has 33 bits, so that
// its products with small integers are exact.
const ln2Hi, ln2Lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10

// expDD is exp(hi+lo) for a small lo.
func expDD(hi, lo float64) float64 {
	switch {
	case hi > 710:
		return math.Inf(1)
	case hi < -746:
		return 0
	}
	k := math.RoundToEven(hi / math.Ln2)
	r := hi - float64(k*ln2Hi)
	c := float64(k * ln2Lo)
	s := r - c
	lo += (r - s) - c
	// e**s - 1 = s + s*s*(1/2! + s/3! + ...); |s| < 0.35.
	var q float64
	for i := 17; i >= 2; i-- {
		q = float64(q*s) + invFactorial[i]
	}
	q *= float64(s * s)
	p := s + (q + float64(lo*(1+s+q))) // e**(s+lo) = e**s + lo*e**s
	return math.Ldexp(1+p, int(k))
}

// invFactorial has 1/n!.
var invFactorial = func() (inv [18]float64) {
	f := 1.0
	for n := range inv {
		f *= max(float64(n), 1)
		inv[n] = 1 / f
	}
	return inv
}()

// logDD is log(x) for finite x > 0, as an unevaluated sum good to about 2**-65.
func logDD(x float64) (hi, lo float64) {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	// log(m) = 2*atanh(s), s = (m-1)/(m+1), |s| < 0.172.
	n, d := m-1, m+1
	dLo := m - (d - 1)
	s := n / d
	sLo := (math.FMA(-s, d, n) - float64(s*dLo)) / d
	z := float64(s * s)
	zLo := math.FMA(s, s, -z) + float64(2*s*sLo)
	// tail = 1/3 + z/5 + z^2/7 + ... of which the first is a double-double.
	var tail float64
	for i := 27; i >= 5; i -= 2 {
		tail = float64(tail*z) + 1/float64(i)
	}
	third := 1.0 / 3
	const thirdLo = 1.850371707708594e-17
	t, tLo := twoSum(third, tail*z)
	tLo += thirdLo
	// s*z*t, the correction to s.
	p, pLo := twoMul(s, z)
	pLo += float64(s*zLo) + float64(sLo*z)
	q, qLo := twoMul(p, t)
	qLo += float64(p*tLo) + float64(pLo*t)
	a, aLo := twoSum(s, q)
	aLo += sLo + qLo
	// k*log(2), its high part having enough zeros that the product is exact.
	hi, lo = twoSum(float64(float64(k)*ln2Hi), 2*a)
	lo += 2*aLo + float64(float64(k)*ln2Lo)
	return twoSum(hi, lo)
}

func twoSum(x, y float64) (s, lost float64) {
	s = x + y
	t := s - x
	return s, (x - (s - t)) + (y - t)
}

func twoMul(x, y float64) (p, lost float64) {
	p = x * y
	return p, math.FMA(x, y, -p)
}

// logAddExp is log(e**x + e**y).
func logAddExp(x, y float64) float64 {
	if x == y { // infinities that are equal, too
		return x + math.Ln2
	}
	return max(x, y) + math.Log1p(math.Exp(-math.Abs(x-y)))
}
