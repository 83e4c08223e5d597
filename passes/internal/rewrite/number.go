package rewrite

import (
	"encoding/binary"
	"math"

	"github.com/tensorcc/tcc/ir"
)

// SplatValue returns the number that all elements of v are, seen through
// broadcasts and reshapes of constants. It reports false for anything else
// and for integers that float64 does not hold.
func SplatValue(v *ir.Value) (float64, bool) {
	l := SplatOf(v)
	if l == nil {
		return 0, false
	}
	return decode(l.DType, l.Data)
}

// SplatOf returns the constant behind v if all its elements are one.
func SplatOf(v *ir.Value) *ir.Literal {
	for v.Op == ir.OpBroadcast || v.Op == ir.OpReshape {
		v = v.Args[0]
	}
	if v.Op != ir.OpConst {
		return nil
	}
	l := v.Attr.(*ir.ConstAttr).Value
	if (l.Splat || l.Size() == 1) && len(l.Data) > 0 {
		return l
	}
	return nil
}

func decode(d ir.DType, b []byte) (float64, bool) {
	var raw [8]byte
	copy(raw[:], b[:d.Size()])
	u := binary.LittleEndian.Uint64(raw[:])
	switch {
	case d == ir.F32:
		return float64(math.Float32frombits(uint32(u))), true
	case d == ir.F64:
		return math.Float64frombits(u), true
	case d == ir.F16 || d == ir.BF16:
		return decodeHalf(d, uint16(u)), true
	case d.IsSigned():
		shift := 64 - 8*d.Size()
		k := int64(u<<shift) >> shift
		return float64(k), int64(float64(k)) == k && k != math.MaxInt64
	case d.IsUnsigned() || d == ir.Bool:
		return float64(u), u < 1<<53
	}
	return 0, false
}

// decodeHalf goes through the bits, as ir keeps its conversions to itself.
func decodeHalf(d ir.DType, u uint16) float64 {
	if d == ir.BF16 {
		return float64(math.Float32frombits(uint32(u) << 16))
	}
	exp, man := int(u>>10)&31, int(u&1023)
	var x float64
	switch exp {
	case 0:
		x = math.Ldexp(float64(man), -24)
	case 31:
		x = math.Inf(1)
		if man != 0 {
			x = math.NaN()
		}
	default:
		x = math.Ldexp(float64(man|1024), exp-25)
	}
	if u>>15 != 0 {
		x = -x
	}
	return x
}

// Number64 appends the constant x in all elements of type t: a splat where
// the shape is static, else a broadcast scalar. It returns nil where t cannot
// hold x exactly.
func Number64(out *ir.Graph, pos ir.Pos, t ir.Type, x float64) *ir.Value {
	data, ok := Encode(t.DType, x)
	if !ok {
		return nil
	}
	return Splat(out, pos, t, data)
}

// Splat appends the constant whose elements all have the bytes data.
func Splat(out *ir.Graph, pos ir.Pos, t ir.Type, data []byte) *ir.Value {
	if shape, ok := t.Shape.Ints(); ok {
		l := &ir.Literal{DType: t.DType, Shape: shape, Data: data, Splat: len(shape) > 0}
		return out.Must(pos, ir.OpConst, &ir.ConstAttr{Value: l})
	}
	l := &ir.Literal{DType: t.DType, Data: data}
	c := out.Must(pos, ir.OpConst, &ir.ConstAttr{Value: l})
	return out.Must(pos, ir.OpBroadcast, &ir.BroadcastAttr{Shape: t.Shape}, c)
}

// Encode returns the bytes of x as an element of d; it reports false where d
// does not hold x exactly.
func Encode(d ir.DType, x float64) ([]byte, bool) {
	var u uint64
	switch {
	case d == ir.F64:
		u = math.Float64bits(x)
	case d == ir.F32 || d == ir.BF16:
		u = uint64(math.Float32bits(float32(x)))
		if d == ir.BF16 {
			u >>= 16
		}
	case d == ir.F16:
		u = uint64(encodeHalf(x))
	case d == ir.Bool:
		u = uint64(x)
	case d.IsInt():
		u = uint64(int64(x))
	default:
		return nil, false
	}
	b := binary.LittleEndian.AppendUint64(nil, u)[:d.Size()]
	back, ok := decode(d, b)
	return b, ok && back == x && math.Signbit(back) == math.Signbit(x)
}

// encodeHalf truncates; Encode rejects what that changes.
func encodeHalf(x float64) uint16 {
	var sign uint16
	if math.Signbit(x) {
		sign = 1 << 15
	}
	a := math.Abs(x)
	if a < 0x1p-14 {
		return sign | uint16(a*0x1p24)
	}
	frac, exp := math.Frexp(a)
	if math.IsInf(a, 0) || exp+14 >= 31 {
		return sign | 31<<10
	}
	return sign | uint16(exp+14)<<10 | uint16(frac*2048)&1023
}
