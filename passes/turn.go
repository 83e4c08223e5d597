package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// turnOperands lets products whose right operand is a transposed constant matrix sum over the
// other axis of the matrix itself, where panels will be made of that: the weights are then
// copied once, not twice. Exporters store those of dense layers so.
func turnOperands(c *Context, g *ir.Graph) (*ir.Graph, error) {
	out, err := g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		a, ok := v.Attr.(*ir.DotAttr)
		if !ok || args[1].Op != ir.OpTranspose {
			return nil, nil
		}
		t := args[1]
		w, perm := t.Args[0], t.Attr.(*ir.PermAttr).Perm
		if !slices.Equal(perm, []int{1, 0}) || len(a.RBatch) > 0 || len(a.RContract) != 1 ||
			!packs(w, t.Type.Shape[1-a.RContract[0]]) {
			return nil, nil
		}
		turned := *a
		turned.RContract = []int{1 - a.RContract[0]}
		return out.New(v.Pos, v.Op, &turned, args[0], w)
	})
	if err != nil {
		return nil, err
	}
	return dce(c, out)
}
