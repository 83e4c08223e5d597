package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// layout computes convolutions, and what lies between them, with the channel
// axis last: output channels are then the lanes of a vector, and a row of
// input channels is contiguous. Each value is computed in one of two forms,
// as the source has it (first) or permuted (last); transposes stand where a
// value is needed in the form that it does not have, and canon cancels what
// meets. Weights are permuted once, as constants.
func layout(c *Context, g *ir.Graph) (*ir.Graph, error) {
	if c.NoLayout || !slices.ContainsFunc(g.Values, func(v *ir.Value) bool {
		return v.Op == ir.OpConv && !v.Attr.(*ir.ConvAttr).Last
	}) {
		return g, nil
	}
	l := &layouter{out: ir.NewGraph(g.Name), forms: make([]form, len(g.Values))}
	for _, v := range g.Values {
		if err := l.value(v); err != nil {
			return nil, err
		}
	}
	results := make([]*ir.Value, len(g.Results))
	for i, r := range g.Results {
		results[i] = l.first(r)
	}
	l.out.SetResults(g.ResultNames, results...)
	return l.out, nil
}

// form has a value as the source has it and with the channels last; native
// tells that it is computed in the second way.
type form struct {
	first, last *ir.Value
	native      bool
}

type layouter struct {
	out   *ir.Graph
	forms []form // by ID
}

// toLast is the permutation that puts axis 1 last, toFirst its inverse.
func toLast(rank int) []int {
	perm := []int{0}
	for i := 2; i < rank; i++ {
		perm = append(perm, i)
	}
	return append(perm, 1)
}

func toFirst(rank int) []int {
	perm := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		perm = append(perm, i)
	}
	return perm
}

// lastAxis is where axis i of the first form is in the last form.
func lastAxis(i, rank int) int {
	switch {
	case i == 0:
		return 0
	case i == 1:
		return rank - 1
	}
	return i - 1
}

func permuted[T any](s []T, perm []int) []T {
	out := make([]T, len(perm))
	for i, p := range perm {
		out[i] = s[p]
	}
	return out
}

func (l *layouter) transpose(v *ir.Value, perm []int) *ir.Value {
	if isIdentity(perm) {
		return v
	}
	return l.out.Must(v.Pos, ir.OpTranspose, &ir.PermAttr{Perm: perm}, v)
}

func (l *layouter) first(v *ir.Value) *ir.Value {
	f := &l.forms[v.ID]
	if f.first == nil {
		f.first = l.transpose(f.last, toFirst(v.Type.Rank()))
	}
	return f.first
}

// last returns v with the channels last. A constant that is one number and a
// broadcast are made in that form.
func (l *layouter) last(v *ir.Value) *ir.Value {
	f := &l.forms[v.ID]
	if f.last != nil {
		return f.last
	}
	shape := ir.Shape(permuted(v.Type.Shape, toLast(v.Type.Rank())))
	switch {
	case rewrite.SplatOf(v) != nil:
		f.last = rewrite.Splat(l.out, v.Pos, ir.Of(v.Type.DType, shape), rewrite.SplatOf(v).Data)
	case v.Op == ir.OpBroadcast:
		f.last = l.broadcastLast(v, shape)
	default:
		f.last = l.transpose(l.first(v), toLast(v.Type.Rank()))
	}
	return f.last
}

// broadcastLast is a broadcast to the last form of a value in first form.
func (l *layouter) broadcastLast(v *ir.Value, shape ir.Shape) *ir.Value {
	axes := slices.Clone(v.Attr.(*ir.BroadcastAttr).Axes)
	order := make([]int, len(axes))
	for i := range axes {
		order[i] = i
		axes[i] = lastAxis(axes[i], v.Type.Rank())
	}
	slices.SortFunc(order, func(i, j int) int { return axes[i] - axes[j] })
	x := l.transpose(l.first(v.Args[0]), order)
	attr := &ir.BroadcastAttr{Shape: shape, Axes: permuted(axes, order)}
	return l.out.Must(v.Pos, ir.OpBroadcast, attr, x)
}

// native reports whether v is computed with the channels last.
func (l *layouter) native(v *ir.Value) bool { return l.forms[v.ID].native }

func (l *layouter) value(v *ir.Value) error {
	if v.Op == ir.OpParam {
		l.forms[v.ID].first = l.out.Param(v.ParamName(), v.Type, v.Pos)
		return nil
	}
	f := layoutRules[v.Op]
	if v.Op.Is(ir.Elementwise) {
		f = lastElementwise
	}
	if f != nil && v.Type.Rank() > 0 {
		if nv := f(l, v); nv != nil {
			l.forms[v.ID] = form{last: nv, native: true}
			return nil
		}
	}
	if r := lastReduce[v.Op]; r != nil && l.native(v.Args[0]) {
		if nv := r(l, v); nv != nil {
			l.forms[v.ID].first = nv
			return nil
		}
	}
	args := make([]*ir.Value, len(v.Args))
	for i, a := range v.Args {
		args[i] = l.first(a)
	}
	nv, err := l.out.New(v.Pos, v.Op, v.Attr, args...)
	l.forms[v.ID].first = nv
	return err
}
