package onnx

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Operators that pick, place, sort and count elements.

var indexRows = []row{
	{"Compress", 9, 2, 2, compress},
	{"CumProd", 26, 2, 2, cumulative(ir.OpCumProd)},
	{"CumSum", 11, 2, 2, cumulative(ir.OpCumSum)},
	{"Gather", 1, 2, 2, gather},
	{"GatherElements", 11, 2, 2, gatherElements},
	{"GatherND", 11, 2, 2, gatherND},
	{"NonZero", 9, 1, 1, nonZero},
	{"OneHot", 9, 3, 3, oneHot},
	{"ReverseSequence", 10, 2, 2, reverseSequence},
	{"Scatter", 9, 3, 3, scatterElements},
	{"ScatterElements", 11, 3, 3, scatterElements},
	{"ScatterND", 11, 3, 3, scatterND},
	{"TopK", 1, 1, 1, topKAttr},
	{"TopK", 10, 2, 2, topK},
}

func gather(n *node) []*tensor {
	t, idx := n.in[0], n.in[1]
	axis := n.axis(n.int("axis", 0), t.typ.Rank())
	if out := n.gatherElems(axis); out != nil {
		return out
	}
	if k, ok := n.singleIndex(1, t.typ.Shape[axis]); ok && idx.typ.Rank() == 0 {
		// One index is a slice, which costs nothing.
		v := n.take(n.value(t), axis, k, ir.Const(1))
		return result(n.view(v, dropAxes(t.typ.Shape, []int{axis})))
	}
	at := n.indices(1, t.typ.Shape[axis])
	return result(n.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, n.value(t), at))
}

// singleIndex is the one element of input i as a coordinate that is known to
// lie inside an extent of d.
func (n *node) singleIndex(i int, d ir.Dim) (ir.Dim, bool) {
	e := n.in[i].elems
	if len(e) != 1 {
		return ir.Dim{}, false
	}
	k, ok := e[0].d.Int()
	at := fromEnd(e[0].d, d)
	return at, ok && bounds(at).lo >= 0 && bounds(at.Sub(d)).hi < 0 && (k >= 0 || d.Static())
}

// gatherElems gathers known elements of a vector, or of any static tensor.
func (n *node) gatherElems(axis int) []*tensor {
	in, ok := n.typ(0).Shape.Ints()
	at, ok2 := n.typ(1).Shape.Ints()
	if !ok || !ok2 || n.in[0].elems == nil || n.in[1].elems == nil {
		return nil
	}
	places := make([]int64, len(n.in[1].elems))
	for i, e := range n.in[1].elems {
		k, ok := e.d.Int()
		if k < 0 {
			k += in[axis]
		}
		if !ok {
			return nil
		}
		if k < 0 || k >= in[axis] {
			n.fail("index %v is out of range for axis %d of %v", e.d, axis, n.typ(0))
		}
		places[i] = k
	}
	shape := append(append(append([]int64{}, in[:axis]...), at...), in[axis+1:]...)
	st, atStrides := strides(in), strides(at)
	return n.pick(shape, func(idx []int64) int {
		from, p := int64(0), int64(0)
		for i := range axis {
			from += idx[i] * st[i]
		}
		for i := range at {
			p += idx[axis+i] * atStrides[i]
		}
		for i := axis + 1; i < len(in); i++ {
			from += idx[len(at)-1+i] * st[i]
		}
		return int(from + places[p]*st[axis])
	})
}

// indices is input i as coordinates along an extent of d, where negative ones
// count from the end.
func (n *node) indices(i int, d ir.Dim) *ir.Value {
	v := n.arg(i)
	if v.Type.DType != ir.I32 && v.Type.DType != ir.I64 {
		n.fail("indices (input %d) are %v, want int32 or int64", i, v.Type)
	}
	if n.neverNegative(n.in[i]) {
		return v
	}
	return n.wrapIndex(v, n.number(v.Type.DType, d))
}

// neverNegative reports whether all elements of t are known to be 0 or more.
func (n *node) neverNegative(t *tensor) bool {
	if t.elems == nil && t.lit != nil {
		switch t.lit.DType {
		case ir.I32:
			return len(t.lit.Data) > 0 && slices.Min(ir.Elements[int32](t.lit)) >= 0
		case ir.I64:
			return len(t.lit.Data) > 0 && slices.Min(ir.Elements[int64](t.lit)) >= 0
		}
	}
	for _, e := range t.elems {
		if !notNegative(e.d) {
			return false
		}
	}
	return t.elems != nil || t.val != nil && t.val.Op == ir.OpIota
}

// wrapIndex adds size to the elements of v that are negative.
func (n *node) wrapIndex(v, size *ir.Value) *ir.Value {
	negative := n.op(ir.OpLt, nil, v, n.like(v, 0))
	return n.op(ir.OpSelect, nil, negative, n.elementwise(ir.OpAdd, v, size), v)
}

func gatherElements(n *node) []*tensor {
	v := n.arg(0)
	axis := n.axis(n.int("axis", 0), v.Type.Rank())
	return result(n.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: axis}, v, n.indices(1, v.Type.Shape[axis])))
}

// tuples is input 1, index tuples into v behind batch axes, without negative
// coordinates.
func (n *node) tuples(v *ir.Value, batch int) *ir.Value {
	idx := n.cast(n.arg(1), ir.I64)
	if n.neverNegative(n.in[1]) {
		return idx
	}
	k, ok := idx.Type.Shape[idx.Type.Rank()-1].Int()
	if !ok || k < 0 || batch+int(k) > v.Type.Rank() {
		n.fail("index tuples %v for %v", idx.Type, v.Type)
	}
	sizes := make([]elem, k)
	for i := range sizes {
		sizes[i].d = v.Type.Shape[batch+i]
	}
	return n.wrapIndex(idx, n.value(known(ir.I64, ir.Dims(k), sizes)[0]))
}

func gatherND(n *node) []*tensor {
	v := n.arg(0)
	batch := int(n.int("batch_dims", 0))
	if batch < 0 || batch > v.Type.Rank() || n.typ(1).Rank() <= batch {
		n.fail("batch_dims %d for %v and indices %v", batch, v.Type, n.typ(1))
	}
	return result(n.op(ir.OpGatherND, &ir.BatchAttr{Batch: batch}, v, n.tuples(v, batch)))
}

func scatterElements(n *node) []*tensor {
	v := n.arg(0)
	axis := n.axis(n.int("axis", 0), v.Type.Rank())
	a := &ir.ScatterAttr{Axis: axis, Reduce: n.choice("reduction", "none", "add", "mul", "max", "min")}
	idx, upd := n.indices(1, v.Type.Shape[axis]), n.arg(2)
	return result(n.op(ir.OpScatterAlong, a, v, idx, n.reshape(upd, idx.Type.Shape)))
}

func scatterND(n *node) []*tensor {
	v := n.arg(0)
	a := &ir.ScatterAttr{Reduce: n.choice("reduction", "none", "add", "mul", "max", "min")}
	if n.typ(1).Rank() == 0 {
		n.fail("indices are a scalar")
	}
	idx := n.tuples(v, 0)
	k, ok := idx.Type.Shape[idx.Type.Rank()-1].Int()
	if !ok || int(k) > v.Type.Rank() {
		n.fail("index tuples %v for %v", idx.Type, v.Type)
	}
	want := append(idx.Type.Shape[:idx.Type.Rank()-1].Clone(), v.Type.Shape[k:]...)
	upd := n.arg(2)
	if upd.Type.Rank() != len(want) {
		n.fail("updates %v, want shape %v", upd.Type, want)
	}
	for i, d := range upd.Type.Shape {
		n.check(d, want[i], fmt.Sprintf("updates %v: axis %d", upd.Type, i))
	}
	return result(n.op(ir.OpScatterND, a, v, idx, n.view(upd, want)))
}

func cumulative(op ir.Op) func(*node) []*tensor {
	return func(n *node) []*tensor {
		v := n.arg(0)
		list := n.constInts(1, "axis")
		if len(list) != 1 {
			n.fail("%d axes, want 1", len(list))
		}
		a := &ir.CumAttr{Axis: n.axis(list[0], v.Type.Rank()), Exclusive: n.flag("exclusive", false),
			Reverse: n.flag("reverse", false)}
		return result(n.op(op, a, v))
	}
}

// nonZeroOf returns the coordinates of what is not zero in v.
func (n *node) nonZeroOf(v *ir.Value) *ir.Value {
	mask := v
	if v.Type.DType != ir.Bool {
		mask = n.op(ir.OpNe, nil, v, n.like(v, 0))
	}
	sym := n.im.syms.unique(n.name + ".count")
	return n.op(ir.OpNonZero, &ir.DimsAttr{Dims: ir.Shape{ir.Sym(sym)}}, mask)
}

func nonZero(n *node) []*tensor {
	v := n.arg(0)
	if v.Type.Rank() == 0 {
		v = n.unsqueeze(v, 0)
		return result(n.take(n.nonZeroOf(v), 0, ir.Const(0), ir.Const(0)))
	}
	return result(n.nonZeroOf(v))
}

func compress(n *node) []*tensor {
	v := n.arg(0)
	axis := 0
	if n.attrs["axis"] != nil {
		axis = n.axis(n.int("axis", 0), v.Type.Rank())
	} else {
		v = n.view(v, ir.Shape{v.Type.Shape.Size()})
	}
	cond := n.arg(1)
	if cond.Type.Rank() != 1 {
		n.fail("condition %v, want a vector", cond.Type)
	}
	n.checkLE(cond.Type.Shape[0], v.Type.Shape[axis], "length of the condition")
	at := n.nonZeroOf(cond)
	return result(n.op(ir.OpGather, &ir.AxisAttr{Axis: axis}, v, n.view(at, at.Type.Shape[1:])))
}

func oneHot(n *node) []*tensor {
	depth := n.intsOf(1)
	if e := n.in[1].elems; n.typ(1).DType.IsFloat() && len(e) == 1 {
		depth = []ir.Dim{ir.Const(int64(e[0].f))}
	}
	if len(depth) != 1 {
		n.fail("depth has %d elements, want 1", len(depth))
	}
	idx := n.cast(n.arg(0), ir.I64)
	rank := idx.Type.Rank() + 1
	axis := n.axis(n.int("axis", -1), rank)
	idx = n.wrapIndex(idx, n.dim(depth[0]))
	idx = n.unsqueeze(idx, axis)
	class := n.place(n.iota(depth[0]), rank, axis)
	values := n.arg(2)
	n.check(values.Type.Shape.Size(), ir.Const(2), "number of values")
	off := n.view(n.take(values, 0, ir.Const(0), ir.Const(1)), ir.Shape{})
	on := n.view(n.take(values, 0, ir.Const(1), ir.Const(1)), ir.Shape{})
	return result(n.elementwise(ir.OpSelect, n.elementwise(ir.OpEq, idx, class), on, off))
}

func reverseSequence(n *node) []*tensor {
	v := n.arg(0)
	batch, time := int(n.int("batch_axis", 1)), int(n.int("time_axis", 0))
	if v.Type.Rank() < 2 || batch+time != 1 || batch*time != 0 {
		n.fail("batch_axis %d, time_axis %d for %v, want 0 and 1", batch, time, v.Type)
	}
	s := v.Type.Shape[:2]
	t := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: s, Axis: time})
	length := n.broadcast(n.place(n.cast(n.arg(1), ir.I64), 2, batch), s)
	back := n.op(ir.OpSub, nil, n.op(ir.OpSub, nil, length, t), n.like(t, 1))
	idx := n.op(ir.OpSelect, nil, n.op(ir.OpLt, nil, t, length), back, t)
	for range v.Type.Rank() - 2 {
		idx = n.unsqueeze(idx, idx.Type.Rank())
	}
	idx = n.broadcast(idx, v.Type.Shape)
	return result(n.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: time}, v, idx))
}

func topKAttr(n *node) []*tensor { return n.topK(ir.Const(n.int("k", 0)), true) }

func topK(n *node) []*tensor {
	k := n.intsOf(1)
	if len(k) != 1 {
		n.fail("K has %d elements, want 1", len(k))
	}
	n.ignore("sorted") // sorted elements are in some order too
	return n.topK(k[0], n.flag("largest", true))
}

func (n *node) topK(k ir.Dim, largest bool) []*tensor {
	v := n.arg(0)
	axis := n.axis(n.int("axis", -1), v.Type.Rank())
	n.checkLE(k, v.Type.Shape[axis], "K")
	order := n.op(ir.OpArgSort, &ir.SortAttr{Axis: axis, Desc: largest}, v)
	order = n.take(order, axis, ir.Const(0), k)
	top := n.op(ir.OpTakeAlong, &ir.AxisAttr{Axis: axis}, v, order)
	return []*tensor{computed(top), computed(order)}
}
