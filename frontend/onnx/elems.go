package onnx

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Arithmetic on known elements. Each function returns false where the result
// is not an expression, or where computing it when the model runs could be an
// error.

// elemFunc computes an element of the result from one element of each
// argument, all of type d.
type elemFunc func(d ir.DType, args []elem) (elem, bool)

var elemUnary = map[ir.Op]elemFunc{
	ir.OpNeg: func(d ir.DType, e []elem) (elem, bool) {
		return elem{d: e[0].d.Neg(), f: -e[0].f}, true
	},
	ir.OpAbs: func(d ir.DType, e []elem) (elem, bool) {
		r := bounds(e[0].d)
		if r.lo >= 0 {
			return elem{d: e[0].d, f: math.Abs(e[0].f)}, true
		}
		return elem{d: e[0].d.Neg(), f: math.Abs(e[0].f)}, r.hi <= 0
	},
	ir.OpSqrt: func(d ir.DType, e []elem) (elem, bool) {
		return elem{f: roundTo(d, math.Sqrt(e[0].f))}, true
	},
	ir.OpNot: func(d ir.DType, e []elem) (elem, bool) {
		return elem{d: ir.Const(1).Sub(e[0].d)}, d == ir.Bool
	},
}

var elemBinary = map[ir.Op]elemFunc{
	ir.OpAdd: arith(ir.Dim.Add, func(a, b float64) float64 { return a + b }),
	ir.OpSub: arith(ir.Dim.Sub, func(a, b float64) float64 { return a - b }),
	ir.OpMul: arith(ir.Dim.Mul, func(a, b float64) float64 { return a * b }),
	ir.OpDiv: elemDiv,
	ir.OpMod: func(d ir.DType, e []elem) (elem, bool) {
		return elem{d: e[0].d.Mod(e[1].d)}, exprType(d) && bounds(e[1].d).lo > 0
	},
	ir.OpRem: func(d ir.DType, e []elem) (elem, bool) {
		return elem{d: e[0].d.Mod(e[1].d)}, exprType(d) && bounds(e[1].d).lo > 0 && notNegative(e[0].d)
	},
	ir.OpMax: func(d ir.DType, e []elem) (elem, bool) {
		return elem{d: greater(e[0].d, e[1].d), f: max(e[0].f, e[1].f)}, true
	},
	ir.OpMin: func(d ir.DType, e []elem) (elem, bool) {
		return elem{d: lesser(e[0].d, e[1].d), f: min(e[0].f, e[1].f)}, true
	},
	ir.OpAnd: logic(func(a, b int64) int64 { return a & b }),
	ir.OpOr:  logic(func(a, b int64) int64 { return a | b }),
	ir.OpXor: logic(func(a, b int64) int64 { return a ^ b }),
	ir.OpEq:  elemEq,
	ir.OpLt:  comparison(func(sign int) bool { return sign < 0 }),
	ir.OpLe:  comparison(func(sign int) bool { return sign <= 0 }),
	ir.OpGt:  comparison(func(sign int) bool { return sign > 0 }),
	ir.OpGe:  comparison(func(sign int) bool { return sign >= 0 }),
}

func arith(f func(a, b ir.Dim) ir.Dim, g func(a, b float64) float64) elemFunc {
	return func(d ir.DType, e []elem) (elem, bool) {
		if exprType(d) {
			v := f(e[0].d, e[1].d)
			return elem{d: v}, d != ir.Bool && fits(d, e[0].d, e[1].d, v)
		}
		return elem{f: roundTo(d, g(e[0].f, e[1].f))}, true
	}
}

// fits reports whether numbers are so small that no result of theirs wraps
// around in type d. Expressions are extents and taken to be.
func fits(d ir.DType, dims ...ir.Dim) bool {
	limit := int64(1) << 31
	if d == ir.I64 {
		limit = 1 << 62
	}
	for i, x := range dims {
		l := limit
		if i < 2 && d == ir.I64 {
			l = limit / 2
		}
		if k, ok := x.Int(); ok && (k >= l || k <= -l) {
			return false
		}
	}
	a, ok := dims[0].Int()
	b, ok2 := dims[1].Int()
	return !ok || !ok2 || mulSat(a, b) != posInf && mulSat(a, b) != negInf
}

// elemDiv divides as ONNX does, towards zero.
func elemDiv(d ir.DType, e []elem) (elem, bool) {
	if !exprType(d) {
		return elem{f: roundTo(d, e[0].f/e[1].f)}, true
	}
	x, y := e[0].d, e[1].d
	a, ok := x.Int()
	b, ok2 := y.Int()
	if ok && ok2 && b != 0 && a != math.MinInt64 {
		return elem{d: ir.Const(a / b)}, true
	}
	return elem{d: x.FloorDiv(y)}, notNegative(x) && bounds(y).lo > 0
}

func logic(f func(a, b int64) int64) elemFunc {
	return func(d ir.DType, e []elem) (elem, bool) {
		a, ok := e[0].d.Int()
		b, ok2 := e[1].d.Int()
		return elem{d: ir.Const(f(a, b))}, ok && ok2 && exprType(d)
	}
}

func truth(b bool) elem {
	if b {
		return elem{d: ir.Const(1)}
	}
	return elem{}
}

// elemEq decides more than the order of the two: extents that bounds keep
// apart, or that are the same expression. What it cannot decide is the
// expression 1 - min((x-y)**2, 1).
func elemEq(d ir.DType, e []elem) (elem, bool) {
	if !exprType(d) {
		return truth(e[0].f == e[1].f), true
	}
	diff := e[0].d.Sub(e[1].d)
	if diff.IsConst(0) {
		return truth(true), true
	}
	if r := bounds(diff); r.lo > 0 || r.hi < 0 {
		return truth(false), true
	}
	differ := diff.Mul(diff).Min(ir.Const(1))
	return elem{d: ir.Const(1).Sub(differ), eq: &[2]ir.Dim{e[0].d, e[1].d}}, true
}

func comparison(f func(sign int) bool) elemFunc {
	return func(d ir.DType, e []elem) (elem, bool) {
		if exprType(d) {
			r := bounds(e[0].d.Sub(e[1].d))
			lo, hi := f(signOf(r.lo)), f(signOf(r.hi))
			return truth(lo), lo == hi // f is monotonic
		}
		if e[0].f != e[0].f || e[1].f != e[1].f {
			return truth(false), true
		}
		sign := 0
		if e[0].f < e[1].f {
			sign = -1
		} else if e[0].f > e[1].f {
			sign = 1
		}
		return truth(f(sign)), true
	}
}

func signOf(x int64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

// zip computes the elements of the result from those of all inputs, which are
// folded in pairs where f takes two and there are more; nil if they are not
// all known. The result has the element type of input 0.
func (n *node) zip(f elemFunc) []*tensor {
	shapes := make([]ir.Shape, len(n.in))
	for i, t := range n.in {
		if t.elems == nil {
			return nil
		}
		shapes[i] = t.typ.Shape
	}
	shape, ok := n.broadcastShapes(shapes...).Ints()
	if !ok || product(shape) > maxElems {
		return nil
	}
	for i := range shapes {
		if s, _ := shapes[i].Ints(); !broadcasts(s, shape) {
			return nil // the general path reports it
		}
	}
	d := n.typ(0).DType
	if d == ir.Bool && len(n.in) > 1 {
		d = n.typ(1).DType // of Where; for logic it is bool too
	}
	out := make([]elem, product(shape))
	for i := range out {
		args := make([]elem, len(n.in))
		for j, t := range n.in {
			s, _ := shapes[j].Ints()
			args[j] = t.elems[broadcastIndex(i, s, shape)]
		}
		e, ok := f(d, args)
		if !ok || e.d.Overflows() {
			return nil
		}
		out[i] = e
	}
	return known(n.typ(0).DType, ir.Dims(shape...), out)
}

func product(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		n = mulSat(n, d)
	}
	return n
}

// broadcasts reports whether shape s stretches to t.
func broadcasts(s, t []int64) bool {
	off := len(t) - len(s)
	if off < 0 {
		return false
	}
	for i, d := range s {
		if d != 1 && d != t[off+i] {
			return false
		}
	}
	return true
}

// broadcastIndex returns the place in a tensor of shape s of what is at place
// i after stretching it to shape t.
func broadcastIndex(i int, s, t []int64) int {
	at, stride := 0, 1
	for axis := len(t) - 1; axis >= 0; axis-- {
		c := i % int(t[axis])
		i /= int(t[axis])
		if j := axis - (len(t) - len(s)); j >= 0 && s[j] != 1 {
			at += c * stride
			stride *= int(s[j])
		}
	}
	return at
}
