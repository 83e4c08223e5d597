package tensor

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Elementwise functions beyond those that are one operation: each is written
// so that its result is within 2 ulp of the exact one, for which narrow types
// compute in f64.

// Positive returns t.
func (t Tensor) Positive() Tensor {
	c := start("Positive")
	n := c.in(t)
	return c.out(n)
}

// Reciprocal returns 1/t, of integers truncated towards zero; of an integer 0
// it is 0.
func (t Tensor) Reciprocal() Tensor {
	c := start("Reciprocal")
	n := c.in(t)
	if n != nil && n.typ.DType == Bool {
		n = c.cast(n, I8)
	}
	return c.out(c.div(c.con(1, n), n))
}

// Rsqrt returns 1/sqrt(t).
func (t Tensor) Rsqrt() Tensor {
	c := start("Rsqrt")
	x := c.float(t)
	return c.out(c.div(c.con(1, x), c.sqrt(x)))
}

// Log2 returns the logarithm to base 2, exact for powers of two.
func (t Tensor) Log2() Tensor { return wideFunction("Log2", t, logBase2.sloped) }

// Log10 returns the logarithm to base 10.
func (t Tensor) Log10() Tensor { return wideFunction("Log10", t, logBase10.sloped) }

// wideFunction is f of t, computed in f64.
func wideFunction(name string, t Tensor, f func(c *call, x *node) *node) Tensor {
	c := start(name)
	ws, round := c.wide(c.float(t))
	if c.err != nil {
		return c.bad()
	}
	return c.out(round(f(c, ws[0])))
}

// logBase is what the logarithm to a base b takes: log(2)/log(b), whose first
// part has few digits, so that a whole number times it is exact, and
// 2/log(b), both with what the first part leaves out.
type logBase struct{ twoHi, twoLo, unitHi, unitLo float64 }

var (
	logBase2  = logBase{1, 0, 0x1.71547652b82fep1, 0x1.777d0ffda0d24p-55}
	logBase10 = logBase{0x1.34413509p-2, 0x1.ef3fde623e256p-35, 0x1.bcb7b1526e50ep-1,
		0x1.95355baaafad3p-56}
	logBaseE = logBase{0x1.62e42fefp-1, 0x1.473de6af278edp-34, 2, 0}
)

// of is the logarithm of f64, within an ulp, by operations that have the same
// bits everywhere: for x = m * 2**k with m from [sqrt(1/2), sqrt(2)) it is
// k*log(2) + 2*atanh(s) with s = (m-1)/(m+1), each times 1/log(b).
func (b logBase) of(c *call, x *node) *node {
	m, k := c.frexp(x)
	low := c.lt(m, c.con(math.Sqrt2/2, m))
	m = c.sel(low, c.add(m, m), m)
	k = c.sel(low, c.sub(k, c.con(1, k)), k)
	fma := func(x, y, z *node) *node { return c.op(ir.OpFMA, nil, x, y, z) }
	one := c.con(1, m)
	above, sum := c.sub(m, one), c.add(m, one)
	s := c.div(above, sum)
	// What the quotient and the sum have lost, as a correction of s.
	lost := c.add(c.sub(one, sum), m)
	ds := c.div(c.sub(fma(c.neg(s), sum, above), c.mul(s, lost)), sum)
	var series []float64
	for i := 1; i < 13; i++ {
		series = append(series, b.unitHi/float64(2*i+1))
	}
	q := c.mul(s, s)
	rest := c.mul(c.mul(s, q), c.polynomial(series, q))
	rest = fma(s, c.con(b.unitLo, s), fma(ds, c.con(b.unitHi, s), rest))
	rest = fma(k, c.con(b.twoLo, k), rest)
	big := c.mul(k, c.con(b.twoHi, k))
	t := fma(s, c.con(b.unitHi, s), rest)
	y := c.add(big, t)
	regular := c.and(c.lt(c.con(0, x), x), c.lt(x, c.con(math.Inf(1), x)))
	return c.sel(regular, y, c.log(x))
}

// sloped is of with a gradient, which the bits that of takes apart have none of:
// that of the natural logarithm, whose difference from itself is 0 where it is
// finite.
func (b logBase) sloped(c *call, x *node) *node {
	l := c.log(x)
	finite := c.lt(c.abs(l), c.con(math.Inf(1), l))
	zero := c.sel(finite, c.sub(l, c.detached(l)), l)
	return c.add(c.detached(b.of(c, x)), c.times(b.unitHi/2, zero))
}

// frexp splits positive finite f64: m in [1/2, 1) and k, an integer in f64.
func (c *call) frexp(x *node) (m, k *node) {
	tiny := c.lt(x, c.con(0x1p-1022, x))
	x = c.sel(tiny, c.mul(x, c.con(0x1p54, x)), x)
	bits := c.bitcast(x, I64)
	exponent := c.and(c.op(ir.OpShr, nil, bits, c.integer(52, bits)), c.integer(0x7ff, bits))
	k = c.sub(c.cast(exponent, F64), c.con(1022, x))
	k = c.sel(tiny, c.sub(k, c.con(54, k)), k)
	mantissa := c.and(bits, c.integer(1<<52-1, bits))
	m = c.bitcast(c.or(mantissa, c.integer(1022<<52, bits)), F64)
	return m, k
}

// Exp2 returns 2**t.
func (t Tensor) Exp2() Tensor {
	c := start("Exp2")
	x := c.float(t)
	return c.out(c.op(ir.OpPow, nil, c.con(2, x), x))
}

// Hypot returns sqrt(t*t + y*y) without overflow or underflow on the way:
// infinite where either is, even beside NaN.
func (t Tensor) Hypot(y any) Tensor {
	c := start("Hypot")
	a, b := c.meetFloats(t, y)
	ws, round := c.wide(a, b)
	if c.err != nil {
		return c.bad()
	}
	p, q := ws[0], ws[1]
	top := c.op(ir.OpMax, nil, c.abs(p), c.abs(q))
	one := c.con(1, p)
	scale := c.sel(c.lt(c.con(0x1p500, p), top), c.con(0x1p-600, p),
		c.sel(c.lt(top, c.con(0x1p-500, p)), c.con(0x1p600, p), one))
	p, q = c.mul(p, scale), c.mul(q, scale)
	r := c.div(c.sqrt(c.add(c.mul(p, p), c.mul(q, q))), scale)
	infinite := c.or(c.op(ir.OpIsInf, nil, ws[0]), c.op(ir.OpIsInf, nil, ws[1]))
	return c.out(round(c.sel(infinite, c.con(math.Inf(1), r), r)))
}

// LogAddExp returns log(e**t + e**y) without overflow on the way. Near 0 its
// error is that of the larger operand's last digits.
func (t Tensor) LogAddExp(y any) Tensor {
	c := start("LogAddExp")
	a, b := c.meetFloats(t, y)
	ws, round := c.wide(a, b)
	if c.err != nil {
		return c.bad()
	}
	p, q := ws[0], ws[1]
	first := c.lt(q, p)
	high, low := c.sel(first, p, q), c.sel(first, q, p)
	same := c.and(c.eq(p, q), c.op(ir.OpIsInf, nil, p)) // they have no difference
	apart := c.sel(same, c.zero(p), c.sub(low, high))
	return c.out(round(c.add(high, c.op(ir.OpLog1p, nil, c.exp(apart)))))
}

// Copysign returns t with the sign of y, NaN and zeros included, in a
// floating-point type.
func (t Tensor) Copysign(y any) Tensor {
	c := start("Copysign")
	a, b := c.meetFloats(t, y)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.copysign(a, b))
}

func (c *call) copysign(a, b *node) *node {
	if c.err != nil {
		return nil
	}
	d := a.typ.DType
	w := signedOf[d.Bits()]
	x, y := c.bitcast(a, w), c.bitcast(b, w)
	if c.err != nil {
		return nil
	}
	differ := c.op(ir.OpXor, nil, x, y) // negative if the signs do
	return c.sel(c.lt(differ, c.zero(differ)), c.neg(a), a)
}

// signedOf is the signed integer type of a size in bits.
var signedOf = map[int]DType{8: I8, 16: I16, 32: I32, 64: I64}

// Signbit returns whether t has a minus sign, as bool: true for -0.
func (t Tensor) Signbit() Tensor {
	c := start("Signbit")
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	if n.typ.DType.IsFloat() {
		n = c.bitcast(n, signedOf[n.typ.DType.Bits()])
	} else if n.typ.DType == Bool {
		n = c.cast(n, I8)
	}
	return c.out(c.lt(n, c.con(0, n)))
}

// Nextafter returns the number next to t in the direction of y, in a
// floating-point type.
func (t Tensor) Nextafter(y any) Tensor {
	c := start("Nextafter")
	a, b := c.meetFloats(t, y)
	if c.err != nil {
		return c.bad()
	}
	d := a.typ.DType
	bits := c.bitcast(a, signedOf[d.Bits()])
	one := c.integer(1, bits)
	// Floats of one sign are ordered as their bits.
	away := c.op(ir.OpEq, nil, c.lt(a, b), c.lt(c.con(0, a), a))
	next := c.bitcast(c.sel(away, c.add(bits, one), c.sub(bits, one)), d)
	least := c.copysign(c.bitcast(one, d), b)
	next = c.sel(c.eq(a, c.con(0, a)), least, next)
	next = c.sel(c.eq(a, b), b, next)
	sum := c.add(a, b)
	return c.out(c.sel(c.op(ir.OpIsNaN, nil, sum), c.nanOr(a, b, next), next))
}

// nanOr is NaN where a or b is, else x: a sum of infinities is NaN as well.
func (c *call) nanOr(a, b, x *node) *node {
	either := c.or(c.op(ir.OpIsNaN, nil, a), c.op(ir.OpIsNaN, nil, b))
	return c.sel(either, c.con(math.NaN(), x), x)
}

// IsFinite returns whether t is neither NaN nor an infinity, as bool.
func (t Tensor) IsFinite() Tensor {
	c := start("IsFinite")
	n := c.float(t)
	return c.out(c.op(ir.OpNot, nil, c.or(c.op(ir.OpIsNaN, nil, n), c.op(ir.OpIsInf, nil, n))))
}

// Shl returns t shifted left by y bits, of integers: 0 where y is not from 0
// to below the number of bits.
func (t Tensor) Shl(y any) Tensor { return shift("Shl", ir.OpShl, t, y) }

// Shr returns t shifted right by y bits, of integers, with copies of the sign
// bit: only these where y is not from 0 to below the number of bits.
func (t Tensor) Shr(y any) Tensor { return shift("Shr", ir.OpShr, t, y) }

func shift(name string, op ir.Op, x, y any) Tensor {
	c := start(name)
	a, b := c.operand(x), c.operand(y)
	d := c.meet(a, b)
	if d == Bool {
		d = I8
	}
	return c.apply(op, d, a, b)
}

// LogicalAnd returns whether t and y are both not zero, as bool.
func (t Tensor) LogicalAnd(y any) Tensor { return logical("LogicalAnd", ir.OpAnd, t, y) }

// LogicalOr returns whether t or y is not zero, as bool.
func (t Tensor) LogicalOr(y any) Tensor { return logical("LogicalOr", ir.OpOr, t, y) }

// LogicalXor returns whether one of t and y is not zero, as bool.
func (t Tensor) LogicalXor(y any) Tensor { return logical("LogicalXor", ir.OpXor, t, y) }

func logical(name string, op ir.Op, x, y any) Tensor {
	c := start(name)
	return c.apply(op, Bool, c.operand(x), c.operand(y))
}

// LogicalNot returns whether t is zero, as bool.
func (t Tensor) LogicalNot() Tensor {
	c := start("LogicalNot")
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	return c.out(c.op(ir.OpNot, nil, c.cast(n, Bool)))
}

// Clip returns t limited to [lo, hi], as [Tensor.Clamp]; nil is no limit.
func (t Tensor) Clip(lo, hi any) Tensor { return t.Clamp(lo, hi) }

// Fmod returns the remainder with the sign of t, as C's fmod; an integer by 0
// gives 0.
func (t Tensor) Fmod(y any) Tensor {
	c := start("Fmod")
	a, b := c.operand(t), c.operand(y)
	d := c.meet(a, b)
	if d == Bool {
		d = I8
	}
	return c.apply(ir.OpRem, d, a, b)
}

// Frac returns t without its integer part, with the sign of t.
func (t Tensor) Frac() Tensor {
	c := start("Frac")
	x := c.float(t)
	return c.out(c.sub(x, c.op(ir.OpTrunc, nil, x)))
}

// Lerp returns t + weight*(end-t).
func (t Tensor) Lerp(end, weight any) Tensor {
	c := start("Lerp")
	if !c.checks(t) {
		return c.bad()
	}
	return c.named(t.Add(c.tensor(end).Sub(t).Mul(weight)))
}

// tensor is an operand as a tensor of its own.
func (c *call) tensor(x any) Tensor {
	o := c.operand(x)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.as(o, o.typ().DType))
}

// IsClose returns whether |t-y| <= atol + rtol*|y|, as bool: infinities are
// close to themselves, NaN to NaN if equalNaN is set. NumPy's usual tolerances
// are rtol 1e-5 and atol 1e-8.
func (t Tensor) IsClose(y any, rtol, atol float64, equalNaN bool) Tensor {
	c := start("IsClose")
	a, b := c.meetFloats(t, y)
	if c.err != nil {
		return c.bad()
	}
	near := c.op(ir.OpLe, nil, c.abs(c.sub(a, b)),
		c.add(c.con(atol, a), c.mul(c.con(rtol, a), c.abs(b))))
	finite := c.op(ir.OpNot, nil, c.op(ir.OpIsInf, nil, b))
	r := c.or(c.and(near, finite), c.eq(a, b))
	if equalNaN {
		r = c.or(r, c.and(c.op(ir.OpIsNaN, nil, a), c.op(ir.OpIsNaN, nil, b)))
	}
	return c.out(r)
}

// NanToNum returns t with NaN replaced by nan and infinities by posinf and
// neginf, or by the largest numbers of t's type where these are nil.
func (t Tensor) NanToNum(nan float64, posinf, neginf any) Tensor {
	c := start("NanToNum")
	n := c.in(t)
	if n == nil {
		return c.bad()
	}
	if !n.typ.DType.IsFloat() {
		return c.out(n)
	}
	top := finfo[n.typ.DType].Max
	limit := func(x any, otherwise float64) *node {
		if x == nil {
			return c.con(otherwise, n)
		}
		w, ok := scalarOf(x)
		if !ok {
			c.fail("a %T, want a number or nil", x)
		}
		return c.con(w.f, n)
	}
	inf := c.con(math.Inf(1), n)
	r := c.sel(c.eq(n, inf), limit(posinf, top), n)
	r = c.sel(c.eq(n, c.con(math.Inf(-1), n)), limit(neginf, -top), r)
	return c.out(c.sel(c.op(ir.OpIsNaN, nil, n), c.con(nan, n), r))
}
