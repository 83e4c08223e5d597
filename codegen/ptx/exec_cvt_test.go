package ptx

import "math"

// convert is cvt with the modifiers and the types of result and operand.
func convert(op []string, v uint64) uint64 {
	mode, to, from := "", op[len(op)-2], op[len(op)-1]
	if len(op) == 3 {
		mode = op[0]
	}
	if from[0] != 'f' && to[0] != 'f' {
		return v // extended when it was read, cut off when it is used
	}
	if from[0] != 'f' {
		return intToFloat(to, from, v)
	}
	x := float(from, v)
	if to[0] == 'f' || to[0] == 'b' {
		return floatToFloat(mode, to, x)
	}
	return floatToInt(to, from, x)
}

func intToFloat(to, from string, v uint64) uint64 {
	switch {
	case to == "f32" && from[0] == 's':
		return uint64(math.Float32bits(float32(int64(v))))
	case to == "f32":
		return uint64(math.Float32bits(float32(v)))
	case from[0] == 's':
		return math.Float64bits(float64(int64(v)))
	}
	return math.Float64bits(float64(v))
}

func floatToFloat(mode, to string, x float64) uint64 {
	switch {
	case to == "f16":
		return uint64(floatToHalf(x))
	case to == "bf16":
		if math.IsNaN(x) {
			return 0x7fff
		}
		b := math.Float32bits(float32(x))
		return uint64(b+0x7fff+b>>16&1) >> 16
	case mode == "rpi":
		x = math.Ceil(x)
	case mode == "rmi":
		x = math.Floor(x)
	case mode == "rzi":
		x = math.Trunc(x)
	case mode == "rni":
		x = math.RoundToEven(x)
	case mode == "rz":
		f := float32(x)
		if math.Abs(float64(f)) > math.Abs(x) {
			f = math.Nextafter32(f, 0)
		}
		x = float64(f)
	}
	return floatBitsOf(to, x)
}

// floatToInt truncates and saturates. Of NaN it is 0, or the lowest or highest
// bit pattern where a type has 64 bits.
func floatToInt(to, from string, x float64) uint64 {
	n := width(to)
	if math.IsNaN(x) {
		if from == "f64" || n == 64 {
			return 1 << (n - 1)
		}
		return 0
	}
	x = math.Trunc(x)
	lo, hi := 0.0, math.Ldexp(1, n)
	if to[0] == 's' {
		lo, hi = -hi/2, hi/2
	}
	switch {
	case x >= hi && to[0] == 's':
		return 1<<(n-1) - 1
	case x >= hi:
		return math.MaxUint64 >> (64 - n)
	case x <= lo:
		return uint64(int64(lo))
	case to[0] == 's':
		return uint64(int64(x))
	}
	return uint64(x)
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

func floatToHalf(v float64) uint16 {
	s := uint16(math.Float64bits(v) >> 48 & 0x8000)
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return 0x7fff
	case a >= 65520:
		return s | 0x7c00
	case a < 0x1p-14:
		return s | uint16(math.RoundToEven(a*0x1p24))
	}
	_, e := math.Frexp(a)
	m := math.RoundToEven(math.Ldexp(a, 11-e))
	return s | uint16(uint32(e+14-1)<<10+uint32(m))
}
