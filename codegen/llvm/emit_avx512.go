package llvm

import (
	"fmt"

	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
)

// Instructions of AVX-512 that LLVM does not choose by itself.

// avx512 reports whether t is one register of floats that AVX-512 has.
func (e *emitter) avx512(t types.Type) bool {
	v, ok := t.(*types.VectorType)
	if !ok || e.target.Vector != 512 || v.ElemType != types.Float && v.ElemType != types.Double {
		return false
	}
	bits := v.Len * floatBits(v)
	return bits == 128 || bits == 256 || bits == 512
}

func floatBits(v *types.VectorType) uint64 {
	if v.ElemType == types.Float {
		return 32
	}
	return 64
}

// floats512 emits an instruction of floats in all lanes: its first argument tells
// the type.
func (e *emitter) floats512(name string, args ...value.Value) value.Value {
	t := args[0].Type().(*types.VectorType)
	kind, bits := map[uint64]string{32: "ps", 64: "pd"}[floatBits(t)], t.Len*floatBits(t)
	lanes := types.NewInt(max(t.Len, 8))
	args = append(args, args[0], constant.NewInt(lanes, -1))
	if bits == 512 {
		const asSet = 4 // rounding
		args = append(args, constant.NewInt(types.I32, asSet))
	}
	return e.intrinsic(fmt.Sprintf("llvm.x86.avx512.mask.%s.%s.%d", name, kind, bits), t, args...)
}

// scaled emits p*2**f by the instruction that does it, which rounds once too.
func (e *emitter) scaled(x *kernel.Expr) (val, bool) {
	if x.Op != ir.OpMul || !x.DType.IsFloat() || e.target.Vector != 512 {
		return val{}, false
	}
	p, f, ok := mathfn.Scaled(x)
	if !ok || !e.avx512(e.vectorType(register(x.DType))) {
		return val{}, false
	}
	a, b := e.expr(p), e.expr(f)
	if !a.vec || !b.vec {
		return val{}, false
	}
	return val{e.floats512("scalef", a.Value, b.Value), true}, true
}
