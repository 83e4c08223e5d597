package ir

import (
	"fmt"
	"reflect"
	"slices"
)

// inference is the input of a type rule: an operation that is about to be
// appended.
type inference struct {
	op   Op
	attr Attr
	args []*Value
}

func (in *inference) arg(i int) Type { return in.args[i].Type }

// inferType applies the type rule of op.
func inferType(op Op, attr Attr, args []*Value) (Type, error) {
	info := op.Info()
	in := &inference{op: op, attr: attr, args: args}
	if err := in.common(info); err != nil {
		return Type{}, err
	}
	t, err := info.Infer(in)
	if err == nil {
		err = checkExtents(t)
	}
	if err != nil {
		return Type{}, fmt.Errorf("%s: %w", info.Name, err)
	}
	return t, nil
}

// common checks what the table row alone says: number of arguments, kind of
// attribute, element types.
func (in *inference) common(info *OpInfo) error {
	if info.Infer == nil {
		return fmt.Errorf("%s: not an operation to append", info.Name)
	}
	if info.Args != variadic && len(in.args) != info.Args {
		return fmt.Errorf("%s: c0: %d arguments, want %d", info.Name, len(in.args), info.Args)
	}
	var have reflect.Type
	if in.attr != nil {
		have = reflect.TypeOf(in.attr)
	}
	if have != info.Attr {
		return fmt.Errorf("%s: c0: attribute %v, want %v", info.Name, have, info.Attr)
	}
	if in.attr != nil {
		if err := noNils(in.attr); err != nil {
			return fmt.Errorf("%s: %w", info.Name, err)
		}
	}
	for i, a := range in.args {
		if a.Type.DType == Tuple && in.op != OpGet {
			return fmt.Errorf("%s: c0: argument %d is a tuple, want its results by get", info.Name, i)
		}
	}
	if info.Types != 0 && len(in.args) > 0 && in.op != OpConst && !info.Types.Has(in.arg(0).DType) {
		return fmt.Errorf("%s: c0: does not compute on %v", info.Name, in.arg(0).DType)
	}
	return nil
}

// cond returns an error with the label c unless ok.
func cond(c int, ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("c%d: "+format, append([]any{c}, args...)...)
}

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func inferConst(in *inference) (Type, error) {
	l := in.attr.(*ConstAttr).Value
	return l.Type(), cond(0, l.DType == String || Storable.Has(l.DType), "no constants of %v",
		l.DType)
}

func inferGet(in *inference) (Type, error) {
	i, t := in.attr.(*IndexAttr).Index, in.arg(0)
	if err := cond(1, t.DType == Tuple && i >= 0 && i < len(t.Elems), "no result %d in %v", i,
		t); err != nil {
		return Type{}, err
	}
	return t.Elems[i], nil
}

func inferDims(in *inference) (Type, error) {
	return T(I64, Const(int64(len(in.attr.(*DimsAttr).Dims)))), nil
}

func inferBind(in *inference) (Type, error) {
	t := in.arg(0)
	sym := in.attr.(*BindAttr).Sym
	return t, first(cond(1, t.Equal(T(I64)), "type(x) = %v, want i64[]", t),
		cond(1, IsSymName(sym), "bad symbol name %q", sym))
}

func inferCheck(in *inference) (Type, error) {
	a := in.attr.(*CheckAttr)
	return T(I64, Const(0)), cond(1, a.Rel == "==" || a.Rel == "<=", "relation %q, want == or <=",
		a.Rel)
}

// inferSame is the rule of elementwise operations whose result has the type
// of all arguments.
func inferSame(in *inference) (Type, error) {
	t := in.arg(0)
	for i := range in.args {
		if err := cond(1, in.arg(i).Equal(t), "type(%s) = %v, type(x) = %v",
			"xyz"[i:i+1], in.arg(i), t); err != nil {
			return Type{}, err
		}
	}
	return t, nil
}

func inferToBool(in *inference) (Type, error) {
	t, err := inferSame(in)
	return t.With(Bool), err
}

func inferCast(in *inference) (Type, error) {
	d := in.attr.(*DTypeAttr).DType
	return in.arg(0).With(d), cond(1, Storable.Has(d), "cannot cast to %v", d)
}

func inferBitcast(in *inference) (Type, error) {
	d, t := in.attr.(*DTypeAttr).DType, in.arg(0)
	return t.With(d), cond(1, Storable.Has(d) && d.Bits() == t.DType.Bits() &&
		(d == Bool) == (t.DType == Bool),
		"%v has %d bits, %v has %d", t.DType, t.DType.Bits(), d, d.Bits())
}

func inferSelect(in *inference) (Type, error) {
	x, y, z := in.arg(0), in.arg(1), in.arg(2)
	return y, first(cond(1, y.Equal(z), "type(y) = %v, type(z) = %v", y, z),
		cond(2, x.Shape.Equal(y.Shape), "shape(x) = %v, shape(y) = %v", x.Shape, y.Shape))
}

func inferIota(in *inference) (Type, error) {
	a := in.attr.(*IotaAttr)
	return Of(a.DType, a.Shape), first(axisIn(a.Axis, len(a.Shape)),
		cond(1, Numeric.Has(a.DType), "no iota of %v", a.DType))
}

func inferRandom(in *inference) (Type, error) {
	want := T(U64)
	return Of(U32, in.attr.(*RandomAttr).Shape),
		cond(1, in.arg(0).Equal(want) && in.arg(1).Equal(want), "key %v, counter %v, want u64[]",
			in.arg(0), in.arg(1))
}

func axisIn(axis, rank int) error {
	return cond(1, axis >= 0 && axis < rank, "axis %d, rank is %d", axis, rank)
}

func inferReduce(in *inference) (Type, error) {
	t, axes := in.arg(0), in.attr.(*AxesAttr).Axes
	if err := increasing(axes, t.Rank()); err != nil {
		return Type{}, err
	}
	return Of(t.DType, dropAxes(t.Shape, axes)), nil
}

func increasing(axes []int, rank int) error {
	for i, a := range axes {
		if a < 0 || a >= rank || i > 0 && a <= axes[i-1] {
			return cond(1, false, "axes %v are not increasing within rank %d", axes, rank)
		}
	}
	return nil
}

func dropAxes(s Shape, axes []int) Shape {
	out := make(Shape, 0, len(s))
	for i, d := range s {
		if !slices.Contains(axes, i) {
			out = append(out, d)
		}
	}
	return out
}

func inferArg(in *inference) (Type, error) {
	t, axis := in.arg(0), in.attr.(*AxisAttr).Axis
	if err := axisIn(axis, t.Rank()); err != nil {
		return Type{}, err
	}
	return Of(I64, dropAxes(t.Shape, []int{axis})), nil
}

func inferCum(in *inference) (Type, error) {
	return in.arg(0), axisIn(in.attr.(*CumAttr).Axis, in.arg(0).Rank())
}

func inferArgSort(in *inference) (Type, error) {
	return in.arg(0).With(I64), axisIn(in.attr.(*SortAttr).Axis, in.arg(0).Rank())
}

func inferWindow(in *inference) (Type, error) {
	t, a := in.arg(0), in.attr.(*WindowAttr)
	n := t.Rank()
	fits := len(a.Size) == n && len(a.Stride) == n && len(a.Dilation) == n &&
		len(a.Lo) == n && len(a.Hi) == n
	if err := cond(1, fits, "attribute does not have one entry for each of %d axes", n); err != nil {
		return Type{}, err
	}
	out := make(Shape, n)
	for i, d := range t.Shape {
		size, stride, dilation := a.Size[i], a.Stride[i], a.Dilation[i]
		if err := cond(2, size > 0 && stride > 0 && dilation > 0,
			"axis %d: size %d, stride %d, dilation %d", i, size, stride, dilation); err != nil {
			return Type{}, err
		}
		out[i] = WindowExtent(d.Add(a.Lo[i]).Add(a.Hi[i]), Const(size), stride, dilation)
	}
	return Of(t.DType, out), nil
}

// WindowExtent is the number of windows of size k along a padded extent d:
// floor((d - (k-1)*dilation - 1)/stride) + 1, none where the window is larger.
func WindowExtent(d, k Dim, stride, dilation int64) Dim {
	span := k.AddConst(-1).MulConst(dilation).AddConst(1)
	n := d.Sub(span).FloorDiv(Const(stride)).AddConst(1)
	if v, ok := n.Int(); ok {
		return Const(max(v, 0))
	}
	return n
}

func inferDot(in *inference) (Type, error) {
	x, y, a := in.arg(0), in.arg(1), in.attr.(*DotAttr)
	if err := first(distinct(a.LBatch, a.LContract, x.Rank()), distinct(a.RBatch, a.RContract,
		y.Rank()),
		cond(1, len(a.LBatch) == len(a.RBatch) && len(a.LContract) == len(a.RContract),
			"axes are not paired"),
		cond(3, x.DType == y.DType, "x is %v, y is %v", x.DType, y.DType)); err != nil {
		return Type{}, err
	}
	for i, l := range append(slices.Clone(a.LBatch), a.LContract...) {
		r := append(slices.Clone(a.RBatch), a.RContract...)[i]
		if err := cond(2, x.Shape[l].Equal(y.Shape[r]), "shapes %v and %v: axis %d of x is %v, axis "+
			"%d of y is %v",
			x.Shape, y.Shape, l, x.Shape[l], r, y.Shape[r]); err != nil {
			return Type{}, err
		}
	}
	var out Shape
	for _, i := range a.LBatch {
		out = append(out, x.Shape[i])
	}
	out = append(out, dropAxes(x.Shape, append(slices.Clone(a.LBatch), a.LContract...))...)
	out = append(out, dropAxes(y.Shape, append(slices.Clone(a.RBatch), a.RContract...))...)
	return Of(x.DType, out), nil
}

func distinct(a, b []int, rank int) error {
	seen := make([]bool, rank)
	for _, i := range append(slices.Clone(a), b...) {
		if i < 0 || i >= rank || seen[i] {
			return cond(1, false, "axes %v, %v are not distinct within rank %d", a, b, rank)
		}
		seen[i] = true
	}
	return nil
}

func inferConv(in *inference) (Type, error) {
	x, w, a := in.arg(0), in.arg(1), in.attr.(*ConvAttr)
	n := x.Rank() - 2
	if err := first(cond(1, n >= 0 && w.Rank() == x.Rank() && len(a.Stride) == n &&
		len(a.Dilation) == n &&
		len(a.InDilation) == n && len(a.Lo) == n && len(a.Hi) == n,
		"input %v, weights %v, %d strides", x, w, len(a.Stride)),
		cond(3, x.DType == w.DType, "x is %v, y is %v", x.DType, w.DType)); err != nil {
		return Type{}, err
	}
	for i := range n {
		if err := cond(1, a.Stride[i] > 0 && a.Dilation[i] > 0 && a.InDilation[i] > 0,
			"axis %d: stride %d, dilation %d, input dilation %d", i, a.Stride[i], a.Dilation[i],
			a.InDilation[i]); err != nil {
			return Type{}, err
		}
	}
	c := a.Axes(x.Rank())
	groups := Const(a.Groups)
	if err := first(cond(2, a.Groups > 0 && x.Shape[c.InC].Equal(w.Shape[c.WI].Mul(groups)),
		"input %v, weights %v: %v input channels, want %d groups of %v", x, w,
		x.Shape[c.InC], a.Groups, w.Shape[c.WI]),
		cond(2, w.Shape[c.WO].Mod(groups).IsConst(0), "%v output channels are not %d groups",
			w.Shape[c.WO], a.Groups)); err != nil {
		return Type{}, err
	}
	out := make(Shape, n+2)
	out[0], out[c.InC] = x.Shape[0], w.Shape[c.WO]
	for i := range n {
		d := x.Shape[c.InS+i]
		d = d.AddConst(-1).MulConst(a.InDilation[i]).AddConst(1).Add(a.Lo[i]).Add(a.Hi[i])
		out[c.InS+i] = WindowExtent(d, w.Shape[c.WS+i], a.Stride[i], a.Dilation[i])
	}
	return Of(x.DType, out), nil
}

// ConvAxes says where the axes of a convolution are: InC and InS are the
// channel axis and the first spatial axis of input and result, WO, WI and WS
// the output channel, input channel and first spatial axis of the weights.
type ConvAxes struct{ InC, InS, WO, WI, WS int }

// Axes returns the places of the axes for inputs of the given rank.
func (a *ConvAttr) Axes(rank int) ConvAxes {
	if a.Last {
		return ConvAxes{InC: rank - 1, InS: 1, WO: rank - 1, WI: rank - 2, WS: 0}
	}
	return ConvAxes{InC: 1, InS: 2, WO: 0, WI: 1, WS: 2}
}
