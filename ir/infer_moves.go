package ir

import "slices"

// The type rules of moves, gathers and scatters.

func inferBroadcast(in *inference) (Type, error) {
	t, a := in.arg(0), in.attr.(*BroadcastAttr)
	if err := first(cond(1, len(a.Axes) == t.Rank(), "axes %v for rank %d", a.Axes, t.Rank()),
		increasing(a.Axes, len(a.Shape))); err != nil {
		return Type{}, err
	}
	for i, axis := range a.Axes {
		d := t.Shape[i]
		if err := cond(2, d.IsConst(1) || d.Equal(a.Shape[axis]), "axis %d is %v, target %v has %v",
			i, d, a.Shape, a.Shape[axis]); err != nil {
			return Type{}, err
		}
	}
	return Of(t.DType, a.Shape), nil
}

func inferReshape(in *inference) (Type, error) {
	t, s := in.arg(0), in.attr.(*ShapeAttr).Shape
	diff, decided := t.Shape.Size().Sub(s.Size()).Int()
	return Of(t.DType, s), cond(1, !decided || diff == 0, "%v has %v elements, %v has %v",
		t.Shape, t.Shape.Size(), s, s.Size())
}

func inferTranspose(in *inference) (Type, error) {
	t, perm := in.arg(0), in.attr.(*PermAttr).Perm
	if err := first(cond(1, len(perm) == t.Rank(), "permutation %v for rank %d", perm, t.Rank()),
		distinct(perm, nil, t.Rank())); err != nil {
		return Type{}, err
	}
	out := make(Shape, len(perm))
	for i, p := range perm {
		out[i] = t.Shape[p]
	}
	return Of(t.DType, out), nil
}

func inferSlice(in *inference) (Type, error) {
	t, a := in.arg(0), in.attr.(*SliceAttr)
	n := t.Rank()
	if err := cond(1, len(a.Start) == n && len(a.Step) == n && len(a.Shape) == n,
		"start %v, step %v, shape %v for rank %d", a.Start, a.Step, a.Shape, n); err != nil {
		return Type{}, err
	}
	for i, d := range t.Shape {
		if err := cond(2, a.Step[i] != 0, "step of axis %d is 0", i); err != nil {
			return Type{}, err
		}
		last := a.Start[i].Add(a.Shape[i].AddConst(-1).MulConst(a.Step[i]))
		if n, known := a.Shape[i].Int(); !known || n <= 0 {
			continue // it is or may be empty, and then lies anywhere
		}
		for _, at := range []Dim{a.Start[i], last} {
			if err := cond(3, !at.Overflows(), "axis %d: element number overflows int64", i); err != nil {
				return Type{}, err
			}
			lo, known := at.Int()
			hi, bounded := at.Sub(d).Int()
			if err := cond(3, !(known && lo < 0) && !(bounded && hi >= 0),
				"axis %d: element %v of an extent of %v", i, at, d); err != nil {
				return Type{}, err
			}
		}
	}
	return Of(t.DType, a.Shape), nil
}

func inferUpdateSlice(in *inference) (Type, error) {
	s, err := inferSlice(&inference{op: OpSlice, attr: in.attr, args: in.args[:1]})
	return in.arg(0), first(err, cond(4, in.arg(1).Equal(s), "y is %v, the slice %v", in.arg(1), s))
}

func inferPad(in *inference) (Type, error) {
	t, a := in.arg(0), in.attr.(*PadAttr)
	if err := first(cond(1, len(a.Lo) == t.Rank() && len(a.Hi) == t.Rank(),
		"lo %v, hi %v for rank %d",
		a.Lo, a.Hi, t.Rank()),
		cond(2, in.arg(1).Equal(T(t.DType)), "y is %v, want %v", in.arg(1), T(t.DType))); err != nil {
		return Type{}, err
	}
	out := make(Shape, t.Rank())
	for i, d := range t.Shape {
		out[i] = d.Add(a.Lo[i]).Add(a.Hi[i])
		k, ok := out[i].Int()
		if err := cond(1, !ok || k >= 0, "axis %d of %v becomes %d", i, t.Shape, k); err != nil {
			return Type{}, err
		}
	}
	return Of(t.DType, out), nil
}

func inferConcat(in *inference) (Type, error) {
	axis := in.attr.(*AxisAttr).Axis
	if err := cond(1, len(in.args) > 0, "no arguments"); err != nil {
		return Type{}, err
	}
	t := in.arg(0)
	if err := axisIn(axis, t.Rank()); err != nil {
		return Type{}, err
	}
	out := t.Shape.Clone()
	for i := 1; i < len(in.args); i++ {
		u := in.arg(i)
		if err := cond(1, u.DType == t.DType && u.Rank() == t.Rank(), "argument %d is %v, the first %v",
			i, u, t); err != nil {
			return Type{}, err
		}
		for j, d := range u.Shape {
			if j == axis {
				out[j] = out[j].Add(d)
			} else if err := cond(2, d.Equal(t.Shape[j]), "axis %d: argument %d is %v, the first %v",
				j, i, u, t); err != nil {
				return Type{}, err
			}
		}
	}
	return Of(t.DType, out), nil
}

func indexType(t Type, c int) error {
	return cond(c, t.DType == I64 || t.DType == I32, "indices are %v, want i32 or i64", t.DType)
}

func inferGather(in *inference) (Type, error) {
	t, idx, axis := in.arg(0), in.arg(1), in.attr.(*AxisAttr).Axis
	if err := first(axisIn(axis, t.Rank()), indexType(idx, 2)); err != nil {
		return Type{}, err
	}
	return Of(t.DType, slices.Concat(t.Shape[:axis], idx.Shape, t.Shape[axis+1:])), nil
}

func inferTakeAlong(in *inference) (Type, error) {
	t, idx, axis := in.arg(0), in.arg(1), in.attr.(*AxisAttr).Axis
	return Of(t.DType, idx.Shape), first(axisIn(axis, t.Rank()), indexType(idx, 1),
		cond(1, idx.Rank() == t.Rank(), "indices have rank %d, x has %d", idx.Rank(), t.Rank()))
}

func inferGatherND(in *inference) (Type, error) {
	t, idx, b := in.arg(0), in.arg(1), in.attr.(*BatchAttr).Batch
	if err := first(indexType(idx, 1), cond(1, idx.Rank() > b && t.Rank() >= b && b >= 0,
		"x %v, indices %v, %d batch axes", t, idx, b)); err != nil {
		return Type{}, err
	}
	k, ok := idx.Shape[idx.Rank()-1].Int()
	if err := first(cond(1, ok && k >= 0 && k <= int64(t.Rank()-b), "index tuples of %v for %v",
		idx.Shape[idx.Rank()-1], t),
		cond(1, idx.Shape[:b].Equal(t.Shape[:b]), "batch axes of x %v, of indices %v", t,
			idx)); err != nil {
		return Type{}, err
	}
	return Of(t.DType, slices.Concat(idx.Shape[:idx.Rank()-1], t.Shape[b+int(k):])), nil
}

func reduceName(c int, name string) error {
	return cond(c, slices.Contains([]string{"none", "add", "mul", "min", "max"}, name),
		"reduction %q, want none, add, mul, min or max", name)
}

func inferScatterAlong(in *inference) (Type, error) {
	t, idx, upd, a := in.arg(0), in.arg(1), in.arg(2), in.attr.(*ScatterAttr)
	return t, first(axisIn(a.Axis, t.Rank()), indexType(idx, 2), reduceName(2, a.Reduce),
		cond(1, idx.Shape.Equal(upd.Shape) && idx.Rank() == t.Rank(), "x %v, indices %v, updates %v",
			t, idx, upd), cond(2, upd.DType == t.DType, "x %v, updates %v", t, upd))
}

func inferScatterND(in *inference) (Type, error) {
	t, idx, upd, a := in.arg(0), in.arg(1), in.arg(2), in.attr.(*ScatterAttr)
	if err := first(indexType(idx, 1), reduceName(1, a.Reduce),
		cond(1, idx.Rank() > 0 && upd.DType == t.DType, "x %v, indices %v, updates %v", t, idx,
			upd)); err != nil {
		return Type{}, err
	}
	k, ok := idx.Shape[idx.Rank()-1].Int()
	if err := cond(1, ok && k >= 0 && k <= int64(t.Rank()), "index tuples of %v for %v",
		idx.Shape[idx.Rank()-1], t); err != nil {
		return Type{}, err
	}
	want := slices.Concat(idx.Shape[:idx.Rank()-1], t.Shape[k:])
	return t, cond(1, upd.Shape.Equal(want), "updates %v, want shape %v", upd, want)
}

func startType(t Type, rank int) error {
	want := T(I64, Const(int64(rank)))
	return cond(1, t.Equal(want), "starts are %v, want %v", t, want)
}

func inferDynamicSlice(in *inference) (Type, error) {
	t, s := in.arg(0), in.attr.(*ShapeAttr).Shape
	return Of(t.DType, s), first(startType(in.arg(1), t.Rank()),
		cond(1, len(s) == t.Rank(), "shape %v for %v", s, t))
}

func inferDynamicUpdate(in *inference) (Type, error) {
	t, u := in.arg(0), in.arg(1)
	return t, first(startType(in.arg(2), t.Rank()),
		cond(1, u.DType == t.DType && u.Rank() == t.Rank(), "update %v for %v", u, t))
}

func inferNonZero(in *inference) (Type, error) {
	d := in.attr.(*DimsAttr).Dims
	if err := cond(1, len(d) == 1, "%d extents, want 1", len(d)); err != nil {
		return Type{}, err
	}
	return T(I64, Const(int64(in.arg(0).Rank())), d[0]), nil
}
