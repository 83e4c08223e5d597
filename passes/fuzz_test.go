package passes

import (
	"os"
	"strconv"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
)

func interpret(g *ir.Graph, in []*ir.Literal) ([]*ir.Literal, error) {
	args := make([]*interp.Tensor, len(in))
	for i, l := range in {
		var err error
		if args[i], err = interp.FromLiteral(l); err != nil {
			return nil, err
		}
	}
	ts, err := interp.Run(g, args)
	out := make([]*ir.Literal, len(ts))
	for i, t := range ts {
		out[i] = t.Literal()
	}
	return out, err
}

// afterPasses interprets g as the passes leave it.
func afterPasses(g *ir.Graph, in []*ir.Literal) ([]*ir.Literal, error) {
	out, err := Run(g, Options{Check: true})
	if err != nil {
		return nil, err
	}
	if err := simulate(out, 3); err != nil {
		return nil, err
	}
	return interpret(out, in)
}

// TestRandomGraphs compares random graphs before and after the passes.
func TestRandomGraphs(t *testing.T) {
	n := uint64(600)
	if testing.Short() {
		n = 60
	}
	for seed := range n {
		c := irtest.Generate(irtest.Config{Seed: seed + fuzzBase(), Size: 14})
		err := c.Check(interpret, afterPasses)
		if err == nil {
			continue
		}
		fails := func(c *irtest.Case) bool { return c.Check(interpret, afterPasses) != nil }
		small := irtest.Shrink(c, interpret, fails, 300)
		t.Errorf("%.1500v\n%.3000s", small.Check(interpret, afterPasses), small.Format())
		if t.Failed() {
			return
		}
	}
}

// fuzzBase is the first seed, TCC_SEED if that is set.
func fuzzBase() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("TCC_SEED"), 10, 64)
	return n
}
