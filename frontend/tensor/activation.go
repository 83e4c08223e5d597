package tensor

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Activation functions, with PyTorch's names and definitions. They compute in
// a floating-point type: integers become one as in [Tensor.Exp].

// activation records f of t in a floating-point type.
func activation(name string, t Tensor, f func(c *call, x *node) *node) Tensor {
	c := start(name)
	x := c.float(t)
	if x == nil {
		return c.bad()
	}
	return c.out(f(c, x))
}

// atLeast is max(x, lo) whose gradient at a tie is that of lo, as in Relu.
func (c *call) atLeast(x *node, lo float64) *node {
	k := c.con(lo, x)
	return c.sel(c.op(ir.OpLe, nil, x, k), k, x)
}

// between is x limited to [lo, hi], as atLeast.
func (c *call) between(x *node, lo, hi float64) *node {
	x = c.atLeast(x, lo)
	k := c.con(hi, x)
	return c.sel(c.op(ir.OpGe, nil, x, k), k, x)
}

func (c *call) sigmoid(x *node) *node { return c.op(ir.OpSigmoid, nil, x) }
func (c *call) tanh(x *node) *node    { return c.op(ir.OpTanh, nil, x) }
func (c *call) neg(x *node) *node     { return c.op(ir.OpNeg, nil, x) }

// times is k*x.
func (c *call) times(k float64, x *node) *node { return c.mul(x, c.con(k, x)) }

// softplus is log(1 + e**(beta*x))/beta without overflow; written by cases, so
// that its derivatives at 0 are those of one of them, which agree there.
func (c *call) softplus(x *node, beta float64) *node {
	y := c.times(beta, x)
	above := c.lt(c.con(0, x), y)
	tail := c.times(1/beta, c.op(ir.OpLog1p, nil, c.exp(c.sel(above, c.neg(y), y))))
	return c.sel(above, c.add(x, tail), tail)
}

// Relu6 returns t limited to [0, 6].
func (t Tensor) Relu6() Tensor { return t.Hardtanh(0, 6) }

// Hardtanh returns t limited to [lo, hi].
func (t Tensor) Hardtanh(lo, hi float64) Tensor {
	return activation("Hardtanh", t, func(c *call, x *node) *node { return c.between(x, lo, hi) })
}

// LeakyRelu returns t where it is positive, else slope*t; PyTorch's usual slope
// is 0.01.
func (t Tensor) LeakyRelu(slope float64) Tensor {
	return activation("LeakyRelu", t, func(c *call, x *node) *node {
		return c.sel(c.op(ir.OpLe, nil, x, c.con(0, x)), c.times(slope, x), x)
	})
}

// Prelu returns t where it is positive, else weight*t: one weight, or one a
// channel, which is axis 1.
func (t Tensor) Prelu(weight any) Tensor {
	c := start("Prelu")
	w := c.tensor(weight)
	if !c.checks(t, w) {
		return c.bad()
	}
	if w.Rank() == 1 && t.Rank() > 2 {
		for range t.Rank() - 2 {
			w = w.Unsqueeze(-1)
		}
	}
	return c.named(Where(t.Gt(0), t, t.Mul(w)))
}

// Elu returns t where it is positive, else alpha*(e**t - 1).
func (t Tensor) Elu(alpha float64) Tensor { return t.elu("Elu", 1, alpha, 1) }

// Celu returns t where it is positive, else alpha*(e**(t/alpha) - 1).
func (t Tensor) Celu(alpha float64) Tensor { return t.elu("Celu", 1, alpha, 1/alpha) }

// Selu returns Elu scaled so that it keeps mean 0 and variance 1 (Klambauer et
// al. 2017).
func (t Tensor) Selu() Tensor {
	return t.elu("Selu", 1.0507009873554804934193349852946, 1.6732632423543772848170429916717, 1)
}

func (t Tensor) elu(name string, scale, alpha, in float64) Tensor {
	return activation(name, t, func(c *call, x *node) *node {
		zero := c.con(0, x)
		above := c.lt(zero, x) // the gradient at 0 is that from below
		below := c.times(scale*alpha, c.op(ir.OpExpm1, nil, c.times(in, c.sel(above, zero, x))))
		return c.sel(above, c.times(scale, x), below)
	})
}

// Gelu returns t times the normal distribution function of t.
func (t Tensor) Gelu() Tensor {
	return activation("Gelu", t, func(c *call, x *node) *node {
		half := c.times(0.5, x)
		return c.add(half, c.mul(half, c.op(ir.OpErf, nil, c.times(math.Sqrt2/2, x))))
	})
}

// GeluTanh returns the approximation of [Tensor.Gelu] by a hyperbolic tangent.
func (t Tensor) GeluTanh() Tensor {
	return activation("GeluTanh", t, func(c *call, x *node) *node {
		cube := c.mul(c.mul(x, x), x)
		u := c.times(math.Sqrt(2/math.Pi), c.add(x, c.times(0.044715, cube)))
		return c.mul(c.times(0.5, x), c.add(c.con(1, x), c.tanh(u)))
	})
}

// Silu returns t times its sigmoid.
func (t Tensor) Silu() Tensor {
	return activation("Silu", t, func(c *call, x *node) *node { return c.mul(x, c.sigmoid(x)) })
}

// Mish returns t times the tangent of its softplus.
func (t Tensor) Mish() Tensor {
	return activation("Mish", t, func(c *call, x *node) *node {
		return c.mul(x, c.tanh(c.softplus(x, 1)))
	})
}

// Softplus returns log(1 + e**(beta*t))/beta; PyTorch's usual beta is 1. It
// does not overflow, and needs no threshold.
func (t Tensor) Softplus(beta float64) Tensor {
	return activation("Softplus", t, func(c *call, x *node) *node {
		return c.softplus(x, beta)
	})
}

// LogSigmoid returns the logarithm of the sigmoid, which does not overflow.
func (t Tensor) LogSigmoid() Tensor {
	return activation("LogSigmoid", t, func(c *call, x *node) *node {
		return c.neg(c.softplus(c.neg(x), 1))
	})
}

// Softsign returns t/(1+|t|).
func (t Tensor) Softsign() Tensor {
	return activation("Softsign", t, func(c *call, x *node) *node {
		return c.div(x, c.add(c.con(1, x), c.abs(x)))
	})
}

// Hardsigmoid returns t/6 + 1/2 limited to [0, 1].
func (t Tensor) Hardsigmoid() Tensor {
	return activation("Hardsigmoid", t, (*call).hardsigmoid)
}

func (c *call) hardsigmoid(x *node) *node {
	return c.times(1.0/6, c.between(c.add(x, c.con(3, x)), 0, 6))
}

// Hardswish returns t times its Hardsigmoid.
func (t Tensor) Hardswish() Tensor {
	return activation("Hardswish", t, func(c *call, x *node) *node {
		return c.mul(x, c.hardsigmoid(x))
	})
}

// Tanhshrink returns t - tanh(t).
func (t Tensor) Tanhshrink() Tensor {
	return activation("Tanhshrink", t, func(c *call, x *node) *node { return c.sub(x, c.tanh(x)) })
}

// Softshrink returns t moved towards zero by lambda, and 0 within lambda of it.
func (t Tensor) Softshrink(lambda float64) Tensor {
	return activation("Softshrink", t, func(c *call, x *node) *node {
		l := c.con(lambda, x)
		return c.sel(c.lt(l, x), c.sub(x, l), c.sel(c.lt(x, c.neg(l)), c.add(x, l),
			c.times(0, x)))
	})
}

// Hardshrink returns t, and 0 within lambda of zero.
func (t Tensor) Hardshrink(lambda float64) Tensor {
	return activation("Hardshrink", t, func(c *call, x *node) *node {
		return c.sel(c.op(ir.OpLe, nil, c.abs(x), c.con(lambda, x)), c.con(0, x), x)
	})
}

// Threshold returns t where it is above limit, else value.
func (t Tensor) Threshold(limit, value float64) Tensor {
	return activation("Threshold", t, func(c *call, x *node) *node {
		return c.sel(c.op(ir.OpLe, nil, x, c.con(limit, x)), c.con(value, x), x)
	})
}

// Softmin returns the softmax of -t along an axis.
func (t Tensor) Softmin(axis int) Tensor {
	c := start("Softmin")
	if !c.checks(t) {
		return c.bad()
	}
	return c.named(t.Neg().Softmax(axis))
}

// Glu returns the first half of an axis, whose extent is even, times the
// sigmoid of the second.
func (t Tensor) Glu(axis int) Tensor {
	c := start("Glu")
	k, ok := c.along(t, axis)
	if !ok {
		return c.bad()
	}
	d, two := t.typ().Shape[k], ir.Const(2)
	half := d.FloorDiv(two)
	c.require(half.Mul(two), d, fmt.Sprintf("axis %d of shape %s, want an even extent", axis,
		shapeString(t.typ().Shape)))
	parts, err := c.cut(t, k, ir.Shape{half, half})
	if err != nil {
		return c.bad()
	}
	return c.named(parts[0].Mul(parts[1].Sigmoid()))
}

// Logit returns log(t/(1-t)), the inverse of the sigmoid.
func (t Tensor) Logit() Tensor {
	return activation("Logit", t, func(c *call, x *node) *node {
		return c.log(c.div(x, c.sub(c.con(1, x), x)))
	})
}
