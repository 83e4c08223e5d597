package onnx

import (
	"bytes"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// Shapes follow from the operators, as expressions over the inputs' dims.
func TestShapes(t *testing.T) {
	type nodes = []*onnxpb.NodeProto
	tests := []struct {
		name   string
		inputs []string
		nodes  nodes
		want   string
	}{
		{"unnamed dims", []string{"x:0 f32[?,3,?]"}, nodes{op("Relu x:0 -> y")}, "f32[x_0.0,3,x_0.2]"},
		{"odd names", []string{"x f32[batch-size,1st,max]"}, nodes{op("Relu x -> y")}, "f32[batch_size,_1st,max_]"},
		{"names spelled alike", []string{"x f32[a-b,a.b,a_b]"}, nodes{op("Relu x -> y")}, "f32[a_b,a.b,a_b_2]"},
		{"broadcast", []string{"x f32[N,1]", "z f32[3]"}, nodes{op("Add x z -> y")}, "f32[N,3]"},
		{"assumed equal", []string{"x f32[N]", "z f32[M]"}, nodes{op("Add x z -> y")}, "f32[N]"},
		{"assumed to be 4", []string{"x f32[N]", "z f32[4]"}, nodes{op("Add x z -> y")}, "f32[4]"},
		{"reshape by shape", []string{"x f32[N,4,6]"}, nodes{op("Shape x -> s"), ints("i", 0), op("Gather s i -> n"),
			ints("m", -1), op("Concat n m -> t", "axis", 0), op("Reshape x t -> y")}, "f32[N,24]"},
		{"reshape infers", []string{"x f32[N,4,M]"}, nodes{ints("t", 0, -1), op("Reshape x t -> y")}, "f32[N,4*M]"},
		{"slice from the end", []string{"x f32[N]"}, nodes{ints("s", -3), ints("e", 9223372036854775807),
			op("Slice x s e -> y")}, "f32[min(3,N)]"},
		{"slice backwards", []string{"x f32[N]"}, nodes{ints("s", -1), ints("e", -9223372036854775808), ints("a", 0),
			ints("p", -1), op("Slice x s e a p -> y")}, "f32[N]"},
		{"slice steps", []string{"x f32[N]"}, nodes{ints("s", 0), ints("e", 9223372036854775807), ints("a", 0),
			ints("p", 2), op("Slice x s e a p -> y")}, "f32[((N+1)/2)]"},
		{"arithmetic", []string{"x f32[N,M]"}, nodes{op("Shape x -> s"), intConst("one", 1), intConst("two", 2),
			op("Gather s one -> m"), op("Mul m two -> d"), op("Add d one -> e"), ints("ax", 0),
			op("Unsqueeze e ax -> f"), op("ConstantOfShape f -> y")}, "f32[2*M+1]"},
		{"where on shapes", []string{"x f32[N,3]"}, nodes{op("Shape x -> s"), ints("w", -1, 3), ints("n", -1),
			op("Equal w n -> c"), op("Where c s w -> t"), op("Expand x t -> y")}, "f32[N,3]"},
		{"range", []string{"x f32[N]"}, nodes{op("Size x -> n"), intConst("a", 1), intConst("d", 2),
			op("Range a n d -> y")}, "i64[(N/2)]"},
		{"range of an input", []string{"n i64[]"}, nodes{intConst("a", 0), intConst("d", 1), op("Range a n d -> y")},
			"i64[y.0]"},
		{"tile", []string{"x f32[N,2]"}, nodes{ints("r", 3, 1), op("Tile x r -> y")}, "f32[3*N,2]"},
		{"pooling rounds", []string{"x f32[1,1,H,W]"}, nodes{op("MaxPool x -> y", "kernel_shape", []int64{2, 2},
			"strides", []int64{2, 2})}, "f32[1,1,(H/2),(W/2)]"},
		{"pooling beyond the end", []string{"x f32[1,1,2]"}, nodes{op("MaxPool x -> y", "kernel_shape",
			[]int64{3}, "strides", []int64{2}, "ceil_mode", 1)}, "f32[1,1,1]"},
		{"logarithms of integers", []string{"x i32[N,3]"}, nodes{ints("ax", 1),
			op("ReduceLogSum x ax -> s"), op("ReduceLogSumExp s ax -> y")}, "i32[N,1]"},
		{"split", []string{"x f32[N]"}, nodes{op("Split x -> a b c", "num_outputs", 3), op("Identity c -> y")},
			"f32[-2*((N+2)/3)+N]"},
		{"known if", []string{"x f32[N,3]"}, nodes{op("Shape x -> s"), op("Size s -> r"), intConst("two", 2),
			op("Equal r two -> c"), op("If c -> y", "then_branch", subgraph("z", ints("ax", 0), op("Unsqueeze x ax -> z")),
				"else_branch", subgraph("z", op("Identity x -> z")))}, "f32[1,N,3]"},
		{"sizes in floats", []string{"x f32[1,1,H,W]"}, nodes{op("Shape x -> s"), intConst("i", 2), op("Gather s i -> h"),
			op("Cast h -> f", "to", 1), op("Cast h -> p", "to", 1), op("Constant -> c", "value_float", float32(1.5)),
			op("Mul f c -> g"), op("Floor g -> k"), op("Cast k -> m", "to", 7), ints("ax", 0), op("Unsqueeze m ax -> u"),
			ints("b", 1, 1), ints("w", 7), op("Concat b u w -> t", "axis", 0),
			op("Resize x _ _ t -> y")}, "f32[1,1,((3*H)/2),7]"},
		{"nonzero", []string{"x f32[N,3]"}, nodes{op("NonZero x -> y")}, "i64[2,y.count]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, err := Import(model(t, tt.inputs, tt.nodes...), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(g); err != nil {
				t.Error(err)
			}
			if got := types(g); got != tt.want {
				t.Errorf("result %s, want %s", got, tt.want)
			}
		})
	}
}

// Shape arithmetic leaves nothing in the graph.
func TestShapeArithmeticVanishes(t *testing.T) {
	g, err := Import(model(t, []string{"x f32[N,4,6]"}, op("Shape x -> s"), ints("i", 0), op("Gather s i -> n"),
		ints("m", -1), op("Concat n m -> t", "axis", 0), op("Reshape x t -> y")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, v := range g.Values {
		ops = append(ops, v.Op.String())
	}
	if diff := cmp.Diff([]string{"param", "reshape"}, ops); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	type nodes = []*onnxpb.NodeProto
	tests := []struct {
		name   string
		inputs []string
		nodes  nodes
		want   string
	}{
		{"all unsupported operators", []string{"x f32[2]"}, nodes{op("Foo x -> a"), op("Relu a -> b"), op("Bar b -> c"),
			op("Foo c -> y")}, "unsupported operators: Foo-21 (a, y); Bar-21 (c)"},
		{"unsupported in a branch", []string{"x bool[]"}, nodes{op("If x -> y", "then_branch", subgraph("z", op("Foo x -> z")),
			"else_branch", subgraph("z", op("Identity x -> z")))}, "unsupported operators: Foo-21 (z)"},
		{"all bad nodes", []string{"x f32[2]", "z f32[3]"}, nodes{op("Add x z -> a"), op("Add x a -> b"), op("MatMul x z -> y")},
			"a: Add: shapes [3] and [2] do not broadcast, axis 0: 3 must equal 2\ny: MatMul: product of [2] and [3]"},
		{"no such input", []string{"x f32[2]"}, nodes{op("Add x q -> y")}, `y: Add: input "q": no node before makes it`},
		{"no such output", []string{"x f32[2]"}, nodes{op("Relu x -> z")}, `output "y": no node makes it`},
		{"missing input", []string{"x f32[2]"}, nodes{op("Add _ x -> y")}, "y: Add: input 0 is missing"},
		{"input count", []string{"x f32[2]"}, nodes{op("Add x -> y")}, "y: Add: 1 inputs, want 2"},
		{"too many outputs", []string{"x f32[2]"}, nodes{op("Relu x -> y z")}, "y: Relu: output 1 is not supported"},
		{"types", []string{"x f32[2]", "z i64[2]"}, nodes{op("Add x z -> y")},
			"y: Add: input 1 is i64[2], input 0 is f32[2], want equal types"},
		{"attribute", []string{"x f32[2]"}, nodes{op("Relu x -> y", "beta", 1)}, `y: Relu: attribute "beta" is not known`},
		{"attribute type", []string{"x f32[2]"}, nodes{op("Softmax x -> y", "axis", "last")},
			`y: Softmax: attribute "axis" has type 3, want 2`},
		{"axis", []string{"x f32[2]"}, nodes{op("Softmax x -> y", "axis", 1)}, "axis 1 is out of range for rank 1"},
		{"reshape", []string{"x f32[6]"}, nodes{ints("t", 4), op("Reshape x t -> y")},
			"y: Reshape: cannot reshape [6] to [4], elements: 6 must equal 4"},
		{"negative extent", []string{"x f32[6]"}, nodes{ints("t", -2), op("Reshape x t -> y")}, "negative extent"},
		{"overflow", []string{"x f32[1]"}, nodes{ints("t", 1<<40, 1<<40), op("Expand x t -> y")}, "overflows"},
		{"conv channels", []string{"x f32[1,3,8,8]", "w f32[4,2,3,3]"}, nodes{op("Conv x w -> y")}, "channels: 3 must equal 2"},
		{"index", []string{"x f32[2,3]"}, nodes{op("Shape x -> s"), intConst("i", 2), op("Gather s i -> y")},
			"y: Gather: index 2 is out of range for axis 0 of i64[2]"},
		{"axes at run time", []string{"x f32[2]", "a i64[1]"}, nodes{op("Squeeze x a -> y")},
			"y: Squeeze: axes (input 1) is computed when the model runs, want constants"},
		{"unknown rank of branches", []string{"x f32[2]", "c bool[]"}, nodes{op("If c -> y",
			"then_branch", subgraph("z", ints("ax", 0), op("Unsqueeze x ax -> z")),
			"else_branch", subgraph("z", op("Identity x -> z")))}, "want one element type and rank"},
		{"string input", []string{"x string[2]"}, nodes{op("Identity x -> y")}, `input "x": elements of type string are not supported`},
		{"old operator", []string{"x f32[2]"}, nodes{{OpType: "Relu", Domain: "com.example", Input: []string{"x"}, Output: []string{"y"}}},
			"unsupported operators: com.example.Relu-0 (y)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Import(model(t, tt.inputs, tt.nodes...), Options{})
			wantError(t, err, tt.want)
		})
	}
}

func TestNewerOperatorSet(t *testing.T) {
	m := model(t, []string{"x f32[2]"}, op("Relu x -> y"))
	m.OpsetImport[0].Version = maxOpset + 1
	_, err := Import(m, Options{})
	wantError(t, err, "operator set 29 is newer than 28")
}

// A condition on extents whose branches differ in rank is assumed: the way
// that the rest of the model fits to, and checked at run time.
func TestAssumedCondition(t *testing.T) {
	squeeze := func(rest ...*onnxpb.NodeProto) *onnxpb.ModelProto {
		nodes := []*onnxpb.NodeProto{op("Shape x -> s"), intConst("i", 1), op("Gather s i -> d"), intConst("one", 1),
			op("Equal d one -> c"), op("If c -> z",
				"then_branch", subgraph("q", ints("ax", 1), op("Squeeze x ax -> q")),
				"else_branch", subgraph("q", op("Identity x -> q")))}
		return model(t, []string{"x f32[N,M]"}, append(nodes, rest...)...)
	}
	tests := []struct {
		rest *onnxpb.NodeProto
		want string
		x, y string // what is checked: x == y, or x <= y
	}{
		{op("Identity z -> y"), "f32[N]", "M", "1"},
		{op("Transpose z -> y", "perm", []int64{1, 0}), "f32[M,N]", "-min(-2*M+M*M+1,1)+1", "0"},
	}
	for _, tt := range tests {
		g, err := Import(squeeze(tt.rest), Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if types(g) != tt.want {
			t.Errorf("result %s, want %s", types(g), tt.want)
		}
		found := false
		for _, v := range g.Values {
			if c, ok := v.Attr.(*ir.CheckAttr); ok {
				found = found || c.X.String() == tt.x && c.Y.String() == tt.y
				t.Log(c.X, c.Rel, c.Y)
			}
		}
		if !found {
			t.Errorf("nothing checks that %s fits %s", tt.x, tt.y)
		}
	}
}

func TestFunctions(t *testing.T) {
	m := model(t, []string{"x f32[2]"}, op("Leak x -> y", "slope", 3))
	alpha := attribute("axis", 0)
	alpha.RefAttrName = "slope"
	body := op("ReduceSum a b -> c", "keepdims", 0)
	fn := &onnxpb.FunctionProto{Name: "Leak", Input: []string{"a", "b"}, Output: []string{"c"},
		Attribute: []string{"slope"}, Node: []*onnxpb.NodeProto{body},
		OpsetImport: []*onnxpb.OperatorSetIDProto{{Version: 13}}}
	m.Functions = []*onnxpb.FunctionProto{fn}
	g, err := Import(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if types(g) != "f32[]" {
		t.Errorf("result %s, want f32[]: input b is left out", types(g))
	}
	body.OpType, body.Input = "Flatten", []string{"a"}
	body.Attribute = []*onnxpb.AttributeProto{alpha}
	_, err = Import(m, Options{})
	wantError(t, err, "axis 3 is out of range for rank 1") // the call's value, in place of 0
	fn.Node = []*onnxpb.NodeProto{op("Leak a -> c")}
	_, err = Import(m, Options{})
	wantError(t, err, "the function calls itself")
}

// Functions that call each other twice expand to 2^n nodes.
func TestFunctionsAreBounded(t *testing.T) {
	m := model(t, []string{"x f32[2]"}, op("F0 x -> y"))
	names := strings.Fields("F0 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15 F16 F17 F18 F19 F20 F21 F22")
	for i, name := range names {
		body := []*onnxpb.NodeProto{op("Relu a -> c")}
		if i+1 < len(names) {
			body = []*onnxpb.NodeProto{op(names[i+1] + " a -> b"), op(names[i+1] + " b -> c")}
		}
		m.Functions = append(m.Functions, &onnxpb.FunctionProto{Name: name, Input: []string{"a"},
			Output: []string{"c"}, Node: body, OpsetImport: m.OpsetImport})
	}
	_, err := Import(m, Options{})
	wantError(t, err, "the model has over 1048576 nodes, functions expanded")
}

func TestFixedInput(t *testing.T) {
	m := model(t, []string{"x f32[2,1]", "a i64[1]"}, op("Squeeze x a -> y"))
	g, err := Import(m, Options{Fixed: map[string]*ir.Literal{"a": ir.NewLiteral(ir.I64, []int64{1}, []int64{1})}})
	if err != nil {
		t.Fatal(err)
	}
	if types(g) != "f32[2]" || len(g.Params) != 1 {
		t.Errorf("result %s of %d parameters", types(g), len(g.Params))
	}
	_, err = Import(m, Options{Fixed: map[string]*ir.Literal{"a": ir.NewLiteral(ir.F32, nil, []float32{1})}})
	wantError(t, err, `input "a": fixed to f32[], declared i64[1]`)
}

// Damaged models are errors, never panics.
func TestDamagedModels(t *testing.T) {
	cases := readCases(t, "onnx-node-visible.tar.gz")
	var names []string
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	rng := rand.New(rand.NewSource(2))
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	for _, name := range names {
		for range rounds {
			bad := bytes.Clone(cases[name].model)
			for range 1 + rng.Intn(3) {
				at := rng.Intn(len(bad))
				bad[at] = []byte{bad[at] ^ 1<<rng.Intn(8), byte(rng.Intn(256)), byte(rng.Intn(10))}[rng.Intn(3)]
			}
			importBytes(bad)
		}
	}
}

func importBytes(data []byte) {
	m, err := onnxpb.DecodeModel(data)
	if err != nil {
		return
	}
	if g, err := Import(m, Options{}); err == nil {
		if _, err := Export(g); err != nil {
			return
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add(onnxpb.Encode(model(f, []string{"x f32[N,4,6]"}, op("Shape x -> s"), ints("i", 0), op("Gather s i -> n"),
		ints("m", -1), op("Concat n m -> t", "axis", 0), op("Reshape x t -> y"))))
	f.Add(onnxpb.Encode(model(f, []string{"x f32[1,3,H,W]", "w f32[4,3,3,3]"},
		op("Conv x w -> z", "pads", []int64{1, 1, 1, 1}), op("MaxPool z -> y", "kernel_shape", []int64{2, 2}))))
	f.Add(onnxpb.Encode(model(f, []string{"x f32[N]", "c bool[]"}, op("If c -> y",
		"then_branch", subgraph("z", op("Relu x -> z")), "else_branch", subgraph("z", op("Neg x -> z"))))))
	f.Fuzz(func(t *testing.T, data []byte) { importBytes(data) })
}
