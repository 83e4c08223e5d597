package plan

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/codegen/lower"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// nonZeroSym is the symbol that a nonzero defines: the number of coordinates.
func nonZeroSym(v *ir.Value) string { return v.Attr.(*ir.DimsAttr).Dims[0].String() }

// count writes what must run before the kernel of a nonzero: a kernel that
// counts, and the binding of the symbol, which the size of the result needs.
// Other regions need nothing.
func (b *builder) count(v *ir.Value, a *ir.FuseAttr) ([]runtime.Step, error) {
	i := slices.IndexFunc(a.Body.Values, func(v *ir.Value) bool { return v.Op == ir.OpNonZero })
	if i < 0 {
		return nil, nil
	}
	nz := a.Body.Values[i]
	body, err := countGraph(a.Body, nz)
	if err != nil {
		return nil, err
	}
	const size = 8 // of an i64
	buf := b.block(size)
	l, err := b.lower("reduce", body, v.Args, []int{buf}, lower.Places{})
	if err != nil {
		return nil, err
	}
	sym := nonZeroSym(nz)
	steps := append([]runtime.Step{&runtime.Alloc{Late: b.late - 1, Size: size}}, l...)
	return append(steps, &runtime.Bind{Symbol: b.slots.symbol(sym), Buf: buf, DType: runtime.I64,
		Text: fmt.Sprintf("%v: extent %s", v.Pos, sym)}), nil
}

// countGraph is the part of body that computes the argument of nz, followed by
// the number of its elements that are not zero.
func countGraph(body *ir.Graph, nz *ir.Value) (*ir.Graph, error) {
	g := ir.NewGraph("count")
	repl := make([]*ir.Value, len(body.Values))
	for _, v := range body.Values[:nz.ID] {
		if v.Op == ir.OpParam {
			repl[v.ID] = g.Param(v.ParamName(), v.Type, v.Pos)
			continue
		}
		args := make([]*ir.Value, len(v.Args))
		for i, a := range v.Args {
			args[i] = repl[a.ID]
		}
		nv, err := g.New(v.Pos, v.Op, v.Attr, args...)
		if err != nil {
			return nil, err
		}
		repl[v.ID] = nv
	}
	x := repl[nz.Args[0].ID]
	axes := make([]int, x.Type.Rank())
	for i := range axes {
		axes[i] = i
	}
	for _, d := range []ir.DType{ir.Bool, ir.I64} {
		x = g.Must(nz.Pos, ir.OpCast, &ir.DTypeAttr{DType: d}, x)
	}
	g.SetResults(nil, g.Must(nz.Pos, ir.OpSum, &ir.AxesAttr{Axes: axes}, x))
	return g, nil
}
