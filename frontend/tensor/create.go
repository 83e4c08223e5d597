package tensor

import (
	"math"
	"reflect"

	"github.com/tensorcc/tcc/ir"
)

// Of returns a tensor of a copy of x: a Go number or bool, or a slice or array
// of these of any depth. The element type is Go's (int is i64, i32 where it has
// 32 bits).
func Of(x any) Tensor {
	c := start("Of")
	if t, ok := x.(Tensor); ok {
		n := c.in(t)
		return c.out(n)
	}
	l, err := literalOf(reflect.ValueOf(x))
	if err != nil {
		return c.fail("%v", err)
	}
	return fresh(leafNode(l, c.pos))
}

// FromSlice returns a tensor of the given shape whose memory is data: nothing
// is copied. A change of data is seen by everything that is evaluated after
// it; a write through the tensor changes data at once. Without a shape it is
// one-dimensional. An element type such as uint16 is the integer's: see
// [FromBits] for half-precision floats.
func FromSlice[E Element](data []E, shape ...int) Tensor {
	return fromMemory(start("FromSlice"), dtypeFor[E](), data, shape)
}

// FromBits is [FromSlice] for element types without a Go type, held in
// integers of their size: f16 and bf16 in uint16.
func FromBits[E Element](d DType, data []E, shape ...int) Tensor {
	c := start("FromBits")
	if size := int(reflect.TypeFor[E]().Size()); d.Size() != size {
		return c.fail("%v takes %d bytes, an element of %T %d", d, d.Size(), data, size)
	}
	return fromMemory(c, d, data, shape)
}

func fromMemory[E Element](c *call, d DType, data []E, shape []int) Tensor {
	dims := []int64{int64(len(data))}
	if len(shape) > 0 {
		dims = c.extents(shape)
	}
	n := product(dims)
	if c.err == nil && n != int64(len(data)) {
		return c.fail("shape %v has %d elements, the slice %d", dims, n, len(data))
	}
	if c.err != nil {
		return c.bad()
	}
	l := &ir.Literal{DType: d, Shape: dims, Data: bytesOf(data)}
	t := fresh(leafNode(l, c.pos))
	t.s.mem, t.s.cur.shared = l, true
	return t
}

// extents checks a static shape.
func (c *call) extents(shape []int) []int64 {
	dims := make([]int64, len(shape))
	for i, d := range shape {
		if d < 0 {
			c.fail("shape %v: extent %d is negative", shape, d)
			return nil
		}
		dims[i] = int64(d)
	}
	if product(dims) < 0 {
		c.fail("shape %v: the number of elements overflows", shape)
	}
	return dims
}

// product of extents; -1 on overflow of what memory can hold.
func product(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		if d != 0 && n > math.MaxInt64/16/d {
			return -1
		}
		n *= d
	}
	return n
}

// Zeros returns a tensor of zeros.
func Zeros(d DType, shape ...int) Tensor { return start("Zeros").filled(d, weak{kind: I64}, shape) }

// Ones returns a tensor of ones.
func Ones(d DType, shape ...int) Tensor {
	return start("Ones").filled(d, weak{kind: I64, i: 1, f: 1}, shape)
}

func (c *call) filled(d DType, w weak, shape []int) Tensor {
	dims := c.extents(shape)
	if c.err == nil && !ir.Computable.Has(d) {
		return c.fail("element type %v, want one that tensors compute with", d)
	}
	n := c.as(operand{w: w}, d)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.stretch(n, ir.Dims(dims...)))
}

// Full returns a tensor of the given shape filled with the number x, of x's
// type: int is i64, float64 is f64.
func Full(x any, shape ...int) Tensor {
	c := start("Full")
	o := c.operand(x)
	dims := c.extents(shape)
	if c.err != nil {
		return c.bad()
	}
	if o.typ().Rank() != 0 {
		return c.fail("shape %s, want a number", shapeString(o.typ().Shape))
	}
	return c.out(c.stretch(c.as(o, o.typ().DType), ir.Dims(dims...)))
}

// ZerosLike returns zeros of t's type and shape, which may be symbolic.
func ZerosLike(t Tensor) Tensor { return start("ZerosLike").like(t, 0) }

// OnesLike returns ones of t's type and shape, which may be symbolic.
func OnesLike(t Tensor) Tensor { return start("OnesLike").like(t, 1) }

// FullLike returns a tensor of t's type and shape filled with the number x.
func FullLike(t Tensor, x any) Tensor {
	c := start("FullLike")
	o := c.operand(x)
	n := c.in(t)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.stretch(c.as(o, n.typ.DType), n.typ.Shape))
}

func (c *call) like(t Tensor, x int64) Tensor {
	n := c.in(t)
	if c.err != nil {
		return c.bad()
	}
	one := c.as(operand{w: weak{kind: I64, i: x, f: float64(x)}}, n.typ.DType)
	return c.out(c.stretch(one, n.typ.Shape))
}

// Arange returns the numbers start, start+step, ... below stop (above it for a
// negative step): Arange(stop), Arange(start, stop) or Arange(start, stop,
// step) as in NumPy. The type is i64 if all are integers, else f64.
func Arange(args ...any) Tensor {
	c := start("Arange")
	if len(args) < 1 || len(args) > 3 {
		return c.fail("%d arguments, want stop, or start and stop, or start, stop and step", len(args))
	}
	r := [3]weak{{kind: I64}, {}, {kind: I64, i: 1, f: 1}}
	for i, a := range args {
		w, ok := scalarOf(a)
		if !ok {
			return c.fail("argument %d is a %T, want a number", i, a)
		}
		if len(args) == 1 {
			i = 1
		}
		r[i] = w
	}
	from, stop, step := r[0], r[1], r[2]
	if step.f == 0 {
		return c.fail("the step is 0")
	}
	d := I64
	count := whole(from.i, stop.i, step.i)
	if from.kind == F64 || stop.kind == F64 || step.kind == F64 {
		d, count = F64, math.Ceil((stop.f-from.f)/step.f)
	}
	if !(count < 1<<40) {
		return c.fail("from %v to %v by %v is %g elements", from.f, stop.f, step.f, count)
	}
	shape := ir.Dims(int64(max(count, 0)))
	n := c.op(ir.OpIota, &ir.IotaAttr{DType: d, Shape: shape})
	if step.f != 1 {
		n = c.op(ir.OpMul, nil, n, c.stretch(c.number(step, d), shape))
	}
	if from.f != 0 {
		n = c.op(ir.OpAdd, nil, n, c.stretch(c.number(from, d), shape))
	}
	return c.out(n)
}

// whole is how many integers from from by step, which is not 0, lie before stop.
func whole(from, stop, step int64) float64 {
	by := uint64(step)
	if step < 0 {
		from, stop, by = stop, from, -by
	}
	if from >= stop || by == 0 {
		return 0
	}
	return float64((uint64(stop)-uint64(from)-1)/by) + 1 // differences have 64 bits
}

// scalarOf reads a Go number.
func scalarOf(x any) (weak, bool) {
	v := reflect.ValueOf(x)
	switch {
	case !v.IsValid():
		return weak{}, false
	case v.CanInt():
		return weak{kind: I64, i: v.Int(), f: float64(v.Int())}, true
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return weak{kind: I64, i: int64(v.Uint()), f: float64(v.Uint())}, true
	case v.CanFloat():
		return weak{kind: F64, f: v.Float()}, true
	}
	return weak{}, false
}
