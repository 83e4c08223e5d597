package nn

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// Optimizers, with the algorithms and defaults of PyTorch where it has them. A
// zero field means its usual value. Each works on one parameter at a time;
// [Update] goes through structs of them.

// Optimizer is a rule that improves parameters along gradients.
type Optimizer interface {
	// Start returns what is remembered of a parameter like p, before the first
	// step.
	Start(p tensor.Tensor) []tensor.Tensor
	// Move returns what p and the memory become by gradient g in step t, a
	// f32 scalar that counts from 1, with learning rate lr, a f32 scalar.
	Move(p, g tensor.Tensor, memory []tensor.Tensor, t, lr tensor.Tensor) (tensor.Tensor,
		[]tensor.Tensor)
	// Rate is the learning rate, where no schedule says otherwise.
	Rate() float64
}

// OptState is what an optimizer remembers: part of the state of training.
type OptState struct {
	Step   tensor.Tensor `tcc:"f32"` // done so far
	Memory [][]tensor.Tensor
}

// NewOptState returns o's state before the first step, for the tensors of
// *params.
func NewOptState(o Optimizer, params any) (OptState, error) {
	s := OptState{Step: tensor.Of(float32(0))}
	ps, err := tensor.Leaves(params)
	if err != nil {
		return s, err
	}
	for _, p := range ps {
		s.Memory = append(s.Memory, o.Start(*p))
	}
	return s, nil
}

// Update replaces the tensors of *params and *state by what a step of o along
// *grads, of the type of *params, makes of them. lr, if not nil, is the learning
// rate of each step, see [Schedule].
func Update(o Optimizer, params, grads any, state *OptState, lr Schedule) error {
	ps, gs, err := leaves(params, grads)
	if err != nil {
		return err
	}
	if len(ps) != len(state.Memory) {
		return fmt.Errorf("nn: Update: a state of %d tensors for %d: make it by NewOptState",
			len(state.Memory), len(ps))
	}
	if lr == nil {
		lr = Constant(o.Rate())
	}
	rate := lr(state.Step)
	t := state.Step.Add(1)
	memory := make([][]tensor.Tensor, len(ps))
	for i := range ps {
		*ps[i], memory[i] = o.Move(*ps[i], *gs[i], state.Memory[i], t, rate)
	}
	state.Step, state.Memory = t, memory
	return nil
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

// or is x, or the usual value where x is 0.
func or(x, usual float64) float64 {
	if x == 0 {
		return usual
	}
	return x
}

// scaled is x times the f32 scalar s, in x's type.
func scaled(x, s tensor.Tensor) tensor.Tensor { return x.Mul(s.Cast(x.DType())) }

// mix is a·x + (1-a)·y.
func mix(a float64, x, y tensor.Tensor) tensor.Tensor { return x.Mul(a).Add(y.Mul(1 - a)) }

func zerosLike(p tensor.Tensor, n int) []tensor.Tensor {
	out := make([]tensor.Tensor, n)
	for i := range out {
		out[i] = tensor.ZerosLike(p)
	}
	return out
}

// SGD is stochastic gradient descent, with momentum if that is not 0.
type SGD struct {
	LR, Momentum, Dampening, WeightDecay float64
	Nesterov                             bool
}

// Rate is LR, 0.001 if that is 0.
func (o SGD) Rate() float64 { return or(o.LR, 1e-3) }

// Start remembers the velocity, if there is momentum.
func (o SGD) Start(p tensor.Tensor) []tensor.Tensor {
	if o.Momentum == 0 {
		return nil
	}
	return zerosLike(p, 1)
}

// Move is the step of PyTorch's SGD: the first velocity is the gradient.
func (o SGD) Move(p, g tensor.Tensor, m []tensor.Tensor, t, lr tensor.Tensor) (tensor.Tensor,
	[]tensor.Tensor) {
	if o.WeightDecay != 0 {
		g = g.Add(p.Mul(o.WeightDecay))
	}
	if o.Momentum != 0 {
		v := m[0].Mul(o.Momentum).Add(g.Mul(1 - o.Dampening))
		if o.Dampening != 0 {
			v = tensor.Where(t.Eq(1), g, v)
		}
		m = []tensor.Tensor{v}
		if o.Nesterov {
			v = g.Add(v.Mul(o.Momentum))
		}
		g = v
	}
	return p.Sub(scaled(g, lr)), m
}

// Adam is the optimizer of Kingma and Ba (2015), algorithm 1; with Decoupled
// weight decay it is AdamW, of Loshchilov and Hutter (2019).
type Adam struct {
	LR, Beta1, Beta2, Eps float64 // 0.001, 0.9, 0.999, 1e-8
	WeightDecay           float64
	Decoupled             bool
}

// AdamW is [Adam] with decoupled weight decay.
func AdamW(lr, decay float64) Adam { return Adam{LR: lr, WeightDecay: decay, Decoupled: true} }

// Rate is LR.
func (o Adam) Rate() float64 { return or(o.LR, 1e-3) }

// Start remembers the means of gradients and of their squares.
func (o Adam) Start(p tensor.Tensor) []tensor.Tensor { return zerosLike(p, 2) }

// Move is one step.
func (o Adam) Move(p, g tensor.Tensor, m []tensor.Tensor, t, lr tensor.Tensor) (tensor.Tensor,
	[]tensor.Tensor) {
	b1, b2 := or(o.Beta1, 0.9), or(o.Beta2, 0.999)
	switch {
	case o.WeightDecay != 0 && o.Decoupled:
		p = p.Sub(scaled(p.Mul(o.WeightDecay), lr))
	case o.WeightDecay != 0:
		g = g.Add(p.Mul(o.WeightDecay))
	}
	mean, square := mix(b1, m[0], g), mix(b2, m[1], g.Square())
	step := lr.Div(bias(b1, t))
	root := scaled(square.Sqrt(), bias(b2, t).Rsqrt())
	return p.Sub(scaled(mean, step).Div(root.Add(or(o.Eps, 1e-8)))), []tensor.Tensor{mean, square}
}

// bias is 1 - beta**t, without the loss of digits that has for small t.
func bias(beta float64, t tensor.Tensor) tensor.Tensor {
	return t.Mul(math.Log(beta)).Expm1().Neg()
}

// Lion is the optimizer of Chen et al. (2023): the sign of a mean of gradients.
type Lion struct {
	LR, Beta1, Beta2 float64 // 0.0001, 0.9, 0.99
	WeightDecay      float64
}

// Rate is LR.
func (o Lion) Rate() float64 { return or(o.LR, 1e-4) }

// Start remembers the mean of gradients.
func (o Lion) Start(p tensor.Tensor) []tensor.Tensor { return zerosLike(p, 1) }

// Move is one step.
func (o Lion) Move(p, g tensor.Tensor, m []tensor.Tensor, _, lr tensor.Tensor) (tensor.Tensor,
	[]tensor.Tensor) {
	way := mix(or(o.Beta1, 0.9), m[0], g).Sign()
	if o.WeightDecay != 0 {
		way = way.Add(p.Mul(o.WeightDecay))
	}
	return p.Sub(scaled(way, lr)), []tensor.Tensor{mix(or(o.Beta2, 0.99), m[0], g)}
}

// Adafactor is the optimizer of Shazeer and Stern (2018) as PyTorch has it: of
// the squares of a matrix's gradients it remembers means of rows and columns.
type Adafactor struct {
	LR, Beta2Decay, Eps1, Eps2, D float64 // 0.01, -0.8, 2^-23, 0.001, 1
	WeightDecay                   float64
}

// Rate is LR.
func (o Adafactor) Rate() float64 { return or(o.LR, 1e-2) }

// Start remembers means of the squares: of rows and columns, or of all.
func (o Adafactor) Start(p tensor.Tensor) []tensor.Tensor {
	if p.Rank() < 2 {
		return zerosLike(p, 1)
	}
	return []tensor.Tensor{tensor.ZerosLike(p).Keep().Mean(-1), tensor.ZerosLike(p).Keep().Mean(-2)}
}

// Move is one step.
func (o Adafactor) Move(p, g tensor.Tensor, m []tensor.Tensor, t, lr tensor.Tensor) (tensor.Tensor,
	[]tensor.Tensor) {
	eps1, eps2 := or(o.Eps1, math.Exp2(-23)), or(o.Eps2, 1e-3)
	fresh := t.Pow(or(o.Beta2Decay, -0.8)) // the weight of what is new
	size := rootMean(p).Maximum(eps2).Mul(lr.Minimum(t.Rsqrt()).Cast(p.DType()))
	if o.WeightDecay != 0 {
		p = p.Sub(scaled(p.Mul(o.WeightDecay), lr))
	}
	lerp := func(old, x tensor.Tensor) tensor.Tensor { return old.Add(scaled(x.Sub(old), fresh)) }
	var next []tensor.Tensor
	var square tensor.Tensor
	if p.Rank() < 2 {
		square = lerp(m[0], g.Square())
		next = []tensor.Tensor{square}
	} else {
		rows, cols := lerp(m[0], g.Square().Keep().Mean(-1)), lerp(m[1], g.Square().Keep().Mean(-2))
		next = []tensor.Tensor{rows, cols}
		square = rows.Mul(cols).Div(rows.Keep().Mean(-2).Maximum(eps1))
	}
	way := g.Mul(square.Maximum(eps1 * eps1).Rsqrt())
	way = way.Div(rootMean(way).Div(or(o.D, 1)).Maximum(1))
	return p.Sub(way.Mul(size)), next
}

func rootMean(x tensor.Tensor) tensor.Tensor { return x.Square().Mean().Sqrt() }

// AdamState is what [Adam] remembers of parameters of type P, as a struct whose
// types the tags of P say: for functions that are compiled ahead of time.
type AdamState[P any] struct {
	M, V P
	Step tensor.Tensor `tcc:"f32"`
}

// NewAdamState returns the state before the first step.
func NewAdamState[P any](params P) (AdamState[P], error) {
	zeros := tensor.Map(params, tensor.ZerosLike)
	return AdamState[P]{M: zeros, V: tensor.Map(zeros, tensor.Tensor.Clone),
		Step: tensor.Of(float32(0))}, nil
}

// AdamUpdate is [Update] with an [AdamState].
func AdamUpdate[P any](o Adam, params *P, grads P, state *AdamState[P]) error {
	ms, vs, err := leaves(&state.M, &state.V)
	if err != nil {
		return err
	}
	s := OptState{Step: state.Step}
	for i := range ms {
		s.Memory = append(s.Memory, []tensor.Tensor{*ms[i], *vs[i]})
	}
	if err := Update(o, params, &grads, &s, nil); err != nil {
		return err
	}
	for i, m := range s.Memory {
		*ms[i], *vs[i] = m[0], m[1]
	}
	state.Step = s.Step
	return nil
}
