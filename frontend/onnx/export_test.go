package onnx

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// roundTrip exports g and imports the file.
func roundTrip(g *ir.Graph) (*ir.Graph, error) {
	m, err := Export(g)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	m, err = onnxpb.DecodeModel(onnxpb.Encode(m))
	if err != nil {
		return nil, err
	}
	again, err := Import(m, Options{})
	if err != nil {
		return nil, fmt.Errorf("import again: %w", err)
	}
	return again, nil
}

// What is imported, exported and imported again still computes what the
// conformance tests ask for.
func TestExportConforms(t *testing.T) {
	for _, archive := range []string{"onnx-node-visible.tar.gz", "onnx-models-visible.tar.gz"} {
		cases := readCases(t, archive)
		var names []string
		for name := range cases {
			if !strings.HasPrefix(name, "light/") {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		passed, missing := 0, map[string]int{}
		for _, name := range names {
			fixed := false
			if cases[name].run(fixed) != nil {
				if fixed = true; cases[name].run(fixed) != nil {
					continue
				}
			}
			err := cases[name].runWith(fixed, roundTrip)
			switch {
			case err == nil:
				passed++
			case strings.HasPrefix(err.Error(), "export: "):
				for line := range strings.Lines(err.Error()) {
					_, why, _ := strings.Cut(strings.TrimPrefix(line, "export: "), ": ")
					missing[strings.TrimSpace(why)]++
				}
			default:
				t.Errorf("%s: %.300v", name, err)
			}
		}
		t.Logf("%s: %d pass after export", archive, passed)
		for why, n := range missing {
			t.Logf("%4d: %s", n, why)
		}
	}
}

// Operations that imported models do not have are exported with their meaning
// too.
func TestExportOps(t *testing.T) {
	x := func(g *ir.Graph, name string, d ir.DType, dims ...int64) *ir.Value {
		return g.Param(name, ir.Of(d, ir.Dims(dims...)), ir.Pos{})
	}
	tests := map[string]func(g *ir.Graph) *ir.Value{
		"updateslice": func(g *ir.Graph) *ir.Value {
			a := &ir.SliceAttr{Start: ir.Dims(1, 0), Step: []int64{1, 1}, Shape: ir.Dims(2, 3)}
			return g.Must(ir.Pos{}, ir.OpUpdateSlice, a, x(g, "x", ir.F32, 4, 3), x(g, "y", ir.F32, 2, 3))
		},
		"dynamicslice": func(g *ir.Graph) *ir.Value {
			a := &ir.ShapeAttr{Shape: ir.Dims(2, 2)}
			return g.Must(ir.Pos{}, ir.OpDynamicSlice, a, x(g, "x", ir.F32, 4, 3), x(g, "i", ir.I64, 2))
		},
		"dynamicupdate": func(g *ir.Graph) *ir.Value {
			return g.Must(ir.Pos{}, ir.OpDynamicUpdate, nil, x(g, "x", ir.F32, 4, 3), x(g, "y", ir.F32, 2, 2),
				x(g, "i", ir.I64, 2))
		},
		"shr": func(g *ir.Graph) *ir.Value {
			return g.Must(ir.Pos{}, ir.OpShr, nil, x(g, "x", ir.U8, 4), x(g, "y", ir.U8, 4))
		},
		"floordiv": func(g *ir.Graph) *ir.Value {
			return g.Must(ir.Pos{}, ir.OpFloorDiv, nil, x(g, "x", ir.F32, 4), x(g, "y", ir.F32, 4))
		},
		"mod": func(g *ir.Graph) *ir.Value {
			return g.Must(ir.Pos{}, ir.OpMod, nil, x(g, "x", ir.F32, 4), x(g, "y", ir.F32, 4))
		},
		"trunc": func(g *ir.Graph) *ir.Value {
			return g.Must(ir.Pos{}, ir.OpTrunc, nil, x(g, "x", ir.F32, 4))
		},
		"conv, channels last": func(g *ir.Graph) *ir.Value {
			a := &ir.ConvAttr{Stride: []int64{2}, Dilation: []int64{1}, InDilation: []int64{3},
				Lo: ir.Dims(1), Hi: ir.Dims(-1), Groups: 1, Last: true}
			return g.Must(ir.Pos{}, ir.OpConv, a, x(g, "x", ir.F32, 1, 4, 2), x(g, "w", ir.F32, 2, 2, 3))
		},
	}
	for name, build := range tests {
		t.Run(name, func(t *testing.T) {
			g := ir.NewGraph("test")
			g.SetResults([]string{"out"}, build(g))
			again, err := roundTrip(g)
			if err != nil {
				t.Fatal(err)
			}
			args := testArgs(g)
			want, err := interp.Run(g, args)
			if err != nil {
				t.Fatal(err)
			}
			got, err := interp.Run(again, args)
			if err != nil {
				t.Fatal(err)
			}
			if err := compareTensors(got[0], want[0].Literal()); err != nil {
				t.Error(err)
			}
		})
	}
}

// testArgs makes small numbers of different sign for the parameters of g.
func testArgs(g *ir.Graph) []*interp.Tensor {
	var args []*interp.Tensor
	for _, p := range g.Params {
		dims, _ := p.Type.Shape.Ints()
		n := product(dims)
		switch p.Type.DType {
		case ir.F32:
			data := make([]float32, n)
			for i := range data {
				data[i] = float32(i*7%11) - 4.5
			}
			args = append(args, interp.FromSlice(ir.F32, dims, data))
		case ir.I64:
			args = append(args, interp.FromSlice(ir.I64, dims, []int64{1, 2, 3, 4}[:n]))
		case ir.U8:
			args = append(args, interp.FromSlice(ir.U8, dims, []uint8{200, 3, 2, 1}[:n]))
		}
	}
	return args
}
