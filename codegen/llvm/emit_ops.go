package llvm

import (
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Operations. Each is a row for floats, one for integers and one for bool;
// what has no row must have been expanded by codegen/mathfn.

// opCall is an operation to emit: on elements of type d, all arguments in
// lanes or none.
type opCall struct {
	*emitter
	x   *kernel.Expr
	d   ir.DType
	vec bool
	a   []value.Value
}

// opRow has an emitter for each class of element types.
type opRow struct{ float, int, bool func(c *opCall) value.Value }

var opRows map[ir.Op]opRow

func init() { // breaks the cycle from the rows back to op
	opRows = map[ir.Op]opRow{
		ir.OpNeg:   {float: negFloat, int: negInt},
		ir.OpAbs:   {float: unaryIntrinsic("fabs"), int: absInt},
		ir.OpSign:  {float: signFloat, int: signInt},
		ir.OpCeil:  {float: unaryIntrinsic("ceil")},
		ir.OpFloor: {float: unaryIntrinsic("floor")},
		ir.OpTrunc: {float: unaryIntrinsic("trunc")},
		ir.OpRound: {float: unaryIntrinsic("roundeven")},
		ir.OpSqrt:  {float: unaryIntrinsic("sqrt")},
		ir.OpExp:   {float: expFloat}, // where it is native
		ir.OpNot:   {int: notInt, bool: notInt},
		ir.OpIsNaN: {float: isNaN},
		ir.OpIsInf: {float: isInf},

		ir.OpPopcount: {int: unaryIntrinsic("ctpop")},

		ir.OpAdd: {float: func(c *opCall) value.Value { return c.cur.NewFAdd(c.a[0], c.a[1]) },
			int: func(c *opCall) value.Value { return c.cur.NewAdd(c.a[0], c.a[1]) }},
		ir.OpSub: {float: func(c *opCall) value.Value { return c.cur.NewFSub(c.a[0], c.a[1]) },
			int: func(c *opCall) value.Value { return c.cur.NewSub(c.a[0], c.a[1]) }},
		ir.OpMul: {float: func(c *opCall) value.Value { return c.cur.NewFMul(c.a[0], c.a[1]) },
			int: func(c *opCall) value.Value { return c.cur.NewMul(c.a[0], c.a[1]) }},
		ir.OpDiv: {float: func(c *opCall) value.Value { return c.cur.NewFDiv(c.a[0], c.a[1]) },
			int: divInt},
		ir.OpFloorDiv: {int: floorDivInt},
		ir.OpRem:      {int: remInt},
		ir.OpMod:      {int: modInt},
		ir.OpMax: {float: extremeFloat("maximum", enum.FPredUGT, enum.FPredUGE),
			int: extremeInt("max"), bool: orInt},
		ir.OpMin: {float: extremeFloat("minimum", enum.FPredULT, enum.FPredULE),
			int: extremeInt("min"), bool: andInt},
		ir.OpAnd: {int: andInt, bool: andInt},
		ir.OpOr:  {int: orInt, bool: orInt},
		ir.OpXor: {int: xorInt, bool: xorInt},
		ir.OpShl: {int: shl},
		ir.OpShr: {int: shr},
		ir.OpEq:  comparison(enum.FPredOEQ, enum.IPredEQ, enum.IPredEQ),
		ir.OpNe:  comparison(enum.FPredUNE, enum.IPredNE, enum.IPredNE),
		ir.OpLt:  comparison(enum.FPredOLT, enum.IPredSLT, enum.IPredULT),
		ir.OpLe:  comparison(enum.FPredOLE, enum.IPredSLE, enum.IPredULE),
		ir.OpGt:  comparison(enum.FPredOGT, enum.IPredSGT, enum.IPredUGT),
		ir.OpGe:  comparison(enum.FPredOGE, enum.IPredSGE, enum.IPredUGE),
		ir.OpFMA: {float: func(c *opCall) value.Value {
			return c.intrinsic("llvm.fma."+suffix(c.typ()), c.typ(), c.a...)
		}},
	}
}

// op emits an operation.
func (e *emitter) op(x *kernel.Expr) val {
	switch x.Op {
	case ir.OpCast:
		return e.cast(e.expr(x.Args[0]), x.Args[0].DType, x.DType)
	case ir.OpBitcast:
		return e.bitcast(e.expr(x.Args[0]), x.Args[0].DType, x.DType)
	case ir.OpSelect:
		return e.selection(x)
	}
	if x.Op.Is(ir.Compares) && len(x.Args) == 2 {
		if v, ok := e.compareIndex(x); ok {
			return v
		}
	}
	if v, ok := e.scaled(x); ok {
		return v
	}
	c := &opCall{emitter: e, x: x, d: x.Args[0].DType}
	args := make([]val, len(x.Args))
	for i, a := range x.Args {
		args[i] = e.expr(a)
		c.vec = c.vec || args[i].vec
	}
	small := c.d == ir.F16 || c.d == ir.BF16
	for _, a := range args {
		if small {
			a = e.cast(a, c.d, ir.F32)
		}
		c.a = append(c.a, e.widen(a, c.vec).Value)
	}
	if small {
		c.d = ir.F32
	}
	f := e.row(x, c.d)
	if f == nil {
		return val{e.zero(x.DType, c.vec), c.vec}
	}
	v := val{f(c), c.vec}
	if small && x.DType != ir.Bool {
		v = e.cast(v, ir.F32, x.DType)
	}
	return v
}

func (e *emitter) row(x *kernel.Expr, d ir.DType) func(*opCall) value.Value {
	row := opRows[x.Op]
	f := row.int
	switch {
	case d.IsFloat():
		f = row.float
	case d == ir.Bool:
		f = row.bool
	case !d.IsInt():
		f = nil
	}
	if f == nil {
		e.errorf("%v of %v: no instruction of %s does this; it must be expanded before emission",
			x.Op, d, e.target.Level)
	}
	return f
}

func (e *emitter) selection(x *kernel.Expr) val {
	cond := e.expr(x.Args[0])
	if c, ok := cond.Value.(*constant.Int); ok && !cond.vec {
		return e.expr(x.Args[2-c.X.Int64()&1])
	}
	if v, ok := e.rareSelect(x, cond); ok {
		return v
	}
	return e.choose(cond, e.expr(x.Args[1]), e.expr(x.Args[2]))
}

// typ is the type of the arguments.
func (c *opCall) typ() types.Type { return c.a[0].Type() }

// num is the integer k as a constant of the arguments' type.
func (c *opCall) num(k int64) value.Value {
	return c.widen(val{Value: constantOf(c.d, uint64(k))}, c.vec).Value
}

// float is the number k as a constant of the arguments' type.
func (c *opCall) float(k string) value.Value {
	return c.widen(val{Value: &literal{register(c.d), k}}, c.vec).Value
}

func unaryIntrinsic(name string) func(c *opCall) value.Value {
	return func(c *opCall) value.Value {
		return c.intrinsic("llvm."+name+"."+suffix(c.typ()), c.typ(), c.a[0])
	}
}

func negFloat(c *opCall) value.Value { return c.cur.NewFNeg(c.a[0]) }
func negInt(c *opCall) value.Value   { return c.cur.NewSub(c.num(0), c.a[0]) }

func absInt(c *opCall) value.Value {
	if c.d.IsUnsigned() {
		return c.a[0]
	}
	return c.intrinsic("llvm.abs."+suffix(c.typ()), c.typ(), c.a[0], constant.False)
}

func signFloat(c *opCall) value.Value {
	x, zero := c.a[0], c.float("0.0")
	neg := c.cur.NewSelect(c.cur.NewFCmp(enum.FPredOLT, x, zero), c.float("-1.0"), x)
	return c.cur.NewSelect(c.cur.NewFCmp(enum.FPredOGT, x, zero), c.float("1.0"), neg)
}

func signInt(c *opCall) value.Value {
	pos := c.cur.NewZExt(c.cur.NewICmp(enum.IPredNE, c.a[0], c.num(0)), c.typ())
	if c.d.IsUnsigned() {
		return pos
	}
	return c.cur.NewSelect(c.cur.NewICmp(enum.IPredSLT, c.a[0], c.num(0)), c.num(-1), pos)
}

func notInt(c *opCall) value.Value { return c.cur.NewXor(c.a[0], c.num(-1)) }
func andInt(c *opCall) value.Value { return c.cur.NewAnd(c.a[0], c.a[1]) }
func orInt(c *opCall) value.Value  { return c.cur.NewOr(c.a[0], c.a[1]) }
func xorInt(c *opCall) value.Value { return c.cur.NewXor(c.a[0], c.a[1]) }

func isNaN(c *opCall) value.Value { return c.cur.NewFCmp(enum.FPredUNO, c.a[0], c.a[0]) }

func isInf(c *opCall) value.Value {
	inf := constantOf(c.d, map[ir.DType]uint64{ir.F32: 0x7f800000, ir.F64: 0x7ff << 52}[c.d])
	abs := unaryIntrinsic("fabs")(c)
	return c.cur.NewFCmp(enum.FPredOEQ, abs, c.widen(val{Value: inf}, c.vec).Value)
}

// guarded returns x and a divisor for which the instruction does not fault:
// 1 where y is 0, or -1 with signed types; and where these are.
func (c *opCall) guarded() (x, y, isZero, isMinus value.Value) {
	x, y = c.a[0], c.a[1]
	isZero = c.cur.NewICmp(enum.IPredEQ, y, c.num(0))
	bad := isZero
	if c.d.IsSigned() {
		isMinus = c.cur.NewICmp(enum.IPredEQ, y, c.num(-1))
		bad = c.cur.NewOr(isZero, isMinus)
	}
	return x, c.cur.NewSelect(bad, c.num(1), y), isZero, isMinus
}

func divInt(c *opCall) value.Value {
	x, y, isZero, isMinus := c.guarded()
	if isMinus == nil {
		return c.cur.NewSelect(isZero, c.num(0), c.cur.NewUDiv(x, y))
	}
	q := c.cur.NewSelect(isMinus, c.cur.NewSub(c.num(0), x), c.cur.NewSDiv(x, y))
	return c.cur.NewSelect(isZero, c.num(0), q)
}

func remInt(c *opCall) value.Value {
	x, y, isZero, isMinus := c.guarded()
	if isMinus == nil {
		return c.cur.NewSelect(isZero, c.num(0), c.cur.NewURem(x, y))
	}
	// The remainder by 1, in the place of 0 and -1, is 0 already.
	return c.cur.NewSRem(x, y)
}

// apart reports where the remainder r is not zero and of the other sign than
// the divisor.
func (c *opCall) apart(r value.Value) value.Value {
	differ := c.cur.NewICmp(enum.IPredSLT, c.cur.NewXor(r, c.a[1]), c.num(0))
	return c.cur.NewAnd(c.cur.NewICmp(enum.IPredNE, r, c.num(0)), differ)
}

func floorDivInt(c *opCall) value.Value {
	q := divInt(c)
	if c.d.IsUnsigned() {
		return q
	}
	return c.cur.NewAdd(q, c.cur.NewSExt(c.apart(remInt(c)), c.typ()))
}

func modInt(c *opCall) value.Value {
	r := remInt(c)
	if c.d.IsUnsigned() {
		return r
	}
	return c.cur.NewSelect(c.apart(r), c.cur.NewAdd(r, c.a[1]), r)
}

func extremeInt(name string) func(c *opCall) value.Value {
	return func(c *opCall) value.Value {
		sign := "s"
		if c.d.IsUnsigned() {
			sign = "u"
		}
		return c.intrinsic("llvm."+sign+name+"."+suffix(c.typ()), c.typ(), c.a...)
	}
}

// shl and shr: where y is not in [0, bits), as an unsigned number too, the
// shift instruction is given another y.
func shl(c *opCall) value.Value {
	fits := c.cur.NewICmp(enum.IPredULT, c.a[1], c.num(int64(c.d.Bits())))
	y := c.cur.NewSelect(fits, c.a[1], c.num(0))
	return c.cur.NewSelect(fits, c.cur.NewShl(c.a[0], y), c.num(0))
}

func shr(c *opCall) value.Value {
	fits := c.cur.NewICmp(enum.IPredULT, c.a[1], c.num(int64(c.d.Bits())))
	y := c.cur.NewSelect(fits, c.a[1], c.num(int64(c.d.Bits()-1)))
	if c.d.IsSigned() {
		return c.cur.NewAShr(c.a[0], y)
	}
	return c.cur.NewSelect(fits, c.cur.NewLShr(c.a[0], y), c.num(0))
}

func comparison(float enum.FPred, signed, unsigned enum.IPred) opRow {
	ints := func(c *opCall) value.Value {
		if c.d.IsSigned() {
			return c.cur.NewICmp(signed, c.a[0], c.a[1])
		}
		return c.cur.NewICmp(unsigned, c.a[0], c.a[1])
	}
	return opRow{int: ints, bool: ints, float: func(c *opCall) value.Value {
		return c.cur.NewFCmp(float, c.a[0], c.a[1])
	}}
}
