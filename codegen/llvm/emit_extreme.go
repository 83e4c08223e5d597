package llvm

import (
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Maxima and minima of floats: NaN if either is, and +0 above -0.

// extremeFloat is max or min. Against a constant that is not NaN one compare
// does: x stays where it is beyond the constant or NaN, and, against the zero
// that loses to the other zero, where it is equal.
func extremeFloat(name string, beyond, orEqual enum.FPred) func(c *opCall) value.Value {
	return func(c *opCall) value.Value {
		for i, k := range c.x.Args {
			if k.Kind != kernel.KConst || k.DType != c.d || isNaNBits(k) {
				continue
			}
			x, lim, pred := c.a[1-i], c.a[i], beyond
			negative := k.Bits>>(k.DType.Bits()-1)&1 != 0
			if negative == (name == "maximum") {
				pred = orEqual
			}
			return c.cur.NewSelect(c.cur.NewFCmp(pred, x, lim), x, lim)
		}
		x, y := c.a[0], c.a[1]
		if widened(c.x.Args[0]) {
			// Else LLVM computes in f16, and its expansion of that for targets
			// without f16 arithmetic loses NaN.
			x = c.intrinsic("llvm.arithmetic.fence."+suffix(c.typ()), c.typ(), x)
		}
		if c.avx512(c.typ()) {
			return c.extremeRange(name, x, y)
		}
		return c.intrinsic("llvm."+name+"."+suffix(c.typ()), c.typ(), x, y)
	}
}

// extremeRange has AVX-512's instruction that orders zeros; it lets a NaN lose
// against a number.
func (c *opCall) extremeRange(name string, x, y value.Value) value.Value {
	const signOfResult, larger = 4, 1
	how := int64(signOfResult)
	if name == "maximum" {
		how |= larger
	}
	r := c.floats512("range", x, y, constant.NewInt(types.I32, how))
	return c.cur.NewSelect(c.cur.NewFCmp(enum.FPredUNO, x, y), c.cur.NewFAdd(x, y), r)
}

// widened reports whether x is an f16 in a wider type.
func widened(x *kernel.Expr) bool {
	return x.Kind == kernel.KOp && x.Op == ir.OpCast && x.Args[0].DType == ir.F16
}

func isNaNBits(k *kernel.Expr) bool {
	if k.DType == ir.F32 {
		return k.Bits<<33>>33 > 0x7f800000
	}
	return k.Bits<<1>>1 > 0x7ff<<52
}
