package tensor_test

import (
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// BenchmarkRecord is the time to record one small addition.
func BenchmarkRecord(b *testing.B) {
	x := tensor.Arange(10.0)
	b.ReportAllocs()
	for b.Loop() {
		x.Add(1)
	}
}

// BenchmarkAdd is the time to record and evaluate it.
func BenchmarkAdd(b *testing.B) {
	x := tensor.FromSlice(make([]float64, 10))
	b.ReportAllocs()
	for b.Loop() {
		if err := tensor.Realize(x.Add(1)); err != nil {
			b.Fatal(err)
		}
	}
}
