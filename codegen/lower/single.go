package lower

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// singles has the operations that are a kernel of their own: they write their
// result in an order, or need more than one accumulator.
var singles map[ir.Op]func(l *lowerer, v *ir.Value) error

func init() {
	singles = map[ir.Op]func(l *lowerer, v *ir.Value) error{
		ir.OpArgMax:       lowerArg,
		ir.OpArgMin:       lowerArg,
		ir.OpCumSum:       lowerCumulative,
		ir.OpCumProd:      lowerCumulative,
		ir.OpCumMax:       lowerCumulative,
		ir.OpCumLogSumExp: lowerCumulative,
		ir.OpArgSort:      lowerArgSort,
		ir.OpScatterAlong: lowerScatterAlong,
		ir.OpScatterND:    lowerScatterND,
		ir.OpNonZero:      lowerNonZero,
	}
}

// single lowers a region of one operation.
func single(l *lowerer) error {
	if len(l.body.Results) != 1 {
		return fmt.Errorf("%d results", len(l.body.Results))
	}
	v := l.body.Results[0]
	if f, ok := singles[v.Op]; ok {
		return f(l, v)
	}
	return l.loop()
}

// without returns s without axis i.
func without(s ir.Shape, i int) ir.Shape {
	return append(append(ir.Shape(nil), s[:i]...), s[i+1:]...)
}

// insert returns idx with d at position i.
func insert(idx []ir.Dim, i int, d ir.Dim) []ir.Dim {
	out := append([]ir.Dim(nil), idx[:i]...)
	return append(append(out, d), idx[i:]...)
}

// lowerArg keeps the best element and its coordinate. The first element is
// always taken; NaN beats everything and is beaten by nothing.
func lowerArg(l *lowerer, v *ir.Value) error {
	x, axis := v.Args[0], v.Attr.(*ir.AxisAttr).Axis
	better := ir.OpGt
	if v.Op == ir.OpArgMin {
		better = ir.OpLt
	}
	n := x.Type.Shape[axis]
	return l.nest("i", v.Type.Shape, func(idx []ir.Dim) error {
		d := computeType(x.Type.DType)
		set, best := l.accumulator(d, zero(d))
		setAt, at := l.accumulator(ir.I64, zero(ir.I64))
		err := l.nest("r", ir.Shape{n}, func(r []ir.Dim) error {
			e, err := l.pull(x, insert(idx, axis, r[0]), nil)
			if err != nil {
				return err
			}
			e = wide(e)
			take := kernel.OpExpr(ir.OpOr, eqConst(r[0], 0), kernel.OpExpr(better, e, best))
			if d.IsFloat() {
				first := kernel.OpExpr(ir.OpAnd, kernel.OpExpr(ir.OpIsNaN, e),
					kernel.OpExpr(ir.OpNot, kernel.OpExpr(ir.OpIsNaN, best)))
				take = kernel.OpExpr(ir.OpOr, take, first)
			}
			t := l.name("take")
			l.emit(&kernel.Let{Var: t, Value: take})
			cond := kernel.VarExpr(t, ir.Bool)
			setAt(kernel.OpExpr(ir.OpSelect, cond, kernel.IndexExpr(r[0]), at))
			set(kernel.OpExpr(ir.OpSelect, cond, e, best))
			return nil
		})
		if err != nil {
			return err
		}
		l.store(0, idx, at)
		return nil
	})
}

// running says how the elements so far and the next make a running result, and
// what that is of none.
var running = map[ir.Op]struct {
	next  func(acc, e *kernel.Expr) *kernel.Expr
	start func(d ir.DType) *kernel.Expr
}{
	ir.OpCumSum:       {by(ir.OpAdd), zero},
	ir.OpCumProd:      {by(ir.OpMul), one},
	ir.OpCumMax:       {by(ir.OpMax), lowest},
	ir.OpCumLogSumExp: {logAddExp, lowest},
}

func by(op ir.Op) func(x, y *kernel.Expr) *kernel.Expr {
	return func(x, y *kernel.Expr) *kernel.Expr { return kernel.OpExpr(op, x, y) }
}

// logAddExp is log(e**x + e**y); equal infinities have no difference.
func logAddExp(x, y *kernel.Expr) *kernel.Expr {
	d := x.DType
	ln2 := kernel.ConstExpr(d, math.Float64bits(math.Ln2))
	if d == ir.F32 {
		ln2 = kernel.ConstExpr(d, uint64(math.Float32bits(math.Ln2)))
	}
	apart := kernel.OpExpr(ir.OpNeg, kernel.OpExpr(ir.OpAbs, kernel.OpExpr(ir.OpSub, x, y)))
	sum := kernel.OpExpr(ir.OpAdd, kernel.OpExpr(ir.OpMax, x, y),
		kernel.OpExpr(ir.OpLog1p, kernel.OpExpr(ir.OpExp, apart)))
	twice := kernel.OpExpr(ir.OpAdd, x, ln2)
	return kernel.OpExpr(ir.OpSelect, kernel.OpExpr(ir.OpEq, x, y), twice, sum)
}

func lowerCumulative(l *lowerer, v *ir.Value) error {
	a, x := v.Attr.(*ir.CumAttr), v.Args[0]
	by, n := running[v.Op], x.Type.Shape[a.Axis]
	return l.nest("i", without(x.Type.Shape, a.Axis), func(idx []ir.Dim) error {
		d := computeType(x.Type.DType)
		set, acc := l.accumulator(d, by.start(d))
		return l.nest("r", ir.Shape{n}, func(r []ir.Dim) error {
			at := r[0]
			if a.Reverse {
				at = n.AddConst(-1).Sub(at)
			}
			full := insert(idx, a.Axis, at)
			e, err := l.pull(x, full, nil)
			if err != nil {
				return err
			}
			sum := by.next(acc, wide(e))
			if a.Exclusive {
				l.store(0, full, castExpr(v.Type.DType, acc))
				set(sum)
				return nil
			}
			set(sum)
			l.store(0, full, castExpr(v.Type.DType, acc))
			return nil
		})
	})
}

// lowerArgSort computes the rank of each element by counting those that come
// before it: stable, without branches, quadratic in the length of the axis.
func lowerArgSort(l *lowerer, v *ir.Value) error {
	a, x := v.Attr.(*ir.SortAttr), v.Args[0]
	n := x.Type.Shape[a.Axis]
	return l.nest("i", without(x.Type.Shape, a.Axis), func(idx []ir.Dim) error {
		return l.nest("s", ir.Shape{n}, func(s []ir.Dim) error {
			own, err := l.pull(x, insert(idx, a.Axis, s[0]), nil)
			if err != nil {
				return err
			}
			set, rank := l.accumulator(ir.I64, zero(ir.I64))
			err = l.nest("r", ir.Shape{n}, func(r []ir.Dim) error {
				e, err := l.pull(x, insert(idx, a.Axis, r[0]), nil)
				if err != nil {
					return err
				}
				ahead := sortsBefore(wide(e), wide(own), a.Desc)
				ties := kernel.OpExpr(ir.OpAnd, kernel.OpExpr(ir.OpLt, kernel.IndexExpr(r[0]),
					kernel.IndexExpr(s[0])), kernel.OpExpr(ir.OpNot, sortsBefore(wide(own), wide(e), a.Desc)))
				ahead = kernel.OpExpr(ir.OpOr, ahead, ties)
				set(kernel.OpExpr(ir.OpAdd, rank, castExpr(ir.I64, ahead)))
				return nil
			})
			if err != nil {
				return err
			}
			at := l.letIndex(rank)
			l.store(0, insert(idx, a.Axis, at), kernel.IndexExpr(s[0]))
			return nil
		})
	})
}

// sortsBefore is the strict order of sorting: NaN is the largest.
func sortsBefore(x, y *kernel.Expr, desc bool) *kernel.Expr {
	if desc {
		x, y = y, x
	}
	lt := kernel.OpExpr(ir.OpLt, x, y)
	if !x.DType.IsFloat() {
		return lt
	}
	nan := kernel.OpExpr(ir.OpAnd, kernel.OpExpr(ir.OpIsNaN, y), kernel.OpExpr(ir.OpNot, kernel.OpExpr(ir.OpIsNaN, x)))
	return kernel.OpExpr(ir.OpOr, lt, nan)
}

// scatters has how an update is combined with what is there.
var scatters = map[string]func(old, e *kernel.Expr) *kernel.Expr{
	"none": func(_, e *kernel.Expr) *kernel.Expr { return e },
	"add":  func(old, e *kernel.Expr) *kernel.Expr { return combine(ir.OpAdd, ir.OpOr, old, e) },
	"mul":  func(old, e *kernel.Expr) *kernel.Expr { return combine(ir.OpMul, ir.OpAnd, old, e) },
	"max":  func(old, e *kernel.Expr) *kernel.Expr { return combine(ir.OpMax, ir.OpOr, old, e) },
	"min":  func(old, e *kernel.Expr) *kernel.Expr { return combine(ir.OpMin, ir.OpAnd, old, e) },
}

func combine(op, boolOp ir.Op, old, e *kernel.Expr) *kernel.Expr {
	if e.DType == ir.Bool {
		op = boolOp
	}
	return castExpr(e.DType, kernel.OpExpr(op, wide(old), wide(e)))
}

// copyOf copies x to the result.
func (l *lowerer) copyOf(x *ir.Value) error {
	return l.nest("c", x.Type.Shape, func(idx []ir.Dim) error {
		e, err := l.pull(x, idx, nil)
		if err != nil {
			return err
		}
		l.store(0, idx, e)
		return nil
	})
}

// put combines an update into element `at` of the result.
func (l *lowerer) put(v *ir.Value, at []ir.Dim, e *kernel.Expr) {
	flat := l.flat(v.Type.Shape, at)
	old := kernel.Load(l.outs[0], flat)
	l.outs[0].In = l.outs[0].In || v.Attr.(*ir.ScatterAttr).Reduce != "none"
	l.emit(&kernel.Store{Buf: l.outs[0], Index: flat, Value: scatters[v.Attr.(*ir.ScatterAttr).Reduce](old, e)})
}

func lowerScatterAlong(l *lowerer, v *ir.Value) error {
	if err := l.copyOf(v.Args[0]); err != nil {
		return err
	}
	axis := v.Attr.(*ir.ScatterAttr).Axis
	idx, upd := v.Args[1], v.Args[2]
	return l.nest("u", upd.Type.Shape, func(u []ir.Dim) error {
		i, err := l.pull(idx, u, nil)
		if err != nil {
			return err
		}
		e, err := l.pull(upd, u, nil)
		if err != nil {
			return err
		}
		at := append([]ir.Dim(nil), u...)
		at[axis] = l.checked(i, v.Type.Shape[axis], nil)
		l.put(v, at, e)
		return nil
	})
}

func lowerScatterND(l *lowerer, v *ir.Value) error {
	if err := l.copyOf(v.Args[0]); err != nil {
		return err
	}
	idx, upd := v.Args[1], v.Args[2]
	lead := idx.Type.Rank() - 1
	k, _ := idx.Type.Shape[lead].Int()
	return l.nest("u", upd.Type.Shape[:lead], func(u []ir.Dim) error {
		at := make([]ir.Dim, k)
		for i := range at {
			e, err := l.pull(idx, insert(u, lead, ir.Const(int64(i))), nil)
			if err != nil {
				return err
			}
			at[i] = l.checked(fromEnd(castExpr(ir.I64, e), v.Type.Shape[i]), v.Type.Shape[i], nil)
		}
		return l.nest("w", upd.Type.Shape[lead:], func(w []ir.Dim) error {
			e, err := l.pull(upd, append(append([]ir.Dim(nil), u...), w...), nil)
			if err != nil {
				return err
			}
			l.put(v, append(append([]ir.Dim(nil), at...), w...), e)
			return nil
		})
	})
}

// lowerNonZero appends the coordinates of each element that is not zero.
func lowerNonZero(l *lowerer, v *ir.Value) error {
	x := v.Args[0]
	count := v.Type.Shape[1]
	set, next := l.accumulator(ir.I64, zero(ir.I64))
	return l.nest("z", x.Type.Shape, func(idx []ir.Dim) error {
		e, err := l.pull(x, idx, nil)
		if err != nil {
			return err
		}
		cond := castExpr(ir.Bool, e)
		outer := l.scope
		l.scope = &scope{parent: outer}
		p := l.letIndex(next)
		l.emit(&kernel.Fail{Cond: kernel.OpExpr(ir.OpGe, kernel.IndexExpr(p), kernel.IndexExpr(count)),
			Status: StatusIndex})
		for d := range idx {
			l.emit(&kernel.Store{Buf: l.outs[0], Index: count.MulConst(int64(d)).Add(p),
				Value: kernel.IndexExpr(idx[d])})
		}
		set(kernel.IndexExpr(p.AddConst(1)))
		then := l.scope.stmts
		l.scope = outer
		l.emit(&kernel.If{Cond: cond, Then: then})
		return nil
	})
}
