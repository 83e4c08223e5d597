package interp

import (
	"math"
	"math/bits"

	"github.com/tensorcc/tcc/ir"
)

// Elementwise operations: an operation is a function of scalars for each class
// of types, applied chunk by chunk.

// into makes an evalFunc of a function that fills the allocated result.
func into(f func(c *call, out *Tensor) error) evalFunc {
	return func(c *call) ([]*Tensor, error) {
		out, err := c.out()
		if err != nil {
			return nil, err
		}
		return []*Tensor{out}, f(c, out)
	}
}

// unary makes the evalFunc of x -> f(x); nil where the op's types have none.
func unary(f func(float64) float64, s func(int64) int64, u func(uint64) uint64) evalFunc {
	return into(func(c *call, out *Tensor) error {
		switch classOf(out.DType) {
		case signedClass:
			return apply1(c, out, s)
		case unsignedClass:
			return apply1(c, out, u)
		}
		return apply1(c, out, f)
	})
}

func apply1[A wide](c *call, out *Tensor, f func(A) A) error {
	x := c.arg(0)
	return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
		var buf [chunk]A
		b := buf[:hi-lo]
		load(b, x, lo)
		for i, v := range b {
			b[i] = f(v)
		}
		store(out, lo, b)
	})
}

// float makes the evalFunc of an operation on floating-point numbers alone.
func float(f func(float64) float64) evalFunc { return unary(f, nil, nil) }

// binary makes the evalFunc of x, y -> f(x, y).
func binary(
	f func(x, y float64) float64, s func(x, y int64) int64, u func(x, y uint64) uint64,
) evalFunc {
	return into(func(c *call, out *Tensor) error {
		switch classOf(out.DType) {
		case signedClass:
			return apply2(c, out, s)
		case unsignedClass:
			return apply2(c, out, u)
		}
		return apply2(c, out, f)
	})
}

func apply2[A wide](c *call, out *Tensor, f func(x, y A) A) error {
	x, y := c.arg(0), c.arg(1)
	return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
		var xs, ys [chunk]A
		load(xs[:hi-lo], x, lo)
		load(ys[:hi-lo], y, lo)
		for i := range hi - lo {
			xs[i] = f(xs[i], ys[i])
		}
		store(out, lo, xs[:hi-lo])
	})
}

// compare makes the evalFunc of a comparison.
func compare(
	f func(x, y float64) bool, s func(x, y int64) bool, u func(x, y uint64) bool,
) evalFunc {
	return into(func(c *call, out *Tensor) error {
		switch classOf(c.arg(0).DType) {
		case signedClass:
			return test2(c, out, s)
		case unsignedClass:
			return test2(c, out, u)
		}
		return test2(c, out, f)
	})
}

func test2[A wide](c *call, out *Tensor, f func(x, y A) bool) error {
	x, y := c.arg(0), c.arg(1)
	return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
		var xs, ys [chunk]A
		load(xs[:hi-lo], x, lo)
		load(ys[:hi-lo], y, lo)
		dst := out.Data[lo:hi]
		for i := range dst {
			dst[i] = boolByte(f(xs[i], ys[i]))
		}
	})
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func eq[A wide](x, y A) bool { return x == y }
func ne[A wide](x, y A) bool { return x != y }
func lt[A wide](x, y A) bool { return x < y }
func le[A wide](x, y A) bool { return x <= y }
func gt[A wide](x, y A) bool { return x > y }
func ge[A wide](x, y A) bool { return x >= y }

// predicate makes the evalFunc of a question about a floating-point number.
func predicate(f func(float64) bool) evalFunc {
	return into(func(c *call, out *Tensor) error {
		x := c.arg(0)
		return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
			var xs [chunk]float64
			load(xs[:hi-lo], x, lo)
			dst := out.Data[lo:hi]
			for i := range dst {
				dst[i] = boolByte(f(xs[i]))
			}
		})
	})
}

func isInf(x float64) bool { return math.IsInf(x, 0) }

// evalPopcount counts the bits of the element, not of its widened form.
func evalPopcount(c *call, out *Tensor) error {
	shift := 64 - out.DType.Bits()
	if out.DType.IsSigned() {
		return apply1(c, out, func(v int64) int64 {
			return int64(bits.OnesCount64(uint64(v) << shift))
		})
	}
	return apply1(c, out, func(v uint64) uint64 { return uint64(bits.OnesCount64(v)) })
}

func evalFMA(c *call, out *Tensor) error {
	x, y, z, f := c.arg(0), c.arg(1), c.arg(2), fmaOdd
	if out.DType == ir.F64 {
		f = math.FMA
	}
	return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
		var xs, ys, zs [chunk]float64
		load(xs[:hi-lo], x, lo)
		load(ys[:hi-lo], y, lo)
		load(zs[:hi-lo], z, lo)
		for i := range hi - lo {
			xs[i] = f(xs[i], ys[i], zs[i])
		}
		store(out, lo, xs[:hi-lo])
	})
}

func evalSelect(c *call, out *Tensor) error {
	x := c.arg(0).Data
	size := out.DType.Size()
	y, z := c.arg(1).Data, c.arg(2).Data
	for i, cond := range x {
		src := z
		if cond != 0 {
			src = y
		}
		copy(out.Data[i*size:(i+1)*size], src[i*size:(i+1)*size])
	}
	return nil
}

// evalBitcast copies the bytes; the types with fewer values than their byte
// are brought into their form.
func evalBitcast(c *call, out *Tensor) error {
	copy(out.Data, c.arg(0).Data)
	for i, b := range out.Data {
		switch out.DType {
		case ir.Bool:
			out.Data[i] = boolByte(b != 0)
		case ir.I4:
			out.Data[i] = byte(int8(b<<4) >> 4)
		case ir.U4:
			out.Data[i] = b & 15
		default:
			return nil
		}
	}
	return nil
}

func evalCast(c *call, out *Tensor) error {
	switch classOf(c.arg(0).DType) {
	case signedClass:
		return castFrom(c, out, func(x int64) bool { return x != 0 })
	case unsignedClass:
		return castFrom(c, out, func(x uint64) bool { return x != 0 })
	}
	if out.DType != ir.Bool {
		switch classOf(out.DType) {
		case signedClass:
			return castFloat(c, out, saturateSigned(out.DType.Bits()))
		case unsignedClass:
			return castFloat(c, out, saturateUnsigned(out.DType.Bits()))
		}
	}
	return castFrom(c, out, func(x float64) bool { return x != 0 })
}

// castFrom converts by the rules of store, or to bool.
func castFrom[A wide](c *call, out *Tensor, truth func(A) bool) error {
	x := c.arg(0)
	return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
		var buf [chunk]A
		b := buf[:hi-lo]
		load(b, x, lo)
		if out.DType != ir.Bool {
			store(out, lo, b)
			return
		}
		for i, v := range b {
			out.Data[lo+i] = boolByte(truth(v))
		}
	})
}

// castFloat converts floating-point numbers to integers.
func castFloat[A int64 | uint64](c *call, out *Tensor, f func(float64) A) error {
	x := c.arg(0)
	return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
		var src [chunk]float64
		var dst [chunk]A
		load(src[:hi-lo], x, lo)
		for i, v := range src[:hi-lo] {
			dst[i] = f(v)
		}
		store(out, lo, dst[:hi-lo])
	})
}

func saturateSigned(bits int) func(float64) int64 {
	limit := math.Ldexp(1, bits-1)
	most := int64(1)<<(bits-1) - 1
	return func(x float64) int64 {
		switch {
		case x != x:
			return 0
		case x >= limit:
			return most
		case x <= -limit:
			return -most - 1
		}
		return int64(x)
	}
}

func saturateUnsigned(bits int) func(float64) uint64 {
	limit := math.Ldexp(1, bits)
	most := ^uint64(0) >> (64 - bits)
	return func(x float64) uint64 {
		switch {
		case !(x > 0): // NaN too
			return 0
		case x >= limit:
			return most
		}
		return uint64(x)
	}
}
