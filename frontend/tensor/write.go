package tensor

import (
	"github.com/tensorcc/tcc/ir"
)

// Writes. A write makes a new value of the storage in which the view that is
// written to has changed; nothing that was computed before changes.

// assign writes x, broadcast and converted, to all of t.
func (t Tensor) assign(c *call, x any) {
	if c.err != nil {
		return
	}
	val := c.fitted(c.operand(x), t.typ())
	t.store(c, val)
}

// converted is fitted without the condition on kinds: as NumPy assigns, floats
// are written to integers by Cast.
func (c *call) converted(o operand, to ir.Type) *node {
	if c.err == nil && (o.n != nil || o.w.kind == F64) {
		o = operand{n: c.cast(c.as(o, o.typ().DType), to.DType)}
	}
	return c.fitted(o, to)
}

// fitted converts and broadcasts an operand to the type of what it is written
// to.
func (c *call) fitted(o operand, to ir.Type) *node {
	if c.err != nil {
		return nil
	}
	if from := o.typ().DType; o.n != nil && !sameKind(from, to.DType) {
		c.fail("%v does not fit %v without loss of its kind: Cast it first", from, to.DType)
		return nil
	} else if o.n == nil && o.w.kind == F64 && !to.DType.IsFloat() {
		c.fail("the number %v does not fit %v: Cast one of them first", o.w.f, to.DType)
		return nil
	}
	n := c.as(o, to.DType)
	if c.err != nil {
		return nil
	}
	s, err := ir.Broadcast(n.typ.Shape, to.Shape)
	if err != nil || !s.Equal(to.Shape) {
		c.fail("shape %s does not broadcast to %s, the shape of what is written to",
			shapeString(n.typ.Shape), shapeString(to.Shape))
		return nil
	}
	return c.stretch(n, to.Shape)
}

// sameKind reports whether NumPy writes from into to: not floats into
// integers, nor numbers into bools.
func sameKind(from, to DType) bool {
	rank := func(d DType) int {
		switch {
		case d == Bool:
			return 0
		case d.IsInt():
			return 1
		}
		return 2
	}
	return rank(from) <= rank(to)
}

// store makes val the value of the view t.
func (t Tensor) store(c *call, val *node) {
	if c.err != nil {
		return
	}
	if !t.v.writable() {
		c.fail("writes to an expanded tensor, of which several elements are one: Clone it first")
		return
	}
	s := t.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.join(val); c.err == nil && c.tr != nil && s.cur.tr == nil && s.born < c.tr.born {
		c.fail("writes to a tensor from outside the traced function: " +
			"pass it as an argument and return it")
	}
	next := t.v.put(c, s.cur, val)
	if c.err != nil {
		return
	}
	if s.wants && s.cur.leaf == s {
		if !gradsOff() {
			c.fail("writes to a tensor that requires a gradient: do it inside NoGrad, or write to a Clone")
			return
		}
		next = leafOf(s, next)
	}
	if s.mem == nil {
		s.cur = next
		return
	}
	if err := s.writeThrough(next); err != nil {
		c.fail("%v", err)
	}
}

// after returns t after a write: an error is kept by the storage, so that all
// who read it later get it.
func (t Tensor) after(c *call) Tensor {
	if c.err == nil {
		return t
	}
	t.s.mu.Lock()
	if t.s.err == nil {
		t.s.err = c.err
	}
	t.s.mu.Unlock()
	return c.bad()
}

// update is the form of in-place operations: t = f(t, y), in t's type.
func (t Tensor) update(name string, y any, f func(a Tensor, y any) Tensor) Tensor {
	c := start(name)
	if !c.check(t) {
		return c.bad()
	}
	t.assign(c, f(t, y))
	return t.after(c)
}

// Add_ adds y to t in place.
func (t Tensor) Add_(y any) Tensor { return t.update("Add_", y, Tensor.Add) }

// Sub_ subtracts y from t in place.
func (t Tensor) Sub_(y any) Tensor { return t.update("Sub_", y, Tensor.Sub) }

// Mul_ multiplies t by y in place.
func (t Tensor) Mul_(y any) Tensor { return t.update("Mul_", y, Tensor.Mul) }

// Div_ divides t, a tensor of floats, by y in place.
func (t Tensor) Div_(y any) Tensor { return t.update("Div_", y, Tensor.Div) }

// Fill_ sets all elements of t to the number x.
func (t Tensor) Fill_(x any) Tensor {
	return t.update("Fill_", x, func(_ Tensor, y any) Tensor {
		if s, ok := y.(Tensor); ok {
			return s
		}
		return FullLike(t, y)
	})
}

// Copy_ writes y, broadcast and converted, to all of t.
func (t Tensor) Copy_(y Tensor) Tensor {
	return t.update("Copy_", y, func(_ Tensor, y any) Tensor { return y.(Tensor) })
}
