package ir

import (
	"fmt"
	"slices"
	"strings"
)

// Shape is a list of extents, outermost first. The empty shape is a scalar's.
type Shape []Dim

// Dims makes a static shape.
func Dims(dims ...int64) Shape {
	s := make(Shape, len(dims))
	for i, d := range dims {
		s[i] = Const(d)
	}
	return s
}

// Equal reports whether s and t have the same rank and equal extents.
func (s Shape) Equal(t Shape) bool { return slices.EqualFunc(s, t, Dim.Equal) }

// Static reports whether all extents are numbers.
func (s Shape) Static() bool {
	return !slices.ContainsFunc(s, func(d Dim) bool { return !d.Static() })
}

// Ints returns the extents of a static shape.
func (s Shape) Ints() ([]int64, bool) {
	out := make([]int64, len(s))
	for i, d := range s {
		k, ok := d.Int()
		if !ok {
			return nil, false
		}
		out[i] = k
	}
	return out, true
}

// Size returns the number of elements.
func (s Shape) Size() Dim {
	n := Const(1)
	for _, d := range s {
		n = n.Mul(d)
	}
	return n
}

// Tail returns the first axis from which on s has n elements, -1 if there is none.
func (s Shape) Tail(n Dim) int {
	for i := range len(s) + 1 {
		if s[i:].Size().Equal(n) {
			return i
		}
	}
	return -1
}

// Clone returns a copy that shares nothing with s.
func (s Shape) Clone() Shape { return slices.Clone(s) }

// String prints s as in the text form: "[2,N,3]".
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// Type is the type of a value: an element type and a shape, or, with DType
// Tuple, the types of several results, which [OpGet] takes apart.
type Type struct {
	DType DType
	Shape Shape
	Elems []Type
}

// T makes a tensor type.
func T(d DType, shape ...Dim) Type { return Type{DType: d, Shape: shape} }

// Of makes a tensor type of the given shape.
func Of(d DType, shape Shape) Type { return Type{DType: d, Shape: shape} }

// TupleOf makes a tuple type.
func TupleOf(elems ...Type) Type { return Type{DType: Tuple, Elems: elems} }

// Rank returns the number of axes.
func (t Type) Rank() int { return len(t.Shape) }

// Equal reports whether t and u are the same type.
func (t Type) Equal(u Type) bool {
	return t.DType == u.DType && t.Shape.Equal(u.Shape) &&
		slices.EqualFunc(t.Elems, u.Elems, Type.Equal)
}

// With returns t with another element type.
func (t Type) With(d DType) Type { return Type{DType: d, Shape: t.Shape} }

// String prints t as in the text form: "f32[2,N]", "(f32[2], i64[])".
func (t Type) String() string {
	if t.DType != Tuple {
		return t.DType.String() + t.Shape.String()
	}
	parts := make([]string, len(t.Elems))
	for i, e := range t.Elems {
		parts[i] = e.String()
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Broadcast returns the shape to which a and b broadcast by NumPy's rule:
// axes are aligned at the end, and an extent of 1 stretches. Two symbolic
// extents that are not known to be equal are an error here; who knows more
// must say so before.
func Broadcast(a, b Shape) (Shape, error) {
	n := max(len(a), len(b))
	out := make(Shape, n)
	for i := 1; i <= n; i++ {
		switch {
		case i > len(a):
			out[n-i] = b[len(b)-i]
		case i > len(b):
			out[n-i] = a[len(a)-i]
		default:
			x, y := a[len(a)-i], b[len(b)-i]
			switch {
			case x.Equal(y) || y.IsConst(1):
				out[n-i] = x
			case x.IsConst(1):
				out[n-i] = y
			default:
				return nil, fmt.Errorf("shapes %v and %v do not broadcast: axis %d is %v against %v",
					a, b, n-i, x, y)
			}
		}
	}
	return out, nil
}
