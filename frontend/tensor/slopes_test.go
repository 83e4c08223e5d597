package tensor_test

import (
	"math"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// slopes are functions of one tensor at places where a formula's pieces meet,
// with the gradients that PyTorch 2.15 has of their sums there.
var slopes = []struct {
	name     string
	f        func(x tensor.Tensor) tensor.Tensor
	at, want []float64
}{
	{"Log2", tensor.Tensor.Log2, []float64{0.5, 1, 8}, []float64{2 / math.Ln2, 1 / math.Ln2,
		0.125 / math.Ln2}},
	{"Log10", tensor.Tensor.Log10, []float64{0.5, 1, 10}, []float64{2 / math.Ln10, 1 / math.Ln10,
		0.1 / math.Ln10}},
	{"Softplus", func(x tensor.Tensor) tensor.Tensor { return x.Softplus(1) },
		[]float64{-1000, 0, 1000}, []float64{0, 0.5, 1}},
	{"LogSigmoid", tensor.Tensor.LogSigmoid, []float64{-1000, 0, 1000}, []float64{1, 0.5, 0}},
	{"Elu", func(x tensor.Tensor) tensor.Tensor { return x.Elu(1.5) }, []float64{0, 1},
		[]float64{1.5, 1}},
	{"Celu", func(x tensor.Tensor) tensor.Tensor { return x.Celu(1.5) }, []float64{0, 1},
		[]float64{1, 1}},
	{"LogAddExp", func(x tensor.Tensor) tensor.Tensor {
		return x.Index(0).LogAddExp(x.Index(1))
	}, []float64{2, 2}, []float64{0.5, 0.5}},
	{"Copysign", func(x tensor.Tensor) tensor.Tensor { return x.Copysign([]float64{1, -1, -1}) },
		[]float64{3, 3, -3}, []float64{1, -1, 1}},
	{"Atan2", func(x tensor.Tensor) tensor.Tensor { return x.Index(0).Atan2(x.Index(1)) },
		[]float64{0, 0}, []float64{0, 0}},
	{"Std", func(x tensor.Tensor) tensor.Tensor { return x.Std() }, []float64{3, 3},
		[]float64{0, 0}},
	{"VectorNorm 2", norm(2), []float64{0, 0}, []float64{0, 0}},
	{"VectorNorm 3", norm(3), []float64{0, 0}, []float64{0, 0}},
	{"VectorNorm 1/2", norm(0.5), []float64{0, 4}, []float64{0, 1}},
	{"VectorNorm -1", norm(-1), []float64{0, 4}, []float64{0, 0}},
	{"Normalize", func(x tensor.Tensor) tensor.Tensor { return x.Normalize(2, 0, 0.125) },
		[]float64{0, 0}, []float64{8, 8}},
}

func norm(p float64) func(tensor.Tensor) tensor.Tensor {
	return func(x tensor.Tensor) tensor.Tensor { return x.VectorNorm(p) }
}

func TestSlopes(t *testing.T) {
	for _, c := range slopes {
		x := tensor.Of(c.at).RequiresGrad()
		backward(t, c.f(x).Sum())
		for i, d := range tensor.MustData[float64](x.Grad()) {
			if !(math.Abs(d-c.want[i]) <= 1e-15*math.Abs(c.want[i])) {
				t.Errorf("gradient of %s at %v, element %d: %v, want %v", c.name, c.at, i, d, c.want[i])
			}
		}
	}
}

// TestCurvature has second derivatives where cases meet.
func TestCurvature(t *testing.T) {
	h, err := tensor.Hessian(func(x tensor.Tensor) tensor.Tensor { return x.Softplus(1).Sum() },
		tensor.Of([]float64{0}))
	if err != nil {
		t.Fatal(err)
	}
	want(t, h, []int{1, 1}, 0.25)
	hypot := func(x tensor.Tensor) tensor.Tensor { return x.Index(0).Hypot(x.Index(1)) }
	if h, err = tensor.Hessian(hypot, tensor.Of([]float64{2, 0})); err != nil {
		t.Fatal(err)
	}
	want(t, h, []int{2, 2}, 0, 0, 0, 0.5)
	if h, err = tensor.Hessian(norm(2), tensor.Of([]float64{2, 0})); err != nil {
		t.Fatal(err)
	}
	want(t, h, []int{2, 2}, 0, 0, 0, 0.5)
}

// TestLogSumExpOfInfinities has rows whose largest element has no difference
// from itself.
func TestLogSumExpOfInfinities(t *testing.T) {
	inf := math.Inf(1)
	x := tensor.Of([][]float64{{-inf, -inf}, {1, inf}, {inf, inf}, {-inf, 2}})
	want(t, x.LogSumExp(1), []int{4}, -inf, inf, inf, 2)
	want(t, tensor.Of([]float64{-inf, inf, inf}).LogAddExp([]float64{-inf, inf, -inf}), []int{3},
		-inf, inf, inf)
}

// TestTooLargeWindows has windows that lie nowhere.
func TestTooLargeWindows(t *testing.T) {
	x := tensor.Ones(tensor.F32, 1, 1, 3, 3)
	for name, y := range map[string]tensor.Tensor{
		"Conv2d":                 x.Conv2d(tensor.Ones(tensor.F32, 1, 1, 2, 2), nil, tensor.Dilation(3)),
		"ConvTranspose2d":        x.ConvTranspose2d(x, nil, tensor.Padding(3)),
		"MaxPool2d":              x.MaxPool2d([]int{5}, tensor.Stride(2)),
		"AvgPool2d in ceil mode": x.AvgPool2d([]int{5}, tensor.Stride(2), tensor.CeilMode()),
		"Unfold":                 x.Unfold(2, 4, 1),
		"Unfold of an image":     tensor.Unfold(x, []int{4}),
	} {
		if err := y.Err(); err == nil || !strings.Contains(err.Error(), "windows that reach over") {
			t.Errorf("%s: error %v, want one with the reach of a window", name, err)
		}
	}
	want(t, x.MaxPool2d([]int{4}, tensor.Stride(2), tensor.CeilMode()), []int{1, 1, 1, 1}, float32(1))
}

// TestArangeOfLargeIntegers has ends that f64 does not tell apart.
func TestArangeOfLargeIntegers(t *testing.T) {
	want(t, tensor.Arange(math.MaxInt64-2, math.MaxInt64), []int{2}, int64(math.MaxInt64-2),
		int64(math.MaxInt64-1))
	want(t, tensor.Arange(math.MinInt64+1, math.MinInt64, math.MinInt64), []int{1},
		int64(math.MinInt64+1))
	want(t, tensor.Arange(math.MinInt64, math.MaxInt64, math.MaxInt64), []int{3},
		int64(math.MinInt64), int64(-1), int64(math.MaxInt64-1))
}
