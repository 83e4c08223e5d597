package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// chain is the kind of the regions that the pass of that name makes.
const chain = "chain"

// Bounds of chains.
const (
	// An element between the two convolutions costs two transfers of memory, about as long
	// as 20 multiply-adds: with more than these there is little to gain, and products by
	// tiles want more rows than a block has.
	chainTerms = 80
	// A convolution with longer sums packs what several lines share.
	shortSum = 32
	// Values of fewer bytes may stay in the cache of a core until they are read.
	staysNear = 1 << 20
)

// chains joins a convolution with a short sum, a depthwise one, and the
// convolution that reads its result pixel by pixel to one region where that
// result is too large to stay in a near cache: it is then computed some lines at
// a time, and never lies in memory.
func chains(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	uses := g.Uses()
	found := false
	out, err := g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		second := region(v, "conv")
		if second == nil {
			return nil, nil
		}
		hero := heroConv(second)
		mid := hero.Args[0]
		at := slices.Index(second.Params, mid)
		if at < 0 || !pointwise(hero) || second.Uses()[mid.ID] != 1 || uses[v.Args[at].ID] != 1 {
			return nil, nil
		}
		first := region(args[at], "conv")
		if first == nil || tailed(first.Results[0]) || !worthChain(heroConv(first), hero) {
			return nil, nil
		}
		found = true
		return joinChain(out, v, args, at)
	})
	if err != nil || !found {
		return g, err
	}
	return dce(nil, out)
}

// heroConv is the convolution of a region that has one.
func heroConv(body *ir.Graph) *ir.Value {
	i := slices.IndexFunc(body.Values, func(v *ir.Value) bool { return v.Op == ir.OpConv })
	return body.Values[i]
}

// window is the extents of the window of a convolution.
func window(v *ir.Value) ir.Shape {
	a, n := v.Attr.(*ir.ConvAttr), v.Type.Rank()-2
	ws := a.Axes(n + 2).WS
	return v.Args[1].Type.Shape[ws : ws+n]
}

// pointwise reports whether v, with lines and with the channels last, reads
// the pixel that it computes, all channels of it.
func pointwise(v *ir.Value) bool {
	a := v.Attr.(*ir.ConvAttr)
	for i, n := range a.Stride {
		if n != 1 || a.InDilation[i] != 1 || !a.Lo[i].IsConst(0) || !a.Hi[i].IsConst(0) {
			return false
		}
	}
	return a.Last && v.Type.Rank() >= 4 && a.Groups == 1 && window(v).Size().IsConst(1)
}

// worthChain reports whether it is worth keeping what first computes in a near
// cache for second, whose terms of sums and columns are few for each element.
func worthChain(first, second *ir.Value) bool {
	a, mid := first.Attr.(*ir.ConvAttr), second.Args[0].Type
	rank := len(mid.Shape)
	terms, ok := window(first).Size().Mul(first.Args[1].Type.Shape[a.Axes(rank).WI]).Int()
	columns, known := second.Type.Shape[rank-1].Int()
	size, fixed := ir.Shape(mid.Shape[1:]).Size().Int() // of one example
	return ok && known && fixed && terms <= shortSum && terms+columns <= chainTerms &&
		size*int64(mid.DType.Size()) > staysNear
}

// joinChain makes the region in place of v and its argument at.
func joinChain(out *ir.Graph, v *ir.Value, args []*ir.Value, at int) (*ir.Value, error) {
	body := ir.NewGraph(chain)
	var outer []*ir.Value
	params := func(g *ir.Graph, args []*ir.Value) []*ir.Value {
		in := make([]*ir.Value, len(args))
		for i, p := range g.Params {
			if at := slices.Index(outer, args[i]); at >= 0 {
				in[i] = body.Params[at]
			} else if args[i] != nil {
				in[i] = body.Param(regionParam(len(outer)), p.Type, p.Pos)
				outer = append(outer, args[i])
			}
		}
		return in
	}
	first := args[at].Attr.(*ir.FuseAttr).Body
	mid, err := body.Inline(first, params(first, args[at].Args))
	if err != nil {
		return nil, err
	}
	second := v.Attr.(*ir.FuseAttr).Body
	rest := slices.Clone(args)
	rest[at] = nil
	in := params(second, rest)
	in[at] = mid[0]
	results, err := body.Inline(second, in)
	if err != nil {
		return nil, err
	}
	body.SetResults(nil, results...)
	return out.New(v.Pos, ir.OpFuse, &ir.FuseAttr{Kind: chain, Body: body}, outer...)
}
