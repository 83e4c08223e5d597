package passes

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// substAttr replaces symbols in an attribute and in the bodies that it has. A
// body that is wrong with what takes their place is an error.
func substAttr(a ir.Attr, subst map[string]ir.Dim) (ir.Attr, error) {
	if len(subst) == 0 || a == nil {
		return a, nil
	}
	set := map[string]bool{}
	addAttrSyms(a, set)
	switch a := a.(type) {
	case *ir.IfAttr:
		addGraphSyms(a.Then, set)
		addGraphSyms(a.Else, set)
		addShapeSyms(a.ThenDims, set)
		addShapeSyms(a.ElseDims, set)
	case *ir.LoopAttr:
		addGraphSyms(a.Body, set)
	case *ir.FuseAttr:
		addGraphSyms(a.Body, set)
	case *ir.IotaAttr:
		addShapeSyms(a.Shape, set)
	case *ir.RandomAttr:
		addShapeSyms(a.Shape, set)
	}
	for s := range subst {
		if set[s] {
			return replaceSyms(a, subst)
		}
	}
	return a, nil
}

func substDim(d ir.Dim, subst map[string]ir.Dim) ir.Dim {
	return d.Subst(func(name string) (ir.Dim, bool) {
		e, ok := subst[name]
		return e, ok
	})
}

func substShape(s ir.Shape, subst map[string]ir.Dim) ir.Shape {
	out := make(ir.Shape, len(s))
	for i, d := range s {
		out[i] = substDim(d, subst)
	}
	return out
}

func substType(t ir.Type, subst map[string]ir.Dim) ir.Type {
	return ir.Of(t.DType, substShape(t.Shape, subst))
}

// replaceSyms copies a with the symbols replaced.
func replaceSyms(a ir.Attr, subst map[string]ir.Dim) (ir.Attr, error) {
	bodies := func(gs ...**ir.Graph) (err error) {
		for _, g := range gs {
			if *g, err = substGraph(*g, subst); err != nil {
				return err
			}
		}
		return nil
	}
	switch a := a.(type) {
	case *ir.IfAttr:
		n := *a
		n.ThenDims, n.ElseDims = substShape(a.ThenDims, subst), substShape(a.ElseDims, subst)
		return &n, bodies(&n.Then, &n.Else)
	case *ir.LoopAttr:
		n := *a
		n.Length = substDim(a.Length, subst)
		return &n, bodies(&n.Body)
	case *ir.FuseAttr:
		n := *a
		return &n, bodies(&n.Body)
	}
	return replaceShapes(a, subst), nil
}

// replaceShapes is replaceSyms for attributes without bodies; the kinds without
// symbols are returned as they are.
func replaceShapes(a ir.Attr, subst map[string]ir.Dim) ir.Attr {
	shape := func(s ir.Shape) ir.Shape { return substShape(s, subst) }
	switch a := a.(type) {
	case *ir.DimsAttr:
		return &ir.DimsAttr{Dims: shape(a.Dims)}
	case *ir.CheckAttr:
		return &ir.CheckAttr{X: substDim(a.X, subst), Y: substDim(a.Y, subst), Rel: a.Rel, Msg: a.Msg}
	case *ir.ShapeAttr:
		return &ir.ShapeAttr{Shape: shape(a.Shape)}
	case *ir.BroadcastAttr:
		return &ir.BroadcastAttr{Shape: shape(a.Shape), Axes: a.Axes}
	case *ir.SliceAttr:
		return &ir.SliceAttr{Start: shape(a.Start), Step: a.Step, Shape: shape(a.Shape)}
	case *ir.PadAttr:
		return &ir.PadAttr{Lo: shape(a.Lo), Hi: shape(a.Hi)}
	case *ir.IotaAttr:
		return &ir.IotaAttr{DType: a.DType, Shape: shape(a.Shape), Axis: a.Axis}
	case *ir.RandomAttr:
		return &ir.RandomAttr{Shape: shape(a.Shape)}
	case *ir.ConvAttr:
		n := *a
		n.Lo, n.Hi = shape(a.Lo), shape(a.Hi)
		return &n
	case *ir.WindowAttr:
		n := *a
		n.Lo, n.Hi = shape(a.Lo), shape(a.Hi)
		return &n
	}
	return a
}

// substGraph copies g with the symbols replaced, in the types of its parameters
// too.
func substGraph(g *ir.Graph, subst map[string]ir.Dim) (*ir.Graph, error) {
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
		attr, err := substAttr(v.Attr, subst)
		if err != nil {
			return nil, err
		}
		if repl[v.ID], err = out.New(v.Pos, v.Op, attr, args...); err != nil {
			return nil, fmt.Errorf("%v: %w", v.Pos, err)
		}
	}
	results := make([]*ir.Value, len(g.Results))
	for i, r := range g.Results {
		results[i] = repl[r.ID]
	}
	out.SetResults(g.ResultNames, results...)
	return out, nil
}
