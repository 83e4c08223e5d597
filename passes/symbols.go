package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// symbolDefs returns, for each symbol that a value of g defines while it
// runs, that value.
func symbolDefs(g *ir.Graph) map[string]*ir.Value {
	defs := map[string]*ir.Value{}
	for _, v := range g.Values {
		for _, s := range v.Binds() {
			if defs[s] == nil {
				defs[s] = v
			}
		}
	}
	return defs
}

// valueSyms lists the symbols that v needs: those of its type, of its
// attribute, and of its bodies that these do not define themselves.
func valueSyms(v *ir.Value) []string {
	set := map[string]bool{}
	addTypeSyms(v.Type, set)
	addAttrSyms(v.Attr, set)
	for _, body := range v.Regions() {
		addGraphSyms(body, set)
	}
	if a, ok := v.Attr.(*ir.IfAttr); ok {
		addJoinSyms(a.Then, a.ThenDims, set)
		addJoinSyms(a.Else, a.ElseDims, set)
	}
	for _, s := range v.Binds() {
		delete(set, s)
	}
	return sortedKeys(set)
}

func addTypeSyms(t ir.Type, set map[string]bool) {
	addShapeSyms(t.Shape, set)
	for _, e := range t.Elems {
		addTypeSyms(e, set)
	}
}

func addShapeSyms(s ir.Shape, set map[string]bool) {
	for _, d := range s {
		d.Syms(set)
	}
}

func addAttrSyms(a ir.Attr, set map[string]bool) {
	switch a := a.(type) {
	case *ir.DimsAttr:
		addShapeSyms(a.Dims, set)
	case *ir.CheckAttr:
		a.X.Syms(set)
		a.Y.Syms(set)
	case *ir.ShapeAttr:
		addShapeSyms(a.Shape, set)
	case *ir.BroadcastAttr:
		addShapeSyms(a.Shape, set)
	case *ir.SliceAttr:
		addShapeSyms(a.Start, set)
		addShapeSyms(a.Shape, set)
	case *ir.PadAttr:
		addShapeSyms(a.Lo, set)
		addShapeSyms(a.Hi, set)
	case *ir.ConvAttr:
		addShapeSyms(a.Lo, set)
		addShapeSyms(a.Hi, set)
	case *ir.WindowAttr:
		addShapeSyms(a.Lo, set)
		addShapeSyms(a.Hi, set)
	case *ir.LoopAttr:
		a.Length.Syms(set)
	}
}

// addGraphSyms adds the symbols that g needs from outside.
func addGraphSyms(g *ir.Graph, set map[string]bool) {
	inner := map[string]bool{}
	var defined []string
	for _, v := range g.Values {
		for _, s := range valueSyms(v) {
			inner[s] = true
		}
		defined = append(defined, v.Binds()...)
	}
	for s := range inner {
		if !slices.Contains(defined, s) {
			set[s] = true
		}
	}
}

// addJoinSyms adds the symbols of dims that the branch does not define.
func addJoinSyms(branch *ir.Graph, dims ir.Shape, set map[string]bool) {
	defs := symbolDefs(branch)
	for _, d := range dims {
		for _, s := range d.SymNames() {
			if defs[s] == nil {
				set[s] = true
			}
		}
	}
}

func sortedKeys(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
