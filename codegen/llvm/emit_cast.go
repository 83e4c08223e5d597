package llvm

import (
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/ir"
)

// Conversions.

// in is the type t, in lanes if vec.
func (e *emitter) in(t types.Type, vec bool) types.Type {
	if vec {
		return e.vectorType(t)
	}
	return t
}

// intOf is the integer k of type t, in lanes if vec.
func (e *emitter) intOf(t *types.IntType, k int64, vec bool) value.Value {
	return e.widen(val{Value: constant.NewInt(t, k)}, vec).Value
}

// cast converts v from one element type to another.
func (e *emitter) cast(v val, from, to ir.DType) val {
	if from == to {
		return v
	}
	if from == ir.F8E4M3 || from == ir.F8E5M2 || to == ir.F8E4M3 || to == ir.F8E5M2 {
		e.errorf("cast of %v to %v: %s has no conversion of 8-bit floats", from, to, e.target.Level)
		return val{e.zero(to, v.vec), v.vec}
	}
	switch from {
	case ir.F16:
		return e.cast(val{e.cur.NewFPExt(v.Value, e.in(types.Float, v.vec)), v.vec}, ir.F32, to)
	case ir.BF16:
		wide := e.cur.NewZExt(v.Value, e.in(types.I32, v.vec))
		high := e.cur.NewShl(wide, e.intOf(types.I32, 16, v.vec))
		return e.cast(val{e.cur.NewBitCast(high, e.in(types.Float, v.vec)), v.vec}, ir.F32, to)
	}
	switch {
	case to == ir.Bool:
		return e.toBool(v, from)
	case to == ir.I4 || to == ir.U4:
		return e.toNibble(v, from, to)
	case to.IsInt():
		return e.toInt(v, from, to)
	}
	return e.toFloat(v, from, to)
}

func (e *emitter) toBool(v val, from ir.DType) val {
	zero := e.widen(val{Value: constantOf(from, 0)}, v.vec).Value
	if from.IsFloat() {
		return val{e.cur.NewFCmp(enum.FPredUNE, v.Value, zero), v.vec}
	}
	return val{e.cur.NewICmp(enum.IPredNE, v.Value, zero), v.vec}
}

func signed(d ir.DType) bool { return d.IsSigned() || d == ir.I4 }

func (e *emitter) toInt(v val, from, to ir.DType) val {
	t := e.typeOf(to, v.vec)
	if from.IsFloat() {
		return val{e.saturate(v, t, signed(to)), v.vec}
	}
	return val{e.resize(v.Value, register(from), register(to), t, signed(from)), v.vec}
}

// saturate converts a float to an integer of type t: NaN to 0, what is out of
// range to the nearest.
func (e *emitter) saturate(v val, t types.Type, signed bool) value.Value {
	name := "llvm.fptoui.sat."
	if signed {
		name = "llvm.fptosi.sat."
	}
	return e.intrinsic(name+suffix(t)+"."+suffix(v.Type()), t, v.Value)
}

// resize brings an integer to type t, of the width of to.
func (e *emitter) resize(v value.Value, from, to, t types.Type, signed bool) value.Value {
	a, b := from.(*types.IntType).BitSize, to.(*types.IntType).BitSize
	switch {
	case a > b:
		return e.cur.NewTrunc(v, t)
	case a == b:
		return v
	case signed:
		return e.cur.NewSExt(v, t)
	}
	return e.cur.NewZExt(v, t)
}

// toNibble converts to a 4-bit integer, which is kept extended to a byte.
func (e *emitter) toNibble(v val, from, to ir.DType) val {
	nibble := types.NewInt(4)
	t := e.in(nibble, v.vec)
	n := v.Value
	if from.IsFloat() {
		n = e.saturate(v, t, to == ir.I4)
	} else {
		n = e.resize(n, register(from), nibble, t, signed(from))
	}
	return val{e.resize(n, nibble, types.I8, e.in(types.I8, v.vec), to == ir.I4), v.vec}
}

func (e *emitter) toFloat(v val, from, to ir.DType) val {
	switch {
	case to == ir.F16 && !from.IsFloat():
		// What f32 would round is above what f16 has.
		return e.toFloat(e.toFloat(v, from, ir.F32), ir.F32, ir.F16)
	case to == ir.BF16 && !from.IsFloat():
		return e.toFloat(e.toFloat(v, from, ir.F64), ir.F64, ir.BF16)
	case from == ir.F64 && (to == ir.F16 || to == ir.BF16):
		return e.toFloat(e.oddFloat(v), ir.F32, to)
	case to == ir.BF16:
		return e.toBF16(v)
	}
	t := e.typeOf(to, v.vec)
	switch {
	case from.IsFloat() && from.Bits() > to.Bits():
		return val{e.cur.NewFPTrunc(v.Value, t), v.vec}
	case from.IsFloat():
		return val{e.cur.NewFPExt(v.Value, t), v.vec}
	case signed(from):
		return val{e.cur.NewSIToFP(v.Value, t), v.vec}
	}
	return val{e.cur.NewUIToFP(v.Value, t), v.vec}
}

// toBF16 rounds an f32 to nearest even; a NaN stays one when its low bits go.
func (e *emitter) toBF16(v val) val {
	c, n := e.cur, func(k int64) value.Value { return e.intOf(types.I32, k, v.vec) }
	b := c.NewBitCast(v.Value, e.in(types.I32, v.vec))
	odd := c.NewAnd(c.NewLShr(b, n(16)), n(1))
	near := c.NewAdd(c.NewAdd(b, n(0x7fff)), odd)
	isNaN := c.NewFCmp(enum.FPredUNO, v.Value, v.Value)
	r := c.NewSelect(isNaN, c.NewOr(b, n(1<<22)), near)
	return val{c.NewTrunc(c.NewLShr(r, n(16)), e.in(types.I16, v.vec)), v.vec}
}

// oddFloat rounds an f64 to f32 to odd, so that rounding the result once more,
// to f16 or bf16, gives what rounding v itself would give (Boldo and
// Melquiond 2008).
func (e *emitter) oddFloat(v val) val {
	c, n := e.cur, func(k int64) value.Value { return e.intOf(types.I32, k, v.vec) }
	f := c.NewFPTrunc(v.Value, e.in(types.Float, v.vec))
	back := c.NewFPExt(f, v.Type())
	abs := func(x value.Value) value.Value {
		return e.intrinsic("llvm.fabs."+suffix(x.Type()), x.Type(), x)
	}
	b := c.NewBitCast(f, e.in(types.I32, v.vec))
	up := c.NewFCmp(enum.FPredOGT, abs(back), abs(v.Value))
	odd := c.NewOr(c.NewAdd(b, c.NewSExt(up, e.in(types.I32, v.vec))), n(1))
	inexact := c.NewFCmp(enum.FPredONE, back, v.Value) // false of NaN
	r := c.NewSelect(inexact, odd, b)
	return val{c.NewBitCast(r, e.in(types.Float, v.vec)), v.vec}
}

// bitcast reinterprets the bits of v.
func (e *emitter) bitcast(v val, from, to ir.DType) val {
	if from.Size() != to.Size() {
		e.errorf("bitcast of %v to %v: sizes differ", from, to)
		return val{e.zero(to, v.vec), v.vec}
	}
	v = e.toStored(v, from)
	if t := e.in(stored(to), v.vec); !v.Type().Equal(t) {
		v = val{e.cur.NewBitCast(v.Value, t), v.vec}
	}
	switch to {
	case ir.I4, ir.U4:
		return e.toNibble(v, ir.I8, to)
	}
	return e.fromStored(v, to)
}
