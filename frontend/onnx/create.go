package onnx

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Operators that make tensors of nothing but attributes, shapes and numbers.

func constant(n *node) []*tensor {
	if len(n.attrs) != 1 {
		n.fail("%d attributes, want one that holds the value", len(n.attrs))
	}
	for name, a := range n.attrs {
		n.ignore(name)
		switch name {
		case "value":
			if a.T == nil {
				n.fail("attribute %q holds no tensor", name)
			}
			t, err := initializer(a.T)
			if err != nil {
				n.fail("value: %w", err)
			}
			return []*tensor{t}
		case "value_float":
			return []*tensor{literalTensor(ir.NewLiteral(ir.F32, nil, []float32{a.F}))}
		case "value_floats":
			return []*tensor{literalTensor(ir.NewLiteral(ir.F32, []int64{int64(len(a.Floats))}, a.Floats))}
		case "value_int":
			return []*tensor{literalTensor(ir.NewLiteral(ir.I64, nil, []int64{a.I}))}
		case "value_ints":
			return []*tensor{literalTensor(ir.NewLiteral(ir.I64, []int64{int64(len(a.Ints))}, a.Ints))}
		}
		n.lacks("attribute %q is not supported", name)
	}
	return nil
}

func constantOfShape(n *node) []*tensor {
	value := literalTensor(ir.NewLiteral(ir.F32, nil, []float32{0}))
	if a := n.attr("value", 4); a != nil {
		if a.T == nil {
			n.fail("attribute \"value\" holds no tensor")
		}
		t, err := initializer(a.T)
		if err != nil {
			n.fail("value: %w", err)
		}
		if t.lit.Size() != 1 {
			n.fail("value has %d elements, want 1", t.lit.Size())
		}
		value = t
	}
	return n.filled(value.lit, n.intsOf(0))
}

// filled is a tensor of the given shape whose elements are all the one of lit.
func (n *node) filled(lit *ir.Literal, shape ir.Shape) []*tensor {
	for _, d := range shape {
		if k, ok := d.Int(); ok && k < 0 {
			n.fail("shape %v has a negative extent", shape)
		}
	}
	if err := checkShape(shape); err != nil {
		n.fail("%w", err)
	}
	if dims, ok := shape.Ints(); ok {
		t := literalTensor(&ir.Literal{DType: lit.DType, Shape: dims, Data: lit.Data, Splat: true})
		return []*tensor{t}
	}
	scalar := *lit
	scalar.Shape = nil
	return result(n.broadcast(n.op(ir.OpConst, &ir.ConstAttr{Value: &scalar}), shape))
}

// rangeOp counts from start below limit. Its length is an expression where
// the arguments are.
func rangeOp(n *node) []*tensor {
	n.sameTypes()
	for i := range n.in {
		if n.typ(i).Rank() > 0 {
			n.in[i] = n.onlyElement(i)
		}
	}
	d := n.typ(0).DType
	s, l, st := n.in[0].elems, n.in[1].elems, n.in[2].elems
	var length ir.Dim
	switch step, ok := constStep(st); {
	case exprType(d) && s != nil && l != nil && ok && step != 0:
		length = rangeLength(s[0].d, l[0].d, step)
	case d.IsFloat() && s != nil && l != nil && st != nil:
		length = ir.Const(floatRange(n, s[0].f, l[0].f, st[0].f))
	default:
		length = n.boundLength()
	}
	if k, ok := length.Int(); ok && exprType(d) && s != nil && st != nil && k <= maxElems {
		out := make([]elem, k)
		for i := range out {
			out[i].d = s[0].d.Add(st[0].d.MulConst(int64(i)))
		}
		return known(d, ir.Shape{length}, out)
	}
	v := n.cast(n.iota(length), d)
	v = n.elementwise(ir.OpMul, v, n.arg(2))
	return result(n.elementwise(ir.OpAdd, v, n.arg(0)))
}

// onlyElement is input i, which has one element, as a scalar.
func (n *node) onlyElement(i int) *tensor {
	t := n.in[i]
	n.check(t.typ.Shape.Size(), ir.Const(1), fmt.Sprintf("elements of input %d", i))
	if t.elems != nil {
		return known(t.typ.DType, ir.Shape{}, t.elems)[0]
	}
	return computed(n.view(n.value(t), ir.Shape{}))
}

func constStep(e []elem) (int64, bool) {
	if e == nil {
		return 0, false
	}
	return e[0].d.Int()
}

func rangeLength(start, limit ir.Dim, step int64) ir.Dim {
	span := limit.Sub(start)
	if step < 0 {
		span, step = span.Neg(), -step
	}
	return greater(span.CeilDiv(ir.Const(step)), ir.Const(0))
}

// floatRange returns the number of elements of a range of known floats.
func floatRange(n *node, start, limit, step float64) int64 {
	k := math.Ceil((limit - start) / step)
	if !(math.Abs(k) < 1<<40) {
		n.fail("range from %v below %v by %v", start, limit, step)
	}
	return max(int64(k), 0)
}

// boundLength computes the length when the model runs.
func (n *node) boundLength() ir.Dim {
	v := n.op(ir.OpSub, nil, n.arg(1), n.arg(0))
	if d := v.Type.DType; d.IsFloat() {
		v = n.op(ir.OpCeil, nil, n.op(ir.OpDiv, nil, v, n.arg(2)))
	} else { // ceil(a/b) = -floor(-a/b)
		v = n.op(ir.OpNeg, nil, n.op(ir.OpFloorDiv, nil, n.op(ir.OpNeg, nil, v), n.arg(2)))
	}
	v = n.cast(v, ir.I64)
	return n.bind(n.op(ir.OpMax, nil, v, n.like(v, 0)))
}

func eyeLike(n *node) []*tensor {
	t := n.typ(0)
	if t.Rank() != 2 {
		n.fail("input %v, want a matrix", t)
	}
	d := t.DType
	if n.attrs["dtype"] != nil {
		d = n.dtype("dtype", 0)
	}
	row := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: t.Shape, Axis: 0})
	col := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: t.Shape, Axis: 1})
	row = n.op(ir.OpAdd, nil, row, n.like(row, float64(n.int("k", 0))))
	return result(n.cast(n.op(ir.OpEq, nil, row, col), d))
}

// trilu keeps the triangle below or above diagonal k.
func trilu(n *node) []*tensor {
	v := n.arg(0)
	rank := v.Type.Rank()
	if rank < 2 {
		n.fail("input %v, want matrices", v.Type)
	}
	s := v.Type.Shape[rank-2:]
	k := n.full(ir.I64, ir.Shape{}, 0)
	if n.has(1) {
		k = n.value(n.onlyElement(1))
	}
	row := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: s, Axis: 0})
	col := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: s, Axis: 1})
	row = n.elementwise(ir.OpAdd, row, k)
	op := ir.OpLe
	if n.flag("upper", true) {
		op = ir.OpGe
	}
	zero := n.full(v.Type.DType, ir.Shape{}, 0)
	return result(n.elementwise(ir.OpSelect, n.apply(op, col, row), v, zero))
}
