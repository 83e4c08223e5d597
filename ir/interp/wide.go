package interp

import "github.com/tensorcc/tcc/ir"

// wide are the types that elements are computed in.
type wide interface{ int64 | uint64 | float64 }

// class says in which of the wide types a dtype is computed.
type class uint8

const (
	floatClass class = iota
	signedClass
	unsignedClass // bool too, as 0 and 1
)

func classOf(d ir.DType) class {
	switch {
	case d.IsSigned() || d == ir.I4:
		return signedClass
	case d.IsUnsigned() || d == ir.U4 || d == ir.Bool:
		return unsignedClass
	}
	return floatClass
}

// byClass picks the variant for a dtype.
func byClass[F any](d ir.DType, f, s, u F) F {
	switch classOf(d) {
	case signedClass:
		return s
	case unsignedClass:
		return u
	}
	return f
}

type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// widen returns all elements of t.
func widen[A wide](t *Tensor) []A {
	out := make([]A, t.Len())
	load(out, t, 0)
	return out
}

// load fills dst with the elements of t from element at on.
func load[A wide](dst []A, t *Tensor, at int) {
	if len(dst) == 0 {
		return
	}
	switch t.DType {
	case ir.I8:
		loadAs[A, int8](dst, t, at)
	case ir.I16:
		loadAs[A, int16](dst, t, at)
	case ir.I32:
		loadAs[A, int32](dst, t, at)
	case ir.I64:
		loadAs[A, int64](dst, t, at)
	case ir.U8, ir.Bool:
		loadAs[A, uint8](dst, t, at)
	case ir.U16:
		loadAs[A, uint16](dst, t, at)
	case ir.U32:
		loadAs[A, uint32](dst, t, at)
	case ir.U64:
		loadAs[A, uint64](dst, t, at)
	case ir.F32:
		loadAs[A, float32](dst, t, at)
	case ir.F64:
		loadAs[A, float64](dst, t, at)
	default:
		loadBy(dst, t, at)
	}
}

func loadAs[A wide, E number](dst []A, t *Tensor, at int) {
	src := Elements[E](t)[at:]
	for i := range dst {
		dst[i] = A(src[i])
	}
}

// loadBy loads the types that Go does not have.
func loadBy[A wide](dst []A, t *Tensor, at int) {
	switch t.DType {
	case ir.F16:
		decode(dst, Elements[uint16](t)[at:], func(b uint16) float64 { return float64(ir.F16Value(b)) })
	case ir.BF16:
		decode(dst, Elements[uint16](t)[at:], func(b uint16) float64 { return float64(ir.BF16Value(b)) })
	case ir.F8E4M3, ir.F8E5M2:
		decode(dst, t.Data[at:], func(b byte) float64 { return float64(ir.F8Value(t.DType, b)) })
	case ir.I4:
		decode(dst, t.Data[at:], func(b byte) float64 { return float64(int8(b<<4) >> 4) })
	case ir.U4:
		decode(dst, t.Data[at:], func(b byte) float64 { return float64(b & 15) })
	default:
		panic("BUG: load of " + t.String())
	}
}

func decode[A wide, E any](dst []A, src []E, f func(E) float64) {
	for i := range dst {
		dst[i] = A(f(src[i]))
	}
}

// store rounds or truncates src into t from element at on. Booleans take the
// low bit.
func store[A wide](t *Tensor, at int, src []A) {
	if len(src) == 0 {
		return
	}
	switch t.DType {
	case ir.I8:
		storeAs[A, int8](t, at, src)
	case ir.I16:
		storeAs[A, int16](t, at, src)
	case ir.I32:
		storeAs[A, int32](t, at, src)
	case ir.I64:
		storeAs[A, int64](t, at, src)
	case ir.U8:
		storeAs[A, uint8](t, at, src)
	case ir.U16:
		storeAs[A, uint16](t, at, src)
	case ir.U32:
		storeAs[A, uint32](t, at, src)
	case ir.U64:
		storeAs[A, uint64](t, at, src)
	case ir.F32:
		storeAs[A, float32](t, at, src)
	case ir.F64:
		storeAs[A, float64](t, at, src)
	default:
		storeBy(t, at, src)
	}
}

func storeAs[A wide, E number](t *Tensor, at int, src []A) {
	dst := Elements[E](t)[at:]
	for i, v := range src {
		dst[i] = E(v)
	}
}

func storeBy[A wide](t *Tensor, at int, src []A) {
	switch t.DType {
	case ir.F16:
		encode(Elements[uint16](t)[at:], src, func(v A) uint16 { return ir.F16Bits(oddFloat64(v)) })
	case ir.BF16:
		encode(Elements[uint16](t)[at:], src, func(v A) uint16 { return ir.BF16Bits(oddFloat64(v)) })
	case ir.F8E4M3, ir.F8E5M2:
		encode(t.Data[at:], src, func(v A) byte { return ir.F8Bits(t.DType, oddFloat64(v)) })
	case ir.I4:
		encode(t.Data[at:], src, func(v A) byte { return byte(int8(int64(v)<<4) >> 4) })
	case ir.U4:
		encode(t.Data[at:], src, func(v A) byte { return byte(uint64(v)) & 15 })
	case ir.Bool:
		encode(t.Data[at:], src, func(v A) byte { return byte(uint64(v)) & 1 })
	default:
		panic("BUG: store of " + t.String())
	}
}

func encode[A wide, E any](dst []E, src []A, f func(A) E) {
	for i, v := range src {
		dst[i] = f(v)
	}
}

// oddFloat64 converts to float64, rounding integers beyond 2^53 to odd, so
// that rounding the result to a small type is rounding the integer itself.
func oddFloat64[A wide](v A) float64 {
	const low = 1<<11 - 1
	switch v := any(v).(type) {
	case int64:
		if v >= -1<<53 && v <= 1<<53 {
			return float64(v)
		}
		return float64(sticky(v>>11, v&low != 0)) * (low + 1)
	case uint64:
		if v <= 1<<53 {
			return float64(v)
		}
		return float64(sticky(int64(v>>11), v&low != 0)) * (low + 1)
	case float64:
		return v
	}
	panic("BUG: oddFloat64")
}

func sticky(v int64, lost bool) int64 {
	if lost {
		return v | 1
	}
	return v
}
