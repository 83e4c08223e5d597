package tensor_test

import (
	"math"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestSpecial compares special functions of f64 with package math, and their
// derivatives with what is known about these. (math.Lgamma has errors of 5e-15;
// the cases of TestNumPyCases have exact values.)
func TestSpecial(t *testing.T) {
	lgamma := func(x float64) float64 { y, _ := math.Lgamma(x); return y }
	for _, c := range []struct {
		name   string
		f      func(tensor.Tensor) tensor.Tensor
		want   func(float64) float64
		lo, hi float64
		ulps   float64
		slope  func(x float64) float64
	}{
		{"Erfc", tensor.Tensor.Erfc, math.Erfc, -7, 26, 6,
			func(x float64) float64 { return -2 / math.Sqrt(math.Pi) * math.Exp(-x*x) }},
		{"Lgamma", tensor.Tensor.Lgamma, lgamma, 0.001, 60, 400, digamma},
		{"Lgamma of small numbers", tensor.Tensor.Lgamma, lgamma, 1e-300, 1e-290, 6, digamma},
		{"Lgamma of large numbers", tensor.Tensor.Lgamma, lgamma, 1e290, 1e300, 6, math.Log},
		{"Lgamma of negative numbers", tensor.Tensor.Lgamma, nil, -9.3, -9.2, 6, digamma},
	} {
		x := tensor.Linspace(c.lo, c.hi, 20001).RequiresGrad()
		y := c.f(x)
		if err := y.Sum().Backward(); err != nil {
			t.Fatal(err)
		}
		xs, ys, ds := tensor.MustData[float64](x), tensor.MustData[float64](y),
			tensor.MustData[float64](x.Grad())
		for i, x := range xs {
			if c.want != nil {
				w := c.want(x)
				ulp := math.Abs(math.Nextafter(w, math.Inf(1)) - w)
				if !(math.Abs(ys[i]-w) <= c.ulps*ulp) {
					t.Fatalf("%s(%v) = %v, want %v", c.name, x, ys[i], w)
				}
			}
			if w := c.slope(x); !(math.Abs(ds[i]-w) <= 1e-12*(math.Abs(w)+1e-290)) &&
				!(c.name[0] == 'L' && math.Abs(ds[i]-w) < 1e-13) {
				t.Fatalf("derivative of %s at %v is %v, want %v", c.name, x, ds[i], w)
			}
		}
	}
}

// digamma is the derivative of lgamma, by recurrence and an asymptotic series.
func digamma(x float64) float64 {
	if x < 0 {
		return digamma(1-x) - math.Pi/math.Tan(math.Pi*x)
	}
	y := 0.0
	for ; x < 20; x++ {
		y -= 1 / x
	}
	q := 1 / (x * x)
	return y + math.Log(x) - 0.5/x - q*(1./12-q*(1./120-q*(1./252-q*(1./240-q/132))))
}
