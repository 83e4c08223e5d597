package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/tensorcc/tcc/ir"
)

// wide is a function of f64: its true value as m*2**k where plain, Go's own
// value, is finite and not zero.
var wide = map[string]struct {
	args  int
	truth func(x, y float64) (m dd, k int)
}{
	"exp": {1, func(x, _ float64) (dd, int) { return dd{x, 0}.exp() }},
	"log": {1, func(x, _ float64) (dd, int) { return log(x), 0 }},
	"sin": {1, func(x, _ float64) (dd, int) { return sin(x, 0), 0 }},
	"cos": {1, func(x, _ float64) (dd, int) { return sin(x, 1), 0 }},
	"tan": {1, func(x, _ float64) (dd, int) { return sin(x, 0).div(sin(x, 1)), 0 }},
	"expm1": {1, func(x, _ float64) (dd, int) {
		m, k := dd{x, 0}.exp()
		if k > 120 {
			return m, k
		}
		if math.Abs(x) < 1e-9 { // the difference would be nothing
			z := dd{x, 0}.times(x)
			return dd{x, 0}.add(z.times(0.5)).add(z.times(x).div(dd{6, 0})), 0
		}
		return m.scale(k).add(dd{-1, 0}), 0
	}},
	"sinh": {1, func(x, _ float64) (dd, int) {
		if math.Abs(x) < 1 {
			v := dd{x, 0}
			return series(v, v.mul(v), 2), 0
		}
		m, k := dd{math.Abs(x), 0}.exp()
		n, j := dd{-math.Abs(x), 0}.exp()
		return m.add(n.scale(max(j-k, -200)).neg()).times(math.Copysign(0.5, x)), k
	}},
	"cosh": {1, func(x, _ float64) (dd, int) {
		m, k := dd{math.Abs(x), 0}.exp()
		n, j := dd{-math.Abs(x), 0}.exp()
		return m.add(n.scale(max(j-k, -200))).times(0.5), k
	}},
	"tanh": {1, func(x, _ float64) (dd, int) { return tanh(x), 0 }},
	"erf":  {1, func(x, _ float64) (dd, int) { return erf(x), 0 }},
	"sigmoid": {1, func(x, _ float64) (dd, int) {
		m, k := dd{-math.Abs(x), 0}.exp()
		d := one.add(m.scale(k))
		if x < 0 {
			return m.div(d), k
		}
		return one.div(d), 0
	}},
	"pow": {2, func(x, y float64) (dd, int) {
		m, k := log(math.Abs(x)).times(y).exp()
		if x < 0 && math.Mod(y, 2) != 0 {
			m = m.neg()
		}
		return m, k
	}},
}

// error64 is the distance of got from m*2**k in units of its last place.
func error64(got float64, m dd, k int) float64 {
	_, e := math.Frexp(m.hi)
	unit := max(e+k-53, -1074)
	if math.IsInf(got, 0) {
		if e+k > 1024 && (got < 0) == (m.hi < 0) {
			return 0
		}
		return math.Inf(1)
	}
	// In units, so that nothing overflows.
	return math.Abs(math.Ldexp(got, -unit) - math.Ldexp(m.hi, k-unit) - math.Ldexp(m.lo, k-unit))
}

// draw is a random argument: of any magnitude, rarely of any bits, since huge
// angles take long to reduce.
func draw(r *rand.Rand, i int) float64 {
	switch {
	case i%64 == 0:
		return math.Float64frombits(r.Uint64())
	case i%4 == 0:
		return (r.Float64() - 0.5) * 1600
	case i%4 == 1:
		return math.Ldexp(r.NormFloat64(), r.IntN(40)-30)
	case i%4 == 2:
		return 1 + math.Ldexp(r.NormFloat64(), -r.IntN(30))
	}
	return r.NormFloat64() * 4
}

func random64(name, level string, n int) (string, error) {
	plain, ok := functions[name]
	if !ok {
		return "", fmt.Errorf("unknown function")
	}
	f, ok := wide[name]
	if !ok { // Go's own value, itself an ulp or so from the truth
		f.args, f.truth = 1, func(x, _ float64) (dd, int) { return dd{plain.ref1(x), 0}, 0 }
		if plain.ref2 != nil {
			f.args, f.truth = 2, func(x, y float64) (dd, int) { return dd{plain.ref2(x, y), 0}, 0 }
		}
	}
	const parts = 2
	var w [parts]worst
	var errs [parts]error
	var wg sync.WaitGroup
	for p := range parts {
		wg.Go(func() { w[p], errs[p] = measure64(plain, f.args, f.truth, level, n/parts, uint64(p)) })
	}
	wg.Wait()
	for p := range parts {
		if errs[p] != nil {
			return "", errs[p]
		}
		w[0].take(w[p])
	}
	return fmt.Sprintf("f64 %d random inputs: %v", n, w[0]), nil
}

func measure64(f function, args int, truth func(x, y float64) (dd, int), level string, n int,
	seed uint64) (w worst, err error) {

	k, err := compile(f.op, args, ir.F64, level)
	if err != nil {
		return w, err
	}
	r := rand.New(rand.NewPCG(seed, 1))
	a, b, y := make([]float64, chunk), make([]float64, chunk), make([]float64, chunk)
	for done := 0; done < n; done += chunk {
		for i := range a {
			a[i], b[i] = draw(r, i), draw(r, r.IntN(1<<20))
			if (f.op == ir.OpLog || args == 2) && i%16 != 0 {
				a[i] = math.Abs(a[i])
			}
			if args == 2 && i%16 == 1 { // powers of all sizes
				b[i] = (r.Float64() - 0.5) * 1480 / math.Log(a[i])
			}
		}
		if err := run(k, y, [][]float64{a, b}[:args]...); err != nil {
			return w, err
		}
		for i := range a {
			var plain float64
			if args == 1 {
				plain = f.ref1(a[i])
			} else {
				plain = f.ref2(a[i], b[i])
			}
			u := 0.0
			if plain != plain || math.IsInf(plain, 0) || plain == 0 {
				if y[i] != plain && (y[i] == y[i] || plain == plain) {
					u = math.Inf(1)
					if plain == plain && a[i] == a[i] && !math.IsInf(a[i], 0) && a[i] != 0 {
						m, e := truth(a[i], b[i]) // where Go's value is just out of range
						u = error64(y[i], m, e)
					}
				}
			} else {
				m, e := truth(a[i], b[i])
				u = error64(y[i], m, e)
			}
			if u > w.ulp {
				w = worst{u, []float64{a[i], b[i]}[:args], y[i], plain}
			}
		}
	}
	return w, nil
}
