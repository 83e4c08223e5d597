package autodiff

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// JVP returns the Jacobian-vector product of g with respect to the parameters
// wrt. Its parameters are those of g and then, for each entry of wrt, the
// tangent t_PARAM of the same type. Its results are those of g and then, for
// each floating-point result NAME, the tangent t_NAME.
//
// It has no table of its own: the VJP of g is linear in its cotangents, and
// the VJP of that with respect to them is the JVP of g, at whatever
// cotangents. What they were then is of no use any more and goes.
func JVP(g *ir.Graph, wrt []int) (*ir.Graph, error) {
	vjp, err := VJP(g, wrt)
	if err != nil {
		return nil, err
	}
	n := len(g.Params)
	var cots []int
	for i := range vjp.Params[n:] {
		cots = append(cots, n+i)
	}
	twice, err := VJP(vjp, cots)
	if err != nil {
		return nil, err
	}
	return closeJVP(g, wrt, twice)
}

// closeJVP makes the JVP's graph of twice, whose parameters are those of g,
// the cotangents of its results, again those, and then the tangents; whose
// results are those of g, the gradients, and then the results' tangents. The
// cotangents become zeros.
func closeJVP(g *ir.Graph, wrt []int, twice *ir.Graph) (*ir.Graph, error) {
	out := ir.NewGraph(g.Name + "_jvp")
	b := &back{g: out}
	var args []*ir.Value
	for _, p := range g.Params {
		args = append(args, out.Param(p.ParamName(), p.Type, p.Pos))
	}
	zeros := twice.Params[len(g.Params) : len(twice.Params)-len(wrt)]
	for _, i := range wrt {
		param(out, "t_"+g.Params[i].ParamName(), g.Params[i])
	}
	for _, p := range zeros {
		args = append(args, b.zeros(p.Type))
	}
	args = append(args, out.Params[len(g.Params):]...)
	values, err := out.Inline(twice, args)
	if err != nil {
		return nil, fmt.Errorf("jvp: %w", err)
	}
	var names []string
	for i := range g.Results {
		names = append(names, resultName(g, i))
	}
	for i, r := range g.Results {
		if r.Type.DType.IsFloat() {
			names = append(names, unique(names, "t_"+resultName(g, i)))
		}
	}
	n := len(g.Results)
	out.SetResults(names, append(values[:n:n], values[n+len(wrt):]...)...)
	return prune(out)
}
