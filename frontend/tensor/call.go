package tensor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Error says which call of the user's could not be recorded and why.
type Error struct {
	Pos ir.Pos // of the call
	Op  string // the operation called
	Msg string // what is, what was wanted, what to do
	// Cause is the error of an evaluator or a file, if there is one.
	Cause error
}

// Error returns "file:line: op: what is, what was wanted, what to do".
func (e *Error) Error() string {
	s := e.Op + ": " + e.Msg
	if p := e.Pos.String(); p != "" {
		s = p + ": " + s
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// call is one call of the API that is being recorded: it collects the nodes it
// makes, and the first error, after which its methods do nothing.
type call struct {
	name string
	pos  ir.Pos
	tr   *tracer
	err  *Error
}

func start(name string) *call { return &call{name: name, pos: callerPos()} }

// Fail returns a tensor that carries an error at the place of the user's call,
// for packages that have operations of their own; a cause is wrapped by %w.
func Fail(op, format string, args ...any) Tensor {
	c := start(op)
	t := c.fail(strings.ReplaceAll(format, "%w", "%v"), args...)
	return t
}

// fail records an error and returns the tensor that carries it.
func (c *call) fail(format string, args ...any) Tensor {
	if c.err == nil {
		c.err = &Error{Pos: c.pos, Op: c.name, Msg: fmt.Sprintf(format, args...)}
		for _, a := range args {
			if err, ok := a.(error); ok {
				c.err.Cause = err
			}
		}
	}
	return c.bad()
}

// bad is the result of a call that failed.
func (c *call) bad() Tensor {
	if c.tr != nil && c.tr.err == nil {
		c.tr.err = c.err
	}
	return Tensor{err: c.err}
}

// check takes over the error of an argument.
func (c *call) check(t Tensor) bool {
	switch {
	case c.err != nil:
	case t.err != nil:
		c.err = t.err
	case t.s == nil:
		c.fail("the zero Tensor is no tensor: make one by Of, Zeros or another operation")
	default:
		t.s.mu.Lock()
		c.err = t.s.err
		t.s.mu.Unlock()
	}
	return c.err == nil
}

// in returns the present value of an argument, nil after an error.
func (c *call) in(t Tensor) *node {
	if !c.check(t) {
		return nil
	}
	n := t.value()
	c.join(n)
	return n
}

// join notes which traced function the call is part of.
func (c *call) join(n *node) {
	if n.tr == nil {
		return
	}
	if c.tr != nil && c.tr != n.tr {
		c.fail("uses tensors of two traced functions: a traced function uses its arguments, " +
			"what it computes and tensors with known values")
		return
	}
	c.tr = n.tr
}

// op records an operation; nil after an error.
func (c *call) op(op ir.Op, attr ir.Attr, args ...*node) *node {
	if c.err != nil {
		return nil
	}
	types := make([]ir.Type, len(args))
	for i, a := range args {
		types[i] = a.typ
	}
	typ, err := ir.InferType(op, attr, types...)
	if err != nil {
		c.fail("%s", unlabelled(err))
		return nil
	}
	n := newNode(op, attr, typ, c.pos, args...)
	if n.grads && gradsOff() {
		n.grads = false
	}
	return n
}

// unlabelled takes the operation and the condition's label off an error of
// package ir: the call's own name says more to the user.
func unlabelled(err error) string {
	s := err.Error()
	parts := strings.SplitN(s, ": ", 3)
	if len(parts) == 3 && len(parts[1]) > 1 && parts[1][0] == 'c' {
		return parts[2]
	}
	return s
}

// out makes a tensor of a call's result.
func (c *call) out(n *node) Tensor {
	if c.err != nil {
		return c.bad()
	}
	return fresh(n)
}

// Err returns why t could not be made, or nil.
func (t Tensor) Err() error {
	c := &call{name: "tensor"}
	if !c.check(t) {
		return c.err
	}
	return nil
}

// FirstError returns the error of the first tensor that has one.
func FirstError(ts ...Tensor) error {
	for _, t := range ts {
		if err := t.Err(); err != nil {
			return err
		}
	}
	return nil
}

// DType returns the element type, ir.Invalid for a tensor with an error.
func (t Tensor) DType() DType {
	if t.Err() != nil {
		return ir.Invalid
	}
	return t.typ().DType
}

// Dims returns the extents, which may be symbolic in a traced function; nil
// for a tensor with an error.
func (t Tensor) Dims() ir.Shape {
	if t.Err() != nil {
		return nil
	}
	return append(ir.Shape{}, t.typ().Shape...)
}

// Shape returns the extents, -1 for those that are symbolic; nil for a tensor
// with an error.
func (t Tensor) Shape() []int {
	dims := t.Dims()
	if dims == nil {
		return nil
	}
	out := make([]int, len(dims))
	for i, d := range dims {
		out[i] = -1
		if k, ok := d.Int(); ok {
			out[i] = int(k)
		}
	}
	return out
}

// Rank returns the number of axes; 0 for a tensor with an error.
func (t Tensor) Rank() int { return len(t.Dims()) }

// Size returns the number of elements; -1 if it is symbolic or t has an error.
func (t Tensor) Size() int {
	if t.Err() == nil {
		if n, ok := t.typ().Shape.Size().Int(); ok {
			return int(n)
		}
	}
	return -1
}

// Dim returns the extent of an axis, which may count from the end by a
// negative number.
func (t Tensor) Dim(axis int) (ir.Dim, error) {
	c := start("Dim")
	if !c.check(t) {
		return ir.Dim{}, c.err
	}
	i, ok := c.axis(axis, t.typ().Rank())
	if !ok {
		return ir.Dim{}, c.err
	}
	return t.typ().Shape[i], nil
}

// Len returns the extent of axis 0; -1 if it is symbolic or there is none.
func (t Tensor) Len() int {
	if s := t.Shape(); len(s) > 0 {
		return s[0]
	}
	return -1
}

// axis resolves an axis that may be negative.
func (c *call) axis(axis, rank int) (int, bool) {
	i := axis
	if i < 0 {
		i += rank
	}
	if c.err == nil && (i < 0 || i >= rank) {
		if rank == 0 {
			c.fail("axis %d of a tensor without axes", axis)
		} else {
			c.fail("axis %d is out of range, want one from %d to %d", axis, -rank, rank-1)
		}
	}
	return i, c.err == nil
}

// along checks t and resolves an axis of it.
func (c *call) along(t Tensor, axis int) (int, bool) {
	n := c.in(t)
	if n == nil {
		return 0, false
	}
	return c.axis(axis, n.typ.Rank())
}

// shapeString prints a shape as NumPy users read it: (2,3).
func shapeString(s ir.Shape) string {
	t := s.String()
	return "(" + t[1:len(t)-1] + ")"
}

// sameTrace reports whether err is an error of this package, which already
// names its place.
func sameTrace(err error) bool {
	var e *Error
	return errors.As(err, &e)
}
