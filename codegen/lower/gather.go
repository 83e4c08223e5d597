package lower

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// StatusIndex is the status of a kernel that met an index out of range.
const StatusIndex = 1

// letIndex binds an integer expression to a symbol usable in indices.
func (l *lowerer) letIndex(e *kernel.Expr) ir.Dim {
	v := l.name("ix")
	l.emit(&kernel.Let{Var: v, Value: castExpr(ir.I64, e)})
	return ir.Sym(v)
}

// checked binds an index and fails where it is outside [0, extent).
func (l *lowerer) checked(e *kernel.Expr, extent ir.Dim, guard *kernel.Expr) ir.Dim {
	ix := l.letIndex(e)
	bad := kernel.OpExpr(ir.OpOr,
		kernel.OpExpr(ir.OpLt, kernel.IndexExpr(ix), kernel.IndexExpr(ir.Const(0))),
		kernel.OpExpr(ir.OpGe, kernel.IndexExpr(ix), kernel.IndexExpr(extent)))
	l.emit(&kernel.Fail{Cond: and(guard, bad), Status: StatusIndex})
	return ix
}

// clamped binds an index clamped to [0, most].
func (l *lowerer) clamped(e *kernel.Expr, most ir.Dim) ir.Dim {
	e = castExpr(ir.I64, e)
	e = kernel.OpExpr(ir.OpMax, e, kernel.IndexExpr(ir.Const(0)))
	return l.letIndex(kernel.OpExpr(ir.OpMin, e, kernel.IndexExpr(most)))
}

func pullGather(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	x, y, axis := v.Args[0], v.Args[1], v.Attr.(*ir.AxisAttr).Axis
	n := y.Type.Rank()
	e, err := l.pull(y, idx[axis:axis+n], guard)
	if err != nil {
		return nil, err
	}
	in := append([]ir.Dim(nil), idx[:axis]...)
	in = append(in, l.checked(e, x.Type.Shape[axis], guard))
	in = append(in, idx[axis+n:]...)
	return l.pull(x, in, guard)
}

func pullTakeAlong(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	x, axis := v.Args[0], v.Attr.(*ir.AxisAttr).Axis
	e, err := l.pull(v.Args[1], idx, guard)
	if err != nil {
		return nil, err
	}
	in := append([]ir.Dim(nil), idx...)
	in[axis] = l.checked(e, x.Type.Shape[axis], guard)
	return l.pull(x, in, guard)
}

func pullGatherND(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	x, y, b := v.Args[0], v.Args[1], v.Attr.(*ir.BatchAttr).Batch
	lead := y.Type.Rank() - 1
	k, _ := y.Type.Shape[lead].Int()
	in := append([]ir.Dim(nil), idx[:b]...)
	for i := range int(k) {
		at := append(append([]ir.Dim(nil), idx[:lead]...), ir.Const(int64(i)))
		e, err := l.pull(y, at, guard)
		if err != nil {
			return nil, err
		}
		e = fromEnd(castExpr(ir.I64, e), x.Type.Shape[b+i])
		in = append(in, l.checked(e, x.Type.Shape[b+i], guard))
	}
	return l.pull(x, append(in, idx[lead:]...), guard)
}

// fromEnd is ONNX's reading of an index: negative ones count from the end.
func fromEnd(e *kernel.Expr, extent ir.Dim) *kernel.Expr {
	return kernel.OpExpr(ir.OpSelect, kernel.OpExpr(ir.OpLt, e, kernel.IndexExpr(ir.Const(0))),
		kernel.OpExpr(ir.OpAdd, e, kernel.IndexExpr(extent)), e)
}

// starts pulls the start coordinates of a part of x, clamped so that the part
// lies inside.
func (l *lowerer) starts(y *ir.Value, x, part ir.Shape, guard *kernel.Expr) ([]ir.Dim, error) {
	out := make([]ir.Dim, len(x))
	for i := range x {
		e, err := l.pull(y, []ir.Dim{ir.Const(int64(i))}, guard)
		if err != nil {
			return nil, err
		}
		if !x[i].Equal(part[i]) {
			out[i] = l.clamped(e, x[i].Sub(part[i]))
		}
	}
	return out, nil
}

func pullDynamicSlice(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	x := v.Args[0]
	at, err := l.starts(v.Args[1], x.Type.Shape, v.Type.Shape, guard)
	if err != nil {
		return nil, err
	}
	for i := range at {
		at[i] = at[i].Add(idx[i])
	}
	return l.pull(x, at, guard)
}

func pullDynamicUpdate(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	x, y := v.Args[0], v.Args[1]
	at, err := l.starts(v.Args[2], x.Type.Shape, y.Type.Shape, guard)
	if err != nil {
		return nil, err
	}
	var cond *kernel.Expr
	for i := range at {
		whole := x.Type.Shape[i].Equal(y.Type.Shape[i])
		at[i] = idx[i].Sub(at[i])
		cond = and(cond, l.inBounds(at[i], y.Type.Shape[i], !whole, !whole))
	}
	return l.choose(cond, guard,
		func(g *kernel.Expr) (*kernel.Expr, error) { return l.pull(y, at, g) },
		func(g *kernel.Expr) (*kernel.Expr, error) { return l.pull(x, idx, g) })
}

// pullRandomBits is one word of Philox4x32-10: Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
func pullRandomBits(l *lowerer, v *ir.Value, idx []ir.Dim, guard *kernel.Expr) (*kernel.Expr, error) {
	var err error
	scalar := func(a *ir.Value) *kernel.Expr {
		e, err2 := l.pull(a, nil, guard)
		if err2 != nil {
			err = err2
		}
		return e
	}
	key, ctr := scalar(v.Args[0]), scalar(v.Args[1])
	if err != nil {
		return nil, err
	}
	u32 := func(e *kernel.Expr) *kernel.Expr { return kernel.CastExpr(ir.U32, e) }
	hi := func(e *kernel.Expr) *kernel.Expr {
		return u32(kernel.OpExpr(ir.OpShr, e, kernel.ConstExpr(ir.U64, 32)))
	}
	mul := func(e *kernel.Expr, m uint64) *kernel.Expr {
		return kernel.OpExpr(ir.OpMul, kernel.CastExpr(ir.U64, e), kernel.ConstExpr(ir.U64, m))
	}
	at := l.flat(v.Type.Shape, idx)
	block := castExpr(ir.U64, kernel.IndexExpr(l.simplify(at.FloorDiv(ir.Const(4)))))
	n := kernel.OpExpr(ir.OpAdd, ctr, block)
	c := [4]*kernel.Expr{u32(n), hi(n), kernel.ConstExpr(ir.U32, 0), kernel.ConstExpr(ir.U32, 0)}
	k0, k1 := u32(key), hi(key)
	for range 10 {
		a, b := mul(c[0], 0xD2511F53), mul(c[2], 0xCD9E8D57)
		c = [4]*kernel.Expr{
			kernel.OpExpr(ir.OpXor, kernel.OpExpr(ir.OpXor, hi(b), c[1]), k0), u32(b),
			kernel.OpExpr(ir.OpXor, kernel.OpExpr(ir.OpXor, hi(a), c[3]), k1), u32(a),
		}
		k0 = kernel.OpExpr(ir.OpAdd, k0, kernel.ConstExpr(ir.U32, 0x9E3779B9))
		k1 = kernel.OpExpr(ir.OpAdd, k1, kernel.ConstExpr(ir.U32, 0xBB67AE85))
	}
	word := l.simplify(at.Mod(ir.Const(4)))
	e := c[3]
	for i := 2; i >= 0; i-- {
		e = kernel.OpExpr(ir.OpSelect, eqConst(word, int64(i)), c[i], e)
	}
	return e, nil
}
