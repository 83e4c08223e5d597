package native_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// cachedEnv makes TestCachedProgram the program of TestCached: the word eval, jit
// or other says what it computes.
const cachedEnv = "TCC_CACHED_PROGRAM"

// TestCachedProgram prints the backend and the bits of what it computes.
func TestCachedProgram(t *testing.T) {
	words := strings.Fields(os.Getenv(cachedEnv))
	if len(words) == 0 {
		t.Skip("for TestCached")
	}
	x := make([]float32, 1000)
	for i := range x {
		x[i] = float32(i%37) - 18.3
	}
	fmt.Println("before", tensor.Backend())
	for _, w := range words {
		for _, v := range tensor.MustData[float32](cachedWork(t, w, tensor.FromSlice(x, 10, 100))) {
			fmt.Printf("%08x\n", math.Float32bits(v))
		}
	}
	fmt.Println("after", tensor.Backend())
}

func cachedWork(t *testing.T, how string, x tensor.Tensor) tensor.Tensor {
	f := func(x tensor.Tensor) tensor.Tensor { return x.Exp().MatMul(x.T()).Softmax(-1) }
	switch how {
	case "eval":
		return f(x)
	case "jit":
		run, err := tensor.Jit(f, "x=f32[N,100]")
		if err != nil {
			t.Fatal(err)
		}
		return run(x)
	}
	return x.Sin().Mul(x).Cos()
}

// TestCached runs programs of which LLVM has put kernels into the cache where
// there is no LLVM: natively, with the same bits; and others, by the interpreter.
func TestCached(t *testing.T) {
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	none := []string{"PATH=", "TCC_LLVM=" + filepath.Join(dir, "none")}
	cache := []string{"TCC_CACHE=" + filepath.Join(dir, "a")}
	empty := []string{"TCC_CACHE=" + filepath.Join(dir, "b")}
	run := func(words, before, after string, env ...string) string {
		t.Helper()
		cmd := exec.Command(os.Args[0], "-test.run", "^TestCachedProgram$")
		cmd.Env = append(append(os.Environ(), cachedEnv+"="+words), env...)
		out, err := cmd.CombinedOutput()
		bits, ok := strings.CutPrefix(string(out), "before "+before+"\n")
		bits, _, found := strings.Cut(bits, "after "+after+"\n")
		if err != nil || !ok || !found {
			t.Errorf("%s: %v, wanted %s before and %s after:\n%s", words, err, before, after, out)
		}
		return bits
	}
	both := func(a, b []string) []string { return append(a[:len(a):len(a)], b...) }
	for _, how := range []string{"eval", "jit"} {
		byLLVM := run(how, "native", "native", cache...)
		if got := run(how, "native", "native", both(cache, none)...); got != byLLVM || got == "" {
			t.Errorf("%s: cached kernels have other bits than LLVM's:\n%s\n%s", how, got, byLLVM)
		}
	}
	interpreted := run("other", "interp", "interp", both(empty, none)...)
	if got := run("other", "native", "interp", both(cache, none)...); got != interpreted || got == "" {
		t.Errorf("a miss has other bits than the interpreter:\n%s\n%s", got, interpreted)
	}
	run("eval other eval", "native", "native+interp", both(cache, none)...)
	run("eval", "interp", "interp", both([]string{"TCC_CACHE=off"}, none)...)
}
