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
	return keep(g, live)
}

// keep copies the parameters and the values that are live.
func keep(g *ir.Graph, live []bool) (*ir.Graph, error) {
	out := ir.NewGraph(g.Name)
	repl := make([]*ir.Value, len(g.Values))
	for _, v := range g.Values {
		switch {
		case v.Op == ir.OpParam:
			repl[v.ID] = out.Param(v.ParamName(), v.Type, v.Pos)
		case live[v.ID]:
			args := make([]*ir.Value, len(v.Args))
			for i, a := range v.Args {
				args[i] = repl[a.ID]
			}
			nv, err := out.New(v.Pos, v.Op, v.Attr, args...)
			if err != nil {
				return nil, err
			}
			repl[v.ID] = nv
		}
	}
	results := make([]*ir.Value, len(g.Results))
	for i, r := range g.Results {
		results[i] = repl[r.ID]
	}
	out.SetResults(g.ResultNames, results...)
	return out, nil
}
