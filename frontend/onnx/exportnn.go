package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Products, convolutions and windows, exported.

// exportDot brings the arguments into the order batch, own, contracted (and
// the second batch, contracted, own), merges each of these, and multiplies
// matrices.
func exportDot(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.DotAttr)
	x, y := v.Args[0].Type.Shape, v.Args[1].Type.Shape
	own := func(s ir.Shape, used ...int) []int {
		var out []int
		for i := range s {
			if !slices.Contains(used, i) {
				out = append(out, i)
			}
		}
		return out
	}
	lo := own(x, append(slices.Clone(a.LBatch), a.LContract...)...)
	ro := own(y, append(slices.Clone(a.RBatch), a.RContract...)...)
	size := func(s ir.Shape, axes []int) ir.Dim {
		d := ir.Const(1)
		for _, i := range axes {
			d = d.Mul(s[i])
		}
		return d
	}
	batch, k := size(x, a.LBatch), size(x, a.LContract)
	l := e.transpose(e.arg(v, 0), slices.Concat(a.LBatch, lo, a.LContract))
	r := e.transpose(e.arg(v, 1), slices.Concat(a.RBatch, a.RContract, ro))
	l, err := e.reshape(l, ir.Shape{batch, size(x, lo), k})
	r, err2 := e.reshape(r, ir.Shape{batch, k, size(y, ro)})
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	name, err := e.reshape(e.node("MatMul", nil, l, r), v.Type.Shape)
	return one(name), err
}

// exportConv exports a convolution, with the zeros between the elements and
// the padding made before it where Conv has no attribute for them.
func exportConv(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.ConvAttr)
	x, w := e.arg(v, 0), e.arg(v, 1)
	rank := v.Type.Rank()
	n := rank - 2
	s := v.Args[0].Type.Shape.Clone()
	if a.Last {
		x, w = e.transpose(x, lastToFirst(rank)), e.transpose(w, weightsToFirst(rank))
		s = append(append(ir.Shape{s[0]}, s[rank-1]), s[1:rank-1]...)
	}
	var err error
	if x, err = e.spread(x, s, a.InDilation, v.Type.DType); err != nil {
		return nil, err
	}
	pads := make([]int64, 2*n)
	plain := true
	for i, d := range append(a.Lo.Clone(), a.Hi...) {
		k, ok := d.Int()
		pads[i], plain = k, plain && ok && k >= 0
	}
	if !plain {
		shape, err := e.shape(slices.Concat(ir.Dims(0, 0), a.Lo, ir.Dims(0, 0), a.Hi))
		if err != nil {
			return nil, err
		}
		x, pads = e.node("Pad", nil, x, shape, e.number(v.Type.DType, 0)), make([]int64, 2*n)
	}
	name := e.node("Conv", attrs{"strides", a.Stride, "dilations", a.Dilation, "pads", pads,
		"group", a.Groups}, x, w)
	if a.Last {
		name = e.transpose(name, firstToLast(rank))
	}
	return one(name), nil
}

// lastToFirst moves the channels of [N,S...,C] to axis 1, firstToLast back;
// weightsToFirst makes [O,C,S...] of [S...,C,O].
func lastToFirst(rank int) []int {
	perm := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		perm = append(perm, i)
	}
	return perm
}

func firstToLast(rank int) []int {
	perm := []int{0}
	for i := 2; i < rank; i++ {
		perm = append(perm, i)
	}
	return append(perm, 1)
}

func weightsToFirst(rank int) []int {
	perm := []int{rank - 1, rank - 2}
	for i := range rank - 2 {
		perm = append(perm, i)
	}
	return perm
}

// spread puts by[i]-1 zeros between the elements along spatial axis i.
func (e *exporter) spread(x string, s ir.Shape, by []int64, d ir.DType) (string, error) {
	for i, k := range by {
		axis := 2 + i
		if k == 1 {
			continue
		}
		wide := insertOnes(s, []int{axis + 1})
		x1, err := e.reshape(x, wide)
		if err != nil {
			return "", err
		}
		pads := make([]int64, 2*len(wide))
		pads[len(wide)+axis+1] = k - 1
		x1 = e.node("Pad", nil, x1, e.ints(pads...), e.number(d, 0))
		long := s.Clone()
		long[axis] = s[axis].MulConst(k)
		s = s.Clone()
		s[axis] = s[axis].AddConst(-1).MulConst(k).AddConst(1)
		x1, err = e.reshape(x1, long)
		end, err2 := e.dim(s[axis])
		if err := errors.Join(err, err2); err != nil {
			return "", err
		}
		x = e.node("Slice", nil, x1, e.ints(0), end, e.ints(int64(axis)), e.ints(1))
	}
	return x, nil
}

// window exports a pooling operator over all axes, as spatial axes of one
// image unless the first two are not pooled.
func (e *exporter) window(v *ir.Value, op string, a attrs) (string, error) {
	w := v.Attr.(*ir.WindowAttr)
	lo, ok := w.Lo.Ints()
	hi, ok2 := w.Hi.Ints()
	if !ok || !ok2 || slices.Min(append(slices.Clone(lo), hi...)) < 0 {
		return "", fmt.Errorf("padding %v, %v, want non-negative numbers", w.Lo, w.Hi)
	}
	x, skip := e.arg(v, 0), 2
	if len(lo) < 3 || w.Size[0] != 1 || w.Size[1] != 1 || w.Stride[0] != 1 || w.Stride[1] != 1 ||
		lo[0]+lo[1]+hi[0]+hi[1] > 0 {
		skip = 0
		x = e.node("Unsqueeze", nil, x, e.ints(0, 1))
	}
	name := e.node(op, append(attrs{"kernel_shape", w.Size[skip:], "strides", w.Stride[skip:],
		"dilations", w.Dilation[skip:], "pads", append(slices.Clone(lo[skip:]), hi[skip:]...)}, a...), x)
	if skip == 0 {
		name = e.node("Squeeze", nil, name, e.ints(0, 1))
	}
	return name, nil
}

func exportWindowMax(e *exporter, v *ir.Value) ([]string, error) {
	if len(v.Type.Shape) == 0 {
		return one(e.arg(v, 0)), nil
	}
	name, err := e.window(v, "MaxPool", nil)
	return one(name), err
}

// exportWindowSum is the average times the number of elements.
func exportWindowSum(e *exporter, v *ir.Value) ([]string, error) {
	if len(v.Type.Shape) == 0 {
		return one(e.arg(v, 0)), nil
	}
	area := int64(1)
	for _, k := range v.Attr.(*ir.WindowAttr).Size {
		area *= k
	}
	name, err := e.window(v, "AveragePool", attrs{"count_include_pad", 1})
	return one(e.node("Mul", nil, name, e.number(v.Type.DType, float64(area)))), err
}
