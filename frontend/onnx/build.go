package onnx

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tensorcc/tcc/ir"
)

// op appends an operation; an error of its type rule is the node's error.
func (n *node) op(op ir.Op, attr ir.Attr, args ...*ir.Value) *ir.Value {
	v, err := n.s.g.New(n.pos, op, attr, args...)
	if err != nil {
		n.fail("%w", err)
	}
	for _, t := range v.ResultTypes() {
		if err := checkShape(t.Shape); err != nil {
			n.fail("%w", err)
		}
	}
	return v
}

// value returns the value of t in the graph at hand.
func (n *node) value(t *tensor) *ir.Value {
	if t.val != nil {
		return t.val
	}
	if t.lit == nil {
		shape, _ := t.typ.Shape.Ints()
		t.lit = elemsLiteral(t.typ.DType, shape, t.elems)
	}
	if t.lit != nil {
		t.val = n.op(ir.OpConst, &ir.ConstAttr{Value: t.lit})
		return t.val
	}
	dims := make(ir.Shape, len(t.elems))
	for i, e := range t.elems {
		dims[i] = e.d
	}
	v := n.reshape(n.op(ir.OpDims, &ir.DimsAttr{Dims: dims}), t.typ.Shape)
	t.val = n.cast(v, t.typ.DType)
	return t.val
}

// tryValue is value for callers outside of import functions.
func (n *node) tryValue(t *tensor) (v *ir.Value, err error) {
	defer func() {
		if e, ok := recover().(*nodeError); ok {
			err = fmt.Errorf("%s: %w", n.name, e.err)
		}
	}()
	if t.bad {
		return nil, fmt.Errorf("%s: could not be imported", n.name)
	}
	return n.value(t), nil
}

// arg returns the value of input i.
func (n *node) arg(i int) *ir.Value { return n.value(n.in[i]) }

// typ returns the type of input i.
func (n *node) typ(i int) ir.Type { return n.in[i].typ }

// result is a list of one computed tensor.
func result(v *ir.Value) []*tensor { return []*tensor{computed(v)} }

func computed(v *ir.Value) *tensor { return &tensor{typ: v.Type, val: v} }

// known is a list of one tensor with the given elements.
func known(d ir.DType, shape ir.Shape, elems []elem) []*tensor {
	return []*tensor{{typ: ir.Of(d, shape), elems: elems}}
}

// full returns a value of the given shape filled with x.
func (n *node) full(d ir.DType, shape ir.Shape, x float64) *ir.Value {
	return n.broadcast(n.op(ir.OpConst, &ir.ConstAttr{Value: splat(d, x)}), shape)
}

// like returns a value of v's type filled with x.
func (n *node) like(v *ir.Value, x float64) *ir.Value {
	return n.full(v.Type.DType, v.Type.Shape, x)
}

// dim returns the expression d as an i64 scalar.
func (n *node) dim(d ir.Dim) *ir.Value {
	return n.value(&tensor{typ: ir.T(ir.I64), elems: []elem{{d: d}}})
}

func (n *node) cast(v *ir.Value, d ir.DType) *ir.Value {
	if v.Type.DType == d {
		return v
	}
	return n.op(ir.OpCast, &ir.DTypeAttr{DType: d}, v)
}

// check makes sure that x equals y when the model runs; what says what of.
func (n *node) check(x, y ir.Dim, what string) {
	if x.Overflows() || y.Overflows() {
		n.fail("%s: the number is too large or the expression too long", what)
	}
	if x.Equal(y) {
		return
	}
	if r := bounds(x.Sub(y)); r.lo > 0 || r.hi < 0 {
		n.fail("%s: %v must equal %v", what, x, y)
	}
	n.checkRel(x, y, "==", what)
}

// checkLE makes sure that x <= y when the model runs.
func (n *node) checkLE(x, y ir.Dim, what string) {
	r := bounds(x.Sub(y))
	if r.hi <= 0 {
		return
	}
	if r.lo > 0 {
		n.fail("%s: %v must not be larger than %v", what, x, y)
	}
	n.checkRel(x, y, "<=", what)
}

func (n *node) checkRel(x, y ir.Dim, rel, what string) {
	key := x.String() + rel + y.String()
	if n.s.checks[key] {
		return
	}
	n.s.checks[key] = true
	n.op(ir.OpCheck, &ir.CheckAttr{X: x, Y: y, Rel: rel,
		Msg: n.opType() + ": " + what})
}

func (n *node) opType() string {
	if n.p == nil {
		return "output"
	}
	return opName(n.p)
}

// broadcastShapes returns the shape to which shapes broadcast. Extents that
// are not known to be equal are taken to be: broadcast checks that.
func (n *node) broadcastShapes(shapes ...ir.Shape) ir.Shape {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make(ir.Shape, rank)
	for i := range out {
		out[i] = ir.Const(1)
		for _, s := range shapes {
			j := i - (rank - len(s))
			if j < 0 || s[j].IsConst(1) {
				continue
			}
			if out[i].IsConst(1) || !out[i].Static() && s[j].Static() {
				out[i] = s[j]
			}
		}
	}
	return out
}

// broadcast stretches v to shape, its axes aligned at the end.
func (n *node) broadcast(v *ir.Value, shape ir.Shape) *ir.Value {
	if v.Type.Shape.Equal(shape) {
		return v
	}
	off := len(shape) - v.Type.Rank()
	if off < 0 {
		n.fail("shape %v does not broadcast to %v", v.Type.Shape, shape)
	}
	axes := make([]int, v.Type.Rank())
	have := v.Type.Shape.Clone()
	for i := range axes {
		axes[i] = off + i
		if !have[i].IsConst(1) {
			n.check(have[i], shape[off+i],
				fmt.Sprintf("shapes %v and %v do not broadcast, axis %d", v.Type.Shape, shape, off+i))
			have[i] = shape[off+i]
		}
	}
	v = n.view(v, have)
	if v.Type.Shape.Equal(shape) {
		return v
	}
	return n.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: shape, Axes: axes}, v)
}

// broadcastAll stretches values to their common shape.
func (n *node) broadcastAll(vs ...*ir.Value) []*ir.Value {
	shapes := make([]ir.Shape, len(vs))
	for i, v := range vs {
		shapes[i] = v.Type.Shape
	}
	shape := n.broadcastShapes(shapes...)
	out := make([]*ir.Value, len(vs))
	for i, v := range vs {
		out[i] = n.broadcast(v, shape)
	}
	return out
}

// place gives v the given rank, its axis i at axes[i], the others 1.
func (n *node) place(v *ir.Value, rank int, axes ...int) *ir.Value {
	if v.Type.Rank() != len(axes) {
		n.fail("%v, want rank %d", v.Type, len(axes))
	}
	shape := make(ir.Shape, rank)
	for i := range shape {
		shape[i] = ir.Const(1)
	}
	for i, a := range axes {
		shape[a] = v.Type.Shape[i]
	}
	return n.view(v, shape)
}

// elementwise applies op to the arguments after broadcasting.
func (n *node) elementwise(op ir.Op, args ...*ir.Value) *ir.Value {
	return n.op(op, nil, n.broadcastAll(args...)...)
}

// view is a reshape to extents that are known, by a check if need be, to be
// those of v.
func (n *node) view(v *ir.Value, shape ir.Shape) *ir.Value {
	if v.Type.Shape.Equal(shape) {
		return v
	}
	return n.op(ir.OpReshape, &ir.ShapeAttr{Shape: shape}, v)
}

// reshape checks that the number of elements stays.
func (n *node) reshape(v *ir.Value, shape ir.Shape) *ir.Value {
	n.check(v.Type.Shape.Size(), shape.Size(), fmt.Sprintf("cannot reshape %v to %v, elements",
		v.Type.Shape, shape))
	return n.view(v, shape)
}

// unsqueeze inserts axes of extent 1 at the places axes of the result.
func (n *node) unsqueeze(v *ir.Value, axes ...int) *ir.Value {
	return n.view(v, insertOnes(v.Type.Shape, axes))
}

func insertOnes(s ir.Shape, axes []int) ir.Shape {
	out := make(ir.Shape, 0, len(s)+len(axes))
	next := 0
	for i := range len(s) + len(axes) {
		if slices.Contains(axes, i) {
			out = append(out, ir.Const(1))
		} else {
			out = append(out, s[next])
			next++
		}
	}
	return out
}

// dropAxes returns s without axes.
func dropAxes(s ir.Shape, axes []int) ir.Shape {
	out := make(ir.Shape, 0, len(s))
	for i, d := range s {
		if !slices.Contains(axes, i) {
			out = append(out, d)
		}
	}
	return out
}

func (n *node) transpose(v *ir.Value, perm ...int) *ir.Value {
	if slices.IsSorted(perm) {
		return v
	}
	return n.op(ir.OpTranspose, &ir.PermAttr{Perm: perm}, v)
}

// take cuts [start, start+size) out of one axis.
func (n *node) take(v *ir.Value, axis int, start, size ir.Dim) *ir.Value {
	if start.IsConst(0) && size.Equal(v.Type.Shape[axis]) {
		return v
	}
	a := wholeSlice(v.Type.Shape)
	a.Start[axis], a.Shape[axis] = start, size
	return n.op(ir.OpSlice, a, v)
}

// wholeSlice is the slice of everything.
func wholeSlice(s ir.Shape) *ir.SliceAttr {
	a := &ir.SliceAttr{Start: make(ir.Shape, len(s)), Step: make([]int64, len(s)), Shape: s.Clone()}
	for i := range s {
		a.Step[i] = 1
	}
	return a
}

// reverse turns axes around.
func (n *node) reverse(v *ir.Value, axes ...int) *ir.Value {
	a := wholeSlice(v.Type.Shape)
	for _, i := range axes {
		a.Start[i], a.Step[i] = v.Type.Shape[i].AddConst(-1), -1
	}
	return n.op(ir.OpSlice, a, v)
}

func (n *node) concat(axis int, vs ...*ir.Value) *ir.Value {
	if len(vs) == 1 {
		return vs[0]
	}
	return n.op(ir.OpConcat, &ir.AxisAttr{Axis: axis}, vs...)
}

// reduce folds axes, which are sorted here; keep leaves extents of 1.
func (n *node) reduce(op ir.Op, v *ir.Value, keep bool, axes ...int) *ir.Value {
	axes = slices.Clone(axes)
	slices.Sort(axes)
	r := n.op(op, &ir.AxesAttr{Axes: axes}, v)
	if keep {
		r = n.unsqueeze(r, axes...)
	}
	return r
}

// mean folds axes to their mean.
func (n *node) mean(v *ir.Value, keep bool, axes ...int) *ir.Value {
	s := n.reduce(ir.OpSum, v, keep, axes...)
	return n.elementwise(ir.OpDiv, s, n.count(v, axes))
}

// count returns the number of elements along axes as a scalar of v's type.
func (n *node) count(v *ir.Value, axes []int) *ir.Value {
	size := ir.Const(1)
	for _, a := range axes {
		size = size.Mul(v.Type.Shape[a])
	}
	return n.number(v.Type.DType, size)
}

// number returns the expression d as a scalar of type t.
func (n *node) number(t ir.DType, d ir.Dim) *ir.Value {
	if k, ok := d.Int(); ok {
		return n.full(t, nil, float64(k))
	}
	return n.cast(n.dim(d), t)
}

// iota returns the i64 vector 0, 1, ... of the given length.
func (n *node) iota(length ir.Dim) *ir.Value {
	return n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: ir.Shape{length}})
}

// get returns the results of a value that may be a tuple.
func (n *node) get(v *ir.Value) []*ir.Value {
	if v.Type.DType != ir.Tuple {
		return []*ir.Value{v}
	}
	out := make([]*ir.Value, len(v.Type.Elems))
	for i := range out {
		out[i] = n.op(ir.OpGet, &ir.IndexAttr{Index: i}, v)
	}
	return out
}

// bind makes a symbol of an i64 scalar that only running the model gives.
func (n *node) bind(v *ir.Value) ir.Dim {
	if d, ok := n.s.bound[v]; ok {
		return d
	}
	sym := n.im.syms.unique(n.name + "." + strconv.Itoa(len(n.im.syms.taken)))
	n.op(ir.OpBind, &ir.BindAttr{Sym: sym}, v)
	n.s.bound[v] = ir.Sym(sym)
	return n.s.bound[v]
}

// bindSigned is bind for a scalar that may be negative: the difference of its
// positive and its negative part.
func (n *node) bindSigned(v *ir.Value) ir.Dim {
	plus := n.bind(n.with(ir.OpMax, v, 0))
	return plus.Sub(n.bind(n.with(ir.OpMax, n.apply(ir.OpNeg, v), 0)))
}

// intsOf returns the elements of input i, a vector or scalar of integers that
// may be known only when the model runs; what it must not be then is negative.
func (n *node) intsOf(i int) []ir.Dim {
	t := n.in[i]
	if t.elems != nil || t.typ.Shape.Size().IsConst(0) {
		out := make([]ir.Dim, len(t.elems))
		for j, e := range t.elems {
			out[j] = e.d
		}
		return out
	}
	size, ok := t.typ.Shape.Size().Int()
	if !ok || size > maxElems {
		n.fail("input %d has %v elements, want a number known at compile time", i, t.typ.Shape.Size())
	}
	v := n.cast(n.reshape(n.value(t), ir.Dims(size)), ir.I64)
	out := make([]ir.Dim, size)
	for j := range out {
		if t.dims != nil && t.dims[j] != nil {
			out[j] = *t.dims[j]
			continue
		}
		out[j] = n.bind(n.view(n.take(v, 0, ir.Const(int64(j)), ir.Const(1)), ir.Shape{}))
	}
	return out
}

// constInts returns the elements of input i, which must be known now.
func (n *node) constInts(i int, what string) []int64 {
	t := n.in[i]
	if t.elems == nil && !t.typ.Shape.Size().IsConst(0) || !exprType(t.typ.DType) {
		n.fail("%s (input %d) is computed when the model runs, %w", what, i, ErrNotConstant)
	}
	out := make([]int64, len(t.elems))
	for j, e := range t.elems {
		k, ok := e.d.Int()
		if !ok {
			n.fail("%s (input %d) depends on %v, %w", what, i, e.d, ErrNotConstant)
		}
		out[j] = k
	}
	return out
}
