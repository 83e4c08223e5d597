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
	vjp.SetResults(vjp.ResultNames[len(g.Results):], vjp.Results[len(g.Results):]...)
	twice, err := VJP(vjp, cots)
	if err != nil {
		return nil, err
	}
	return closeJVP(g, wrt, twice)
}

// closeJVP makes the JVP's graph of the parameters of g, zeros for the
// cotangents, and tangents.
func closeJVP(g *ir.Graph, wrt []int, twice *ir.Graph) (*ir.Graph, error) {
	out := ir.NewGraph(g.Name + "_jvp")
	b := &back{g: out}
	var params []*ir.Value
	for _, p := range g.Params {
		params = append(params, out.Param(p.ParamName(), p.Type, p.Pos))
	}
	args := params
	for _, p := range twice.Params[len(g.Params) : len(twice.Params)-len(wrt)] {
		args = append(args, b.zeros(p.Type))
	}
	for _, i := range wrt {
		args = append(args, out.Param("t_"+g.Params[i].ParamName(), g.Params[i].Type, g.Params[i].Pos))
	}
	values, err := out.Inline(g, params)
	if err != nil {
		return nil, fmt.Errorf("jvp: %w", err)
	}
	tangents, err := out.Inline(twice, args)
	if err != nil {
		return nil, fmt.Errorf("jvp: %w", err)
	}
	var names []string
	for i := range g.Results {
		names = append(names, resultName(g, i))
	}
	for i, r := range g.Results {
		if r.Type.DType.IsFloat() {
			names = append(names, "t_"+resultName(g, i))
		}
	}
	out.SetResults(names, append(values, tangents[len(wrt):]...)...)
	return prune(out)
}
