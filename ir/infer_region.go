package ir

import "slices"

// The type rules of operations with bodies.

// resultType is the type of a value whose results have the types ts.
func resultType(ts []Type) Type {
	if len(ts) == 1 {
		return ts[0]
	}
	return TupleOf(ts...)
}

func resultTypes(g *Graph) []Type {
	ts := make([]Type, len(g.Results))
	for i, r := range g.Results {
		ts[i] = r.Type
	}
	return ts
}

// paramsFit checks that the parameters of g have the types ts.
func paramsFit(c int, g *Graph, ts []Type) error {
	if err := cond(c, len(g.Params) == len(ts), "%s has %d parameters for %d arguments",
		g.Name, len(g.Params), len(ts)); err != nil {
		return err
	}
	for i, p := range g.Params {
		if err := cond(c, p.Type.Equal(ts[i]), "parameter %d of %s is %v, the argument %v",
			i, g.Name, p.Type, ts[i]); err != nil {
			return err
		}
	}
	return nil
}

func argTypes(args []*Value) []Type {
	ts := make([]Type, len(args))
	for i, a := range args {
		ts[i] = a.Type
	}
	return ts
}

func inferFuse(in *inference) (Type, error) {
	body := in.attr.(*FuseAttr).Body
	return resultType(resultTypes(body)), paramsFit(1, body, argTypes(in.args))
}

func inferIf(in *inference) (Type, error) {
	a := in.attr.(*IfAttr)
	if err := first(cond(1, len(in.args) > 0 && in.arg(0).Equal(T(Bool)), "condition is not bool[]"),
		cond(3, len(a.Then.Results) == len(a.Else.Results), "%d results, else has %d",
			len(a.Then.Results), len(a.Else.Results)),
		cond(3, len(a.Syms) == len(a.ThenDims) && len(a.Syms) == len(a.ElseDims) &&
			!slices.ContainsFunc(a.Syms, func(s string) bool { return !IsSymName(s) }),
			"symbols %v without values or with bad names", a.Syms)); err != nil {
		return Type{}, err
	}
	ts := argTypes(in.args[1:])
	if err := first(paramsFit(2, a.Then, ts), paramsFit(2, a.Else, ts)); err != nil {
		return Type{}, err
	}
	out := make([]Type, len(a.Then.Results))
	for i := range out {
		t, err := a.join(a.Then.Results[i].Type, a.Else.Results[i].Type)
		if err != nil {
			return Type{}, err
		}
		out[i] = t
	}
	return resultType(out), nil
}

// join returns the type of a result that is t in one branch and u in the
// other: where extents differ, it is the symbol whose values these are.
func (a *IfAttr) join(t, u Type) (Type, error) {
	if err := cond(3, t.DType == u.DType && t.Rank() == u.Rank(), "result %v, else %v", t,
		u); err != nil {
		return Type{}, err
	}
	out := t.Shape.Clone()
	for i := range out {
		if k := slices.IndexFunc(a.Syms, func(s string) bool {
			j := slices.Index(a.Syms, s)
			return a.ThenDims[j].Equal(t.Shape[i]) && a.ElseDims[j].Equal(u.Shape[i])
		}); k >= 0 {
			out[i] = Sym(a.Syms[k])
		} else if err := cond(3, t.Shape[i].Equal(u.Shape[i]), "result %v, else %v", t, u); err != nil {
			return Type{}, err
		}
	}
	return Of(t.DType, out), nil
}

func inferScan(in *inference) (Type, error) {
	a := in.attr.(*LoopAttr)
	if err := cond(1, a.Carry >= 0 && a.Xs >= 0 && a.Carry+a.Xs <= len(in.args) &&
		len(a.Body.Results) >= a.Carry, "%d carries and %d slices of %d arguments", a.Carry, a.Xs,
		len(in.args)); err != nil {
		return Type{}, err
	}
	ts := argTypes(in.args)
	for i := a.Carry; i < a.Carry+a.Xs; i++ {
		if err := cond(1, ts[i].Rank() > 0 && ts[i].Shape[0].Equal(a.Length),
			"argument %d is %v, want %v steps",
			i, ts[i], a.Length); err != nil {
			return Type{}, err
		}
		ts[i] = Of(ts[i].DType, ts[i].Shape[1:])
	}
	if err := paramsFit(1, a.Body, ts); err != nil {
		return Type{}, err
	}
	out := resultTypes(a.Body)
	for i := range out {
		if i >= a.Carry {
			out[i] = Of(out[i].DType, slices.Concat(Shape{a.Length}, out[i].Shape))
		} else if err := cond(2, out[i].Equal(ts[i]),
			"carry %d becomes %v, was %v", i, out[i], ts[i]); err != nil {
			return Type{}, err
		}
	}
	return resultType(out), nil
}
