package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tensorcc/tcc/ir"
)

// function is an operation and its value in f64, which is exact enough to
// judge f32.
type function struct {
	op   ir.Op
	ref1 func(x float64) float64
	ref2 func(x, y float64) float64
}

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	return math.Exp(x) / (1 + math.Exp(x))
}

// asin and acos: those of package math lose digits near 1.
func asin(x float64) float64 { return math.Atan2(x, math.Sqrt((1-x)*(1+x))) }

func acos(x float64) float64 { return 2 * math.Atan2(math.Sqrt(1-x), math.Sqrt(1+x)) }

// atan2: that of package math takes the sign from y/x, which may vanish.
func atan2(y, x float64) float64 { return math.Copysign(math.Atan2(math.Abs(y), x), y) }

var functions = map[string]function{
	"exp":     {op: ir.OpExp, ref1: math.Exp},
	"expm1":   {op: ir.OpExpm1, ref1: math.Expm1},
	"log":     {op: ir.OpLog, ref1: math.Log},
	"log1p":   {op: ir.OpLog1p, ref1: math.Log1p},
	"sin":     {op: ir.OpSin, ref1: math.Sin},
	"cos":     {op: ir.OpCos, ref1: math.Cos},
	"tan":     {op: ir.OpTan, ref1: math.Tan},
	"asin":    {op: ir.OpAsin, ref1: asin},
	"acos":    {op: ir.OpAcos, ref1: acos},
	"atan":    {op: ir.OpAtan, ref1: math.Atan},
	"sinh":    {op: ir.OpSinh, ref1: math.Sinh},
	"cosh":    {op: ir.OpCosh, ref1: math.Cosh},
	"tanh":    {op: ir.OpTanh, ref1: math.Tanh},
	"asinh":   {op: ir.OpAsinh, ref1: math.Asinh},
	"acosh":   {op: ir.OpAcosh, ref1: math.Acosh},
	"atanh":   {op: ir.OpAtanh, ref1: math.Atanh},
	"erf":     {op: ir.OpErf, ref1: math.Erf},
	"sigmoid": {op: ir.OpSigmoid, ref1: sigmoid},
	"pow":     {op: ir.OpPow, ref2: math.Pow},
	"atan2":   {op: ir.OpAtan2, ref2: atan2},
	"rem":     {op: ir.OpRem, ref2: math.Mod},
}

// worst is the largest error seen, and where.
type worst struct {
	ulp  float64
	at   []float64
	got  float64
	want float64
}

func (w *worst) take(v worst) {
	if v.ulp > w.ulp {
		*w = v
	}
}

func (w worst) String() string {
	return fmt.Sprintf("%.3f ulp at %v: %v, true %v", w.ulp, w.at, w.got, w.want)
}

// error32 is the distance of got from the true value want in units of the
// last place of want as an f32; of NaN against a number, and infinity against
// a number that does not round to it, infinite.
func error32(got float32, want float64) float64 {
	if want != want || math.IsInf(want, 0) || got != got || want == 0 {
		if float64(got) == want && math.Signbit(float64(got)) == math.Signbit(want) ||
			want != want && got != got {
			return 0
		}
		return math.Inf(1)
	}
	g := float64(got)
	if math.IsInf(g, 0) { // the next number, if there were one
		if math.Abs(want) >= 0x1p128 && (want < 0) == (g < 0) {
			return 0
		}
		g = math.Copysign(0x1p128, g)
	}
	_, e := math.Frexp(want)
	return math.Abs(g-want) / math.Ldexp(1, max(e-24, -149))
}

// every measures a function of one f32 at all inputs, or one in share.
func every(name, level string, share uint64) (string, error) {
	f, ok := functions[name]
	if !ok || f.ref1 == nil {
		return "", fmt.Errorf("not a function of one argument")
	}
	const parts = 2
	var w [parts]worst
	var errs [parts]error
	var wg sync.WaitGroup
	for p := range uint64(parts) {
		wg.Go(func() {
			k, err := compile(f.op, 1, ir.F32, level)
			if err != nil {
				errs[p] = err
				return
			}
			x, y := make([]float32, chunk), make([]float32, chunk)
			for from := p * chunk * share; from < 1<<32; from += parts * chunk * share {
				for i := range x {
					// Somewhere in the i-th interval of share numbers.
					j := from + uint64(i)*share
					x[i] = math.Float32frombits(uint32(j + j/share*0x9e3779b1>>7%share))
				}
				if err := run(k, y, x); err != nil {
					errs[p] = err
					return
				}
				for i := range x {
					v := float64(x[i])
					want := f.ref1(v)
					if u := error32(y[i], want); u > w[p].ulp {
						w[p] = worst{u, []float64{v}, float64(y[i]), want}
					}
				}
			}
		})
	}
	wg.Wait()
	for p := range parts {
		if errs[p] != nil {
			return "", errs[p]
		}
		w[0].take(w[p])
	}
	return fmt.Sprintf("f32 %d inputs: %v", uint64(1<<32)/share, w[0]), nil
}

// random32 measures at n random inputs, pairs for a function of two: half
// random bits, half where results are likely to be finite.
func random32(name, level string, n int) (string, error) {
	f, ok := functions[name]
	if !ok {
		return "", fmt.Errorf("unknown function")
	}
	args := 1
	if f.ref2 != nil {
		args = 2
	}
	k, err := compile(f.op, args, ir.F32, level)
	if err != nil {
		return "", err
	}
	r := rand.New(rand.NewPCG(1, 2))
	a, b, y := make([]float32, chunk), make([]float32, chunk), make([]float32, chunk)
	xs := [][]float32{a, b}[:args]
	var w worst
	for done := 0; done < n; done += chunk {
		for i := range a {
			a[i], b[i] = math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
			if i%2 == 0 {
				a[i] = float32(math.Exp(r.NormFloat64() * 4))
				b[i] = float32(r.NormFloat64() * 20)
			}
		}
		if err := run(k, y, xs...); err != nil {
			return "", err
		}
		for i := range a {
			at := []float64{float64(a[i]), float64(b[i])}[:args]
			var want float64
			if args == 1 {
				want = f.ref1(at[0])
			} else {
				want = f.ref2(at[0], at[1])
			}
			if u := error32(y[i], want); u > w.ulp {
				w = worst{u, at, float64(y[i]), want}
			}
		}
	}
	return fmt.Sprintf("f32 %d random inputs: %v", n, w), nil
}

// timeOf measures an element in cache against Go's math, converted to f32.
func timeOf(name, level string) (string, error) {
	f, ok := functions[name]
	if !ok || f.ref1 == nil {
		return "", fmt.Errorf("not a function of one argument")
	}
	k, err := compile(f.op, 1, ir.F32, level)
	if err != nil {
		return "", err
	}
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([]float32, chunk), make([]float32, chunk)
	for i := range x {
		x[i] = float32(math.Abs(r.NormFloat64() * 2))
	}
	best := func(rounds int, f func()) float64 {
		b := math.Inf(1)
		for range 10 {
			start := time.Now()
			for range rounds {
				f()
			}
			b = min(b, float64(time.Since(start).Nanoseconds())/float64(rounds*chunk))
		}
		return b
	}
	native := best(200, func() { err = run(k, y, x) })
	if err != nil {
		return "", err
	}
	plain := best(5, func() {
		for i, v := range x {
			y[i] = float32(f.ref1(float64(v)))
		}
	})
	return fmt.Sprintf("%.3f ns, Go %.2f ns, %.1f times", native, plain, plain/native), nil
}
