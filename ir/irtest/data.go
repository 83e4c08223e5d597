package irtest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/tensorcc/tcc/ir"
)

// profile says what data a tensor is filled with.
type profile uint8

const (
	tame  profile = iota // moderate numbers
	wild                 // and NaN, infinities, -0, subnormals
	index                // integers in [lo, hi)
)

// filler makes data.
type filler struct {
	r      *rand.Rand
	kind   profile
	lo, hi int64 // of index
}

// tameMagnitude bounds the finite floats that filler makes.
const tameMagnitude = 4

// literal returns a tensor of random elements.
func (f filler) literal(d ir.DType, shape []int64) *ir.Literal {
	l := &ir.Literal{DType: d, Shape: shape}
	n := l.Size()
	l.Data = make([]byte, 0, n*int64(d.Size()))
	for range n {
		l.Data = appendBits(l.Data, d, f.bits(d))
	}
	return l
}

// appendBits appends an element of type d.
func appendBits(b []byte, d ir.DType, bits uint64) []byte {
	var buf [8]byte
	binary.LittleEndian.PutUint64(buf[:], bits)
	return append(b, buf[:d.Size()]...)
}

func (f filler) bits(d ir.DType) uint64 {
	switch {
	case f.kind == index:
		return uint64(f.lo + f.r.Int64N(max(f.hi-f.lo, 1)))
	case d == ir.Bool:
		return f.r.Uint64() & 1
	case d == ir.I4:
		return uint64(f.r.Int64N(16) - 8)
	case d == ir.U4:
		return f.r.Uint64N(16)
	case d.IsInt():
		return f.intBits(d)
	}
	return floatBits(d, f.float(d))
}

func (f filler) intBits(d ir.DType) uint64 {
	if f.kind == wild && f.r.IntN(4) == 0 {
		edge := uint64(1)<<(d.Bits()-1) + uint64(f.r.IntN(3)) - 1
		return []uint64{edge, f.r.Uint64(), math.MaxUint64, 0}[f.r.IntN(4)]
	}
	k := f.r.Int64N(17)
	if d.IsSigned() {
		k -= 8
	}
	return uint64(k)
}

func (f filler) float(d ir.DType) float64 {
	if f.kind == wild && f.r.IntN(6) == 0 {
		tiny := 0x1p-140
		switch d {
		case ir.F64:
			tiny = 0x1p-1060
		case ir.F16:
			tiny = 0x1p-20
		case ir.F8E4M3, ir.F8E5M2:
			tiny = 0x1p-9
		}
		return []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1),
			tiny, -3 * tiny, 1}[f.r.IntN(8)]
	}
	if f.r.IntN(3) == 0 { // values that are often equal, exact in every format
		return float64(f.r.IntN(9)-4) / 2
	}
	return (f.r.Float64()*2 - 1) * tameMagnitude
}

func floatBits(d ir.DType, v float64) uint64 {
	switch d {
	case ir.F64:
		return math.Float64bits(v)
	case ir.F32:
		return uint64(math.Float32bits(float32(v)))
	case ir.F16:
		return uint64(ir.F16Bits(v))
	case ir.BF16:
		return uint64(ir.BF16Bits(v))
	}
	return uint64(ir.F8Bits(d, v))
}

// elemBits returns element i of l.
func elemBits(l *ir.Literal, i int64) uint64 {
	if l.Splat {
		i = 0
	}
	size := int64(l.DType.Size())
	var buf [8]byte
	copy(buf[:], l.Data[i*size:(i+1)*size])
	return binary.LittleEndian.Uint64(buf[:])
}

// elemFloat returns the value of a floating-point element.
func elemFloat(d ir.DType, bits uint64) float64 {
	switch d {
	case ir.F64:
		return math.Float64frombits(bits)
	case ir.F32:
		return float64(math.Float32frombits(uint32(bits)))
	case ir.F16:
		return float64(ir.F16Value(uint16(bits)))
	case ir.BF16:
		return float64(ir.BF16Value(uint16(bits)))
	}
	return float64(ir.F8Value(d, uint8(bits)))
}

func isFloat(d ir.DType) bool { return d.IsFloat() || d == ir.F8E4M3 || d == ir.F8E5M2 }

// unit returns half the distance from 1 to the next number of type d.
func unit(d ir.DType) float64 {
	switch d {
	case ir.F64:
		return 0x1p-53
	case ir.F32:
		return 0x1p-24
	case ir.F16:
		return 0x1p-11
	case ir.BF16:
		return 0x1p-8
	}
	return 0x1p-3
}

// largest returns about the largest finite number of type d.
func largest(d ir.DType) float64 {
	switch d {
	case ir.F64:
		return math.MaxFloat64
	case ir.F16:
		return 65504
	}
	return math.MaxFloat32
}

// smallest returns the smallest normal number of type d.
func smallest(d ir.DType) float64 {
	switch d {
	case ir.F64:
		return 0x1p-1022
	case ir.F16:
		return 0x1p-14
	}
	return 0x1p-126
}
