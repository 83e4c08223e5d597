package mathfn

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// fn has the expansions of an operation by element type; an operation on f32
// without a form of its own is computed in f64.
type fn struct{ f32, f64 func(a []expr) expr }

func unary(f func(x expr) expr) func([]expr) expr {
	return func(a []expr) expr { return f(a[0]) }
}

func binary(f func(x, y expr) expr) func([]expr) expr {
	return func(a []expr) expr { return f(a[0], a[1]) }
}

// table has a row for each floating-point operation that is not one
// instruction everywhere.
var table = map[ir.Op]fn{
	ir.OpExp:      {f32: unary(exp32), f64: unary(exp64)},
	ir.OpExpm1:    {f32: unary(expm1), f64: unary(expm1)},
	ir.OpLog:      {f32: unary(log32), f64: unary(log64)},
	ir.OpLog1p:    {f32: unary(log1p32), f64: unary(log1p)},
	ir.OpSin:      {f32: unary(sin32), f64: unary(sin64)},
	ir.OpCos:      {f32: unary(cos32), f64: unary(cos64)},
	ir.OpTan:      {f32: unary(tan32), f64: unary(tan64)},
	ir.OpAsin:     {f32: unary(asin32), f64: unary(asin64)},
	ir.OpAcos:     {f32: unary(acos32), f64: unary(acos64)},
	ir.OpAtan:     {f32: unary(atan32), f64: unary(atan64)},
	ir.OpSinh:     {f32: unary(sinh32), f64: unary(sinh64)},
	ir.OpCosh:     {f32: unary(cosh32), f64: unary(cosh64)},
	ir.OpTanh:     {f32: unary(tanh32), f64: unary(tanh64)},
	ir.OpAsinh:    {f64: unary(asinh)},
	ir.OpAcosh:    {f64: unary(acosh)},
	ir.OpAtanh:    {f64: unary(atanh)},
	ir.OpErf:      {f32: unary(erf32), f64: unary(erf64)},
	ir.OpSigmoid:  {f32: unary(sigmoid32), f64: unary(sigmoid64)},
	ir.OpPow:      {f32: binary(pow32), f64: binary(pow64)},
	ir.OpAtan2:    {f64: binary(atan2)},
	ir.OpRem:      {f32: binary(rem32), f64: binary(rem64)},
	ir.OpMod:      {f32: binary(mod32), f64: binary(mod64)},
	ir.OpFloorDiv: {f32: binary(floorDiv32), f64: binary(floorDiv64)},
}

// Native reports whether a target computes an operation on elements of a type by
// instructions of its own; nil stands for one that does so with none.
type Native func(op ir.Op, d ir.DType) bool

// Expand returns e without the operations of the table that are not native.
// Arithmetic on f16 and bf16 becomes arithmetic on f32 between casts, and powers of
// integers become products. What e shares, the result shares.
func Expand(e *kernel.Expr, native Native) *kernel.Expr {
	return e.Rewrite(func(e *kernel.Expr) *kernel.Expr { return ExpandOp(e, native) })
}

// ExpandOp is [Expand] of the operation e alone, whose operands stay as they are.
func ExpandOp(e *kernel.Expr, native Native) *kernel.Expr {
	if e.Kind != kernel.KOp || e.Op == ir.OpCast || e.Op == ir.OpBitcast || e.Op == ir.OpSelect {
		return e
	}
	d := e.Args[0].DType
	switch {
	case (d == ir.F16 || d == ir.BF16) && e.Op == ir.OpFMA:
		return kernel.CastExpr(d, fmaOdd(castAll(ir.F64, e.Args)))
	case d == ir.F16 || d == ir.BF16:
		wide := ExpandOp(kernel.OpExpr(e.Op, castAll(ir.F32, e.Args)...), native)
		if wide.Op == ir.OpCast && wide.Args[0].DType == ir.F64 {
			wide = wide.Args[0] // computed in f64: rounded once
		}
		return kernel.CastExpr(e.DType, wide)
	case d.IsInt() && e.Op == ir.OpPow:
		return powInt(e.Args[0], e.Args[1])
	case !d.IsFloat():
		return e
	}
	row, ok := table[e.Op]
	switch {
	case !ok || native != nil && native(e.Op, d):
		return e
	case d == ir.F64:
		return row.f64(e.Args)
	case row.f32 != nil:
		return row.f32(e.Args)
	}
	return kernel.CastExpr(ir.F32, row.f64(castAll(ir.F64, e.Args)))
}

func castAll(d ir.DType, args []expr) []expr {
	out := make([]expr, len(args))
	for i, a := range args {
		out[i] = kernel.CastExpr(d, a)
	}
	return out
}
