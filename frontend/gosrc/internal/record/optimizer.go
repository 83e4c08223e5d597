package record

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// This file makes a step of training of a loss and its gradient.

// Next is what the names of results begin with that replace parameters.
const Next = "next_"

// optimizer is what the expression of the directive gives; functions are called.
func (f *Func) optimizer() (nn.Optimizer, error) {
	x, err := f.Optimizer()
	if err != nil {
		return nil, err
	}
	if v := reflect.ValueOf(x); v.Kind() == reflect.Func && v.Type().NumIn() == 0 &&
		v.Type().NumOut() == 1 {
		x = v.Call(nil)[0].Interface()
	}
	if o, ok := x.(nn.Optimizer); ok {
		return o, nil
	}
	return nil, fmt.Errorf("%T is no nn.Optimizer: want one such as nn.AdamW(1e-3,1e-2), or a "+
		"variable or function of the package that gives one", x)
}

// update puts in the place of the gradients by the parameters wrt, which are the
// last results of g, what the optimizer makes of these parameters and of its
// state. That becomes parameters of g: State.Step, and State.Memory.0 and so on,
// what is remembered of each tensor in turn. It returns which results replace
// which parameters.
func (f *Func) update(g *ir.Graph, wrt []int) ([][2]int, error) {
	o, err := f.optimizer()
	if err != nil {
		return nil, err
	}
	params := make([]*ir.Value, len(wrt))
	for i, p := range wrt {
		params[i] = g.Params[p]
		if !params[i].Type.Shape.Static() {
			return nil, fmt.Errorf("%s is %v: want parameters of known shape", params[i].ParamName(),
				params[i].Type)
		}
	}
	memory, counts, err := remembered(o, params)
	if err != nil {
		return nil, err
	}
	n := len(g.Results) - len(wrt)
	results, names := g.Results[:n:n], g.ResultNames[:n:n]
	args := slices.Concat(params, g.Results[n:])
	state := []*ir.Value{g.Param(f.State+".Step", ir.T(ir.F32), ir.Pos{})}
	for i, t := range memory {
		state = append(state, g.Param(fmt.Sprint(f.State, ".Memory.", i), t, ir.Pos{}))
	}
	for i := range state {
		wrt = append(wrt, len(g.Params)-len(state)+i)
	}
	u, err := tensor.Trace(func(ps, gs []tensor.Tensor, step tensor.Tensor, flat []tensor.Tensor) (
		[]tensor.Tensor, error) {
		s := nn.OptState{Step: step}
		for _, k := range counts {
			s.Memory, flat = append(s.Memory, flat[:k]), flat[k:]
		}
		err := nn.Update(o, &ps, &gs, &s, nil)
		return slices.Concat(ps, []tensor.Tensor{s.Step}, slices.Concat(s.Memory...)), err
	}, specOf("p", params), specOf("g", params), "step=f32", specOf("memory", state[1:]))
	if err != nil {
		return nil, err
	}
	next, err := g.Inline(u, append(args, state...))
	if err != nil {
		return nil, err
	}
	var inPlace [][2]int
	for i, r := range next {
		p := g.Params[wrt[i]]
		if !r.Type.Equal(p.Type) {
			return nil, fmt.Errorf("%s is %v and becomes %v: want the same type", p.ParamName(), p.Type,
				r.Type)
		}
		inPlace = append(inPlace, [2]int{n + i, wrt[i]})
		results, names = append(results, r), append(names, Next+p.ParamName())
	}
	g.SetResults(names, results...)
	return inPlace, nil
}

// specOf says that the argument name is a slice of tensors with the types of vs.
func specOf(name string, vs []*ir.Value) string {
	types := make([]string, len(vs))
	for i, v := range vs {
		types[i] = v.Type.String()
	}
	if len(vs) == 1 {
		types[0] = "[1]" + types[0]
	}
	return name + "=" + strings.Join(types, ";")
}

// remembered lists the types of what o remembers of the parameters, and how many
// tensors of each. All begin as zeros.
func remembered(o nn.Optimizer, params []*ir.Value) (types []ir.Type, counts []int, err error) {
	g, err := tensor.Trace(func(ps []tensor.Tensor) (all []tensor.Tensor) {
		for _, p := range ps {
			m := o.Start(p)
			counts, all = append(counts, len(m)), append(all, m...)
		}
		return all
	}, specOf("p", params))
	if err != nil {
		return nil, nil, err
	}
	zeros := make([]*interp.Tensor, len(g.Params))
	uses := make([]bool, len(g.Values)) // whether a value depends on a parameter
	for i, p := range g.Params {
		uses[p.ID] = true
		shape, _ := p.Type.Shape.Ints()
		if zeros[i], err = interp.New(p.Type.DType, shape); err != nil {
			return nil, nil, err
		}
	}
	for _, v := range g.Values {
		for _, a := range v.Args {
			uses[v.ID] = uses[v.ID] || uses[a.ID]
		}
	}
	start, err := interp.Run(g, zeros)
	if err != nil {
		return nil, nil, err
	}
	for i, r := range g.Results {
		other := func(x float64) bool { return x != 0 }
		if uses[r.ID] || slices.ContainsFunc(start[i].Float64s(), other) {
			return nil, nil, fmt.Errorf("what %T remembers does not begin as zeros: compile a function "+
				"of a state, which calls nn.Update, instead", o)
		}
		types = append(types, r.Type)
	}
	return types, counts, nil
}
