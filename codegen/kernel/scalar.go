package kernel

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/tensorcc/tcc/ir"
)

// The elementwise operations on single elements, for [Run]. An element is
// held in 64 bits as in [ConstExpr].

// floatOps compute in float64; rounding the result to float32 gives the right
// float32 for + - * / sqrt and what only picks or truncates (the result of two
// float32 operands has at most twice their digits).
var floatOps1 = map[ir.Op]func(float64) float64{
	ir.OpNeg: func(x float64) float64 { return -x }, ir.OpAbs: math.Abs, ir.OpSign: sign,
	ir.OpCeil: math.Ceil, ir.OpFloor: math.Floor, ir.OpTrunc: math.Trunc, ir.OpRound: math.RoundToEven,
	ir.OpSqrt: math.Sqrt, ir.OpExp: math.Exp, ir.OpExpm1: math.Expm1, ir.OpLog: math.Log,
	ir.OpLog1p: math.Log1p, ir.OpSin: math.Sin, ir.OpCos: math.Cos, ir.OpTan: math.Tan,
	ir.OpAsin: math.Asin, ir.OpAcos: math.Acos, ir.OpAtan: math.Atan, ir.OpSinh: math.Sinh,
	ir.OpCosh: math.Cosh, ir.OpTanh: math.Tanh, ir.OpAsinh: math.Asinh, ir.OpAcosh: math.Acosh,
	ir.OpAtanh: math.Atanh, ir.OpErf: math.Erf,
	ir.OpSigmoid: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
}

var floatOps2 = map[ir.Op]func(x, y float64) float64{
	ir.OpAdd: func(x, y float64) float64 { return x + y },
	ir.OpSub: func(x, y float64) float64 { return x - y },
	ir.OpMul: func(x, y float64) float64 { return x * y },
	ir.OpDiv: func(x, y float64) float64 { return x / y },
	ir.OpRem: math.Mod, ir.OpMod: floorMod, ir.OpFloorDiv: floorDivide,
	ir.OpPow: math.Pow, ir.OpAtan2: atan2, ir.OpMax: larger64, ir.OpMin: smaller64,
}

var floatTests1 = map[ir.Op]func(float64) bool{
	ir.OpIsNaN: math.IsNaN, ir.OpIsInf: func(x float64) bool { return math.IsInf(x, 0) },
}

var floatCompares = map[ir.Op]func(x, y float64) bool{
	ir.OpEq: func(x, y float64) bool { return x == y },
	ir.OpNe: func(x, y float64) bool { return x != y },
	ir.OpLt: func(x, y float64) bool { return x < y },
	ir.OpLe: func(x, y float64) bool { return x <= y },
	ir.OpGt: func(x, y float64) bool { return x > y },
	ir.OpGe: func(x, y float64) bool { return x >= y },
}

// atan2: math.Atan2 forgets the sign of y where y/x underflows.
func atan2(y, x float64) float64 { return math.Copysign(math.Atan2(math.Abs(y), x), y) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func floorMod(x, y float64) float64 {
	r := math.Mod(x, y)
	if r != 0 && (r < 0) != (y < 0) {
		return r + y
	}
	if r == 0 {
		return math.Copysign(0, y)
	}
	return r
}

func floorDivide(x, y float64) float64 {
	if y == 0 {
		return x / y
	}
	m := math.Mod(x, y)
	d := (x - m) / y
	if m != 0 && (m < 0) != (y < 0) {
		d--
	}
	if d == 0 {
		return math.Copysign(0, x/y)
	}
	f := math.Floor(d)
	if d-f > 0.5 {
		f++
	}
	return f
}

// larger64 and smaller64: those of package math prefer an infinity to NaN.
func larger64(x, y float64) float64  { return max(x, y) }
func smaller64(x, y float64) float64 { return min(x, y) }

// fmaOdd is x*y+z for arguments of at most 24 bits, rounded to odd, which
// keeps what rounding to their type needs.
func fmaOdd(x, y, c float64) float64 {
	p := x * y
	s := p + c
	if math.IsInf(s, 0) || math.IsNaN(s) {
		return s
	}
	b := s - p
	if e := (p - (s - b)) + (c - b); e != 0 && math.Float64bits(s)&1 == 0 {
		if (e > 0) == (s > 0) {
			s = math.Float64frombits(math.Float64bits(s) + 1)
		} else {
			s = math.Float64frombits(math.Float64bits(s) - 1)
		}
	}
	return s
}

// intOps1 and intOps2 wrap; results are brought back to the width after.
var intOps1 = map[ir.Op]func(d ir.DType, x int64) int64{
	ir.OpNeg: func(_ ir.DType, x int64) int64 { return -x },
	ir.OpAbs: func(d ir.DType, x int64) int64 {
		if d.IsSigned() && x < 0 {
			return -x
		}
		return x
	},
	ir.OpSign: func(d ir.DType, x int64) int64 {
		switch {
		case x == 0:
			return 0
		case d.IsSigned() && x < 0:
			return -1
		}
		return 1
	},
	ir.OpNot: func(d ir.DType, x int64) int64 {
		if d == ir.Bool {
			return 1 - x
		}
		return ^x
	},
	ir.OpPopcount: func(d ir.DType, x int64) int64 {
		return int64(bits.OnesCount64(uint64(x) << (64 - d.Bits())))
	},
}

var intOps2 = map[ir.Op]func(d ir.DType, x, y int64) int64{
	ir.OpAdd:      func(_ ir.DType, x, y int64) int64 { return x + y },
	ir.OpSub:      func(_ ir.DType, x, y int64) int64 { return x - y },
	ir.OpMul:      func(_ ir.DType, x, y int64) int64 { return x * y },
	ir.OpDiv:      func(d ir.DType, x, y int64) int64 { q, _ := divInt(d, x, y); return q },
	ir.OpRem:      func(d ir.DType, x, y int64) int64 { _, r := divInt(d, x, y); return r },
	ir.OpFloorDiv: floorDivInt,
	ir.OpMod: func(d ir.DType, x, y int64) int64 {
		_, r := divInt(d, x, y)
		if d.IsSigned() && r != 0 && (r < 0) != (y < 0) {
			return r + y
		}
		return r
	},
	ir.OpPow: powInt,
	ir.OpMax: func(d ir.DType, x, y int64) int64 {
		if lessInt(d, x, y) {
			return y
		}
		return x
	},
	ir.OpMin: func(d ir.DType, x, y int64) int64 {
		if lessInt(d, x, y) {
			return x
		}
		return y
	},
	ir.OpAnd: func(_ ir.DType, x, y int64) int64 { return x & y },
	ir.OpOr:  func(_ ir.DType, x, y int64) int64 { return x | y },
	ir.OpXor: func(_ ir.DType, x, y int64) int64 { return x ^ y },
	ir.OpShl: func(d ir.DType, x, y int64) int64 {
		if uint64(y) >= uint64(d.Bits()) {
			return 0
		}
		return x << y
	},
	ir.OpShr: func(d ir.DType, x, y int64) int64 {
		if uint64(y) >= uint64(d.Bits()) {
			y = 63
			if !d.IsSigned() {
				return 0
			}
		}
		if d.IsSigned() {
			return x >> y
		}
		return int64(uint64(x) >> y)
	},
}

func divInt(d ir.DType, x, y int64) (q, r int64) {
	switch {
	case y == 0:
		return 0, 0
	case d.IsSigned():
		return x / y, x % y
	}
	return int64(uint64(x) / uint64(y)), int64(uint64(x) % uint64(y))
}

func floorDivInt(d ir.DType, x, y int64) int64 {
	q, r := divInt(d, x, y)
	if d.IsSigned() && r != 0 && (r < 0) != (y < 0) {
		q--
	}
	return q
}

func powInt(d ir.DType, x, y int64) int64 {
	if d.IsSigned() && y < 0 {
		switch {
		case x == 1:
			return 1
		case x == -1:
			return 1 - 2*(y&1)
		}
		return 0
	}
	out := int64(1)
	for e := uint64(y); e > 0; e >>= 1 {
		if e&1 != 0 {
			out *= x
		}
		x *= x
	}
	return out
}

func lessInt(d ir.DType, x, y int64) bool {
	if d.IsSigned() {
		return x < y
	}
	return uint64(x) < uint64(y)
}

// intCompares are by order -1, 0, 1.
var intCompares = map[ir.Op]func(order int) bool{
	ir.OpEq: func(o int) bool { return o == 0 }, ir.OpNe: func(o int) bool { return o != 0 },
	ir.OpLt: func(o int) bool { return o < 0 }, ir.OpLe: func(o int) bool { return o <= 0 },
	ir.OpGt: func(o int) bool { return o > 0 }, ir.OpGe: func(o int) bool { return o >= 0 },
}

func orderInt(d ir.DType, x, y int64) int {
	switch {
	case lessInt(d, x, y):
		return -1
	case x == y:
		return 0
	}
	return 1
}

// wrap brings v to the width of d.
func wrap(d ir.DType, v int64) uint64 {
	n := 64 - d.Bits()
	switch {
	case d == ir.Bool:
		return uint64(v) & 1
	case d.IsSigned():
		return uint64(v << n >> n)
	}
	return uint64(v) << n >> n
}

func toFloat(d ir.DType, b uint64) float64 {
	switch d {
	case ir.F32:
		return float64(math.Float32frombits(uint32(b)))
	case ir.F64:
		return math.Float64frombits(b)
	case ir.F16:
		return float64(halfToFloat(uint16(b)))
	case ir.BF16:
		return float64(math.Float32frombits(uint32(b) << 16))
	}
	panic("BUG: kernel: no float: " + d.String())
}

func fromFloat(d ir.DType, v float64) uint64 {
	switch d {
	case ir.F32:
		return uint64(math.Float32bits(float32(v)))
	case ir.F64:
		return math.Float64bits(v)
	case ir.F16:
		return uint64(floatToHalf(v))
	case ir.BF16:
		return uint64(floatToBF16(v))
	}
	panic("BUG: kernel: no float: " + d.String())
}

// scalarOp returns the function that computes e from its arguments' elements.
func scalarOp(e *Expr) (func(args []uint64) uint64, error) {
	in := e.Args[0].DType
	switch e.Op {
	case ir.OpCast:
		return func(a []uint64) uint64 { return castScalar(in, e.DType, a[0]) }, nil
	case ir.OpBitcast:
		return func(a []uint64) uint64 {
			n := 64 - in.Bits()
			raw := a[0] << n >> n
			if e.DType == ir.Bool {
				return min(raw, 1)
			}
			if e.DType.IsInt() {
				return wrap(e.DType, int64(raw))
			}
			return raw
		}, nil
	case ir.OpSelect:
		return func(a []uint64) uint64 {
			if a[0] != 0 {
				return a[1]
			}
			return a[2]
		}, nil
	case ir.OpFMA:
		if in == ir.F64 {
			return func(a []uint64) uint64 {
				return fromFloat(in, math.FMA(toFloat(in, a[0]), toFloat(in, a[1]), toFloat(in, a[2])))
			}, nil
		}
		return func(a []uint64) uint64 {
			return fromFloat(in, fmaOdd(toFloat(in, a[0]), toFloat(in, a[1]), toFloat(in, a[2])))
		}, nil
	}
	if in.IsFloat() {
		return floatOp(e.Op, in)
	}
	return intOp(e.Op, in)
}

func floatOp(op ir.Op, in ir.DType) (func(args []uint64) uint64, error) {
	if f := floatOps1[op]; f != nil {
		return func(a []uint64) uint64 { return fromFloat(in, f(toFloat(in, a[0]))) }, nil
	}
	if f := floatOps2[op]; f != nil {
		return func(a []uint64) uint64 {
			return fromFloat(in, f(toFloat(in, a[0]), toFloat(in, a[1])))
		}, nil
	}
	if f := floatTests1[op]; f != nil {
		return func(a []uint64) uint64 { return boolBits(f(toFloat(in, a[0]))) }, nil
	}
	if f := floatCompares[op]; f != nil {
		return func(a []uint64) uint64 { return boolBits(f(toFloat(in, a[0]), toFloat(in, a[1]))) }, nil
	}
	return nil, fmt.Errorf("%v of %v is not in the kernel interpreter", op, in)
}

func intOp(op ir.Op, in ir.DType) (func(args []uint64) uint64, error) {
	if f := intOps1[op]; f != nil {
		return func(a []uint64) uint64 { return wrap(in, f(in, int64(a[0]))) }, nil
	}
	if f := intOps2[op]; f != nil {
		return func(a []uint64) uint64 { return wrap(in, f(in, int64(a[0]), int64(a[1]))) }, nil
	}
	if f := intCompares[op]; f != nil {
		return func(a []uint64) uint64 { return boolBits(f(orderInt(in, int64(a[0]), int64(a[1])))) }, nil
	}
	return nil, fmt.Errorf("%v of %v is not in the kernel interpreter", op, in)
}

func boolBits(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func castScalar(from, to ir.DType, b uint64) uint64 {
	switch {
	case to == ir.Bool:
		if from.IsFloat() {
			return boolBits(toFloat(from, b) != 0)
		}
		return boolBits(b != 0)
	case from.IsFloat() && to.IsFloat():
		return fromFloat(to, toFloat(from, b))
	case from.IsFloat():
		return saturate(to, toFloat(from, b))
	case !to.IsFloat():
		return wrap(to, int64(b))
	case from == ir.U64 && to == ir.F32:
		return uint64(math.Float32bits(float32(b)))
	case from == ir.U64:
		return fromFloat(to, float64(b))
	case to == ir.F32:
		return uint64(math.Float32bits(float32(int64(b))))
	}
	return fromFloat(to, float64(int64(b)))
}

// saturate converts a float to an integer type; NaN is 0.
func saturate(to ir.DType, v float64) uint64 {
	if math.IsNaN(v) {
		return 0
	}
	v = math.Trunc(v)
	if to.IsSigned() {
		limit := math.Ldexp(1, to.Bits()-1)
		switch {
		case v >= limit:
			return uint64(1)<<(to.Bits()-1) - 1
		case v < -limit:
			return wrap(to, math.MinInt64>>(64-to.Bits()))
		}
		return uint64(int64(v))
	}
	switch {
	case v <= 0:
		return 0
	case v >= math.Ldexp(1, to.Bits()):
		return math.MaxUint64 >> (64 - to.Bits())
	}
	return uint64(v)
}

func halfToFloat(h uint16) float32 {
	s, e, m := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch e {
	case 0:
		return math.Float32frombits(s | math.Float32bits(float32(m)*0x1p-24))
	case 31:
		return math.Float32frombits(s | 0xff<<23 | m<<13)
	}
	return math.Float32frombits(s | (e+112)<<23 | m<<13)
}

// floatToHalf rounds to nearest even.
func floatToHalf(v float64) uint16 {
	s := uint16(math.Float64bits(v) >> 48 & 0x8000)
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return s | 0x7e00
	case a >= 65520:
		return s | 0x7c00
	case a < 0x1p-14:
		return s | uint16(math.RoundToEven(a*0x1p24))
	}
	_, e := math.Frexp(a)
	m := math.RoundToEven(math.Ldexp(a, 11-e)) // in [1024, 2048]
	return s | uint16(uint32(e+14-1)<<10+uint32(m))
}

func floatToBF16(v float64) uint16 {
	b := math.Float32bits(float32(v))
	if math.IsNaN(v) {
		return uint16(b>>16) | 0x40
	}
	// a float64 that is no float32 was rounded once already; kernels cast from f32
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
