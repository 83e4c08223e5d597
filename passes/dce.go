package passes

import "github.com/tensorcc/tcc/ir"

// dce drops the values that no result and no effect needs. Symbols need the
// values that define them.
func dce(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	live := make([]bool, len(g.Values))
	defs := symbolDefs(g)
	var mark func(v *ir.Value)
	mark = func(v *ir.Value) {
		if live[v.ID] {
			return
		}
		live[v.ID] = true
		for _, a := range v.Args {
			mark(a)
		}
		for _, s := range valueSyms(v) {
			if d := defs[s]; d != nil {
				mark(d)
			}
		}
	}
	for _, v := range g.Values {
		if v.Op.Is(ir.Effect) {
			mark(v)
		}
	}
	for _, r := range g.Results {
		mark(r)
	}
	return g.Keep(live)
}
