package irtest_test

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
)

// interpret runs the reference interpreter on literals.
func interpret(g *ir.Graph, inputs []*ir.Literal) ([]*ir.Literal, error) {
	in := make([]*interp.Tensor, len(inputs))
	for i, l := range inputs {
		t, err := interp.FromLiteral(l)
		if err != nil {
			return nil, err
		}
		in[i] = t
	}
	ts, err := interp.Run(g, in)
	out := make([]*ir.Literal, len(ts))
	for i, t := range ts {
		out[i] = t.Literal()
	}
	return out, err
}

// TestGenerate generates graphs, runs them, and counts what they contain.
func TestGenerate(t *testing.T) {
	count := map[ir.Op]int{}
	dtypes := map[ir.DType]int{}
	var walk func(g *ir.Graph)
	walk = func(g *ir.Graph) {
		for _, v := range g.Values {
			count[v.Op]++
			dtypes[v.Type.DType]++
			for _, r := range v.Regions() {
				walk(r)
			}
		}
	}
	const n = 1500
	for seed := range uint64(n) {
		c := irtest.Generate(irtest.Config{Seed: seed, Size: 15})
		walk(c.Graph)
		for _, in := range c.Inputs {
			if _, err := interpret(c.Graph, in); err != nil {
				t.Fatalf("seed %d: %v\n%v", seed, err, c.Graph)
			}
		}
	}
	for _, op := range ir.Ops() {
		if count[op] < n/100 {
			t.Errorf("%v: %d in %d graphs", op, count[op], n)
		}
	}
	for d := ir.Bool; d < ir.String; d++ {
		if dtypes[d] < n/50 {
			t.Errorf("%v: %d values in %d graphs", d, dtypes[d], n)
		}
	}
}
