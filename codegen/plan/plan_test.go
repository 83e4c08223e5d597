package plan_test

import (
	"math"
	"testing"
	"unsafe"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/plan"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/passes"
	"github.com/tensorcc/tcc/runtime"
)

// noArena puts every value into a block of its own.
type noArena struct{}

func (noArena) Place(*ir.Value, int) (ir.Dim, bool) { return ir.Dim{}, false }
func (noArena) Total() ir.Dim                       { return ir.Dim{} }
func (noArena) Written(*ir.Value) []bool            { return nil }
func (noArena) Within(*ir.Value, int) (whole *ir.Value, offset, row, pitch ir.Dim) {
	return nil, offset, row, pitch
}

// load makes a model of a plan whose kernels are executed as naive trees.
func load(t *testing.T, p *plan.Plan) *runtime.Model {
	t.Helper()
	for i, k := range p.Trees {
		p.Program.Kernels[i].Variants = []runtime.Variant{{Level: runtime.LevelGeneric, Tasks: 1, Go: tree(t, k)}}
	}
	weights := make([]byte, p.Program.WeightBytes)
	for _, w := range p.Weights {
		data := w.Value.Bytes()
		for at := 0; at < int(w.Value.Size())*w.Value.DType.Size(); at += len(data) {
			copy(weights[int(w.Offset)+at:], data)
		}
	}
	m, err := runtime.New(p.Program, weights, runtime.WithLevel(runtime.LevelGeneric))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func tree(t *testing.T, k *kernel.Kernel) runtime.GoFunc {
	return func(bufs []unsafe.Pointer, dims []int64, _, _ int64, _ unsafe.Pointer) int32 {
		env := map[string]int64{}
		for i, d := range k.Dims {
			env[d] = dims[i]
		}
		mem := make([][]byte, len(k.Params))
		for i, p := range k.Params {
			n, err := p.Size.Eval(env)
			if err != nil {
				t.Error(err)
			}
			mem[i] = unsafe.Slice((*byte)(bufs[i]), n*int64(p.DType.Size()))
		}
		status, err := kernel.Run(k, mem, dims)
		if err != nil {
			t.Errorf("%v\n%v", err, k)
		}
		return int32(status)
	}
}

// graphs is a table of graphs whose plans are compared with the interpreter.
var graphs = map[string]func(g *ir.Graph) []*ir.Value{
	"pointwise": func(g *ir.Graph) []*ir.Value {
		x, y := param(g, "x", ir.Sym("N"), ir.Const(3)), param(g, "y", ir.Sym("N"), ir.Const(3))
		return []*ir.Value{op(g, ir.OpExp, nil, op(g, ir.OpMul, nil, op(g, ir.OpAdd, nil, x, y), y))}
	},
	"softmax": func(g *ir.Graph) []*ir.Value {
		x := param(g, "x", ir.Sym("N"), ir.Const(7))
		m := op(g, ir.OpReduceMax, &ir.AxesAttr{Axes: []int{1}}, x)
		b := &ir.BroadcastAttr{Shape: x.Type.Shape, Axes: []int{0}}
		e := op(g, ir.OpExp, nil, op(g, ir.OpSub, nil, x, op(g, ir.OpBroadcast, b, m)))
		s := op(g, ir.OpSum, &ir.AxesAttr{Axes: []int{1}}, e)
		return []*ir.Value{op(g, ir.OpDiv, nil, e, op(g, ir.OpBroadcast, b, s))}
	},
	"dot": func(g *ir.Graph) []*ir.Value {
		x, y := param(g, "x", ir.Sym("N"), ir.Const(5)), param(g, "y", ir.Const(5), ir.Const(4))
		d := op(g, ir.OpDot, &ir.DotAttr{LContract: []int{1}, RContract: []int{0}}, x, y)
		b := param(g, "b", ir.Const(4))
		s := op(g, ir.OpAdd, nil, d, op(g, ir.OpBroadcast, &ir.BroadcastAttr{Shape: d.Type.Shape, Axes: []int{1}}, b))
		return []*ir.Value{op(g, ir.OpTanh, nil, s)}
	},
	"conv": func(g *ir.Graph) []*ir.Value {
		x, w := param(g, "x", ir.Const(2), ir.Const(4), ir.Const(6), ir.Sym("W")), param(g, "w", ir.Const(6), ir.Const(2), ir.Const(3), ir.Const(3))
		a := &ir.ConvAttr{Stride: []int64{2, 1}, Dilation: []int64{1, 1}, InDilation: []int64{1, 1}, Lo: ir.Dims(1, 1), Hi: ir.Dims(1, 1), Groups: 2}
		return []*ir.Value{op(g, ir.OpAbs, nil, op(g, ir.OpConv, a, x, w))}
	},
	"concat": func(g *ir.Graph) []*ir.Value {
		x, y := param(g, "x", ir.Const(2), ir.Sym("N")), param(g, "y", ir.Const(2), ir.Const(3))
		c := op(g, ir.OpConcat, &ir.AxisAttr{Axis: 1}, x, y, x)
		return []*ir.Value{op(g, ir.OpTranspose, &ir.PermAttr{Perm: []int{1, 0}}, c), op(g, ir.OpNeg, nil, c)}
	},
	"scan": func(g *ir.Graph) []*ir.Value {
		x, h := param(g, "x", ir.Sym("T"), ir.Const(3)), param(g, "h", ir.Const(3))
		body := ir.NewGraph("body")
		c, s := body.Param("c", ir.T(ir.F32, ir.Const(3)), ir.Pos{}), body.Param("s", ir.T(ir.F32, ir.Const(3)), ir.Pos{})
		n := op(body, ir.OpTanh, nil, op(body, ir.OpAdd, nil, c, s))
		body.SetResults(nil, n, op(body, ir.OpNeg, nil, n))
		v := op(g, ir.OpScan, &ir.LoopAttr{Body: body, Carry: 1, Xs: 1, Length: ir.Sym("T"), Reverse: true}, h, x)
		return []*ir.Value{op(g, ir.OpGet, &ir.IndexAttr{Index: 0}, v), op(g, ir.OpGet, &ir.IndexAttr{Index: 1}, v)}
	},
	"argsort": func(g *ir.Graph) []*ir.Value {
		x := param(g, "x", ir.Const(3), ir.Const(9))
		i := op(g, ir.OpArgSort, &ir.SortAttr{Axis: 1, Desc: true}, x)
		return []*ir.Value{i, op(g, ir.OpTakeAlong, &ir.AxisAttr{Axis: 1}, x, i), op(g, ir.OpArgMin, &ir.AxisAttr{Axis: 0}, x)}
	},
	"window": func(g *ir.Graph) []*ir.Value {
		x := param(g, "x", ir.Const(1), ir.Const(2), ir.Const(7))
		a := &ir.WindowAttr{Size: []int64{1, 1, 3}, Stride: []int64{1, 1, 2}, Dilation: []int64{1, 1, 1}, Lo: ir.Dims(0, 0, 1), Hi: ir.Dims(0, 0, 1)}
		return []*ir.Value{op(g, ir.OpWindowMax, a, x), op(g, ir.OpWindowSum, a, x), op(g, ir.OpCumSum, &ir.CumAttr{Axis: 2}, x)}
	},
}

func param(g *ir.Graph, name string, dims ...ir.Dim) *ir.Value {
	return g.Param(name, ir.T(ir.F32, dims...), ir.Pos{})
}

func op(g *ir.Graph, o ir.Op, a ir.Attr, args ...*ir.Value) *ir.Value {
	return g.Must(ir.Pos{}, o, a, args...)
}

func TestPlanAgreesWithInterpreter(t *testing.T) {
	for name, build := range graphs {
		t.Run(name, func(t *testing.T) {
			g := ir.NewGraph(name)
			results := build(g)
			names := make([]string, len(results))
			for i := range names {
				names[i] = string(rune('a' + i))
			}
			g.SetResults(names, results...)
			fused, err := passes.Run(g, passes.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := plan.Make(fused, noArena{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			m := load(t, p)
			for _, n := range []int64{1, 4, 5} {
				compare(t, g, m, n)
			}
		})
	}
}

// TestInPlace says which results of a graph can take the memory of parameters,
// and compares with the interpreter.
func TestInPlace(t *testing.T) {
	g := ir.NewGraph("step")
	dims := []ir.Dim{ir.Sym("N"), ir.Const(3)}
	var ps []*ir.Value
	for _, name := range []string{"read", "late", "turned", "same", "whole"} {
		ps = append(ps, param(g, name, dims...))
	}
	read := op(g, ir.OpAdd, nil, op(g, ir.OpExp, nil, ps[0]), ps[2])
	late := op(g, ir.OpNeg, nil, ps[1])
	cut := op(g, ir.OpBarrier, &ir.BarrierAttr{ID: 1}, late)
	after := op(g, ir.OpMul, nil, op(g, ir.OpSin, nil, cut), ps[1])
	flip := &ir.SliceAttr{Start: []ir.Dim{ir.Const(0), ir.Const(2)}, Step: []int64{1, -1}, Shape: dims}
	turned := op(g, ir.OpSlice, flip, ps[2])
	whole := op(g, ir.OpSum, &ir.AxesAttr{Axes: []int{0, 1}}, ps[4])
	mean := op(g, ir.OpBroadcast, &ir.BroadcastAttr{Shape: dims}, whole)
	g.SetResults([]string{"read", "late", "turned", "same", "whole", "after"}, read, late, turned, ps[3],
		op(g, ir.OpSub, nil, ps[4], mean), after)
	fused, err := passes.Run(g, passes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Make(fused, noArena{}, [][2]int{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"read": true, "same": true, "whole": true}
	for i, out := range p.Program.Outputs {
		if (out.InPlace == i+1) != want[out.Name] {
			t.Errorf("%s: in place %d, want %v", out.Name, out.InPlace, want[out.Name])
		}
	}
	m := load(t, p)
	for _, n := range []int64{1, 4} {
		compare(t, g, m, n)
	}
}

// compare runs g with all symbols n on both.
func compare(t *testing.T, g *ir.Graph, m *runtime.Model, n int64) {
	t.Helper()
	var ref []*interp.Tensor
	var in []*runtime.Tensor
	for k, p := range g.Params {
		var dims []int64
		var ints []int
		size := 1
		for _, d := range p.Type.Shape {
			v := n
			if c, ok := d.Int(); ok {
				v = c
			}
			dims, ints, size = append(dims, v), append(ints, int(v)), size*int(v)
		}
		data := make([]float32, size)
		for i := range data {
			data[i] = float32(math.Sin(float64(i*7+k*3))) * 2
		}
		ref = append(ref, interp.FromSlice(ir.F32, dims, data))
		in = append(in, runtime.MustFrom(data, ints...))
	}
	want, err := interp.Run(g, ref)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		x := w.Float64s()
		b, err := got[i].Bytes()
		if err != nil {
			t.Fatal(err)
		}
		y := (&interp.Tensor{DType: w.DType, Shape: w.Shape, Data: b}).Float64s()
		for j := range x {
			if !(math.Abs(x[j]-y[j]) <= 1e-5*(1+math.Abs(x[j]))) {
				t.Fatalf("n = %d: result %d element %d: got %v, want %v", n, i, j, y[j], x[j])
			}
		}
	}
}
