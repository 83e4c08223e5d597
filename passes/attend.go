package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// attention is the kind of the regions that attend makes.
const attention = "attention"

// fewRows is how many rows of scores are too few to be computed in blocks.
const fewRows = 4

// attend joins three regions to one where the second reduces rows of what the
// first, a product, computes, and the third multiplies these rows with another
// matrix: attention, written out in any way. The matrix of scores then never
// lies in memory.
func attend(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	uses := g.Uses()
	found := false
	out, err := g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		t := &attender{out: out, uses: uses}
		if !t.match(v, args) {
			return nil, nil
		}
		found = true
		return t.join(v, args)
	})
	if err != nil || !found {
		return g, err
	}
	return dce(nil, out)
}

// attender is one attention: the regions first, second and third, old and as
// they are in the new graph.
type attender struct {
	out           *ir.Graph
	uses          []int
	first, second *ir.Value // in the new graph
	third         *ir.FuseAttr
	at            [2]int // the argument of third that is second, of second that is first
}

// region returns the body of v if it is a region of the kind with one result.
func region(v *ir.Value, kind string) *ir.Graph {
	a, ok := v.Attr.(*ir.FuseAttr)
	if !ok || a.Kind != kind || len(a.Body.Results) != 1 {
		return nil
	}
	return a.Body
}

// single looks through views of old, which is used once, as are they, and
// returns the value below it together with its counterpart in the new graph.
func (t *attender) single(old, now *ir.Value) (*ir.Value, *ir.Value) {
	for t.uses[old.ID] == 1 && old.Op == ir.OpReshape && now.Op == ir.OpReshape {
		old, now = old.Args[0], now.Args[0]
	}
	if t.uses[old.ID] != 1 {
		return nil, nil
	}
	return old, now
}

// match finds the three regions from the last of them, v.
func (t *attender) match(v *ir.Value, args []*ir.Value) bool {
	a, ok := v.Attr.(*ir.FuseAttr)
	if !ok || a.Kind != "dot" {
		return false
	}
	hero := heroDot(a.Body)
	left := below(hero.Args[0])
	if left.Op != ir.OpParam || !rowsOf(hero) || !sameLast(left, hero.Args[0]) || !contiguous(hero) {
		return false
	}
	t.third, t.at[0] = a, slices.Index(a.Body.Params, left)
	old, now := t.single(v.Args[t.at[0]], args[t.at[0]])
	if old == nil || a.Body.Uses()[left.ID] != 1 {
		return false
	}
	body := region(old, "reduce")
	if body == nil || !sameLast(body.Results[0], left) {
		return false
	}
	t.second = now
	for _, i := range scoresOf(body) {
		scores := body.Params[i]
		first, now := t.single(old.Args[i], now.Args[i])
		if first == nil || body.Uses()[scores.ID] == 0 {
			continue
		}
		from := region(first, "dot")
		if from != nil && sameLast(from.Results[0], scores) && scored(from) {
			t.first, t.at[1] = now, i
			return true
		}
	}
	return false
}

// below looks through reshapes.
func below(v *ir.Value) *ir.Value {
	for v.Op == ir.OpReshape {
		v = v.Args[0]
	}
	return v
}

// sameLast reports whether the last axes of a and b have the same extent.
func sameLast(a, b *ir.Value) bool {
	s, r := a.Type.Shape, b.Type.Shape
	return len(s) > 0 && len(r) > 0 && s[len(s)-1].Equal(r[len(r)-1])
}

// rowsOf reports whether v contracts the last axis of its left operand, whose
// other axes are those of the result but for the last one.
func rowsOf(v *ir.Value) bool {
	a, x := v.Attr.(*ir.DotAttr), v.Args[0]
	last := x.Type.Rank() - 1
	if !slices.Equal(a.LContract, []int{last}) || v.Type.Rank() != last+1 {
		return false
	}
	for i, axis := range a.LBatch {
		if axis != i {
			return false
		}
	}
	return v.Type.Shape[:last].Equal(x.Type.Shape[:last])
}

// contiguous reports whether columns of the right operand of a product are
// contiguous in memory: its free axis is the last, and moves keep it there.
func contiguous(hero *ir.Value) bool {
	if perm, _ := columnsLast(hero); perm != nil {
		return false
	}
	for v := hero.Args[1]; ; v = v.Args[0] {
		last := v.Type.Rank() - 1
		switch a := v.Attr.(type) {
		case *ir.ParamAttr:
			return true
		case *ir.PermAttr:
			if a.Perm[last] != last {
				return false
			}
		case *ir.SliceAttr:
			if a.Step[last] != 1 {
				return false
			}
		case *ir.ShapeAttr:
			if v.Op != ir.OpReshape || !sameLast(v, v.Args[0]) {
				return false
			}
		default:
			return false
		}
	}
}

// scoresOf lists the parameters of a region of reductions over the last axis
// that have the shape of what is reduced.
func scoresOf(body *ir.Graph) []int {
	var domain ir.Shape
	for _, v := range body.Values {
		if !reduceOps[v.Op] {
			continue
		}
		domain = v.Args[0].Type.Shape
		if !slices.Equal(v.Attr.(*ir.AxesAttr).Axes, []int{len(domain) - 1}) {
			return nil
		}
	}
	var out []int
	for i, p := range body.Params {
		if p.Type.Shape.Equal(domain) {
			out = append(out, i)
		}
	}
	return out
}

// scored reports whether the product in body has rows enough, at the index of
// the result, and no transposes behind it.
func scored(body *ir.Graph) bool {
	for _, v := range body.Values {
		if v.Op != ir.OpDot {
			continue
		}
		last := v.Type.Rank() - 1
		if last < 1 || !v.Type.Shape.Equal(body.Results[0].Type.Shape) {
			return false
		}
		rows, ok := v.Type.Shape[last-1].Int()
		keys, known := v.Type.Shape[last].Int()
		return v.Type.DType.IsFloat() && columnAxes(v) == 1 && (!ok || rows >= fewRows) &&
			(!known || keys >= 16) && !tailed(body.Results[0])
	}
	return false
}

// heroDot is the product of a region that has one.
func heroDot(body *ir.Graph) *ir.Value {
	i := slices.IndexFunc(body.Values, func(v *ir.Value) bool { return v.Op == ir.OpDot })
	return body.Values[i]
}

// columnAxes counts the free axes of the right operand of a product.
func columnAxes(v *ir.Value) int {
	a := v.Attr.(*ir.DotAttr)
	return v.Args[1].Type.Rank() - len(a.RBatch) - len(a.RContract)
}

// tailed reports whether a region's result is a rearrangement.
func tailed(v *ir.Value) bool { return v.Op == ir.OpTranspose || v.Op == ir.OpReshape }

// join makes the region in place of the three.
func (t *attender) join(v *ir.Value, args []*ir.Value) (*ir.Value, error) {
	body := ir.NewGraph(attention)
	var outer []*ir.Value
	params := func(g *ir.Graph, args []*ir.Value, skip int) []*ir.Value {
		in := make([]*ir.Value, len(args))
		for i, p := range g.Params {
			if i != skip {
				in[i] = body.Param(regionParam(len(outer)), p.Type, p.Pos)
				outer = append(outer, args[i])
			}
		}
		return in
	}
	inline := func(g *ir.Graph, in []*ir.Value) (*ir.Value, error) {
		r, err := body.Inline(g, in)
		if err != nil {
			return nil, err
		}
		return r[0], nil
	}
	first, given, err := t.columns(t.first)
	if err != nil {
		return nil, err
	}
	scores, err := inline(first, params(first, given, -1))
	if err != nil {
		return nil, err
	}
	second := t.second.Attr.(*ir.FuseAttr).Body
	in := params(second, t.second.Args, t.at[1])
	in[t.at[1]] = reshape(body, v.Pos, scores, second.Params[t.at[1]].Type.Shape)
	weights, err := inline(second, in)
	if err != nil {
		return nil, err
	}
	in = params(t.third.Body, args, t.at[0])
	in[t.at[0]] = reshape(body, v.Pos, weights, t.third.Body.Params[t.at[0]].Type.Shape)
	results, err := body.Inline(t.third.Body, in)
	if err != nil {
		return nil, err
	}
	body.SetResults(nil, results...)
	if body, err = dce(nil, body); err != nil {
		return nil, err
	}
	return t.out.New(v.Pos, ir.OpFuse, &ir.FuseAttr{Kind: attention, Body: body}, outer...)
}

// columns returns the body of the first product with its arguments such that
// the columns of its right operand are contiguous in memory: where they are
// not, a region of its own puts them there.
func (t *attender) columns(v *ir.Value) (*ir.Graph, []*ir.Value, error) {
	g := v.Attr.(*ir.FuseAttr).Body
	hero := heroDot(g)
	perm, back := columnsLast(hero)
	y := hero.Args[1]
	if y.Op == ir.OpParam && perm == nil {
		return g, v.Args, nil
	}
	moves, args, err := cone(g, y, v.Args)
	if err != nil {
		return nil, nil, err
	}
	if perm != nil {
		r, err := moves.New(y.Pos, ir.OpTranspose, &ir.PermAttr{Perm: perm}, moves.Results[0])
		if err != nil {
			return nil, nil, err
		}
		moves.SetResults(nil, r)
	}
	copied, err := t.out.New(v.Pos, ir.OpFuse, &ir.FuseAttr{Kind: "loop", Body: moves}, args...)
	if err != nil {
		return nil, nil, err
	}
	out, err := g.Rewrite(func(out *ir.Graph, x *ir.Value, in []*ir.Value) (*ir.Value, error) {
		if x != hero {
			return nil, nil
		}
		operand := out.Param("operand", copied.Type, y.Pos)
		if perm != nil {
			operand = out.Must(y.Pos, ir.OpTranspose, &ir.PermAttr{Perm: back}, operand)
		}
		return out.New(x.Pos, x.Op, x.Attr, in[0], operand)
	})
	return out, append(slices.Clone(v.Args), copied), err
}

// columnsLast returns the permutation that puts the free axis of the right
// operand of a product last, and the one that undoes it; nil where it is there.
func columnsLast(hero *ir.Value) (perm, back []int) {
	a := hero.Attr.(*ir.DotAttr)
	free := -1
	for axis := range hero.Args[1].Type.Shape {
		if slices.Contains(a.RBatch, axis) || slices.Contains(a.RContract, axis) {
			perm = append(perm, axis)
		} else {
			free = axis
		}
	}
	if free == len(perm) {
		return nil, nil
	}
	perm = append(perm, free)
	back = make([]int, len(perm))
	for i, p := range perm {
		back[p] = i
	}
	return perm, back
}

// cone returns the part of g that computes y, with the arguments of the
// parameters that it has, args being those of g's.
func cone(g *ir.Graph, y *ir.Value, args []*ir.Value) (*ir.Graph, []*ir.Value, error) {
	part := ir.NewGraph("loop")
	repl := make([]*ir.Value, y.ID+1)
	var given []*ir.Value
	for _, x := range g.Values[:y.ID+1] {
		if !reaches(x, y) {
			continue
		}
		if x.Op == ir.OpParam {
			repl[x.ID] = part.Param(regionParam(len(given)), x.Type, x.Pos)
			given = append(given, args[slices.Index(g.Params, x)])
			continue
		}
		in := make([]*ir.Value, len(x.Args))
		for i, a := range x.Args {
			in[i] = repl[a.ID]
		}
		nx, err := part.New(x.Pos, x.Op, x.Attr, in...)
		if err != nil {
			return nil, nil, err
		}
		repl[x.ID] = nx
	}
	part.SetResults(nil, repl[y.ID])
	return part, given, nil
}

// reaches reports whether y is computed from x, or is x.
func reaches(x, y *ir.Value) bool {
	return x == y || slices.ContainsFunc(y.Args, func(a *ir.Value) bool { return reaches(x, a) })
}
