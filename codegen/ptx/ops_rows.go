package ptx

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Operations that are more than one instruction.

func absInt(c *opCall) val {
	if !signed(c.d) {
		return c.a[0]
	}
	return c.wrap(c.d, c.emit("max", c.a[0], c.emit("neg", c.a[0])))
}

// signFloat keeps zeros and NaN.
func signFloat(c *opCall) val {
	one, minus := constant(c.d, map[ir.DType]uint64{ir.F32: 0x3f800000, ir.F64: 0x3ff << 52}[c.d]),
		constant(c.d, map[ir.DType]uint64{ir.F32: 0xbf800000, ir.F64: 0xbff << 52}[c.d])
	zero := constant(c.d, 0)
	neg := c.choose(c.d, c.test("lt", c.a[0], zero), minus, c.a[0])
	return c.choose(c.d, c.test("gt", c.a[0], zero), one, neg)
}

func signInt(c *opCall) val {
	pos := c.choose(c.d, c.test("ne", c.a[0], "0"), "1", "0")
	if !signed(c.d) {
		return pos
	}
	return c.choose(c.d, c.test("lt", c.a[0], "0"), "-1", pos)
}

func isInf(c *opCall) val {
	return c.pure(pred, "testp.infinite."+typeOf(c.d), c.a[0])
}

// popcount counts the bits of the element, not those of its extension.
func popcount(c *opCall) val {
	x := c.a[0]
	if n := c.d.Bits(); n < 32 {
		x = c.pure(b32, "and.b32", x, val(fmt.Sprint(1<<n-1)))
	}
	out := c.pure(b32, "popc."+bitsOf(c.d), x)
	if c.class() == b64 {
		out = c.pure(b64, "cvt.u64.u32", out)
	}
	return out
}

// extreme is max or min, NaN if either is; f64 has no instruction for that.
func extreme(name string) func(c *opCall) val {
	return func(c *opCall) val {
		if c.d == ir.F32 {
			return c.emit(name+".NaN", c.a...)
		}
		nan := c.test("nan", c.a...)
		return c.choose(c.d, nan, c.emit("add.rn", c.a...), c.emit(name, c.a...))
	}
}

// guarded returns a divisor that gives a result: 1 where y is 0, or -1 with
// signed types; and where these are.
func (c *opCall) guarded() (y, isZero, isMinus val) {
	y = c.inReg(c.class(), c.a[1])
	isZero = c.test("eq", y, "0")
	bad := isZero
	if signed(c.d) {
		isMinus = c.test("eq", y, "-1")
		bad = c.pure(pred, "or.pred", isZero, isMinus)
	}
	return c.choose(c.d, bad, "1", y), isZero, isMinus
}

// divInt gives 0 for a division by 0; the least number by -1 wraps.
func divInt(c *opCall) val {
	y, isZero, isMinus := c.guarded()
	q := c.emit("div", c.a[0], y)
	if isMinus != "" {
		q = c.choose(c.d, isMinus, c.wrap(c.d, c.emit("neg", c.a[0])), q)
	}
	return c.choose(c.d, isZero, "0", q)
}

func remInt(c *opCall) val {
	y, isZero, isMinus := c.guarded()
	r := c.emit("rem", c.a[0], y)
	if isMinus == "" {
		return c.choose(c.d, isZero, "0", r)
	}
	return r // by 1, in the place of 0 and -1, it is 0 already
}

// apart reports where the remainder r is not zero and of the other sign than
// the divisor.
func (c *opCall) apart(r val) val {
	differ := c.test("lt", c.bits("xor", r, c.a[1]), "0")
	return c.pure(pred, "and.pred", c.test("ne", r, "0"), differ)
}

func floorDivInt(c *opCall) val {
	q := divInt(c)
	if !signed(c.d) {
		return q
	}
	return c.choose(c.d, c.apart(remInt(c)), c.emit("add", q, "-1"), q)
}

func modInt(c *opCall) val {
	r := remInt(c)
	if !signed(c.d) {
		return r
	}
	return c.choose(c.d, c.apart(r), c.emit("add", r, c.a[1]), r)
}

// amount is a shift's count as a u32, in which what is out of range, negative
// counts too, is at least the register's width.
func (c *opCall) amount() val {
	if c.class() != b64 && c.a[1][0] == '-' {
		return c.inReg(b32, c.a[1])
	}
	if c.class() != b64 {
		return c.a[1]
	}
	y := c.pure(b64, "min.u64", c.inReg(b64, c.a[1]), "64")
	return c.pure(b32, "cvt.u32.u64", y)
}

// shl and shr: the instructions take counts over the width as the width.
func shl(c *opCall) val { return c.wrap(c.d, c.bits("shl", c.a[0], c.amount())) }
func shr(c *opCall) val { return c.emit("shr", c.a[0], c.amount()) }
