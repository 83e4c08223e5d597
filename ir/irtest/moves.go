package irtest

import "github.com/tensorcc/tcc/ir"

// makers append operations that are not elementwise. An entry gives up where
// the graph has nothing that fits.
var makers map[ir.Op]func(b *gen, op ir.Op)

func init() {
	makers = map[ir.Op]func(b *gen, op ir.Op){
		ir.OpExp:     func(b *gen, op ir.Op) { either(b, op, softmax) },
		ir.OpConst:   func(b *gen, _ ir.Op) { b.makeConst() },
		ir.OpDims:    makeDims,
		ir.OpBind:    makeBind,
		ir.OpCheck:   makeCheck,
		ir.OpIf:      makeIf,
		ir.OpScan:    makeScan,
		ir.OpFuse:    makeFuse,
		ir.OpIota:    makeIota,
		ir.OpNonZero: makeNonZero, ir.OpRandomBits: makeRandom,
		ir.OpBroadcast: makeBroadcast, ir.OpReshape: makeReshape, ir.OpTranspose: makeTranspose,
		ir.OpSlice: makeSlice, ir.OpUpdateSlice: makeSlice, ir.OpPad: makePad,
		ir.OpConcat: makeConcat, ir.OpGather: makeGather, ir.OpTakeAlong: makeAlong,
		ir.OpScatterAlong: makeAlong, ir.OpGatherND: makeND, ir.OpScatterND: makeND,
		ir.OpDynamicSlice: makeDynamic, ir.OpDynamicUpdate: makeDynamic,
		ir.OpSum: makeReduce, ir.OpProd: makeReduce, ir.OpReduceMax: makeReduce,
		ir.OpReduceMin: makeReduce, ir.OpArgMax: makeArg, ir.OpArgMin: makeArg,
		ir.OpCumSum: makeCum, ir.OpCumProd: makeCum, ir.OpCumMax: makeCum,
		ir.OpCumLogSumExp: makeCum, ir.OpArgSort: makeArgSort,
		ir.OpWindowSum: makeWindow, ir.OpWindowMax: makeWindow, ir.OpDot: makeDot,
		ir.OpConv: makeConv,
	}
}

// either appends the elementwise op or a larger piece that contains it.
func either(b *gen, op ir.Op, f func(*gen, ir.Op)) {
	if b.chance(2) {
		f(b, op)
		return
	}
	elementwise(b, op)
}

func (b *gen) makeConst() {
	if d, ok := b.dtype(ir.OpConst, ir.Storable); ok {
		s := b.shape()
		b.constant(ir.Of(d, s), b.kind, 0, []int64{1})
	}
}

// moved emits a move of x, whose elements keep their bound.
func (b *gen) moved(op ir.Op, attr ir.Attr, args ...*ir.Value) {
	b.emit(b.bound(args[0]), op, attr, args...)
}

func makeBroadcast(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, nil)
	if x == nil {
		return
	}
	var s ir.Shape
	axes := []int{}
	for _, d := range x.Type.Shape {
		for b.chance(3) {
			s = append(s, b.extent())
		}
		if d.IsConst(1) && b.chance(2) {
			d = b.extent()
		}
		axes = append(axes, len(s))
		s = append(s, d)
	}
	if len(axes) == 0 || b.chance(4) {
		s = append(s, b.extent())
	}
	if b.fits(s) {
		b.moved(op, &ir.BroadcastAttr{Shape: s, Axes: axes}, x)
	}
}

// makeReshape merges neighbouring axes, splits static ones, adds and drops
// axes of extent 1.
func makeReshape(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, nil)
	if x == nil {
		return
	}
	s := ir.Shape{}
	for _, d := range x.Type.Shape {
		k, static := d.Int()
		switch {
		case len(s) > 0 && b.chance(2):
			s[len(s)-1] = s[len(s)-1].Mul(d)
		case static && k > 1 && b.chance(2):
			f := int64(2 + b.r.IntN(3))
			if k%f == 0 {
				s = append(s, ir.Const(f), ir.Const(k/f))
			} else {
				s = append(s, d)
			}
		case static && k == 1 && b.chance(2):
		default:
			s = append(s, d)
		}
		if b.chance(6) {
			s = append(s, ir.Const(1))
		}
	}
	if b.fits(s) {
		b.moved(op, &ir.ShapeAttr{Shape: s}, x)
	}
}

func makeTranspose(b *gen, op ir.Op) {
	if x := b.value(op, ir.Storable, nil); x != nil {
		b.moved(op, &ir.PermAttr{Perm: b.r.Perm(x.Type.Rank())}, x)
	}
}

// makeSlice appends a slice or the update of one.
func makeSlice(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, nil)
	if x == nil {
		return
	}
	a := &ir.SliceAttr{}
	for _, d := range x.Type.Shape {
		start, step, n := b.sliceAxis(d)
		a.Start, a.Step, a.Shape = append(a.Start, start), append(a.Step, step), append(a.Shape, n)
	}
	if op == ir.OpSlice {
		b.moved(op, a, x)
		return
	}
	if y := b.like(ir.Of(x.Type.DType, a.Shape), nil); y != nil {
		b.emit(join(b.bound(x), b.bound(y)), op, a, x, y)
	}
}

// sliceAxis picks a part of an axis of extent d.
func (b *gen) sliceAxis(d ir.Dim) (start ir.Dim, step int64, n ir.Dim) {
	k := b.minOf(d)
	lo := int64(0)
	if k > 0 {
		lo = b.r.Int64N(min(k, 3))
	}
	step = []int64{1, 1, 1, 2, 3, -1, -2}[b.r.IntN(7)]
	switch {
	case b.chance(3) || k == 0:
		return ir.Const(0), 1, d
	case step > 0: // from lo to the end, in steps
		return ir.Const(lo), step, d.AddConst(-lo).CeilDiv(ir.Const(step))
	default:
		return d.AddConst(-1 - lo), step, d.AddConst(-lo).CeilDiv(ir.Const(-step))
	}
}

func makePad(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, nil)
	if x == nil {
		return
	}
	y := b.like(ir.T(x.Type.DType), nil)
	if y == nil {
		return
	}
	a := &ir.PadAttr{}
	s := x.Type.Shape.Clone()
	for i, d := range s {
		lo, hi := b.r.Int64N(5)-1, b.r.Int64N(5)-1
		if b.minOf(d)+lo+hi < 0 || b.minOf(d) < 2 && (lo < 0 || hi < 0) {
			lo, hi = 0, 1
		}
		a.Lo, a.Hi = append(a.Lo, ir.Const(lo)), append(a.Hi, ir.Const(hi))
		s[i] = d.AddConst(lo + hi)
	}
	if b.fits(s) {
		b.emit(join(b.bound(x), b.bound(y)), op, a, x, y)
	}
}

func makeConcat(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, func(v *ir.Value) bool { return v.Type.Rank() > 0 })
	if x == nil {
		return
	}
	axis := b.r.IntN(x.Type.Rank())
	args, s := []*ir.Value{x}, x.Type.Shape.Clone()
	for range 1 + b.r.IntN(3) {
		t := x.Type.Shape.Clone()
		if b.chance(2) {
			t[axis] = b.extent()
		}
		if s[axis] = s[axis].Add(t[axis]); !b.fits(s) {
			return
		}
		y := b.like(ir.Of(x.Type.DType, t), nil)
		if y == nil {
			return
		}
		args = append(args, y)
	}
	b.emit(join(b.boundsOf(args)...), op, &ir.AxisAttr{Axis: axis}, args...)
}

func makeIota(b *gen, op ir.Op) {
	d, ok := b.dtype(op, ir.Numeric)
	s := append(b.shape(), b.extent())
	if ok && b.fits(s) {
		b.emit(Bound{mag: float64(b.MaxElems), clean: true}, op,
			&ir.IotaAttr{DType: d, Shape: s, Axis: b.r.IntN(len(s))})
	}
}

func makeRandom(b *gen, op ir.Op) {
	if !b.allowed(op, ir.U64) || !b.allowed(op, ir.U32) {
		return
	}
	key, ctr := b.like(ir.T(ir.U64), nil), b.like(ir.T(ir.U64), nil)
	if key != nil && ctr != nil {
		b.emit(Bound{}, op, &ir.RandomAttr{Shape: b.shape()}, key, ctr)
	}
}
