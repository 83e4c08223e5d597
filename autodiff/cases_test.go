package autodiff

import (
	"github.com/tensorcc/tcc/ir"
)

// gradCases has at least one graph for each rule.
func gradCases() []gradCase {
	cases := unaryCases()
	cases = append(cases, binaryCases()...)
	cases = append(cases, moveCases()...)
	cases = append(cases, indexCases()...)
	cases = append(cases, reduceCases()...)
	cases = append(cases, productCases()...)
	return append(cases, regionCases()...)
}

func unaryCases() []gradCase {
	var cases []gradCase
	add := func(lo, hi float64, ops ...ir.Op) {
		for _, op := range ops {
			cases = append(cases, gradCase{op: op, name: "all", params: [][]int64{{2, 3}}, lo: lo, hi: hi,
				build: func(b *back, p []*ir.Value) *ir.Value { return b.op(op, nil, p[0]) }})
		}
	}
	add(-2, 2, ir.OpNeg, ir.OpAbs, ir.OpSign, ir.OpCeil, ir.OpFloor, ir.OpTrunc, ir.OpRound,
		ir.OpExp, ir.OpExpm1,
		ir.OpSin, ir.OpCos, ir.OpAtan, ir.OpSinh, ir.OpCosh, ir.OpTanh, ir.OpAsinh,
		ir.OpErf, ir.OpSigmoid)
	add(0.2, 2, ir.OpSqrt, ir.OpLog, ir.OpLog1p)
	add(-0.8, 0.8, ir.OpTan, ir.OpAsin, ir.OpAcos, ir.OpAtanh)
	add(1.2, 3, ir.OpAcosh)
	cases = append(cases, gradCase{op: ir.OpBarrier, name: "computed again", params: [][]int64{{2}},
		lo: -1, hi: 1, build: func(b *back, p []*ir.Value) *ir.Value {
			return b.square(b.op(ir.OpBarrier, &ir.BarrierAttr{ID: 1}, p[0]))
		}})
	return append(cases, gradCase{op: ir.OpCast, name: "through f32", params: [][]int64{{2}}, lo: 1,
		hi: 2, once: true,
		build: func(b *back, p []*ir.Value) *ir.Value {
			// The value does not depend on the cast, which would round
			// the differences; the gradient passes it.
			f := b.cast(b.cast(p[0], ir.F32), ir.F64)
			return b.sub(b.add(f, p[0]), f)
		}})
}

func binaryCases() []gradCase {
	var cases []gradCase
	add := func(lo, hi float64, ops ...ir.Op) {
		for _, op := range ops {
			cases = append(cases, gradCase{op: op, name: "all", params: [][]int64{{2, 3}, {2, 3}}, lo: lo,
				hi:    hi,
				build: func(b *back, p []*ir.Value) *ir.Value { return b.op(op, nil, p[0], p[1]) }})
		}
	}
	add(0.3, 2.5, ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpDiv, ir.OpFloorDiv, ir.OpRem, ir.OpMod,
		ir.OpPow, ir.OpAtan2,
		ir.OpMax, ir.OpMin)
	add(-2.5, -0.3, ir.OpRem, ir.OpMod)
	for _, c := range []float64{-1, 0, 1, 2, 3, 2.5} {
		cases = append(cases, gradCase{op: ir.OpPow, name: "constant", params: [][]int64{{4}}, lo: 0.3,
			hi: 2,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return b.op(ir.OpPow, nil, p[0], b.num(p[0],
					c))
			}})
	}
	return append(cases,
		gradCase{op: ir.OpMul, name: "square", params: [][]int64{{3}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value { return b.mul(p[0], p[0]) }},
		gradCase{op: ir.OpSelect, name: "all", params: [][]int64{{5}, {5}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return b.op(ir.OpSelect, nil, b.op(ir.OpGt, nil, p[0], p[1]), b.square(p[0]), b.mul(p[0], p[1]))
			}},
		gradCase{op: ir.OpFMA, name: "all", params: [][]int64{{5}, {5}, {5}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value { return b.op(ir.OpFMA, nil, p[0], p[1], p[2]) }})
}

func at(start []int64, step []int64, shape []int64) *ir.SliceAttr {
	return &ir.SliceAttr{Start: ir.Dims(start...), Step: step, Shape: ir.Dims(shape...)}
}

// bend makes a linear operation's second derivative interesting.
func bend(b *back, x *ir.Value) *ir.Value { return b.mul(x, b.op(ir.OpSin, nil, x)) }

func moveCases() []gradCase {
	return []gradCase{
		{op: ir.OpBroadcast, name: "stretch and add axes", params: [][]int64{{3, 1}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.broadcast(p[0], ir.Dims(2, 3, 4, 5), []int{1, 3}))
			}},
		{op: ir.OpReshape, name: "all", params: [][]int64{{3, 4}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.reshape(p[0], ir.Dims(2,
					6)))
			}},
		{op: ir.OpTranspose, name: "all", params: [][]int64{{2, 3, 4}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return b.mul(b.transpose(p[0], []int{2, 0, 1}), b.reshape(p[0], ir.Dims(4, 2, 3)))
			}},
		{op: ir.OpSlice, name: "unit steps", params: [][]int64{{4, 5}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.slice(p[0], at([]int64{1, 0}, []int64{1, 1}, []int64{2, 4})))
			}},
		{op: ir.OpSlice, name: "negative and large steps", params: [][]int64{{4, 5}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.slice(p[0], at([]int64{3, 0}, []int64{-1, 2}, []int64{3, 3})))
			}},
		{op: ir.OpUpdateSlice, name: "all", params: [][]int64{{4, 5}, {2, 3}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpUpdateSlice, at([]int64{3, 0}, []int64{-2, 2}, []int64{2, 3}), p[0],
					p[1]))
			}},
		{op: ir.OpPad, name: "pads and crops", params: [][]int64{{4, 5}, {}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpPad, &ir.PadAttr{Lo: ir.Dims(2, -1), Hi: ir.Dims(-1, 3)}, p[0], p[1]))
			}},
		{op: ir.OpConcat, name: "three, one twice", params: [][]int64{{2, 3}, {2, 1}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpConcat, &ir.AxisAttr{Axis: 1}, p[0], p[1], p[0]))
			}},
		{op: ir.OpDynamicSlice, name: "clamped", params: [][]int64{{4, 5}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpDynamicSlice, &ir.ShapeAttr{Shape: ir.Dims(2, 3)}, p[0], ints(b,
					[]int64{2}, 3, 1)))
			}},
		{op: ir.OpDynamicUpdate, name: "clamped", params: [][]int64{{4, 5}, {2, 3}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpDynamicUpdate, nil, p[0], p[1], ints(b, []int64{2}, 1, 7)))
			}},
	}
}

func ints(b *back, shape []int64, data ...int64) *ir.Value {
	return b.constant(ir.NewLiteral(ir.I64, shape, data))
}

func indexCases() []gradCase {
	cases := []gradCase{
		{op: ir.OpGather, name: "middle axis, repeated", params: [][]int64{{2, 4, 3}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpGather, &ir.AxisAttr{Axis: 1}, p[0], ints(b, []int64{2, 2}, 3, 0, 3,
					1)))
			}},
		{op: ir.OpGather, name: "scalar index", params: [][]int64{{3, 2}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpGather, &ir.AxisAttr{}, p[0], ints(b, []int64{}, 1)))
			}},
		{op: ir.OpTakeAlong, name: "repeated", params: [][]int64{{3, 4}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: 1}, p[0], ints(b, []int64{2, 3}, 1, 1,
					3, 0, 2, 2)))
			}},
		{op: ir.OpTakeAlong, name: "one of each line", params: [][]int64{{3, 4}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: 1}, p[0], ints(b, []int64{3, 1}, 1, 3,
					0)))
			}},
		{op: ir.OpGatherND, name: "no batch", params: [][]int64{{3, 4, 2}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpGatherND, &ir.BatchAttr{}, p[0], ints(b, []int64{3, 2}, 1, 1, 2, 3,
					1, 1)))
			}},
		{op: ir.OpGatherND, name: "batch", params: [][]int64{{2, 3, 4}}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpGatherND, &ir.BatchAttr{Batch: 1}, p[0], ints(b, []int64{2, 2, 1}, 2,
					2, 0, 1)))
			}},
	}
	for _, reduce := range []string{"none", "add", "min", "max"} {
		attr := &ir.ScatterAttr{Axis: 1, Reduce: reduce}
		cases = append(cases,
			gradCase{op: ir.OpScatterAlong, name: reduce, params: [][]int64{{2, 4}, {2, 3}}, lo: -1, hi: 1,
				build: func(b *back, p []*ir.Value) *ir.Value {
					return bend(b, b.op(ir.OpScatterAlong, attr, p[0], ints(b, []int64{2, 3}, 1, 3, 1, 0, 2, 0),
						p[1]))
				}},
			gradCase{op: ir.OpScatterND, name: reduce, params: [][]int64{{3, 2}, {3, 2}}, lo: -1, hi: 1,
				build: func(b *back, p []*ir.Value) *ir.Value {
					return bend(b, b.op(ir.OpScatterND, &ir.ScatterAttr{Reduce: reduce}, p[0], ints(b, []int64{3,
						1}, 2, 0, 2), p[1]))
				}})
	}
	return cases
}

func reduceCases() []gradCase {
	var cases []gradCase
	choices := map[string][]int{"last": {2}, "outer": {0, 2}, "all": {0, 1, 2}, "none": {}}
	for _, op := range []ir.Op{ir.OpSum, ir.OpProd, ir.OpReduceMax, ir.OpReduceMin} {
		for name, axes := range choices {
			cases = append(cases, gradCase{op: op, name: name, params: [][]int64{{2, 3, 2}}, lo: -2, hi: 2,
				build: func(b *back, p []*ir.Value) *ir.Value {
					return bend(b, b.op(op, &ir.AxesAttr{Axes: axes}, p[0]))
				}})
		}
	}
	cases = append(cases, gradCase{op: ir.OpProd, name: "zeros", params: [][]int64{{4}}, lo: -2, hi: 2,
		build: func(b *back, p []*ir.Value) *ir.Value {
			mask := b.constant(ir.NewLiteral(ir.F64, []int64{4}, []float64{1, 0, 1, 1}))
			return b.op(ir.OpProd, &ir.AxesAttr{Axes: []int{0}}, b.mul(p[0], mask))
		}})
	for _, op := range []ir.Op{ir.OpCumSum, ir.OpCumProd, ir.OpCumMax, ir.OpCumLogSumExp} {
		for _, a := range []ir.CumAttr{{Axis: 0}, {Axis: 1, Exclusive: true}, {Axis: 0, Reverse: true},
			{Axis: 1, Exclusive: true, Reverse: true}} {
			cases = append(cases, gradCase{op: op, name: "all", params: [][]int64{{3, 4}}, lo: -2, hi: 2,
				build: func(b *back, p []*ir.Value) *ir.Value {
					y := b.op(op, &a, p[0])
					return bend(b, b.op(ir.OpMax, nil, y, b.num(y, -10))) // of nothing it may be -Inf
				}})
		}
	}
	for _, op := range []ir.Op{ir.OpWindowSum, ir.OpWindowMax} {
		for _, a := range []ir.WindowAttr{
			{Size: []int64{1, 2, 3}, Stride: []int64{1, 1, 1}, Dilation: []int64{1, 1, 1}, Lo: ir.Dims(0,
				0, 0), Hi: ir.Dims(0, 0, 0)},
			{Size: []int64{1, 2, 3}, Stride: []int64{1, 2, 3}, Dilation: []int64{1, 2, 1}, Lo: ir.Dims(0,
				1, 2), Hi: ir.Dims(0, 0, 1)},
			{Size: []int64{1, 1, 3}, Stride: []int64{1, 3, 2}, Dilation: []int64{1, 1, 2}, Lo: ir.Dims(0,
				0, 1), Hi: ir.Dims(0, 0, 2)},
		} {
			cases = append(cases, gradCase{op: op, name: "all", params: [][]int64{{2, 5, 7}}, lo: -2, hi: 2,
				build: func(b *back, p []*ir.Value) *ir.Value { return bend(b, b.op(op, &a, p[0])) }})
		}
	}
	return cases
}

func productCases() []gradCase {
	var cases []gradCase
	dot := func(name string, x, y []int64, a ir.DotAttr) {
		cases = append(cases, gradCase{op: ir.OpDot, name: name, params: [][]int64{x, y}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpDot, &a, p[0],
					p[1]))
			}})
	}
	dot("matrices", []int64{2, 3}, []int64{3, 4}, ir.DotAttr{LContract: []int{1}, RContract: []int{0}})
	dot("vectors", []int64{3}, []int64{3}, ir.DotAttr{LContract: []int{0}, RContract: []int{0}})
	dot("outer", []int64{3}, []int64{2}, ir.DotAttr{})
	dot("batch inside", []int64{2, 4, 3}, []int64{3, 5, 4}, ir.DotAttr{LBatch: []int{1},
		RBatch:    []int{2},
		LContract: []int{2}, RContract: []int{0}})
	dot("two contracted, crossed", []int64{2, 3, 4, 2}, []int64{4, 2, 5, 3},
		ir.DotAttr{LBatch: []int{0}, RBatch: []int{1},
			LContract: []int{2, 1}, RContract: []int{0, 3}})
	conv := func(name string, x, w []int64, a ir.ConvAttr) {
		cases = append(cases, gradCase{op: ir.OpConv, name: name, params: [][]int64{x, w}, lo: -1, hi: 1,
			build: func(b *back, p []*ir.Value) *ir.Value {
				return bend(b, b.op(ir.OpConv, &a, p[0],
					p[1]))
			}})
	}
	conv("plain", []int64{2, 3, 5}, []int64{4, 3, 2}, ir.ConvAttr{Stride: []int64{1},
		Dilation:   []int64{1},
		InDilation: []int64{1}, Lo: ir.Dims(0), Hi: ir.Dims(0), Groups: 1})
	all := ir.ConvAttr{Stride: []int64{2, 1}, Dilation: []int64{1, 2}, InDilation: []int64{1, 2},
		Lo: ir.Dims(1, 2), Hi: ir.Dims(0, -1), Groups: 2}
	conv("groups, strides, dilations", []int64{2, 4, 6, 5}, []int64{6, 2, 3, 2}, all)
	all.Last = true
	conv("channels last", []int64{2, 6, 5, 4}, []int64{3, 2, 2, 6}, all)
	conv("remainder", []int64{1, 1, 8}, []int64{1, 1, 3}, ir.ConvAttr{Stride: []int64{3},
		Dilation:   []int64{1},
		InDilation: []int64{1}, Lo: ir.Dims(0), Hi: ir.Dims(1), Groups: 1})
	return cases
}

func regionCases() []gradCase {
	branch := func(name string, f func(b *back, x, y *ir.Value) *ir.Value) *ir.Graph {
		g := ir.NewGraph(name)
		x, y := g.Param("x", ir.T(ir.F64, ir.Const(3)), ir.Pos{}), g.Param("y", ir.T(ir.F64,
			ir.Const(3)), ir.Pos{})
		g.SetResults(nil, f(&back{g: g}, x, y))
		return g
	}
	then := branch("then", func(b *back, x, y *ir.Value) *ir.Value { return b.mul(x, bend(b, y)) })
	other := branch("else", func(b *back, x, _ *ir.Value) *ir.Value { return bend(b, x) })
	choose := func(c float64) func(b *back, p []*ir.Value) *ir.Value {
		return func(b *back, p []*ir.Value) *ir.Value {
			return b.op(ir.OpIf, &ir.IfAttr{Then: then, Else: other}, b.scalar(ir.Bool, c), p[0], p[1])
		}
	}
	two := [][]int64{{3}, {3}}
	return []gradCase{
		{op: ir.OpIf, name: "then", params: two, lo: -1, hi: 1, build: choose(1)},
		{op: ir.OpIf, name: "else", params: two, lo: -1, hi: 1, build: choose(0)},
		{op: ir.OpScan, name: "forward", params: [][]int64{{2}, {4, 2}, {2, 2}}, lo: -1, hi: 1,
			build: recurrence(false)},
		{op: ir.OpScan, name: "reverse", params: [][]int64{{2}, {4, 2}, {2, 2}}, lo: -1, hi: 1,
			build: recurrence(true)},
	}
}

// recurrence is h = tanh(w h + x), stacked, plus the last h.
func recurrence(reverse bool) func(b *back, p []*ir.Value) *ir.Value {
	return func(b *back, p []*ir.Value) *ir.Value {
		body := ir.NewGraph("step")
		vec := ir.T(ir.F64, ir.Const(2))
		h, x := body.Param("h", vec, ir.Pos{}), body.Param("x", vec, ir.Pos{})
		w := body.Param("w", p[2].Type, ir.Pos{})
		in := &back{g: body}
		wh := in.op(ir.OpDot, &ir.DotAttr{LContract: []int{1}, RContract: []int{0}}, w, h)
		next := in.op(ir.OpTanh, nil, in.add(wh, x))
		body.SetResults(nil, next, in.mul(next, x))
		loop := &ir.LoopAttr{Body: body, Carry: 1, Xs: 1, Length: ir.Const(4), Reverse: reverse}
		res := b.results(b.op(ir.OpScan, loop, p[0], p[1], p[2]))
		return b.add(res[1], b.broadcast(res[0], ir.Dims(4, 2), []int{1}))
	}
}
