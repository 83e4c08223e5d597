package interp

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Moves: every one of them is a copy between two strided windows.

// window says where the elements of a box lie in a tensor's data, in elements.
type window struct {
	t      *Tensor
	offset int
	stride []int
}

// whole is the window of all of t.
func whole(t *Tensor) window { return window{t: t, stride: strides(t.Shape)} }

// at moves the window's origin to the coordinates start, and lets it advance
// by step (nil: by 1) along each axis.
func (w window) at(start, step []int64) window {
	stride := make([]int, len(w.stride))
	for i, s := range w.stride {
		w.offset += int(start[i]) * s
		stride[i] = s
		if step != nil {
			stride[i] *= int(step[i])
		}
	}
	w.stride = stride
	return w
}

// copyBox copies a box of the given shape from src to dst.
func copyBox(dst, src window, shape []int64) {
	if product(shape) == 0 {
		return
	}
	switch dst.t.DType.Size() {
	case 1:
		copyElems[uint8](dst, src, shape)
	case 2:
		copyElems[uint16](dst, src, shape)
	case 4:
		copyElems[uint32](dst, src, shape)
	default:
		copyElems[uint64](dst, src, shape)
	}
}

func copyElems[E ir.Element](dst, src window, shape []int64) {
	d, s := Elements[E](dst.t), Elements[E](src.t)
	if len(shape) == 0 {
		d[dst.offset] = s[src.offset]
		return
	}
	copyAxes(d[dst.offset:], s, src.offset, dst.stride, src.stride, shape)
}

// copyAxes copies axis 0 of shape slice by slice. The destination's strides
// are not negative, the source's may be.
func copyAxes[E any](dst, src []E, at int, ds, ss []int, shape []int64) {
	n := int(shape[0])
	switch {
	case len(shape) > 1:
		for i := range n {
			copyAxes(dst[i*ds[0]:], src, at+i*ss[0], ds[1:], ss[1:], shape[1:])
		}
	case ds[0] == 1 && ss[0] == 1:
		copy(dst[:n], src[at:])
	default:
		for i := range n {
			dst[i*ds[0]] = src[at+i*ss[0]]
		}
	}
}

func evalReshape(c *call) ([]*Tensor, error) {
	shape, err := c.env.shape(c.v.Attr.(*ir.ShapeAttr).Shape)
	if err != nil {
		return nil, err
	}
	x := c.arg(0)
	n, err := sizeOf(x.DType, shape)
	if err != nil {
		return nil, err
	}
	if n != int64(x.Len()) {
		return nil, fmt.Errorf("%v has %d elements, want %d for %v", x, x.Len(), n, shape)
	}
	return []*Tensor{{DType: x.DType, Shape: shape, Data: x.Data}}, nil
}

func evalBroadcast(c *call, out *Tensor) error {
	src := whole(c.arg(0))
	stride := make([]int, len(out.Shape))
	for i, axis := range c.v.Attr.(*ir.BroadcastAttr).Axes {
		switch d := src.t.Shape[i]; {
		case d == out.Shape[axis]:
			stride[axis] = src.stride[i]
		case d != 1:
			return fmt.Errorf("axis %d of %v, want 1 or %d", i, src.t, out.Shape[axis])
		}
	}
	src.stride = stride
	copyBox(whole(out), src, out.Shape)
	return nil
}

func evalTranspose(c *call, out *Tensor) error {
	src := whole(c.arg(0))
	stride := make([]int, len(out.Shape))
	for i, p := range c.v.Attr.(*ir.PermAttr).Perm {
		stride[i] = src.stride[p]
	}
	src.stride = stride
	copyBox(whole(out), src, out.Shape)
	return nil
}

// part is the window of x that a slice describes, with its shape.
func (c *call) part(x *Tensor) (window, []int64, error) {
	a := c.v.Attr.(*ir.SliceAttr)
	start, err := c.env.shape(a.Start)
	if err != nil {
		return window{}, nil, err
	}
	shape, err := c.env.shape(a.Shape)
	if err != nil {
		return window{}, nil, err
	}
	n, err := sizeOf(x.DType, shape)
	if err != nil || n == 0 {
		return window{}, shape, err
	}
	for i, d := range x.Shape {
		// A float64 holds the last coordinate well enough to compare, and
		// does not overflow.
		last := float64(start[i]) + float64(shape[i]-1)*float64(a.Step[i])
		if start[i] < 0 || start[i] >= d || last < 0 || last > float64(d-1) {
			return window{}, nil, fmt.Errorf("axis %d: elements %d to %.0f, want inside an extent of %d",
				i, start[i], last, d)
		}
	}
	return whole(x).at(start, a.Step), shape, nil
}

func evalSlice(c *call, out *Tensor) error {
	src, shape, err := c.part(c.arg(0))
	if err != nil {
		return err
	}
	copyBox(whole(out), src, shape)
	return nil
}

func evalUpdateSlice(c *call, out *Tensor) error {
	copy(out.Data, c.arg(0).Data)
	dst, shape, err := c.part(out)
	if err != nil || product(shape) == 0 {
		return err
	}
	// The destination may run backwards, so turn both round where it does.
	src := whole(c.arg(1))
	for i, s := range dst.stride {
		if s < 0 {
			last := int(shape[i] - 1)
			dst.offset, dst.stride[i] = dst.offset+last*s, -s
			src.offset, src.stride[i] = src.offset+last*src.stride[i], -src.stride[i]
		}
	}
	copyBox(dst, src, shape)
	return nil
}

func evalPad(c *call, out *Tensor) error {
	a, x := c.v.Attr.(*ir.PadAttr), c.arg(0)
	if len(out.Data) > 0 {
		fill(out.Data, c.arg(1).Data)
	}
	lo, err := c.env.shape(a.Lo)
	if err != nil {
		return err
	}
	from, to := make([]int64, len(lo)), make([]int64, len(lo))
	shape := make([]int64, len(lo))
	for i, n := range lo {
		from[i], to[i] = max(-n, 0), max(n, 0)
		shape[i] = max(min(x.Shape[i]-from[i], out.Shape[i]-to[i]), 0)
	}
	copyBox(whole(out).at(to, nil), whole(x).at(from, nil), shape)
	return nil
}

func evalConcat(c *call, out *Tensor) error {
	axis := c.v.Attr.(*ir.AxisAttr).Axis
	start := make([]int64, len(out.Shape))
	for i := range c.tuples {
		x := c.arg(i)
		if start[axis]+x.Shape[axis] > out.Shape[axis] {
			return fmt.Errorf("argument %d is %v, want at most %d along axis %d", i, x,
				out.Shape[axis]-start[axis], axis)
		}
		copyBox(whole(out).at(start, nil), whole(x), x.Shape)
		start[axis] += x.Shape[axis]
	}
	return nil
}

// clampStart brings a start into [0, extent-size] for each axis.
func clampStart(x *Tensor, starts *Tensor, size []int64) ([]int64, error) {
	out := make([]int64, len(size))
	for i, s := range scalarInts(starts) {
		room := x.Shape[i] - size[i]
		if room < 0 {
			return nil, fmt.Errorf("axis %d: part of %d, want at most %d", i, size[i], x.Shape[i])
		}
		out[i] = min(max(s, 0), room)
	}
	return out, nil
}

func evalDynamicSlice(c *call, out *Tensor) error {
	start, err := clampStart(c.arg(0), c.arg(1), out.Shape)
	if err != nil {
		return err
	}
	copyBox(whole(out), whole(c.arg(0)).at(start, nil), out.Shape)
	return nil
}

func evalDynamicUpdate(c *call, out *Tensor) error {
	copy(out.Data, c.arg(0).Data)
	y := c.arg(1)
	start, err := clampStart(out, c.arg(2), y.Shape)
	if err != nil {
		return err
	}
	copyBox(whole(out).at(start, nil), whole(y), y.Shape)
	return nil
}
