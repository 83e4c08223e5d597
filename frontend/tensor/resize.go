package tensor

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Interpolation, and pooling into a number of windows: axes whose elements
// come from coordinates that are computed from extents. Where these are known
// the coordinates are constants.

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
	mode    InterpolateMode
	corners bool
	scale   []float64
}

// AlignCorners makes the first and last elements of input and result stand at
// the same places.
func AlignCorners() InterpolateOption { return func(o *interpolation) { o.corners = true } }

// ScaleFactor says by which factors coordinates are scaled, one a spatial
// axis, where that is not the quotient of the sizes. Without sizes they also
// say how large the result is: the extents times the factors, rounded down.
func ScaleFactor(by ...float64) InterpolateOption { return func(o *interpolation) { o.scale = by } }

// Interpolate returns t, of shape (N, C, spatial...), with its spatial axes
// resized to the sizes given, or for a nil size as [ScaleFactor] says. Bools
// and integers stay what they are by Nearest and NearestExact and become f64
// otherwise.
func (t Tensor) Interpolate(size []int, mode InterpolateMode, opts ...InterpolateOption) Tensor {
	var to ir.Shape
	if size != nil {
		to = ir.Dims(int64s(size)...)
	}
	return start("Interpolate").interpolate(t, to, mode, opts)
}

// InterpolateTo is [Tensor.Interpolate] to extents that may be symbolic, such
// as the spatial ones of another tensor's Dims.
func (t Tensor) InterpolateTo(size ir.Shape, mode InterpolateMode,
	opts ...InterpolateOption) Tensor {
	return start("InterpolateTo").interpolate(t, size, mode, opts)
}

func (c *call) interpolate(t Tensor, size ir.Shape, mode InterpolateMode,
	opts []InterpolateOption) Tensor {
	x := c.in(t)
	if x == nil {
		return c.bad()
	}
	o := &interpolation{mode: mode}
	for _, f := range opts {
		f(o)
	}
	n := x.typ.Rank() - 2
	if size == nil && o.scale != nil && len(o.scale) == n {
		size = c.scaled(x.typ.Shape[2:], o.scale)
	}
	if c.err == nil && (n < 1 || len(size) != n || o.scale != nil && len(o.scale) != n) {
		return c.fail("sizes %v and factors %v for shape %s, want one a spatial axis", size, o.scale,
			shapeString(x.typ.Shape))
	}
	s := x.typ.Shape
	for i, to := range size {
		d := s[2+i]
		if c.positive(d.Min(to), extentText(2+i, d, to)); c.err != nil {
			return c.bad()
		}
		if mode == Area {
			t = c.adaptiveAxis(t, 2+i, to, false)
			continue
		}
		scale := c.ratio(d, to)
		if o.scale != nil && o.scale[i] > 0 {
			scale = c.number(weak{kind: F64, f: 1 / o.scale[i]}, F64)
		}
		x = c.resample(x, 2+i, to, scale, o)
	}
	if mode == Area {
		return c.named(t)
	}
	return c.out(x)
}

// scaled are extents times factors, rounded down.
func (c *call) scaled(s ir.Shape, by []float64) ir.Shape {
	out := s.Clone()
	for i, d := range s {
		if n, ok := d.Int(); ok {
			out[i] = ir.Const(int64(math.Floor(float64(n) * by[i])))
			continue
		}
		f, q := by[i], int64(1) // by[i] = f/q
		for f != math.Floor(f) && q < 1<<20 {
			f, q = 2*f, 2*q
		}
		if f != math.Floor(f) || math.Abs(f) > 1<<40 {
			c.fail("factor %v of extent %v: want a whole number of 2**-20, or InterpolateTo with the "+
				"extents that the result shall have", by[i], d)
		}
		out[i] = d.MulConst(int64(f)).FloorDiv(ir.Const(q))
	}
	return out
}

// ratio is p/q in f64.
func (c *call) ratio(p, q ir.Dim) *node {
	return c.div(c.cast(c.extent(p), F64), c.cast(c.extent(q), F64))
}

// table is what n, which depends on extents alone, is for those: a constant
// where they are all known.
func (c *call) table(n *node, of ...ir.Dim) *node {
	for _, d := range of {
		if c.err != nil || !d.Static() {
			return n
		}
	}
	evalMu.Lock()
	defer evalMu.Unlock()
	e := &emitter{g: ir.NewGraph("table"), values: map[*node]*ir.Value{},
		known: func(n *node) bool { return n.op == ir.OpConst }}
	results, err := e.emit([]*node{n})
	if err != nil {
		c.fail("%v", err)
		return nil
	}
	e.g.SetResults(nil, results...)
	out, err := interpreter{}.Run(context.Background(), e.g, nil)
	if err != nil {
		c.fail("%v", err)
		return nil
	}
	return constNode(out[0], c.pos)
}

// sampling is an axis of n elements that are sums of those of an axis of d.
type sampling struct {
	*call
	x    *node
	axis int
	d, n ir.Dim
	last *node // d-1, in f64 and of n elements
	sum  *node
}

// resample replaces an axis of x by n elements.
func (c *call) resample(x *node, axis int, n ir.Dim, scale *node, o *interpolation) *node {
	if c.err != nil {
		return nil
	}
	s := &sampling{call: c, x: x, axis: axis, d: x.typ.Shape[axis], n: n}
	i := c.cast(c.iota(I64, ir.Shape{n}, 0), F64)
	full := ir.Shape{n}
	s.last = c.stretch(c.cast(c.extent(s.d.AddConst(-1)), F64), full)
	scale = c.stretch(scale, full)
	at := c.sub(c.mul(c.add(i, c.con(0.5, i)), scale), c.con(0.5, i))
	if o.corners {
		gaps := n.AddConst(-1).Max(ir.Const(1))
		at = c.mul(i, c.stretch(c.ratio(s.d.AddConst(-1), gaps), full))
	}
	floor := func(x *node) *node { return c.op(ir.OpFloor, nil, x) }
	one := c.con(1, i)
	if (o.mode == Linear || o.mode == Bicubic) && !x.typ.DType.IsFloat() {
		s.x = c.cast(x, F64)
	}
	switch o.mode {
	case Nearest:
		s.term(floor(c.mul(i, scale)), nil)
	case NearestExact:
		s.term(floor(c.mul(c.add(i, c.con(0.5, i)), scale)), nil)
	case Linear:
		at = c.op(ir.OpMax, nil, at, c.con(0, at))
		low := c.op(ir.OpMin, nil, floor(at), s.last)
		part := c.sub(at, low)
		s.term(low, c.sub(one, part))
		s.term(c.add(low, one), part)
	case Bicubic:
		low := floor(at)
		for k, w := range c.cubic(c.sub(at, low)) {
			s.term(c.add(low, c.con(float64(k-1), low)), w)
		}
	default:
		c.fail("mode %q, want Nearest, NearestExact, Linear, Bicubic or Area", o.mode)
	}
	return s.sum
}

// term adds the elements at the coordinates given, or the next that there are,
// times weights; nil is 1.
func (s *sampling) term(at, weight *node) {
	at = s.op(ir.OpMin, nil, s.op(ir.OpMax, nil, at, s.con(0, at)), s.last)
	at = s.table(s.cast(at, I64), s.d, s.n)
	y := s.op(ir.OpGather, &ir.AxisAttr{Axis: s.axis}, s.x, at)
	if weight != nil && s.err == nil {
		w := s.cast(s.table(weight, s.d, s.n), y.typ.DType)
		y = s.mul(y, s.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: y.typ.Shape, Axes: []int{s.axis}}, w))
	}
	if s.sum == nil {
		s.sum = y
	} else {
		s.sum = s.add(s.sum, y)
	}
}

// cubic is the weights of the four elements around a point at distance x of
// the second: Keys' convolution with a = -0.75.
func (c *call) cubic(x *node) [4]*node {
	const a = -0.75
	one := c.con(1, x)
	// With the coefficients of the powers of x, the highest first.
	value := func(x *node, coef ...float64) *node {
		y := c.con(coef[0], x)
		for _, k := range coef[1:] {
			y = c.add(c.mul(y, x), c.con(k, x))
		}
		return y
	}
	near := func(x *node) *node { return value(x, a+2, -(a + 3), 0, 1) }
	far := func(x *node) *node { return value(x, a, -5*a, 8*a, -4*a) }
	return [4]*node{far(c.add(x, one)), near(x), near(c.sub(one, x)), far(c.sub(c.con(2, x), x))}
}

// AdaptiveAvgPool1d returns the means of size windows of nearly equal length
// along the last axis: window i is from floor(i*extent/size) to
// ceil((i+1)*extent/size). Integers become f64.
func (t Tensor) AdaptiveAvgPool1d(size int) Tensor {
	return t.adaptive("AdaptiveAvgPool1d", []int{size}, false)
}

// AdaptiveAvgPool2d is [Tensor.AdaptiveAvgPool1d] over the last two axes; -1
// keeps an extent.
func (t Tensor) AdaptiveAvgPool2d(size []int) Tensor {
	return t.adaptive("AdaptiveAvgPool2d", size, false)
}

// AdaptiveMaxPool1d returns the largest elements of size windows of nearly
// equal length along the last axis, see [Tensor.AdaptiveAvgPool1d].
func (t Tensor) AdaptiveMaxPool1d(size int) Tensor {
	return t.adaptive("AdaptiveMaxPool1d", []int{size}, true)
}

// AdaptiveMaxPool2d is [Tensor.AdaptiveMaxPool1d] over the last two axes; -1
// keeps an extent.
func (t Tensor) AdaptiveMaxPool2d(size []int) Tensor {
	return t.adaptive("AdaptiveMaxPool2d", size, true)
}

func (t Tensor) adaptive(name string, size []int, largest bool) Tensor {
	c := start(name)
	if !c.checks(t) {
		return c.bad()
	}
	n := t.Rank() - len(size)
	if n < 1 {
		return c.fail("sizes %v for shape %s", size, shapeString(t.typ().Shape))
	}
	for i, k := range size {
		if k >= 0 {
			t = c.adaptiveAxis(t, n+i, ir.Const(int64(k)), largest)
		}
	}
	return c.named(t)
}

// adaptiveAxis pools one axis into k windows: element j of window i is at
// start(i)+j, or again its last.
func (c *call) adaptiveAxis(t Tensor, axis int, k ir.Dim, largest bool) Tensor {
	if t.err != nil || c.err != nil {
		return c.named(t)
	}
	n := t.typ().Shape[axis]
	c.positive(n, extentText(axis, n, k))
	pool := Tensor.Mean
	if largest {
		pool = Tensor.Max
	}
	if k.IsConst(0) {
		return pool(t.Unsqueeze(axis+1).Narrow(axis, 0, 0), axis+1)
	}
	if c.err == nil && n.Mod(k).IsConst(0) { // windows lie side by side
		s := t.typ().Shape.Clone()
		s[axis] = n.FloorDiv(k)
		return pool(t.ReshapeTo(slices.Insert(s, axis, k)), axis+1)
	}
	window := func(s ir.Shape) (from, to *node) {
		i, size, parts := c.iota(I64, s, 0), c.stretch(c.extent(n), s), c.stretch(c.extent(k), s)
		next := c.mul(c.add(i, c.integer(1, i)), size)
		from = c.op(ir.OpFloorDiv, nil, c.mul(i, size), parts)
		return from, c.neg(c.op(ir.OpFloorDiv, nil, c.neg(next), parts))
	}
	s := ir.Shape{k, widest(n, k)}
	from, to := window(s)
	at := c.add(from, c.iota(I64, s, 1))
	in := c.lt(at, to)
	at = c.op(ir.OpMin, nil, at, c.sub(to, c.integer(1, to)))
	all := t.Take(axis, c.out(c.table(at, n, k)))
	if largest || c.err != nil {
		return c.named(all.Max(axis + 1))
	}
	first, after := window(ir.Shape{k})
	mask := c.out(c.table(in, n, k))
	size := c.out(c.table(c.sub(after, first), n, k)).Cast(meanType(t.typ().DType))
	for range t.Rank() - axis - 1 {
		mask, size = mask.Unsqueeze(-1), size.Unsqueeze(-1)
	}
	return c.named(Where(mask, all, 0).Sum(axis + 1).Div(size))
}

// widest is the extent of the longest of k windows of an axis of n, or one more
// than that where they are not known.
func widest(n, k ir.Dim) ir.Dim {
	a, ok1 := n.Int()
	b, ok2 := k.Int()
	if ok1 && ok2 {
		gcd := new(big.Int).GCD(nil, nil, big.NewInt(a), big.NewInt(b))
		if gcd.Int64() == a%b { // no window begins and ends within elements
			return n.CeilDiv(k)
		}
	}
	return n.CeilDiv(k).AddConst(1)
}

// extentText says which extent is to become what.
func extentText(axis int, d, to ir.Dim) string {
	return fmt.Sprintf("axis %d of extent %v to %v, which are at least 1", axis, d, to)
}
