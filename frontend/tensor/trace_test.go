package tensor_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

func trace(t *testing.T, fn any, specs ...string) *ir.Graph {
	t.Helper()
	g, err := tensor.Trace(fn, specs...)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	return g
}

// text is a graph's text without positions.
func text(g *ir.Graph) string {
	var b strings.Builder
	for line := range strings.Lines(ir.Print(g)) {
		line, _, _ = strings.Cut(line, " # ")
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

// TestTraceGraph shows that a write through a view of a dynamic size is an
// updateslice, and that structs name parameters and results.
func TestTraceGraph(t *testing.T) {
	type in struct {
		A tensor.Tensor `tcc:"f32[N,4]"`
		S tensor.Tensor `tcc:"f32"`
	}
	type out struct{ All, Column tensor.Tensor }
	g := trace(t, func(p in) out {
		y := p.A.Clone()
		col := y.Index(tensor.All, -1)
		col.Mul_(p.S)
		return out{y, col}
	}, "p")
	g.Name = "f"
	want := `graph f
	v0 = param <f32[N,4]> {p.A}
	v1 = param <f32[]> {p.S}
	v2 = slice <f32[N,1]> v0 {start=[0,3] step=[1 1] shape=[N,1]}
	v3 = reshape <f32[N]> v2 {[N]}
	v4 = broadcast <f32[N]> v1 {shape=[N]}
	v5 = mul <f32[N]> v3 v4
	v6 = reshape <f32[N,1]> v5 {[N,1]}
	v7 = updateslice <f32[N,4]> v0 v6 {start=[0,3] step=[1 1] shape=[N,1]}
	v8 = slice <f32[N,1]> v7 {start=[0,3] step=[1 1] shape=[N,1]}
	v9 = reshape <f32[N]> v8 {[N]}
	return All=v7 Column=v9
`
	if diff := cmp.Diff(want, text(g)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestJitDynamic runs one recording at several sizes.
func TestJitDynamic(t *testing.T) {
	f, err := tensor.Jit(func(x tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
		pairs := x.Reshape(-1, 2)
		pairs.Index(tensor.All, 0).Set(0)
		return x, x.Index(tensor.Slice(nil, nil, -2)).Mean()
	}, "x=f64[N]")
	if err != nil {
		t.Fatal(err)
	}
	y, m := f(tensor.Of([]float64{1, 2, 3, 4}))
	want(t, y, []int{4}, 0.0, 2, 0, 4)
	want(t, m, []int{}, 3.0)
	y, m = f(tensor.Arange(6.0))
	want(t, y, []int{6}, 0.0, 1, 0, 3, 0, 5)
	want(t, m, []int{}, 3.0)
	y, _ = f(tensor.Arange(5.0))
	if err := y.Err(); err == nil || !strings.Contains(err.Error(), "trace_test.go:") ||
		!strings.Contains(err.Error(), "Reshape") {
		t.Errorf("5 elements in pairs: error %v, want one that names the Reshape and its line", err)
	}
}

// TestJitData has extents that depend on data, which one recording computes.
func TestJitData(t *testing.T) {
	f, err := tensor.Jit(func(x tensor.Tensor) (masked, values, counts, rows, ones tensor.Tensor) {
		y := x.Clone()
		y.Set(0, y.Lt(0))
		values, counts = x.UniqueCounts()
		return y, values, counts, x.Index(x.Gt(1)), tensor.OnesLike(x.Index(x.Eq(1)))
	}, "x=i64[N]")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 3} {
		x := tensor.Of([]int{2, -1, 2, 1}).Tile(n)
		y, values, counts, rows, ones := f(x)
		want(t, y, []int{4 * n}, slices.Repeat([]int64{2, 0, 2, 1}, n)...)
		want(t, values, []int{3}, int64(-1), 1, 2)
		want(t, counts, []int{3}, int64(n), int64(n), int64(2*n))
		want(t, rows, []int{2 * n}, slices.Repeat([]int64{2}, 2*n)...)
		want(t, ones, []int{n}, slices.Repeat([]int64{1}, n)...)
	}
}

// TestTraceConstants shows that what a function uses from outside has the
// value of the time of recording.
func TestTraceConstants(t *testing.T) {
	data := []float64{1, 2}
	w := tensor.FromSlice(data)
	f, err := tensor.Jit(func(x tensor.Tensor) tensor.Tensor { return x.Mul(w) }, "x=f64[2]")
	if err != nil {
		t.Fatal(err)
	}
	data[0] = 100
	want(t, f(tensor.Of([]float64{1, 1})), []int{2}, 1.0, 2)
}

func TestTraceErrors(t *testing.T) {
	outside := tensor.Zeros(tensor.F32, 2)
	mine := errors.New("mine")
	one := func(f func(x tensor.Tensor) tensor.Tensor) func() error {
		return func() error {
			_, err := tensor.Trace(f, "x=f32[N,2]")
			return err
		}
	}
	for _, c := range []struct {
		name string
		call func() error
		want string // with what the error ends
	}{
		{"not a function", func() error { _, err := tensor.Trace(3); return err },
			"int is not a function"},
		{"specification", func() error {
			_, err := tensor.Trace(func(x tensor.Tensor) tensor.Tensor { return x }, "x=f33[2]")
			return err
		},
			`x: type "f33[2]": no element type "f33", want one such as f32[N,784]`},
		{"two names", one(func(x tensor.Tensor) tensor.Tensor {
			return x.Add(tensor.Of([]int{1, 2,
				3}))
		}),
			"shapes (N,2) and (3) do not broadcast: axis 1 is 2 against 3; " +
				"the first would fit as (N,2,1): use Unsqueeze(2)"},
		{"reading", one(func(x tensor.Tensor) tensor.Tensor {
			if _, err := tensor.Data[float32](x); err != nil {
				return tensor.Of(0).Add(x).Reshape(7, 7, 7).Add(err)
			}
			return x
		}), "want a Tensor, a number or a slice of numbers"},
		{"dropped error", one(func(x tensor.Tensor) tensor.Tensor { x.MatMul(x); return x }),
			"shapes (N,2) and (N,2) do not fit: axis 1 of the first is 2, axis 0 of the second is N; " +
				"the second would fit as Transpose(-2, -1)"},
		{"write outside", one(func(x tensor.Tensor) tensor.Tensor { return outside.Copy_(x.Sum(0)) }),
			"writes to a tensor from outside the traced function: pass it as an argument and return it"},
		{"its own error", func() error {
			_, err := tensor.Trace(func(x tensor.Tensor) (tensor.Tensor, error) { return x, mine }, "x=f32")
			return err
		}, ": mine"},
	} {
		err := c.call()
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: error %v\nwant one that ends with %s", c.name, err, c.want)
		}
	}
	if err := outside.Err(); err == nil {
		t.Error("the tensor that was written to has lost the error")
	}
}

// TestErrors has a call of each kind that users get wrong; the position is
// that of the call.
func TestErrors(t *testing.T) {
	x := tensor.Zeros(tensor.F32, 2, 3)
	i := tensor.Zeros(tensor.I64, 2, 3)
	for _, c := range []struct {
		got  tensor.Tensor
		want string
	}{
		{tensor.Tensor{}.Add(1),
			"Add: the zero Tensor is no tensor: make one by Of, Zeros or another operation"},
		{x.Sum(2), "Sum: axis 2 is out of range, want one from -2 to 1"},
		{x.Sum(0, -2), "Sum: axis -2 is named twice in [0 -2]"},
		{x.Reshape(4, -1), "Reshape: shape (2,3) has 6 elements, (4,1) has 4"},
		{x.Index(2), "Index: index 2 is out of range for axis 0 of shape (2,3)"},
		{x.Index(0, 0, 0), "Index: 3 indices for 2 axes"},
		{x.Index(tensor.Slice(0, 1.5)),
			"Index: axis 0: want Slice(start, stop) or Slice(start, stop, step) with ints or nil " +
				"and a step that is not 0"},
		{x.Index([]bool{true, false, false}),
			"Index: axis 0 of shape (2,3), extent of the mask: 3 is not 2"},
		{x.Clone().Set(1, tensor.All, []bool{true, false}),
			"Set: axis 1 of shape (2,3), extent of the mask: 2 is not 3"},
		{x.Index("a"), "Index: a string is no tensor: want a Tensor, a number or a slice of numbers"},
		{i.Clone().Add_(0.5), "Add_: f64 does not fit i64 without loss of its kind: Cast it first"},
		{tensor.Zeros(tensor.U8, 2).Set(300),
			"Set: the number 300 does not fit u8: convert the tensor to a larger type first"},
		{tensor.Zeros(tensor.U8, 2).Add(300),
			"Add: the number 300 does not fit u8: convert the tensor to a larger type first"},
		{tensor.Zeros(tensor.F32, 3).Expand(2, 3).Set(1),
			"Set: writes to an expanded tensor, of which several elements are one: Clone it first"},
		{tensor.Of([][]int{{1}, {2, 3}}),
			"Of: ragged slices: one has 2 elements, the first of its depth 1"},
		{tensor.FromSlice([]int{1, 2}, 3), "FromSlice: shape [3] has 3 elements, the slice 2"},
		{tensor.Concat(0, x, tensor.Zeros(tensor.F32, 2)),
			"Concat: tensor 1 has shape (2), the first (2,3): want the same extents but along axis 0"},
		{tensor.Where(x, 1, 2), "Where: the condition is f32, want bool: compare it, as by Ne(0)"},
		{tensor.Zeros(tensor.F32, 0).Max(), "Max: shape (0): nothing has no extremum: 1 is more than 0"},
	} {
		err := c.got.Err()
		var e *tensor.Error
		if !errors.As(err, &e) {
			t.Errorf("error %v, want %s", err, c.want)
			continue
		}
		if got := e.Op + ": " + e.Msg; got != c.want || e.Pos.File != "trace_test.go" || e.Pos.Line == 0 {
			t.Errorf("error %v\nwant trace_test.go:LINE: %s", err, c.want)
		}
		if again := c.got.Mul(2).Sum().Err(); again != err {
			t.Errorf("after %v: error %v", err, again)
		}
	}
	_, err := tensor.Data[float64](x)
	if err == nil || !strings.Contains(err.Error(), "the elements are f32, not float64") {
		t.Errorf("Data of another type: %v", err)
	}
	bad := fmt.Sprint(x.Sum(7))
	if !strings.HasPrefix(bad, "tensor(error: trace_test.go:") {
		t.Errorf("an error prints as %s", bad)
	}
}

// TestFormat has the verbs beside %v.
func TestFormat(t *testing.T) {
	x := tensor.Of([]float64{1, 2.5})
	for format, want := range map[string]string{
		"%v":    "tensor([1. , 2.5], f64, cpu)",
		"%.3f":  "[1.000, 2.500]",
		"%6.1f": "[   1.0,    2.5]",
	} {
		if got := fmt.Sprintf(format, x); got != want {
			t.Errorf("%s prints %s, want %s", format, got, want)
		}
	}
	if got := fmt.Sprintf("%+v", x.Add(1)); !strings.Contains(got, "add <f64[2]>") {
		t.Errorf("%%+v prints\n%s", got)
	}
}

// TestRecalledError has the same computation fail at two places: the error is
// that of its own, though the graph is recalled.
func TestRecalledError(t *testing.T) {
	x := tensor.Arange(3)
	if err := tensor.Realize(x); err != nil {
		t.Fatal(err)
	}
	takes := []tensor.Tensor{
		x.Take(0, []int{0, 1}),
		x.Take(0, []int{0, 5}),
		x.Take(0, []int{0, 7}),
	}
	if err := tensor.Realize(takes[0]); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, y := range takes[1:] {
		err := tensor.Realize(y)
		if err == nil {
			t.Fatal("an index out of range has no error")
		}
		at := regexp.MustCompile(`\(trace_test\.go:\d+\): gather`)
		lines = append(lines, at.FindString(err.Error()))
	}
	if lines[0] == lines[1] || lines[1] == "" {
		t.Errorf("the gathers are at %q, want two places", lines)
	}
}
