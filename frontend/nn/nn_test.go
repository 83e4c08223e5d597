package nn_test

import (
	"math"
	"testing"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
)

func near(t *testing.T, name string, got tensor.Tensor, want ...float64) {
	t.Helper()
	xs, err := tensor.Data[float64](got.Cast(tensor.F64))
	if err != nil {
		t.Fatal(err)
	}
	if len(xs) != len(want) {
		t.Fatalf("%s: %v, want %v", name, xs, want)
	}
	for i, w := range want {
		if !(math.Abs(xs[i]-w) <= 1e-6*(1+math.Abs(w))) {
			t.Errorf("%s: element %d is %g, want %g", name, i, xs[i], w)
		}
	}
}

func TestLosses(t *testing.T) {
	logits := tensor.Of([][]float64{{1, 2, 3}, {1000, 0, -1000}})
	label := tensor.Of([]int{0, 1})
	lse := math.Log(math.E + math.Exp(2) + math.Exp(3))
	near(t, "cross entropy", nn.CrossEntropy(logits, label), (lse-1+1000)/2)
	near(t, "mse", nn.MSE(tensor.Of([]float64{1, 2}), tensor.Of([]float64{3, 2})), 2)
}

type pair struct {
	A tensor.Tensor `tcc:"f64[2]"`
	B tensor.Tensor `tcc:"f64"`
}

func newPair(a0, a1, b float64) pair {
	return pair{A: tensor.Of([]float64{a0, a1}), B: tensor.Of(b)}
}

func TestSGD(t *testing.T) {
	p, g := newPair(1, 2, 3), newPair(10, -10, 1)
	o := nn.SGD{LR: 0.1}
	s, err := nn.NewOptState(o, &p)
	if err != nil {
		t.Fatal(err)
	}
	if err := nn.Update(o, &p, &g, &s, nil); err != nil {
		t.Fatal(err)
	}
	near(t, "A", p.A, 0, 3)
	near(t, "B", p.B, 2.9)
}

// TestAdam follows one number through the formulas of the paper.
func TestAdam(t *testing.T) {
	p := newPair(1, 2, 3)
	s, err := nn.NewAdamState(p)
	if err != nil {
		t.Fatal(err)
	}
	x, m, v := 3.0, 0.0, 0.0
	for i := 1; i <= 5; i++ {
		grad := 2*x + 1
		if err := nn.AdamUpdate(nn.Adam{LR: 0.1}, &p, newPair(0, 0, grad), &s); err != nil {
			t.Fatal(err)
		}
		m = 0.9*m + 0.1*grad
		v = 0.999*v + 0.001*grad*grad
		mHat, vHat := m/(1-math.Pow(0.9, float64(i))), v/(1-math.Pow(0.999, float64(i)))
		x -= 0.1 * mHat / (math.Sqrt(vHat) + 1e-8)
		// Powers of the betas are in float32, as the number of steps is.
		near(t, "B", p.B.Sub(x).Div(10), 0)
		x = tensor.MustItem[float64](p.B)
	}
	near(t, "A", p.A, 1, 2)
}

func TestUpdateErrors(t *testing.T) {
	p := newPair(1, 2, 3)
	o := nn.SGD{LR: 1}
	if err := nn.Update(o, p, &p, &nn.OptState{}, nil); err == nil {
		t.Error("Update of a struct that is not a pointer: no error")
	}
	if err := nn.Update(o, &p, &p.A, &nn.OptState{}, nil); err == nil {
		t.Error("Update with gradients of another form: no error")
	}
}
