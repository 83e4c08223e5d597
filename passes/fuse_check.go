package passes

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// checkFused reports the first value of the top level or of a body that
// computes outside of a region, or a region that is not of its kind.
func checkFused(g *ir.Graph) error {
	for _, v := range g.Values {
		if a, ok := v.Attr.(*ir.FuseAttr); ok {
			if err := checkRegion(a); err != nil {
				return fmt.Errorf("%s: %w", v.Line(), err)
			}
			continue
		}
		_, top := topOps[v.Op]
		if !top && v.Op != ir.OpConst && !v.Op.Is(ir.Views) && v.Type.DType != ir.String {
			return fmt.Errorf("%v: %v computes outside of a region", v, v.Op)
		}
		for _, body := range v.Regions() {
			if err := checkFused(body); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkRegion checks what the comment of fuse.go says of the kinds.
func checkRegion(a *ir.FuseAttr) error {
	var heroes, reductions, singles []*ir.Value
	for _, v := range a.Body.Values {
		switch {
		case heroOps[v.Op] != "":
			heroes = append(heroes, v)
		case reduceOps[v.Op]:
			reductions = append(reductions, v)
		case singleOps[v.Op]:
			singles = append(singles, v)
		}
	}
	n := [3]int{len(heroes), len(reductions), len(singles)}
	switch {
	case a.Kind == "loop":
		return wantRegion(n == [3]int{}, "a loop with other than elementwise operations and moves")
	case a.Kind == "reduce":
		return wantRegion(n[0] == 0 && n[1] > 0 && n[2] == 0 && !slices.ContainsFunc(reductions,
			func(v *ir.Value) bool { return !sameReduction(v, reductions[0]) }), "reductions that differ")
	case a.Kind == attention:
		return wantRegion(n[0] == 2 && n[1] > 0 && n[2] == 0, "not reductions between two products")
	case a.Kind == chain:
		return wantRegion(n == [3]int{2, 0, 0} && !slices.ContainsFunc(heroes,
			func(v *ir.Value) bool { return v.Op != ir.OpConv }), "not two convolutions")
	case n[0] > 0:
		return wantRegion(n == [3]int{1, 0, 0} && heroOps[heroes[0].Op] == a.Kind, "not one product")
	}
	return wantRegion(n == [3]int{0, 0, 1} && singles[0].Op.String() == a.Kind &&
		len(a.Body.Results) == 1, "not one operation of that name")
}

func wantRegion(ok bool, fault string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s", fault)
}

func sameReduction(v, w *ir.Value) bool {
	return v.Args[0].Type.Shape.Equal(w.Args[0].Type.Shape) &&
		slices.Equal(v.Attr.(*ir.AxesAttr).Axes, w.Attr.(*ir.AxesAttr).Axes)
}
