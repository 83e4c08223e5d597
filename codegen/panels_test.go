package codegen

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
)

// panelProducts have right operands of the run that are packed, once or by each task, or
// passed over once, with the number of kernels.
var panelProducts = []struct {
	name, text string
	kernels    int
	dims       []map[string]int64 // values of the symbols, each a run
}{
	{"columns are rows in memory, packed once", `
	v0 = param <f32[70,48]> {x}
	v1 = param <f32[64,48]> {y}
	v2 = dot <f32[70,64]> v0 v1 {lcontract=[1] rcontract=[1]}
	return v2`, 1, nil},
	{"the same with a rest, blocked, and a bias", `
	v0 = param <f32[3,40,1601]> {x}
	v1 = param <f32[45,1601]> {y}
	v2 = dot <f32[3,40,45]> v0 v1 {lcontract=[2] rcontract=[1]}
	v3 = param <f32[45]> {bias}
	v4 = broadcast <f32[3,40,45]> v3 {shape=[3,40,45] axes=[2]}
	v5 = add <f32[3,40,45]> v2 v4
	return v5`, 1, nil},
	{"a long sum, both operands with rows of columns", `
	v0 = param <f32[770,530]> {x}
	v1 = param <f32[770,50]> {y}
	v2 = dot <f32[530,50]> v0 v1 {lcontract=[0] rcontract=[0]}
	return v2`, 1, nil},
	{"a computed operand of two products", `
	v0 = param <f32[70,33]> {x}
	v1 = param <f32[70,33]> {z}
	v2 = param <f32[33,40]> {y}
	v3 = mul <f32[33,40]> v2 v2
	v4 = transpose <f32[40,33]> v3 {[1 0]}
	v5 = dot <f32[70,40]> v0 v4 {lcontract=[1] rcontract=[1]}
	v6 = dot <f32[70,40]> v1 v4 {lcontract=[1] rcontract=[1]}
	v7 = sub <f32[70,40]> v5 v6
	return v7`, 0, nil},
	{"one row, an operand larger than the caches", `
	v0 = param <f32[1030]> {x}
	v1 = param <f32[1030,1100]> {y}
	v2 = dot <f32[1100]> v0 v1 {lcontract=[0] rcontract=[0]}
	return v2`, 1, nil},
	{"few rows, an operand larger than the caches, a bias", `
	v0 = param <f32[7,1030]> {x}
	v1 = param <f32[1030,1100]> {y}
	v2 = dot <f32[7,1100]> v0 v1 {lcontract=[1] rcontract=[0]}
	v3 = param <f32[7,1100]> {z}
	v4 = add <f32[7,1100]> v2 v3
	return v4`, 1, nil},
	{"three rows, columns are rows in memory", `
	v0 = param <f32[3,1030]> {x}
	v1 = param <f32[1100,1030]> {y}
	v2 = dot <f32[3,1100]> v0 v1 {lcontract=[1] rcontract=[1]}
	return v2`, 1, nil},
	{"one row, columns are rows in memory, larger than the caches", `
	v0 = param <f32[1030]> {x}
	v1 = param <f32[3601,1030]> {y}
	v2 = dot <f32[3601]> v0 v1 {lcontract=[0] rcontract=[1]}
	return v2`, 1, nil},
	{"batches of eight rows, columns are rows in memory, a function of the sums", `
	v0 = param <f32[2,8,300]> {x}
	v1 = param <f32[2,50,300]> {y}
	v2 = dot <f32[2,8,50]> v0 v1 {lbatch=[0] rbatch=[0] lcontract=[2] rcontract=[2]}
	v3 = tanh <f32[2,8,50]> v2
	v4 = param <f32[50]> {z}
	v5 = broadcast <f32[2,8,50]> v4 {shape=[2,8,50] axes=[2]}
	v6 = mul <f32[2,8,50]> v3 v5
	return v6`, 1, nil},
	{"two rows that are computed, columns are rows in memory", `
	v0 = param <f32[2,300]> {x}
	v1 = param <f32[51,300]> {y}
	v3 = sigmoid <f32[2,300]> v0
	v2 = dot <f32[2,51]> v3 v1 {lcontract=[1] rcontract=[1]}
	return v2`, 0, nil},
	{"four rows, sums of the run", `
	v0 = param <f32[4,K]> {x}
	v1 = param <f32[N,K]> {y}
	v2 = dot <f32[4,N]> v0 v1 {lcontract=[1] rcontract=[1]}
	return v2`, 1, []map[string]int64{{"K": 0, "N": 5}, {"K": 5, "N": 3}, {"K": 301, "N": 50}}},
	{"nine rows, columns are rows in memory", `
	v0 = param <f32[9,1030]> {x}
	v1 = param <f32[170,1030]> {y}
	v2 = dot <f32[9,170]> v0 v1 {lcontract=[1] rcontract=[1]}
	return v2`, 1, nil},
	{"extents of the run: versions, in the last of which each task packs", `
	v0 = param <f32[M,K]> {x}
	v1 = param <f32[N,K]> {y}
	v2 = dot <f32[M,N]> v0 v1 {lcontract=[1] rcontract=[1]}
	return v2`, 4, []map[string]int64{{"M": 30, "K": 70, "N": 50}, {"M": 260, "K": 1050, "N": 145},
		{"M": 14, "K": 16, "N": 32}, {"M": 1, "K": 1, "N": 1}, {"M": 0, "K": 5, "N": 5},
		{"M": 5, "K": 0, "N": 20}}},
	{"rows of the run, a bias and a residual: versions", `
	v0 = param <f32[M,130]> {x}
	v1 = param <f32[130,150]> {y}
	v2 = dot <f32[M,150]> v0 v1 {lcontract=[1] rcontract=[0]}
	v3 = param <f32[150]> {bias}
	v4 = broadcast <f32[M,150]> v3 {shape=[M,150] axes=[1]}
	v5 = add <f32[M,150]> v2 v4
	v6 = param <f32[M,150]> {residual}
	v7 = add <f32[M,150]> v5 v6
	v8 = reducemax <f32[M]> v7 {[1]}
	return v7 v8`, 0, rowsOf("M", "", 0, 1, 2, 3, 4, 5, 8, 9, 31)},
	{"rows of the run, an operand larger than the caches", `
	v0 = param <f32[M,1030]> {x}
	v1 = param <f32[1030,1100]> {y}
	v2 = dot <f32[M,1100]> v0 v1 {lcontract=[1] rcontract=[0]}
	return v2`, 4, rowsOf("M", "", 1, 3, 7, 9)},
	{"batches of rows of the run: versions for one row each", `
	v0 = param <f32[B,T,130]> {x}
	v1 = param <f32[130,150]> {y}
	v2 = dot <f32[B,T,150]> v0 v1 {lcontract=[2] rcontract=[0]}
	v3 = tanh <f32[B,T,150]> v2
	return v3`, 4, append(rowsOf("B", "T", 0, 1, 2, 5, 8, 9), map[string]int64{"B": 3, "T": 2},
		map[string]int64{"B": 1, "T": 0}, map[string]int64{"B": 1, "T": 12})},
	{"a square of rows and columns of one extent: no versions", `
	v0 = param <f32[T,130]> {x}
	v1 = param <f32[T,130]> {y}
	v2 = dot <f32[T,T]> v0 v1 {lcontract=[1] rcontract=[1]}
	return v2`, 1, rowsOf("T", "", 1, 20)},
}

// rowsOf are the values of symbol s, each with 1 for symbol one.
func rowsOf(s, one string, values ...int64) []map[string]int64 {
	var out []map[string]int64
	for _, n := range values {
		env := map[string]int64{s: n}
		if one != "" {
			env[one] = 1
		}
		out = append(out, env)
	}
	return out
}

// TestPanels: products whose right operand is packed, once for all tasks or in
// each, or passed over, and versions for numbers of rows.
func TestPanels(t *testing.T) {
	levels := nativeLevels(t)
	var subjects []*subject
	for i, p := range panelProducts {
		g, err := ir.Parse(p.name, "graph f"+p.text+"\n")
		if err != nil {
			t.Fatal(err)
		}
		c := &irtest.Case{Graph: g}
		dims := p.dims
		if dims == nil {
			dims = []map[string]int64{nil}
		}
		for _, env := range dims {
			c.Inputs = append(c.Inputs, extremeInputs(t, g, env, uint64(i)))
		}
		for range g.Values {
			c.Bounds = append(c.Bounds, irtest.Bound{Abs: 1e-3})
		}
		subjects = append(subjects, newSubject(c, levels))
	}
	if err := compileAll(subjects, levels); err != nil {
		t.Fatal(err)
	}
	for i, s := range subjects {
		p := panelProducts[i]
		if s.err != nil {
			t.Errorf("%s: %v", p.name, s.err)
			continue
		}
		if n := len(s.a.Plan.Trees); p.kernels > 0 && n != p.kernels {
			t.Errorf("%s: %d kernels, want %d", p.name, n, p.kernels)
		}
		want, err := wanted(s.c)
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range levels {
			if err := guard(func() error { return s.run(level, want) }); err != nil {
				t.Errorf("%s: %s: %v", p.name, level, err)
			}
		}
	}
}
