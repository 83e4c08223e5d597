package nn

import (
	"math"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// Schedule is the learning rate, an f32 scalar, of the step behind so many, an
// f32 scalar, too: it is computed in the compiled step.
type Schedule func(done tensor.Tensor) tensor.Tensor

// Constant is always lr.
func Constant(lr float64) Schedule {
	return func(done tensor.Tensor) tensor.Tensor { return tensor.FullLike(done, lr) }
}

// Warmup grows from lr/n to the rate of s in n steps.
func Warmup(n int, s Schedule) Schedule {
	return func(done tensor.Tensor) tensor.Tensor {
		return s(done).Mul(done.Add(1).Div(float64(n)).Minimum(1))
	}
}

// Cosine falls from lr to end along half a cosine, in n steps, and stays.
func Cosine(lr, end float64, n int) Schedule {
	return func(done tensor.Tensor) tensor.Tensor {
		x := done.Div(float64(n)).Minimum(1).Mul(math.Pi).Cos()
		return x.Add(1).Mul((lr - end) / 2).Add(end)
	}
}

// LinearDecay falls from lr to end on a line, in n steps, and stays.
func LinearDecay(lr, end float64, n int) Schedule {
	return func(done tensor.Tensor) tensor.Tensor {
		return done.Div(float64(n)).Minimum(1).Mul(end - lr).Add(lr)
	}
}

// StepDecay multiplies lr by factor after each n steps.
func StepDecay(lr, factor float64, n int) Schedule {
	return func(done tensor.Tensor) tensor.Tensor {
		return done.Div(float64(n)).Floor().Mul(math.Log(factor)).Exp().Mul(lr)
	}
}

// Exponential multiplies lr by factor after each step.
func Exponential(lr, factor float64) Schedule { return StepDecay(lr, factor, 1) }

// OneCycle grows from lr/25 to lr in the first part of n steps, and falls to
// nearly nothing in the others, both along half a cosine (Smith and Topin 2019).
func OneCycle(lr, part float64, n int) Schedule {
	up := part * float64(n)
	return func(done tensor.Tensor) tensor.Tensor {
		wave := func(from, to float64, x tensor.Tensor) tensor.Tensor {
			return x.Clamp(0.0, 1.0).Mul(math.Pi).Cos().Add(1).Mul((from - to) / 2).Add(to)
		}
		down := wave(lr, lr/25e4, done.Sub(up).Div(float64(n)-up))
		return tensor.Where(done.Lt(up), wave(lr/25, lr, done.Div(up)), down)
	}
}
