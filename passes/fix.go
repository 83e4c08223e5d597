package passes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Fix copies g with dynamic extents set to numbers, which must be symbols of
// the parameters.
func Fix(g *ir.Graph, dims map[string]int64) (*ir.Graph, error) {
	subst := map[string]ir.Dim{}
	free := map[string]bool{}
	for _, p := range g.Params {
		addShapeSyms(p.Type.Shape, free)
	}
	for name, n := range dims {
		if !free[name] {
			return nil, fmt.Errorf("dim %s: the inputs have no such dynamic extent, wanted one of %s",
				name, strings.Join(sortedNames(free), ", "))
		}
		subst[name] = ir.Const(n)
	}
	out := ir.NewGraph(g.Name)
	repl := make([]*ir.Value, len(g.Values))
	for _, v := range g.Values {
		if v.Op == ir.OpParam {
			repl[v.ID] = out.Param(v.ParamName(), substType(v.Type, subst), v.Pos)
			continue
		}
		args := make([]*ir.Value, len(v.Args))
		for i, a := range v.Args {
			args[i] = repl[a.ID]
		}
		nv, err := out.New(v.Pos, v.Op, substAttr(v.Attr, subst), args...)
		if err != nil {
			return nil, fmt.Errorf("%v: %w: the model does not work with these fixed extents", v.Pos, err)
		}
		repl[v.ID] = nv
	}
	results := make([]*ir.Value, len(g.Results))
	for i, r := range g.Results {
		results[i] = repl[r.ID]
	}
	out.SetResults(g.ResultNames, results...)
	return out, nil
}

func sortedNames(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
