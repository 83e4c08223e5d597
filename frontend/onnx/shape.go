package onnx

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Operators that make tensors from shapes and that change shapes.

var shapeRows = []row{
	{"CenterCropPad", 18, 2, 2, centerCropPad},
	{"Concat", 4, 1, -1, concat},
	{"Constant", 1, 0, 0, constant},
	{"ConstantOfShape", 9, 1, 1, constantOfShape},
	{"DepthToSpace", 1, 1, 1, depthToSpace},
	{"Expand", 8, 2, 2, expand},
	{"EyeLike", 9, 1, 1, eyeLike},
	{"Flatten", 1, 1, 1, flatten},
	{"Identity", 1, 1, 1, identity},
	{"Pad", 2, 1, 1, padAttrs},
	{"Pad", 11, 2, 4, padInputs},
	{"Range", 11, 3, 3, rangeOp},
	{"Reshape", 5, 2, 2, reshape},
	{"Shape", 1, 1, 1, shapeOp},
	{"Size", 1, 1, 1, size},
	{"Slice", 1, 1, 1, sliceAttrs},
	{"Slice", 10, 3, 5, sliceInputs},
	{"SpaceToDepth", 1, 1, 1, spaceToDepth},
	{"Split", 2, 1, 1, splitAttrs},
	{"Split", 13, 1, 2, splitInputs},
	{"Squeeze", 1, 1, 1, squeezeAttrs},
	{"Squeeze", 13, 1, 2, squeezeInputs},
	{"Tile", 6, 2, 2, tile},
	{"Transpose", 1, 1, 1, transposeOp},
	{"Trilu", 14, 1, 2, trilu},
	{"Unsqueeze", 1, 1, 1, unsqueezeAttrs},
	{"Unsqueeze", 13, 2, 2, unsqueezeInputs},
}

func identity(n *node) []*tensor { return []*tensor{n.in[0]} }

// shapeOp gives the extents of its input, which are known expressions.
func shapeOp(n *node) []*tensor {
	shape := n.typ(0).Shape
	rank := int64(len(shape))
	at := func(name string, def int64) int64 {
		i := n.int(name, def)
		if i < 0 {
			i += rank
		}
		return min(max(i, 0), rank)
	}
	start, end := at("start", 0), at("end", rank)
	shape = shape[start:max(start, end)]
	out := make([]elem, len(shape))
	for i, d := range shape {
		out[i].d = d
	}
	return known(ir.I64, ir.Dims(int64(len(out))), out)
}

func size(n *node) []*tensor {
	return known(ir.I64, ir.Shape{}, []elem{{d: n.typ(0).Shape.Size()}})
}

// pick makes a known tensor of the given shape from elements of the known
// input 0: from gives the place of the element for each index.
func (n *node) pick(shape []int64, from func(idx []int64) int) []*tensor {
	if n.in[0].elems == nil || product(shape) > maxElems {
		return nil
	}
	out := make([]elem, product(shape))
	idx := make([]int64, len(shape))
	for i := range out {
		out[i] = n.in[0].elems[from(idx)]
		for a := len(idx) - 1; a >= 0; a-- {
			if idx[a]++; idx[a] < shape[a] {
				break
			}
			idx[a] = 0
		}
	}
	return known(n.typ(0).DType, ir.Dims(shape...), out)
}

// strides returns the row-major strides of a shape.
func strides(shape []int64) []int64 {
	out := make([]int64, len(shape))
	s := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = s
		s *= shape[i]
	}
	return out
}

// reshaped is input 0 with another shape of as many elements.
func (n *node) reshaped(shape ir.Shape) []*tensor {
	t := n.in[0]
	if t.typ.Shape.Equal(shape) {
		return []*tensor{t}
	}
	if t.elems != nil && shape.Static() {
		if !shape.Size().Equal(t.typ.Shape.Size()) {
			n.fail("cannot reshape %v to %v", t.typ, shape)
		}
		return known(t.typ.DType, shape, t.elems)
	}
	return result(n.reshape(n.value(t), shape))
}

func reshape(n *node) []*tensor {
	zero := n.flag("allowzero", false)
	if t := n.in[1]; t.elems == nil && t.dims == nil && !t.typ.Shape.Size().IsConst(0) {
		return n.computedReshape(zero)
	}
	want := n.intsOf(1)
	in := n.typ(0).Shape
	out := make(ir.Shape, len(want))
	infer := -1
	for i, d := range want {
		switch k, ok := d.Int(); {
		case ok && k == 0 && !zero:
			if i >= len(in) {
				n.fail("shape %v: 0 at %d has no extent to copy from %v", ir.Shape(want), i, in)
			}
			out[i] = in[i]
		case ok && k == -1:
			if infer >= 0 {
				n.fail("shape %v has two extents of -1", ir.Shape(want))
			}
			infer = i
			out[i] = ir.Const(1)
		case ok && k < 0:
			n.fail("shape %v has a negative extent", ir.Shape(want))
		default:
			out[i] = d
		}
	}
	if infer >= 0 {
		rest := out.Size()
		if rest.IsConst(0) {
			n.fail("shape %v: -1 cannot be inferred beside 0", ir.Shape(want))
		}
		out[infer] = in.Size().FloorDiv(rest)
	}
	return n.reshaped(out)
}

// computedReshape resolves 0 and -1 in a shape that only running the model
// gives.
func (n *node) computedReshape(zero bool) []*tensor {
	in := n.typ(0).Shape
	want := n.cast(n.arg(1), ir.I64)
	count, ok := want.Type.Shape.Size().Int()
	if !ok || want.Type.Rank() != 1 || count > maxElems {
		n.fail("shape %v, want a vector whose length is known at compile time", want.Type)
	}
	if !zero {
		copied := make([]elem, count)
		for i := range copied {
			if i < len(in) {
				copied[i].d = in[i]
			}
		}
		v := n.value(known(ir.I64, ir.Dims(count), copied)[0])
		want = n.apply(ir.OpSelect, n.with(ir.OpEq, want, 0), v, want)
	}
	inferred := n.with(ir.OpEq, want, -1)
	rest := n.reduce(ir.OpProd, n.apply(ir.OpSelect, inferred, n.like(want, 1), want), false, 0)
	size := n.op(ir.OpDiv, nil, n.dim(in.Size()), rest)
	want = n.apply(ir.OpSelect, inferred, n.broadcast(size, want.Type.Shape), want)
	n.in[1] = computed(want)
	return n.reshaped(n.intsOf(1))
}

func flatten(n *node) []*tensor {
	s := n.typ(0).Shape
	axis := n.int("axis", 1)
	if axis < -int64(len(s)) || axis > int64(len(s)) {
		n.fail("axis %d is out of range for rank %d", axis, len(s))
	}
	if axis < 0 {
		axis += int64(len(s))
	}
	return n.reshaped(ir.Shape{s[:axis].Size(), s[axis:].Size()})
}

func squeezeAttrs(n *node) []*tensor { return n.squeeze(n.ints("axes")) }

func squeezeInputs(n *node) []*tensor {
	if !n.has(1) {
		return n.squeeze(nil)
	}
	return n.squeeze(n.constInts(1, "axes"))
}

// squeeze drops axes of extent 1: those in list, or with nil all.
func (n *node) squeeze(list []int64) []*tensor {
	s := n.typ(0).Shape
	var axes []int
	if list == nil {
		for i, d := range s {
			if !d.IsConst(1) && !d.Static() {
				n.fail("which axes of %v to squeeze depends on %v; list them", s, d)
			}
			if d.IsConst(1) {
				axes = append(axes, i)
			}
		}
	} else {
		axes = n.axes(list, len(s))
	}
	for _, a := range axes {
		n.check(s[a], ir.Const(1), fmt.Sprintf("axis %d of %v is squeezed, its extent", a, s))
	}
	return n.viewed(dropAxes(s, axes))
}

// viewed is input 0 with extents of 1 put in or taken out.
func (n *node) viewed(shape ir.Shape) []*tensor {
	if t := n.in[0]; t.elems != nil {
		return known(t.typ.DType, shape, t.elems)
	}
	return result(n.view(n.arg(0), shape))
}

func unsqueezeAttrs(n *node) []*tensor {
	axes := n.ints("axes")
	if axes == nil {
		n.fail("attribute \"axes\" is missing")
	}
	return n.insertAxes(axes)
}

func unsqueezeInputs(n *node) []*tensor { return n.insertAxes(n.constInts(1, "axes")) }

func (n *node) insertAxes(list []int64) []*tensor {
	axes := n.axes(list, n.typ(0).Rank()+len(list))
	return n.viewed(insertOnes(n.typ(0).Shape, axes))
}

func transposeOp(n *node) []*tensor {
	t := n.in[0]
	rank := t.typ.Rank()
	perm := make([]int, rank)
	if p := n.ints("perm"); p != nil {
		if len(p) != rank {
			n.fail("perm %v for rank %d", p, rank)
		}
		perm = n.axes(p, rank)
	} else {
		for i := range perm {
			perm[i] = rank - 1 - i
		}
	}
	if in, ok := t.typ.Shape.Ints(); ok && t.elems != nil {
		st, out := strides(in), make([]int64, rank)
		for i, p := range perm {
			out[i] = in[p]
		}
		return n.pick(out, func(idx []int64) int {
			at := int64(0)
			for i, p := range perm {
				at += idx[i] * st[p]
			}
			return int(at)
		})
	}
	return result(n.transpose(n.value(t), perm...))
}

func concat(n *node) []*tensor {
	n.sameTypes()
	rank := n.typ(0).Rank()
	axis := n.axis(n.int("axis", 1), rank)
	if t := n.concatElems(); t != nil {
		return t
	}
	// Extents beside axis agree, by a check where they are not known to.
	shape := n.typ(0).Shape.Clone()
	for i := range n.in {
		s := n.typ(i).Shape
		if len(s) != rank {
			n.fail("input %d is %v, input 0 is %v, want one rank", i, n.typ(i), n.typ(0))
		}
		for a, d := range s {
			if d.Static() {
				shape[a] = d
			}
		}
	}
	args := make([]*ir.Value, len(n.in))
	for i := range n.in {
		want := shape.Clone()
		have := n.typ(i).Shape
		want[axis] = have[axis]
		for a := range want {
			n.check(have[a], want[a], fmt.Sprintf("input %d: axis %d of %v", i, a, have))
		}
		args[i] = n.view(n.arg(i), want)
	}
	out := result(n.concat(axis, args...))
	out[0].dims = n.concatDims()
	return out
}

// concatDims returns the elements of concatenated vectors of integers of which
// only some are known.
func (n *node) concatDims() []*ir.Dim {
	var out []*ir.Dim
	for i, t := range n.in {
		size, ok := t.typ.Shape.Size().Int()
		if n.typ(i).Rank() != 1 || !exprType(t.typ.DType) || !ok || size+int64(len(out)) > maxElems {
			return nil
		}
		part := make([]*ir.Dim, size)
		copy(part, t.dims)
		for j := range t.elems {
			part[j] = &t.elems[j].d
		}
		out = append(out, part...)
	}
	return out
}

// concatElems concatenates known vectors.
func (n *node) concatElems() []*tensor {
	var out []elem
	for i, t := range n.in {
		if n.typ(i).Rank() != 1 || t.elems == nil && !n.typ(i).Shape[0].IsConst(0) {
			return nil
		}
		out = append(out, t.elems...)
	}
	if len(out) > maxElems || len(out) == 0 {
		return nil
	}
	return known(n.typ(0).DType, ir.Dims(int64(len(out))), out)
}

func splitAttrs(n *node) []*tensor {
	sizes := n.ints("split")
	if sizes == nil {
		return n.splitEven(len(n.p.Output))
	}
	return n.split(ir.Dims(sizes...))
}

func splitInputs(n *node) []*tensor {
	if n.has(1) {
		n.ignore("num_outputs")
		return n.split(n.intsOf(1))
	}
	return n.splitEven(int(n.int("num_outputs", int64(len(n.p.Output)))))
}

// splitEven splits into count parts of one size, the last one smaller if need
// be.
func (n *node) splitEven(count int) []*tensor {
	if count < 1 || count != len(n.p.Output) {
		n.fail("%d outputs, want num_outputs = %d", len(n.p.Output), count)
	}
	d := n.typ(0).Shape[n.splitAxis()]
	part := d.CeilDiv(ir.Const(int64(count)))
	sizes := make(ir.Shape, count)
	for i := range sizes {
		sizes[i] = part
	}
	sizes[count-1] = d.Sub(part.MulConst(int64(count - 1)))
	if k, ok := sizes[count-1].Int(); ok && k < 0 {
		n.fail("an extent of %v does not split into %d parts", d, count)
	}
	return n.split(sizes)
}

func (n *node) splitAxis() int { return n.axis(n.int("axis", 0), n.typ(0).Rank()) }

func (n *node) split(sizes ir.Shape) []*tensor {
	axis := n.splitAxis()
	if len(sizes) < len(n.p.Output) {
		n.fail("%d outputs for %d parts", len(n.p.Output), len(sizes))
	}
	sum := ir.Const(0)
	for _, d := range sizes {
		if k, ok := d.Int(); ok && k < 0 {
			n.fail("split %v has a negative size", sizes)
		}
		sum = sum.Add(d)
	}
	n.check(sum, n.typ(0).Shape[axis], "sum of the split sizes")
	out := make([]*tensor, len(sizes))
	start := ir.Const(0)
	for i, d := range sizes {
		out[i] = n.cut(axis, start, d)
		start = start.Add(d)
	}
	return out
}

// cut is [start, start+size) of input 0 along axis.
func (n *node) cut(axis int, start, size ir.Dim) *tensor {
	lo, ok := start.Int()
	k, ok2 := size.Int()
	if ok && ok2 && n.typ(0).Rank() == 1 && n.in[0].elems != nil {
		return known(n.typ(0).DType, ir.Dims(k), n.in[0].elems[lo:lo+k])[0]
	}
	return computed(n.take(n.arg(0), axis, start, size))
}

func expand(n *node) []*tensor {
	shape := n.broadcastShapes(n.typ(0).Shape, n.intsOf(1))
	if in, ok := n.typ(0).Shape.Ints(); ok && n.in[0].elems != nil {
		if out, ok := shape.Ints(); ok && broadcasts(in, out) {
			if product(out) <= maxElems {
				st := strides(in)
				return n.pick(out, func(idx []int64) int {
					at, off := int64(0), len(idx)-len(in)
					for i, d := range in {
						if d != 1 {
							at += idx[off+i] * st[i]
						}
					}
					return int(at)
				})
			}
		}
	}
	return result(n.broadcast(n.arg(0), shape))
}

// tile repeats by broadcasting along new axes, which it then merges.
func tile(n *node) []*tensor {
	reps := n.intsOf(1)
	in := n.typ(0).Shape
	if len(reps) != len(in) {
		n.fail("%d repeats for rank %d", len(reps), len(in))
	}
	var wide, stretched, out ir.Shape
	changed := false
	for i, r := range reps {
		if r.IsConst(1) {
			wide, stretched = append(wide, in[i]), append(stretched, in[i])
		} else {
			wide = append(wide, ir.Const(1), in[i])
			stretched = append(stretched, r, in[i])
			changed = true
		}
		out = append(out, r.Mul(in[i]))
	}
	if !changed {
		return identity(n)
	}
	if dims, ok := out.Ints(); ok && n.in[0].elems != nil && product(dims) <= maxElems {
		old, _ := in.Ints()
		st := strides(old)
		return n.pick(dims, func(idx []int64) int {
			at := int64(0)
			for i := range idx {
				at += idx[i] % old[i] * st[i]
			}
			return int(at)
		})
	}
	v := n.broadcast(n.view(n.arg(0), wide), stretched)
	return result(n.view(v, out))
}

func depthToSpace(n *node) []*tensor {
	v, b := n.arg(0), n.blockSize()
	s := v.Type.Shape
	c := s[1].FloorDiv(ir.Const(b * b))
	bb := ir.Const(b)
	out := ir.Shape{s[0], c, s[2].Mul(bb), s[3].Mul(bb)}
	n.check(c.MulConst(b*b), s[1], "channels divide into blocks")
	if n.choice("mode", "DCR", "CRD") == "DCR" {
		v = n.view(v, ir.Shape{s[0], bb, bb, c, s[2], s[3]})
		v = n.transpose(v, 0, 3, 4, 1, 5, 2)
	} else {
		v = n.view(v, ir.Shape{s[0], c, bb, bb, s[2], s[3]})
		v = n.transpose(v, 0, 1, 4, 2, 5, 3)
	}
	return result(n.view(v, out))
}

func spaceToDepth(n *node) []*tensor {
	v, b := n.arg(0), n.blockSize()
	s := v.Type.Shape
	bb := ir.Const(b)
	h, w := s[2].FloorDiv(bb), s[3].FloorDiv(bb)
	n.check(h.MulConst(b), s[2], "rows divide into blocks")
	n.check(w.MulConst(b), s[3], "columns divide into blocks")
	v = n.view(v, ir.Shape{s[0], s[1], h, bb, w, bb})
	v = n.transpose(v, 0, 3, 5, 1, 2, 4)
	return result(n.view(v, ir.Shape{s[0], s[1].MulConst(b * b), h, w}))
}

func (n *node) blockSize() int64 {
	b := n.int("blocksize", 0)
	if b < 1 || b > 1<<15 {
		n.fail("attribute \"blocksize\" is %d, want 1 to %d", b, 1<<15)
	}
	if n.typ(0).Rank() != 4 {
		n.fail("input %v, want rank 4", n.typ(0))
	}
	return b
}
