package irtest

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Where arguments come from: values of the graph, new inputs, constants.

// bits returns the data's source of randomness for floats of the graph.
func (b *gen) filler(kind profile) filler { return filler{r: b.r, kind: kind} }

// dataBound is the bound of data made by a filler.
func dataBound(kind profile) Bound {
	return Bound{mag: tameMagnitude, raw: true, clean: kind != wild}
}

// input makes a new source of type t: a parameter or, in regions and now and
// then elsewhere, a constant. lo and hi are the range of an index profile.
func (b *gen) input(t ir.Type, kind profile, lo int64, hi []int64) *ir.Value {
	static := t.Shape.Static()
	if !b.top || static && b.chance(5) || b.late(t.Shape) {
		return b.constant(t, kind, lo, hi)
	}
	v := b.g.Param(fmt.Sprintf("p%d", len(b.g.Params)), t, ir.Pos{})
	for i := range b.inputs {
		f := b.filler(kind)
		f.lo, f.hi = lo, hi[min(i, len(hi)-1)]
		b.inputs[i] = append(b.inputs[i], f.literal(t.DType, b.concrete(t.Shape, i)))
	}
	return b.note(v, dataBound(kind))
}

// late reports whether s has symbols that values bind: no parameter may.
func (b *gen) late(s ir.Shape) bool {
	return slices.ContainsFunc(s, func(d ir.Dim) bool {
		return slices.ContainsFunc(d.SymNames(), func(n string) bool { return b.syms.late[n] })
	})
}

// constant makes a constant of type t; where t has symbols, a scalar that is
// broadcast.
func (b *gen) constant(t ir.Type, kind profile, lo int64, hi []int64) *ir.Value {
	shape, static := t.Shape.Ints()
	f := b.filler(kind)
	f.lo, f.hi = lo, slices.Min(hi)
	if !static {
		shape = nil
	}
	l := f.literal(t.DType, shape)
	if static && len(l.Data) > 0 && b.chance(4) {
		l.Data, l.Splat = l.Data[:t.DType.Size()], true
	}
	v := b.emit(dataBound(kind), ir.OpConst, &ir.ConstAttr{Value: l})
	if !static {
		v = b.emit(dataBound(kind), ir.OpBroadcast, &ir.BroadcastAttr{Shape: t.Shape}, v)
	}
	return v
}

// fresh makes a new source of data of the graph's profile.
func (b *gen) fresh(t ir.Type) *ir.Value { return b.input(t, b.kind, 0, []int64{1}) }

// pick returns a random value for which ok holds, nil if there is none. Later
// values are likelier, so that graphs become deep.
func (b *gen) pick(ok func(v *ir.Value) bool) *ir.Value {
	var found []*ir.Value
	for _, v := range b.g.Values {
		if v.Type.DType != ir.Tuple && v.Op != ir.OpCheck && ok(v) {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[max(b.r.IntN(len(found)), b.r.IntN(len(found)))]
}

// value returns a value of one of the types, for which ok (may be nil) holds;
// a new one now and then.
func (b *gen) value(op ir.Op, types ir.DTypes, ok func(v *ir.Value) bool) *ir.Value {
	good := func(v *ir.Value) bool {
		return types.Has(v.Type.DType) && b.allowed(op, v.Type.DType) && (ok == nil || ok(v))
	}
	if !b.chance(6) {
		if v := b.pick(good); v != nil {
			return v
		}
	}
	d, found := b.dtype(op, types)
	if !found {
		return nil
	}
	v := b.fresh(ir.Of(d, b.shape()))
	if !good(v) {
		return nil
	}
	return v
}

// dtype picks an element type that op may use; f32 is the likeliest.
func (b *gen) dtype(op ir.Op, types ir.DTypes) (ir.DType, bool) {
	var ds []ir.DType
	for d := ir.Bool; d < ir.String; d++ {
		if types.Has(d) && b.allowed(op, d) {
			ds = append(ds, d)
		}
	}
	if len(ds) == 0 {
		return ir.Invalid, false
	}
	if slices.Contains(ds, ir.F32) && b.chance(2) {
		return ir.F32, true
	}
	return ds[b.r.IntN(len(ds))], true
}

// like returns a value of type t, made by broadcasting where that helps. ok,
// if not nil, must hold for it.
func (b *gen) like(t ir.Type, ok func(v *ir.Value) bool) *ir.Value {
	if !b.chance(4) {
		if v := b.pick(func(v *ir.Value) bool {
			return v.Type.Equal(t) && (ok == nil || ok(v))
		}); v != nil {
			return v
		}
	}
	if b.chance(2) && b.allowed(ir.OpBroadcast, t.DType) {
		if v := b.pick(func(v *ir.Value) bool {
			return v.Type.DType == t.DType && (ok == nil || ok(v)) && stretches(v.Type.Shape, t.Shape)
		}); v != nil {
			return b.stretch(v, t.Shape)
		}
		s := t.Shape.Clone()
		for i := range s {
			if b.chance(2) {
				s[i] = ir.Const(1)
			}
		}
		s = s[b.r.IntN(len(s)+1):]
		if v := b.fresh(ir.Of(t.DType, s)); ok == nil || ok(v) {
			return b.stretch(v, t.Shape)
		}
	}
	if v := b.fresh(t); ok == nil || ok(v) {
		return v
	}
	return nil
}

// stretches reports whether from broadcasts to the shape to.
func stretches(from, to ir.Shape) bool {
	if len(from) > len(to) {
		return false
	}
	s, err := ir.Broadcast(from, to)
	return err == nil && s.Equal(to)
}

func (b *gen) stretch(v *ir.Value, s ir.Shape) *ir.Value {
	if v.Type.Shape.Equal(s) {
		return v
	}
	axes := make([]int, v.Type.Rank())
	for i := range axes {
		axes[i] = len(s) - len(axes) + i
	}
	return b.emit(b.bound(v), ir.OpBroadcast, &ir.BroadcastAttr{Shape: s, Axes: axes}, v)
}

// exact reports whether v is known to the bit.
func (b *gen) exact(v *ir.Value) bool { return b.bound(v).Exact() }

// indices returns i32 or i64 values of the given shape in [0, n) in all input
// sets, or nil where n may be 0 and the shape is not empty.
func (b *gen) indices(s ir.Shape, n ir.Dim) *ir.Value {
	hi := b.eval(n)
	if slices.Min(hi) <= 0 && b.elems(s) > 0 {
		return nil
	}
	d := []ir.DType{ir.I64, ir.I32}[b.r.IntN(2)]
	k, static := n.Int()
	if static && d == ir.I64 && b.chance(3) && b.allowed(ir.OpMod, d) {
		v := b.pick(func(v *ir.Value) bool { return v.Type.Equal(ir.Of(d, s)) })
		if v != nil {
			l := ir.SplatLiteral(d, b.splatShape(s), k)
			if s.Static() {
				m := b.emit(Bound{}, ir.OpConst, &ir.ConstAttr{Value: l})
				return b.emit(Bound{}, ir.OpMod, nil, v, m)
			}
		}
	}
	return b.input(ir.Of(d, s), index, 0, hi)
}

func (b *gen) splatShape(s ir.Shape) []int64 {
	ints, _ := s.Ints()
	return ints
}
