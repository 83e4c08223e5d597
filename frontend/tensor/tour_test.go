package tensor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// want checks shape and elements of a tensor.
func want[E ir.Element](t *testing.T, got tensor.Tensor, shape []int, data ...E) {
	t.Helper()
	es, err := tensor.Data[E](got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shape, got.Shape()); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(data, append([]E{}, es...)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// TestTour has what a newcomer is shown first.
func TestTour(t *testing.T) {
	t.Run("arithmetic", func(t *testing.T) {
		x := tensor.Of([][]int{{1, 2}, {3, 4}})
		want[int64](t, x.Mul(5).Add(2), []int{2, 2}, 7, 12, 17, 22)
	})
	m := tensor.Of([][]int{{1, 2, 3}, {4, 5, 6}})
	v := tensor.Of([]int{10, 20})
	t.Run("broadcasting", func(t *testing.T) {
		want[int64](t, m.Add([]int{10, 20, 30}), []int{2, 3}, 11, 22, 33, 14, 25, 36)
	})
	t.Run("None", func(t *testing.T) {
		column := v.Index(tensor.All, tensor.None)
		want[int64](t, column, []int{2, 1}, 10, 20)
		want[int64](t, m.Add(column), []int{2, 3}, 11, 12, 13, 24, 25, 26)
	})
	t.Run("Unsqueeze", func(t *testing.T) {
		want[int64](t, m.Add(v.Unsqueeze(1)), []int{2, 3}, 11, 12, 13, 24, 25, 26)
	})
	t.Run("misfit", func(t *testing.T) {
		err := m.Add(v).Mul(2).Err()
		got := fmt.Sprint(err)
		for _, s := range []string{
			"tour_test.go:", ": Add: ", "(2,3)", "(2)", "axis 1 is 3 against 2", "Unsqueeze(1)",
		} {
			if !strings.Contains(got, s) {
				t.Errorf("error %q does not say %q", got, s)
			}
		}
	})
	t.Run("views", func(t *testing.T) {
		a := tensor.Arange(12).Reshape(3, 4)
		v := a.Index(tensor.Slice(1, 3), tensor.Slice(2, nil))
		v.Set(99, 0, 0)
		want[int64](t, v, []int{2, 2}, 99, 7, 10, 11)
		want[int64](t, a, []int{3, 4}, 0, 1, 2, 3, 4, 5, 99, 7, 8, 9, 10, 11)
		w := v.Index(tensor.All, tensor.Slice(nil, nil, -1))
		w.Set(-1, 1, 0)
		want[int64](t, a.Index(2, 3), []int{}, -1)
	})
	t.Run("advanced indexing", func(t *testing.T) {
		a := tensor.Arange(12).Reshape(3, 4)
		c := a.Index([]int{0, 2})
		c.Set(77, 0, 0)
		big := a.Index(a.Gt(8))
		big.Set(55, 0)
		want[int64](t, big, []int{3}, 55, 10, 11)
		want[int64](t, a, []int{3, 4}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
		a.Set(0, []int{0, 2})
		want[int64](t, a, []int{3, 4}, 0, 0, 0, 0, 4, 5, 6, 7, 0, 0, 0, 0)
	})
	t.Run("gradients", func(t *testing.T) {
		x := tensor.Of(2.0).RequiresGrad()
		f := func() tensor.Tensor { return x.Pow(2).Add(x.Mul(3)).Add(1) }
		y := f()
		want[float64](t, y, []int{}, 11)
		backward(t, y)
		want[float64](t, x.Grad(), []int{}, 7)
		backward(t, f())
		want[float64](t, x.Grad(), []int{}, 14)
		x.ZeroGrad()
		backward(t, f())
		want[float64](t, x.Grad(), []int{}, 7)
		tensor.NoGrad(func() {
			if err := x.Mul(2).Backward(); err == nil {
				t.Error("Backward of what was recorded inside NoGrad has no error")
			}
		})
	})
	t.Run("second order", func(t *testing.T) {
		x := tensor.Of(2.0).RequiresGrad()
		d, err := tensor.Grad(x.Pow(3), x)
		if err != nil {
			t.Fatal(err)
		}
		d, err = tensor.Grad(d[0], x)
		if err != nil {
			t.Fatal(err)
		}
		want[float64](t, d[0], []int{}, 12)
	})
	t.Run("zero copy", func(t *testing.T) {
		s := []float64{1, 1, 1, 1, 1}
		x := tensor.FromSlice(s)
		s[2] = 99
		want(t, x, []int{5}, 1.0, 1, 99, 1, 1)
		sum := x.Sum()
		x.Set(5, 0)
		if s[0] != 5 {
			t.Errorf("the slice has %v, want what was set", s)
		}
		want(t, sum, []int{}, 103.0)
		if out := tensor.MustData[float64](x); &out[0] != &s[0] {
			t.Error("Data copies")
		}
	})
}

func backward(t *testing.T, y tensor.Tensor) {
	t.Helper()
	if err := y.Backward(); err != nil {
		t.Fatal(err)
	}
}
