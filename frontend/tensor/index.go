package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Indexing. Basic indices (numbers, All, Slice, None, Ellipsis) make views;
// index arrays and masks copy.

type allIndex struct{}
type noneIndex struct{}
type ellipsisIndex struct{}

// Range is a slice along an axis, made by [Slice].
type Range struct {
	start, stop any // int or nil
	step        int
	bad         bool
}

// All selects a whole axis, as ":" in Python.
var All any = allIndex{}

// None puts in an axis of extent 1.
var None any = noneIndex{}

// Ellipsis stands for All on as many axes as are not mentioned.
var Ellipsis any = ellipsisIndex{}

// Slice selects start, start+step, ... before stop along an axis, as
// start:stop:step in Python: nil is the end where it lies in the direction of
// the step, which is 1 if it is left out; negative numbers count from the end;
// what is out of range is cut off.
func Slice(start, stop any, step ...int) Range {
	r := Range{start: start, stop: stop, step: 1}
	if len(step) > 0 {
		r.step = step[0]
	}
	for _, x := range []any{start, stop} {
		if _, ok := x.(int); !ok && x != nil {
			r.bad = true
		}
	}
	r.bad = r.bad || len(step) > 1
	return r
}

// Index returns a part of t: for each axis in turn a number (which drops the
// axis), All, a Slice, or an integer or bool index array (a Tensor or a Go
// slice); None puts in an axis; Ellipsis stands for the axes not mentioned,
// which otherwise are the last. Without index arrays it is a view; with them it
// is a copy, whose axes stand where NumPy puts them.
//
// A mask has the extents of the axes that it indexes; one without axes puts in an
// axis, of extent 1 if it is true, else 0. What it gives has as many
// elements as are true: outside a traced function the mask is evaluated, inside
// their number is a new named extent. Other index arrays beside a mask that
// depends on an argument have extent 1 or as many elements as are true, which
// is an error when the function runs if they have not: that a single true
// element broadcasts is not known when it is recorded.
func (t Tensor) Index(idx ...any) Tensor {
	c := start("Index")
	if !c.check(t) {
		return c.bad()
	}
	p := c.parse(t, idx)
	v := p.view(t)
	if len(p.arrays) == 0 || c.err != nil {
		return v
	}
	return p.gather(v)
}

// Set writes x, which is broadcast and converted as by Cast, into the part of t
// that the indices name; all of t without indices. The base and all views that
// overlap see it. An error stays with the storage, so that it is not lost.
func (t Tensor) Set(x any, idx ...any) Tensor {
	c := start("Set")
	if !c.check(t) {
		return c.bad()
	}
	p := c.parse(t, idx)
	v := p.view(t)
	if len(p.arrays) > 0 && c.err == nil {
		return p.scatter(t, v, x)
	}
	if c.err == nil {
		v.store(c, c.converted(c.operand(x), v.typ()))
	}
	return t.after(c)
}

// parsed is an index taken apart: a basic slice, then axes put in and taken
// away, then index arrays on some of the axes of that.
type parsed struct {
	*call
	slice   *ir.SliceAttr
	shape   ir.Shape // of the view
	arrays  []*node  // i64
	places  []int    // axes of the view that arrays index
	spread  bool     // a basic index stands between arrays
	sliced  bool     // slice is not everything
	reshape bool     // shape is not the slice's
}

// parse takes the index idx of t apart.
func (c *call) parse(t Tensor, idx []any) *parsed {
	s := t.typ().Shape
	p := &parsed{call: c, slice: wholeSlice(s)}
	idx = c.expandMasks(idx)
	idx = c.fillEllipsis(idx, len(s))
	advanced := slices.ContainsFunc(idx, isArray)
	axis, lastArray := 0, -1
	for k, x := range idx {
		if c.err != nil {
			return p
		}
		if i, ok := x.(int); ok && !advanced {
			p.number(i, axis, s)
			axis++
			continue
		}
		switch x := x.(type) {
		case ellipsisIndex:
			continue
		case noneIndex:
			p.shape = append(p.shape, ir.Const(1))
			p.reshape = true
			continue
		case allIndex:
			p.shape = append(p.shape, s[axis])
		case Range:
			p.rangeIndex(x, axis, s[axis])
			p.shape = append(p.shape, p.slice.Shape[axis])
		default: // an array, or a number beside one, which counts as such
			if lastArray >= 0 && k > lastArray+1 {
				p.spread = true
			}
			lastArray = k
			p.places = append(p.places, len(p.shape))
			if m, ok := x.(maskScalar); ok {
				p.arrays, p.shape = append(p.arrays, c.in(m.Tensor)), append(p.shape, ir.Const(1))
				p.reshape = true
				continue
			}
			if m, ok := x.(maskAxis); ok {
				c.require(m.extent, s[axis],
					fmt.Sprintf("axis %d of shape %s, extent of the mask", axis, shapeString(s)))
				x = m.Tensor
			}
			p.arrays = append(p.arrays, c.index(c.operand(x), s, axis))
			p.shape = append(p.shape, s[axis])
		}
		axis++
	}
	return p
}

// fillEllipsis puts All in the place of the Ellipsis, or at the end.
func (c *call) fillEllipsis(idx []any, rank int) []any {
	at, axes := -1, 0
	for i, x := range idx {
		switch x.(type) {
		case ellipsisIndex:
			if at >= 0 {
				c.fail("two Ellipsis: want one")
			}
			at = i
		case noneIndex, maskScalar:
		default:
			axes++
		}
	}
	if axes > rank {
		c.fail("%d indices for %d axes", axes, rank)
		return nil
	}
	fill := slices.Repeat([]any{All}, rank-axes)
	if at >= 0 && len(fill) == 0 {
		return idx // it still stands between others
	}
	if at < 0 {
		return append(idx[:len(idx):len(idx)], fill...)
	}
	return slices.Concat(idx[:at], fill, idx[at+1:])
}

// number selects one coordinate of an axis, which disappears.
func (p *parsed) number(i, axis int, s ir.Shape) {
	d := s[axis]
	n, static := d.Int()
	if static && (int64(i) >= n || int64(i) < -n) {
		p.fail("index %d is out of range for axis %d of shape %s", i, axis, shapeString(s))
		return
	}
	at := ir.Const(int64(i))
	if i < 0 {
		at = d.AddConst(int64(i))
	}
	p.slice.Start[axis], p.slice.Shape[axis] = at, ir.Const(1)
	p.sliced, p.reshape = true, true
}

// rangeIndex resolves a slice of an axis of extent d as Python does.
func (p *parsed) rangeIndex(r Range, axis int, d ir.Dim) {
	if r.bad || r.step == 0 {
		p.fail("axis %d: want Slice(start, stop) or Slice(start, stop, step) with ints or nil "+
			"and a step that is not 0", axis)
		return
	}
	zero, one := ir.Const(0), ir.Const(1)
	lo, hi := zero, d // where start and stop are cut off
	if r.step < 0 {
		lo, hi = ir.Const(-1), d.Sub(one)
	}
	limit := func(x any, otherwise ir.Dim) ir.Dim {
		i, ok := x.(int)
		if !ok {
			return otherwise
		}
		at := ir.Const(int64(i))
		if i < 0 {
			at = d.AddConst(int64(i))
			return at.Max(lo)
		}
		return at.Min(hi)
	}
	from, to := limit(r.start, lo), limit(r.stop, hi)
	length := to.Sub(from).CeilDiv(ir.Const(int64(r.step)))
	if r.step < 0 {
		from, to = limit(r.start, hi), limit(r.stop, lo)
		length = from.Sub(to).CeilDiv(ir.Const(int64(-r.step)))
	}
	if k, ok := length.Int(); ok {
		length = ir.Const(max(k, 0))
	} else if r.start != nil || r.stop != nil {
		length = length.Max(zero)
	}
	if length.IsConst(0) {
		from = zero
	}
	p.slice.Start[axis], p.slice.Step[axis], p.slice.Shape[axis] = from, int64(r.step), length
	p.sliced = true
}

// view applies the basic part of the index.
func (p *parsed) view(t Tensor) Tensor {
	if p.err != nil {
		return p.bad()
	}
	if p.sliced {
		t = t.view(p.call, ir.OpSlice, p.slice)
	}
	if p.reshape && p.err == nil {
		t = t.view(p.call, ir.OpReshape, &ir.ShapeAttr{Shape: p.shape})
	}
	return t
}

// maskAxis holds the coordinates of a mask's true elements on one of its axes,
// whose extent has to be that of the axis it indexes.
type maskAxis struct {
	Tensor
	extent ir.Dim
}

// maskScalar is a mask without axes: it puts in an axis of extent 1 and holds
// its coordinate, or none.
type maskScalar struct{ Tensor }

// expandMasks replaces each bool index array by the coordinates of its true
// elements, one array an axis of the mask: see trueCoordinates.
func (c *call) expandMasks(idx []any) []any {
	var out []any
	for _, x := range idx {
		if !isArray(x) {
			out = append(out, x)
			continue
		}
		o := c.operand(x)
		if c.err != nil || o.typ().DType != Bool {
			out = append(out, x)
			continue
		}
		mask := c.as(o, Bool)
		if c.err == nil && mask.typ.Rank() == 0 {
			if at := c.trueCoordinates(c.reshape(mask, ir.Dims(1))); c.err == nil {
				out = append(out, maskScalar{at[0]})
			}
			continue
		}
		for k, coords := range c.trueCoordinates(mask) {
			out = append(out, maskAxis{coords, mask.typ.Shape[k]})
		}
	}
	return out
}

func isArray(x any) bool {
	switch x.(type) {
	case int, allIndex, noneIndex, ellipsisIndex, Range, nil:
		return false
	}
	return true
}

// tuples joins the index arrays, broadcast together, into index tuples along a
// new last axis; shape is theirs.
func (p *parsed) tuples() (tuples *node, shape ir.Shape) {
	arrays := p.broadcast(p.agreed(p.arrays)...)
	if p.err != nil {
		return nil, nil
	}
	shape = arrays[0].typ.Shape
	column := append(shape.Clone(), ir.Const(1))
	for i, a := range arrays {
		arrays[i] = p.op(ir.OpReshape, &ir.ShapeAttr{Shape: column}, a)
	}
	return p.op(ir.OpConcat, &ir.AxisAttr{Axis: len(shape)}, arrays...), shape
}

// agreed makes index arrays fit where an extent is the number of true elements
// of a mask that depends on an argument: what it has to be for the arrays to
// broadcast, if it is not 1, is a condition that holds when the function runs.
func (p *parsed) agreed(arrays []*node) []*node {
	if p.err != nil || p.tr == nil || len(p.tr.binders) == 0 {
		return arrays
	}
	var all ir.Shape // from the last axis; what the arrays agree on
	for _, a := range arrays {
		for i, d := range slices.Backward(a.typ.Shape) {
			at := len(a.typ.Shape) - 1 - i
			if at == len(all) {
				all = append(all, d)
			} else if all[at].IsConst(1) || p.tr.counted(all[at]) && !d.IsConst(1) {
				all[at] = d
			}
		}
	}
	out := slices.Clone(arrays)
	for k, a := range arrays {
		to := a.typ.Shape.Clone()
		for i, d := range to {
			if want := all[len(to)-1-i]; p.tr.counted(d) && !d.Equal(want) {
				p.require(d, want, fmt.Sprintf("index arrays of extents %v and %v, the true elements of a "+
					"mask and what they shall broadcast with", d, want))
				to[i] = want
			}
		}
		out[k] = p.call.reshape(a, to)
	}
	return out
}

// counted reports whether d is a number of true elements.
func (tr *tracer) counted(d ir.Dim) bool {
	return slices.ContainsFunc(d.SymNames(), func(s string) bool { return tr.binders[s] != nil })
}

// front is the permutation that brings the indexed axes of the view to the
// front.
func (p *parsed) front() []int {
	perm := slices.Clone(p.places)
	for i := range p.shape {
		if !slices.Contains(p.places, i) {
			perm = append(perm, i)
		}
	}
	return perm
}

// gather reads the elements that the index arrays name.
func (p *parsed) gather(v Tensor) Tensor {
	x := p.in(v)
	tuples, shape := p.tuples()
	if p.err != nil {
		return p.bad()
	}
	x = p.op(ir.OpTranspose, &ir.PermAttr{Perm: p.front()}, x)
	got := p.op(ir.OpGatherND, &ir.BatchAttr{}, x, tuples)
	return p.out(p.op(ir.OpTranspose, &ir.PermAttr{Perm: p.resultAxes(len(shape))}, got))
}

// resultAxes places the n axes of the arrays, which come first in what is
// gathered: there if a basic index stands between the arrays, else where the
// first array stood.
func (p *parsed) resultAxes(n int) []int {
	rest := len(p.shape) - len(p.places)
	if p.spread {
		return count(0, n+rest)
	}
	before := p.places[0]
	return slices.Concat(count(n, n+before), count(0, n), count(n+before, n+rest))
}

// scatter writes x into the elements that the index arrays name.
func (p *parsed) scatter(t, v Tensor, x any) Tensor {
	base := p.in(v)
	o := p.operand(x)
	tuples, shape := p.tuples()
	if p.err != nil {
		return t.after(p.call)
	}
	front := p.front()
	moved := p.op(ir.OpTranspose, &ir.PermAttr{Perm: front}, base)
	all := append(shape.Clone(), moved.typ.Shape[len(p.places):]...)
	perm := p.resultAxes(len(shape))
	want := make(ir.Shape, len(all))
	for i, a := range perm {
		want[i] = all[a]
	}
	val := p.converted(o, ir.Of(base.typ.DType, want))
	if p.err == nil {
		val = p.op(ir.OpTranspose, &ir.PermAttr{Perm: inverse(perm)}, val)
		put := p.op(ir.OpScatterND, &ir.ScatterAttr{Reduce: "none"}, moved, tuples, val)
		v.store(p.call, p.op(ir.OpTranspose, &ir.PermAttr{Perm: inverse(front)}, put))
	}
	return t.after(p.call)
}

func inverse(perm []int) []int {
	inv := make([]int, len(perm))
	for i, p := range perm {
		inv[p] = i
	}
	return inv
}
