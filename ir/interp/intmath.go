package interp

// Integer scalar functions. They compute in 64 bits; the low bits of what they
// return are the wrapped result in every narrower type.

type integer interface{ int64 | uint64 }

func neg[A wide](x A) A    { return -x }
func add[A wide](x, y A) A { return x + y }
func sub[A wide](x, y A) A { return x - y }
func mul[A wide](x, y A) A { return x * y }

func larger[A wide](x, y A) A  { return max(x, y) }
func smaller[A wide](x, y A) A { return min(x, y) }

func not[A integer](x A) A    { return ^x }
func and[A integer](x, y A) A { return x & y }
func or[A integer](x, y A) A  { return x | y }
func xor[A integer](x, y A) A { return x ^ y }

func same[A any](x A) A { return x }

func absInt(x int64) int64 {
	if x < 0 {
		return -x
	}
	return x
}

func signInt(x int64) int64 {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

func signUint(x uint64) uint64 { return min(x, 1) }

// quo truncates towards zero. Go defines the smallest integer / -1 to wrap.
func quo[A integer](x, y A) A {
	if y == 0 {
		return 0
	}
	return x / y
}

func rem[A integer](x, y A) A {
	if y == 0 {
		return 0
	}
	return x % y
}

func floorQuo(x, y int64) int64 {
	q := quo(x, y)
	if r := rem(x, y); r != 0 && (r < 0) != (y < 0) {
		q--
	}
	return q
}

func floorMod(x, y int64) int64 {
	r := rem(x, y)
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}

func powInt(x, y int64) int64 {
	switch {
	case y >= 0:
		return int64(powUint(uint64(x), uint64(y)))
	case x == 1:
		return 1
	case x == -1:
		return 1 - 2*(y&1)
	}
	return 0
}

func powUint(x, y uint64) uint64 {
	p := uint64(1)
	for ; y > 0; y >>= 1 {
		if y&1 != 0 {
			p *= x
		}
		x *= x
	}
	return p
}

// A shift by 64 or more gives in Go what it should; so does one by the width
// of a narrower type, whose elements are kept extended.

func shlInt(x, y int64) int64 {
	if y < 0 {
		return 0
	}
	return x << y
}

func shlUint(x, y uint64) uint64 { return x << y }

func shrInt(x, y int64) int64 {
	if y < 0 {
		y = 63
	}
	return x >> y
}

func shrUint(x, y uint64) uint64 { return x >> y }
