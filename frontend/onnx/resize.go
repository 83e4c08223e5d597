package onnx

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Resize and Upsample: along each axis that changes, each element of the
// result is a combination of one (nearest), two (linear) or four (cubic)
// elements, gathered at coordinates that are computed from the place.

// resizing is what the attributes of a Resize say.
type resizing struct {
	mode, coord, nearest string
	cubicA               float64
	excludeOutside       bool
	antialias            bool
}

func (n *node) resizing() resizing {
	return resizing{
		mode:           n.choice("mode", "nearest", "linear", "cubic"),
		coord:          n.str("coordinate_transformation_mode", "half_pixel"),
		nearest:        n.choice("nearest_mode", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
		cubicA:         n.float("cubic_coeff_a", -0.75),
		excludeOutside: n.flag("exclude_outside", false), antialias: n.flag("antialias", false),
	}
}

// axisScale is the change of one axis: from extent in to out by a factor,
// which is a known number, or out/in.
type axisScale struct {
	axis    int
	in, out ir.Dim
	scale   float64 // 0: out/in, computed when the model runs
}

func resize10(n *node) []*tensor { return upsample(n) }

func upsampleAttr(n *node) []*tensor {
	a := n.attr("scales", 6)
	if a == nil {
		n.fail("attribute \"scales\" is missing")
	}
	scales := make([]float64, len(a.Floats))
	for i, f := range a.Floats {
		scales[i] = float64(f)
	}
	return n.upsampled(scales)
}

func upsample(n *node) []*tensor { return n.upsampled(n.floatsOf(1, "scales")) }

// upsampled is Resize as it was before version 11.
func (n *node) upsampled(scales []float64) []*tensor {
	mode := n.choice("mode", "nearest", "linear", "bilinear")
	if mode == "bilinear" {
		mode = "linear"
	}
	r := resizing{mode: mode, coord: "asymmetric", nearest: "floor"}
	return n.resize(r, n.scaledAxes(scales, n.allAxes()))
}

func (n *node) allAxes() []int {
	axes := make([]int, n.typ(0).Rank())
	for i := range axes {
		axes[i] = i
	}
	return axes
}

// floatsOf returns the known elements of a float input.
func (n *node) floatsOf(i int, what string) []float64 {
	t := n.in[i]
	if t.elems == nil && !t.typ.Shape.Size().IsConst(0) || !t.typ.DType.IsFloat() {
		n.fail("%s (input %d) is computed when the model runs, %w", what, i, ErrNotConstant)
	}
	out := make([]float64, len(t.elems))
	for j, e := range t.elems {
		out[j] = e.f
	}
	return out
}

func resize11(n *node) []*tensor {
	r := n.resizing()
	axes := n.allAxes()
	if list := n.ints("axes"); list != nil {
		axes = n.axes(list, n.typ(0).Rank())
	}
	policy := n.choice("keep_aspect_ratio_policy", "stretch", "not_larger", "not_smaller")
	if r.antialias {
		n.lacks("antialias = 1 is not supported")
	}
	if n.has(3) && !n.typ(3).Shape.Size().IsConst(0) {
		if policy != "stretch" {
			return n.resize(r, n.aspectAxes(policy, axes))
		}
		return n.resize(r, n.sizedAxes(n.intsOf(3), axes))
	}
	if !n.has(2) {
		n.fail("neither scales nor sizes are given")
	}
	return n.resize(r, n.scaledAxes(n.floatsOf(2, "scales"), axes))
}

func (n *node) scaledAxes(scales []float64, axes []int) []axisScale {
	if len(scales) != len(axes) {
		n.fail("%d scales for %d axes", len(scales), len(axes))
	}
	var out []axisScale
	for i, axis := range axes {
		d, s := n.typ(0).Shape[axis], scales[i]
		if !(s > 0) || s > 1<<20 {
			n.fail("scale %v of axis %d, want a positive number", s, axis)
		}
		if s == 1 {
			continue
		}
		out = append(out, axisScale{axis, d, n.scaledExtent(d, s), s})
	}
	return out
}

// scaledExtent is floor(d*s).
func (n *node) scaledExtent(d ir.Dim, s float64) ir.Dim {
	if k, ok := d.Int(); ok {
		return ir.Const(int64(math.Floor(float64(float32(k) * float32(s)))))
	}
	for den := int64(1); den <= 1<<12; den <<= 1 {
		if num := s * float64(den); num == math.Trunc(num) {
			return d.MulConst(int64(num)).FloorDiv(ir.Const(den))
		}
	}
	n.fail("scale %v of the dynamic extent %v is not a fraction of a power of two; give sizes", s, d)
	return d
}

func (n *node) sizedAxes(sizes []ir.Dim, axes []int) []axisScale {
	if len(sizes) != len(axes) {
		n.fail("%d sizes for %d axes", len(sizes), len(axes))
	}
	var out []axisScale
	for i, axis := range axes {
		d := n.typ(0).Shape[axis]
		if sizes[i].Equal(d) {
			continue
		}
		a := axisScale{axis: axis, in: d, out: sizes[i]}
		in, ok := d.Int()
		size, ok2 := sizes[i].Int()
		if ok && ok2 && in > 0 {
			a.scale = float64(size) / float64(in)
		} else if k, ok := sizes[i].FloorDiv(d).Int(); ok && d.MulConst(k).Equal(sizes[i]) {
			a.scale = float64(k)
		}
		out = append(out, a)
	}
	return out
}

// aspectAxes scales all axes by one factor, so that none, or each, exceeds its
// size.
func (n *node) aspectAxes(policy string, axes []int) []axisScale {
	sizes := n.constInts(3, "sizes")
	if len(sizes) != len(axes) {
		n.fail("%d sizes for %d axes", len(sizes), len(axes))
	}
	best := math.NaN()
	ins := make([]int64, len(axes))
	for i, axis := range axes {
		in, ok := n.typ(0).Shape[axis].Int()
		if !ok || in == 0 {
			n.fail("keep_aspect_ratio_policy with the extent %v", n.typ(0).Shape[axis])
		}
		ins[i] = in
		s := float64(sizes[i]) / float64(in)
		if best != best || policy == "not_larger" && s < best || policy == "not_smaller" && s > best {
			best = s
		}
	}
	var out []axisScale
	for i, axis := range axes {
		size := ir.Const(int64(math.Floor(best*float64(ins[i]) + 0.5)))
		out = append(out, axisScale{axis, ir.Const(ins[i]), size, best})
	}
	return out
}

func (n *node) resize(r resizing, axes []axisScale) []*tensor {
	v := n.arg(0)
	d := v.Type.DType
	if r.mode != "nearest" {
		if !d.IsFloat() {
			v = n.cast(v, ir.F32)
		}
		v = n.wide(v)
	}
	if r.coord == "tf_crop_and_resize" {
		n.lacks("coordinate_transformation_mode tf_crop_and_resize is not supported")
	}
	for _, a := range axes {
		if r.mode == "nearest" {
			v = n.resizeNearest(v, r, a)
		} else {
			v = n.resizeBlend(v, r, a)
		}
	}
	return result(n.cast(v, d))
}

// coordinates computes, for each place along the result's axis, the f32
// coordinate in the input.
func (n *node) coordinates(r resizing, a axisScale) *ir.Value {
	x := n.cast(n.iota(a.out), ir.F32)
	scale := n.full(ir.F32, x.Type.Shape, a.scale)
	if a.scale == 0 {
		ratio := n.op(ir.OpDiv, nil, n.number(ir.F32, a.out), n.number(ir.F32, a.in))
		scale = n.broadcast(ratio, x.Type.Shape)
	}
	switch r.coord {
	case "asymmetric":
		return n.apply(ir.OpDiv, x, scale)
	case "half_pixel":
		return n.with(ir.OpSub, n.apply(ir.OpDiv, n.with(ir.OpAdd, x, 0.5), scale), 0.5)
	case "half_pixel_symmetric":
		// Of the fractional result extent, the middle stays in place.
		adjust := n.elementwise(ir.OpDiv, n.number(ir.F32, a.out),
			n.apply(ir.OpMul, scale, n.broadcast(n.number(ir.F32, a.in), scale.Type.Shape)))
		center := n.with(ir.OpMul, n.broadcast(n.number(ir.F32, a.in), x.Type.Shape), 0.5)
		offset := n.apply(ir.OpMul, center, n.apply(ir.OpSub, n.like(adjust, 1), adjust))
		half := n.with(ir.OpSub, n.apply(ir.OpDiv, n.with(ir.OpAdd, x, 0.5), scale), 0.5)
		return n.apply(ir.OpAdd, offset, half)
	case "pytorch_half_pixel":
		half := n.with(ir.OpSub, n.apply(ir.OpDiv, n.with(ir.OpAdd, x, 0.5), scale), 0.5)
		if bounds(a.out).lo > 1 {
			return half
		}
		one := n.broadcast(n.op(ir.OpLe, nil, n.dim(a.out), n.full(ir.I64, ir.Shape{}, 1)), x.Type.Shape)
		return n.apply(ir.OpSelect, one, n.like(half, 0), half)
	case "align_corners":
		span := n.broadcast(n.number(ir.F32, a.in.AddConst(-1)), x.Type.Shape)
		return n.elementwise(ir.OpDiv, n.apply(ir.OpMul, x, span), n.lastPlace(a))
	}
	n.fail("coordinate_transformation_mode %q is not known", r.coord)
	return nil
}

// lastPlace is the last coordinate of the result of align_corners: the extent,
// which is a fraction where a factor makes it one, less 1.
func (n *node) lastPlace(a axisScale) *ir.Value {
	if a.scale == 0 || a.out.Equal(a.in.MulConst(int64(a.scale))) {
		return n.number(ir.F32, greater(a.out.AddConst(-1), ir.Const(1)))
	}
	last := n.with(ir.OpSub, n.scaled(n.number(ir.F32, a.in), a.scale), 1)
	return n.with(ir.OpMax, last, 1e-6) // one place alone, whose coordinate is 0
}

// clampIndex converts coordinates to i64 ones inside an extent of d.
func (n *node) clampIndex(x *ir.Value, d ir.Dim) *ir.Value {
	i := n.cast(x, ir.I64)
	last := n.broadcast(n.dim(d.AddConst(-1)), i.Type.Shape)
	return n.with(ir.OpMax, n.apply(ir.OpMin, i, last), 0)
}

// repeats reports whether the nearest neighbours for a whole factor k are each
// element k times.
func (r *resizing) repeats() bool {
	switch r.coord {
	case "asymmetric":
		return r.nearest == "floor"
	case "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel":
		return r.nearest == "round_prefer_floor" || r.nearest == "round_prefer_ceil"
	}
	return false
}

func (n *node) resizeNearest(v *ir.Value, r resizing, a axisScale) *ir.Value {
	if k := int64(a.scale); float64(k) == a.scale && r.repeats() && a.out.Equal(a.in.MulConst(k)) {
		return n.repeat(v, a.axis, k)
	}
	x := n.coordinates(r, a)
	switch r.nearest {
	case "round_prefer_floor":
		x = n.apply(ir.OpCeil, n.with(ir.OpSub, x, 0.5))
	case "round_prefer_ceil":
		x = n.apply(ir.OpFloor, n.with(ir.OpAdd, x, 0.5))
	case "floor":
		x = n.apply(ir.OpFloor, x)
	case "ceil":
		x = n.apply(ir.OpCeil, x)
	}
	return n.op(ir.OpGather, &ir.AxisAttr{Axis: a.axis}, v, n.clampIndex(x, a.in))
}

// repeat puts each element of an axis k times: a broadcast along a new axis.
func (n *node) repeat(v *ir.Value, axis int, k int64) *ir.Value {
	s := v.Type.Shape
	wide := insertOnes(s, []int{axis + 1})
	stretched := wide.Clone()
	stretched[axis+1] = ir.Const(k)
	out := s.Clone()
	out[axis] = s[axis].MulConst(k)
	return n.view(n.broadcast(n.view(v, wide), stretched), out)
}

// resizeBlend is the weighted sum of the neighbours of each coordinate.
func (n *node) resizeBlend(v *ir.Value, r resizing, a axisScale) *ir.Value {
	x := n.coordinates(r, a)
	base := n.apply(ir.OpFloor, x)
	t := n.apply(ir.OpSub, x, base)
	weights := []*ir.Value{n.apply(ir.OpSub, n.like(t, 1), t), t}
	first := 0.0
	if r.mode == "cubic" {
		weights, first = n.cubicWeights(t, r.cubicA), -1
	}
	if r.excludeOutside {
		weights = n.insideOnly(weights, base, first, a.in)
	}
	rank := v.Type.Rank()
	var sum *ir.Value
	for i, w := range weights {
		at := n.clampIndex(n.with(ir.OpAdd, base, first+float64(i)), a.in)
		part := n.op(ir.OpGather, &ir.AxisAttr{Axis: a.axis}, v, at)
		part = n.elementwise(ir.OpMul, part, n.place(n.cast(w, v.Type.DType), rank, a.axis))
		if sum == nil {
			sum = part
		} else {
			sum = n.apply(ir.OpAdd, sum, part)
		}
	}
	return sum
}

// cubicWeights are those of the four neighbours (Keys 1981).
func (n *node) cubicWeights(t *ir.Value, a float64) []*ir.Value {
	// poly is ((c3*x + c2)*x + c1)*x + c0.
	poly := func(x *ir.Value, c3, c2, c1, c0 float64) *ir.Value {
		p := n.with(ir.OpAdd, n.with(ir.OpMul, x, c3), c2)
		p = n.with(ir.OpAdd, n.apply(ir.OpMul, p, x), c1)
		return n.with(ir.OpAdd, n.apply(ir.OpMul, p, x), c0)
	}
	near := func(x *ir.Value) *ir.Value { return poly(x, a+2, -(a + 3), 0, 1) }
	far := func(x *ir.Value) *ir.Value { return poly(x, a, -5*a, 8*a, -4*a) }
	back := n.apply(ir.OpSub, n.like(t, 1), t)
	before, after := far(n.with(ir.OpAdd, t, 1)), far(n.with(ir.OpAdd, back, 1))
	return []*ir.Value{before, near(t), near(back), after}
}

// insideOnly makes weights of neighbours outside the input 0 and lets the
// others sum to 1.
func (n *node) insideOnly(weights []*ir.Value, base *ir.Value, first float64,
	in ir.Dim) []*ir.Value {
	size := n.broadcast(n.number(ir.F32, in), base.Type.Shape)
	var sum *ir.Value
	out := make([]*ir.Value, len(weights))
	for i, w := range weights {
		at := n.with(ir.OpAdd, base, first+float64(i))
		inside := n.apply(ir.OpAnd, n.with(ir.OpGe, at, 0), n.apply(ir.OpLt, at, size))
		out[i] = n.apply(ir.OpSelect, inside, w, n.like(w, 0))
		if sum == nil {
			sum = out[i]
		} else {
			sum = n.apply(ir.OpAdd, sum, out[i])
		}
	}
	for i := range out {
		out[i] = n.apply(ir.OpDiv, out[i], sum)
	}
	return out
}
