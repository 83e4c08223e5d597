package mathfn

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Shorthand to build expressions. Constants take the type of the expression
// that they meet.

type expr = *kernel.Expr

func op(o ir.Op, args ...expr) expr { return kernel.OpExpr(o, args...) }

func add(a, b expr) expr       { return op(ir.OpAdd, a, b) }
func sub(a, b expr) expr       { return op(ir.OpSub, a, b) }
func mul(a, b expr) expr       { return op(ir.OpMul, a, b) }
func div(a, b expr) expr       { return op(ir.OpDiv, a, b) }
func fma(a, b, c expr) expr    { return op(ir.OpFMA, a, b, c) }
func neg(a expr) expr          { return op(ir.OpNeg, a) }
func abs(a expr) expr          { return op(ir.OpAbs, a) }
func sqrt(a expr) expr         { return op(ir.OpSqrt, a) }
func trunc(a expr) expr        { return op(ir.OpTrunc, a) }
func lt(a, b expr) expr        { return op(ir.OpLt, a, b) }
func gt(a, b expr) expr        { return op(ir.OpGt, a, b) }
func ge(a, b expr) expr        { return op(ir.OpGe, a, b) }
func eq(a, b expr) expr        { return op(ir.OpEq, a, b) }
func ne(a, b expr) expr        { return op(ir.OpNe, a, b) }
func and(a, b expr) expr       { return op(ir.OpAnd, a, b) }
func or(a, b expr) expr        { return op(ir.OpOr, a, b) }
func xor(a, b expr) expr       { return op(ir.OpXor, a, b) }
func not(a expr) expr          { return op(ir.OpNot, a) }
func sel(c, a, b expr) expr    { return op(ir.OpSelect, c, a, b) }
func shl(a expr, k int) expr   { return op(ir.OpShl, a, intLike(a, int64(k))) }
func shr(a expr, k int) expr   { return op(ir.OpShr, a, intLike(a, int64(k))) }
func shlBy(a, k expr) expr     { return op(ir.OpShl, a, k) }
func shrBy(a, k expr) expr     { return op(ir.OpShr, a, k) }
func half(a expr) expr         { return mul(a, like(a, 0.5)) }
func negFMA(a, b, c expr) expr { return fma(neg(a), b, c) }

// like is the number v in the floating-point type of a.
func like(a expr, v float64) expr {
	if a.DType == ir.F32 {
		return kernel.ConstExpr(ir.F32, uint64(math.Float32bits(float32(v))))
	}
	return kernel.ConstExpr(ir.F64, math.Float64bits(v))
}

// intLike is the number k in the integer type of a.
func intLike(a expr, k int64) expr { return kernel.ConstExpr(a.DType, uint64(k)) }

// format has what the layout of a floating-point type needs.
type format struct {
	bits ir.DType // integer type of the same size
	man  int      // bits of the mantissa as stored
	bias int64
	// magic is 1.5*2**man: adding it leaves the nearest integer in the low
	// bits.
	magic float64
}

var (
	single = format{ir.I32, 23, 127, 0x1.8p23}
	double = format{ir.I64, 52, 1023, 0x1.8p52}
)

func formatOf(a expr) format {
	if a.DType == ir.F32 {
		return single
	}
	return double
}

// bits is a as a signed integer; float is the inverse.
func bits(a expr) expr              { return kernel.BitcastExpr(formatOf(a).bits, a) }
func float(d ir.DType, a expr) expr { return kernel.BitcastExpr(d, a) }

// signBit is the sign bit of a, others zero, as an integer.
func signBit(a expr) expr {
	b := bits(a)
	return and(b, intLike(b, math.MinInt64>>(64-b.DType.Bits())))
}

// withSign sets the sign of a, which is not negative, to that of from.
func withSign(a, from expr) expr { return float(a.DType, or(bits(a), signBit(from))) }

// nearest returns x*k rounded to an integer, for |x*k| < 2**(man-2), as a
// float and as an integer. NaN gives NaN and any integer.
func nearest(x expr, k float64) (f, n expr) {
	magic := like(x, formatOf(x).magic)
	t := fma(x, like(x, k), magic)
	return sub(t, magic), sub(bits(t), bits(magic))
}

// floatOf converts a small integer to the type of x.
func floatOf(x, n expr) expr {
	magic := like(x, formatOf(x).magic)
	return sub(float(x.DType, add(n, bits(magic))), magic)
}

// scale is p*2**n for any n for which p*2**(n/2) is normal, rounding once.
func scale(p, n expr) expr {
	a := shr(n, 1)
	return mul(mul(p, pow2(p, a)), pow2(p, sub(n, a)))
}

// Scaled takes apart what scale makes of a number that nearest has rounded: e is
// p*2**f, f being an integer. CPUs may have an instruction for it.
func Scaled(e *kernel.Expr) (p, f *kernel.Expr, ok bool) {
	p, _ = operand(e, ir.OpMul)
	if p, ok = operand(p, ir.OpMul); !ok {
		return nil, nil, false
	}
	n := e.Args[1] // 2**(n-a)
	for _, o := range []ir.Op{ir.OpBitcast, ir.OpShl, ir.OpAdd, ir.OpSub} {
		n, _ = operand(n, o)
	}
	t, _ := operand(n, ir.OpSub)
	if t, ok = operand(t, ir.OpBitcast); !ok || t.DType != e.DType {
		return nil, nil, false
	}
	magic := like(t, formatOf(t).magic)
	ok = alike(n, sub(bits(t), bits(magic)), t) && alike(e, scale(p, n), p, n)
	return p, sub(t, magic), ok
}

// operand is the first argument of e, if e is the operation o.
func operand(e expr, o ir.Op) (expr, bool) {
	if e == nil || e.Kind != kernel.KOp || e.Op != o {
		return nil, false
	}
	return e.Args[0], true
}

// alike reports whether a and b are the same operations on leaves and constants.
func alike(a, b expr, leaves ...expr) bool {
	if a == b || slices.Contains(leaves, a) || slices.Contains(leaves, b) {
		return a == b
	}
	return a.Kind == b.Kind && a.DType == b.DType && a.Op == b.Op && a.Bits == b.Bits &&
		(a.Kind == kernel.KOp || a.Kind == kernel.KConst) &&
		slices.EqualFunc(a.Args, b.Args, func(x, y expr) bool { return alike(x, y, leaves...) })
}

// pow2 is 2**n in the type of x, for n in the range of normal numbers.
func pow2(x, n expr) expr {
	f := formatOf(x)
	return float(x.DType, shl(add(n, intLike(n, f.bias)), f.man))
}

// poly is c[0] + c[1]*x + … by Horner's rule.
func poly(x expr, c []float64) expr {
	p := like(x, c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		p = fma(p, x, like(x, c[i]))
	}
	return p
}

var (
	inf = math.Inf(1)
	nan = math.NaN()
)
