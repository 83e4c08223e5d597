package tensor

import (
	"fmt"
	"reflect"
)

// Leaves lists the tensors in *v, a struct, array or slice of tensors and of
// such, in the order of declaration: what an optimizer goes through.
func Leaves(v any) ([]*Tensor, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return nil, fmt.Errorf("tensor: Leaves of %T, want a pointer to a struct of tensors", v)
	}
	var all []slot
	if err := slots(p.Elem(), "", "", &all); err != nil {
		return nil, fmt.Errorf("tensor: Leaves of %T: %w", v, err)
	}
	out := make([]*Tensor, len(all))
	for i, s := range all {
		out[i] = s.t
	}
	return out, nil
}

// GradOf is [Grad] with respect to all tensors in *params; it returns a struct
// of the same type that has the gradients in their places.
func GradOf[P any](loss Tensor, params *P) (P, error) {
	grads := *params
	c := start("GradOf")
	to := tree(c, &grads)
	if c.err != nil {
		return grads, c.orNil()
	}
	wrt := make([]Tensor, len(to))
	for i, t := range to {
		wrt[i] = *t
	}
	ds, err := Grad(loss, wrt...)
	for i, d := range ds {
		*to[i] = d
	}
	return grads, err
}

// Map returns v, a Tensor, or a struct, array or slice of such, with f of each
// tensor in its place.
func Map[T any](v T, f func(Tensor) Tensor) T {
	for _, t := range tree(start("Map"), &v) {
		*t = f(*t)
	}
	return v
}
