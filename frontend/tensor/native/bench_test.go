package native_test

import (
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// BenchmarkAdd is the time to record, look up and run a small addition.
func BenchmarkAdd(b *testing.B) {
	useBench(b)
	x := tensor.FromSlice(make([]float64, 10))
	b.ReportAllocs()
	for b.Loop() {
		if err := tensor.Realize(x.Add(1)); err != nil {
			b.Fatal(err)
		}
	}
}

// chain is six elementwise operations, which bench/numpy/speed.py has in NumPy.
func chain(x tensor.Tensor) tensor.Tensor {
	return x.Mul(2).Add(1).Abs().Sqrt().Sub(0.5).Mul(x)
}

// BenchmarkChain is the time to record and run it over 10M elements.
func BenchmarkChain(b *testing.B) {
	useBench(b)
	data := make([]float32, 10_000_000)
	for i := range data {
		data[i] = float32(i%1000)/100 - 5
	}
	x := tensor.FromSlice(data)
	b.SetBytes(int64(len(data) * 4))
	for b.Loop() {
		if err := tensor.Realize(chain(x)); err != nil {
			b.Fatal(err)
		}
	}
}

func useBench(b *testing.B) {
	b.Helper()
	if tensor.Backend() != "native" {
		b.Skip("no LLVM")
	}
}
