package autodiff

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// one makes a mapRule of a rule of an operation with one result, which gets
// its arguments as they are.
func one(f func(m *mapping, v *ir.Value, args []*ir.Value, on []bool) *ir.Value) mapRule {
	return func(m *mapping, v *ir.Value, args []*ir.Value, on []bool) (*ir.Value, []bool) {
		return f(m, v, args, on), []bool{true}
	}
}

// together is the rule of operations that do the same with one axis more,
// which all their arguments have; attr is the attribute that says so.
func together(attr func(m *mapping, a ir.Attr) ir.Attr) mapRule {
	return one(func(m *mapping, v *ir.Value, args []*ir.Value, on []bool) *ir.Value {
		return m.op(v.Op, attr(m, v.Attr), m.all(args, on)...)
	})
}

// mapRules is THE table of how operations are mapped over a new axis 0.
// Elementwise operations are added by init, as are those with bodies.
var mapRules = map[ir.Op]mapRule{
	ir.OpBroadcast: together(func(m *mapping, a ir.Attr) ir.Attr {
		b := a.(*ir.BroadcastAttr)
		return &ir.BroadcastAttr{Shape: m.wide(b.Shape), Axes: behind(b.Axes)}
	}),
	ir.OpReshape: together(func(m *mapping, a ir.Attr) ir.Attr {
		return &ir.ShapeAttr{Shape: m.wide(a.(*ir.ShapeAttr).Shape)}
	}),
	ir.OpTranspose: together(func(_ *mapping, a ir.Attr) ir.Attr {
		return &ir.PermAttr{Perm: behind(a.(*ir.PermAttr).Perm)}
	}),
	ir.OpSlice:       together(wholeFront),
	ir.OpUpdateSlice: together(wholeFront),
	ir.OpPad:         one(mapPad),
	ir.OpConcat:      together(nextAxis),

	ir.OpGather:    one(mapGather),
	ir.OpTakeAlong: together(nextAxis),
	ir.OpGatherND:  one(mapGatherND),
	ir.OpScatterAlong: together(func(_ *mapping, a ir.Attr) ir.Attr {
		s := a.(*ir.ScatterAttr)
		return &ir.ScatterAttr{Axis: s.Axis + 1, Reduce: s.Reduce}
	}),
	ir.OpScatterND:     one(mapScatterND),
	ir.OpDynamicSlice:  looped,
	ir.OpDynamicUpdate: looped,
	ir.OpRandomBits:    looped,

	ir.OpSum: together(nextAxes), ir.OpProd: together(nextAxes),
	ir.OpReduceMax: together(nextAxes), ir.OpReduceMin: together(nextAxes),
	ir.OpArgMax: together(nextAxis), ir.OpArgMin: together(nextAxis),
	ir.OpCumSum: together(nextCum), ir.OpCumProd: together(nextCum),
	ir.OpCumMax: together(nextCum), ir.OpCumLogSumExp: together(nextCum),
	ir.OpArgSort: together(func(_ *mapping, a ir.Attr) ir.Attr {
		s := a.(*ir.SortAttr)
		return &ir.SortAttr{Axis: s.Axis + 1, Desc: s.Desc}
	}),
	ir.OpWindowSum: together(wideWindow), ir.OpWindowMax: together(wideWindow),

	ir.OpDot:  one(mapDot),
	ir.OpConv: mapConv,
}

func init() {
	for _, op := range ir.Ops() {
		if op.Is(ir.Elementwise) {
			mapRules[op] = together(func(_ *mapping, a ir.Attr) ir.Attr { return a })
		}
	}
	mapRules[ir.OpIf], mapRules[ir.OpScan] = mapIf, mapScan
}

const constantAlone = "it has no argument"

// unmapped lists, with the reason, the operations that mapRules does not have.
var unmapped = map[ir.Op]string{
	ir.OpParam: "the caller says which are mapped", ir.OpConst: constantAlone,
	ir.OpDims: constantAlone, ir.OpIota: constantAlone, ir.OpCheck: constantAlone,
	ir.OpGet: "the walk itself takes tuples apart",
	ir.OpBind: "an extent that differs from example to example: " +
		"compute it outside, of what is not mapped",
	ir.OpNonZero: "its extent differs from example to example: use a mask and Where",
	ir.OpFuse:    "fusion runs after mapping: map before the passes",
}

// behind are axes, or a permutation of them, behind a new axis 0.
func behind(axes []int) []int {
	out := []int{0}
	for _, a := range axes {
		out = append(out, a+1)
	}
	return out
}

func nextAxis(_ *mapping, a ir.Attr) ir.Attr {
	return &ir.AxisAttr{Axis: a.(*ir.AxisAttr).Axis + 1}
}

func nextAxes(_ *mapping, a ir.Attr) ir.Attr {
	return &ir.AxesAttr{Axes: behind(a.(*ir.AxesAttr).Axes)[1:]}
}

func nextCum(_ *mapping, a ir.Attr) ir.Attr {
	c := *a.(*ir.CumAttr)
	c.Axis++
	return &c
}

func wholeFront(m *mapping, a ir.Attr) ir.Attr {
	s := a.(*ir.SliceAttr)
	return &ir.SliceAttr{Start: append(ir.Shape{ir.Const(0)}, s.Start...),
		Step: append([]int64{1}, s.Step...), Shape: m.wide(s.Shape)}
}

func wideWindow(_ *mapping, a ir.Attr) ir.Attr {
	w := a.(*ir.WindowAttr)
	zero := ir.Shape{ir.Const(0)}
	return &ir.WindowAttr{Size: append([]int64{1}, w.Size...),
		Stride: append([]int64{1}, w.Stride...), Dilation: append([]int64{1}, w.Dilation...),
		Lo: append(zero.Clone(), w.Lo...), Hi: append(zero.Clone(), w.Hi...)}
}

// mapPad pads with one number, or selects where each example has its own.
func mapPad(m *mapping, v *ir.Value, args []*ir.Value, on []bool) *ir.Value {
	a := v.Attr.(*ir.PadAttr)
	zero := ir.Shape{ir.Const(0)}
	wide := &ir.PadAttr{Lo: append(zero.Clone(), a.Lo...), Hi: append(zero.Clone(), a.Hi...)}
	x := args[0]
	if !on[0] {
		x = m.stretched(x)
	}
	if !on[1] {
		return m.op(ir.OpPad, wide, x, args[1])
	}
	padded := m.op(ir.OpPad, wide, x, m.scalar(x.Type.DType, 0))
	inside := m.op(ir.OpPad, wide, m.fill(x.Type.With(ir.Bool), 1), m.scalar(ir.Bool, 0))
	return m.op(ir.OpSelect, nil, inside, padded,
		m.broadcast(args[1], padded.Type.Shape, []int{0}))
}

// mapGather is a gather where only one argument is mapped, and else one of
// tuples of which the example's number is shared.
func mapGather(m *mapping, v *ir.Value, args []*ir.Value, on []bool) *ir.Value {
	axis := v.Attr.(*ir.AxisAttr).Axis
	x, idx := args[0], args[1]
	switch {
	case !on[1]:
		return m.op(ir.OpGather, &ir.AxisAttr{Axis: axis + 1}, x, idx)
	case !on[0]:
		return m.toFront(m.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, x, idx), axis)
	}
	x = m.transpose(x, moveAxis(x.Type.Rank(), axis+1, 1))
	tuples := m.cast(m.reshape(idx, append(idx.Type.Shape.Clone(), ir.Const(1))), ir.I64)
	y := m.op(ir.OpGatherND, &ir.BatchAttr{Batch: 1}, x, tuples)
	// Of y, the axes are the examples, those of idx, those of x but axis.
	k := idx.Type.Rank() - 1
	perm := append([]int{0}, count(1+k, axis)...)
	perm = append(perm, count(1, k)...)
	return m.transpose(y, append(perm, count(1+k+axis, y.Type.Rank()-1-k-axis)...))
}

// mapGatherND shares the new axis; where x has none, the tuples are just more.
func mapGatherND(m *mapping, v *ir.Value, args []*ir.Value, on []bool) *ir.Value {
	batch := v.Attr.(*ir.BatchAttr).Batch
	if !on[0] && batch == 0 {
		return m.op(ir.OpGatherND, v.Attr, args...)
	}
	return m.op(ir.OpGatherND, &ir.BatchAttr{Batch: batch + 1}, m.all(args, on)...)
}

// mapScatterND puts the example's number in front of each tuple.
func mapScatterND(m *mapping, v *ir.Value, args []*ir.Value, on []bool) *ir.Value {
	args = m.all(args, on)
	idx := args[1]
	s := idx.Type.Shape.Clone()
	last := len(s) - 1
	s[last] = ir.Const(1)
	number := m.cast(m.iota(s, 0), idx.Type.DType)
	args[1] = m.op(ir.OpConcat, &ir.AxisAttr{Axis: last}, number, idx)
	return m.op(ir.OpScatterND, v.Attr, args...)
}

// mapDot makes the new axis one of the batch, or a free one where only one
// argument has it.
func mapDot(m *mapping, v *ir.Value, args []*ir.Value, on []bool) *ir.Value {
	a := v.Attr.(*ir.DotAttr)
	wide := *a
	if on[0] {
		wide.LBatch, wide.LContract = behind(a.LBatch)[1:], behind(a.LContract)[1:]
	}
	if on[1] {
		wide.RBatch, wide.RContract = behind(a.RBatch)[1:], behind(a.RContract)[1:]
	}
	nb := len(a.LBatch)
	switch {
	case on[0] && on[1]:
		wide.LBatch, wide.RBatch = append([]int{0}, wide.LBatch...), append([]int{0}, wide.RBatch...)
		return m.op(ir.OpDot, &wide, args...)
	case on[0]:
		return m.toFront(m.op(ir.OpDot, &wide, args...), nb)
	}
	free := args[0].Type.Rank() - nb - len(a.LContract)
	return m.toFront(m.op(ir.OpDot, &wide, args...), nb+free)
}

// mapConv takes examples for more of the batch where they share the weights;
// else each is a group of its own.
func mapConv(m *mapping, v *ir.Value, args []*ir.Value, on []bool) (*ir.Value, []bool) {
	x, w, a := args[0], args[1], v.Attr.(*ir.ConvAttr)
	if !on[1] {
		s := x.Type.Shape
		y := m.op(ir.OpConv, a, m.reshape(x, append(ir.Shape{s[0].Mul(s[1])}, s[2:]...)), w)
		return m.reshape(y, append(ir.Shape{s[0], s[1]}, y.Type.Shape[1:]...)), yes(1)
	}
	n, static := m.n.Int()
	if !static {
		return looped(m, v, args, on)
	}
	if !on[0] {
		x = m.stretched(x)
	}
	wide := *a
	wide.Groups *= n
	rank := v.Type.Rank()
	xc, wo := 1, 0 // the axes of channels in x and the result, and of outputs in w
	if a.Last {
		xc, wo = rank-1, rank-1
	}
	y := m.op(ir.OpConv, &wide, m.merge(x, xc), m.merge(w, wo))
	s := y.Type.Shape
	split := slices.Concat(s[:xc], ir.Shape{m.n, s[xc].FloorDiv(m.n)}, s[xc+1:])
	return m.toFront(m.reshape(y, split), xc), yes(1)
}

// merge moves the new axis of x in front of axis and makes one of both.
func (m *mapping) merge(x *ir.Value, axis int) *ir.Value {
	x = m.transpose(x, moveAxis(x.Type.Rank(), 0, axis))
	s := x.Type.Shape
	return m.reshape(x, slices.Concat(s[:axis], ir.Shape{s[axis].Mul(s[axis+1])}, s[axis+2:]))
}

// mapIf maps the branches where all examples take the same.
func mapIf(m *mapping, v *ir.Value, args []*ir.Value, on []bool) (*ir.Value, []bool) {
	a := v.Attr.(*ir.IfAttr)
	if on[0] {
		if len(a.Syms) > 0 {
			m.fail("if cannot be mapped: which branch is taken differs from example to example, " +
				"and with it the shape of the results: give both branches results of one shape")
		}
		return looped(m, v, args, on)
	}
	always := func(int, bool) bool { return true }
	wide := *a
	wide.Then = m.mapped(a.Then, on[1:], always)
	wide.Else = m.mapped(a.Else, on[1:], always)
	return m.op(ir.OpIf, &wide, args...), yes(len(a.Then.Results))
}

func (m *mapping) mapped(g *ir.Graph, on []bool, want func(int, bool) bool) *ir.Graph {
	out, _, err := mapGraph(g, on, m.n, want)
	if err != nil {
		m.fail("%w", err)
	}
	return out
}

// mapScan maps the body. A carry has the new axis if it comes in with it or
// gets it in some step; slices have it behind the axis of steps.
func mapScan(m *mapping, v *ir.Value, args []*ir.Value, on []bool) (*ir.Value, []bool) {
	a := v.Attr.(*ir.LoopAttr)
	on = slices.Clone(on)
	var has []bool
	for {
		var err error
		if _, has, err = mapGraph(a.Body, on, m.n, func(int, bool) bool { return false }); err != nil {
			m.fail("%w", err)
		}
		grown := false
		for i := range a.Carry {
			if has[i] && !on[i] {
				on[i], grown = true, true
			}
		}
		if !grown {
			break
		}
	}
	wide := *a
	wide.Body = m.mapped(a.Body, on, func(i int, h bool) bool { return h || i < a.Carry && on[i] })
	copy(has, on[:a.Carry])
	in := slices.Clone(args)
	for i := range in {
		switch {
		case i < a.Carry && on[i] && in[i].Type.Rank() == v.Args[i].Type.Rank():
			in[i] = m.stretched(in[i])
		case i >= a.Carry && i < a.Carry+a.Xs && on[i]:
			in[i] = m.transpose(in[i], moveAxis(in[i].Type.Rank(), 1, 0))
		}
	}
	res := m.results(m.op(ir.OpScan, &wide, in...))
	for i := a.Carry; i < len(res); i++ {
		if has[i] {
			res[i] = m.toFront(res[i], 1)
		}
	}
	return m.tuple(v, res, has)
}

// tuple notes the results of v for those who get them.
func (m *mapping) tuple(v *ir.Value, res []*ir.Value, has []bool) (*ir.Value, []bool) {
	if v.Type.DType != ir.Tuple {
		return res[0], has
	}
	m.parts[v] = res
	return nil, has
}
