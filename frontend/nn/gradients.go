package nn

import (
	"fmt"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// What is done with gradients between Grad and Update.

// ClipNorm scales the tensors of *grads so that the root of the sum of all
// squares is at most max; it returns what that was.
func ClipNorm(grads any, max float64) (tensor.Tensor, error) {
	gs, err := tensor.Leaves(grads)
	if err != nil || len(gs) == 0 {
		return tensor.Tensor{}, err
	}
	var sum tensor.Tensor
	for i, g := range gs {
		if s := g.Cast(tensor.F32).Square().Sum(); i == 0 {
			sum = s
		} else {
			sum = sum.Add(s)
		}
	}
	norm := sum.Sqrt()
	factor := norm.Add(1e-6).Reciprocal().Mul(max).Minimum(1)
	for _, g := range gs {
		*g = scaled(*g, factor)
	}
	return norm, nil
}

// ClipValue bounds the elements of *grads by -max and max.
func ClipValue(grads any, max float64) error {
	gs, err := tensor.Leaves(grads)
	for _, g := range gs {
		*g = g.Clamp(-max, max)
	}
	return err
}

// Accumulate is ValueAndGrad of the mean of f over n parts of a batch: the
// tensors of batch are divided along axis 0, and one part after the other is
// gone through, so that only its intermediate values need memory.
func Accumulate[P, B any](f func(P, B) tensor.Tensor, p P, batch B, n int) (tensor.Tensor, P,
	error) {
	bs, err := tensor.Leaves(&batch)
	if err != nil {
		return tensor.Tensor{}, p, err
	}
	for _, b := range bs {
		s := b.Shape()
		if len(s) == 0 || s[0] < 0 || n < 1 || s[0]%n != 0 {
			return tensor.Tensor{}, p, fmt.Errorf("nn: Accumulate: %d parts of shape %v, want a multiple "+
				"along axis 0", n, s)
		}
		*b = b.Reshape(append([]int{n, s[0] / n}, s[1:]...)...)
	}
	type sums struct {
		Loss  tensor.Tensor
		Grads P
	}
	zero := sums{Loss: tensor.Of(float32(0)), Grads: tensor.Map(p, tensor.ZerosLike)}
	var inner error
	total, _, err := tensor.Scan(func(s sums, part B) (sums, [0]tensor.Tensor) {
		loss, g, err := tensor.ValueAndGrad(func(p P) tensor.Tensor { return f(p, part) }, p)
		if err != nil {
			inner = err
		}
		to, from, err := leaves(&s.Grads, &g)
		if err != nil {
			inner = err
		}
		for i := range to {
			*to[i] = to[i].Add(from[i].Div(float64(n)))
		}
		s.Loss = s.Loss.Add(loss.Cast(tensor.F32).Div(float64(n)))
		return s, [0]tensor.Tensor{}
	}, zero, batch)
	if inner != nil {
		err = inner
	}
	return total.Loss, total.Grads, err
}

// LossScale is a factor for losses in half precision, whose gradients would
// underflow: part of the state of training. It halves when a gradient is not
// finite, and doubles after 2000 steps without.
type LossScale struct {
	Factor tensor.Tensor `tcc:"f32"`
	Good   tensor.Tensor `tcc:"f32"` // steps since it last changed
}

// NewLossScale begins at 2^15, which F16 has.
func NewLossScale() LossScale {
	return LossScale{tensor.Of(float32(1 << 15)), tensor.Of(float32(0))}
}

// Half returns *p with its tensors converted to d, F16 or BF16, for a model that
// computes in it: mixed precision keeps the parameters themselves in F32.
func Half[P any](p P, d tensor.DType) P {
	return tensor.Map(p, func(t tensor.Tensor) tensor.Tensor { return t.Cast(d) })
}

// MixedGrad is ValueAndGrad of f, whose argument is *p in type d, scaled by s.
// The gradients are F32 and scaled back; finite tells, as a scalar, whether all
// are finite, and *s becomes the scale of the next step.
func MixedGrad[P any](f func(P) tensor.Tensor, p P, d tensor.DType, s *LossScale) (
	loss tensor.Tensor, grads P, finite tensor.Tensor, err error) {
	value, grads, err := tensor.ValueAndGrad(func(p P) tensor.Tensor {
		return f(Half(p, d)).Cast(tensor.F32).Mul(s.Factor)
	}, p)
	if err != nil {
		return value, grads, finite, err
	}
	gs, err := tensor.Leaves(&grads)
	if err != nil {
		return value, grads, finite, err
	}
	finite = value.IsFinite()
	for _, g := range gs {
		*g = scaled(*g, s.Factor.Reciprocal())
		finite = finite.LogicalAnd(g.IsFinite().All())
	}
	loss = value.Div(s.Factor)
	grown := s.Good.Add(1).Ge(2000)
	factor := tensor.Where(grown, s.Factor.Mul(2), s.Factor)
	zero := tensor.ZerosLike(s.Good)
	s.Good = tensor.Where(finite, tensor.Where(grown, zero, s.Good.Add(1)), zero)
	s.Factor = tensor.Where(finite, factor, s.Factor.Mul(0.5))
	return loss, grads, finite, nil
}

// Choose sets the tensors of *to to those of *then where cond, a scalar, holds,
// and leaves them else: a step with gradients that are not finite is left out
// by Choose(finite, &state, &next).
func Choose(cond tensor.Tensor, to, then any) error {
	ts, ns, err := leaves(to, then)
	for i := range ts {
		*ts[i] = tensor.Where(cond, *ns[i], *ts[i])
	}
	return err
}
