package passes

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
)

// TestOrderRandom moves regions of random graphs, whether that spares memory or
// not: they stay graphs with the same results, none reads what has been
// overwritten, and what could be updated in place still can.
func TestOrderRandom(t *testing.T) {
	moved := 0
	for seed := range uint64(600) {
		c := irtest.Generate(irtest.Config{Seed: seed, Size: 30})
		g, err := Run(c.Graph, Options{StopAfter: "attend"})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		o := newOrderer(g)
		out := o.run()
		if moved += o.moved; o.moved == 0 {
			continue
		}
		if err := ir.Verify(out); err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, out)
		}
		if was, is := lastReads(g), lastReads(out); is < was {
			t.Errorf("seed %d: %d results are written where their type was read last, were %d\n%v",
				seed, is, was, out)
		}
		for _, in := range c.Inputs {
			if w, g := results(t, g, in), results(t, out, in); w != g {
				t.Fatalf("seed %d: results differ\n%v", seed, out)
			}
		}
	}
	if moved < 100 {
		t.Errorf("only %d regions moved", moved)
	}
}

// lastReads counts the parameters that are read last by a region with a result
// of the graph of their type: it may take their memory.
func lastReads(g *ir.Graph) int {
	l := &liveness{root: map[*ir.Value]slot{}}
	direct := map[slot]bool{}
	for _, r := range g.Results {
		direct[l.view(r)] = true
	}
	last := map[*ir.Value]*ir.Value{}
	for _, v := range g.Values {
		if isView(v) {
			continue
		}
		for _, a := range v.Args {
			last[l.view(a).v] = v
		}
	}
	n := 0
	for _, p := range g.Params {
		v := last[p]
		if v == nil || v.Op != ir.OpFuse {
			continue
		}
		for i, t := range v.ResultTypes() {
			if direct[slot{v, i}] && t.Equal(p.Type) {
				n++
				break
			}
		}
	}
	return n
}
