package autodiff

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// The rules of products: the gradient of a product is a product.

// freeAxes returns the axes below rank that are in none of the lists.
func freeAxes(rank int, lists ...[]int) []int {
	used := slices.Concat(lists...)
	var free []int
	for i := range rank {
		if !slices.Contains(used, i) {
			free = append(free, i)
		}
	}
	return free
}

func count(from, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = from + i
	}
	return out
}

// dotLeft contracts d with y over y's free axes.
func dotLeft(b *back, v, d *ir.Value) *ir.Value {
	x, y, a := v.Args[0], v.Args[1], v.Attr.(*ir.DotAttr)
	xFree := freeAxes(x.Type.Rank(), a.LBatch, a.LContract)
	yFree := freeAxes(y.Type.Rank(), a.RBatch, a.RContract)
	nb := len(a.LBatch)
	return b.product(d, y, &ir.DotAttr{LBatch: count(0, nb), RBatch: a.RBatch,
		LContract: count(nb+len(xFree), len(yFree)), RContract: yFree},
		a.LBatch, xFree, paired(a.RContract, a.LContract))
}

// dotRight is dotLeft's mirror image.
func dotRight(b *back, v, d *ir.Value) *ir.Value {
	x, y, a := v.Args[0], v.Args[1], v.Attr.(*ir.DotAttr)
	xFree := freeAxes(x.Type.Rank(), a.LBatch, a.LContract)
	yFree := freeAxes(y.Type.Rank(), a.RBatch, a.RContract)
	nb := len(a.LBatch)
	return b.product(d, x, &ir.DotAttr{LBatch: count(0, nb), RBatch: a.LBatch,
		LContract: count(nb, len(xFree)), RContract: xFree},
		a.RBatch, yFree, paired(a.LContract, a.RContract))
}

// product is the product of d and y. The axes of its result are those of the
// batch, the free ones of d and the free ones of y; the lists say which axes
// of the gradient these are. The arguments change places where that saves the
// transpose.
func (b *back) product(d, y *ir.Value, a *ir.DotAttr, batch, left, right []int) *ir.Value {
	if swapped := slices.Concat(batch, right, left); slices.IsSorted(swapped) {
		return b.op(ir.OpDot, &ir.DotAttr{LBatch: a.RBatch, RBatch: a.LBatch, LContract: a.RContract,
			RContract: a.LContract}, y, d)
	}
	return b.transpose(b.op(ir.OpDot, a, d, y), inverse(slices.Concat(batch, left, right)))
}

// paired returns the entries of to in the order of those of by.
func paired(by, to []int) []int {
	order := slices.Clone(by)
	slices.Sort(order)
	out := make([]int, len(to))
	for i, axis := range order {
		out[i] = to[slices.Index(by, axis)]
	}
	return out
}

// convForm is a convolution with the channels first.
type convForm struct {
	x, w, d *ir.Value // input [N,C,S...], weights [O,C/G,S...], cotangent [N,O,S...]
	a       *ir.ConvAttr
	n       int // spatial axes
	last    bool
}

func newConvForm(b *back, v, d *ir.Value) *convForm {
	f := &convForm{x: v.Args[0], w: v.Args[1], d: d, a: v.Attr.(*ir.ConvAttr), n: v.Type.Rank() - 2}
	if !f.a.Last {
		return f
	}
	f.last = true
	rank := f.n + 2
	f.x = b.transpose(f.x, moveAxis(rank, rank-1, 1))
	f.d = b.transpose(f.d, moveAxis(rank, rank-1, 1))
	f.w = b.transpose(f.w, weightsFirst(f.n))
	return f
}

// weightsFirst permutes [S...,C,O] to [O,C,S...].
func weightsFirst(n int) []int { return append([]int{n + 1, n}, count(0, n)...) }

// convInput convolves d, dilated by the stride, with the weights mirrored and
// their channels exchanged within each group; the padding is what makes the
// result end where the input ends.
func convInput(b *back, v, d *ir.Value) *ir.Value {
	f := newConvForm(b, v, d)
	a := &ir.ConvAttr{Stride: f.a.InDilation, Dilation: f.a.Dilation, InDilation: f.a.Stride,
		Lo: make(ir.Shape, f.n), Hi: make(ir.Shape, f.n), Groups: f.a.Groups}
	mirror := &ir.SliceAttr{Start: make(ir.Shape, f.n+2), Step: ones(f.n + 2), Shape: f.w.Type.Shape}
	for i := range f.n {
		k := f.w.Type.Shape[2+i]
		mirror.Start[2+i], mirror.Step[2+i] = k.AddConst(-1), -1
		reach := k.AddConst(-1).MulConst(f.a.Dilation[i])
		wide := f.d.Type.Shape[2+i].AddConst(-1).MulConst(f.a.Stride[i])
		a.Lo[i] = reach.Sub(f.a.Lo[i])
		in := f.x.Type.Shape[2+i].AddConst(-1).MulConst(f.a.InDilation[i])
		a.Hi[i] = in.Sub(wide).Add(reach).Sub(a.Lo[i])
	}
	dx := b.op(ir.OpConv, a, f.d, f.exchange(b, b.slice(f.w, mirror)))
	if f.last {
		return b.transpose(dx, moveAxis(f.n+2, 1, f.n+1))
	}
	return dx
}

// exchange turns weights [O,C/G,S...] into [C,O/G,S...].
func (f *convForm) exchange(b *back, w *ir.Value) *ir.Value {
	s := w.Type.Shape
	g := ir.Const(f.a.Groups)
	grouped := append(ir.Shape{g, s[0].FloorDiv(g)}, s[1:]...)
	perm := append([]int{0, 2, 1}, count(3, f.n)...)
	w = b.transpose(b.reshape(w, grouped), perm)
	return b.reshape(w, append(ir.Shape{g.Mul(s[1]), s[0].FloorDiv(g)}, s[2:]...))
}

// convWeights convolves the input with d as weights: the batch is summed over
// as channels are, stride and dilation change places.
func convWeights(b *back, v, d *ir.Value) *ir.Value {
	f := newConvForm(b, v, d)
	xs, g := f.x.Type.Shape, ir.Const(f.a.Groups)
	inner := xs[1].FloorDiv(g)
	grouped := append(ir.Shape{xs[0], g, inner}, xs[2:]...)
	in := b.transpose(b.reshape(f.x, grouped), append([]int{2, 1, 0}, count(3, f.n)...))
	in = b.reshape(in, append(ir.Shape{inner, g.Mul(xs[0])}, xs[2:]...))
	a := &ir.ConvAttr{Stride: f.a.Dilation, Dilation: f.a.Stride, InDilation: f.a.InDilation,
		Lo: f.a.Lo, Hi: make(ir.Shape, f.n), Groups: f.a.Groups}
	for i := range f.n {
		reach := f.w.Type.Shape[2+i].AddConst(-1).MulConst(f.a.Dilation[i])
		wide := f.d.Type.Shape[2+i].AddConst(-1).MulConst(f.a.Stride[i])
		have := xs[2+i].AddConst(-1).MulConst(f.a.InDilation[i])
		a.Hi[i] = reach.Add(wide).Sub(have).Sub(f.a.Lo[i])
	}
	swap := append([]int{1, 0}, count(2, f.n)...)
	dw := b.transpose(b.op(ir.OpConv, a, in, b.transpose(f.d, swap)), swap)
	if f.last {
		return b.transpose(dw, inverse(weightsFirst(f.n)))
	}
	return dw
}
