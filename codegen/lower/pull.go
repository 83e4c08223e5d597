package lower

import (
	"fmt"
	"strings"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// pull returns element idx of v as an expression over loads of parameters.
// Where guard is not nil, no memory is accessed unless it holds; the value is
// then meaningless.
func (l *lowerer) pull(v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	if e, ok := l.heroes[v]; ok {
		return e, nil
	}
	key := pullKey(v, idx, guard)
	for s := l.scope; s != nil; s = s.parent {
		if e, ok := s.memo[key]; ok {
			return e, nil
		}
	}
	e, err := l.compute(v, idx, guard)
	if err != nil {
		return nil, err
	}
	if l.scope.memo == nil {
		l.scope.memo = map[string]*kernel.Expr{}
	}
	l.scope.memo[key] = e
	return e, nil
}

func pullKey(v *ir.Value, idx []ir.Dim, guard *kernel.Expr) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %p", v.ID, guard)
	for _, d := range idx {
		b.WriteByte(' ')
		b.WriteString(d.String())
	}
	return b.String()
}

func (l *lowerer) compute(v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	if b, ok := l.bufs[v]; ok {
		at, kept := l.rows[v]
		if n := l.columns[v]; n > 0 {
			k := len(idx) - n
			at, kept = l.flat(v.Type.Shape[k:], idx[k:]), true
		}
		if !kept {
			at = l.place(b, v.Type.Shape, idx)
		}
		return load(b, at, guard), nil
	}
	if empty(v.Type.Shape) { // beyond what pads or concats it; never evaluated
		return zero(v.Type.DType), nil
	}
	if v.Op.Is(ir.Elementwise) {
		return l.elementwise(v, idx, guard)
	}
	f, ok := pulls[v.Op]
	if !ok {
		return nil, fmt.Errorf("%v: op %v has no element rule (%s)", v, v.Op, notPulled[v.Op])
	}
	return f(l, v, idx, guard)
}

func load(b *kernel.Buffer, at ir.Dim, guard *kernel.Expr) *kernel.Expr {
	if guard == nil {
		return kernel.Load(b, at)
	}
	return kernel.LoadIf(b, at, guard, zero(b.DType))
}

func zero(d ir.DType) *kernel.Expr { return kernel.ConstExpr(d, 0) }

// elementwise computes an elementwise operation; f16 and bf16 compute in f32
// and round after each operation.
func (l *lowerer) elementwise(v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	args := make([]*kernel.Expr, len(v.Args))
	for i, a := range v.Args {
		e, err := l.pull(a, idx, guard)
		if err != nil {
			return nil, err
		}
		args[i] = e
	}
	switch v.Op {
	case ir.OpCast:
		return castExpr(v.Type.DType, args[0]), nil
	case ir.OpBitcast:
		return kernel.BitcastExpr(v.Type.DType, args[0]), nil
	case ir.OpBarrier:
		return args[0], nil
	case ir.OpSelect:
		return kernel.OpExpr(ir.OpSelect, args...), nil
	}
	if v.Op == ir.OpFMA && half(v.Type.DType) {
		return halfFMA(args), nil
	}
	for i, a := range args {
		args[i] = wide(a)
	}
	e := kernel.OpExpr(v.Op, args...)
	return castExpr(v.Type.DType, e), nil
}

// halfFMA is x*y+z rounded once: the product is exact in f64, the sum is
// rounded to odd, which a second rounding does not notice (Boldo and Melquiond
// 2008), by its error (Knuth's two-sum).
func halfFMA(args []*kernel.Expr) *kernel.Expr {
	op := kernel.OpExpr
	x, y, z := castExpr(ir.F64, args[0]), castExpr(ir.F64, args[1]), castExpr(ir.F64, args[2])
	p := op(ir.OpMul, x, y)
	s := op(ir.OpAdd, p, z)
	b := op(ir.OpSub, s, p)
	e := op(ir.OpAdd, op(ir.OpSub, p, op(ir.OpSub, s, b)), op(ir.OpSub, z, b))
	none, zeroBits := zero(ir.F64), zero(ir.I64)
	below, above := op(ir.OpLt, e, none), op(ir.OpGt, e, none) // neither of NaN
	bits := kernel.BitcastExpr(ir.I64, s)
	even := op(ir.OpEq, op(ir.OpAnd, bits, kernel.ConstExpr(ir.I64, 1)), zeroBits)
	outward := op(ir.OpEq, castExpr(ir.I64, below), castExpr(ir.I64, op(ir.OpLt, s, none)))
	step := op(ir.OpSelect, outward, kernel.ConstExpr(ir.I64, 1), kernel.ConstExpr(ir.I64, ^uint64(0)))
	step = op(ir.OpSelect, op(ir.OpAnd, even, op(ir.OpOr, below, above)), step, zeroBits)
	odd := kernel.BitcastExpr(ir.F64, op(ir.OpAdd, bits, step))
	return castExpr(args[0].DType, odd)
}

// castExpr converts between any two types; the half types go through f32.
func castExpr(d ir.DType, x *kernel.Expr) *kernel.Expr {
	if x.DType == d {
		return x
	}
	if half(x.DType) && d != ir.F32 {
		x = kernel.CastExpr(ir.F32, x)
	}
	return kernel.CastExpr(d, x)
}

func half(d ir.DType) bool { return d == ir.F16 || d == ir.BF16 }

// wide is x in the type that it is computed in.
func wide(x *kernel.Expr) *kernel.Expr { return kernel.CastExpr(computeType(x.DType), x) }

func computeType(d ir.DType) ir.DType {
	if half(d) {
		return ir.F32
	}
	return d
}

// pullFunc gives element idx of v, see pull.
type pullFunc func(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error)

// pulls has the element rule of each operation that is not elementwise and
// whose elements can be computed one by one.
var pulls map[ir.Op]pullFunc

func init() {
	pulls = map[ir.Op]pullFunc{
		ir.OpConst:         pullConst,
		ir.OpDims:          pullDims,
		ir.OpIota:          pullIota,
		ir.OpBroadcast:     pullBroadcast,
		ir.OpReshape:       pullReshape,
		ir.OpTranspose:     pullTranspose,
		ir.OpSlice:         pullSlice,
		ir.OpUpdateSlice:   pullUpdateSlice,
		ir.OpPad:           pullPad,
		ir.OpConcat:        pullConcat,
		ir.OpGather:        pullGather,
		ir.OpTakeAlong:     pullTakeAlong,
		ir.OpGatherND:      pullGatherND,
		ir.OpDynamicSlice:  pullDynamicSlice,
		ir.OpDynamicUpdate: pullDynamicUpdate,
		ir.OpRandomBits:    pullRandomBits,
	}
}

// notPulled says of each operation without an element rule why it has none.
var notPulled = map[ir.Op]string{
	ir.OpParam:        "a buffer",
	ir.OpGet:          "stays outside of regions",
	ir.OpBind:         "stays outside of regions",
	ir.OpCheck:        "stays outside of regions",
	ir.OpIf:           "stays outside of regions",
	ir.OpScan:         "stays outside of regions",
	ir.OpFuse:         "regions do not nest",
	ir.OpScatterAlong: "writes in an order: a kernel of its own",
	ir.OpScatterND:    "writes in an order: a kernel of its own",
	ir.OpNonZero:      "writes in an order: a kernel of its own",
	ir.OpSum:          "needs a loop: class reduce",
	ir.OpProd:         "needs a loop: class reduce",
	ir.OpReduceMax:    "needs a loop: class reduce",
	ir.OpReduceMin:    "needs a loop: class reduce",
	ir.OpArgMax:       "needs a loop: a kernel of its own",
	ir.OpArgMin:       "needs a loop: a kernel of its own",
	ir.OpCumSum:       "needs a loop: a kernel of its own",
	ir.OpCumProd:      "needs a loop: a kernel of its own",
	ir.OpCumMax:       "needs a loop: a kernel of its own",
	ir.OpCumLogSumExp: "needs a loop: a kernel of its own",
	ir.OpArgSort:      "needs a loop: a kernel of its own",
	ir.OpWindowSum:    "needs a loop: class window",
	ir.OpWindowMax:    "needs a loop: class window",
	ir.OpDot:          "needs a loop: class dot",
	ir.OpConv:         "needs a loop: class conv",
}

func pullConst(l *lowerer, v *ir.Value, idx []ir.Dim, _ *kernel.Expr) (*kernel.Expr, error) {
	lit := v.Attr.(*ir.ConstAttr).Value
	n := lit.Size()
	if lit.Splat || n == 1 {
		return constElement(lit, 0), nil
	}
	const most = 16 // a longer chain of selects is no way to read a table
	if n > most || n == 0 {
		return nil, fmt.Errorf("%v: a constant of %d elements inside a region; pass it as a parameter", v, n)
	}
	at := l.flat(v.Type.Shape, idx)
	if k, ok := at.Int(); ok {
		return constElement(lit, k), nil
	}
	e := constElement(lit, n-1)
	for i := n - 2; i >= 0; i-- {
		e = kernel.OpExpr(ir.OpSelect, eqConst(at, i), constElement(lit, i), e)
	}
	return e, nil
}

// constElement is element i of lit; see kernel.ConstExpr for the bits.
func constElement(lit *ir.Literal, i int64) *kernel.Expr {
	size := lit.DType.Size()
	var bits uint64
	for k := size - 1; k >= 0; k-- {
		bits = bits<<8 | uint64(lit.Data[int(i)*size+k])
	}
	if lit.DType.IsSigned() || lit.DType == ir.I4 {
		shift := 64 - 8*size
		bits = uint64(int64(bits<<shift) >> shift)
	}
	return kernel.ConstExpr(lit.DType, bits)
}

func pullDims(_ *lowerer, v *ir.Value, idx []ir.Dim, _ *kernel.Expr) (*kernel.Expr, error) {
	dims := v.Attr.(*ir.DimsAttr).Dims
	if k, ok := idx[0].Int(); ok {
		return kernel.IndexExpr(dims[k]), nil
	}
	if len(dims) == 0 {
		return kernel.IndexExpr(ir.Const(0)), nil // of no elements
	}
	e := kernel.IndexExpr(dims[len(dims)-1])
	for i := len(dims) - 2; i >= 0; i-- {
		e = kernel.OpExpr(ir.OpSelect, eqConst(idx[0], int64(i)), kernel.IndexExpr(dims[i]), e)
	}
	return e, nil
}

func pullIota(_ *lowerer, v *ir.Value, idx []ir.Dim, _ *kernel.Expr) (*kernel.Expr, error) {
	a := v.Attr.(*ir.IotaAttr)
	e := kernel.IndexExpr(idx[a.Axis])
	return castExpr(a.DType, e), nil
}

func pullBroadcast(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	x := v.Args[0]
	in := make([]ir.Dim, x.Type.Rank())
	for i, axis := range v.Attr.(*ir.BroadcastAttr).Axes {
		if !x.Type.Shape[i].IsConst(1) {
			in[i] = idx[axis]
		}
	}
	return l.pull(x, in, guard)
}

func pullReshape(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	x := v.Args[0]
	return l.pull(x, l.reshapeIndex(v.Type.Shape, x.Type.Shape, idx), guard)
}

func pullTranspose(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	in := make([]ir.Dim, len(idx))
	for i, p := range v.Attr.(*ir.PermAttr).Perm {
		in[p] = idx[i]
	}
	return l.pull(v.Args[0], in, guard)
}

func pullSlice(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	a := v.Attr.(*ir.SliceAttr)
	in := make([]ir.Dim, len(idx))
	for i := range idx {
		in[i] = a.Start[i].Add(idx[i].MulConst(a.Step[i]))
	}
	return l.pull(v.Args[0], in, guard)
}

// choose returns "then where cond, else other" where then and other access
// memory only where they are chosen.
func (l *lowerer) choose(cond, guard *kernel.Expr, then, other func(guard *kernel.Expr) (*kernel.Expr, error),
) (*kernel.Expr, error) {
	if cond == nil {
		return then(guard)
	}
	e, err := then(and(guard, cond))
	if err != nil {
		return nil, err
	}
	o, err := other(and(guard, kernel.OpExpr(ir.OpNot, cond)))
	if err != nil {
		return nil, err
	}
	if e.Kind == kernel.KLoad && guard == nil && o.Kind != kernel.KLoad {
		return kernel.LoadIf(e.Buf, e.Index, cond, o), nil
	}
	return kernel.OpExpr(ir.OpSelect, cond, e, o), nil
}

func pullUpdateSlice(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	a := v.Attr.(*ir.SliceAttr)
	var cond *kernel.Expr
	at := make([]ir.Dim, len(idx))
	for i, d := range v.Args[0].Type.Shape {
		if a.Start[i].IsConst(0) && a.Step[i] == 1 && a.Shape[i].Equal(d) {
			at[i] = idx[i]
			continue
		}
		off, step := idx[i].Sub(a.Start[i]), a.Step[i]
		if step < 0 {
			off, step = off.Neg(), -step
		}
		if step != 1 {
			cond = and(cond, eqConst(off.Mod(ir.Const(step)), 0))
			off = off.FloorDiv(ir.Const(step))
		}
		at[i] = off
		cond = and(cond, l.inBounds(off, a.Shape[i], true, true))
	}
	return l.choose(cond, guard,
		func(g *kernel.Expr) (*kernel.Expr, error) { return l.pull(v.Args[1], at, g) },
		func(g *kernel.Expr) (*kernel.Expr, error) { return l.pull(v.Args[0], idx, g) })
}

func pullPad(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	a := v.Attr.(*ir.PadAttr)
	x := v.Args[0]
	var cond *kernel.Expr
	at := make([]ir.Dim, len(idx))
	for i, d := range x.Type.Shape {
		at[i] = idx[i].Sub(a.Lo[i])
		lo, loKnown := a.Lo[i].Int()
		hi, hiKnown := a.Hi[i].Int()
		cond = and(cond, l.inBounds(at[i], d, !loKnown || lo > 0, !hiKnown || hi > 0))
	}
	return l.choose(cond, guard,
		func(g *kernel.Expr) (*kernel.Expr, error) { return l.pull(x, at, g) },
		func(g *kernel.Expr) (*kernel.Expr, error) { return l.pull(v.Args[1], nil, g) })
}

func pullConcat(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	axis := v.Attr.(*ir.AxisAttr).Axis
	return l.concatFrom(v, axis, 0, ir.Const(0), idx, guard)
}

func (l *lowerer) concatFrom(v *ir.Value, axis, part int, start ir.Dim, idx []ir.Dim, guard *kernel.Expr,
) (*kernel.Expr, error) {
	at := append([]ir.Dim(nil), idx...)
	at[axis] = idx[axis].Sub(start)
	if part == len(v.Args)-1 {
		return l.pull(v.Args[part], at, guard)
	}
	n := v.Args[part].Type.Shape[axis]
	return l.choose(l.inBounds(at[axis], n, false, true), guard,
		func(g *kernel.Expr) (*kernel.Expr, error) { return l.pull(v.Args[part], at, g) },
		func(g *kernel.Expr) (*kernel.Expr, error) {
			return l.concatFrom(v, axis, part+1, start.Add(n), idx, g)
		})
}
