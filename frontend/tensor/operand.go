package tensor

import (
	"fmt"
	"reflect"

	"github.com/tensorcc/tcc/ir"
)

// operand is an argument of an operation: a tensor's value, or a weak scalar
// that waits for the type it meets.
type operand struct {
	n *node
	w weak
}

// typ is the type that an operand has on its own.
func (o operand) typ() ir.Type {
	if o.n != nil {
		return o.n.typ
	}
	return ir.T(o.w.kind)
}

// operand accepts a Tensor, a Go number or bool, or a (nested) slice of these.
func (c *call) operand(x any) operand {
	switch x := x.(type) {
	case Tensor:
		return operand{n: c.in(x)}
	case *Tensor:
		if x == nil {
			c.fail("a nil *Tensor is no tensor")
			return operand{}
		}
		return operand{n: c.in(*x)}
	case int:
		return operand{w: weak{kind: I64, i: int64(x), f: float64(x)}}
	case float64:
		return operand{w: weak{kind: F64, f: x}}
	}
	l, err := literalOf(reflect.ValueOf(x))
	if err != nil {
		c.fail("%v", err)
		return operand{}
	}
	if l.Size() == 1 && len(l.Shape) == 0 {
		return operand{n: constNode(l, c.pos)}
	}
	return operand{n: leafNode(l, c.pos)}
}

// as returns the operand in type d.
func (c *call) as(o operand, d DType) *node {
	switch {
	case c.err != nil:
		return nil
	case o.n != nil && o.n.typ.DType == d:
		return o.n
	case o.n != nil:
		return c.op(ir.OpCast, &ir.DTypeAttr{DType: d}, o.n)
	case !o.w.fits(d):
		c.fail("the number %d does not fit %v: convert the tensor to a larger type first", o.w.i, d)
		return nil
	}
	return c.number(o.w, d)
}

// number is a weak scalar as a constant of type d.
func (c *call) number(w weak, d DType) *node {
	switch {
	case d == F64:
		return constNode(ir.SplatLiteral(F64, []int64{}, w.f), c.pos)
	case d == F32:
		return constNode(ir.SplatLiteral(F32, []int64{}, float32(w.f)), c.pos)
	case w.kind == F64:
		return c.op(ir.OpCast, &ir.DTypeAttr{DType: d}, constNode(ir.SplatLiteral(F64, []int64{}, w.f),
			c.pos))
	case d == I64:
		return constNode(ir.SplatLiteral(I64, []int64{}, w.i), c.pos)
	case d == I32:
		return constNode(ir.SplatLiteral(I32, []int64{}, int32(w.i)), c.pos)
	}
	return c.op(ir.OpCast, &ir.DTypeAttr{DType: d}, constNode(ir.SplatLiteral(I64, []int64{}, w.i),
		c.pos))
}

// meet returns the type in which operands meet: that of the tensors, then that with weak scalars.
func (c *call) meet(os ...operand) DType {
	if c.err != nil {
		return ir.Invalid
	}
	var strong, weaks []DType
	for _, o := range os {
		if o.n != nil {
			strong = append(strong, o.n.typ.DType)
		} else {
			weaks = append(weaks, o.w.kind)
		}
	}
	d, err := promoteAll(strong)
	if w, _ := promoteAll(weaks); len(strong) == 0 {
		d = w
	} else if len(weaks) > 0 && err == nil {
		d = weak{kind: w}.meet(d)
	}
	if err != nil {
		c.fail("%v", err)
	}
	return d
}

// broadcast brings all nodes to the shape to which they broadcast.
func (c *call) broadcast(ns ...*node) []*node {
	if c.err != nil {
		return ns
	}
	var shape ir.Shape
	for i, n := range ns {
		s, err := ir.Broadcast(shape, n.typ.Shape)
		if err != nil {
			c.fail("%s", misfit(shape, n.typ.Shape, i == len(ns)-1 && len(ns) == 2))
			return ns
		}
		shape = s
	}
	out := make([]*node, len(ns))
	for i, n := range ns {
		out[i] = c.stretch(n, shape)
	}
	return out
}

// stretch broadcasts n to a shape that it is known to fit.
func (c *call) stretch(n *node, shape ir.Shape) *node {
	if c.err != nil || n.typ.Shape.Equal(shape) {
		return n
	}
	return c.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: shape, Axes: lastAxes(len(n.typ.Shape),
		len(shape))}, n)
}

// lastAxes are the last n of rank axes.
func lastAxes(n, rank int) []int {
	axes := make([]int, n)
	for i := range axes {
		axes[i] = rank - n + i
	}
	return axes
}

// misfit explains why two shapes do not broadcast, and what would fit.
func misfit(a, b ir.Shape, pair bool) string {
	n := max(len(a), len(b))
	msg := fmt.Sprintf("shapes %s and %s do not broadcast", shapeString(a), shapeString(b))
	for i := 1; i <= min(len(a), len(b)); i++ {
		x, y := a[len(a)-i], b[len(b)-i]
		if x.Equal(y) || x.IsConst(1) || y.IsConst(1) {
			continue
		}
		msg += fmt.Sprintf(": axis %d is %v against %v", n-i, x, y)
		if !x.Static() || !y.Static() {
			msg += "; if they are equal, give both the same name"
		}
		break
	}
	if !pair {
		return msg
	}
	which, s, t := []string{"second", "first"}, b, a
	if len(a) < len(b) { // what has fewer axes is more likely to lack one
		which, s, t = []string{"first", "second"}, a, b
	}
	for _, w := range which {
		if k, u := unsqueezed(s, t); k >= 0 {
			return msg + fmt.Sprintf("; the %s would fit as %s: use Unsqueeze(%d)", w, shapeString(u), k)
		}
		s, t = t, s
	}
	return msg
}

// unsqueezed finds an axis of extent 1 that, put into s, lets it broadcast
// with t; -1 if there is none.
func unsqueezed(s, t ir.Shape) (int, ir.Shape) {
	for k := len(s); k >= 0; k-- {
		u := append(append(s[:k:k].Clone(), ir.Const(1)), s[k:]...)
		if _, err := ir.Broadcast(u, t); err == nil {
			return k, u
		}
	}
	return -1, nil
}
