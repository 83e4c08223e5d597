package ptx

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Values and operations. Integers of 8 and 16 bits are kept in registers of 32,
// extended by their sign or by zeros; f16 and bf16 as their bits.

// classOf is the class of registers that hold elements of d.
func classOf(d ir.DType) class {
	switch d {
	case ir.Bool:
		return pred
	case ir.F16, ir.BF16:
		return b16
	case ir.F32:
		return f32
	case ir.F64:
		return f64
	case ir.I64, ir.U64:
		return b64
	}
	return b32
}

// typeOf is the type that instructions on d are named by.
func typeOf(d ir.DType) string {
	switch c := classOf(d); {
	case c == f32 || c == f64 || c == pred || c == b16:
		return classes[c].typ
	case c == b64 && signed(d):
		return "s64"
	case c == b64:
		return "u64"
	case signed(d):
		return "s32"
	}
	return "u32"
}

func signed(d ir.DType) bool { return d.IsSigned() || d == ir.I4 }

// bitsOf is the type of selects and moves of d.
func bitsOf(d ir.DType) string { return classes[classOf(d)].typ }

// wrap brings an integer, computed in a register of the class of d, to the
// width of d.
func (e *emitter) wrap(d ir.DType, v val) val {
	n := d.Bits()
	switch {
	case classOf(d) != b32 || n == 32:
		return v
	case signed(d):
		return e.pure(b32, "bfe.s32", v, "0", val(fmt.Sprint(n)))
	}
	return e.pure(b32, "and.b32", v, val(fmt.Sprint(1<<n-1)))
}

// constant is the element of d with the given bits as an operand.
func constant(d ir.DType, bits uint64) val {
	switch classOf(d) {
	case pred:
		return val(fmt.Sprint(bits & 1))
	case f32:
		return val(fmt.Sprintf("0f%08X", uint32(bits)))
	case f64:
		return val(fmt.Sprintf("0d%016X", bits))
	case b16:
		return val(fmt.Sprintf("0x%04X", uint16(bits)))
	case b32:
		if signed(d) {
			return val(fmt.Sprint(int32(bits)))
		}
		return val(fmt.Sprint(uint32(bits)))
	}
	return val(fmt.Sprint(int64(bits)))
}

// expr emits x once a statement; the result may be a constant.
func (e *emitter) expr(x *kernel.Expr) val {
	if v, ok := e.memo[x]; ok {
		return v
	}
	v := e.compute(x)
	e.memo[x] = v
	return v
}

// value is expr in a register.
func (e *emitter) value(x *kernel.Expr) val { return e.inReg(classOf(x.DType), e.expr(x)) }

func (e *emitter) compute(x *kernel.Expr) val {
	switch x.Kind {
	case kernel.KConst:
		e.known(x.DType, "constant")
		return constant(x.DType, x.Bits)
	case kernel.KIndex:
		return e.index(e.fold(x.Index))
	case kernel.KVar:
		if d, ok := e.exact[x.Var]; ok {
			return e.index(d)
		}
		v, ok := e.vars[x.Var]
		if !ok {
			e.errorf("variable %s is not bound", x.Var)
			v = e.reg(classOf(x.DType))
		}
		return v
	case kernel.KLoad:
		return e.load(x)
	}
	return e.op(x)
}

// known reports an error for element types that there are no values of.
func (e *emitter) known(d ir.DType, what string) bool {
	if d == ir.Bool || d.IsInt() || d.IsFloat() || d == ir.I4 || d == ir.U4 {
		return true
	}
	e.errorf("%s of %v: PTX has no arithmetic of this type", what, d)
	return false
}

// opCall is an operation to emit: on elements of type d.
type opCall struct {
	*emitter
	x *kernel.Expr
	d ir.DType
	a []val // the first in a register
}

// opRow has an emitter for each class of element types.
type opRow struct{ float, int, bool func(c *opCall) val }

var opRows map[ir.Op]opRow

func init() { // breaks the cycle from the rows back to op
	opRows = map[ir.Op]opRow{
		ir.OpNeg:      {float: plain("neg"), int: wrapped("neg.s")},
		ir.OpAbs:      {float: plain("abs"), int: absInt},
		ir.OpSign:     {float: signFloat, int: signInt},
		ir.OpCeil:     {float: rounding("rpi")},
		ir.OpFloor:    {float: rounding("rmi")},
		ir.OpTrunc:    {float: rounding("rzi")},
		ir.OpRound:    {float: rounding("rni")},
		ir.OpSqrt:     {float: plain("sqrt.rn")},
		ir.OpNot:      {int: wrapped("not.b"), bool: logic("not")},
		ir.OpIsNaN:    {float: func(c *opCall) val { return c.test("nan", c.a[0], c.a[0]) }},
		ir.OpIsInf:    {float: isInf},
		ir.OpPopcount: {int: popcount},

		ir.OpAdd:      {float: plain("add.rn"), int: wrapped("add.s")},
		ir.OpSub:      {float: plain("sub.rn"), int: wrapped("sub.s")},
		ir.OpMul:      {float: plain("mul.rn"), int: wrapped("mul.lo.s")},
		ir.OpDiv:      {float: plain("div.rn"), int: divInt},
		ir.OpFloorDiv: {int: floorDivInt},
		ir.OpRem:      {int: remInt},
		ir.OpMod:      {int: modInt},
		ir.OpMax:      {float: extreme("max"), int: plain("max"), bool: logic("or")},
		ir.OpMin:      {float: extreme("min"), int: plain("min"), bool: logic("and")},
		ir.OpAnd:      {int: bitwise("and"), bool: logic("and")},
		ir.OpOr:       {int: bitwise("or"), bool: logic("or")},
		ir.OpXor:      {int: bitwise("xor"), bool: logic("xor")},
		ir.OpShl:      {int: shl},
		ir.OpShr:      {int: shr},
		ir.OpEq:       comparison("eq", "eq"),
		ir.OpNe:       comparison("neu", "ne"),
		ir.OpLt:       comparison("lt", "lt"),
		ir.OpLe:       comparison("le", "le"),
		ir.OpGt:       comparison("gt", "gt"),
		ir.OpGe:       comparison("ge", "ge"),
		ir.OpFMA:      {float: plain("fma.rn")},
	}
}

// op emits an operation.
func (e *emitter) op(x *kernel.Expr) val {
	in := x.Args[0].DType
	if !e.known(in, x.Op.String()) || !e.known(x.DType, x.Op.String()) {
		return e.reg(classOf(x.DType))
	}
	switch x.Op {
	case ir.OpCast:
		return e.cast(e.value(x.Args[0]), in, x.DType)
	case ir.OpBitcast:
		return e.bitcast(e.value(x.Args[0]), in, x.DType)
	case ir.OpSelect:
		return e.selection(x)
	}
	c := &opCall{emitter: e, x: x, d: in}
	small := classOf(in) == b16
	for i, a := range x.Args {
		v := e.expr(a)
		if i == 0 || small || in == ir.Bool {
			v = e.inReg(classOf(in), v)
		}
		if small {
			v = e.cast(v, in, ir.F32)
		}
		c.a = append(c.a, v)
	}
	if small {
		c.d = ir.F32
	}
	f := e.row(x, c.d)
	if f == nil {
		return e.reg(classOf(x.DType))
	}
	v := f(c)
	if small && x.DType != ir.Bool {
		v = e.cast(v, ir.F32, x.DType)
	}
	return v
}

func (e *emitter) row(x *kernel.Expr, d ir.DType) func(*opCall) val {
	row := opRows[x.Op]
	f := row.int
	switch {
	case d.IsFloat():
		f = row.float
	case d == ir.Bool:
		f = row.bool
	}
	if f == nil {
		e.errorf("%v of %v: no instruction of PTX does this; it must be expanded before emission", x.Op, d)
	}
	return f
}

// selection chooses; of bools, which have no select, by logic.
func (e *emitter) selection(x *kernel.Expr) val {
	cond := e.expr(x.Args[0])
	if !cond.isReg() {
		return e.expr(x.Args[2-int(cond[0]-'0')])
	}
	if x.DType != ir.Bool {
		return e.choose(x.DType, cond, e.expr(x.Args[1]), e.expr(x.Args[2]))
	}
	a, b := e.value(x.Args[1]), e.value(x.Args[2])
	yes := e.pure(pred, "and.pred", cond, a)
	no := e.pure(pred, "and.pred", e.pure(pred, "not.pred", cond), b)
	return e.pure(pred, "or.pred", yes, no)
}

// choose is a where cond holds, else b; not for bool.
func (e *emitter) choose(d ir.DType, cond, a, b val) val {
	return e.pure(classOf(d), "selp."+bitsOf(d), a, b, cond)
}

// class is that of the arguments.
func (c *opCall) class() class { return classOf(c.d) }

// emit is an instruction on the arguments' type.
func (c *opCall) emit(name string, args ...val) val {
	return c.pure(c.class(), name+"."+typeOf(c.d), args...)
}

// bits is an instruction on the arguments' bits.
func (c *opCall) bits(name string, args ...val) val {
	return c.pure(c.class(), name+"."+bitsOf(c.d), args...)
}

// test is a comparison of elements of the arguments' type.
func (c *opCall) test(name string, args ...val) val {
	return c.pure(pred, "setp."+name+"."+typeOf(c.d), args...)
}

func plain(name string) func(c *opCall) val {
	return func(c *opCall) val { return c.emit(name, c.a...) }
}

// wrapped is an operation whose result may need more bits; name ends in the
// letter of the type, as signed and unsigned are the same.
func wrapped(name string) func(c *opCall) val {
	return func(c *opCall) val {
		width := "32"
		if c.class() == b64 {
			width = "64"
		}
		return c.wrap(c.d, c.pure(c.class(), name+width, c.a...))
	}
}

func bitwise(name string) func(c *opCall) val {
	return func(c *opCall) val { return c.bits(name, c.a...) }
}

func logic(name string) func(c *opCall) val {
	return func(c *opCall) val { return c.pure(pred, name+".pred", c.a...) }
}

func rounding(mode string) func(c *opCall) val {
	return func(c *opCall) val {
		t := typeOf(c.d)
		return c.pure(c.class(), "cvt."+mode+"."+t+"."+t, c.a[0])
	}
}

// comparison has the names for floats and integers; bools are compared as the
// integers 0 and 1.
func comparison(float, integer string) opRow {
	return opRow{
		float: func(c *opCall) val { return c.test(float, c.a...) },
		int:   func(c *opCall) val { return c.test(integer, c.a...) },
		bool: func(c *opCall) val {
			x := c.pure(b32, "selp.b32", "1", "0", c.a[0])
			y := c.pure(b32, "selp.b32", "1", "0", c.a[1])
			return c.pure(pred, "setp."+integer+".u32", x, y)
		},
	}
}
