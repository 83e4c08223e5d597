// Package nn has layers, losses and optimizers, written in the DSL of package
// tensor alone: each is a few lines of tensor operations, which work in
// compiled functions and outside.
package nn

import (
	"fmt"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// Linear returns x·w + b: x of shape (..., in), w of (in, out), b of (out).
func Linear(x, w, b tensor.Tensor) tensor.Tensor { return x.MatMul(w).Add(b) }

// CrossEntropy returns the mean over the batch of -log softmax(logits)[label]:
// logits of shape (batch..., classes), label of integers of shape (batch...).
func CrossEntropy(logits, label tensor.Tensor) tensor.Tensor {
	picked := logits.LogSoftmax(-1).Gather(-1, label.Unsqueeze(-1))
	return picked.Mean().Neg()
}

// MSE returns the mean square difference of x and y.
func MSE(x, y tensor.Tensor) tensor.Tensor { return x.Sub(y).Square().Mean() }

// SGD is stochastic gradient descent: p -= LR*g.
type SGD struct {
	LR float64
}

// Update replaces the tensors in *params, a struct of tensors, by what a step
// along *grads, of the same type, makes of them.
func (o SGD) Update(params, grads any) error {
	p, g, err := leaves(params, grads)
	if err != nil {
		return err
	}
	for i := range p {
		*p[i] = p[i].Sub(g[i].Mul(o.LR))
	}
	return nil
}

// Adam is the optimizer of Kingma and Ba (2015), algorithm 1. A zero field
// means its usual value: LR 0.001, Beta1 0.9, Beta2 0.999, Eps 1e-8.
type Adam struct {
	LR, Beta1, Beta2, Eps float64
}

// AdamState is what Adam remembers of parameters of type P: the running means
// of gradients and of their squares, and the number of steps. It starts as
// [NewAdamState]; fields are exported so that it can be an argument and a
// result of a compiled function.
type AdamState[P any] struct {
	M, V P
	Step tensor.Tensor `tcc:"f32"`
}

// NewAdamState returns the state before the first step, zeros of the types
// that the tensors in params have.
func NewAdamState[P any](params P) (AdamState[P], error) {
	s := AdamState[P]{M: params, V: params, Step: tensor.Of(float32(0))}
	m, v, err := leaves(&s.M, &s.V)
	if err != nil {
		return s, err
	}
	for i := range m {
		zeros := tensor.ZerosLike(*m[i])
		*m[i], *v[i] = zeros, zeros
	}
	return s, nil
}

// AdamUpdate replaces the tensors in *params and *state by what one step of o
// along grads makes of them.
func AdamUpdate[P any](o Adam, params *P, grads P, state *AdamState[P]) error {
	o = o.filled()
	p, g, err := leaves(params, &grads)
	if err != nil {
		return err
	}
	m, v, err := leaves(&state.M, &state.V)
	if err != nil {
		return err
	}
	state.Step = state.Step.Add(1)
	one := tensor.OnesLike(state.Step)
	bias1 := one.Sub(one.Mul(o.Beta1).Pow(state.Step))
	bias2 := one.Sub(one.Mul(o.Beta2).Pow(state.Step))
	for i := range p {
		*m[i] = m[i].Mul(o.Beta1).Add(g[i].Mul(1 - o.Beta1))
		*v[i] = v[i].Mul(o.Beta2).Add(g[i].Square().Mul(1 - o.Beta2))
		scale := v[i].Div(bias2).Sqrt().Add(o.Eps)
		*p[i] = p[i].Sub(m[i].Div(bias1).Mul(o.LR).Div(scale))
	}
	return nil
}

func (o Adam) filled() Adam {
	for _, f := range []struct {
		at  *float64
		def float64
	}{{&o.LR, 1e-3}, {&o.Beta1, 0.9}, {&o.Beta2, 0.999}, {&o.Eps, 1e-8}} {
		if *f.at == 0 {
			*f.at = f.def
		}
	}
	return o
}

// leaves lists the tensors of two structs of one type.
func leaves(a, b any) (as, bs []*tensor.Tensor, err error) {
	if as, err = tensor.Leaves(a); err == nil {
		bs, err = tensor.Leaves(b)
	}
	if err == nil && len(as) != len(bs) {
		err = fmt.Errorf("nn: %T has %d tensors, %T %d", a, len(as), b, len(bs))
	}
	return as, bs, err
}
