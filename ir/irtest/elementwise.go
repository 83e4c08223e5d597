package irtest

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// discontinuous are the elementwise operations whose result jumps: they take
// arguments that are known to the bit.
var discontinuous = map[ir.Op]bool{
	ir.OpSign: true, ir.OpCeil: true, ir.OpFloor: true, ir.OpTrunc: true, ir.OpRound: true,
	ir.OpIsNaN: true, ir.OpIsInf: true, ir.OpFloorDiv: true, ir.OpRem: true, ir.OpMod: true,
}

// elementwise appends an operation of the table's elementwise kinds.
func elementwise(b *gen, op ir.Op) {
	info := op.Info()
	switch op {
	case ir.OpCast, ir.OpBitcast:
		convert(b, op)
		return
	case ir.OpSelect:
		choose(b)
		return
	case ir.OpBarrier:
		if x := b.value(op, info.Types, nil); x != nil {
			b.emit(b.bound(x), op, &ir.BarrierAttr{ID: b.r.IntN(3), Stop: b.r.IntN(2) == 0}, x)
		}
		return
	}
	var ok func(v *ir.Value) bool
	if discontinuous[op] || op.Is(ir.Compares) {
		ok = b.exact
	}
	x := b.value(op, info.Types, ok)
	if x == nil || op.Is(ir.Compares) && !b.allowed(op, ir.Bool) {
		return
	}
	args := []*ir.Value{x}
	for range info.Args - 1 {
		y := b.like(x.Type, ok)
		if y == nil {
			return
		}
		args = append(args, y)
	}
	bound, fits := elementwiseBound(op, x.Type.DType, b.boundsOf(args))
	if fits {
		b.emit(bound, op, nil, args...)
	}
}

// elementwiseBound returns the bound of an elementwise operation on type d, or
// false where it is not to be built.
func elementwiseBound(op ir.Op, d ir.DType, args []Bound) (Bound, bool) {
	if !d.IsFloat() || op.Is(ir.Compares) {
		return Bound{}, true
	}
	x := join(args...)
	x.raw = false
	_, approximated := functions[op]
	switch {
	case approximated:
		return function(op, d, args...)
	case discontinuous[op]:
		if op != ir.OpFloorDiv {
			x.mag = max(x.mag, 1) + 1
		} else {
			x.mag, x.clean = math.Inf(1), false
		}
		x.clean = x.clean && op != ir.OpRem && op != ir.OpMod
		return x, true
	case op == ir.OpNeg || op == ir.OpAbs || op == ir.OpMax || op == ir.OpMin:
		return x, true
	}
	out, ok := arith(op, d, args)
	if op == ir.OpDiv || op == ir.OpSqrt {
		out.clean = false
	}
	return out, ok
}

// convert appends a cast or bitcast.
func convert(b *gen, op ir.Op) {
	x := b.value(op, ir.Storable, func(v *ir.Value) bool {
		return op != ir.OpBitcast ||
			b.bound(v).raw
	})
	if x == nil {
		return
	}
	from, bound := x.Type.DType, b.bound(x)
	to, ok := b.dtype(op, ir.Storable)
	if op == ir.OpBitcast {
		var same ir.DTypes
		for d := ir.Bool; d < ir.String; d++ {
			if d.Bits() == from.Bits() && (d == ir.Bool) == (from == ir.Bool) {
				same |= 1 << d
			}
		}
		if to, ok = b.dtype(op, same&ir.Storable); !ok || isNarrow(to) != isNarrow(from) {
			return
		}
		if to != from && isFloat(to) {
			bound = Bound{mag: math.Inf(1), raw: !isFloat(from)}
		}
		b.emit(bound, op, &ir.DTypeAttr{DType: to}, x)
		return
	}
	if !ok || isFloat(from) && !bound.Exact() && (!to.IsFloat() || to.Bits() < from.Bits()) {
		return
	}
	if isFloat(from) && isFloat(to) {
		bound.raw = false
		bound.clean = bound.clean && bound.mag < largest(to)
		if bound.mag > largest(to) || to == ir.F8E4M3 || to == ir.F8E5M2 {
			bound.mag, bound.clean = math.Inf(1), false
		}
	} else if isFloat(to) {
		mag := math.Ldexp(1, from.Bits())
		bound = Bound{mag: mag, clean: mag < largest(to)}
	}
	b.emit(bound, op, &ir.DTypeAttr{DType: to}, x)
}

// isNarrow reports whether not all bytes are elements of d.
func isNarrow(d ir.DType) bool { return d == ir.I4 || d == ir.U4 }

// choose appends a select.
func choose(b *gen) {
	y := b.value(ir.OpSelect, ir.Storable, nil)
	if y == nil || !b.allowed(ir.OpSelect, ir.Bool) {
		return // the condition's type counts
	}
	z := b.like(y.Type, nil)
	x := b.like(y.Type.With(ir.Bool), nil)
	if z == nil || x == nil {
		return
	}
	b.emit(join(b.bound(y), b.bound(z)), ir.OpSelect, nil, x, y, z)
}

// softmax appends a softmax over the last axis, as front ends write it.
func softmax(b *gen, _ ir.Op) {
	x := b.value(ir.OpExp, 1<<ir.F32|1<<ir.F64, func(v *ir.Value) bool {
		return v.Type.Rank() > 0 && b.bound(v).mag < 50 && b.bound(v).clean &&
			b.bound(v).abs() < 1e-3 &&
			b.minOf(v.Type.Shape[v.Type.Rank()-1]) > 0
	})
	if x == nil || !b.allAllowed(x.Type.DType, ir.OpReduceMax, ir.OpSub, ir.OpSum, ir.OpDiv,
		ir.OpBroadcast) {
		return
	}
	last := x.Type.Rank() - 1
	keep := make([]int, last)
	for i := range keep {
		keep[i] = i
	}
	wide := &ir.BroadcastAttr{Shape: x.Type.Shape, Axes: keep}
	in := b.bound(x)
	in.raw = false // the maximum of NaN need not keep its payload
	loose := Bound{Abs: 4*in.abs() + 64*unit(x.Type.DType), mag: math.Exp(2 * in.mag), clean: true}
	m := b.emit(in, ir.OpReduceMax, &ir.AxesAttr{Axes: []int{last}}, x)
	d := b.emit(loose, ir.OpSub, nil, x, b.emit(in, ir.OpBroadcast, wide, m))
	loose.mag = 1
	e := b.emit(loose, ir.OpExp, nil, d)
	n := loose
	n.Abs *= float64(b.maxOf(x.Type.Shape[last]))
	n.mag = float64(b.maxOf(x.Type.Shape[last]))
	s := b.emit(n, ir.OpSum, &ir.AxesAttr{Axes: []int{last}}, e)
	loose.Abs *= 2
	b.emit(loose, ir.OpDiv, nil, e, b.emit(n, ir.OpBroadcast, wide, s))
}

func (b *gen) allAllowed(d ir.DType, ops ...ir.Op) bool {
	for _, op := range ops {
		if !b.allowed(op, d) {
			return false
		}
	}
	return true
}
