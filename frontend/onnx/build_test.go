package onnx

import (
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// Models for tests, written in a few words.

// op makes a node: "Add x y -> z". An input "_" is left out. Attributes are
// name, value, name, value.
func op(text string, a ...any) *onnxpb.NodeProto {
	left, right, _ := strings.Cut(text, "->")
	in := strings.Fields(left)
	p := &onnxpb.NodeProto{OpType: in[0], Output: strings.Fields(right)}
	for _, name := range in[1:] {
		p.Input = append(p.Input, strings.Trim(name, "_"))
	}
	for i := 0; i < len(a); i += 2 {
		p.Attribute = append(p.Attribute, attribute(a[i].(string), a[i+1]))
	}
	return p
}

// input makes a declaration of an input: "x f32[N,3]"; "?" is a dim without a
// name.
func input(t testing.TB, text string) *onnxpb.ValueInfoProto {
	name, typ, _ := strings.Cut(text, " ")
	element, dims, _ := strings.Cut(strings.TrimSuffix(typ, "]"), "[")
	d, ok := ir.ParseDType(element)
	if !ok {
		t.Fatalf("no type %q", typ)
	}
	shape := &onnxpb.TensorShapeProto{}
	for _, s := range strings.FieldsFunc(dims, func(r rune) bool { return r == ',' }) {
		dim := &onnxpb.Dimension{Param: s}
		if e, err := ir.ParseDim(s); err == nil && e.Static() {
			dim = &onnxpb.Dimension{HasValue: true}
			dim.Value, _ = e.Int()
		}
		shape.Dim = append(shape.Dim, dim)
	}
	tensor := &onnxpb.TensorType{ElemType: onnxTypes[d], Shape: shape}
	return &onnxpb.ValueInfoProto{Name: name, Type: &onnxpb.TypeProto{Tensor: tensor}}
}

// model makes a model of the given inputs and nodes, whose output is y.
func model(t testing.TB, inputs []string, nodes ...*onnxpb.NodeProto) *onnxpb.ModelProto {
	g := &onnxpb.GraphProto{Name: "test", Node: nodes, Output: []*onnxpb.ValueInfoProto{{Name: "y"}}}
	for _, in := range inputs {
		g.Input = append(g.Input, input(t, in))
	}
	return &onnxpb.ModelProto{IRVersion: 10, Graph: g,
		OpsetImport: []*onnxpb.OperatorSetIDProto{{Version: 21}}}
}

// subgraph makes a graph for an attribute, whose outputs are named in out.
func subgraph(out string, nodes ...*onnxpb.NodeProto) *onnxpb.GraphProto {
	g := &onnxpb.GraphProto{Name: "sub", Node: nodes}
	for _, name := range strings.Fields(out) {
		g.Output = append(g.Output, &onnxpb.ValueInfoProto{Name: name})
	}
	return g
}

// ints makes a node of a constant vector.
func ints(name string, list ...int64) *onnxpb.NodeProto {
	return op("Constant -> "+name, "value_ints", append([]int64{}, list...))
}

func intConst(name string, x int64) *onnxpb.NodeProto {
	return op("Constant -> "+name, "value_int", x)
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q\nwant it to contain %q", err, want)
	}
}
