package native_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// BenchmarkAdd is the time to record, look up and run a small addition.
func BenchmarkAdd(b *testing.B) {
	useBench(b)
	x := tensor.FromSlice(make([]float64, 10))
	b.ReportAllocs()
	realize(b, func() tensor.Tensor { return x.Add(1) })
}

// realize measures recording and running what f makes, which is compiled before.
func realize(b *testing.B, f func() tensor.Tensor) {
	err := tensor.Realize(f())
	for b.Loop() && err == nil {
		err = tensor.Realize(f())
	}
	if err != nil {
		b.Fatal(err)
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
	realize(b, func() tensor.Tensor { return chain(x) })
}

func useBench(b *testing.B) {
	b.Helper()
	if tensor.Backend() != "native" {
		b.Skip("no LLVM")
	}
}

// firstEnv makes TestFirst print the time of a process's first evaluation.
const firstEnv = "TCC_FIRST"

func TestFirst(t *testing.T) {
	if os.Getenv(firstEnv) == "" {
		t.Skip("for BenchmarkNewProcess")
	}
	start := time.Now()
	if err := tensor.Realize(chain(tensor.FromSlice(make([]float32, 1000)))); err != nil {
		t.Fatal(err)
	}
	fmt.Println("first", time.Since(start).Nanoseconds())
}

// BenchmarkNewProcess is the time of the first evaluation in a new process,
// whose kernels are on disk.
func BenchmarkNewProcess(b *testing.B) {
	useBench(b)
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	run := func() int64 {
		cmd := exec.Command(exe, "-test.run", "^TestFirst$")
		cmd.Env = append(os.Environ(), firstEnv+"=1")
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
		var ns int64
		if _, err := fmt.Sscanf(string(out), "first %d", &ns); err != nil {
			b.Fatalf("%v in %q", err, out)
		}
		return ns
	}
	run() // puts the kernels on disk
	total, n := int64(0), 0
	for b.Loop() {
		total, n = total+run(), n+1
	}
	b.ReportMetric(float64(total)/float64(n), "first-ns/op")
}
