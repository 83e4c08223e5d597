package runtime

import (
	"math"
	"math/bits"
	"unsafe"
)

// This file has what kernels in pure Go form call. The functions define every input as the
// compiler's op table does; none panics.

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

type float interface{ ~float32 | ~float64 }

// Select returns x if c, else y.
func Select[T any](c bool, x, y T) T {
	if c {
		return x
	}
	return y
}

// FloorDiv returns floor(a/b), 0 for b = 0.
func FloorDiv(a, b int64) int64 { return floorDiv(a, b) }

// FloorMod returns a - b*floor(a/b), 0 for b = 0.
func FloorMod(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	return a - b*floorDiv(a, b)
}

// FromBool returns 1 for true, 0 for false.
func FromBool[T integer | float](b bool) T {
	if b {
		return 1
	}
	return 0
}

// ToInt truncates x to an integer type; NaN is 0, values out of range saturate.
func ToInt[T integer](x float64) T {
	var zero T
	size := uint(unsafe.Sizeof(zero) * 8)
	if x != x {
		return 0
	}
	if ^zero < 0 { // signed
		limit := math.Ldexp(1, int(size-1))
		switch {
		case x >= limit:
			return T(int64(1)<<(size-1) - 1)
		case x < -limit:
			return T(int64(-1) << (size - 1))
		}
		return T(int64(x))
	}
	switch {
	case x <= 0:
		return 0
	case x >= math.Ldexp(1, int(size)):
		return ^zero
	}
	return T(uint64(x))
}

// Abs returns |x| of an integer; the smallest signed one stays.
func Abs[T integer](x T) T {
	if x < 0 {
		return -x
	}
	return x
}

// Sign returns -1, 0 or 1; NaN and zeros stay.
func Sign[T integer | float](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		var zero T
		return zero - 1
	}
	return x
}

// Div returns x/y truncated, 0 for y = 0.
func Div[T integer](x, y T) T {
	if y == 0 {
		return 0
	}
	return x / y
}

// Rem returns x - y*trunc(x/y), 0 for y = 0.
func Rem[T integer](x, y T) T {
	if y == 0 {
		return 0
	}
	return x % y
}

// IntFloorDiv returns floor(x/y), 0 for y = 0.
func IntFloorDiv[T integer](x, y T) T {
	if y == 0 {
		return 0
	}
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

// IntMod returns x - y*floor(x/y), 0 for y = 0.
func IntMod[T integer](x, y T) T {
	if y == 0 {
		return 0
	}
	m := x % y
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m
}

// IntPow returns x**y, wrapping; a negative power is 0 but for x = 1 and -1.
func IntPow[T integer](x, y T) T {
	if y < 0 {
		switch {
		case x == 1, x+1 == 0 && y&1 == 0:
			return 1
		case x+1 == 0:
			return x
		}
		return 0
	}
	r := T(1)
	for ; y != 0; y >>= 1 {
		if y&1 != 0 {
			r *= x
		}
		x *= x
	}
	return r
}

// FloatMod returns x - y*floor(x/y) as NumPy's mod: with the sign of y.
func FloatMod[T float](x, y T) T {
	m := math.Mod(float64(x), float64(y))
	switch {
	case m != 0 && (m < 0) != (y < 0):
		m += float64(y)
	case m == 0:
		m = math.Copysign(0, float64(y))
	}
	return T(m)
}

// FloatFloorDiv returns floor(x/y) as NumPy's floor_divide.
func FloatFloorDiv[T float](x, y T) T {
	if y == 0 {
		return x / y
	}
	m := T(math.Mod(float64(x), float64(y)))
	d := (x - m) / y
	if m != 0 && (m < 0) != (y < 0) {
		d--
	}
	if d == 0 {
		return T(math.Copysign(0, float64(x/y)))
	}
	f := T(math.Floor(float64(d)))
	if d-f > 0.5 {
		f++
	}
	return f
}

// Shl returns x << y, 0 for y outside [0, bits).
func Shl[T integer](x, y T) T {
	if y < 0 || uint64(y) >= uint64(unsafe.Sizeof(x)*8) {
		return 0
	}
	return x << y
}

// Shr returns x >> y; y outside [0, bits) leaves only the sign.
func Shr[T integer](x, y T) T {
	if y < 0 || uint64(y) >= uint64(unsafe.Sizeof(x)*8) {
		y = T(unsafe.Sizeof(x)*8 - 1)
		return x >> y >> 1
	}
	return x >> y
}

// Popcount returns the number of one bits.
func Popcount[T integer](x T) T {
	n := unsafe.Sizeof(x) * 8
	return T(bits.OnesCount64(uint64(x) & (math.MaxUint64 >> (64 - n))))
}

// BoolLess returns x < y with false < true.
func BoolLess(x, y bool) bool { return !x && y }

// BoolAtMost returns x <= y with false < true.
func BoolAtMost(x, y bool) bool { return !x || y }

// BoolMore returns x > y with false < true.
func BoolMore(x, y bool) bool { return x && !y }

// BoolAtLeast returns x >= y with false < true.
func BoolAtLeast(x, y bool) bool { return x || !y }

// Sigmoid returns 1/(1+e**-x).
func Sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// Log returns the natural logarithm; that of package math is wrong for subnormal numbers on amd64
// (Go 1.26: Log(0x1p-1074) is -709.1, which should be -744.4).
func Log(x float64) float64 {
	const smallest = 0x1p-1022 // of the normal numbers
	if 0 < x && x < smallest {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
}
