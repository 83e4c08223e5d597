package tensor_test

import (
	"sync"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestConcurrent uses shared tensors from many goroutines: reads and records,
// and writes to views that do not overlap. Run it with -race.
func TestConcurrent(t *testing.T) {
	x := tensor.Arange(64.0).Reshape(8, 8)
	y := x.MatMul(x.T()).Sum()
	want := tensor.MustItem[float64](tensor.Arange(64.0).Reshape(8, 8).Clone().Sum(0).Square().Sum())
	rows := tensor.Zeros(tensor.F64, 16, 8)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if got := tensor.MustItem[float64](y); got != want {
				t.Errorf("sum %g, want %g", got, want)
			}
			rows.Index(i).Copy_(x.Index(i % 8))
			if _, err := tensor.Data[float64](x.Index(i % 8).Mul(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sum := tensor.MustItem[float64](rows.Sum())
	if want := 2 * tensor.MustItem[float64](x.Sum()); sum != want {
		t.Errorf("rows add up to %g, want %g", sum, want)
	}
}
