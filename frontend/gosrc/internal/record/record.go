// Package record runs functions to record them. Its source becomes part of a
// program that is built beside the user's package, so it depends on what the
// package depends on anyway, package tensor and what that imports, and on nn.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"

	"github.com/tensorcc/tcc/autodiff"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// Func is a function to record.
type Func struct {
	Name  string
	Fn    any
	Specs []string // of tensor.Trace, for the arguments that are not baked
	Baked map[int]func() (any, error)
	Grad  []string // arguments to differentiate by
	// Optimizer, if not nil, returns what replaces these by a step along the
	// gradients. Its state is an argument named State.
	Optimizer func() (any, error)
	State     string
}

// Result is what became of a function: the graph's text is in the file N.tir,
// or there is an error.
type Result struct {
	File, Op, Msg string
	Line          int
	InPlace       [][2]int // results that replace parameters
}

// DirVariable names the folder that Main writes to, ResultsFile the file of
// the Results there.
const (
	DirVariable = "TCC_RECORD"
	ResultsFile = "results.json"
)

// Main records the functions and ends the process.
func Main(funcs []Func) {
	dir := os.Getenv(DirVariable)
	results := make([]Result, len(funcs))
	for i, f := range funcs {
		results[i] = f.write(filepath.Join(dir, fmt.Sprint(i, ".tir")))
	}
	text, err := json.Marshal(results)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ResultsFile), text, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// write records f into a file.
func (f *Func) write(file string) (r Result) {
	defer func() {
		if x := recover(); x != nil {
			r.File, r.Line = panicPos()
			r.Op, r.Msg = f.Name, fmt.Sprintf("panic: %v", x)
		}
	}()
	g, inPlace, err := f.Record()
	r.InPlace = inPlace
	if err == nil {
		err = os.WriteFile(file, []byte(ir.Print(g)), 0o600)
	}
	var e *tensor.Error
	switch {
	case errors.As(err, &e):
		r.File, r.Line, r.Op, r.Msg = e.Pos.File, e.Pos.Line, e.Op, e.Msg
	case err != nil:
		r.Op, r.Msg = f.Name, err.Error()
	}
	return r
}

// Record returns the graph of f, with the gradients or the update asked for, and
// which of its results replace parameters.
func (f *Func) Record() (*ir.Graph, [][2]int, error) {
	fn, err := f.bound()
	if err != nil {
		return nil, nil, err
	}
	g, err := tensor.Trace(fn, f.Specs...)
	if err != nil {
		return nil, nil, err
	}
	var wrt []int
	var inPlace [][2]int
	if len(f.Grad) > 0 {
		if g, wrt, err = f.grad(g); err != nil {
			return nil, nil, err
		}
	}
	if f.Optimizer != nil {
		if inPlace, err = f.update(g, wrt); err != nil {
			return nil, nil, fmt.Errorf("optimizer=: %w", err)
		}
	}
	g.Name = strings.ReplaceAll(f.Name, ".", "_")
	return g, inPlace, nil
}

// bound is the function with the baked arguments taken off.
func (f *Func) bound() (any, error) {
	if len(f.Baked) == 0 {
		return f.Fn, nil
	}
	fn := reflect.ValueOf(f.Fn)
	t := fn.Type()
	all := make([]reflect.Value, t.NumIn())
	var in, out []reflect.Type
	for i := range all {
		value, baked := f.Baked[i]
		if !baked {
			in = append(in, t.In(i))
			continue
		}
		v, err := value()
		if err != nil {
			return nil, fmt.Errorf("the value of argument %d: %w", i, err)
		}
		if all[i], err = convert(v, t.In(i)); err != nil {
			return nil, fmt.Errorf("the value of argument %d: %w", i, err)
		}
	}
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	call := func(args []reflect.Value) []reflect.Value {
		given := append([]reflect.Value{}, all...)
		for i := range given {
			if _, baked := f.Baked[i]; !baked {
				given[i], args = args[0], args[1:]
			}
		}
		return fn.Call(given)
	}
	return reflect.MakeFunc(reflect.FuncOf(in, out, false), call).Interface(), nil
}

// convert makes v a value of type t, as assignment or, of a number, conversion
// does where the value stays the same.
func convert(v any, t reflect.Type) (reflect.Value, error) {
	x := reflect.ValueOf(v)
	switch {
	case !x.IsValid():
		return reflect.Zero(t), nil
	case x.Type().AssignableTo(t):
		return x, nil
	case x.CanConvert(t) && x.Kind() != reflect.String && t.Kind() != reflect.String &&
		x.Type().Comparable():
		if y := x.Convert(t); y.CanConvert(x.Type()) && y.Convert(x.Type()).Equal(x) {
			return y, nil
		}
	}
	return x, fmt.Errorf("%v is a %v, want a %v", v, x.Type(), t)
}

// Value is what a baked expression gives: a value, or a value and an error.
func Value(xs ...any) (any, error) {
	switch len(xs) {
	case 1:
		return xs[0], nil
	case 2:
		if err, ok := xs[1].(error); ok || xs[1] == nil {
			return xs[0], err
		}
	}
	return nil, fmt.Errorf("%d values, want one, or one and an error", len(xs))
}

// grad appends the gradients by the floating-point tensors of the arguments,
// whose indices it returns.
func (f *Func) grad(g *ir.Graph) (_ *ir.Graph, wrt []int, err error) {
	for _, arg := range f.Grad {
		n := len(wrt)
		for _, i := range tensor.Params(g, arg) {
			if g.Params[i].Type.DType.IsFloat() {
				wrt = append(wrt, i)
			}
		}
		if len(wrt) == n {
			return nil, nil, fmt.Errorf("grad=%s: the argument has no floating-point tensor", arg)
		}
	}
	if g, err = autodiff.ValueAndGrad(g, wrt); err != nil {
		return nil, nil, fmt.Errorf("grad=%s: %w", strings.Join(f.Grad, ","), err)
	}
	return g, wrt, nil
}

// panicPos is the place in the user's code of the panic that is being
// recovered: the first that is neither in Go's own packages nor in tcc's.
func panicPos() (string, int) {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.File, "/frontend/tensor/") && !strings.HasPrefix(f.Function, "runtime.") &&
			!strings.HasPrefix(f.Function, "reflect.") && f.File != "" {
			return f.File, f.Line
		}
		if !more {
			return "", 0
		}
	}
}
