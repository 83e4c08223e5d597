package onnx

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Reductions.

var reduceRows = slices.Concat(
	[]row{
		{"ArgMax", 1, 1, 1, arg(ir.OpArgMax)},
		{"ArgMin", 1, 1, 1, arg(ir.OpArgMin)},
	},
	reduction("ReduceL1", 18, func(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
		return n.reduce(ir.OpSum, n.op(ir.OpAbs, nil, v), keep, axes...)
	}),
	reduction("ReduceL2", 18, reduceL2),
	reduction("ReduceLogSum", 18, ofFloats(reduceLogSum)),
	reduction("ReduceLogSumExp", 18, ofFloats(reduceLogSumExp)),
	reduction("ReduceMax", 18, plainReduction(ir.OpReduceMax)),
	reduction("ReduceMean", 18, reduceMean),
	reduction("ReduceMin", 18, plainReduction(ir.OpReduceMin)),
	reduction("ReduceProd", 18, plainReduction(ir.OpProd)),
	reduction("ReduceSum", 13, plainReduction(ir.OpSum)),
	reduction("ReduceSumSquare", 18, func(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
		return n.reduce(ir.OpSum, n.op(ir.OpMul, nil, v, v), keep, axes...)
	}),
)

// reducer folds axes of v.
type reducer func(n *node, v *ir.Value, keep bool, axes []int) *ir.Value

// reduction makes the rows of an operator whose axes are an attribute, and
// from version inputSince on an input.
func reduction(op string, inputSince int64, f reducer) []row {
	return []row{
		{op, 1, 1, 1, func(n *node) []*tensor { return n.reduction(f, n.ints("axes"), false) }},
		{op, inputSince, 1, 2, func(n *node) []*tensor {
			var axes []int64
			if n.has(1) {
				axes = n.constInts(1, "axes")
			}
			return n.reduction(f, axes, n.flag("noop_with_empty_axes", false))
		}},
	}
}

func (n *node) reduction(f reducer, list []int64, noop bool) []*tensor {
	rank := n.typ(0).Rank()
	keep := n.flag("keepdims", true)
	var axes []int
	if len(list) > 0 {
		axes = n.axes(list, rank)
	} else if !noop {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	slices.Sort(axes)
	if e := n.reduceElems(axes, keep); e != nil {
		return e
	}
	return result(f(n, n.arg(0), keep, axes))
}

// reduceElems reduces a known vector of integers.
func (n *node) reduceElems(axes []int, keep bool) []*tensor {
	var f func(a, b ir.Dim) ir.Dim
	switch n.p.OpType {
	case "ReduceProd":
		f = ir.Dim.Mul
	case "ReduceSum":
		f = ir.Dim.Add
	case "ReduceMax":
		f = greater
	case "ReduceMin":
		f = lesser
	}
	t := n.in[0]
	if f == nil || len(t.elems) == 0 || t.typ.Rank() != 1 || len(axes) != 1 || !exprType(t.typ.DType) {
		return nil
	}
	acc := t.elems[0].d
	for _, e := range t.elems[1:] {
		acc = f(acc, e.d)
	}
	shape := ir.Shape{}
	if keep {
		shape = ir.Dims(1)
	}
	return known(t.typ.DType, shape, []elem{{d: acc}})
}

func plainReduction(op ir.Op) reducer {
	return func(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
		return n.reduce(op, v, keep, axes...)
	}
}

func reduceMean(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
	return n.mean(v, keep, axes...)
}

func reduceL2(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
	d := v.Type.DType
	s := n.reduce(ir.OpSum, n.op(ir.OpMul, nil, v, v), keep, axes...)
	if !d.IsFloat() {
		s = n.cast(s, ir.F64)
	}
	return n.cast(n.op(ir.OpSqrt, nil, s), d)
}

func reduceLogSum(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
	return n.op(ir.OpLog, nil, n.reduce(ir.OpSum, v, keep, axes...))
}

// reduceLogSumExp takes out the largest element, so that exp does not
// overflow; where that is infinite, it takes out nothing.
func reduceLogSumExp(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
	top := n.reduce(ir.OpReduceMax, v, true, axes...)
	top = n.op(ir.OpSelect, nil, n.op(ir.OpIsInf, nil, top), n.like(top, 0), top)
	sum := n.reduce(ir.OpSum, n.op(ir.OpExp, nil, n.elementwise(ir.OpSub, v, top)), keep, axes...)
	if !keep {
		top = n.view(top, sum.Type.Shape)
	}
	return n.op(ir.OpAdd, nil, n.op(ir.OpLog, nil, sum), top)
}

// ofFloats computes f of integers in f64.
func ofFloats(f reducer) reducer {
	return func(n *node, v *ir.Value, keep bool, axes []int) *ir.Value {
		d := v.Type.DType
		if !d.IsFloat() {
			v = n.cast(v, ir.F64)
		}
		return n.cast(f(n, v, keep, axes), d)
	}
}

// arg imports ArgMax and ArgMin, which take the first of equal elements or,
// if asked to, the last: the first from the other end.
func arg(op ir.Op) func(*node) []*tensor {
	return func(n *node) []*tensor {
		v := n.arg(0)
		axis := n.axis(n.int("axis", 0), v.Type.Rank())
		last, keep := n.flag("select_last_index", false), n.flag("keepdims", true)
		if last {
			v = n.reverse(v, axis)
		}
		r := n.op(op, &ir.AxisAttr{Axis: axis}, v)
		if last {
			end := n.dim(v.Type.Shape[axis].AddConst(-1))
			r = n.elementwise(ir.OpSub, end, r)
		}
		if keep {
			r = n.unsqueeze(r, axis)
		}
		return result(r)
	}
}
