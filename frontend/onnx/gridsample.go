package onnx

import (
	"github.com/tensorcc/tcc/ir"
)

// GridSample: elements at coordinates that a grid gives, or between them.

var gridRows = []row{
	{"GridSample", 16, 2, 2, gridSample},
	{"AffineGrid", 20, 2, 2, affineGrid},
}

// grid is a GridSample.
type grid struct {
	n       *node
	x       *ir.Value // [batch, spatial..., channels]
	padding string
	align   bool
	size    ir.Shape // spatial extents
	out     ir.Shape // [batch, places...]
}

func gridSample(n *node) []*tensor {
	k := n.spatial()
	v, at := n.arg(0), n.arg(1)
	mode := n.str("mode", "linear")
	g := &grid{n: n, padding: n.choice("padding_mode", "zeros", "border", "reflection"),
		align: n.flag("align_corners", false), size: v.Type.Shape[2:]}
	if at.Type.Rank() != k+2 {
		n.fail("grid %v for %v, want the same rank", at.Type, v.Type)
	}
	n.check(at.Type.Shape[k+1], ir.Const(int64(k)), "coordinates of a place")
	n.check(at.Type.Shape[0], v.Type.Shape[0], "batches of the grid")
	g.out = append(ir.Shape{v.Type.Shape[0]}, at.Type.Shape[1:k+1]...)
	at = n.view(at, append(g.out.Clone(), ir.Const(int64(k))))
	g.x = n.transpose(v, firstToLast(k+2)...)
	coords := make([]*ir.Value, k)
	for i := range coords { // the last coordinate is of the first axis
		c := n.take(at, k+1, ir.Const(int64(k-1-i)), ir.Const(1))
		coords[i] = g.coordinate(n.cast(n.view(c, g.out), ir.F32), i, mode == "nearest")
	}
	var sum *ir.Value
	switch mode {
	case "nearest":
		sum = g.pixel(coords)
	case "linear", "bilinear":
		sum = g.blend(coords, nil, nil, 0, func(t *ir.Value) []*ir.Value {
			return []*ir.Value{n.apply(ir.OpSub, n.like(t, 1), t), t}
		})
	case "cubic", "bicubic":
		sum = g.blend(coords, nil, nil, -1, func(t *ir.Value) []*ir.Value { return n.cubicWeights(t, -0.75) })
	default:
		n.fail("attribute \"mode\" is %q, want linear, nearest or cubic", mode)
	}
	return result(n.cast(n.transpose(sum, lastToFirst(k+2)...), v.Type.DType))
}

// length is extent i plus by, as a number of x's shape.
func (g *grid) length(x *ir.Value, i int, by float64) *ir.Value {
	n := g.n
	return n.with(ir.OpAdd, n.broadcast(n.number(ir.F32, g.size[i]), x.Type.Shape), by)
}

// coordinate turns a coordinate between -1 and 1 along axis i into one in
// elements.
func (g *grid) coordinate(x *ir.Value, i int, nearest bool) *ir.Value {
	n := g.n
	x = n.with(ir.OpAdd, x, 1)
	if g.align {
		x = n.with(ir.OpMul, n.apply(ir.OpMul, x, g.length(x, i, -1)), 0.5)
	} else {
		x = n.with(ir.OpMul, n.with(ir.OpSub, n.apply(ir.OpMul, x, g.length(x, i, 0)), 1), 0.5)
	}
	if nearest {
		x = n.apply(ir.OpRound, x)
	}
	return g.inside(x, i)
}

// inside moves coordinates outside axis i to the border, or reflects them.
func (g *grid) inside(x *ir.Value, i int) *ir.Value {
	n := g.n
	switch g.padding {
	case "border":
		return n.with(ir.OpMax, n.apply(ir.OpMin, x, g.length(x, i, -1)), 0)
	case "reflection": // with twice the period: up, then down
		low, period := -0.5, g.length(x, i, 0)
		if g.align {
			low, period = 0, n.with(ir.OpMax, g.length(x, i, -1), 1)
		}
		twice := n.with(ir.OpMul, period, 2)
		t := n.apply(ir.OpMod, n.with(ir.OpSub, x, low), twice)
		return n.with(ir.OpAdd, n.apply(ir.OpMin, t, n.apply(ir.OpSub, twice, t)), low)
	}
	return x
}

// pixel gathers the elements at whole coordinates, 0 for those outside.
func (g *grid) pixel(coords []*ir.Value) *ir.Value {
	n := g.n
	var inside *ir.Value
	parts := make([]*ir.Value, len(coords))
	for i, x := range coords {
		x = g.inside(x, i)
		ok := n.apply(ir.OpAnd, n.with(ir.OpGe, x, 0), n.apply(ir.OpLt, x, g.length(x, i, 0)))
		if inside == nil {
			inside = ok
		} else {
			inside = n.apply(ir.OpAnd, inside, ok)
		}
		parts[i] = n.unsqueeze(n.clampIndex(x, g.size[i]), len(g.out))
	}
	v := n.op(ir.OpGatherND, &ir.BatchAttr{Batch: 1}, g.x, n.concat(len(g.out), parts...))
	if g.padding != "zeros" {
		return v
	}
	mask := n.broadcast(n.unsqueeze(inside, len(g.out)), v.Type.Shape)
	return n.apply(ir.OpSelect, mask, v, n.like(v, 0))
}

// blend sums the neighbours of each place, with weights that are the products
// of those along each axis. at are the whole coordinates chosen so far, weight
// the product of their weights.
func (g *grid) blend(coords, at []*ir.Value, weight *ir.Value, first float64,
	weights func(t *ir.Value) []*ir.Value) *ir.Value {
	n := g.n
	if len(at) == len(coords) {
		v := g.pixel(at)
		w := n.broadcast(n.unsqueeze(weight, len(g.out)), v.Type.Shape)
		return n.apply(ir.OpMul, n.cast(v, ir.F32), w)
	}
	x := coords[len(at)]
	base := n.apply(ir.OpFloor, x)
	var sum *ir.Value
	for i, w := range weights(n.apply(ir.OpSub, x, base)) {
		if weight != nil {
			w = n.apply(ir.OpMul, weight, w)
		}
		next := append(at[:len(at):len(at)], n.with(ir.OpAdd, base, first+float64(i)))
		part := g.blend(coords, next, w, first, weights)
		if sum == nil {
			sum = part
		} else {
			sum = n.apply(ir.OpAdd, sum, part)
		}
	}
	return sum
}

// affineGrid makes the grid of an affine map: theta times the coordinates of
// each place, the last of which is 1.
func affineGrid(n *node) []*tensor {
	theta := n.arg(0)
	size := n.intsOf(1)
	k := len(size) - 2
	if theta.Type.Rank() != 3 || k < 1 {
		n.fail("theta %v for a size of %d extents", theta.Type, len(size))
	}
	align := n.flag("align_corners", false)
	places := ir.Shape(size[2:])
	ones := n.full(theta.Type.DType, places, 1)
	var axes []*ir.Value
	for i := k - 1; i >= 0; i-- { // the coordinate of the last axis is first
		d := n.number(theta.Type.DType, places[i])
		x := n.cast(n.iota(places[i]), theta.Type.DType)
		if align {
			last := n.with(ir.OpMax, n.with(ir.OpSub, d, 1), 1)
			x = n.with(ir.OpSub, n.elementwise(ir.OpDiv, n.with(ir.OpMul, x, 2), last), 1)
		} else {
			x = n.with(ir.OpAdd, n.with(ir.OpMul, x, 2), 1)
			x = n.with(ir.OpSub, n.elementwise(ir.OpDiv, x, d), 1)
		}
		axes = append(axes, n.broadcast(n.place(x, k, i), places))
	}
	parts := make([]*ir.Value, 0, k+1)
	for _, x := range append(axes, ones) {
		parts = append(parts, n.unsqueeze(x, k))
	}
	// [places..., k+1] with [batch, k, k+1] gives [places..., batch, k].
	dot := &ir.DotAttr{LContract: []int{k}, RContract: []int{2}}
	v := n.op(ir.OpDot, dot, n.concat(k, parts...), theta)
	perm := []int{k}
	for i := range k {
		perm = append(perm, i)
	}
	return result(n.transpose(v, append(perm, k+1)...))
}
