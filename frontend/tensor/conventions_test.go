package tensor_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// moved are the methods without arguments that do not keep the shape.
var moved = map[string]bool{"T": true, "MT": true, "MatrixTranspose": true, "ArgWhere": true,
	"UniqueValues": true, "Flatten": true}

// TestConventions calls every method of a tensor alone and sees that shape and
// element type of the result are as the comment of the package says: the shape
// kept; the type kept, bool, or that in which functions of real numbers compute.
func TestConventions(t *testing.T) {
	floats := map[tensor.DType]tensor.DType{tensor.Bool: tensor.F16, tensor.I8: tensor.F16,
		tensor.U8: tensor.F16, tensor.I16: tensor.F32, tensor.U16: tensor.F32, tensor.I32: tensor.F64,
		tensor.U32: tensor.F64, tensor.I64: tensor.F64, tensor.U64: tensor.F64}
	on := reflect.TypeFor[tensor.Tensor]()
	for i := range on.NumMethod() {
		m := on.Method(i)
		if m.Type.NumIn() != 1 || m.Type.NumOut() != 1 || m.Type.Out(0) != on || moved[m.Name] {
			continue
		}
		for _, d := range []tensor.DType{tensor.Bool, tensor.I8, tensor.U8, tensor.I16, tensor.U16,
			tensor.I32, tensor.U32, tensor.I64, tensor.U64, tensor.F16, tensor.BF16, tensor.F32,
			tensor.F64} {
			for _, shape := range [][]int{{2, 3}, {}, {0, 2}} {
				x := tensor.Ones(d, shape...)
				y := m.Func.Call([]reflect.Value{reflect.ValueOf(x)})[0].Interface().(tensor.Tensor)
				if y.Err() != nil {
					continue
				}
				got := y.DType()
				kept := got == d || got == tensor.Bool || got == floats[d] ||
					d == tensor.Bool && got == tensor.I8
				if !kept || !reflect.DeepEqual(y.Shape(), x.Shape()) {
					t.Errorf("%s of %v%v is %v%v", m.Name, d, shape, got, y.Shape())
				}
			}
		}
	}
}

// TestPrintError prints what cannot be computed: the error names the line that
// prints, and that of the operation.
func TestPrintError(t *testing.T) {
	got := fmt.Sprint(tensor.Zeros(tensor.F32, 2, 3).Index([]int{5}))
	if strings.Count(got, "conventions_test.go:") != 2 || strings.Contains(got, "fmt/") {
		t.Error(got)
	}
}

// TestPrintLarge shows from where numbers are printed in scientific form, which
// depends on the type, as in NumPy 2.4.
func TestPrintLarge(t *testing.T) {
	for _, c := range []struct {
		d    tensor.DType
		x    float64
		want string
	}{
		{tensor.F16, 999.5, "999.5"}, {tensor.F16, 1000, "1.e+03"}, {tensor.BF16, 256, "256."},
		{tensor.F32, 999999, "999999."}, {tensor.F32, 1e6, "1.e+06"},
		{tensor.F64, 99999999, "99999999."}, {tensor.F64, 1e8, "1.e+08"},
	} {
		want := fmt.Sprintf("tensor([%s], %v, cpu)", c.want, c.d)
		if got := fmt.Sprint(tensor.Of([]float64{c.x}).Cast(c.d)); got != want {
			t.Errorf("%v of %v is printed %s, want %s", c.x, c.d, got, want)
		}
	}
}
