package passes

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// The rules of canon that loop over arguments or axes.

// goRules lists them by the operation that they replace, in the order in
// which they are tried.
var goRules = func() map[ir.Op][]goRule {
	m := map[ir.Op][]goRule{
		ir.OpConcat: {{"concat-flat", rewrite.Exact, concatFlat}},
		ir.OpSlice: {
			{"slice-concat", rewrite.Exact, sliceConcat},
			{"slice-splat", rewrite.Exact, moveSplat},
		},
		ir.OpTranspose: {{"transpose-splat", rewrite.Exact, moveSplat}},
		ir.OpReshape:   {{"reshape-splat", rewrite.Exact, moveSplat}},
		ir.OpBarrier:   {{"barrier-stop", rewrite.Exact, barrierStop}},
		ir.OpGather:    {{"gather-const", rewrite.Exact, gatherConst}},
		ir.OpConv:      {{"conv-pad", rewrite.Exact, convPad}},
		ir.OpWindowSum: {{"windowsum-pad", rewrite.Exact, windowPad}},
		ir.OpWindowMax: {
			{"windowmax-pad", rewrite.Exact, windowPad},
			{"windowmax-axes", rewrite.Exact, windowAxes},
		},
	}
	for _, op := range []ir.Op{ir.OpReduceMax, ir.OpReduceMin, ir.OpProd} {
		m[op] = append(m[op], goRule{"reduce-units", rewrite.Exact, reduceUnits})
	}
	for _, op := range ir.Ops() {
		if op.Is(ir.Elementwise) {
			m[op] = append(m[op], goRule{"sink", rewrite.Exact, sink})
		}
	}
	return m
}()

// barrierStop drops barriers that are for gradients alone.
func barrierStop(_ *ir.Graph, v *ir.Value) *ir.Value {
	if a := v.Attr.(*ir.BarrierAttr); a.ID == 0 {
		return v.Args[0]
	}
	return nil
}

// sink moves reshapes, transposes and broadcasts from all arguments of an
// elementwise operation to its result, where they meet others of their kind;
// constants that are one number fit any shape.
func sink(out *ir.Graph, v *ir.Value) *ir.Value {
	var first *ir.Value
	for _, a := range v.Args {
		if rewrite.SplatOf(a) != nil {
			continue
		}
		if first == nil {
			first = a
		}
		if !sameMove(first, a) {
			return nil
		}
	}
	if first == nil {
		return nil
	}
	src := first.Args[0].Type.Shape
	args := make([]*ir.Value, len(v.Args))
	for i, a := range v.Args {
		if l := rewrite.SplatOf(a); l != nil {
			args[i] = rewrite.Splat(out, v.Pos, ir.Of(l.DType, src), l.Data)
		} else {
			args[i] = a.Args[0]
		}
	}
	return out.Must(v.Pos, first.Op, first.Attr, out.Must(v.Pos, v.Op, v.Attr, args...))
}

// sameMove reports whether a and b are reshapes, transposes or broadcasts of
// one shape in the same way.
func sameMove(a, b *ir.Value) bool {
	if a.Op != b.Op || !slices.Contains([]ir.Op{ir.OpReshape, ir.OpTranspose, ir.OpBroadcast}, a.Op) ||
		!a.Args[0].Type.Shape.Equal(b.Args[0].Type.Shape) || !a.Type.Shape.Equal(b.Type.Shape) {
		return false
	}
	switch x := a.Attr.(type) {
	case *ir.PermAttr:
		return slices.Equal(x.Perm, b.Attr.(*ir.PermAttr).Perm)
	case *ir.BroadcastAttr:
		return slices.Equal(x.Axes, b.Attr.(*ir.BroadcastAttr).Axes)
	}
	return true
}

// moveSplat: a move of what is the same everywhere has it everywhere.
func moveSplat(out *ir.Graph, v *ir.Value) *ir.Value {
	l := rewrite.SplatOf(v.Args[0])
	if l == nil || v.Args[0].Op == ir.OpConst {
		return nil
	}
	return rewrite.Splat(out, v.Pos, v.Type, l.Data)
}

// concatFlat joins a concat with those among its arguments along the same
// axis, and drops arguments without elements.
func concatFlat(out *ir.Graph, v *ir.Value) *ir.Value {
	axis := v.Attr.(*ir.AxisAttr).Axis
	var args []*ir.Value
	for _, a := range v.Args {
		switch {
		case a.Op == ir.OpConcat && a.Attr.(*ir.AxisAttr).Axis == axis:
			args = append(args, a.Args...)
		case !a.Type.Shape[axis].IsConst(0):
			args = append(args, a)
		}
	}
	if len(args) == 0 || slices.Equal(args, v.Args) {
		return nil
	}
	return out.Must(v.Pos, v.Op, v.Attr, args...)
}

// sliceConcat takes a slice that lies inside one argument of a concat from
// that argument.
func sliceConcat(out *ir.Graph, v *ir.Value) *ir.Value {
	c, s := v.Args[0], v.Attr.(*ir.SliceAttr)
	if c.Op != ir.OpConcat {
		return nil
	}
	axis := c.Attr.(*ir.AxisAttr).Axis
	lo := s.Start[axis]
	hi := lo.Add(s.Shape[axis].AddConst(-1).MulConst(s.Step[axis]))
	if s.Step[axis] < 0 {
		lo, hi = hi, lo
	}
	at := ir.Const(0)
	for _, a := range c.Args {
		end := at.Add(a.Type.Shape[axis])
		below, ok1 := lo.Sub(at).Int()
		above, ok2 := end.Sub(hi).Int()
		if ok1 && ok2 && below >= 0 && above > 0 {
			n := *s
			n.Start = s.Start.Clone()
			n.Start[axis] = s.Start[axis].Sub(at)
			return out.Must(v.Pos, ir.OpSlice, &n, a)
		}
		at = end
	}
	return nil
}

// gatherConst makes a slice of a gather at one constant index.
func gatherConst(out *ir.Graph, v *ir.Value) *ir.Value {
	x, axis := v.Args[0], v.Attr.(*ir.AxisAttr).Axis
	at, ok := rewrite.SplatValue(v.Args[1])
	n, known := x.Type.Shape[axis].Int()
	if !ok || !v.Args[1].Type.Shape.Size().IsConst(1) || at < 0 || !known || int64(at) >= n {
		return nil
	}
	s := &ir.SliceAttr{Shape: x.Type.Shape.Clone()}
	for i := range x.Type.Shape {
		s.Start, s.Step = append(s.Start, ir.Const(0)), append(s.Step, 1)
		if i == axis {
			s.Start[i], s.Shape[i] = ir.Const(int64(at)), ir.Const(1)
		}
	}
	return reshape(out, v.Pos, out.Must(v.Pos, ir.OpSlice, s, x), v.Type.Shape)
}

// convPad pads in the convolution: its own padding is zeros as well.
func convPad(out *ir.Graph, v *ir.Value) *ir.Value {
	p, a := v.Args[0], v.Attr.(*ir.ConvAttr)
	if p.Op != ir.OpPad {
		return nil
	}
	pad, axes := p.Attr.(*ir.PadAttr), a.Axes(v.Type.Rank())
	fill, ok := rewrite.SplatValue(p.Args[1])
	if !ok || fill != 0 || math.Signbit(fill) {
		return nil
	}
	n := *a
	n.Lo, n.Hi = a.Lo.Clone(), a.Hi.Clone()
	for i := range pad.Lo {
		sp := i - axes.InS
		switch {
		case sp < 0 || sp >= len(a.Stride):
			if !pad.Lo[i].IsConst(0) || !pad.Hi[i].IsConst(0) {
				return nil
			}
		case a.InDilation[sp] != 1,
			!absorbsPad(a.Lo[sp], pad.Lo[i]), !absorbsPad(a.Hi[sp], pad.Hi[i]):
			return nil
		default:
			n.Lo[sp], n.Hi[sp] = a.Lo[sp].Add(pad.Lo[i]), a.Hi[sp].Add(pad.Hi[i])
		}
	}
	return out.Must(v.Pos, v.Op, &n, p.Args[0], v.Args[1])
}

// absorbsPad reports whether a window's padding can take in one that comes
// before: not where it adds what the other crops.
func absorbsPad(own, before ir.Dim) bool {
	k, ok := own.Int()
	n, known := before.Int()
	return before.IsConst(0) || own.IsConst(0) || ok && known && k >= 0 && n >= 0
}

// windowPad is convPad for windows, whose padding is the identity of the
// reduction.
func windowPad(out *ir.Graph, v *ir.Value) *ir.Value {
	p, a := v.Args[0], v.Attr.(*ir.WindowAttr)
	if p.Op != ir.OpPad || !v.Type.DType.IsFloat() {
		return nil
	}
	pad := p.Attr.(*ir.PadAttr)
	identity := 0.0
	if v.Op == ir.OpWindowMax {
		identity = math.Inf(-1)
	}
	fill, ok := rewrite.SplatValue(p.Args[1])
	if !ok || fill != identity || identity == 0 && math.Signbit(fill) {
		return nil
	}
	n := *a
	n.Lo, n.Hi = a.Lo.Clone(), a.Hi.Clone()
	for i := range pad.Lo {
		if !absorbsPad(a.Lo[i], pad.Lo[i]) || !absorbsPad(a.Hi[i], pad.Hi[i]) {
			return nil
		}
		n.Lo[i], n.Hi[i] = a.Lo[i].Add(pad.Lo[i]), a.Hi[i].Add(pad.Hi[i])
	}
	return out.Must(v.Pos, v.Op, &n, p.Args[0])
}

// reduceUnits: the largest of one element is that element. A sum is not
// replaced, as 0 + -0 is 0.
func reduceUnits(out *ir.Graph, v *ir.Value) *ir.Value {
	for _, axis := range v.Attr.(*ir.AxesAttr).Axes {
		if !v.Args[0].Type.Shape[axis].IsConst(1) {
			return nil
		}
	}
	return reshape(out, v.Pos, v.Args[0], v.Type.Shape)
}
