package interp

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Window reductions go axis by axis: the fold over a box is the fold over its
// sides one after the other, wide all along and rounded once.

// windowed makes the evalFunc of a fold over windows.
func windowed(
	start func(ir.DType) any,
	f func(x, y float64) float64, s func(x, y int64) int64, u func(x, y uint64) uint64,
) evalFunc {
	return into(func(c *call, out *Tensor) error {
		switch classOf(out.DType) {
		case signedClass:
			return windows(c, out, start(out.DType).(int64), s)
		case unsignedClass:
			return windows(c, out, start(out.DType).(uint64), u)
		}
		return windows(c, out, start(out.DType).(float64), f)
	})
}

func windows[A wide](c *call, out *Tensor, start A, f func(x, y A) A) error {
	a, x := c.v.Attr.(*ir.WindowAttr), c.arg(0)
	lo, err := c.env.shape(a.Lo)
	if err != nil {
		return err
	}
	v, shape := widen[A](x), slices.Clone(x.Shape)
	for axis := range shape {
		trivial := a.Size[axis] == 1 && a.Stride[axis] == 1 && lo[axis] == 0 &&
			shape[axis] == out.Shape[axis]
		if trivial {
			continue
		}
		w := window1{n: int(shape[axis]), out: int(out.Shape[axis]), size: int(a.Size[axis]),
			stride: int(a.Stride[axis]), dilation: int(a.Dilation[axis]), lo: int(lo[axis])}
		outer, inner := product(shape[:axis]), product(shape[axis+1:])
		shape[axis] = out.Shape[axis]
		if _, err := sizeOf(ir.F64, shape); err != nil {
			return err
		}
		v = foldWindows(w, v, outer, inner, start, f)
	}
	store(out, 0, v)
	return c.m.ctx.Err()
}

// window1 is a window along one axis of n elements.
type window1 struct{ n, out, size, stride, dilation, lo int }

func foldWindows[A wide](
	w window1, x []A, outer, inner int, start A, f func(x, y A) A,
) []A {
	out := make([]A, outer*w.out*inner)
	for i := range out {
		out[i] = start
	}
	for o := range outer {
		for p := range w.out {
			acc := out[(o*w.out+p)*inner:][:inner]
			from := p*w.stride - w.lo // of the window, which may be padding
			k := max(0, (-from+w.dilation-1)/w.dilation)
			for ; k < w.size && from+k*w.dilation < w.n; k++ {
				at := from + k*w.dilation
				for i, v := range x[(o*w.n+at)*inner:][:inner] {
					acc[i] = f(acc[i], v)
				}
			}
		}
	}
	return out
}
