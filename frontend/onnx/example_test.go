package onnx_test

import (
	"fmt"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
)

// A model whose batch size is not known: the dim N of the input becomes a
// symbol, and the arithmetic around Reshape disappears.
func ExampleImport() {
	dims := &onnxpb.TensorShapeProto{Dim: []*onnxpb.Dimension{
		{Param: "N"}, {HasValue: true, Value: 4}, {HasValue: true, Value: 6}}}
	x := &onnxpb.ValueInfoProto{Name: "x", Type: &onnxpb.TypeProto{
		Tensor: &onnxpb.TensorType{ElemType: onnxpb.Float, Shape: dims}}}
	node := func(op string, in []string, out string, a ...*onnxpb.AttributeProto) *onnxpb.NodeProto {
		return &onnxpb.NodeProto{OpType: op, Input: in, Output: []string{out}, Attribute: a}
	}
	ints := func(name string, list ...int64) *onnxpb.AttributeProto {
		return &onnxpb.AttributeProto{Name: name, Type: onnxpb.AttrInts, Ints: list}
	}
	m := &onnxpb.ModelProto{
		OpsetImport: []*onnxpb.OperatorSetIDProto{{Version: 21}},
		Graph: &onnxpb.GraphProto{Name: "flat", Input: []*onnxpb.ValueInfoProto{x},
			Output: []*onnxpb.ValueInfoProto{{Name: "y"}},
			Node: []*onnxpb.NodeProto{
				node("Shape", []string{"x"}, "s"),
				node("Constant", nil, "zero", ints("value_ints", 0)),
				node("Gather", []string{"s", "zero"}, "n"),
				node("Constant", nil, "rest", ints("value_ints", -1)),
				node("Concat", []string{"n", "rest"}, "t",
					&onnxpb.AttributeProto{Name: "axis", Type: onnxpb.AttrInt}),
				node("Reshape", []string{"x", "t"}, "y"),
			}},
	}
	g, err := onnx.Import(m, onnx.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	// Output:
	// graph flat
	// 	v0 = param <f32[N,4,6]> {x}                      # @x
	// 	v1 = reshape <f32[N,24]> v0 {[N,24]}             # @y
	// 	return y=v1
}
