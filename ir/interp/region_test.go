package interp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/ir"
)

func i64s(x ...int64) *Tensor { return FromSlice(ir.I64, []int64{int64(len(x))}, x) }

// builder appends to g and returns its results.
type builder func(g *ir.Graph, params []*ir.Value) []*ir.Value

// graphOf builds a graph whose parameters have the given types.
func graphOf(name string, build builder, types ...ir.Type) *ir.Graph {
	g := ir.NewGraph(name)
	var p []*ir.Value
	for i, t := range types {
		p = append(p, g.Param(string(rune('a'+i)), t, ir.Pos{}))
	}
	g.SetResults(nil, build(g, p)...)
	return g
}

func must(g *ir.Graph, op ir.Op, attr ir.Attr, args ...*ir.Value) *ir.Value {
	return g.Must(ir.Pos{}, op, attr, args...)
}

func get(g *ir.Graph, v *ir.Value, i int) *ir.Value {
	return must(g, ir.OpGet, &ir.IndexAttr{Index: i}, v)
}

// results runs g and returns its results as numbers.
func results(t *testing.T, g *ir.Graph, in ...*Tensor) [][]float64 {
	t.Helper()
	out, err := Run(g, in)
	if err != nil {
		t.Fatal(err)
	}
	var nums [][]float64
	for _, o := range out {
		nums = append(nums, o.Float64s())
	}
	return nums
}

// TestIf: the branches' results differ in length, which a symbol names.
func TestIf(t *testing.T) {
	vecN := ir.T(ir.F32, ir.Sym("N"))
	then := graphOf("then", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		return []*ir.Value{must(g, ir.OpConcat, &ir.AxisAttr{}, p[0], p[0]), p[0]}
	}, vecN)
	other := graphOf("else", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		return []*ir.Value{must(g, ir.OpNeg, nil, p[0]), p[0]}
	}, vecN)
	g := graphOf("g", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		n := ir.Sym("N")
		v := must(g, ir.OpIf, &ir.IfAttr{Then: then, Else: other, Syms: []string{"M"},
			ThenDims: ir.Shape{n.MulConst(2)}, ElseDims: ir.Shape{n}}, p...)
		after := ir.Sym("M").AddConst(1)
		return []*ir.Value{get(g, v, 0), must(g, ir.OpDims, &ir.DimsAttr{Dims: ir.Shape{after}})}
	}, ir.T(ir.Bool), vecN)
	for cond, want := range map[float64][][]float64{
		1: {{1, 2, 1, 2}, {5}},
		0: {{-1, -2}, {3}},
	} {
		got := results(t, g, scalar(ir.Bool, cond), vec(ir.F32, 1, 2))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("condition %v: -want +got\n%s", cond, d)
		}
	}
}

// TestScan: a running sum with a factor that stays, forwards and backwards.
func TestScan(t *testing.T) {
	f := ir.T(ir.F32)
	body := graphOf("body", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		sum := must(g, ir.OpAdd, nil, p[0], must(g, ir.OpMul, nil, p[1], p[2]))
		return []*ir.Value{sum, sum}
	}, f, f, f)
	n := ir.Sym("N")
	scan := func(reverse bool) *ir.Graph {
		return graphOf("g", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
			a := &ir.LoopAttr{Body: body, Carry: 1, Xs: 1, Length: n, Reverse: reverse}
			v := must(g, ir.OpScan, a, p...)
			return []*ir.Value{get(g, v, 0), get(g, v, 1)}
		}, f, ir.T(ir.F32, n), f)
	}
	for _, c := range []struct {
		name    string
		reverse bool
		xs      []float64
		want    [][]float64
	}{
		{"forwards", false, []float64{1, 2, 3}, [][]float64{{70}, {20, 40, 70}}},
		{"backwards", true, []float64{1, 2, 3}, [][]float64{{70}, {70, 60, 40}}},
		{"no steps", false, nil, [][]float64{{10}, {}}},
	} {
		got := results(t, scan(c.reverse), scalar(ir.F32, 10), vec(ir.F32, c.xs...), scalar(ir.F32, 10))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", c.name, d)
		}
	}
}

// TestSymbols: nonzero and bind define symbols that later types use; checks
// and undecided reshapes are errors at run time.
func TestSymbols(t *testing.T) {
	g := graphOf("g", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		k, b := ir.Sym("K"), ir.Sym("B")
		nz := must(g, ir.OpNonZero, &ir.DimsAttr{Dims: ir.Shape{k}}, p[0])
		must(g, ir.OpBind, &ir.BindAttr{Sym: "B"}, p[1])
		must(g, ir.OpCheck, &ir.CheckAttr{X: k, Y: b, Rel: "<=", Msg: "too many"})
		iota := must(g, ir.OpIota, &ir.IotaAttr{DType: ir.I32, Shape: ir.Shape{b}})
		return []*ir.Value{nz, iota, g.Must(ir.Pos{File: "m.tir", Line: 7, Node: "reshape_1"},
			ir.OpReshape, &ir.ShapeAttr{Shape: ir.Shape{b.MulConst(2)}}, p[0])}
	}, ir.T(ir.F32, ir.Sym("N")), ir.T(ir.I64))
	got := results(t, g, vec(ir.F32, 0, 5, 0, 6), scalar(ir.I64, 2))
	if d := cmp.Diff([][]float64{{1, 3}, {0, 1}, {0, 5, 0, 6}}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	for _, c := range []struct {
		name string
		in   []*Tensor
		err  string
	}{
		{"check", []*Tensor{vec(ir.F32, 1, 1, 1, 1), scalar(ir.I64, 2)},
			"check: too many: K is 4, wanted <= B, which is 2"},
		{"negative", []*Tensor{vec(ir.F32, 0), scalar(ir.I64, -1)},
			"bind: symbol B is -1, want at least 0"},
		{"huge", []*Tensor{vec(ir.F32, 0), scalar(ir.I64, 1<<50)}, "iota: i32[1125899906842624]: larger"},
		{"reshape", []*Tensor{vec(ir.F32, 1, 1, 1), scalar(ir.I64, 3)},
			"interp: v6 (m.tir:7: reshape_1): reshape: f32[3] has 3 elements, want 6 for [6]"},
	} {
		_, err := Run(g, c.in)
		checkError(t, c.name, err, c.err)
	}
}

func TestFuseAndTrace(t *testing.T) {
	v4 := ir.T(ir.F32, ir.Const(4))
	body := graphOf("kernel", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		return []*ir.Value{must(g, ir.OpMul, nil, p[0], p[0])}
	}, v4)
	g := graphOf("g", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		return []*ir.Value{must(g, ir.OpFuse, &ir.FuseAttr{Body: body}, p[0])}
	}, v4)
	var seen []string
	cfg := &Config{Trace: func(g *ir.Graph, v *ir.Value, results []*Tensor) error {
		seen = append(seen, g.Name+" "+v.Op.String()+" "+results[0].String())
		return nil
	}}
	if _, err := cfg.Run(t.Context(), g, []*Tensor{vec(ir.F32, 1, 2, 3, 4)}); err != nil {
		t.Fatal(err)
	}
	want := []string{"g param f32[4]", "kernel param f32[4]", "kernel mul f32[4]", "g fuse f32[4]"}
	if d := cmp.Diff(want, seen); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestConst(t *testing.T) {
	g := ir.NewGraph("g")
	splat := must(g, ir.OpConst, &ir.ConstAttr{Value: ir.SplatLiteral(ir.F32, []int64{3}, float32(2))})
	text := must(g, ir.OpConst, &ir.ConstAttr{Value: &ir.Literal{DType: ir.String, Shape: []int64{1},
		Strings: []string{"a"}}})
	g.SetResults(nil, splat, text)
	out, err := Run(g, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{2, 2, 2}, out[0].Float64s()); d != "" {
		t.Errorf("splat: -want +got\n%s", d)
	}
	if d := cmp.Diff([]string{"a"}, out[1].Strings); d != "" {
		t.Errorf("strings: -want +got\n%s", d)
	}
	bad := must(g, ir.OpConst, &ir.ConstAttr{Value: &ir.Literal{DType: ir.F32, Shape: []int64{3},
		Data: []byte{1}}})
	g.SetResults(nil, bad)
	_, err = Run(g, nil)
	checkError(t, "short constant", err, "const: f32[3] has 1 bytes, want 12")
}

func TestEval(t *testing.T) {
	g := graphOf("g", func(g *ir.Graph, p []*ir.Value) []*ir.Value {
		return []*ir.Value{must(g, ir.OpAdd, nil, p[0], p[1])}
	}, ir.T(ir.I64, ir.Const(2)), ir.T(ir.I64, ir.Const(2)))
	out, err := Eval(g.Results[0], []*Tensor{i64s(1, 2), i64s(3, 4)})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{4, 6}, out[0].Float64s()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
