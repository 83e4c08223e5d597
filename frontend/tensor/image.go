package tensor

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Padding and what images need, with PyTorch's names.

// PadMode says what [Tensor.Pad] puts around a tensor.
type PadMode string

// The modes of padding: a number; the elements turned around at the edge
// without it; the edge; the elements from the other side.
const (
	PadConstant  PadMode = "constant"
	PadReflect   PadMode = "reflect"
	PadReplicate PadMode = "replicate"
	PadCircular  PadMode = "circular"
)

// Pad returns t with elements around it. pads has the number before and after
// for the last axis, then for the axis before it, and so on, as in PyTorch;
// negative ones cut elements off. value is of PadConstant.
func (t Tensor) Pad(pads []int, mode PadMode, value any) Tensor {
	c := start("Pad")
	x := c.in(t)
	if x == nil {
		return c.bad()
	}
	rank := x.typ.Rank()
	if len(pads)%2 != 0 || len(pads)/2 > rank {
		return c.fail("%d pads for shape %s, want two an axis", len(pads), shapeString(x.typ.Shape))
	}
	if mode == PadConstant {
		a := &ir.PadAttr{Lo: slices.Repeat(ir.Shape{ir.Const(0)}, rank)}
		a.Hi = a.Lo.Clone()
		for i := range len(pads) / 2 {
			axis := rank - 1 - i
			a.Lo[axis], a.Hi[axis] = ir.Const(int64(pads[2*i])), ir.Const(int64(pads[2*i+1]))
			if d, ok := x.typ.Shape[axis].Int(); ok && d+int64(pads[2*i]+pads[2*i+1]) < 0 {
				return c.fail("pads %v cut more than axis %d of shape %s has", pads, axis,
					shapeString(x.typ.Shape))
			}
		}
		if value == nil {
			value = 0
		}
		return c.out(c.op(ir.OpPad, a, x, c.fitted(c.operand(value), ir.T(x.typ.DType))))
	}
	for i := range len(pads) / 2 {
		x = c.padAxis(x, rank-1-i, pads[2*i], pads[2*i+1], mode)
	}
	return c.out(x)
}

// padAxis pads an axis with elements of the tensor: a gather of coordinates
// computed from those of the result.
func (c *call) padAxis(x *node, axis, lo, hi int, mode PadMode) *node {
	if c.err != nil {
		return nil
	}
	d := x.typ.Shape[axis]
	if n, ok := d.Int(); ok {
		most := map[PadMode]int64{PadReflect: n - 1, PadCircular: n, PadReplicate: math.MaxInt32}[mode]
		if n == 0 || int64(max(lo, hi)) > most {
			c.fail("mode %q of %d and %d elements for axis %d of extent %d, want at most %d", mode, lo, hi,
				axis, n, most)
			return nil
		}
	}
	to := d.AddConst(int64(lo + hi))
	if n, ok := to.Int(); ok && n < 0 {
		c.fail("pads %d and %d cut more than axis %d of extent %v has", lo, hi, axis, d)
		return nil
	}
	at := c.iota(I64, ir.Shape{to}, 0)
	at = c.sub(at, c.integer(int64(lo), at))
	size := c.stretch(c.extent(d), at.typ.Shape)
	last := c.sub(size, c.integer(1, at))
	switch mode {
	case PadReplicate:
		at = c.op(ir.OpMin, nil, c.op(ir.OpMax, nil, at, c.integer(0, at)), last)
	case PadCircular:
		at = c.op(ir.OpMod, nil, at, size)
	case PadReflect:
		at = c.sub(last, c.abs(c.sub(last, c.abs(at))))
	default:
		c.fail("mode %q, want PadConstant, PadReflect, PadReplicate or PadCircular", mode)
	}
	return c.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, x, at)
}

// InterpolateMode is how [Tensor.Interpolate] finds values.
type InterpolateMode string

// The modes of interpolation: Nearest takes the element at floor(i*scale),
// NearestExact that whose center is nearest; Linear is linear in each spatial
// axis (PyTorch's linear, bilinear and trilinear); Bicubic is by the cubic
// convolution with a = -0.75; Area the mean of the elements that are covered.
const (
	Nearest      InterpolateMode = "nearest"
	NearestExact InterpolateMode = "nearest-exact"
	Linear       InterpolateMode = "linear"
	Bicubic      InterpolateMode = "bicubic"
	Area         InterpolateMode = "area"
)

// InterpolateOption is an option of [Tensor.Interpolate].
type InterpolateOption func(*interpolation)

type interpolation struct {
	corners bool
	scale   []float64
}

// AlignCorners makes the first and last elements of input and result stand at
// the same places.
func AlignCorners() InterpolateOption { return func(o *interpolation) { o.corners = true } }

// ScaleFactor says by which factors coordinates are scaled, one a spatial
// axis, where that is not the quotient of the sizes.
func ScaleFactor(by ...float64) InterpolateOption { return func(o *interpolation) { o.scale = by } }

// Interpolate returns t, of shape (N, C, spatial...), with its spatial axes
// resized, whose extents must be known.
func (t Tensor) Interpolate(size []int, mode InterpolateMode, opts ...InterpolateOption) Tensor {
	c := start("Interpolate")
	x := c.in(t)
	if x == nil {
		return c.bad()
	}
	var o interpolation
	for _, f := range opts {
		f(&o)
	}
	if len(size) == 0 || len(size) != x.typ.Rank()-2 || o.scale != nil && len(o.scale) != len(size) {
		return c.fail("sizes %v and factors %v for shape %s, want one a spatial axis", size, o.scale,
			shapeString(x.typ.Shape))
	}
	if mode == Area {
		return c.named(t.adaptive("Interpolate", size, false))
	}
	for i, n := range size {
		d, ok := x.typ.Shape[2+i].Int()
		if !ok || d < 1 || n < 1 {
			return c.fail("axis %d has extent %v for size %d, want numbers of at least 1", 2+i,
				x.typ.Shape[2+i], n)
		}
		scale := float64(d) / float64(n)
		if o.scale != nil && o.scale[i] > 0 {
			scale = 1 / o.scale[i]
		}
		taps, ok := resampling(int(d), n, scale, mode, o.corners)
		if !ok {
			return c.fail("mode %q, want Nearest, NearestExact, Linear, Bicubic or Area", mode)
		}
		x = c.resample(x, 2+i, taps)
		if c.err != nil {
			return c.bad()
		}
	}
	return c.out(x)
}

// taps are, for one term of a weighted sum, the coordinate and the weight of
// each element of the result; no weights are all 1.
type taps struct {
	at      []int64
	weights []float64
}

// resampling computes where n elements come from in an axis of d.
func resampling(d, n int, scale float64, mode InterpolateMode, corners bool) ([]taps, bool) {
	count := map[InterpolateMode]int{Nearest: 1, NearestExact: 1, Linear: 2, Bicubic: 4}[mode]
	ts := make([]taps, count)
	put := func(k, at int, w float64) {
		ts[k].at = append(ts[k].at, int64(min(max(at, 0), d-1)))
		if count > 1 {
			ts[k].weights = append(ts[k].weights, w)
		}
	}
	for i := range n {
		at := (float64(i)+0.5)*scale - 0.5
		if corners && n > 1 {
			at = float64(i) * (float64(d-1) / float64(n-1))
		} else if corners {
			at = 0
		}
		switch mode {
		case Nearest:
			put(0, int(math.Floor(float64(i)*scale)), 1)
		case NearestExact:
			put(0, int(math.Floor((float64(i)+0.5)*scale)), 1)
		case Linear:
			at = max(at, 0)
			low := min(math.Floor(at), float64(d-1))
			put(0, int(low), 1-(at-low))
			put(1, int(low)+1, at-low)
		case Bicubic:
			low := math.Floor(at)
			for k, w := range cubic(at - low) {
				put(k, int(low)+k-1, w)
			}
		}
	}
	return ts, count > 0
}

// cubic is the weights of the four elements around a point at distance x of
// the second: Keys' convolution with a = -0.75.
func cubic(x float64) [4]float64 {
	const a = -0.75
	near := func(x float64) float64 { return ((a+2)*x-(a+3))*x*x + 1 }
	far := func(x float64) float64 { return ((a*x-5*a)*x+8*a)*x - 4*a }
	return [4]float64{far(x + 1), near(x), near(1 - x), far(2 - x)}
}

// resample replaces an axis by sums of its elements.
func (c *call) resample(x *node, axis int, ts []taps) *node {
	if c.err == nil && !x.typ.DType.IsFloat() && len(ts) > 1 {
		x = c.cast(x, F64)
	}
	var sum *node
	for _, t := range ts {
		n := []int64{int64(len(t.at))}
		y := c.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, x, constNode(ir.NewLiteral(I64, n, t.at), c.pos))
		if c.err != nil {
			return nil
		}
		if t.weights != nil {
			w := c.cast(constNode(ir.NewLiteral(F64, n, t.weights), c.pos), x.typ.DType)
			y = c.mul(y, c.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: y.typ.Shape, Axes: []int{axis}}, w))
		}
		if sum == nil {
			sum = y
		} else {
			sum = c.add(sum, y)
		}
	}
	return sum
}

// PixelShuffle returns t, of shape (..., C*r*r, H, W), as (..., C, H*r, W*r).
func (t Tensor) PixelShuffle(r int) Tensor {
	c := start("PixelShuffle")
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	n := len(s) - 3
	k := ir.Const(int64(r))
	if n < 0 || r < 1 || !s[n].Mod(k.Mul(k)).IsConst(0) {
		return c.fail("shape %s by %d, want (..., C*r*r, H, W)", shapeString(s), r)
	}
	ch := s[n].FloorDiv(k.Mul(k))
	front := s[:n:n]
	x := t.ReshapeTo(slices.Concat(front, ir.Shape{ch, k, k, s[n+1], s[n+2]}))
	x = x.Permute(slices.Concat(count(0, n+1), []int{n + 3, n + 1, n + 4, n + 2})...)
	return c.named(x.ReshapeTo(slices.Concat(front, ir.Shape{ch, s[n+1].Mul(k), s[n+2].Mul(k)})))
}

// PixelUnshuffle is the inverse of [Tensor.PixelShuffle].
func (t Tensor) PixelUnshuffle(r int) Tensor {
	c := start("PixelUnshuffle")
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	n := len(s) - 3
	k := ir.Const(int64(r))
	if n < 0 || r < 1 || !s[n+1].Mod(k).IsConst(0) || !s[n+2].Mod(k).IsConst(0) {
		return c.fail("shape %s by %d, want (..., C, H*r, W*r)", shapeString(s), r)
	}
	h, w := s[n+1].FloorDiv(k), s[n+2].FloorDiv(k)
	front := s[:n:n]
	x := t.ReshapeTo(slices.Concat(front, ir.Shape{s[n], h, k, w, k}))
	x = x.Permute(slices.Concat(count(0, n+1), []int{n + 2, n + 4, n + 1, n + 3})...)
	return c.named(x.ReshapeTo(slices.Concat(front, ir.Shape{s[n].Mul(k).Mul(k), h, w})))
}

// Unfold returns the windows of t, of shape (N, C, H, W), as the columns of
// matrices: (N, C*kh*kw, windows), as PyTorch's functional unfold. The method
// Unfold has windows of one axis.
func Unfold(t Tensor, size []int, opts ...WindowOption) Tensor {
	c := start("Unfold")
	size = c.perAxis("size", size, 2, 1)
	w := c.windowOptions(2, []int{1}, opts)
	if !c.checks(t) {
		return c.bad()
	}
	if t.Rank() != 4 {
		return c.fail("shape %s, want (N, C, H, W)", shapeString(t.Dims()))
	}
	x := c.in(t.Pad([]int{w.padding[1], w.padding[1], w.padding[0], w.padding[0]}, PadConstant, 0))
	for i := range 2 { // axes 2 and 4: windows and elements
		if c.err != nil {
			return c.bad()
		}
		axis := 2 + 2*i
		k, stride, dilation := int64(size[i]), int64(w.stride[i]), int64(w.dilation[i])
		s := ir.Shape{ir.WindowExtent(x.typ.Shape[axis], ir.Const(k), stride, dilation), ir.Const(k)}
		at := c.mul(c.iota(I64, s, 0), c.integer(stride, &node{typ: ir.Of(I64, s)}))
		at = c.add(at, c.mul(c.iota(I64, s, 1), c.integer(dilation, at)))
		x = c.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, x, at)
	}
	x = c.transpose(x, []int{0, 1, 3, 5, 2, 4})
	if c.err != nil {
		return c.bad()
	}
	s := x.typ.Shape
	return c.out(c.reshape(x, ir.Shape{s[0], s[1].Mul(s[2]).Mul(s[3]), s[4].Mul(s[5])}))
}

// Fold adds the columns that [Unfold] gives to the places in an image of the
// size given that they come from: (N, C*kh*kw, windows) to (N, C, H, W).
func Fold(t Tensor, out, size []int, opts ...WindowOption) Tensor {
	c := start("Fold")
	size, out = c.perAxis("size", size, 2, 1), c.perAxis("output size", out, 2, 1)
	w := c.windowOptions(2, []int{1}, opts)
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	taps := int64(size[0] * size[1])
	if len(s) != 3 || !s[1].Mod(ir.Const(taps)).IsConst(0) {
		return c.fail("shape %s for windows of %v, want (N, C*kh*kw, windows)", shapeString(s), size)
	}
	var windows ir.Shape
	extra := make([]int, 2)
	for i := range 2 {
		padded := int64(out[i] + 2*w.padding[i])
		windows = append(windows, ir.WindowExtent(ir.Const(padded), ir.Const(int64(size[i])),
			int64(w.stride[i]), int64(w.dilation[i])))
		n, _ := windows[i].Int()
		extra[i] = int(padded) - (int(n)-1)*w.stride[i] - (size[i]-1)*w.dilation[i] - 1
	}
	ch, ok := s[1].FloorDiv(ir.Const(taps)).Int()
	if !ok {
		return c.fail("%v channels, want a number", s[1])
	}
	// The transposed convolution whose window k is 1 at element k.
	weight := Eye(t.DType(), int(taps)).Reshape(int(taps), 1, size[0], size[1]).Tile(int(ch), 1, 1, 1)
	x := t.ReshapeTo(ir.Shape{s[0], s[1], windows[0], windows[1]})
	opts = append(opts, Groups(int(ch)), OutputPadding(extra...))
	return c.named(x.ConvTranspose2d(weight, nil, opts...))
}
