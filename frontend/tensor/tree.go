package tensor

import (
	"reflect"

	"github.com/tensorcc/tcc/ir"
)

// Trees: values of Go types that are made of tensors, a Tensor, or a struct,
// array or slice of such.

// tree lists the tensors of *p and gives it structs, arrays and slices of its
// own, so that writing to them changes no other value.
func tree[P any](c *call, p *P) []*Tensor {
	v := reflect.ValueOf(p).Elem()
	v.Set(copied(v))
	var all []slot
	if err := slots(v, "", "", &all); err != nil {
		c.fail("%T: %v", *p, err)
		return nil
	}
	out := make([]*Tensor, len(all))
	for i, s := range all {
		out[i] = s.t
	}
	return out
}

// copied is v with slices and pointers of its own, but for Tensors.
func copied(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch {
	case v.Type() == tensorType:
	case v.Kind() == reflect.Pointer && !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct:
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(copied(v.Elem()))
	case v.Kind() == reflect.Slice && !v.IsNil():
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		fallthrough
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(copied(v.Index(i)))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if out.Field(i).CanSet() {
				out.Field(i).Set(copied(v.Field(i)))
			}
		}
	}
	return out
}

// values are the present values of tensors, nil after an error.
func (c *call) values(ts []*Tensor) []*node {
	ns := make([]*node, len(ts))
	for i, t := range ts {
		if ns[i] = c.in(*t); c.err != nil {
			return nil
		}
	}
	return ns
}

// with returns p with the values ns in the places of its tensors.
func with[P any](c *call, p P, ns []*node) P {
	ts := tree(c, &p)
	if c.err != nil {
		return p
	}
	if len(ts) != len(ns) {
		c.fail("%d tensors, want %d", len(ts), len(ns))
		return p
	}
	for i, t := range ts {
		*t = fresh(ns[i])
	}
	return p
}

// fit checks that what are the values of tensors of the types of like.
func (c *call) fit(what string, ns, like []*node) {
	if c.err != nil {
		return
	}
	if len(ns) != len(like) {
		c.fail("%d %ss, want %d", len(ns), what, len(like))
		return
	}
	for i, n := range ns {
		if !n.typ.Equal(like[i].typ) {
			c.fail("%s %d is %v, want %v", what, i, n.typ, like[i].typ)
			return
		}
	}
}

func floats(ns []*node) []*node {
	var out []*node
	for _, n := range ns {
		if n.typ.DType.IsFloat() {
			out = append(out, n)
		}
	}
	return out
}

// orNil makes an error of c's, which must not be a nil *Error in an error.
func (c *call) orNil() error {
	if c.err == nil {
		return nil
	}
	c.bad()
	return c.err
}

// eye is the identity matrix of extent n and type d.
func (c *call) eye(n ir.Dim, d DType) *node {
	count := func(axis int) *node {
		return c.op(ir.OpIota, &ir.IotaAttr{DType: I64, Shape: ir.Shape{n, n}, Axis: axis})
	}
	same := c.op(ir.OpEq, nil, count(0), count(1))
	return c.op(ir.OpCast, &ir.DTypeAttr{DType: d}, same)
}

func (c *call) reshaped(n *node, s ir.Shape) *node {
	if c.err != nil {
		return nil
	}
	return c.op(ir.OpReshape, &ir.ShapeAttr{Shape: s}, n)
}
