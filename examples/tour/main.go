// Tour shows tensors to those who know NumPy and PyTorch: creation and
// arithmetic, broadcasting, views that are written through, indexing,
// gradients, and memory that is shared with Go slices.
//
//	go run ./examples/tour
package main

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/interop"
	"github.com/tensorcc/tcc/frontend/tensor/interop/npy"
	_ "github.com/tensorcc/tcc/frontend/tensor/native" // machine code where LLVM is found
	"github.com/tensorcc/tcc/runtime"
)

// tour is what the sections are written in: the first error ends it.
type tour struct {
	out io.Writer
	err error
	// saved, if it is there, is shown the file when the tour has changed it.
	saved func(path string) error
}

func (t *tour) title(s string) {
	if t.err == nil {
		fmt.Fprintf(t.out, "\n# %s\n", s)
	}
}

// show prints values, of which those that are tensors must have no error.
func (t *tour) show(name string, values ...any) {
	for _, v := range values {
		if x, ok := v.(tensor.Tensor); ok && t.err == nil {
			t.err = x.Err()
		}
	}
	if t.err != nil {
		return
	}
	text, between := fmt.Sprint(values...), " "
	if strings.Contains(text, "\n") {
		between = "\n"
	}
	fmt.Fprintf(t.out, "%s =%s%s\n", name, between, text)
}

func (t *tour) check(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *tour) arithmetic() {
	t.title("arithmetic: Go's untyped constants take the type of the tensor")
	x := tensor.Of([][]int{{1, 2}, {3, 4}})
	t.show("x*5 + 2", x.Mul(5).Add(2))
	t.show("x/2", x.Div(2))
}

func (t *tour) broadcasting() {
	t.title("broadcasting")
	m := tensor.Of([][]int{{1, 2, 3}, {4, 5, 6}})
	v := tensor.Of([]int{10, 20})
	t.show("m + [10,20,30]", m.Add([]int{10, 20, 30}))
	t.show("m + v[:, None]", m.Add(v.Index(tensor.All, tensor.None)))
	t.show("m + v.Unsqueeze(1)", m.Add(v.Unsqueeze(1)))
	t.show("m + v", m.Add(v).Err())
}

func (t *tour) views() {
	t.title("a slice is a view: writes are seen by the base")
	x := tensor.Arange(12).Reshape(3, 4)
	v := x.Index(tensor.Slice(1, 3), tensor.Slice(2, nil))
	v.Set(99, 0, 0)
	t.show("v", v)
	t.show("x", x)
	w := v.Index(tensor.All, tensor.Slice(nil, nil, -1)) // a view of a view
	w.Set(-1, 1, 0)
	t.show("x[2, 3]", x.Index(2, 3))
}

func (t *tour) indexing() {
	t.title("index arrays and masks copy; on the left they write")
	x := tensor.Arange(12).Reshape(3, 4)
	c := x.Index([]int{0, 2})
	c.Set(77, 0, 0)
	t.show("c", c)
	m := x.Index(x.Gt(8))
	m.Set(55, 0)
	t.show("m", m)
	t.show("x, which has not changed", x)
	x.Set(0, []int{0, 2})
	t.show("x", x)
}

func (t *tour) gradients() {
	t.title("gradients: accumulated, zeroed, switched off, of second order")
	x := tensor.Of(2.0).RequiresGrad()
	f := func() tensor.Tensor { return x.Pow(2).Add(x.Mul(3)).Add(1) }
	t.check(f().Backward())
	d, err := tensor.Item[float64](x.Grad())
	t.check(err)
	fmt.Fprintf(t.out, "Gradient at x=2 is: %v\n", d)
	t.check(f().Backward())
	t.show("after a second Backward", x.Grad())
	x.ZeroGrad()
	t.check(f().Backward())
	t.show("after ZeroGrad and Backward", x.Grad())
	tensor.NoGrad(func() { t.show("inside NoGrad", f().Backward()) })

	d1, err := tensor.Grad(x.Pow(3), x)
	t.check(err)
	if err == nil {
		d2, err := tensor.Grad(d1[0], x)
		t.check(err)
		t.show("second derivative of x**3", d2[0])
	}
}

func (t *tour) memory() {
	t.title("a tensor of a Go slice shares its memory")
	s := []float64{1, 1, 1, 1, 1}
	x := tensor.FromSlice(s)
	s[2] = 99
	t.show("x", x)
	x.Set(5, 0)
	t.show("the slice", s)
}

// numpyFile is what np.save writes of np.arange(6.0).reshape(2, 3).
//
//go:embed testdata/numpy.npy
var numpyFile []byte

func (t *tour) file() {
	t.title("a .npy file is mapped; what is written to the tensor is in the file")
	dir, err := os.MkdirTemp("", "tour")
	t.check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "x.npy")
	t.check(os.WriteFile(path, numpyFile, 0o644))
	mapped, closeFile, err := npy.Map(path, true)
	t.check(err)
	if t.err != nil {
		return
	}
	x, shared, err := interop.Tensor(mapped)
	t.check(err)
	t.show("x", x)
	x.Set(-1, 0, tensor.Slice(1, nil))
	t.check(x.Err())
	t.check(closeFile())
	again, err := runtime.ReadNPYFile(path)
	t.check(err)
	y, _, err := interop.Tensor(again)
	t.check(err)
	t.show("the file has", y)
	t.show("x was the file's memory", shared)
	if t.saved != nil {
		t.check(t.saved(path))
	}
}

// copies shows which forms share memory: docs/interop.md has all.
func (t *tour) copies() {
	t.title("what is a view and what a copy")
	s := make([]float64, 12)
	x := tensor.FromSlice(s, 3, 4)
	for _, form := range []struct {
		name string
		y    tensor.Tensor
	}{
		{"x[1:]", x.Index(tensor.Slice(1, nil))},
		{"x[:, None]", x.Index(tensor.All, tensor.None)},
		{"x.Reshape(2, 6)", x.Reshape(2, 6)},
		{"x.T()", x.T()},
		{"x.T().Reshape(12)", x.T().Reshape(12)},
		{"x[[0, 2]]", x.Index([]int{0, 2})},
		{"x[x == 0]", x.Index(x.Eq(0))},
		{"x.Clone()", x.Clone()},
		{"tensor.Of(s)", tensor.Of(s)},
	} {
		form.y.Fill_(float64(1)) // into s, or not
		t.check(form.y.Err())
		what := "copy"
		if slices.Contains(s, 1) {
			what = "view"
		}
		t.show(form.name, what)
		clear(s)
	}
}

// run prints the tour.
func run(t *tour) error {
	for _, section := range []func(){
		t.arithmetic, t.broadcasting, t.views, t.indexing, t.gradients, t.memory,
		t.file, t.copies,
	} {
		if section(); t.err != nil {
			return t.err
		}
	}
	return nil
}

func main() {
	if err := run(&tour{out: os.Stdout}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("\na GPU:", cmp.Or(tensor.CUDA.Check(), errors.New("there is one")))
	fmt.Println("\nevaluated by", tensor.Backend())
}
