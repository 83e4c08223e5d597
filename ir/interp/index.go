package interp

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Operations whose addresses are data: gathers, scatters, coordinates.

// inExtent checks an index.
func inExtent(i, extent int64) error {
	if i < 0 || i >= extent {
		return fmt.Errorf("index %d, want in [0, %d)", i, extent)
	}
	return nil
}

// split returns the number of elements before, in and after an axis.
func split(shape []int64, axis int) (outer, n, inner int) {
	return product(shape[:axis]), int(shape[axis]), product(shape[axis+1:])
}

func evalGather(c *call, out *Tensor) error {
	x, axis := c.arg(0), c.v.Attr.(*ir.AxisAttr).Axis
	index := scalarInts(c.arg(1))
	for _, i := range index {
		if err := inExtent(i, x.Shape[axis]); err != nil {
			return err
		}
	}
	outer, n, inner := split(x.Shape, axis)
	size := inner * x.DType.Size()
	dst := out.Data
	for o := range outer {
		for _, i := range index {
			at := (o*n + int(i)) * size
			dst = dst[copy(dst, x.Data[at:at+size]):]
		}
	}
	return nil
}

// alongOffsets returns, for each position p of the index tensor y, the offset
// in x of p with coordinate axis replaced by y[p].
func alongOffsets(x, y *Tensor, axis int) ([]int, error) {
	for i, d := range y.Shape {
		if i != axis && d > x.Shape[i] {
			return nil, fmt.Errorf("axis %d: indices %v, want at most the extents of %v", i, y, x)
		}
	}
	stride := strides(x.Shape)
	out := scalarInts(y)
	offsets := make([]int, len(out))
	step := stride[axis]
	stride[axis] = 0
	p := 0
	err := eachOffset(y.Shape, stride, func(base int) error {
		if err := inExtent(out[p], x.Shape[axis]); err != nil {
			return err
		}
		offsets[p] = base + int(out[p])*step
		p++
		return nil
	})
	return offsets, err
}

// eachOffset calls f with the offset of each coordinate of shape in row-major
// order.
func eachOffset(shape []int64, stride []int, f func(offset int) error) error {
	if product(shape) == 0 {
		return nil
	}
	at, offset := make([]int64, len(shape)), 0
	for {
		if err := f(offset); err != nil {
			return err
		}
		i := len(shape) - 1
		for ; i >= 0; i-- {
			at[i]++
			offset += stride[i]
			if at[i] < shape[i] {
				break
			}
			offset -= int(shape[i]) * stride[i]
			at[i] = 0
		}
		if i < 0 {
			return nil
		}
	}
}

func evalTakeAlong(c *call, out *Tensor) error {
	x := c.arg(0)
	offsets, err := alongOffsets(x, c.arg(1), c.v.Attr.(*ir.AxisAttr).Axis)
	if err != nil {
		return err
	}
	size := x.DType.Size()
	for p, at := range offsets {
		copy(out.Data[p*size:(p+1)*size], x.Data[at*size:])
	}
	return nil
}

// tupleOffsets returns the offset in x of each index tuple, the last axis of
// y: a tuple's entries are coordinates of the axes from batch on. As in ONNX,
// a negative coordinate counts from the end.
func tupleOffsets(x, y *Tensor, batch int) ([]int, error) {
	lead, k := y.Shape[:len(y.Shape)-1], int(y.Shape[len(y.Shape)-1])
	stride, index := strides(x.Shape), scalarInts(y)
	perBatch := 1
	for i, d := range lead {
		if i >= batch {
			perBatch *= int(d)
		} else if d != x.Shape[i] {
			return nil, fmt.Errorf("batch axis %d is %d, want %d", i, d, x.Shape[i])
		}
	}
	batchSize := product(x.Shape[batch:])
	offsets := make([]int, product(lead))
	for p := range offsets {
		at := p / perBatch * batchSize
		for j, i := range index[p*k : (p+1)*k] {
			axis := batch + j
			if i < 0 {
				i += x.Shape[axis]
			}
			if err := inExtent(i, x.Shape[axis]); err != nil {
				return nil, fmt.Errorf("tuple %d, axis %d: %w", p, axis, err)
			}
			at += int(i) * stride[axis]
		}
		offsets[p] = at
	}
	return offsets, nil
}

func evalGatherND(c *call, out *Tensor) error {
	x, y, batch := c.arg(0), c.arg(1), c.v.Attr.(*ir.BatchAttr).Batch
	offsets, err := tupleOffsets(x, y, batch)
	if err != nil {
		return err
	}
	k := int(y.Shape[len(y.Shape)-1])
	size := x.DType.Size()
	n := product(x.Shape[batch+k:]) * size
	dst := out.Data
	if len(dst) == 0 {
		return nil // x may have no data at the offsets
	}
	for _, at := range offsets {
		dst = dst[copy(dst[:n], x.Data[at*size:]):]
	}
	return nil
}

// evalScatterAlong and evalScatterND combine by the op's Reduce, wide, and
// round once at the end.
func evalScatterAlong(c *call, out *Tensor) error {
	a := c.v.Attr.(*ir.ScatterAttr)
	offsets, err := alongOffsets(out, c.arg(1), a.Axis)
	if err != nil {
		return err
	}
	return c.scatter(out, offsets, 1, a.Reduce)
}

func evalScatterND(c *call, out *Tensor) error {
	y := c.arg(1)
	offsets, err := tupleOffsets(out, y, 0)
	if err != nil {
		return err
	}
	k := int(y.Shape[len(y.Shape)-1])
	return c.scatter(out, offsets, product(out.Shape[k:]), c.v.Attr.(*ir.ScatterAttr).Reduce)
}

// scatter fills out with x and puts a run of n elements of z at each offset.
func (c *call) scatter(out *Tensor, offsets []int, n int, reduce string) error {
	copy(out.Data, c.arg(0).Data)
	z := c.arg(2)
	if len(z.Data) == 0 {
		return nil // out may have no data at the offsets
	}
	if reduce == "none" {
		size := out.DType.Size()
		for p, at := range offsets {
			copy(out.Data[at*size:(at+n)*size], z.Data[p*n*size:])
		}
		return nil
	}
	switch classOf(out.DType) {
	case signedClass:
		scatterBy(out, z, offsets, n, combiner[int64](reduce))
	case unsignedClass:
		f := combiner[uint64](reduce)
		if out.DType == ir.Bool && reduce == "add" {
			f = or
		}
		scatterBy(out, z, offsets, n, f)
	default:
		scatterBy(out, z, offsets, n, combiner[float64](reduce))
	}
	return nil
}

func combiner[A wide](reduce string) func(x, y A) A {
	switch reduce {
	case "add":
		return add
	case "mul":
		return mul
	case "min":
		return smaller
	case "max":
		return larger
	}
	panic("BUG: scatter by " + reduce)
}

func scatterBy[A wide](out, z *Tensor, offsets []int, n int, f func(x, y A) A) {
	acc, upd := widen[A](out), widen[A](z)
	for p, at := range offsets {
		for i := range n {
			acc[at+i] = f(acc[at+i], upd[p*n+i])
		}
	}
	store(out, 0, acc)
}

// evalNonZero binds its symbol before the result's shape can be known.
func evalNonZero(c *call) ([]*Tensor, error) {
	x := c.arg(0)
	hits := make([]bool, x.Len())
	found := int64(0)
	for i := range hits {
		hits[i] = nonZero(x, i)
		found += int64(boolByte(hits[i]))
	}
	if names := c.v.Attr.(*ir.DimsAttr).Dims[0].SymNames(); len(names) == 1 {
		if err := c.env.bind(names[0], found); err != nil {
			return nil, err
		}
	}
	out, err := c.out()
	if err != nil {
		return nil, err
	}
	if want := out.Shape[1]; want != found {
		return nil, fmt.Errorf("%d elements are not zero, want %d", found, want)
	}
	coords := Elements[int64](out)
	k := 0
	stride := strides(x.Shape)
	for i, hit := range hits {
		if !hit {
			continue
		}
		for axis, s := range stride {
			coords[axis*int(found)+k] = int64(i/s) % x.Shape[axis]
		}
		k++
	}
	return []*Tensor{out}, nil
}

// nonZero looks at one element; -0 is zero and NaN is not.
func nonZero(x *Tensor, i int) bool {
	if classOf(x.DType) == floatClass {
		var v [1]float64
		load(v[:], x, i)
		return v[0] != 0
	}
	var v [1]uint64
	load(v[:], x, i)
	return v[0] != 0
}
