package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// functionalize: writes through views. A front end that has in-place writes
// records the write to a view as an updateslice of what the view is of, step
// by step back to the base (see package frontend/tensor); a write to a view of
// a view is then an updateslice of a slice put back by another updateslice,
// and each read of a view is a slice of the base as it is by then. This pass
// joins the steps of a write to one, and lets reads see through writes: a read
// of what was written is what was written, a read of something else does not
// depend on the write, and a write that a later one covers is not done.

// functionalize applies the rules to each value, arguments first.
func functionalize(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		f := &functionalizer{g: out, pos: v.Pos}
		nv := f.build(v.Op, v.Attr, args)
		return nv, f.err
	})
}

// functionalizer builds values, applying the rules as it does.
type functionalizer struct {
	g   *ir.Graph
	pos ir.Pos
	err error
}

// build is Graph.New with the rules applied to what it would make.
func (f *functionalizer) build(op ir.Op, attr ir.Attr, args []*ir.Value) *ir.Value {
	if f.err != nil {
		return nil
	}
	switch op {
	case ir.OpSlice:
		if v := f.read(attr.(*ir.SliceAttr), args[0]); v != nil {
			return v
		}
	case ir.OpUpdateSlice:
		if v := f.write(attr.(*ir.SliceAttr), args[0], args[1]); v != nil {
			return v
		}
	case ir.OpReshape:
		if v := f.reshapeWrite(attr.(*ir.ShapeAttr), args[0]); v != nil {
			return v
		}
	case ir.OpTranspose:
		if v := f.transposeWrite(attr.(*ir.PermAttr), args[0]); v != nil {
			return v
		}
	}
	return f.add(op, attr, args...)
}

func (f *functionalizer) add(op ir.Op, attr ir.Attr, args ...*ir.Value) *ir.Value {
	v, err := f.g.New(f.pos, op, attr, args...)
	if f.err == nil {
		f.err = err
	}
	return v
}

// read is the slice a of x, where x was written to.
func (f *functionalizer) read(a *ir.SliceAttr, x *ir.Value) *ir.Value {
	switch x.Op {
	case ir.OpTranspose:
		if x.Args[0].Op != ir.OpUpdateSlice {
			return nil
		}
		perm := x.Attr.(*ir.PermAttr).Perm
		inner := f.build(ir.OpSlice, permutedSlice(a, invert(perm)), x.Args[:1])
		return f.build(ir.OpTranspose, x.Attr, []*ir.Value{inner})
	case ir.OpSlice:
		b := x.Attr.(*ir.SliceAttr)
		return f.build(ir.OpSlice, compose(b, a), x.Args)
	case ir.OpUpdateSlice:
		b := x.Attr.(*ir.SliceAttr)
		base, part := x.Args[0], x.Args[1]
		if sameSlice(a, b) {
			return part
		}
		if disjoint(a, b) {
			return f.build(ir.OpSlice, a, []*ir.Value{base})
		}
		if rel := within(a, b); rel != nil {
			return f.build(ir.OpSlice, rel, []*ir.Value{part})
		}
	}
	return nil
}

// write is x with y in place of the slice a.
func (f *functionalizer) write(a *ir.SliceAttr, x, y *ir.Value) *ir.Value {
	switch {
	case y.Op == ir.OpSlice && y.Args[0] == x && sameSlice(y.Attr.(*ir.SliceAttr), a):
		return x // what was read is put back
	case isWhole(a, x.Type.Shape):
		return y
	case y.Op == ir.OpUpdateSlice && f.isPart(y.Args[0], x, a):
		inner := y.Attr.(*ir.SliceAttr)
		return f.build(ir.OpUpdateSlice, compose(a, inner), []*ir.Value{x, y.Args[1]})
	case x.Op == ir.OpUpdateSlice:
		if b := x.Attr.(*ir.SliceAttr); sameSlice(a, b) || within(b, a) != nil {
			return f.build(ir.OpUpdateSlice, a, []*ir.Value{x.Args[0], y})
		}
	}
	return nil
}

// isPart reports whether part is the slice a of x: as an operation, or as what
// reading it gives.
func (f *functionalizer) isPart(part, x *ir.Value, a *ir.SliceAttr) bool {
	return f.build(ir.OpSlice, a, []*ir.Value{x}) == part
}

// reshapeWrite moves a write before a reshape that undoes the one of what was
// written to, if it only adds or drops axes of extent 1.
func (f *functionalizer) reshapeWrite(to *ir.ShapeAttr, x *ir.Value) *ir.Value {
	if x.Op == ir.OpReshape {
		if x.Args[0].Type.Shape.Equal(to.Shape) {
			return x.Args[0]
		}
		return nil
	}
	if x.Op != ir.OpUpdateSlice || x.Args[0].Op != ir.OpReshape ||
		!x.Args[0].Args[0].Type.Shape.Equal(to.Shape) {
		return nil
	}
	a := x.Attr.(*ir.SliceAttr)
	moved, ok := unitAxes(a, x.Type.Shape, to.Shape)
	if !ok {
		return nil
	}
	part := f.build(ir.OpReshape, &ir.ShapeAttr{Shape: moved.Shape}, []*ir.Value{x.Args[1]})
	if f.err != nil {
		return nil
	}
	return f.build(ir.OpUpdateSlice, moved, []*ir.Value{x.Args[0].Args[0], part})
}

// unitAxes is the slice a of shape from, seen in shape to, which differs in
// axes of extent 1 alone.
func unitAxes(a *ir.SliceAttr, from, to ir.Shape) (*ir.SliceAttr, bool) {
	out := &ir.SliceAttr{Start: make(ir.Shape, len(to)), Step: make([]int64, len(to)),
		Shape: make(ir.Shape, len(to))}
	i := 0
	for j, d := range to {
		for i < len(from) && from[i].IsConst(1) && !d.IsConst(1) {
			if !a.Shape[i].IsConst(1) {
				return nil, false
			}
			i++
		}
		switch {
		case i < len(from) && from[i].Equal(d):
			out.Start[j], out.Step[j], out.Shape[j] = a.Start[i], a.Step[i], a.Shape[i]
			i++
		case d.IsConst(1):
			out.Step[j], out.Shape[j] = 1, ir.Const(1)
		default:
			return nil, false
		}
	}
	for ; i < len(from); i++ {
		if !from[i].IsConst(1) || !a.Shape[i].IsConst(1) {
			return nil, false
		}
	}
	return out, true
}

// transposeWrite moves a write before a transpose that undoes the one of what
// was written to.
func (f *functionalizer) transposeWrite(to *ir.PermAttr, x *ir.Value) *ir.Value {
	undoes := func(first *ir.Value) bool {
		return slices.Equal(invert(to.Perm), first.Attr.(*ir.PermAttr).Perm)
	}
	switch {
	case x.Op == ir.OpTranspose && undoes(x):
		return x.Args[0]
	case x.Op != ir.OpUpdateSlice || x.Args[0].Op != ir.OpTranspose || !undoes(x.Args[0]):
		return nil
	}
	moved := permutedSlice(x.Attr.(*ir.SliceAttr), to.Perm)
	part := f.build(ir.OpTranspose, to, []*ir.Value{x.Args[1]})
	if f.err != nil {
		return nil
	}
	return f.build(ir.OpUpdateSlice, moved, []*ir.Value{x.Args[0].Args[0], part})
}

// permutedSlice is a slice with its axes permuted as by a transpose.
func permutedSlice(a *ir.SliceAttr, perm []int) *ir.SliceAttr {
	out := &ir.SliceAttr{}
	for _, p := range perm {
		out.Start = append(out.Start, a.Start[p])
		out.Step = append(out.Step, a.Step[p])
		out.Shape = append(out.Shape, a.Shape[p])
	}
	return out
}

func invert(perm []int) []int {
	inv := make([]int, len(perm))
	for i, p := range perm {
		inv[p] = i
	}
	return inv
}

// compose is the slice inner of the slice outer.
func compose(outer, inner *ir.SliceAttr) *ir.SliceAttr {
	a := &ir.SliceAttr{Shape: inner.Shape}
	for i, s := range inner.Start {
		a.Start = append(a.Start, outer.Start[i].Add(s.MulConst(outer.Step[i])))
		a.Step = append(a.Step, step(outer, i)*step(inner, i))
	}
	return a
}

// step is the step along axis i, 1 where it does not matter.
func step(a *ir.SliceAttr, i int) int64 {
	if a.Shape[i].IsConst(1) {
		return 1
	}
	return a.Step[i]
}

func sameSlice(a, b *ir.SliceAttr) bool {
	if !a.Start.Equal(b.Start) || !a.Shape.Equal(b.Shape) {
		return false
	}
	for i := range a.Step {
		if step(a, i) != step(b, i) {
			return false
		}
	}
	return true
}

func isWhole(a *ir.SliceAttr, s ir.Shape) bool {
	return a.Shape.Equal(s) && !slices.ContainsFunc(a.Start,
		func(d ir.Dim) bool { return !d.IsConst(0) }) &&
		!slices.ContainsFunc(a.Step, func(s int64) bool { return s != 1 })
}

// disjoint reports whether slices of one value are known to share no element.
func disjoint(a, b *ir.SliceAttr) bool {
	for i := range a.Start {
		loA, hiA := ends(a, i)
		loB, hiB := ends(b, i)
		if before(hiA, loB) || before(hiB, loA) {
			return true
		}
		g := gcd(abs(a.Step[i]), abs(b.Step[i]))
		if a.Shape[i].IsConst(1) {
			g = abs(b.Step[i])
		}
		if b.Shape[i].IsConst(1) {
			g = abs(a.Step[i])
		}
		if d, ok := loA.Sub(loB).Int(); ok && g > 1 && d%g != 0 {
			return true
		}
	}
	return false
}

// ends returns the lowest and the highest coordinate along axis i.
func ends(a *ir.SliceAttr, i int) (lo, hi ir.Dim) {
	last := a.Start[i].Add(a.Shape[i].AddConst(-1).MulConst(a.Step[i]))
	if a.Step[i] < 0 {
		return last, a.Start[i]
	}
	return a.Start[i], last
}

// before reports whether x < y is known.
func before(x, y ir.Dim) bool {
	d, ok := y.Sub(x).Int()
	return ok && d > 0
}

func abs(x int64) int64 { return max(x, -x) }

func gcd(x, y int64) int64 {
	for y != 0 {
		x, y = y, x%y
	}
	return x
}

// within returns the slice that a is of the slice b of the same value; nil if
// it is not known to lie in it.
func within(a, b *ir.SliceAttr) *ir.SliceAttr {
	rel := &ir.SliceAttr{Shape: a.Shape}
	for i := range a.Start {
		diff, ok := a.Start[i].Sub(b.Start[i]).Int()
		sa, sb := step(a, i), step(b, i)
		if a.Shape[i].IsConst(1) {
			sa = sb
		}
		if !ok || diff%sb != 0 || sa%sb != 0 {
			return nil
		}
		first, stride := ir.Const(diff/sb), sa/sb
		lo, hi := first, a.Shape[i].AddConst(-1).MulConst(stride).Add(first)
		if stride < 0 {
			lo, hi = hi, lo
		}
		if at, known := lo.Int(); !known || at < 0 || !before(hi, b.Shape[i]) {
			return nil
		}
		rel.Start, rel.Step = append(rel.Start, first), append(rel.Step, stride)
	}
	return rel
}
