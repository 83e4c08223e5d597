package codegen

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/runtime"
)

// integerProducts are products of small integers that sum up in i32: what
// quantized models have. Each is a graph with a format of its element types.
var integerProducts = []struct {
	name, text string
	dims       []map[string]int64 // values of the symbols, each a run
}{
	{"whole tiles", `
		v0 = param <X[28,64]> {x}
		v1 = param <Y[64,64]> {y}
		v2 = cast <i32[28,64]> v0 {dtype=i32}
		v3 = cast <i32[64,64]> v1 {dtype=i32}
		v4 = dot <i32[28,64]> v2 v3 {lcontract=[1] rcontract=[0]}
		return v4`, nil},
	{"edges", `
		v0 = param <X[31,37]> {x}
		v1 = param <Y[37,45]> {y}
		v2 = cast <i32[31,37]> v0 {dtype=i32}
		v3 = cast <i32[37,45]> v1 {dtype=i32}
		v4 = dot <i32[31,45]> v2 v3 {lcontract=[1] rcontract=[0]}
		return v4`, nil},
	{"transposed, batch", `
		v0 = param <X[3,50,40]> {x}
		v1 = param <Y[3,33,50]> {y}
		v2 = cast <i32[3,50,40]> v0 {dtype=i32}
		v3 = cast <i32[3,33,50]> v1 {dtype=i32}
		v4 = dot <i32[3,40,33]> v2 v3 {lbatch=[0] rbatch=[0] lcontract=[1] rcontract=[2]}
		return v4`, nil},
	{"symbolic", `
		v0 = param <X[M,K]> {x}
		v1 = param <Y[K,N]> {y}
		v2 = cast <i32[M,K]> v0 {dtype=i32}
		v3 = cast <i32[K,N]> v1 {dtype=i32}
		v4 = dot <i32[M,N]> v2 v3 {lcontract=[1] rcontract=[0]}
		return v4`, []map[string]int64{{"M": 1, "K": 1, "N": 1}, {"M": 30, "K": 70, "N": 50},
		{"M": 0, "K": 5, "N": 5}, {"M": 5, "K": 0, "N": 20}, {"M": 14, "K": 8, "N": 32}}},
	{"zero points", `
		v0 = param <X[40,36]> {x}
		v1 = param <Y[36,50]> {y}
		v2 = param <X[]> {zx}
		v3 = cast <i32[40,36]> v0 {dtype=i32}
		v4 = cast <i32[36,50]> v1 {dtype=i32}
		v5 = cast <i32[]> v2 {dtype=i32}
		v6 = broadcast <i32[40,36]> v5 {shape=[40,36] axes=[]}
		v7 = sub <i32[40,36]> v3 v6
		v8 = const <i32[36,50]> {3}
		v9 = sub <i32[36,50]> v4 v8
		v10 = dot <i32[40,50]> v7 v9 {lcontract=[1] rcontract=[0]}
		v11 = cast <f32[40,50]> v10 {dtype=f32}
		return v11`, nil},
	{"convolution", `
		v0 = param <X[2,9,13,11]> {x}
		v1 = param <Y[20,9,3,3]> {y}
		v2 = cast <i32[2,9,13,11]> v0 {dtype=i32}
		v3 = cast <i32[20,9,3,3]> v1 {dtype=i32}
		v4 = conv <i32[2,20,13,6]> v2 v3 {STRIDED}
		return v4`, nil},
	{"wide convolution", `
		v0 = param <X[1,20,7,40]> {x}
		v1 = param <Y[70,20,2,3]> {y}
		v2 = cast <i32[1,20,7,40]> v0 {dtype=i32}
		v3 = cast <i32[70,20,2,3]> v1 {dtype=i32}
		v4 = conv <i32[1,70,6,38]> v2 v3 {PLAIN}
		return v4`, nil},
	{"wide, batch, activation", `
		v0 = param <X[2,50,33]> {x}
		v1 = param <Y[2,33,80]> {y}
		v2 = cast <i32[2,50,33]> v0 {dtype=i32}
		v3 = cast <i32[2,33,80]> v1 {dtype=i32}
		v4 = dot <i32[2,50,80]> v2 v3 {lbatch=[0] rbatch=[0] lcontract=[2] rcontract=[1]}
		v5 = param <i32[80]> {bias}
		v6 = broadcast <i32[2,50,80]> v5 {shape=[2,50,80] axes=[2]}
		v7 = add <i32[2,50,80]> v4 v6
		v8 = const <i32[2,50,80]> {0}
		v9 = max <i32[2,50,80]> v7 v8
		return v9`, nil},
}

// TestSmallProducts: products of small integers are exact at every level, whatever
// instruction does them; those of f32 as good as any.
func TestSmallProducts(t *testing.T) {
	levels := nativeLevels(t)
	var subjects []*subject
	var names []string
	all := [][2]string{{"u8", "i8"}, {"f32", "f32"}, {"i8", "u8"}, {"i8", "i8"}, {"u8", "u8"}, {"i16", "i16"}}
	if testing.Short() {
		all = all[:2]
	}
	for _, types := range all {
		for _, p := range integerProducts {
			subjects = append(subjects, newSubject(smallProduct(t, p.name, p.text, types, p.dims), levels))
			names = append(names, fmt.Sprint(p.name, " ", types))
		}
	}
	if err := compileAll(subjects, levels); err != nil {
		t.Fatal(err)
	}
	for i, s := range subjects {
		if s.err != nil {
			t.Errorf("%s: %v", names[i], s.err)
			continue
		}
		want, err := wanted(s.c)
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range levels {
			if err := guard(func() error { return s.run(level, want) }); err != nil {
				t.Errorf("%s: %s: %v", names[i], level, err)
			}
			how := strategies(t, s.a, level)
			if grouped(names[i], level) != strings.Contains(how, "groups") {
				t.Errorf("%s: %s: strategies %s", names[i], level, how)
			}
		}
	}
}

// grouped reports whether a product is to be done with instructions for groups:
// those are not whose operands are i32 in memory, as differences to zero points
// and what layout transposes are; f32 is at amx, whether it pays or not, but for
// sums that fill too little of a tile.
func grouped(name, level string) bool {
	if strings.HasSuffix(name, "[f32 f32]") {
		return level == runtime.LevelAMX && !strings.HasPrefix(name, "convolution")
	}
	return !strings.HasPrefix(name, "zero points") && !strings.HasPrefix(name, "wide convolution")
}

// strategies names those of the kernels.
func strategies(t *testing.T, a *Artifact, level string) string {
	t.Helper()
	var out []string
	for _, tree := range a.Plan.Trees {
		target := schedule.Targets[level]
		target.Eager = true // as of an Artifact that emulates
		_, how, err := schedule.Explain(tree, target)
		if err != nil {
			t.Fatal(err)
		}
		how, _, _ = strings.Cut(how, ";")
		out = append(out, how)
	}
	return strings.Join(out, " ")
}

func smallProduct(t *testing.T, name, text string, types [2]string,
	dims []map[string]int64) *irtest.Case {

	t.Helper()
	replace := []string{"\t\tv", "\tv", "\t\treturn", "\treturn", "<X", "<" + types[0], "<Y",
		"<" + types[1],
		"STRIDED", "stride=[1 2] dilation=[1 1] indilation=[1 1] lo=[1 1] hi=[1 1] groups=1",
		"PLAIN", "stride=[1 1] dilation=[1 1] indilation=[1 1] lo=[0 0] hi=[0 0] groups=1"}
	bound := irtest.Bound{}
	if types[0] == "f32" {
		replace = append(replace, "i32", "f32")
		bound.Abs = 1e-4
	}
	g, err := ir.Parse(name, "graph f"+strings.NewReplacer(replace...).Replace(text)+"\n")
	if err != nil {
		t.Fatal(err)
	}
	c := &irtest.Case{Graph: g, Bounds: slices.Repeat([]irtest.Bound{bound}, len(g.Values))}
	if dims == nil {
		dims = []map[string]int64{nil}
	}
	for i, env := range dims {
		c.Inputs = append(c.Inputs, extremeInputs(t, g, env, uint64(i)))
	}
	return c
}

// extremeInputs are integers of which half are the least and the greatest
// there are, or floats of about 1.
func extremeInputs(t *testing.T, g *ir.Graph, env map[string]int64, seed uint64) []*ir.Literal {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	var out []*ir.Literal
	for _, p := range g.Params {
		l := &ir.Literal{DType: p.Type.DType}
		n := int64(1)
		for _, d := range p.Type.Shape {
			k, err := d.Eval(env)
			if err != nil {
				t.Fatal(err)
			}
			l.Shape, n = append(l.Shape, k), n*k
		}
		size := p.Type.DType.Size()
		for range n {
			bits := r.Uint64()
			switch top := uint64(1) << (8*size - 1); r.IntN(4) {
			case 0:
				bits = top
			case 1:
				bits = top - 1
			}
			if l.DType == ir.F32 {
				bits = uint64(math.Float32bits(float32(r.NormFloat64())))
			}
			for i := range size {
				l.Data = append(l.Data, byte(bits>>(8*i)))
			}
		}
		out = append(out, l)
	}
	return out
}
