package tensor

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Writing by index, with PyTorch's names: the functions return a copy that has
// been written to, those with a final underscore write in place.

// ScatterOption is an option of [Tensor.Scatter].
type ScatterOption func(*scatterOptions)

type scatterOptions struct {
	reduce  string
	exclude bool
}

// ScatterReduce combines what is written to one place: "sum", "prod", "mean",
// "amax" or "amin". Without it the last one stays, in row-major order.
func ScatterReduce(by string) ScatterOption { return func(o *scatterOptions) { o.reduce = by } }

// IncludeSelf says whether what was there before takes part in the reduction;
// by default it does.
func IncludeSelf(with bool) ScatterOption { return func(o *scatterOptions) { o.exclude = !with } }

// scatterReductions are those of package ir by PyTorch's names, with what
// leaves the others as they are.
var scatterReductions = map[string]struct {
	ir       string
	identity func(c *call, like *node) *node
}{
	"":     {"none", (*call).zero},
	"sum":  {"add", (*call).zero},
	"mean": {"add", (*call).zero},
	"prod": {"mul", func(c *call, x *node) *node { return c.con(1, x) }},
	"amax": {"max", func(c *call, x *node) *node { return c.extremum(ir.OpReduceMax, x) }},
	"amin": {"min", func(c *call, x *node) *node { return c.extremum(ir.OpReduceMin, x) }},
}

// extremum is the largest or smallest of nothing, like a node.
func (c *call) extremum(op ir.Op, like *node) *node {
	if c.err != nil {
		return nil
	}
	none := c.stretch(c.number(weak{kind: I64}, like.typ.DType), ir.Dims(0))
	return c.stretch(c.op(op, &ir.AxesAttr{Axes: []int{0}}, none), like.typ.Shape)
}

// Scatter returns t with src[p] at p with coordinate axis replaced by index[p],
// for all p of index, whose extents are at most src's, and but along axis at
// most t's. src is a Tensor or a number. Negative indices count from the end;
// one out of range is an error when it is evaluated.
func (t Tensor) Scatter(axis int, index, src any, opts ...ScatterOption) Tensor {
	c := start("Scatter")
	return c.out(c.scatter(t, axis, index, src, opts))
}

func (c *call) scatter(t Tensor, axis int, index, src any, opts []ScatterOption) *node {
	var o scatterOptions
	for _, f := range opts {
		f(&o)
	}
	by, ok := scatterReductions[o.reduce]
	if !ok {
		c.fail("reduction %q, want sum, prod, mean, amax or amin", o.reduce)
	}
	x, idx, k := c.indexed(t, axis, index, true)
	y := c.operand(src)
	if c.err != nil {
		return nil
	}
	val := c.scattered(y, x, idx)
	if c.err != nil {
		return nil
	}
	a := &ir.ScatterAttr{Axis: k, Reduce: by.ir}
	base := x
	var hits *node
	if o.exclude || o.reduce == "mean" {
		n := c.integer(1, &node{typ: ir.Of(I64, idx.typ.Shape)})
		zeros := c.stretch(c.number(weak{kind: I64}, I64), x.typ.Shape)
		hits = c.op(ir.OpScatterAlong, &ir.ScatterAttr{Axis: k, Reduce: "add"}, zeros, idx, n)
	}
	if o.exclude && c.err == nil {
		base = c.sel(c.eq(hits, c.zero(hits)), x, by.identity(c, x))
	}
	r := c.op(ir.OpScatterAlong, a, base, idx, val)
	if o.reduce != "mean" || c.err != nil {
		return r
	}
	if o.exclude {
		hits = c.op(ir.OpMax, nil, hits, c.integer(1, hits))
	} else {
		hits = c.add(hits, c.integer(1, hits))
	}
	op := ir.OpDiv
	if x.typ.DType.IsInt() {
		op = ir.OpFloorDiv
	}
	return c.op(op, nil, r, c.cast(hits, x.typ.DType))
}

// scattered is what is written, cut to the index's shape.
func (c *call) scattered(y operand, x, idx *node) *node {
	s := idx.typ.Shape
	if y.typ().Rank() == 0 {
		return c.fitted(y, ir.Of(x.typ.DType, s))
	}
	from := y.typ().Shape
	if len(from) != len(s) {
		c.fail("source of shape %s for index of shape %s, want as many axes", shapeString(from),
			shapeString(s))
		return nil
	}
	part := wholeSlice(s)
	for i := range s {
		n, ok := from[i].Sub(s[i]).Int()
		if ok && n < 0 || !ok {
			c.fail("source of shape %s for index of shape %s, want none smaller", shapeString(from),
				shapeString(s))
			return nil
		}
	}
	val := y.n
	if !from.Equal(s) {
		val = c.op(ir.OpSlice, part, val)
	}
	return c.fitted(operand{n: val}, ir.Of(x.typ.DType, s))
}

// ScatterAdd returns t with src added at the indices, see [Tensor.Scatter].
func (t Tensor) ScatterAdd(axis int, index, src any) Tensor {
	c := start("ScatterAdd")
	return c.out(c.scatter(t, axis, index, src, []ScatterOption{ScatterReduce("sum")}))
}

// Scatter_ is [Tensor.Scatter] in place.
func (t Tensor) Scatter_(axis int, index, src any, opts ...ScatterOption) Tensor {
	return t.inPlace("Scatter_", func() Tensor { return t.Scatter(axis, index, src, opts...) })
}

// ScatterAdd_ is [Tensor.ScatterAdd] in place.
func (t Tensor) ScatterAdd_(axis int, index, src any) Tensor {
	return t.inPlace("ScatterAdd_", func() Tensor { return t.ScatterAdd(axis, index, src) })
}

// inPlace writes what f returns to all of t.
func (t Tensor) inPlace(name string, f func() Tensor) Tensor {
	c := start(name)
	if !c.checks(t) {
		return c.bad()
	}
	if y := c.named(f()); y.err == nil {
		t.assign(c, y)
	}
	return t.after(c)
}

// IndexSelect returns the slices of t at the integers of a vector along an
// axis, as [Tensor.Take].
func (t Tensor) IndexSelect(axis int, index any) Tensor { return t.Take(axis, index) }

// alongIndex spreads a vector of indices over the shape of src, or of t where
// src is a number, so that slices along axis are scattered by it.
func (c *call) alongIndex(t Tensor, axis int, index, src any) (Tensor, any) {
	k, ok := c.along(t, axis)
	i := c.tensor(index)
	if !ok || c.err != nil {
		return c.bad(), nil
	}
	if i.Rank() != 1 {
		return c.fail("index of shape %s, want a vector", shapeString(i.Dims())), nil
	}
	shape := t.Dims()
	shape[k] = i.Dims()[0]
	for range t.Rank() - 1 - k {
		i = i.Unsqueeze(-1)
	}
	if s, ok := src.(Tensor); ok && s.Err() == nil && s.Rank() > 0 {
		src = s.ExpandTo(shape)
	}
	return i.ExpandTo(shape), src
}

// IndexAdd returns t with alpha times the slices of src added to those at the
// integers of a vector along an axis.
func (t Tensor) IndexAdd(axis int, index any, src Tensor, alpha any) Tensor {
	c := start("IndexAdd")
	i, s := c.alongIndex(t, axis, index, src.Mul(alpha))
	if c.err != nil {
		return c.bad()
	}
	return c.named(t.ScatterAdd(axis, i, s))
}

// IndexCopy returns t with the slices of src at the integers of a vector along
// an axis.
func (t Tensor) IndexCopy(axis int, index any, src Tensor) Tensor {
	c := start("IndexCopy")
	i, s := c.alongIndex(t, axis, index, src)
	if c.err != nil {
		return c.bad()
	}
	return c.named(t.Scatter(axis, i, s))
}

// IndexFill returns t with a number at the integers of a vector along an axis.
func (t Tensor) IndexFill(axis int, index, value any) Tensor {
	c := start("IndexFill")
	i, s := c.alongIndex(t, axis, index, value)
	if c.err != nil {
		return c.bad()
	}
	return c.named(t.Scatter(axis, i, s))
}

// IndexAdd_ is [Tensor.IndexAdd] in place.
func (t Tensor) IndexAdd_(axis int, index any, src Tensor, alpha any) Tensor {
	return t.inPlace("IndexAdd_", func() Tensor { return t.IndexAdd(axis, index, src, alpha) })
}

// IndexCopy_ is [Tensor.IndexCopy] in place.
func (t Tensor) IndexCopy_(axis int, index any, src Tensor) Tensor {
	return t.inPlace("IndexCopy_", func() Tensor { return t.IndexCopy(axis, index, src) })
}

// IndexFill_ is [Tensor.IndexFill] in place.
func (t Tensor) IndexFill_(axis int, index, value any) Tensor {
	return t.inPlace("IndexFill_", func() Tensor { return t.IndexFill(axis, index, value) })
}

// MaskedFill returns t with value, a number or a scalar, where mask, which
// broadcasts with t, holds; in t's type.
func (t Tensor) MaskedFill(mask Tensor, value any) Tensor {
	c := start("MaskedFill")
	x, m := c.in(t), c.in(mask)
	v := c.operand(value)
	if c.err != nil {
		return c.bad()
	}
	if m.typ.DType != Bool {
		return c.fail("the mask is %v, want bool: compare it, as by Ne(0)", m.typ.DType)
	}
	if v.typ().Rank() != 0 {
		return c.fail("the value has shape %s, want a number", shapeString(v.typ().Shape))
	}
	ns := c.broadcast(m, x)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.sel(ns[0], c.fitted(v, ns[1].typ), ns[1]))
}

// MaskedFill_ is [Tensor.MaskedFill] in place.
func (t Tensor) MaskedFill_(mask Tensor, value any) Tensor {
	return t.inPlace("MaskedFill_", func() Tensor { return t.MaskedFill(mask, value) })
}

// MaskedSelect returns, as a vector, the elements of t where mask holds; both
// broadcast. Their number depends on data, see [Tensor.Nonzero].
func (t Tensor) MaskedSelect(mask Tensor) Tensor {
	c := start("MaskedSelect")
	if !c.checks(t, mask) {
		return c.bad()
	}
	both, err := BroadcastArrays(t, mask)
	if err != nil {
		return c.fail("%v", err)
	}
	return c.named(both[0].Index(both[1]))
}

// Zero_ sets all elements to zero.
func (t Tensor) Zero_() Tensor { return t.inPlace("Zero_", func() Tensor { return ZerosLike(t) }) }

// Clamp_ limits t to [lo, hi] in place; nil is no limit.
func (t Tensor) Clamp_(lo, hi any) Tensor {
	return t.inPlace("Clamp_", func() Tensor { return t.Clamp(lo, hi) })
}

// Apply_ writes f(t) to t: x.Apply_(tensor.Tensor.Exp) is exp in place. The
// result is converted to t's type as [Tensor.Set] does.
func (t Tensor) Apply_(f func(Tensor) Tensor) Tensor {
	return t.inPlace("Apply_", func() Tensor { return f(t) })
}

// Pow_ raises t to the power of y in place.
func (t Tensor) Pow_(y any) Tensor { return t.update("Pow_", y, Tensor.Pow) }

// FloorDiv_ divides t by y in place, as [Tensor.FloorDiv].
func (t Tensor) FloorDiv_(y any) Tensor { return t.update("FloorDiv_", y, Tensor.FloorDiv) }

// Mod_ takes t modulo y in place, as [Tensor.Mod].
func (t Tensor) Mod_(y any) Tensor { return t.update("Mod_", y, Tensor.Mod) }

// And_ is [Tensor.And] in place.
func (t Tensor) And_(y any) Tensor { return t.update("And_", y, Tensor.And) }

// Or_ is [Tensor.Or] in place.
func (t Tensor) Or_(y any) Tensor { return t.update("Or_", y, Tensor.Or) }

// Xor_ is [Tensor.Xor] in place.
func (t Tensor) Xor_(y any) Tensor { return t.update("Xor_", y, Tensor.Xor) }

// Neg_ negates t in place.
func (t Tensor) Neg_() Tensor { return t.inPlace("Neg_", t.Neg) }

// Exp_ is [Tensor.Exp] in place.
func (t Tensor) Exp_() Tensor { return t.inPlace("Exp_", t.Exp) }

// Sqrt_ is [Tensor.Sqrt] in place.
func (t Tensor) Sqrt_() Tensor { return t.inPlace("Sqrt_", t.Sqrt) }

// Abs_ is [Tensor.Abs] in place.
func (t Tensor) Abs_() Tensor { return t.inPlace("Abs_", t.Abs) }

// Relu_ is [Tensor.Relu] in place.
func (t Tensor) Relu_() Tensor { return t.inPlace("Relu_", t.Relu) }

// Unfold returns the windows of an axis, of the size and at the distance given:
// the axis counts the windows, whose elements are a new last axis.
func (t Tensor) Unfold(axis, size, step int) Tensor {
	c := start("Unfold")
	k, ok := c.along(t, axis)
	if !ok {
		return c.bad()
	}
	x := c.in(t)
	if size < 1 || step < 1 {
		return c.fail("size %d and step %d, want at least 1", size, step)
	}
	windows := c.windowExtent(k, x.typ.Shape[k], ir.Const(int64(size)), int64(step), 1)
	if c.err != nil {
		return c.bad()
	}
	s := ir.Shape{windows, ir.Const(int64(size))}
	at := c.iota(I64, s, 0)
	at = c.add(c.mul(at, c.integer(int64(step), at)), c.iota(I64, s, 1))
	y := c.op(ir.OpGather, &ir.AxisAttr{Axis: k}, x, at)
	if c.err != nil {
		return c.bad()
	}
	perm := slices.Delete(count(0, y.typ.Rank()), k+1, k+2)
	return c.out(c.transpose(y, append(perm, k+1)))
}
