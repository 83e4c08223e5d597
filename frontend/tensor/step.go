package tensor

import (
	"context"
	"fmt"
	"reflect"

	"github.com/tensorcc/tcc/ir"
)

// Runner is a graph that is ready to run again and again.
type Runner interface {
	// Run computes the results for the inputs and writes them to out, which
	// has a literal of its type for each. Memory of out may be that of an
	// input of the same type, which is then replaced. Not for use by several
	// goroutines at once.
	Run(ctx context.Context, out, in []*ir.Literal) error
}

// Step is a function of a state and inputs that returns the next state and
// outputs, as one compiled graph, whose state is updated in place: a step of
// training, with loss, gradient and the optimizer's update. Running it
// allocates nothing where the evaluator is native.
type Step[S, I, O any] struct {
	Graph *ir.Graph

	run     Runner
	in, out []*ir.Literal
	state   S
	inputs  I // kept, as the literals are its memory
	result  O
}

// NewStep records f for tensors of the types that those of state and inputs
// have, and compiles it with the present evaluator. The state is copied. The
// inputs are those of all steps: each step reads what is in their memory then,
// so that they are made by FromSlice of slices that are written between steps.
func NewStep[S, I, O any](f func(S, I) (S, O, error), state S, inputs I) (*Step[S, I, O], error) {
	c := start("NewStep")
	s := &Step[S, I, O]{state: state, inputs: inputs}
	states, ins := tree(c, &s.state), tree(c, &s.inputs)
	if c.err != nil {
		return nil, c.orNil()
	}
	if err := c.realize(append(derefs(states), derefs(ins)...)); err != nil {
		return nil, err
	}
	for _, t := range states {
		l := c.literal(*t)
		if c.err != nil {
			return nil, c.orNil()
		}
		own := &ir.Literal{DType: l.DType, Shape: l.Shape, Data: repeated(l)}
		s.in, s.out = append(s.in, own), append(s.out, own)
		*t = shares(own, c.pos)
	}
	for _, t := range ins {
		s.in = append(s.in, c.literal(*t))
	}
	if c.err != nil {
		return nil, c.orNil()
	}
	var err error
	if s.Graph, err = s.trace(f); err != nil {
		return nil, err
	}
	r := &s.result
	for i, t := range tree(c, r) {
		v := s.Graph.Results[len(states)+i]
		shape, static := v.Type.Shape.Ints()
		if !static {
			return nil, fmt.Errorf("step: output %s is %v: want a shape that is known",
				s.Graph.ResultNames[len(states)+i], v.Type)
		}
		n := v.Type.Shape.Size()
		size, _ := n.Int()
		l := &ir.Literal{DType: v.Type.DType, Shape: shape,
			Data: alignedClone(make([]byte, size*int64(v.Type.DType.Size())))}
		s.out = append(s.out, l)
		*t = shares(l, c.pos)
	}
	s.run, err = currentEvaluator().Prepare(context.Background(), s.Graph, inPlacePairs(len(states)))
	return s, err
}

// inPlacePairs says that result i replaces parameter i.
func inPlacePairs(n int) [][2]int {
	out := make([][2]int, n)
	for i := range out {
		out[i] = [2]int{i, i}
	}
	return out
}

func derefs(ts []*Tensor) []Tensor {
	out := make([]Tensor, len(ts))
	for i, t := range ts {
		out[i] = *t
	}
	return out
}

// shares is a tensor whose memory is l's, which changes.
func shares(l *ir.Literal, pos ir.Pos) Tensor {
	n := leafNode(l, pos)
	n.shared = true
	t := fresh(n)
	t.s.mem = l
	return t
}

// trace runs f with symbolic arguments of the types of state and inputs.
func (s *Step[S, I, O]) trace(f func(S, I) (S, O, error)) (*ir.Graph, error) {
	tr := &tracer{born: lastSeq.Load()}
	e := &emitter{g: ir.NewGraph(functionName(reflect.ValueOf(f))), values: map[*node]*ir.Value{},
		consts: true}
	c := start("NewStep")
	state, inputs := s.state, s.inputs
	tree(c, &state)
	tree(c, &inputs)
	for _, a := range []struct {
		v    reflect.Value
		name string
	}{{reflect.ValueOf(&state).Elem(), "state"}, {reflect.ValueOf(&inputs).Elem(), "in"}} {
		var all []slot
		if err := slots(a.v, a.name, "", &all); err != nil {
			return nil, err
		}
		for _, x := range all {
			n := newNode(ir.OpParam, &ir.ParamAttr{Name: x.name}, x.t.typ(), ir.Pos{})
			n.tr = tr
			*x.t = fresh(n)
			e.values[n] = e.g.Param(x.name, n.typ, ir.Pos{})
		}
	}
	next, out, err := f(state, inputs)
	if err == nil && tr.err != nil {
		err = tr.err
	}
	if err != nil {
		return nil, err
	}
	s.result = out
	var results []slot
	if err := slots(reflect.ValueOf(&next).Elem(), "state", "", &results); err != nil {
		return nil, err
	}
	for i, r := range results {
		want := e.g.Params[i].Type
		if err := r.t.Err(); err != nil {
			return nil, err
		}
		if !r.t.typ().Equal(want) {
			return nil, fmt.Errorf("step: %s becomes %v, was %v: Cast or Reshape it", r.name, r.t.typ(),
				want)
		}
	}
	tree(c, &s.result)
	outputs := s.result
	if err := slots(reflect.ValueOf(&outputs).Elem(), "out", "", &results); err != nil {
		return nil, err
	}
	return e.finish(tr, results)
}

// Run makes one step.
func (s *Step[S, I, O]) Run() error { return s.RunContext(context.Background()) }

// RunContext makes one step, which ctx can end; the state may then be part old
// and part new.
func (s *Step[S, I, O]) RunContext(ctx context.Context) error {
	return s.run.Run(ctx, s.out, s.in)
}

// State returns the present state, whose tensors are the memory of the step:
// Clone and Realize those that are to be kept, write to them to set the state.
func (s *Step[S, I, O]) State() S { return s.state }

// Out returns the outputs of the last step; the next replaces their elements.
func (s *Step[S, I, O]) Out() O { return s.result }
