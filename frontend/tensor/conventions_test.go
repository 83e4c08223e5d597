package tensor_test

import (
	"reflect"
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
