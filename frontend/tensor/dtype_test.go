package tensor_test

import (
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestResultType has NumPy's answers, weak numbers included.
func TestResultType(t *testing.T) {
	x := tensor.Zeros(tensor.I8, 2)
	for _, c := range []struct {
		of   []any
		want tensor.DType
	}{
		{[]any{tensor.I8, tensor.U8}, tensor.I16},
		{[]any{tensor.I8, tensor.U8, tensor.F16}, tensor.F16},
		{[]any{tensor.I16, tensor.U16, tensor.F32}, tensor.F32},
		{[]any{tensor.I16, tensor.F16, tensor.U16}, tensor.F32},
		{[]any{x, 3}, tensor.I8},
		{[]any{x, 3, 0.5}, tensor.F64},
		{[]any{tensor.F32, 0.5}, tensor.F32},
		{[]any{3, 0.5}, tensor.F64},
		{[]any{tensor.Bool, 3}, tensor.I64},
	} {
		if got, err := tensor.ResultType(c.of...); got != c.want || err != nil {
			t.Errorf("of %v: %v (%v), want %v", c.of, got, err, c.want)
		}
	}
	if _, err := tensor.ResultType(); err == nil {
		t.Error("of nothing: no error")
	}
}

// TestTypeFunctions has what the array API calls data type functions.
func TestTypeFunctions(t *testing.T) {
	for _, c := range []struct {
		from, to tensor.DType
		want     bool
	}{
		{tensor.I8, tensor.I16, true}, {tensor.I16, tensor.I8, false}, {tensor.U8, tensor.I8, false},
		{tensor.I32, tensor.F32, false}, {tensor.I32, tensor.F64, true}, {tensor.Bool, tensor.U8, true},
		{tensor.F16, tensor.BF16, false}, {tensor.F16, tensor.F32, true},
	} {
		if got := tensor.CanCast(c.from, c.to); got != c.want {
			t.Errorf("%v to %v: %v", c.from, c.to, got)
		}
	}
	if f, err := tensor.Finfo(tensor.F16); err != nil || f.Max != 65504 || f.Eps != 1.0/1024 {
		t.Errorf("f16: %+v (%v)", f, err)
	}
	if i, err := tensor.Iinfo(tensor.U64); err != nil || i.Max != 1<<64-1 || i.Min != 0 {
		t.Errorf("u64: %+v (%v)", i, err)
	}
	if i, err := tensor.Iinfo(tensor.I8); err != nil || i.Max != 127 || i.Min != -128 {
		t.Errorf("i8: %+v (%v)", i, err)
	}
	if _, err := tensor.Iinfo(tensor.F32); err == nil {
		t.Error("integer limits of f32: no error")
	}
	for _, kind := range []any{"integral", "numeric", "unsigned integer", tensor.U8} {
		if is, err := tensor.IsDType(tensor.U8, "bool", kind); !is || err != nil {
			t.Errorf("u8 is not %v (%v)", kind, err)
		}
	}
	if _, err := tensor.IsDType(tensor.U8, "int"); err == nil {
		t.Error("the kind int: no error")
	}
}

// TestView has reshapes that do not copy, and one that would.
func TestView(t *testing.T) {
	x := tensor.Arange(6).Reshape(2, 3)
	x.View(-1).Set(9, 0)
	x.View(3, 2).Set(8, 2, 1)
	want(t, x, []int{2, 3}, int64(9), 1, 2, 3, 4, 8)
	err := x.T().View(6).Err()
	if err == nil || !strings.Contains(err.Error(), "Reshape it, which copies") {
		t.Errorf("of a transpose: %v", err)
	}
	x.Diagonal(1).Set(7)
	x.Narrow(1, 0, 1).Fill_(0)
	want(t, x, []int{2, 3}, int64(0), 7, 2, 0, 4, 7)
}

// TestDevice has a device that is there, and an error for one that is not.
func TestDevice(t *testing.T) {
	x := tensor.Arange(3)
	if y := x.To(tensor.CPU); y.Err() != nil || y.Device() != tensor.CPU || !tensor.CPU.Available() {
		t.Errorf("to the CPU: %v", y.Err())
	}
	if tensor.CUDA.String() != "cuda:0" || tensor.CUDA.At(1).String() != "cuda:1" {
		t.Errorf("devices %v and %v", tensor.CUDA, tensor.CUDA.At(1))
	}
	if err := x.To(tensor.CUDA).Err(); tensor.CUDA.Available() != (err == nil) ||
		err != nil && !strings.Contains(err.Error(), "cuda:0: ") {
		t.Errorf("to a GPU that is available (%v): %v", tensor.CUDA.Available(), err)
	}
	if err := x.To(tensor.CPU.At(1)).Err(); err == nil {
		t.Error("to a second CPU: no error")
	}
}
