package interp

import (
	"fmt"
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Reductions, running sums and sorting, on whole tensors widened.

// reduction makes the evalFunc of a fold over axes; start gives what each fold
// starts from, which is also the result of nothing.
func reduction(
	start func(ir.DType) any,
	f func(x, y float64) float64, s func(x, y int64) int64, u func(x, y uint64) uint64,
) evalFunc {
	return into(func(c *call, out *Tensor) error {
		switch classOf(out.DType) {
		case signedClass:
			return reduce(c, out, start(out.DType).(int64), s)
		case unsignedClass:
			return reduce(c, out, start(out.DType).(uint64), u)
		}
		return reduce(c, out, start(out.DType).(float64), f)
	})
}

// The values that reductions start from, in the wide type of the dtype.

func zero(d ir.DType) any { return byClass[any](d, 0.0, int64(0), uint64(0)) }

func one(d ir.DType) any { return byClass[any](d, 1.0, int64(1), uint64(1)) }

func lowest(d ir.DType) any {
	return byClass[any](d, math.Inf(-1), int64(-1)<<(d.Bits()-1), uint64(0))
}

func highest(d ir.DType) any {
	if d == ir.Bool {
		return uint64(1)
	}
	return byClass[any](d, math.Inf(1), int64(1)<<(d.Bits()-1)-1, ^uint64(0)>>(64-d.Bits()))
}

func reduce[A wide](c *call, out *Tensor, start A, f func(x, y A) A) error {
	x := c.arg(0)
	acc := make([]A, out.Len())
	for i := range acc {
		acc[i] = start
	}
	// Reduced axes do not move the accumulator.
	kept := strides(out.Shape)
	stride := make([]int, len(x.Shape))
	for i := range stride {
		if !slices.Contains(c.v.Attr.(*ir.AxesAttr).Axes, i) {
			stride[i], kept = kept[0], kept[1:]
		}
	}
	foldAxes(acc, widen[A](x), stride, x.Shape, f)
	store(out, 0, acc)
	return nil
}

// foldAxes folds the elements of x, of the given shape, into acc, and returns
// what of x is left.
func foldAxes[A wide](acc, x []A, stride []int, shape []int64, f func(x, y A) A) []A {
	if len(x) == 0 {
		return x
	}
	if len(shape) == 0 {
		acc[0] = f(acc[0], x[0])
		return x[1:]
	}
	n, s := int(shape[0]), stride[0]
	if len(shape) > 1 {
		for i := range n {
			x = foldAxes(acc[i*s:], x, stride[1:], shape[1:], f)
		}
		return x
	}
	if s == 0 {
		a := acc[0]
		for _, v := range x[:n] {
			a = f(a, v)
		}
		acc[0] = a
		return x[n:]
	}
	for i, v := range x[:n] {
		acc[i*s] = f(acc[i*s], v)
	}
	return x[n:]
}

// argOf makes the evalFunc of argmax or argmin: the functions say whether x is
// to be preferred to a y that comes earlier.
func argOf(
	f func(x, y float64) bool, s func(x, y int64) bool, u func(x, y uint64) bool,
) evalFunc {
	return into(func(c *call, out *Tensor) error {
		switch classOf(c.arg(0).DType) {
		case signedClass:
			return argBest(c, out, s)
		case unsignedClass:
			return argBest(c, out, u)
		}
		return argBest(c, out, f)
	})
}

// aboveNaN and belowNaN order numbers with NaN as the first of all, which the
// first NaN keeps.
func aboveNaN(x, y float64) bool { return x > y || x != x && y == y }
func belowNaN(x, y float64) bool { return x < y || x != x && y == y }

func argBest[A wide](c *call, out *Tensor, better func(x, y A) bool) error {
	x, axis := c.arg(0), c.v.Attr.(*ir.AxisAttr).Axis
	outer, n, inner := split(x.Shape, axis)
	dst := Elements[int64](out)
	if n == 0 && len(dst) > 0 {
		return fmt.Errorf("axis %d of %v is empty, want at least one element", axis, x)
	}
	in := widen[A](x)
	for o := range outer {
		for i := range inner {
			best := 0
			for k := 1; k < n; k++ {
				if better(in[(o*n+k)*inner+i], in[(o*n+best)*inner+i]) {
					best = k
				}
			}
			dst[o*inner+i] = int64(best)
		}
	}
	return nil
}

// cumulative makes the evalFunc of a running fold.
func cumulative(
	start func(ir.DType) any,
	f func(x, y float64) float64, s func(x, y int64) int64, u func(x, y uint64) uint64,
) evalFunc {
	return into(func(c *call, out *Tensor) error {
		switch classOf(out.DType) {
		case signedClass:
			running(c, out, start(out.DType).(int64), s)
		case unsignedClass:
			running(c, out, start(out.DType).(uint64), u)
		default:
			running(c, out, start(out.DType).(float64), f)
		}
		return nil
	})
}

// running rounds each prefix once; the accumulator stays wide.
func running[A wide](c *call, out *Tensor, start A, f func(x, y A) A) {
	a, x := c.v.Attr.(*ir.CumAttr), c.arg(0)
	outer, n, inner := split(x.Shape, a.Axis)
	v := widen[A](x)
	for o := range outer {
		for i := range inner {
			acc := start
			for k := range n {
				if a.Reverse {
					k = n - 1 - k
				}
				p := &v[(o*n+k)*inner+i]
				before := acc
				acc = f(acc, *p)
				*p = acc
				if a.Exclusive {
					*p = before
				}
			}
		}
	}
	store(out, 0, v)
}

func evalArgSort(c *call, out *Tensor) error {
	switch classOf(c.arg(0).DType) {
	case signedClass:
		argSort[int64](c, out)
	case unsignedClass:
		argSort[uint64](c, out)
	default:
		argSort[float64](c, out)
	}
	return nil
}

func argSort[A wide](c *call, out *Tensor) {
	a, x := c.v.Attr.(*ir.SortAttr), c.arg(0)
	outer, n, inner := split(x.Shape, a.Axis)
	in, dst := widen[A](x), Elements[int64](out)
	order := make([]int, n)
	for o := range outer {
		for i := range inner {
			key := func(k int) A { return in[(o*n+k)*inner+i] }
			for k := range order {
				order[k] = k
			}
			slices.SortStableFunc(order, func(j, k int) int {
				if a.Desc {
					j, k = k, j
				}
				return orderNaNLast(key(j), key(k))
			})
			for k, p := range order {
				dst[(o*n+k)*inner+i] = int64(p)
			}
		}
	}
}

// orderNaNLast compares; NaN is the largest, and the zeros are equal.
func orderNaNLast[A wide](x, y A) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x != x && y == y:
		return 1
	case x == x && y != y:
		return -1
	}
	return 0
}
