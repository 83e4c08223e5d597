package tensor

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

func funcFor(pc uintptr) string { return runtime.FuncForPC(pc).Name() }

// Func is a graph that can be called with tensors: it is evaluated at once.
type Func struct {
	Graph *ir.Graph
}

// Call computes the results of the graph for the arguments, one a parameter.
func (f *Func) Call(args ...Tensor) ([]Tensor, error) {
	c := start(f.Graph.Name)
	if len(args) != len(f.Graph.Params) {
		c.fail("%d arguments, want %d", len(args), len(f.Graph.Params))
		return nil, c.err
	}
	inputs := make([]*ir.Literal, len(args))
	if err := c.realize(args); err != nil {
		return nil, err
	}
	for i, p := range f.Graph.Params {
		inputs[i] = c.literal(args[i])
		if c.err != nil {
			return nil, c.err
		}
		if t := inputs[i].Type(); t.DType != p.Type.DType || t.Rank() != p.Type.Rank() {
			c.fail("argument %s is %v, want %v", p.ParamName(), t, p.Type)
			return nil, c.err
		}
	}
	evalMu.Lock()
	out, err := currentEvaluator().Run(context.Background(), f.Graph, inputs)
	evalMu.Unlock()
	if err != nil {
		c.fail("%v", err)
		return nil, c.err
	}
	results := make([]Tensor, len(out))
	for i, l := range out {
		results[i] = fresh(leafNode(l, c.pos))
	}
	return results, nil
}

// realize computes the arguments together.
func (c *call) realize(args []Tensor) error {
	var ns []*node
	for _, t := range args {
		n := c.in(t)
		if n == nil {
			return c.err
		}
		ns = append(ns, n)
	}
	if err := evaluateAll(ns); err != nil {
		c.fail("%v", err)
		return c.err
	}
	return nil
}

// Jit traces fn, see [Trace], and returns a function of the same type that
// evaluates the graph: the Go code of fn runs once. If fn's last result is an
// error, that of a call is returned by it; else the resulting tensors carry it.
func Jit[F any](fn F, specs ...string) (F, error) {
	var zero F
	s, err := newSignature(fn, specs)
	if err != nil {
		return zero, fmt.Errorf("jit: %w", err)
	}
	g, err := s.graph()
	if err != nil {
		return zero, err
	}
	f := &Func{Graph: g}
	call := func(in []reflect.Value) []reflect.Value { return s.call(f, in) }
	return reflect.MakeFunc(s.fn.Type(), call).Interface().(F), nil
}

// call takes arguments apart, calls f and puts the results together.
func (s *signature) call(f *Func, in []reflect.Value) []reflect.Value {
	var args []slot
	var err error
	for i, a := range in {
		v := reflect.New(a.Type()).Elem()
		v.Set(a)
		if e := slots(v, s.specs[i], "", &args); e != nil {
			err = e
		}
	}
	var got []Tensor
	if err == nil {
		ts := make([]Tensor, len(args))
		for i, a := range args {
			ts[i] = *a.t
		}
		got, err = f.Call(ts...)
	}
	return s.assemble(got, err)
}

// assemble makes results of fn's types from tensors, or of an error.
func (s *signature) assemble(got []Tensor, err error) []reflect.Value {
	t := s.fn.Type()
	out := make([]reflect.Value, t.NumOut())
	var bad Tensor
	if err != nil {
		bad = start(s.name).fail("%v", err)
	}
	for i := range out {
		if t.Out(i) == reflect.TypeFor[error]() && i == len(out)-1 {
			out[i] = reflect.New(t.Out(i)).Elem()
			if err != nil {
				out[i].Set(reflect.ValueOf(&err).Elem())
			}
			continue
		}
		v := unshared(s.made[i])
		out[i] = v
		var to []slot
		if e := slots(v, "", "", &to); e != nil {
			panic("BUG: jit: " + e.Error()) // Trace has seen the type
		}
		for _, r := range to {
			*r.t = bad
			if err == nil {
				*r.t = got[0]
				got = slices.Clone(got[1:])
			}
		}
	}
	return out
}
