package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// layoutRules has how an operation is computed with the channels last; a rule
// returns nil where it stays as it is.
var layoutRules = map[ir.Op]func(l *layouter, v *ir.Value) *ir.Value{
	ir.OpConv:      lastConv,
	ir.OpWindowSum: lastWindow,
	ir.OpWindowMax: lastWindow,
	ir.OpPad:       lastPad,
	ir.OpSlice:     lastSlice,
	ir.OpConcat:    lastConcat,
	ir.OpGather:    lastGather,
	ir.OpReshape:   lastReshape,
	ir.OpBroadcast: lastBroadcast,
}

// lastReduce has the reductions of a value with the channels last whose result
// is in first form all the same.
var lastReduce = map[ir.Op]func(l *layouter, v *ir.Value) *ir.Value{
	ir.OpSum: reduceAxes, ir.OpProd: reduceAxes,
	ir.OpReduceMax: reduceAxes, ir.OpReduceMin: reduceAxes,
	ir.OpArgMax: reduceAxis, ir.OpArgMin: reduceAxis,
}

func lastConv(l *layouter, v *ir.Value) *ir.Value {
	a := *v.Attr.(*ir.ConvAttr)
	if a.Last {
		return nil
	}
	a.Last = true
	rank := v.Type.Rank()
	perm := make([]int, 0, rank)
	for i := 2; i < rank; i++ {
		perm = append(perm, i)
	}
	w := l.transpose(l.first(v.Args[1]), append(perm, 1, 0))
	return l.out.Must(v.Pos, v.Op, &a, l.last(v.Args[0]), w)
}

// lastElementwise follows an argument of the full shape that has the channels
// last.
func lastElementwise(l *layouter, v *ir.Value) *ir.Value {
	if !slices.ContainsFunc(v.Args, l.native) {
		return nil
	}
	args := make([]*ir.Value, len(v.Args))
	for i, a := range v.Args {
		args[i] = l.last(a)
	}
	return l.out.Must(v.Pos, v.Op, v.Attr, args...)
}

func lastWindow(l *layouter, v *ir.Value) *ir.Value {
	if !l.native(v.Args[0]) {
		return nil
	}
	a, p := v.Attr.(*ir.WindowAttr), toLast(v.Type.Rank())
	n := &ir.WindowAttr{Size: permuted(a.Size, p), Stride: permuted(a.Stride, p),
		Dilation: permuted(a.Dilation, p), Lo: permuted(a.Lo, p), Hi: permuted(a.Hi, p)}
	return l.out.Must(v.Pos, v.Op, n, l.last(v.Args[0]))
}

func lastPad(l *layouter, v *ir.Value) *ir.Value {
	if !l.native(v.Args[0]) {
		return nil
	}
	a, p := v.Attr.(*ir.PadAttr), toLast(v.Type.Rank())
	n := &ir.PadAttr{Lo: permuted(a.Lo, p), Hi: permuted(a.Hi, p)}
	return l.out.Must(v.Pos, v.Op, n, l.last(v.Args[0]), l.first(v.Args[1]))
}

func lastSlice(l *layouter, v *ir.Value) *ir.Value {
	if !l.native(v.Args[0]) {
		return nil
	}
	a, p := v.Attr.(*ir.SliceAttr), toLast(v.Type.Rank())
	n := &ir.SliceAttr{Start: permuted(a.Start, p), Step: permuted(a.Step, p),
		Shape: permuted(a.Shape, p)}
	return l.out.Must(v.Pos, v.Op, n, l.last(v.Args[0]))
}

func lastConcat(l *layouter, v *ir.Value) *ir.Value {
	if !slices.ContainsFunc(v.Args, l.native) {
		return nil
	}
	args := make([]*ir.Value, len(v.Args))
	for i, a := range v.Args {
		args[i] = l.last(a)
	}
	axis := lastAxis(v.Attr.(*ir.AxisAttr).Axis, v.Type.Rank())
	return l.out.Must(v.Pos, v.Op, &ir.AxisAttr{Axis: axis}, args...)
}

// lastGather: an index vector keeps the rank, as in resizing by nearest
// neighbours.
func lastGather(l *layouter, v *ir.Value) *ir.Value {
	if !l.native(v.Args[0]) || v.Args[1].Type.Rank() != 1 {
		return nil
	}
	axis := lastAxis(v.Attr.(*ir.AxisAttr).Axis, v.Type.Rank())
	return l.out.Must(v.Pos, v.Op, &ir.AxisAttr{Axis: axis}, l.last(v.Args[0]), l.first(v.Args[1]))
}

// lastReshape: merging and splitting the spatial axes leaves the batch and the
// channels where they are.
func lastReshape(l *layouter, v *ir.Value) *ir.Value {
	x := v.Args[0]
	from, to := x.Type.Shape, v.Type.Shape
	if x.Op == ir.OpTranspose {
		return l.shuffle(v)
	}
	if !l.native(x) || len(to) < 3 || !to[0].Equal(from[0]) || !to[1].Equal(from[1]) {
		return nil
	}
	return reshape(l.out, v.Pos, l.last(x), permuted(to, toLast(len(to))))
}

// shuffle is a channel shuffle: the channels are split in two axes, which
// change places and become one again.
func (l *layouter) shuffle(v *ir.Value) *ir.Value {
	t := v.Args[0]
	split := t.Args[0]
	rank := split.Type.Rank()
	if split.Op != ir.OpReshape || rank < 4 || !l.native(split.Args[0]) {
		return nil
	}
	x, perm := split.Args[0], t.Attr.(*ir.PermAttr).Perm
	want := []int{0, 2, 1}
	for i := 3; i < rank; i++ {
		want = append(want, i)
	}
	parts := split.Type.Shape
	same := slices.Concat(ir.Shape{parts[0], parts[1].Mul(parts[2])}, parts[3:])
	if !slices.Equal(perm, want) || !same.Equal(x.Type.Shape) || !same.Equal(v.Type.Shape) {
		return nil
	}
	spatial := parts[3:]
	pixels := slices.Concat(ir.Shape{parts[0]}, spatial, ir.Shape{parts[1], parts[2]})
	y := reshape(l.out, v.Pos, l.last(x), pixels)
	swap := make([]int, rank)
	for i := range swap {
		swap[i] = i
	}
	swap[rank-2], swap[rank-1] = rank-1, rank-2
	return reshape(l.out, v.Pos, l.transpose(y, swap), permuted(same, toLast(rank-1)))
}

// lastBroadcast: repeating along spatial axes, as in resizing. Canon has
// dropped the axes of extent 1 from what is broadcast, the batch perhaps.
func lastBroadcast(l *layouter, v *ir.Value) *ir.Value {
	x, a := v.Args[0], v.Attr.(*ir.BroadcastAttr)
	if x.Op == ir.OpReshape && sameReal(x.Type.Shape, x.Args[0].Type.Shape) {
		x = x.Args[0]
	}
	if !l.native(x) {
		return nil
	}
	from, rank := realAxes(x.Type.Shape), v.Type.Rank()
	target := make([]int, x.Type.Rank()) // of the axes of x that are not 1
	for i, axis := range realAxes(v.Args[0].Type.Shape) {
		to := a.Axes[axis]
		if (from[i] < 2 || to < 2) && from[i] != to {
			return nil
		}
		target[from[i]] = to
	}
	var axes []int
	var shape ir.Shape
	for _, i := range toLast(x.Type.Rank()) {
		if d := x.Type.Shape[i]; !d.IsConst(1) {
			axes, shape = append(axes, lastAxis(target[i], rank)), append(shape, d)
		}
	}
	n := &ir.BroadcastAttr{Shape: permuted(a.Shape, toLast(rank)), Axes: axes}
	return l.out.Must(v.Pos, v.Op, n, reshape(l.out, v.Pos, l.last(x), shape))
}

// reduceAxes reduces in the last form if that leaves the kept axes in order.
func reduceAxes(l *layouter, v *ir.Value) *ir.Value {
	axes, rank := v.Attr.(*ir.AxesAttr).Axes, v.Args[0].Type.Rank()
	if !keepsOrder(axes, rank) {
		return nil
	}
	mapped := make([]int, len(axes))
	for i, axis := range axes {
		mapped[i] = lastAxis(axis, rank)
	}
	slices.Sort(mapped)
	return l.out.Must(v.Pos, v.Op, &ir.AxesAttr{Axes: mapped}, l.last(v.Args[0]))
}

func reduceAxis(l *layouter, v *ir.Value) *ir.Value {
	axis, rank := v.Attr.(*ir.AxisAttr).Axis, v.Args[0].Type.Rank()
	if !keepsOrder([]int{axis}, rank) {
		return nil
	}
	return l.out.Must(v.Pos, v.Op, &ir.AxisAttr{Axis: lastAxis(axis, rank)}, l.last(v.Args[0]))
}

// keepsOrder reports whether the axes that stay are in the same order in both
// forms: the channels go, or all spatial axes do.
func keepsOrder(axes []int, rank int) bool {
	spatial := 0
	for _, axis := range axes {
		if axis == 1 {
			return true
		}
		if axis > 1 {
			spatial++
		}
	}
	return spatial == rank-2
}
