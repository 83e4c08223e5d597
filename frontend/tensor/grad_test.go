package tensor_test

import (
	"math"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestBackwardViews has gradients through views and in-place writes.
func TestBackwardViews(t *testing.T) {
	x := tensor.Of([]float64{1, 2, 3, 4}).RequiresGrad()
	y := x.Mul(x)
	y.Index(tensor.Slice(nil, nil, 2)).Mul_(10)
	y.Index(1).Set(7)
	backward(t, y.Reshape(2, 2).Index(tensor.All, tensor.None).Sum())
	want(t, x.Grad(), []int{4}, 20.0, 0, 60, 8)

	x.ZeroGrad()
	backward(t, x.Index(x.Gt(2)).Square().Sum()) // a mask
	want(t, x.Grad(), []int{4}, 0.0, 0, 6, 8)
	if err := x.Set(0, 1).Err(); err == nil || !strings.Contains(err.Error(), "NoGrad") {
		t.Errorf("a write to what requires a gradient: error %v, want one that names NoGrad", err)
	}
}

// TestDescent fits a line by gradient descent as one writes it in PyTorch.
func TestDescent(t *testing.T) {
	x := tensor.Arange(10.0).Div(10)
	y := x.Mul(3).Sub(1)
	w, b := tensor.Of(0.0).RequiresGrad(), tensor.Of(0.0).RequiresGrad()
	for range 400 {
		loss := x.Mul(w).Add(b).Sub(y).Square().Mean()
		backward(t, loss)
		tensor.NoGrad(func() {
			for _, p := range []tensor.Tensor{w, b} {
				p.Sub_(p.Grad().Mul(0.5))
				p.ZeroGrad()
			}
		})
		if err := tensor.Realize(w, b); err != nil {
			t.Fatal(err)
		}
	}
	if got := tensor.MustItem[float64](w); math.Abs(got-3) > 1e-4 {
		t.Errorf("slope %g, want 3", got)
	}
	if got := tensor.MustItem[float64](b); math.Abs(got+1) > 1e-4 {
		t.Errorf("intercept %g, want -1", got)
	}
}

func TestStopGradient(t *testing.T) {
	x := tensor.Of(3.0).RequiresGrad()
	backward(t, x.Mul(tensor.StopGradient(x.Mul(2))))
	want(t, x.Grad(), []int{}, 6.0)
}

func TestGradErrors(t *testing.T) {
	x := tensor.Of([]float64{1, 2})
	_, err := tensor.Grad(x.Sum(), x)
	if err == nil || !strings.Contains(err.Error(), "RequiresGrad") {
		t.Errorf("Grad without RequiresGrad: %v", err)
	}
	x.RequiresGrad()
	err = x.Mul(2).Backward()
	if err == nil || !strings.Contains(err.Error(), "f64[2], want a floating-point scalar") {
		t.Errorf("Backward of a vector: %v", err)
	}
	if err := x.Grad().Err(); err == nil || !strings.Contains(err.Error(), "Backward") {
		t.Errorf("Grad before Backward: %v", err)
	}
	if err := tensor.Of([]int{1}).RequiresGrad().Err(); err == nil {
		t.Error("integers require a gradient without an error")
	}
}

// TestLongChain records more operations than any stack could follow, with and
// without a gradient.
func TestLongChain(t *testing.T) {
	x := tensor.Of(0.0).RequiresGrad()
	y := x
	for range 20000 {
		y = y.Add(1)
	}
	want(t, y, []int{}, 20000.0)
	backward(t, y)
	want(t, x.Grad(), []int{}, 1.0)
}
