package tensor_test

import (
	"cmp"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/internal/cases"
	"github.com/tensorcc/tcc/frontend/tensor/native"
)

// TestMain keeps the interpreter as the evaluator, which native replaces where
// LLVM is found; tests that want it say so.
func TestMain(m *testing.M) {
	tensor.SetEvaluator(tensor.Interpreter())
	os.Exit(m.Run())
}

// readCases reads a file, which may be compressed.
func readCases(t *testing.T, name string) []*cases.Case {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	cs, err := cases.Read(r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return cs
}

// maxFailures are shown; more say as little.
const maxFailures = 25

func lazily(t *testing.T, name string, cs []*cases.Case) {
	failed := 0
	for i, c := range cs {
		if err := c.Lazy(); err != nil {
			t.Errorf("%s:%d: %s: %v\n%s", name, i+1, c.Op, err, c)
			if failed++; failed == maxFailures {
				t.Fatal("more failures are not shown")
			}
		}
	}
}

// ahead runs the cases as compiled functions of batch cases each.
func ahead(t *testing.T, name string, cs []*cases.Case, e tensor.Evaluator, batch int) {
	failed := 0
	var group []*cases.Case
	var lines []int
	run := func() {
		errs, err := cases.Ahead(e, group)
		if err != nil { // one that cannot be traced or run: find it
			for i := range group {
				one, err := cases.Ahead(e, group[i:i+1])
				errs[i] = cmp.Or(err, one[0])
			}
		}
		for i, err := range errs {
			if err == nil {
				continue
			}
			t.Errorf("%s:%d: %s: %v\n%s", name, lines[i], group[i].Op, err, group[i])
			if failed++; failed == maxFailures {
				t.Fatal("more failures are not shown")
			}
		}
		group, lines = nil, nil
	}
	for i, c := range cs {
		if c.Traceable() {
			group, lines = append(group, c), append(lines, i+1)
		}
		if len(group) == batch {
			run()
		}
	}
	if len(group) > 0 {
		run()
	}
}

// TestNumPyCases runs the file named by TCC_NUMPY_CASES, or that in testdata,
// lazily and as compiled functions, whose graphs the interpreter runs, and
// native code: all of the file of TCC_NUMPY_CASES, or without -short a part of
// that in testdata.
func TestNumPyCases(t *testing.T) {
	given := os.Getenv("TCC_NUMPY_CASES")
	name := cmp.Or(given, "testdata/numpy.jsonl.gz")
	cs := readCases(t, name)
	t.Run("lazy", func(t *testing.T) { lazily(t, name, cs) })
	t.Run("ahead", func(t *testing.T) { ahead(t, name, cs, tensor.Interpreter(), 50) })
	t.Run("native", func(t *testing.T) {
		if testing.Short() && given == "" {
			t.Skip("compiles for half a minute: -short")
		}
		if given == "" {
			cs = cs[:500]
		}
		if err := native.Use(); err != nil {
			t.Skipf("no LLVM: %v", err)
		}
		e := tensor.SetEvaluator(tensor.Interpreter())
		ahead(t, name, cs, e, 40)
	})
}

// TestTorchCases does so with PyTorch's functions: the file named by
// TCC_TORCH_CASES, or that in testdata.
func TestTorchCases(t *testing.T) {
	given := os.Getenv("TCC_TORCH_CASES")
	name := cmp.Or(given, "testdata/torch.jsonl.gz")
	cs := readCases(t, name)
	t.Run("lazy", func(t *testing.T) { lazily(t, name, cs) })
	t.Run("ahead", func(t *testing.T) { ahead(t, name, cs, tensor.Interpreter(), 20) })
	t.Run("native", func(t *testing.T) {
		if testing.Short() && given == "" {
			t.Skip("compiles for 10 seconds: -short")
		}
		if err := native.Use(); err != nil {
			t.Skipf("no LLVM: %v", err)
		}
		ahead(t, name, cs, tensor.SetEvaluator(tensor.Interpreter()), 20)
	})
}
