package tensor

import "github.com/tensorcc/tcc/ir"

// Elementwise operations. Their second operand y is a Tensor, a Go number or a
// (nested) slice of numbers; operands broadcast by NumPy's rule and meet in the
// promoted type.

// binary records op of two operands in the type where they meet.
func binary(name string, op ir.Op, x, y any) Tensor {
	c := start(name)
	a, b := c.operand(x), c.operand(y)
	d := c.meet(a, b)
	if d == Bool && bytewise[op] {
		d = I8
	}
	return c.apply(op, d, a, b)
}

// bytewise are the operations of two bools that NumPy computes in i8.
var bytewise = map[ir.Op]bool{ir.OpFloorDiv: true, ir.OpMod: true, ir.OpPow: true}

// apply brings operands to type d and one shape.
func (c *call) apply(op ir.Op, d DType, operands ...operand) Tensor {
	ns := make([]*node, len(operands))
	for i, o := range operands {
		ns[i] = c.as(o, d)
	}
	if c.err == nil && !op.Info().Types.Has(d) {
		return c.fail("does not compute on %v", d)
	}
	return c.out(c.op(op, nil, c.broadcast(ns...)...))
}

// unary records op of x as it is.
func unary(name string, op ir.Op, x Tensor) Tensor {
	c := start(name)
	n := c.in(x)
	return c.out(c.op(op, nil, n))
}

// function records op of x in a floating-point type: integers become one.
func function(name string, op ir.Op, x Tensor) Tensor {
	c := start(name)
	n := c.float(x)
	return c.out(c.op(op, nil, n))
}

// float returns x in the floating-point type in which functions compute.
func (c *call) float(x Tensor) *node {
	n := c.in(x)
	if n == nil {
		return nil
	}
	return c.as(operand{n: n}, inexact(n.typ.DType))
}

// Add returns t+y.
func (t Tensor) Add(y any) Tensor { return logicalOr("Add", ir.OpAdd, ir.OpOr, t, y) }

// Sub returns t-y.
func (t Tensor) Sub(y any) Tensor { return binary("Sub", ir.OpSub, t, y) }

// Mul returns t*y, element by element.
func (t Tensor) Mul(y any) Tensor { return logicalOr("Mul", ir.OpMul, ir.OpAnd, t, y) }

// logicalOr is op, or logic of two bools, as NumPy has it.
func logicalOr(name string, op, logic ir.Op, x, y any) Tensor {
	c := start(name)
	a, b := c.operand(x), c.operand(y)
	d := c.meet(a, b)
	if d == Bool {
		op = logic
	}
	return c.apply(op, d, a, b)
}

// Div returns t/y in a floating-point type: integers become f64.
func (t Tensor) Div(y any) Tensor {
	c := start("Div")
	a, b := c.operand(t), c.operand(y)
	d := c.meet(a, b)
	if d == Bool || d.IsInt() {
		d = F64
	}
	return c.apply(ir.OpDiv, d, a, b)
}

// FloorDiv returns floor(t/y), as Python's //; an integer by 0 is 0.
func (t Tensor) FloorDiv(y any) Tensor { return binary("FloorDiv", ir.OpFloorDiv, t, y) }

// Mod returns the remainder with the sign of y, as Python's %; an integer
// modulo 0 is 0.
func (t Tensor) Mod(y any) Tensor { return binary("Mod", ir.OpMod, t, y) }

// Pow returns t to the power of y.
func (t Tensor) Pow(y any) Tensor { return binary("Pow", ir.OpPow, t, y) }

// Atan2 returns the angle of the point (y, t).
func (t Tensor) Atan2(y any) Tensor {
	c := start("Atan2")
	a, b := c.meetFloats(t, y)
	return c.out(c.op(ir.OpAtan2, nil, a, b))
}

// Maximum returns the larger of t and y, NaN where either is.
func (t Tensor) Maximum(y any) Tensor { return logicalOr("Maximum", ir.OpMax, ir.OpOr, t, y) }

// Minimum returns the smaller of t and y, NaN where either is.
func (t Tensor) Minimum(y any) Tensor { return logicalOr("Minimum", ir.OpMin, ir.OpAnd, t, y) }

// And returns t and y: logical for bool, bitwise for integers.
func (t Tensor) And(y any) Tensor { return binary("And", ir.OpAnd, t, y) }

// Or returns t or y: logical for bool, bitwise for integers.
func (t Tensor) Or(y any) Tensor { return binary("Or", ir.OpOr, t, y) }

// Xor returns t exclusive-or y: logical for bool, bitwise for integers.
func (t Tensor) Xor(y any) Tensor { return binary("Xor", ir.OpXor, t, y) }

// Eq returns whether t equals y, as bool; false with NaN.
func (t Tensor) Eq(y any) Tensor { return compare("Eq", ir.OpEq, t, y) }

// Ne returns whether t differs from y, as bool; true with NaN.
func (t Tensor) Ne(y any) Tensor { return compare("Ne", ir.OpNe, t, y) }

// Lt returns whether t is less than y, as bool.
func (t Tensor) Lt(y any) Tensor { return compare("Lt", ir.OpLt, t, y) }

// Le returns whether t is at most y, as bool.
func (t Tensor) Le(y any) Tensor { return compare("Le", ir.OpLe, t, y) }

// Gt returns whether t is greater than y, as bool.
func (t Tensor) Gt(y any) Tensor { return compare("Gt", ir.OpGt, t, y) }

// Ge returns whether t is at least y, as bool.
func (t Tensor) Ge(y any) Tensor { return compare("Ge", ir.OpGe, t, y) }

// compare compares in the type where operands meet. A number that does not fit
// the tensor's integer type is compared in a larger one, so that the answer is
// true.
func compare(name string, op ir.Op, x, y any) Tensor {
	c := start(name)
	a, b := c.operand(x), c.operand(y)
	d := c.meet(a, b)
	if c.err == nil && b.n == nil && !b.w.fits(d) {
		d = I64
		if a.n.typ.DType == U64 {
			d = F64 // only the sign of the number matters
		}
	}
	return c.apply(op, d, a, b)
}

// Where returns x where cond, a bool tensor, holds, else y.
func Where(cond Tensor, x, y any) Tensor {
	c := start("Where")
	n := c.in(cond)
	a, b := c.operand(x), c.operand(y)
	d := c.meet(a, b)
	if c.err == nil && n.typ.DType != Bool {
		return c.fail("the condition is %v, want bool: compare it, as by Ne(0)", n.typ.DType)
	}
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.op(ir.OpSelect, nil, c.broadcast(n, c.as(a, d), c.as(b, d))...))
}

// Clamp returns t limited to [lo, hi]; nil is no limit, and neither is an int
// beyond the end of t's integer type.
func (t Tensor) Clamp(lo, hi any) Tensor {
	c := start("Clamp")
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	if i, err := Iinfo(n.typ.DType); err == nil {
		if k, ok := lo.(int); ok && int64(k) < i.Min {
			lo = nil
		}
		if k, ok := hi.(int); ok && k >= 0 && uint64(k) > i.Max {
			hi = nil
		}
	}
	if lo != nil {
		t = binary("Clamp", ir.OpMax, t, lo)
	}
	if hi != nil {
		t = binary("Clamp", ir.OpMin, t, hi)
	}
	return t
}

// Neg returns -t.
func (t Tensor) Neg() Tensor { return unary("Neg", ir.OpNeg, t) }

// Abs returns |t|.
func (t Tensor) Abs() Tensor {
	c := start("Abs")
	n := c.in(t)
	if n != nil && n.typ.DType != Bool {
		n = c.op(ir.OpAbs, nil, n)
	}
	return c.out(n)
}

// Sign returns -1, 0 or 1; NaN stays, and -0 becomes 0.
func (t Tensor) Sign() Tensor {
	c := start("Sign")
	n := c.op(ir.OpSign, nil, c.in(t))
	if n != nil && n.typ.DType.IsFloat() {
		zero := c.stretch(c.number(weak{kind: I64}, n.typ.DType), n.typ.Shape)
		n = c.op(ir.OpAdd, nil, n, zero)
	}
	return c.out(n)
}

// Not returns the complement: logical for bool, bitwise for integers.
func (t Tensor) Not() Tensor { return unary("Not", ir.OpNot, t) }

// Exp returns e**t.
func (t Tensor) Exp() Tensor { return function("Exp", ir.OpExp, t) }

// Expm1 returns e**t - 1.
func (t Tensor) Expm1() Tensor { return function("Expm1", ir.OpExpm1, t) }

// Log returns the natural logarithm.
func (t Tensor) Log() Tensor { return function("Log", ir.OpLog, t) }

// Log1p returns log(1+t).
func (t Tensor) Log1p() Tensor { return function("Log1p", ir.OpLog1p, t) }

// Sqrt returns the square root.
func (t Tensor) Sqrt() Tensor { return function("Sqrt", ir.OpSqrt, t) }

// Square returns t*t, of bools as i8.
func (t Tensor) Square() Tensor {
	c := start("Square")
	n := c.in(t)
	if n != nil && n.typ.DType == Bool {
		n = c.as(operand{n: n}, I8)
	}
	return c.out(c.op(ir.OpMul, nil, n, n))
}

// Sin returns the sine.
func (t Tensor) Sin() Tensor { return function("Sin", ir.OpSin, t) }

// Cos returns the cosine.
func (t Tensor) Cos() Tensor { return function("Cos", ir.OpCos, t) }

// Tan returns the tangent.
func (t Tensor) Tan() Tensor { return function("Tan", ir.OpTan, t) }

// Asin returns the arc sine.
func (t Tensor) Asin() Tensor { return function("Asin", ir.OpAsin, t) }

// Acos returns the arc cosine.
func (t Tensor) Acos() Tensor { return function("Acos", ir.OpAcos, t) }

// Atan returns the arc tangent.
func (t Tensor) Atan() Tensor { return function("Atan", ir.OpAtan, t) }

// Sinh returns the hyperbolic sine.
func (t Tensor) Sinh() Tensor { return function("Sinh", ir.OpSinh, t) }

// Cosh returns the hyperbolic cosine.
func (t Tensor) Cosh() Tensor { return function("Cosh", ir.OpCosh, t) }

// Tanh returns the hyperbolic tangent.
func (t Tensor) Tanh() Tensor { return function("Tanh", ir.OpTanh, t) }

// Asinh returns the inverse hyperbolic sine.
func (t Tensor) Asinh() Tensor { return function("Asinh", ir.OpAsinh, t) }

// Acosh returns the inverse hyperbolic cosine.
func (t Tensor) Acosh() Tensor { return function("Acosh", ir.OpAcosh, t) }

// Atanh returns the inverse hyperbolic tangent.
func (t Tensor) Atanh() Tensor { return function("Atanh", ir.OpAtanh, t) }

// Erf returns the error function.
func (t Tensor) Erf() Tensor { return function("Erf", ir.OpErf, t) }

// Sigmoid returns 1/(1+e**-t).
func (t Tensor) Sigmoid() Tensor { return function("Sigmoid", ir.OpSigmoid, t) }

// Floor returns the greatest integer not above t; integers stay as they are.
func (t Tensor) Floor() Tensor { return rounding("Floor", ir.OpFloor, t) }

// Ceil returns the least integer not below t; integers stay as they are.
func (t Tensor) Ceil() Tensor { return rounding("Ceil", ir.OpCeil, t) }

// Trunc returns t rounded towards zero; integers stay as they are.
func (t Tensor) Trunc() Tensor { return rounding("Trunc", ir.OpTrunc, t) }

// Round returns t rounded to the nearest integer, ties to even; integers stay
// as they are.
func (t Tensor) Round() Tensor { return rounding("Round", ir.OpRound, t) }

func rounding(name string, op ir.Op, t Tensor) Tensor {
	c := start(name)
	n := c.in(t)
	if n != nil && n.typ.DType.IsFloat() {
		n = c.op(op, nil, n)
	}
	return c.out(n)
}

// IsNaN returns whether t is NaN, as bool.
func (t Tensor) IsNaN() Tensor { return function("IsNaN", ir.OpIsNaN, t) }

// IsInf returns whether t is an infinity, as bool.
func (t Tensor) IsInf() Tensor { return function("IsInf", ir.OpIsInf, t) }

// Relu returns t where it is positive or NaN, else 0. Its gradient at 0 is 0.
func (t Tensor) Relu() Tensor {
	c := start("Relu")
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	// Not max(t, 0), which gives half of the gradient to the 0 at a tie.
	zero := c.stretch(c.number(weak{kind: I64}, n.typ.DType), n.typ.Shape)
	return c.out(c.op(ir.OpSelect, nil, c.op(ir.OpLe, nil, n, zero), zero, n))
}

// Cast returns t converted to another element type: floats truncate to
// integers and saturate, NaN is 0; integers keep their low bits.
func (t Tensor) Cast(d DType) Tensor {
	c := start("Cast")
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	return c.out(c.as(operand{n: n}, d))
}
