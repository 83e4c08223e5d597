package passes

import "github.com/tensorcc/tcc/ir"

// sinkConst puts constants that an if or a scan hands to its bodies into the
// bodies, where the later passes fold them, rewrite them and lay them out as
// operands of products. The data is shared, in the graph and in the weights.
func sinkConst(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		first := 0 // of the arguments that bodies get unchanged
		switch a := v.Attr.(type) {
		case *ir.IfAttr:
			first = 1
		case *ir.LoopAttr:
			first = a.Carry + a.Xs
		default:
			return nil, nil
		}
		keep, consts := args[:first:first], map[int]*ir.ConstAttr{}
		for i, x := range args[first:] {
			if c, ok := x.Attr.(*ir.ConstAttr); ok {
				consts[i] = c
			} else {
				keep = append(keep, x)
			}
		}
		if len(consts) == 0 {
			return nil, nil
		}
		return sinkInto(out, v, keep, consts)
	})
}

// sinkInto appends v with the arguments keep, where consts has the constants
// that its bodies get as invariant arguments of the given numbers.
func sinkInto(out *ir.Graph, v *ir.Value, keep []*ir.Value,
	consts map[int]*ir.ConstAttr) (*ir.Value, error) {
	switch a := v.Attr.(type) {
	case *ir.IfAttr:
		c := *a
		var err error
		if c.Then, err = withConsts(a.Then, 0, consts); err != nil {
			return nil, err
		}
		if c.Else, err = withConsts(a.Else, 0, consts); err != nil {
			return nil, err
		}
		return out.New(v.Pos, v.Op, &c, keep...)
	case *ir.LoopAttr:
		c := *a
		var err error
		if c.Body, err = withConsts(a.Body, a.Carry+a.Xs, consts); err != nil {
			return nil, err
		}
		return out.New(v.Pos, v.Op, &c, keep...)
	}
	panic("BUG: sinkconst: no bodies")
}

// withConsts copies body with constants in place of the parameters first+i,
// which may go on into bodies inside it.
func withConsts(body *ir.Graph, first int, consts map[int]*ir.ConstAttr) (*ir.Graph, error) {
	out := ir.NewGraph(body.Name)
	args := make([]*ir.Value, len(body.Params))
	for i, p := range body.Params {
		if c, ok := consts[i-first]; ok {
			v, err := out.New(p.Pos, ir.OpConst, c)
			if err != nil {
				return nil, err
			}
			args[i] = v
			continue
		}
		args[i] = out.Param(p.ParamName(), p.Type, p.Pos)
	}
	results, err := out.Inline(body, args)
	if err != nil {
		return nil, err
	}
	out.SetResults(body.ResultNames, results...)
	return sinkConst(nil, out)
}
