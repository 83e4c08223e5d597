package irtest

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Operations whose addresses are data.

// axisOf returns a random axis of x.
func (b *gen) axisOf(x *ir.Value) int { return b.r.IntN(x.Type.Rank()) }

func hasAxes(v *ir.Value) bool { return v.Type.Rank() > 0 }

func makeGather(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, hasAxes)
	if x == nil {
		return
	}
	axis, s := b.axisOf(x), b.shape()
	if len(s) > 2 {
		s = s[:2]
	}
	t := x.Type.Shape
	if !b.fits(slices.Concat(t[:axis], s, t[axis+1:])) {
		return
	}
	if y := b.indices(s, t[axis]); y != nil {
		b.moved(op, &ir.AxisAttr{Axis: axis}, x, y)
	}
}

// reductions of scatters.
var scatterReduce = []string{"none", "none", "add", "mul", "min", "max"}

// makeAlong appends a takealong or a scatteralong.
func makeAlong(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, hasAxes)
	if x == nil {
		return
	}
	axis, s := b.axisOf(x), x.Type.Shape.Clone()
	for i, d := range s {
		if k, static := d.Int(); static && k > 1 && b.chance(3) {
			s[i] = ir.Const(1 + b.r.Int64N(k))
		}
	}
	if b.chance(2) {
		s[axis] = b.extent()
	}
	if !b.fits(s) {
		return
	}
	y := b.indices(s, x.Type.Shape[axis])
	if y == nil {
		return
	}
	if op == ir.OpTakeAlong {
		b.moved(op, &ir.AxisAttr{Axis: axis}, x, y)
		return
	}
	b.scatter(op, axis, x, y, s)
}

// scatter appends a scatter of updates of shape s.
func (b *gen) scatter(op ir.Op, axis int, x, y *ir.Value, s ir.Shape) {
	z := b.like(ir.Of(x.Type.DType, s), nil)
	if z == nil {
		return
	}
	d, reduce := x.Type.DType, scatterReduce[b.r.IntN(len(scatterReduce))]
	bound, fits := join(b.bound(x), b.bound(z)), true
	switch {
	case d == ir.Bool:
		reduce = "none"
	case !isFloat(d) || reduce == "none":
	case reduce == "add":
		bound, fits = accumulate(d, float64(b.elems(s)+1), bound)
		bound.clean = false
	case reduce == "mul":
		return // products of an unknown number of factors have no bound
	default:
		bound.raw = false
	}
	if fits {
		b.emit(bound, op, &ir.ScatterAttr{Axis: axis, Reduce: reduce}, x, y, z)
	}
}

// makeND appends a gathernd or a scatternd.
func makeND(b *gen, op ir.Op) {
	x := b.value(op, op.Info().Types, func(v *ir.Value) bool {
		return hasAxes(v) && !slices.ContainsFunc(b.shapeMins(v), func(k int64) bool { return k == 0 })
	})
	if x == nil {
		return
	}
	batch := 0
	if op == ir.OpGatherND && b.chance(2) {
		batch = b.r.IntN(x.Type.Rank())
	}
	t := x.Type.Shape
	k := 1 + b.r.IntN(len(t)-batch)
	s := append(t[:batch:batch].Clone(), b.extent())
	out := slices.Concat(s, t[batch+k:])
	if !b.fits(out) || !b.fits(append(s.Clone(), ir.Const(int64(k)))) {
		return
	}
	least := int64(1 << 30)
	for _, d := range t[batch : batch+k] {
		least = min(least, b.minOf(d))
	}
	// One range serves all coordinates of the tuples.
	y := b.input(ir.Of(ir.I64, append(s.Clone(), ir.Const(int64(k)))), index, 0, []int64{least})
	if op == ir.OpGatherND {
		b.moved(op, &ir.BatchAttr{Batch: batch}, x, y)
		return
	}
	b.scatter(op, 0, x, y, out)
}

func (b *gen) shapeMins(v *ir.Value) []int64 {
	out := make([]int64, v.Type.Rank())
	for i, d := range v.Type.Shape {
		out[i] = b.minOf(d)
	}
	return out
}

// makeDynamic appends a dynamicslice or dynamicupdate; starts may lie
// outside, they are clamped.
func makeDynamic(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, nil)
	if x == nil {
		return
	}
	s := x.Type.Shape.Clone()
	for i := range s {
		if k := b.minOf(s[i]); k > 0 && b.chance(2) {
			s[i] = ir.Const(1 + b.r.Int64N(k))
		}
	}
	start := b.input(ir.T(ir.I64, ir.Const(int64(len(s)))), index, -2, []int64{9})
	if op == ir.OpDynamicSlice {
		b.moved(op, &ir.ShapeAttr{Shape: s}, x, start)
		return
	}
	if y := b.like(ir.Of(x.Type.DType, s), nil); y != nil {
		b.emit(join(b.bound(x), b.bound(y)), op, nil, x, y, start)
	}
}

// makeNonZero appends a nonzero of an input, whose data are known, so that the
// symbol has a value here too.
func makeNonZero(b *gen, op ir.Op) {
	var ps []*ir.Value
	for _, p := range b.g.Params {
		if ir.Computable.Has(p.Type.DType) && b.allowed(op, p.Type.DType) {
			ps = append(ps, p)
		}
	}
	if len(ps) == 0 {
		return
	}
	p := ps[b.r.IntN(len(ps))]
	at := slices.Index(b.g.Params, p)
	counts := make([]int64, len(b.inputs))
	for i := range b.inputs {
		l := b.inputs[i][at]
		for j := range l.Size() {
			bits := elemBits(l, j)
			if isFloat(l.DType) {
				bits <<= 65 - l.DType.Bits() // -0 is zero
			}
			if bits != 0 {
				counts[i]++
			}
		}
	}
	name := b.newSym()
	b.bindSym(name, counts)
	b.emit(Bound{}, op, &ir.DimsAttr{Dims: ir.Shape{ir.Sym(name)}}, p)
}

func (b *gen) bindSym(name string, values []int64) {
	b.syms.late[name] = true
	for i, env := range b.syms.envs {
		env[name] = values[i]
	}
}

// makeBind appends a bind of an input that is made for it.
func makeBind(b *gen, op ir.Op) {
	if !b.allowed(op, ir.I64) || len(b.syms.names) > 4 || b.Static {
		return
	}
	v := b.g.Param("", ir.T(ir.I64), ir.Pos{})
	v.Attr.(*ir.ParamAttr).Name = "n" + v.String()
	b.note(v, Bound{})
	values := make([]int64, len(b.inputs))
	for i := range b.inputs {
		values[i] = extents[b.r.IntN(14)]
		b.inputs[i] = append(b.inputs[i], ir.NewLiteral(ir.I64, []int64{}, []int64{values[i]}))
	}
	name := b.newSym()
	b.bindSym(name, values)
	b.emit(Bound{}, op, &ir.BindAttr{Sym: name}, v)
}

func makeCheck(b *gen, op ir.Op) {
	d := b.extent()
	if b.allowed(op, ir.I64) && b.chance(3) {
		b.emit(Bound{}, op, &ir.CheckAttr{X: d, Y: d.AddConst(1), Rel: "<=", Msg: "never"})
	}
}

func makeDims(b *gen, op ir.Op) {
	if !b.allowed(op, ir.I64) {
		return
	}
	s := ir.Shape{}
	for range b.r.IntN(4) {
		d := b.extent().MulConst(1 + b.r.Int64N(2)).AddConst(b.r.Int64N(3))
		s = append(s, d.FloorDiv(ir.Const(1+b.r.Int64N(3))))
	}
	b.emit(Bound{}, op, &ir.DimsAttr{Dims: s})
}
