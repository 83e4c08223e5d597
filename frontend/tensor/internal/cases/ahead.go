package cases

import (
	"context"
	"fmt"
	"reflect"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// Ahead traces the cases as one function of all their arrays, runs it once by
// the evaluator and checks each: the errors are in the order of the cases.
func Ahead(e tensor.Evaluator, cs []*Case) ([]error, error) {
	errs := make([]error, len(cs))
	var specs []string
	var inputs []*ir.Literal
	for _, c := range cs {
		for _, a := range c.Args {
			specs = append(specs, fmt.Sprintf("x%d=%s", len(specs), a.Spec()))
			inputs = append(inputs, a.literal())
		}
	}
	var counts []int // results a case
	body := func(in []reflect.Value) []reflect.Value {
		var all []tensor.Tensor
		for i, c := range cs {
			args := make([]tensor.Tensor, len(c.Args))
			for k := range args {
				args[k] = in[k].Interface().(tensor.Tensor)
			}
			in = in[len(args):]
			var out []tensor.Tensor
			out, errs[i] = c.record(args)
			counts = append(counts, len(out))
			all = append(all, out...)
		}
		return []reflect.Value{reflect.ValueOf(all)}
	}
	tensorType := reflect.TypeFor[tensor.Tensor]()
	types := make([]reflect.Type, len(specs))
	for i := range types {
		types[i] = tensorType
	}
	f := reflect.MakeFunc(reflect.FuncOf(types, []reflect.Type{reflect.TypeFor[[]tensor.Tensor]()},
		false), body)
	g, err := tensor.Trace(f.Interface(), specs...)
	if err != nil {
		return errs, err
	}
	out, err := e.Run(context.Background(), g, inputs)
	if err != nil {
		return errs, err
	}
	for i, c := range cs {
		var got []Array
		for _, l := range out[:counts[i]] {
			got = append(got, arrayOf(l))
		}
		out = out[counts[i]:]
		if errs[i] == nil {
			errs[i] = c.Check(got)
		}
	}
	return errs, nil
}

// record runs the case on symbolic arguments; nil after an error.
func (c *Case) record(args []tensor.Tensor) ([]tensor.Tensor, error) {
	out, err := c.Run(args)
	for _, t := range out {
		if err == nil {
			err = t.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func arrayOf(l *ir.Literal) Array {
	a := Array{DType: l.DType.String(), Shape: make([]int, len(l.Shape)), Data: l.Data}
	for i, d := range l.Shape {
		a.Shape[i] = int(d)
	}
	if l.Splat {
		a.Data = nil
		for range l.Size() {
			a.Data = append(a.Data, l.Data...)
		}
	}
	return a
}
