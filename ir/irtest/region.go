package irtest

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Operations with bodies. A body is made by a generator of its own, which
// shares randomness and symbols with the outer one.

// region starts a body whose parameters are like args.
func (b *gen) region(name string, types []ir.Type, bounds []Bound) *gen {
	in := &gen{Config: b.Config, r: b.r, g: ir.NewGraph(name), kind: b.kind, syms: b.syms}
	for i, t := range types {
		v := in.g.Param(fmt.Sprintf("a%d", i), t, ir.Pos{})
		in.note(v, bounds[i])
		in.bounds[v.ID].raw = bounds[i].raw
	}
	return in
}

// regionArgs picks up to n values to pass into a body.
func (b *gen) regionArgs(op ir.Op, n int) (args []*ir.Value, types []ir.Type, bounds []Bound) {
	for range n {
		if v := b.value(op, ir.Computable, nil); v != nil {
			args, types = append(args, v), append(types, v.Type)
			bounds = append(bounds, b.bound(v))
		}
	}
	return args, types, bounds
}

// tuple emits an operation with bodies and takes its results apart.
func (b *gen) tuple(op ir.Op, attr ir.Attr, bounds []Bound, args ...*ir.Value) {
	if len(bounds) == 1 {
		b.emit(bounds[0], op, attr, args...)
		return
	}
	v := b.emit(Bound{}, op, attr, args...)
	for i, bound := range bounds {
		b.emit(bound, ir.OpGet, &ir.IndexAttr{Index: i}, v)
	}
}

// inner returns the values of the body that can be its results.
func (b *gen) inner() []*ir.Value {
	var out []*ir.Value
	for _, v := range b.g.Values {
		if v.Op != ir.OpParam && v.Type.DType != ir.Tuple {
			out = append(out, v)
		}
	}
	return out
}

func makeFuse(b *gen, op ir.Op) {
	if _, ok := b.dtype(op, ir.Computable); !ok {
		return
	}
	args, types, bounds := b.regionArgs(op, 1+b.r.IntN(3))
	in := b.region("body", types, bounds)
	in.fill(1 + b.r.IntN(5))
	vs := in.inner()
	if len(vs) == 0 {
		return
	}
	rs := []*ir.Value{vs[len(vs)-1]}
	if b.chance(2) {
		rs = append(rs, vs[b.r.IntN(len(vs))])
	}
	in.g.SetResults(nil, rs...)
	b.tuple(op, &ir.FuseAttr{Body: in.g, Kind: "loop"}, in.boundsOf(rs), args...)
}

func makeIf(b *gen, op ir.Op) {
	if !b.allowed(op, ir.Bool) {
		return
	}
	cond := b.like(ir.T(ir.Bool), nil)
	args, types, bounds := b.regionArgs(op, 1+b.r.IntN(2))
	if cond == nil || len(args) == 0 || !b.allowed(op, types[0].DType) {
		return
	}
	then, els := b.region("then", types, bounds), b.region("else", types, bounds)
	then.fill(b.r.IntN(5))
	els.fill(b.r.IntN(5))
	vs := then.inner()
	var rs, es []*ir.Value
	if len(vs) == 0 {
		rs = []*ir.Value{then.g.Params[0]}
	} else {
		rs = []*ir.Value{vs[len(vs)-1]}
	}
	e := els.like(rs[0].Type, nil)
	if e == nil {
		return
	}
	es = []*ir.Value{e}
	if b.chance(2) {
		rs, es = append(rs, then.g.Params[0]), append(es, els.g.Params[0])
	}
	then.g.SetResults(nil, rs...)
	els.g.SetResults(nil, es...)
	out := make([]Bound, len(rs))
	for i := range rs {
		out[i] = join(then.bound(rs[i]), els.bound(es[i]))
	}
	b.tuple(op, &ir.IfAttr{Then: then.g, Else: els.g}, out, append([]*ir.Value{cond}, args...)...)
}

// makeScan makes a loop whose carried floats are squashed by tanh, so that
// errors stay small.
func makeScan(b *gen, op ir.Op) {
	carry := b.value(op, ir.Ints|1<<ir.F32|1<<ir.F64, func(v *ir.Value) bool {
		return b.bound(v).mag <= 16 && b.bound(v).abs() < 1e-5
	})
	x := b.value(op, ir.Computable, func(v *ir.Value) bool {
		return hasAxes(v) && b.maxOf(v.Type.Shape[0]) <= 32 && b.exact(v)
	})
	if carry == nil || x == nil || !b.allowed(ir.OpTanh, carry.Type.DType) &&
		carry.Type.DType.IsFloat() {
		return
	}
	d := carry.Type.DType
	assumed := Bound{Abs: 1024 * unit(d), mag: 16}
	if d.IsInt() {
		assumed = Bound{clean: true}
	}
	types := []ir.Type{carry.Type, ir.Of(x.Type.DType, x.Type.Shape[1:])}
	in := b.region("step", types, []Bound{assumed, b.bound(x)})
	in.fill(1 + b.r.IntN(4))
	next := in.like(carry.Type, func(v *ir.Value) bool {
		return d.IsInt() ||
			in.bound(v).abs() <= assumed.Abs/4
	})
	if next == nil {
		return
	}
	if d.IsFloat() {
		next = in.emit(assumed, ir.OpTanh, nil, next)
	}
	rs, bounds := []*ir.Value{next}, []Bound{assumed}
	if vs := in.inner(); len(vs) > 0 && b.chance(2) {
		y := vs[b.r.IntN(len(vs))]
		s := append(ir.Shape{x.Type.Shape[0]}, y.Type.Shape...)
		if b.fits(s) {
			rs, bounds = append(rs, y), append(bounds, in.bound(y))
		}
	}
	in.g.SetResults(nil, rs...)
	b.tuple(op, &ir.LoopAttr{Body: in.g, Carry: 1, Xs: 1, Length: x.Type.Shape[0],
		Reverse: b.chance(2)},
		bounds, carry, x)
}
