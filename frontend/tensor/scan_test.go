package tensor_test

import (
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestScan has a linear recurrence, its gradient, and the same backwards.
func TestScan(t *testing.T) {
	xs := tensor.Of([]float64{1, 2, 3})
	w := tensor.Of(0.5)
	run := func(w tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
		h, ys, err := tensor.Scan(func(h, x tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
			h = h.Mul(w).Add(x)
			return h, h.Mul(10)
		}, tensor.Of(0.0), xs)
		if err != nil {
			t.Fatal(err)
		}
		return h, ys
	}
	h, ys := run(w)
	want(t, h, []int{}, 4.25)
	want(t, ys, []int{3}, 10.0, 25, 42.5)
	_, g, err := tensor.ValueAndGrad(func(w tensor.Tensor) tensor.Tensor {
		h, _ := run(w)
		return h
	}, w)
	if err != nil {
		t.Fatal(err)
	}
	want(t, g, []int{}, 2*0.5*1+2)
	h, _, err = tensor.ScanReverse(func(h, x tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
		return h.Mul(w).Add(x), h
	}, tensor.Of(0.0), xs)
	if err != nil {
		t.Fatal(err)
	}
	want(t, h, []int{}, 2.75)
}

type counter struct {
	N, Sum tensor.Tensor
}

// TestStep runs a step whose state stays in place, and reads new inputs from
// the memory of the old.
func TestStep(t *testing.T) {
	x := []float64{1, 2}
	s, err := tensor.NewStep(func(s counter, x tensor.Tensor) (counter, tensor.Tensor, error) {
		// The old sum is read after the new one is there.
		next := s.Sum.Add(x)
		return counter{s.N.Add(1), next}, s.Sum.Mul(next).Sum(), nil
	}, counter{tensor.Of(0), tensor.Of([]float64{0, 0})}, tensor.FromSlice(x))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Run(); err != nil {
			t.Fatal(err)
		}
	}
	want(t, s.State().Sum, []int{2}, 2.0, 4)
	want(t, s.Out(), []int{}, 1.0*2+2*4)
	x[0] = 10
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	want(t, s.State().Sum, []int{2}, 12.0, 6)
	want(t, s.State().N, []int{}, int64(3))
}
