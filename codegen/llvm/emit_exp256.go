package llvm

import (
	"fmt"
	"math"
	"strings"

	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// expBits256 are the bits of an exponent of two, behind the point, that AVX2 looks up.
const expBits256 = 3

const (
	// magic256 is 1.5*2**20: adding it leaves the nearest multiple of 1/8 in the low bits.
	magic256 = 0x1.8p+20
	// e**r is 1 + r + r*r*(exp2nd256+exp3rd256*r) for |r| <= log(2)/16; the error is
	// 2**-25.2.
	exp2nd256 = 0x1.00087ep-1
	exp3rd256 = 0x1.555c52p-3
	// e**x is 0 and infinity from these on.
	least256, most256 = -104, 89
)

// exp256 is e**x in eight lanes: with n = x/log(2) rounded to 1/8 and r = x - n*log(2) it is
// 2**n * e**r. What the last product scales by, 2**64 or 2**-64, keeps all before it in the
// range of normal numbers; so results that are none are rounded once, like all. Not above 0,
// x is limited on one side and has one scale.
func (e *emitter) exp256(x value.Value, below bool) value.Value {
	t := types.NewVector(8, types.Float)
	ints := types.NewVector(8, types.I32)
	all := func(f float64) value.Value {
		return &literal{t, fmt.Sprintf("splat (float 0x%016X)", math.Float64bits(f))}
	}
	fma := func(a, b, c value.Value) value.Value {
		return e.intrinsic("llvm.fma.v8f32", t, a, b, c)
	}
	asInts := func(v value.Value) value.Value { return e.cur.NewBitCast(v, ints) }
	// of two numbers that do not compare, the instructions return the second: NaN stays
	x = e.intrinsic("llvm.x86.avx.max.ps.256", t, all(least256), x)
	if !below {
		x = e.intrinsic("llvm.x86.avx.min.ps.256", t, all(most256), x)
	}
	sum := fma(x, all(log2e), all(magic256))
	n := e.cur.NewFSub(sum, all(magic256))
	r := fma(n, all(-ln2Lo), fma(n, all(-ln2Hi), x))
	y := fma(e.cur.NewFMul(r, r), fma(r, all(exp3rd256), all(exp2nd256)), r)

	const small, great = 0x1p-64, 0x1p+64
	scale, more := all(small), math.Float32bits(1)
	if below {
		more -= math.Float32bits(small)
	}
	whole := e.cur.NewShl(asInts(sum), &literal{ints, fmt.Sprintf("splat (i32 %d)", 23-expBits256)})
	bits := value.Value(e.cur.NewAdd(e.exp2Of3Bits(asInts(sum), more), whole))
	if !below {
		negative := e.cur.NewICmp(enum.IPredSLT, asInts(x), zeroOf(ints))
		scale = e.cur.NewSelect(negative, scale, all(great))
		bits = e.cur.NewSub(bits, asInts(scale))
	}
	power := e.cur.NewBitCast(bits, t)
	return e.cur.NewFMul(fma(power, y, power), scale)
}

// below reports whether x is minus a magnitude, hence not above 0.
func below(x *kernel.Expr) bool {
	return x.Kind == kernel.KOp && x.Op == ir.OpNeg && x.Args[0].Kind == kernel.KOp &&
		x.Args[0].Op == ir.OpAbs
}

// exp2Of3Bits looks up for each integer j, modulo 8, the bits of 2**(j/8), less what adding
// all of j to their exponent adds of these three bits; and more, an exponent.
func (e *emitter) exp2Of3Bits(j value.Value, more uint32) value.Value {
	t := types.NewVector(8, types.I32)
	entries := make([]string, 1<<expBits256)
	for i := range entries {
		power := exp2Table[i<<(expBits-expBits256)]
		bits := math.Float32bits(power) - uint32(i)<<(23-expBits256) + more
		entries[i] = fmt.Sprintf("i32 %d", bits)
	}
	table := &literal{t, "<" + strings.Join(entries, ", ") + ">"}
	return e.intrinsic("llvm.x86.avx2.permd", t, table, j)
}
