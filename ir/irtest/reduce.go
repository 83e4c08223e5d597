package irtest

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Reductions, running sums, sorting, windows and products.

func makeReduce(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, nil)
	if x == nil {
		return
	}
	axes, n := []int{}, ir.Const(1)
	for i, d := range x.Type.Shape {
		if b.chance(2) {
			axes, n = append(axes, i), n.Mul(d)
		}
	}
	bound, ok := reduceBound(op, x.Type.DType, b.maxOf(n), b.bound(x))
	if b.minOf(n) == 0 && bound.mag != 0 && op != ir.OpSum {
		bound.mag, bound.clean = math.Inf(1), false // the identity may be an infinity
	}
	if ok {
		b.emit(bound, op, &ir.AxesAttr{Axes: axes}, x)
	}
}

// reduceBound returns the bound of a reduction of n elements.
func reduceBound(op ir.Op, d ir.DType, n int64, x Bound) (Bound, bool) {
	if !isFloat(d) {
		return Bound{}, true
	}
	x.raw = false
	switch op {
	case ir.OpSum, ir.OpCumSum, ir.OpWindowSum:
		return accumulate(d, float64(n), x)
	case ir.OpCumLogSumExp: // no more in error than its argument, and what each step rounds
		u := unit(d)
		if d == ir.F16 || d == ir.BF16 {
			u = max(u, float64(n)*unit(ir.F32))
		}
		out := Bound{mag: x.mag + math.Log(float64(max(n, 1))) + 1}
		out.Abs = x.abs() + 4*float64(n+2)*u*out.mag
		return out.fits(d)
	case ir.OpProd, ir.OpCumProd:
		mag := math.Pow(max(x.mag, 1), float64(n))
		out := Bound{Rel: float64(n+4) * unit(d), mag: mag, clean: x.clean}
		if d == ir.F16 || d == ir.BF16 {
			out.Rel = 4 * unit(d)
		}
		// Below the normal numbers digits are lost, and the factors that follow
		// enlarge what is missing.
		out.Abs = float64(n) * 2 * unit(d) * smallest(d) * mag
		// Two factors may underflow in d and not in a wider accumulator: times an infinity that is
		// NaN or an infinity.
		return out, x.Exact() && n < 8 && mag < largest(d)/16 && d != ir.F16 && (x.clean || n < 3)
	}
	return x, true
}

func makeArg(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, func(v *ir.Value) bool { return hasAxes(v) && b.exact(v) })
	if x == nil || !b.allowed(op, ir.I64) {
		return
	}
	axis := b.axisOf(x)
	if b.minOf(x.Type.Shape[axis]) > 0 {
		b.emit(Bound{}, op, &ir.AxisAttr{Axis: axis}, x)
	}
}

func makeCum(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, hasAxes)
	if x == nil {
		return
	}
	axis := b.axisOf(x)
	bound, ok := reduceBound(op, x.Type.DType, b.maxOf(x.Type.Shape[axis]), b.bound(x))
	if ok {
		b.emit(bound, op, &ir.CumAttr{Axis: axis, Exclusive: b.chance(2), Reverse: b.chance(2)}, x)
	}
}

func makeArgSort(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, func(v *ir.Value) bool { return hasAxes(v) && b.exact(v) })
	if x != nil && b.allowed(op, ir.I64) {
		b.emit(Bound{}, op, &ir.SortAttr{Axis: b.axisOf(x), Desc: b.chance(2)}, x)
	}
}

func makeWindow(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, nil)
	if x == nil {
		return
	}
	a, n := &ir.WindowAttr{}, int64(1)
	for _, d := range x.Type.Shape {
		size, stride, dil, lo, hi := int64(1), int64(1), int64(1), int64(0), int64(0)
		if b.chance(2) {
			size, stride, dil = 1+b.r.Int64N(4), 1+b.r.Int64N(3), 1+b.r.Int64N(2)
			span := (size-1)*dil + 1
			lo, hi = b.r.Int64N(size), b.r.Int64N(size)
			if k := b.minOf(d); k+lo+hi < span {
				hi = span - k - lo
			}
		}
		n *= size
		a.Size, a.Stride, a.Dilation = append(a.Size, size), append(a.Stride,
			stride), append(a.Dilation, dil)
		a.Lo, a.Hi = append(a.Lo, ir.Const(lo)), append(a.Hi, ir.Const(hi))
	}
	bound, ok := reduceBound(op, x.Type.DType, n, b.bound(x))
	if op == ir.OpWindowMax {
		bound.mag, bound.clean = math.Inf(1), false // a window may be all padding
		ok = ok && bound.Exact()
	}
	t, err := ir.InferType(op, a, x.Type)
	if ok && err == nil && b.fits(t.Shape) {
		b.emit(bound, op, a, x)
	}
}

// makeDot multiplies x by a value that is made to fit: batch, contracted and
// free axes in random order.
func makeDot(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, nil)
	if x == nil {
		return
	}
	a, s, n := &ir.DotAttr{}, ir.Shape{}, ir.Const(1)
	for i, d := range x.Type.Shape {
		switch b.r.IntN(3) {
		case 0:
			a.LBatch, a.RBatch = append(a.LBatch, i), append(a.RBatch, len(s))
			s = append(s, d)
		case 1:
			a.LContract, a.RContract = append(a.LContract, i), append(a.RContract, len(s))
			s, n = append(s, d), n.Mul(d)
		}
		if b.chance(4) {
			s = append(s, b.extent())
		}
	}
	if b.chance(2) {
		s = append(s, b.extent())
	}
	if !b.fits(s) {
		return
	}
	y := b.like(ir.Of(x.Type.DType, s), nil)
	if y == nil {
		return
	}
	t, err := ir.InferType(op, a, x.Type, y.Type)
	if err != nil || !b.fits(t.Shape) || b.elems(t.Shape)*b.maxOf(n) > 64*b.MaxElems {
		return
	}
	if bound, ok := accumulate(x.Type.DType, float64(b.maxOf(n)), b.bound(x), b.bound(y)); ok {
		b.emit(bound, op, a, x, y)
	}
}

// makeConv makes weights for an input of rank 2 to 5.
func makeConv(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, func(v *ir.Value) bool {
		return v.Type.Rank() >= 2 && v.Type.Rank() <= 5
	})
	if x == nil {
		x = b.convInput(op)
	}
	if x == nil {
		return
	}
	rank := x.Type.Rank()
	a := &ir.ConvAttr{Groups: 1, Last: b.chance(3)}
	at := a.Axes(rank)
	c, static := x.Type.Shape[at.InC].Int()
	out := 1 + b.r.Int64N(9)
	if !static {
		return
	}
	if c > 1 && b.chance(3) {
		a.Groups = []int64{c, 2}[b.r.IntN(2)]
		if c%a.Groups != 0 {
			a.Groups = c
		}
		out = a.Groups * (1 + b.r.Int64N(2))
	}
	if c == 0 {
		return
	}
	w := make(ir.Shape, rank)
	w[at.WO], w[at.WI] = ir.Const(out), ir.Const(c/a.Groups)
	n := c / a.Groups
	for i := range rank - 2 {
		n *= b.convAxis(a, x.Type.Shape[at.InS+i], &w[at.WS+i])
	}
	y := b.like(ir.Of(x.Type.DType, w), nil)
	t, err := ir.InferType(op, a, x.Type, ir.Of(x.Type.DType, w))
	if y == nil || err != nil || !b.fits(t.Shape) || b.elems(t.Shape)*n > 256*b.MaxElems {
		return
	}
	if bound, ok := accumulate(x.Type.DType, float64(n), b.bound(x), b.bound(y)); ok {
		b.emit(bound, op, a, x, y)
	}
}

// convInput makes an input with channels.
func (b *gen) convInput(op ir.Op) *ir.Value {
	d, ok := b.dtype(op, op.Info().Types)
	s := ir.Shape{b.extent(), ir.Const(1 + b.r.Int64N(8)), b.extent(), b.extent()}[:2+b.r.IntN(3)]
	if !ok || !b.fits(s) {
		return nil
	}
	return b.fresh(ir.Of(d, s))
}

// convAxis picks size, stride, dilations and pads of a spatial axis of extent
// d and returns the size.
func (b *gen) convAxis(a *ir.ConvAttr, d ir.Dim, size *ir.Dim) int64 {
	k, stride, dil, inDil := []int64{1, 3, 3, 2, 5, 4}[b.r.IntN(6)], int64(1), int64(1), int64(1)
	if b.chance(3) {
		stride = 2
	}
	if b.chance(4) {
		dil = 2
	}
	if b.chance(6) {
		inDil, stride = 2, 1
	}
	span := (k-1)*dil + 1
	lo, hi := b.r.Int64N(span), b.r.Int64N(span)
	if n := (b.minOf(d)-1)*inDil + 1 + lo + hi; n < span {
		hi += span - n
	}
	*size = ir.Const(k)
	a.Stride, a.Dilation = append(a.Stride, stride), append(a.Dilation, dil)
	a.InDilation = append(a.InDilation, inDil)
	a.Lo, a.Hi = append(a.Lo, ir.Const(lo)), append(a.Hi, ir.Const(hi))
	return k
}
