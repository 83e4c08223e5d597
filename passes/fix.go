package passes

import (
	"fmt"
	"maps"
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
				name, strings.Join(slices.Sorted(maps.Keys(free)), ", "))
		}
		subst[name] = ir.Const(n)
	}
	out, err := substGraph(g, subst)
	if err != nil {
		return nil, fmt.Errorf("%w: the model does not work with these fixed extents", err)
	}
	return out, nil
}
