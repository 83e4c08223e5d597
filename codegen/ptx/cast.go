package ptx

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Conversions.

// cast converts v, in a register, from one element type to another.
func (e *emitter) cast(v val, from, to ir.DType) val {
	switch {
	case from == to:
		return v
	case from == ir.F16:
		return e.cast(e.pure(f32, "cvt.f32.f16", v), ir.F32, to)
	case from == ir.BF16:
		wide := e.pure(b32, "shl.b32", e.pure(b32, "cvt.u32.u16", v), "16")
		return e.cast(e.pure(f32, "mov.b32", wide), ir.F32, to)
	case to == ir.Bool && from.IsFloat():
		return e.pure(pred, "setp.neu."+typeOf(from), v, constant(from, 0))
	case to == ir.Bool:
		return e.pure(pred, "setp.ne."+typeOf(from), v, "0")
	case from == ir.Bool:
		return e.fromBool(v, to)
	case from.IsFloat() && to.IsFloat():
		return e.floatToFloat(v, from, to)
	case from.IsFloat():
		return e.saturate(v, from, to)
	case to.IsFloat():
		return e.intToFloat(v, from, to)
	}
	return e.resize(v, from, to)
}

func (e *emitter) fromBool(v val, to ir.DType) val {
	if to.IsFloat() {
		return e.intToFloat(e.choose(ir.I32, v, "1", "0"), ir.I32, to)
	}
	return e.choose(to, v, "1", "0")
}

// floatToFloat converts between f32 and f64, and from them to f16 and bf16.
func (e *emitter) floatToFloat(v val, from, to ir.DType) val {
	switch {
	case to == ir.F64:
		return e.pure(f64, "cvt.f64.f32", v)
	case to == ir.BF16 && from == ir.F64:
		return e.floatToFloat(e.oddFloat(v), ir.F32, to)
	case to == ir.BF16:
		return e.pure(b16, "cvt.rn.bf16.f32", v)
	case to == ir.F16:
		return e.pure(b16, "cvt.rn.f16."+typeOf(from), v)
	}
	return e.pure(f32, "cvt.rn.f32.f64", v)
}

// oddFloat rounds an f64 to f32 to odd, so that rounding the result once more
// gives what rounding v itself would give (Boldo and Melquiond 2008).
func (e *emitter) oddFloat(v val) val {
	f := e.pure(f32, "cvt.rz.f32.f64", v)
	inexact := e.pure(pred, "setp.ne.f64", e.pure(f64, "cvt.f64.f32", f), v) // false of NaN
	odd := e.pure(b32, "or.b32", e.pure(b32, "mov.b32", f), "1")
	return e.pure(f32, "selp.f32", e.pure(f32, "mov.b32", odd), f, inexact)
}

// saturate converts a float to an integer: NaN to 0, what is out of range to
// the nearest. The instruction saturates at the width of the register.
func (e *emitter) saturate(v val, from, to ir.DType) val {
	t, c := typeOf(to), classOf(to)
	out := e.pure(c, "cvt.rzi."+t+"."+typeOf(from), v)
	if n := to.Bits(); n < 32 && signed(to) {
		out = e.pure(c, "min.s32", out, val(fmt.Sprint(1<<(n-1)-1)))
		out = e.pure(c, "max.s32", out, val(fmt.Sprint(-1<<(n-1))))
	} else if n < 32 {
		out = e.pure(c, "min.u32", out, val(fmt.Sprint(1<<n-1)))
	}
	return e.choose(to, e.pure(pred, "setp.nan."+typeOf(from), v, v), "0", out)
}

func (e *emitter) intToFloat(v val, from, to ir.DType) val {
	switch to {
	case ir.F16: // what f32 would round is above what f16 has
		return e.floatToFloat(e.intToFloat(v, from, ir.F32), ir.F32, to)
	case ir.BF16:
		return e.floatToFloat(e.intToFloat(v, from, ir.F64), ir.F64, to)
	}
	return e.pure(classOf(to), "cvt.rn."+typeOf(to)+"."+typeOf(from), v)
}

// resize brings an integer to the width of to.
func (e *emitter) resize(v val, from, to ir.DType) val {
	a, b := classOf(from), classOf(to)
	switch {
	case a == b32 && b == b64 && signed(from):
		return e.pure(b64, "cvt.s64.s32", v)
	case a == b32 && b == b64:
		return e.pure(b64, "cvt.u64.u32", v)
	case a == b64 && b == b32:
		v = e.pure(b32, "cvt.u32.u64", v)
	case from.Bits() < to.Bits() && (signed(to) || !signed(from)):
		return v
	}
	return e.wrap(to, v)
}

// bitcast reinterprets the bits of v.
func (e *emitter) bitcast(v val, from, to ir.DType) val {
	if from.Bits() != to.Bits() {
		e.errorf("bitcast of %v to %v: sizes differ", from, to)
		return e.reg(classOf(to))
	}
	a, b := classOf(from), classOf(to)
	switch {
	case from == to:
		return v
	case a == pred || b == pred || a == b32 && b == b32:
		return e.cast(v, from, to) // bool is 0 or 1, and what is not 0 is true
	case a == b:
		return v
	case a == b16:
		return e.wrap(to, e.pure(b32, "cvt.u32.u16", v))
	case b == b16:
		return e.pure(b16, "cvt.u16.u32", v)
	}
	return e.pure(b, "mov."+map[bool]string{true: "b64", false: "b32"}[from.Bits() == 64], v)
}
