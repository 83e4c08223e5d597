package llvm

import (
	"fmt"
	"math"
	"strings"

	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/ir"
)

// The exponential of f32 by AVX-512 and by AVX2: with powers of two in a register, which
// an instruction looks up, the polynomial is short. After Tang, "Table-driven
// implementation of the exponential function in IEEE floating-point arithmetic", 1989.

// Native reports whether the target computes an operation by instructions of its own.
func (t Target) Native(op ir.Op, d ir.DType) bool {
	return op == ir.OpExp && d == ir.F32 && (t.Vector == 512 || t.Vector == 256)
}

// expBits are the bits of an exponent of two, behind the point, that are looked up.
const expBits = 4

// exp2Table is 2**(j/16), rounded; no entry is off by more than 0.452 ulp.
var exp2Table = [1 << expBits]float32{
	0x1p+0, 0x1.0b5586p+0, 0x1.172b84p+0, 0x1.2387a6p+0, 0x1.306fep+0, 0x1.3dea64p+0,
	0x1.4bfdaep+0, 0x1.5ab07ep+0, 0x1.6a09e6p+0, 0x1.7a1148p+0, 0x1.8ace54p+0, 0x1.9c4918p+0,
	0x1.ae89fap+0, 0x1.c199bep+0, 0x1.d5818ep+0, 0x1.ea4afap+0,
}

const (
	log2e   = 0x1.715476p+0
	ln2Hi   = 0x1.62e43p-1 // its products with multiples of 1/16 are exact where they cancel
	ln2Lo   = -0x1.05c61p-29
	expMost = 0x1p-5 // more than log(2)/32
	// magic is 1.5*2**19: adding it leaves the nearest multiple of 1/16 in the low bits.
	magic = 0x1.8p+19
	// e**r is 1 + r + r*r*(exp2nd+exp3rd*r) for |r| <= log(2)/32; the error is 2**-29.2.
	exp2nd = 0x1.00022p-1
	exp3rd = 0x1.555748p-3
)

// expFloat does as many lanes at a time as a register has, or those that there are, but
// AVX2, which looks up in whole registers, no less.
func expFloat(c *opCall) value.Value {
	x, width := c.a[0], 1
	switch {
	case !c.target.Native(ir.OpExp, c.d):
		c.errorf("exp of %v: %s has no instructions for it", c.d, c.target.Level)
		return x
	case c.vec:
		width = c.width
	default:
		first := constant.NewInt(types.I32, 0)
		x = c.cur.NewInsertElement(zeroOf(types.NewVector(1, types.Float)), x, first)
	}
	lanes, exp := 4, c.exp
	if c.target.Vector == 256 {
		lanes, exp = 8, func(x value.Value) value.Value { return c.exp256(x, below(c.x.Args[0])) }
	}
	for lanes < min(width, c.target.Vector/32) {
		lanes *= 2
	}
	var parts []value.Value
	for at := 0; at < width; at += lanes {
		part := x
		if lanes != width {
			part = c.shuffle(x, x, lanes, func(i int) int { return min(at+i, width-1) })
		}
		parts = append(parts, exp(part))
	}
	for ; len(parts) > 1; lanes *= 2 {
		var pairs []value.Value
		for i := 0; i < len(parts); i += 2 {
			a, b := parts[i], parts[min(i+1, len(parts)-1)]
			pairs = append(pairs, c.shuffle(a, b, 2*lanes, func(i int) int { return i }))
		}
		parts = pairs
	}
	switch y := parts[0]; {
	case !c.vec:
		return c.cur.NewExtractElement(y, constant.NewInt(types.I32, 0))
	case lanes != width:
		return c.shuffle(y, y, width, func(i int) int { return i })
	default:
		return y
	}
}

// exp is e**x in a register of floats: with n = x/log(2) rounded to 1/16 and
// r = x - n*log(2) it is 2**n * e**r. Two instructions scale by powers of two and limit a
// magnitude, which makes infinities and NaN right.
func (e *emitter) exp(x value.Value) value.Value {
	t := x.Type().(*types.VectorType)
	all := func(f float64) value.Value {
		return &literal{t, fmt.Sprintf("splat (float 0x%016X)", math.Float64bits(f))}
	}
	fma := func(a, b, c value.Value) value.Value {
		return e.intrinsic("llvm.fma."+suffix(t), t, a, b, c)
	}
	sum := fma(x, all(log2e), all(magic))
	n := e.cur.NewFSub(sum, all(magic))
	r := fma(n, all(-ln2Lo), fma(n, all(-ln2Hi), x))
	// Of a great x, n is one and r is anything: 0 and infinity come of n alone.
	const least, signOfFirst = 2, 0 << 2 // of the magnitudes
	r = e.floats512("range", r, all(expMost), constant.NewInt(types.I32, least|signOfFirst))
	power := e.exp2OfBits(e.cur.NewBitCast(sum, types.NewVector(t.Len, types.I32)))
	y := fma(e.cur.NewFMul(r, r), fma(r, all(exp3rd), all(exp2nd)), r)
	return e.floats512("scalef", fma(power, y, power), n) // scales by n rounded down
}

// exp2OfBits is 2**(j/16) for each integer j, modulo 2.
func (e *emitter) exp2OfBits(j value.Value) value.Value {
	table := func(from, to int) value.Value {
		s := make([]string, 0, to-from)
		for _, v := range exp2Table[from:to] {
			s = append(s, fmt.Sprintf("float 0x%016X", math.Float64bits(float64(v))))
		}
		return &literal{types.NewVector(uint64(to-from), types.Float), "<" + strings.Join(s, ", ") + ">"}
	}
	lanes := int(j.Type().(*types.VectorType).Len)
	t := types.NewVector(uint64(max(lanes, 8)), types.Float)
	if lanes == 16 {
		return e.intrinsic("llvm.x86.avx512.permvar.sf.512", t, table(0, 16), j)
	}
	if lanes < 8 {
		j = e.shuffle(j, j, 8, func(i int) int { return i % lanes })
	}
	y := value.Value(e.intrinsic("llvm.x86.avx512.vpermi2var.ps.256", t, table(0, 8), j, table(8, 16)))
	if lanes < 8 {
		y = e.shuffle(y, y, lanes, func(i int) int { return i })
	}
	return y
}
