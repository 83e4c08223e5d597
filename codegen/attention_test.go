package codegen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
)

// softmaxOf is the text of a softmax of the rows of value v of the shape; its
// values begin at n, the last is the result.
func softmaxOf(v, n int, shape string, axis int) string {
	var axes []string
	for i := range axis {
		axes = append(axes, fmt.Sprint(i))
	}
	b := fmt.Sprintf("{shape=[%s] axes=[%s]}", shape, strings.Join(axes, " "))
	line := func(v int, format string, args ...any) string {
		return fmt.Sprintf("\tv%d = ", v) + fmt.Sprintf(format, args...) + "\n"
	}
	return line(n, "reducemax v%d {[%d]}", v, axis) + line(n+1, "broadcast v%d %s", n, b) +
		line(n+2, "sub v%d v%d", v, n+1) + line(n+3, "exp v%d", n+2) +
		line(n+4, "sum v%d {[%d]}", n+3, axis) + line(n+5, "broadcast v%d %s", n+4, b) +
		line(n+6, "div v%d v%d", n+3, n+5)
}

// attentions are graphs of attention in the forms that models have it in.
func attentions() map[string]string {
	dot := func(kt bool) string {
		if kt {
			return "{lbatch=[0 1] rbatch=[0 1] lcontract=[3] rcontract=[2]}"
		}
		return "{lbatch=[0 1] rbatch=[0 1] lcontract=[3] rcontract=[3]}"
	}
	plain := func(i, j, d, e string, mask string) string {
		s := fmt.Sprintf("2,3,%s,%s", i, j)
		text := fmt.Sprintf("graph f\n\tv0 = param <f32[2,3,%s,%s]> {q}\n\tv1 = param <f32[2,3,%s,%s]> {k}\n"+
			"\tv2 = param <f32[2,3,%s,%s]> {v}\n\tv3 = param <f32[%s,%s]> {m}\n", i, d, j, d, j, e, i, j)
		text += "\tv4 = dot v0 v1 " + dot(false) + "\n"
		text += fmt.Sprintf("\tv5 = broadcast v3 {shape=[%s] axes=[2 3]}\n", s)
		switch mask {
		case "add":
			text += "\tv6 = add v4 v5\n"
		case "causal":
			text += fmt.Sprintf("\tv20 = iota {dtype=i64 shape=[%s] axis=3}\n\tv21 = iota {dtype=i64 shape=[%s] axis=2}\n"+
				"\tv22 = le v20 v21\n\tv23 = const <f32[]> {-inf}\n\tv24 = broadcast v23 {shape=[%s]}\n\tv6 = select v22 v4 v24\n", s, s, s)
		default:
			text += "\tv6 = mul v4 v4\n"
		}
		text += softmaxOf(6, 7, s, 3)
		return text + "\tv14 = dot v13 v2 {lbatch=[0 1] rbatch=[0 1] lcontract=[3] rcontract=[2]}\n" +
			"\tv15 = transpose v14 {[0 2 1 3]}\n\treturn v15\n"
	}
	shared := "graph f\n\tv0 = param <f32[1,2,34,8]> {q}\n\tv1 = param <f32[1,2,8,40]> {k}\n" +
		"\tv2 = param <f32[1,2,40,24]> {v}\n\tv3 = dot v0 v1 " + dot(true) +
		"\n\tv4 = reshape v3 {[1,4,17,40]}\n" + softmaxOf(4, 5, "1,4,17,40", 3) +
		"\tv12 = reshape v11 {[1,2,34,40]}\n\tv13 = dot v12 v2 {lbatch=[0 1] rbatch=[0 1] lcontract=[3] rcontract=[2]}\n\treturn v13\n"
	return map[string]string{
		"add":     plain("19", "37", "8", "20", "add"),
		"causal":  plain("48", "48", "16", "33", "causal"),
		"whole":   plain("28", "64", "16", "32", ""),
		"few":     plain("5", "17", "3", "1", "add"),
		"shared":  shared,
		"dynamic": plain("I", "J", "8", "16", "causal"),
	}
}

// TestAttention compares attention with the interpreter at all levels and
// checks that no score matrix is left: one kernel has both products.
func TestAttention(t *testing.T) {
	for name, text := range attentions() {
		g, err := ir.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		c := &irtest.Case{Seed: 1, Graph: g, Bounds: make([]irtest.Bound, len(g.Values))}
		for i := range c.Bounds {
			c.Bounds[i] = irtest.Bound{Abs: 1e-5}
		}
		for _, dims := range []map[string]int64{{"I": 30, "J": 41}, {"I": 1, "J": 1}, {"I": 64, "J": 64}} {
			c.Inputs = append(c.Inputs, smallInputs(g, dims))
		}
		want, err := wanted(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range vectorLevels(t) {
			s := newSubject(c, []string{level})
			if err := compileAll([]*subject{s}, []string{level}); err != nil || s.err != nil {
				t.Fatal(name, err, s.err)
			}
			if n := regionsOf(s.a.Graph, "attention"); n != 1 {
				t.Errorf("%s: %d regions of attention, want 1:\n%s", name, n, ir.Print(s.a.Graph))
			}
			if err := s.run(level, want); err != nil {
				t.Errorf("%s at %s: %v", name, level, err)
			}
		}
	}
}

// smallInputs are random floats for g, whose symbols have the values in dims.
func smallInputs(g *ir.Graph, dims map[string]int64) []*ir.Literal {
	rng := rand.New(rand.NewPCG(uint64(dims["I"]), 1))
	var in []*ir.Literal
	for _, p := range g.Params {
		var shape []int64
		n := int64(1)
		for _, d := range p.Type.Shape {
			k, _ := d.Eval(dims)
			shape, n = append(shape, k), n*k
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = rng.Float32()*2 - 1
		}
		in = append(in, ir.NewLiteral(ir.F32, shape, x))
	}
	return in
}
