package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Reductions. Axes may be negative; none means all. The methods of Tensor drop
// the axes that they reduce, those of Kept keep them with extent 1.

// Kept has the reductions of a tensor with options: made by [Tensor.Keep], they
// keep reduced axes with extent 1, so that the result broadcasts with the
// tensor, as in x.Sub(x.Keep().Max(-1)); see [Tensor.Reduce] for others.
type Kept struct {
	t          Tensor
	keep       bool
	correction float64
	dtype      DType // Invalid: the usual one
	initial    bool
}

// Keep returns the reductions of t that keep reduced axes.
func (t Tensor) Keep() Kept { return Kept{t: t, keep: true} }

// Reduce returns the reductions of t with options, as in
// x.Reduce(tensor.Correction(1)).Std(0).
func (t Tensor) Reduce(opts ...ReduceOption) Kept {
	k := Kept{t: t}
	for _, f := range opts {
		f(&k)
	}
	return k
}

// ReduceOption is an option of [Tensor.Reduce].
type ReduceOption func(*Kept)

// KeepDims keeps reduced axes with extent 1, as [Tensor.Keep].
func KeepDims(keep bool) ReduceOption { return func(k *Kept) { k.keep = keep } }

// Correction makes Var and Std divide by the number of elements less n: 1 for
// the unbiased estimate, PyTorch's default; NumPy's is 0.
func Correction(n float64) ReduceOption { return func(k *Kept) { k.correction = n } }

// As makes Sum, Prod, Mean, CumSum and CumProd convert to type d first and
// compute in it.
func As(d DType) ReduceOption { return func(k *Kept) { k.dtype = d } }

// IncludeInitial makes CumSum and CumProd begin with the sum or product of
// nothing, so that the axis is longer by one.
func IncludeInitial() ReduceOption { return func(k *Kept) { k.initial = true } }

// in is the type in which a reduction computes whose usual one is given.
func (k Kept) in(usual func(DType) DType) func(DType) DType {
	if k.dtype == ir.Invalid {
		return usual
	}
	return func(DType) DType { return k.dtype }
}

// reduction is a call of a reduction.
type reduction struct {
	*call
	n    *node
	axes []int // increasing
	keep bool
	full ir.Shape
}

func reduce(name string, t Tensor, keep bool, axes []int) *reduction {
	r := &reduction{call: start(name), keep: keep}
	if r.n = r.in(t); r.n == nil {
		return r
	}
	r.full = r.n.typ.Shape
	if len(axes) == 0 {
		r.axes = count(0, len(r.full))
	} else {
		r.axes = r.call.axes(axes, len(r.full))
	}
	slices.Sort(r.axes)
	return r
}

// run reduces x by op.
func (r *reduction) run(op ir.Op, x *node) *node {
	return r.op(op, &ir.AxesAttr{Axes: r.axes}, x)
}

// kept gives a reduced value its axes back with extent 1.
func (r *reduction) kept(n *node) *node {
	if r.err != nil {
		return nil
	}
	s := r.full.Clone()
	for _, a := range r.axes {
		s[a] = ir.Const(1)
	}
	return r.op(ir.OpReshape, &ir.ShapeAttr{Shape: s}, n)
}

func (r *reduction) result(n *node) Tensor {
	if r.keep {
		n = r.kept(n)
	}
	return r.out(n)
}

// back stretches a reduced value to the full shape.
func (r *reduction) back(n *node) *node {
	if r.err != nil {
		return nil
	}
	var left []int
	for i := range r.full {
		if !slices.Contains(r.axes, i) {
			left = append(left, i)
		}
	}
	return r.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: r.full, Axes: left}, n)
}

// count is the number of elements that become one, in type d.
func (r *reduction) count(d DType) *node {
	n := ir.Const(1)
	for _, a := range r.axes {
		n = n.Mul(r.full[a])
	}
	if k, ok := n.Int(); ok {
		return r.number(weak{kind: I64, i: k, f: float64(k)}, d)
	}
	dims := r.op(ir.OpDims, &ir.DimsAttr{Dims: ir.Shape{n}})
	return r.op(ir.OpCast, &ir.DTypeAttr{DType: d}, r.op(ir.OpReshape,
		&ir.ShapeAttr{Shape: ir.Shape{}}, dims))
}

// as converts the argument to type d.
func (r *reduction) as(d func(DType) DType) *node {
	if r.err != nil {
		return nil
	}
	return r.call.as(operand{n: r.n}, d(r.n.typ.DType))
}

func same(d DType) DType { return d }

func (k Kept) total(name string, op ir.Op, axes []int) Tensor {
	r := reduce(name, k.t, k.keep, axes)
	return r.result(r.run(op, r.as(k.in(accumulator))))
}

func (k Kept) extreme(name string, op ir.Op, axes []int) Tensor {
	r := reduce(name, k.t, k.keep, axes)
	r.someAlong()
	return r.result(r.run(op, r.as(same)))
}

// someAlong requires elements along the axes.
func (r *reduction) someAlong() {
	if r.err != nil {
		return
	}
	for _, a := range r.axes {
		r.positive(r.full[a], fmt.Sprintf("shape %s: nothing has no extremum", shapeString(r.full)))
	}
}

// mean divides the sum by the number of elements.
func (r *reduction) mean(x *node) *node {
	sum := r.run(ir.OpSum, x)
	if r.err != nil {
		return nil
	}
	return r.op(ir.OpDiv, nil, sum, r.stretch(r.count(x.typ.DType), sum.typ.Shape))
}

// half reports whether d is a type of half precision.
func half(d DType) bool { return d == F16 || d == BF16 }

// operand is the argument in the type of a mean, or a norm. What is of half
// precision computes in f32, as NumPy's means do, unless a type was named;
// round makes a result of that.
func (k Kept) operand(r *reduction) (x *node, round func(*node) *node) {
	x = r.as(k.in(meanType))
	if r.err != nil || k.dtype != ir.Invalid || !half(x.typ.DType) {
		return x, func(n *node) *node { return n }
	}
	d := x.typ.DType
	return r.cast(x, F32), func(n *node) *node { return r.cast(n, d) }
}

// meanType is the type of means: integers become f64.
func meanType(d DType) DType {
	if d.IsFloat() {
		return d
	}
	return F64
}

// variance is the mean square distance from the mean, of which correction
// elements do not count, before it is rounded.
func (k Kept) variance(name string, axes []int) (r *reduction, v *node, round func(*node) *node) {
	r = reduce(name, k.t, k.keep, axes)
	x, round := k.operand(r)
	if k.correction == 0 {
		diff := r.sub(x, r.back(r.mean(x)))
		return r, r.mean(r.mul(diff, diff)), round
	}
	diff := r.sub(x, r.back(r.mean(x)))
	sum := r.run(ir.OpSum, r.mul(diff, diff))
	if r.err != nil {
		return r, nil, round
	}
	n := r.sub(r.count(x.typ.DType), r.number(weak{kind: F64, f: k.correction}, x.typ.DType))
	n = r.op(ir.OpMax, nil, n, r.number(weak{kind: F64}, x.typ.DType))
	return r, r.div(sum, r.stretch(n, sum.typ.Shape)), round
}

// Sum returns the sum over axes; integers add up in 64 bits.
func (t Tensor) Sum(axes ...int) Tensor { return Kept{t: t}.Sum(axes...) }

// Sum returns the sum over axes; integers add up in 64 bits.
func (k Kept) Sum(axes ...int) Tensor { return k.total("Sum", ir.OpSum, axes) }

// Prod returns the product over axes; integers multiply in 64 bits.
func (t Tensor) Prod(axes ...int) Tensor { return Kept{t: t}.Prod(axes...) }

// Prod returns the product over axes; integers multiply in 64 bits.
func (k Kept) Prod(axes ...int) Tensor { return k.total("Prod", ir.OpProd, axes) }

// Mean returns the mean over axes, of integers in f64.
func (t Tensor) Mean(axes ...int) Tensor { return Kept{t: t}.Mean(axes...) }

// Mean returns the mean over axes, of integers in f64.
func (k Kept) Mean(axes ...int) Tensor {
	r := reduce("Mean", k.t, k.keep, axes)
	x, round := k.operand(r)
	return r.result(round(r.mean(x)))
}

// Var returns the variance over axes, the mean square distance from the mean;
// of integers in f64.
func (t Tensor) Var(axes ...int) Tensor { return Kept{t: t}.Var(axes...) }

// Var returns the variance over axes, see [Correction]; of integers in f64.
func (k Kept) Var(axes ...int) Tensor {
	r, v, round := k.variance("Var", axes)
	return r.result(round(v))
}

// Std returns the standard deviation over axes, the root of the variance.
func (t Tensor) Std(axes ...int) Tensor { return Kept{t: t}.Std(axes...) }

// Std returns the standard deviation over axes, see [Correction].
func (k Kept) Std(axes ...int) Tensor {
	r, v, round := k.variance("Std", axes)
	return r.result(round(r.root(v)))
}

// Max returns the largest over axes, NaN if there is one.
func (t Tensor) Max(axes ...int) Tensor { return Kept{t: t}.Max(axes...) }

// Max returns the largest over axes, NaN if there is one.
func (k Kept) Max(axes ...int) Tensor { return k.extreme("Max", ir.OpReduceMax, axes) }

// Min returns the smallest over axes, NaN if there is one.
func (t Tensor) Min(axes ...int) Tensor { return Kept{t: t}.Min(axes...) }

// Min returns the smallest over axes, NaN if there is one.
func (k Kept) Min(axes ...int) Tensor { return k.extreme("Min", ir.OpReduceMin, axes) }

// Any returns whether an element over axes is not zero, as bool.
func (t Tensor) Any(axes ...int) Tensor { return Kept{t: t}.Any(axes...) }

// Any returns whether an element over axes is not zero, as bool.
func (k Kept) Any(axes ...int) Tensor { return k.quantify("Any", ir.OpReduceMax, axes) }

// All returns whether no element over axes is zero, as bool.
func (t Tensor) All(axes ...int) Tensor { return Kept{t: t}.All(axes...) }

// All returns whether no element over axes is zero, as bool.
func (k Kept) All(axes ...int) Tensor { return k.quantify("All", ir.OpReduceMin, axes) }

func (k Kept) quantify(name string, op ir.Op, axes []int) Tensor {
	r := reduce(name, k.t, k.keep, axes)
	return r.result(r.run(op, r.as(func(DType) DType { return Bool })))
}

// ArgMax returns the i64 coordinate of the first largest element along an
// axis; NaN is largest.
func (t Tensor) ArgMax(axis int) Tensor { return arg("ArgMax", ir.OpArgMax, t, false, axis) }

// ArgMax returns the i64 coordinate of the first largest element along an
// axis; NaN is largest.
func (k Kept) ArgMax(axis int) Tensor { return arg("ArgMax", ir.OpArgMax, k.t, k.keep, axis) }

// ArgMin returns the i64 coordinate of the first smallest element along an
// axis; NaN is smallest.
func (t Tensor) ArgMin(axis int) Tensor { return arg("ArgMin", ir.OpArgMin, t, false, axis) }

// ArgMin returns the i64 coordinate of the first smallest element along an
// axis; NaN is smallest.
func (k Kept) ArgMin(axis int) Tensor { return arg("ArgMin", ir.OpArgMin, k.t, k.keep, axis) }

func arg(name string, op ir.Op, t Tensor, keep bool, axis int) Tensor {
	r := reduce(name, t, keep, []int{axis})
	if r.someAlong(); r.err != nil {
		return r.bad()
	}
	return r.result(r.op(op, &ir.AxisAttr{Axis: r.axes[0]}, r.n))
}

// CumSum returns the running sum along an axis; integers add up in 64 bits.
func (t Tensor) CumSum(axis int) Tensor { return Kept{t: t}.CumSum(axis) }

// CumSum returns the running sum along an axis, see [As].
func (k Kept) CumSum(axis int) Tensor { return k.running("CumSum", ir.OpCumSum, axis) }

// CumProd returns the running product along an axis; integers multiply in 64
// bits.
func (t Tensor) CumProd(axis int) Tensor { return Kept{t: t}.CumProd(axis) }

// CumProd returns the running product along an axis, see [As].
func (k Kept) CumProd(axis int) Tensor { return k.running("CumProd", ir.OpCumProd, axis) }

func (k Kept) running(name string, op ir.Op, axis int) Tensor {
	r := reduce(name, k.t, false, []int{axis})
	if r.err != nil {
		return r.bad()
	}
	x, axis := r.as(k.in(accumulator)), r.axes[0]
	y := r.op(op, &ir.CumAttr{Axis: axis}, x)
	if k.initial && r.err == nil {
		s := r.full.Clone()
		s[axis] = ir.Const(1)
		none := weak{kind: I64}
		if op == ir.OpCumProd {
			none = weak{kind: I64, i: 1, f: 1}
		}
		y = r.op(ir.OpConcat, &ir.AxisAttr{Axis: axis}, r.stretch(r.number(none, x.typ.DType), s), y)
	}
	return r.out(y)
}

// CumMax returns the running maximum along an axis and the i64 coordinates of
// its elements: the last of equals. NaN is largest, and stays.
func (t Tensor) CumMax(axis int) (values, indices Tensor) {
	return t.runningExtremum("CumMax", axis, func(_ *call, n *node) *node { return n })
}

// CumMin returns the running minimum along an axis and the i64 coordinates of
// its elements: the last of equals. NaN is smallest, and stays.
func (t Tensor) CumMin(axis int) (values, indices Tensor) {
	return t.runningExtremum("CumMin", axis, func(c *call, n *node) *node {
		if c.err == nil && n.typ.DType.IsInt() {
			return c.op(ir.OpNot, nil, n)
		}
		return c.neg(n)
	})
}

// runningExtremum is a running maximum in the order that turn, its own
// inverse, makes of t's.
func (t Tensor) runningExtremum(name string, axis int, turn func(*call, *node) *node) (values,
	indices Tensor) {
	r := reduce(name, t, false, []int{axis})
	if r.err == nil && r.n.typ.DType == Bool {
		r.fail("does not compute on bool: Cast it to U8")
	}
	if r.err != nil {
		return r.bad(), r.bad()
	}
	a := &ir.CumAttr{Axis: r.axes[0]}
	x := turn(r.call, r.n)
	y := r.op(ir.OpCumMax, a, x)
	hit := r.eq(x, y)
	if x != nil && x.typ.DType.IsFloat() {
		hit = r.or(hit, r.op(ir.OpIsNaN, nil, x))
	}
	at := r.iota(I64, r.full, a.Axis)
	at = r.op(ir.OpCumMax, a, r.sel(hit, at, r.integer(0, at)))
	return r.out(turn(r.call, y)), r.out(at)
}

// LogCumSumExp returns the logarithm of the running sum of e**t along an axis,
// without overflow on the way. Its gradient has quadratic cost in the extent.
func (t Tensor) LogCumSumExp(axis int) Tensor {
	r := reduce("LogCumSumExp", t, false, []int{axis})
	if r.err != nil {
		return r.bad()
	}
	return r.out(r.op(ir.OpCumLogSumExp, &ir.CumAttr{Axis: r.axes[0]}, r.as(inexact)))
}

// shifted is x minus its largest element over the axes as a number rather than
// a function of x: the gradient through it is zero.
func (r *reduction) shifted() *node {
	x := r.as(inexact)
	top := r.run(ir.OpReduceMax, r.detached(x))
	return r.op(ir.OpSub, nil, x, r.back(top))
}

// Softmax returns e**t over its sum along an axis.
func (t Tensor) Softmax(axis int) Tensor {
	r := reduce("Softmax", t, false, []int{axis})
	x := r.shifted()
	e := r.op(ir.OpExp, nil, x)
	return r.out(r.op(ir.OpDiv, nil, e, r.back(r.run(ir.OpSum, e))))
}

// LogSoftmax returns the logarithm of the softmax along an axis.
func (t Tensor) LogSoftmax(axis int) Tensor {
	r := reduce("LogSoftmax", t, false, []int{axis})
	x := r.shifted()
	sum := r.run(ir.OpSum, r.op(ir.OpExp, nil, x))
	return r.out(r.op(ir.OpSub, nil, x, r.back(r.op(ir.OpLog, nil, sum))))
}

// LogSumExp returns the logarithm of the sum of e**t over axes.
func (t Tensor) LogSumExp(axes ...int) Tensor {
	r := reduce("LogSumExp", t, false, axes)
	x := r.as(inexact)
	top := r.run(ir.OpReduceMax, r.detached(x))
	top = r.sel(r.op(ir.OpIsInf, nil, top), r.zero(top), top) // which has no difference from itself
	sum := r.run(ir.OpSum, r.op(ir.OpExp, nil, r.op(ir.OpSub, nil, x, r.back(top))))
	return r.result(r.op(ir.OpAdd, nil, r.op(ir.OpLog, nil, sum), top))
}
