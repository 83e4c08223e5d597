package gonum_test

import (
	"testing"
	"unsafe"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/tensorcc/tcc/frontend/tensor/interop/gonum"
	"github.com/tensorcc/tcc/runtime"
)

func TestDense(t *testing.T) {
	m := mat.NewDense(3, 4, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	part := m.Slice(1, 3, 1, 3).(*mat.Dense)
	x, err := gonum.FromDense(part)
	if err != nil {
		t.Fatal(err)
	}
	runtime.Set(x, 60.0, 0, 1)
	m.Set(2, 1, 90)
	if m.At(1, 2) != 60 || runtime.At[float64](x, 1, 0) != 90 {
		t.Errorf("matrix %v, tensor %v", mat.Formatted(m), x.Text())
	}
	whole, err := gonum.FromDense(m)
	if err != nil {
		t.Fatal(err)
	}
	back, shared, err := gonum.Dense(whole)
	if err != nil || !shared ||
		unsafe.SliceData(back.RawMatrix().Data) != unsafe.SliceData(m.RawMatrix().Data) {
		t.Errorf("and back: shared %v, %v", shared, err)
	}
	if c, shared, err := gonum.Dense(x); err != nil || shared || c.At(0, 1) != 60 {
		t.Errorf("of a part: shared %v, %v", shared, err)
	}
	if _, _, err := gonum.Dense(runtime.MustFrom([]float32{1}, 1, 1)); err == nil {
		t.Error("a matrix of f32: no error")
	}
}

func TestVector(t *testing.T) {
	data := []float64{1, 2, 3, 4, 5}
	for _, v := range []blas64.Vector{{N: 3, Inc: 2, Data: data}, {N: 3, Inc: -2, Data: data}} {
		x, err := gonum.FromVector(v)
		if err != nil {
			t.Fatal(err)
		}
		// The sum of products with 1, 10, 100 tells the order.
		weights := blas64.Vector{N: 3, Inc: 1, Data: []float64{1, 10, 100}}
		want := blas64.Dot(v, weights)
		got := runtime.At[float64](x, 0) + 10*runtime.At[float64](x, 1) + 100*runtime.At[float64](x, 2)
		if got != want {
			t.Errorf("increment %d: %v, want %v", v.Inc, got, want)
		}
	}
	v, shared, err := gonum.Vector(runtime.MustFrom(data, 5))
	if err != nil || !shared || &v.Data[0] != &data[0] {
		t.Errorf("vector: shared %v, %v", shared, err)
	}
}
