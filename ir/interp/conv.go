package interp

import (
	"github.com/tensorcc/tcc/ir"
)

// Convolution: for a block of result positions, the inputs that each sees are
// gathered into a wide row, zeros where it sees padding; the results are the
// products of these rows with the rows of weights.

func evalConv(c *call, out *Tensor) error {
	switch classOf(out.DType) {
	case signedClass:
		return conv[int64](c, out)
	case unsignedClass:
		return conv[uint64](c, out)
	}
	return conv[float64](c, out)
}

// convolution has the geometry of one conv.
type convolution struct {
	*ir.ConvAttr
	axes       ir.ConvAxes
	x, w, y    *Tensor // input, weights, result
	xs, ws, ys []int   // their strides
	lo         []int64
	chans      int // input channels a group
	outs       int // output channels a group
	taps       int // elements of a kernel
	points     int // result positions
}

func newConvolution(c *call, out *Tensor) (*convolution, error) {
	a := c.v.Attr.(*ir.ConvAttr)
	k := &convolution{ConvAttr: a, axes: a.Axes(len(out.Shape)), x: c.arg(0), w: c.arg(1), y: out}
	lo, err := c.env.shape(a.Lo)
	if err != nil {
		return nil, err
	}
	n := len(a.Stride)
	k.lo = lo
	k.xs, k.ws, k.ys = strides(k.x.Shape), strides(k.w.Shape), strides(k.y.Shape)
	k.chans = int(k.w.Shape[k.axes.WI])
	k.outs = int(k.w.Shape[k.axes.WO] / a.Groups)
	k.taps = product(k.w.Shape[k.axes.WS:][:n])
	k.points = product(k.y.Shape[k.axes.InS:][:n])
	return k, nil
}

func conv[A wide](c *call, out *Tensor) error {
	k, err := newConvolution(c, out)
	if err != nil || out.Len() == 0 {
		return err
	}
	x := widen[A](k.x)
	depth := k.chans * k.taps
	step := max(1, min(64, panel/max(depth, 1)))
	blocks := (k.points + step - 1) / step
	result, weights := make([]A, out.Len()), convWeights[A](k)
	images := int(k.x.Shape[0])
	err = parallel(c.m.ctx, images*int(k.Groups)*blocks, func(i int) {
		g, n, lo := i/blocks/images, i/blocks%images, i%blocks*step
		hi := min(lo+step, k.points)
		patch := make([]A, (hi-lo)*depth)
		prod := make([]A, (hi-lo)*k.outs)
		for p := lo; p < hi; p++ {
			gatherPatch(k, patch[(p-lo)*depth:][:depth], x, n, g, p)
		}
		matmul(prod, hi-lo, weights[g*k.outs*depth:][:k.outs*depth], patch, depth)
		for o := range k.outs {
			for p := lo; p < hi; p++ {
				result[k.outAt(n, g*k.outs+o, p)] = prod[o*(hi-lo)+p-lo]
			}
		}
	})
	store(out, 0, result)
	return err
}

// outAt is the offset in the result of channel o at the point-th position.
func (k *convolution) outAt(n, o, point int) int {
	if k.Last {
		return n*k.ys[0] + point*int(k.y.Shape[k.axes.InC]) + o
	}
	return n*k.ys[0] + o*k.ys[1] + point
}

// convWeights returns the weights as rows: output channel by tap and input
// channel.
func convWeights[A wide](k *convolution) []A {
	all := widen[A](k.w)
	rank := len(k.Stride)
	out := make([]A, 0, len(all))
	for o := range int(k.w.Shape[k.axes.WO]) {
		_ = eachOffset(k.w.Shape[k.axes.WS:][:rank], k.ws[k.axes.WS:][:rank], func(tap int) error {
			for c := range k.chans {
				out = append(out, all[o*k.ws[k.axes.WO]+tap+c*k.ws[k.axes.WI]])
			}
			return nil
		})
	}
	return out
}

// gatherPatch fills dst, by tap and input channel, with what group g of the
// result at a position sees of image n. dst is zero before.
func gatherPatch[A wide](k *convolution, dst, x []A, n, g, point int) {
	rank := len(k.Stride)
	var posBuf, tapBuf [8]int64
	pos, tap := coords(posBuf[:0], k.y.Shape[k.axes.InS:][:rank], point), tapBuf[:0]
	for range rank {
		tap = append(tap, 0)
	}
	base := n*k.xs[0] + g*k.chans*k.xs[k.axes.InC]
	for t := 0; t < k.taps; t++ {
		if at, ok := k.sees(pos, tap); ok {
			at += base
			row := dst[t*k.chans:][:k.chans]
			for c := range row {
				row[c] = x[at+c*k.xs[k.axes.InC]]
			}
		}
		next(tap, k.w.Shape[k.axes.WS:][:rank])
	}
}

// sees returns the offset of the input element under a tap of the kernel at a
// position, or false where that is padding or a gap of InDilation.
func (k *convolution) sees(pos, tap []int64) (int, bool) {
	at := 0
	for i, p := range pos {
		c := p*k.Stride[i] + tap[i]*k.Dilation[i] - k.lo[i]
		if c < 0 || c%k.InDilation[i] != 0 {
			return 0, false
		}
		c /= k.InDilation[i]
		if c >= k.x.Shape[k.axes.InS+i] {
			return 0, false
		}
		at += int(c) * k.xs[k.axes.InS+i]
	}
	return at, true
}

// coords appends the coordinates of the n-th element of a shape to dst.
func coords(dst, shape []int64, n int) []int64 {
	for range shape {
		dst = append(dst, 0)
	}
	for i := len(shape) - 1; i >= 0; i-- {
		dst[i] = int64(n) % shape[i]
		n /= int(shape[i])
	}
	return dst
}

// next advances the coordinates at to the next element of a shape.
func next(at, shape []int64) {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] < shape[i] {
			return
		}
		at[i] = 0
	}
}
