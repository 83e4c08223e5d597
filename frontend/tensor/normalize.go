package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Normalization, with PyTorch's names. Weights and biases are Tensors, or nil
// where there is none.

// single gives a tensor of half precision in f32, in which squares and sums of
// its elements neither overflow nor vanish, and what rounds a result; others
// stay as they are.
func single(x Tensor) (wide Tensor, round func(Tensor) Tensor) {
	d := x.DType()
	if !half(d) {
		return x, func(y Tensor) Tensor { return y }
	}
	return x.Cast(F32), func(y Tensor) Tensor { return y.Cast(d) }
}

// standard is (x - mean)/sqrt(variance + eps) over axes.
func standard(x Tensor, eps float64, axes []int) Tensor {
	x, round := single(x)
	mean := x.Keep().Mean(axes...)
	diff := x.Sub(mean)
	variance := diff.Square().Keep().Mean(axes...)
	return round(diff.Mul(variance.Add(eps).Rsqrt()))
}

// affine is x*weight + bias, each of which may be nil.
func affine(x Tensor, weight, bias any) Tensor {
	if weight != nil {
		x = x.Mul(weight)
	}
	if bias != nil {
		x = x.Add(bias)
	}
	return x
}

// lastShape checks that t ends in a shape and returns its axes.
func (c *call) lastShape(t Tensor, shape []int) []int {
	if !c.checks(t) {
		return nil
	}
	s := t.typ().Shape
	fits := len(shape) > 0 && len(shape) <= len(s)
	for i := range shape {
		fits = fits && s[len(s)-len(shape)+i].IsConst(int64(shape[i]))
	}
	if !fits {
		c.fail("normalized shape %v of shape %s, want its last extents", shape, shapeString(s))
		return nil
	}
	return count(len(s)-len(shape), len(s))
}

// LayerNorm returns t with mean 0 and variance 1 over its last axes, which
// have the shape given, times weight plus bias, which have that shape or are
// nil. PyTorch's usual eps is 1e-5.
func (t Tensor) LayerNorm(shape []int, weight, bias any, eps float64) Tensor {
	c := start("LayerNorm")
	axes := c.lastShape(t, shape)
	if c.err != nil {
		return c.bad()
	}
	return c.named(affine(standard(t, eps, axes), weight, bias))
}

// RMSNorm returns t divided by the root of its mean square over the last axes,
// which have the shape given, times weight, which has that shape or is nil.
func (t Tensor) RMSNorm(shape []int, weight any, eps float64) Tensor {
	c := start("RMSNorm")
	axes := c.lastShape(t, shape)
	if c.err != nil {
		return c.bad()
	}
	x, round := single(t)
	x = round(x.Mul(x.Square().Keep().Mean(axes...).Add(eps).Rsqrt()))
	return c.named(affine(x, weight, nil))
}

// channel gives a vector of channels the axes by which it broadcasts with t,
// whose channels are axis 1.
func channel(t Tensor, v any) any {
	x, ok := v.(Tensor)
	if !ok || x.Rank() != 1 {
		return v
	}
	return x.Reshape(append([]int{-1}, slices.Repeat([]int{1}, t.Rank()-2)...)...)
}

// BatchNorm returns t, of shape (N, C, ...), normalized for each channel. With
// training it is by the mean and variance of t, and the running mean and
// variance, which are tensors of shape (C) or nil, are moved in place towards
// these by momentum, for which a channel has two elements or more; else it is
// by the running ones. PyTorch's usual momentum is 0.1, eps 1e-5.
func (t Tensor) BatchNorm(mean, variance, weight, bias any, training bool, momentum,
	eps float64) Tensor {
	c := start("BatchNorm")
	if !c.checks(t) {
		return c.bad()
	}
	if t.Rank() < 2 {
		return c.fail("shape %s, want (N, C, ...)", shapeString(t.typ().Shape))
	}
	if !training {
		m, ok1 := mean.(Tensor)
		v, ok2 := variance.(Tensor)
		if !ok1 || !ok2 {
			return c.fail("without training it needs the running mean and variance, as Tensors")
		}
		scale := v.Add(eps).Rsqrt()
		x := t.Sub(channel(t, m)).Mul(channel(t, scale))
		return c.named(affine(x, channel(t, weight), channel(t, bias)))
	}
	axes := append([]int{0}, count(2, t.Rank())...)
	if s := t.Dims(); variance != nil {
		c.condition(ir.Const(2), "<=", s[0].Mul(s[2:].Size()), fmt.Sprintf(
			"elements a channel of shape %s, whose variance is kept", shapeString(s)))
	}
	if c.err != nil {
		return c.bad()
	}
	for _, r := range []struct {
		running any
		now     func() Tensor
	}{
		{mean, func() Tensor { return t.Mean(axes...) }},
		{variance, func() Tensor { return t.Reduce(Correction(1)).Var(axes...) }},
	} {
		if x, ok := r.running.(Tensor); ok {
			if x = x.Copy_(x.Lerp(StopGradient(r.now()), momentum)); x.err != nil {
				return c.named(x)
			}
		}
	}
	return c.named(affine(standard(t, eps, axes), channel(t, weight), channel(t, bias)))
}

// GroupNorm returns t, of shape (N, C, ...), normalized over each of so many
// groups of channels, times weight plus bias, of shape (C) or nil.
func (t Tensor) GroupNorm(groups int, weight, bias any, eps float64) Tensor {
	c := start("GroupNorm")
	if !c.checks(t) {
		return c.bad()
	}
	s := t.typ().Shape
	if len(s) < 2 || groups < 1 || !s[1].Mod(ir.Const(int64(groups))).IsConst(0) {
		return c.fail("%d groups of shape %s, want (N, C, ...) with a multiple of channels", groups,
			shapeString(s))
	}
	split := slices.Concat(s[:1:1], ir.Shape{ir.Const(int64(groups)),
		s[1].FloorDiv(ir.Const(int64(groups)))}, s[2:])
	x := standard(t.ReshapeTo(split), eps, count(2, len(split))).ReshapeTo(s)
	return c.named(affine(x, channel(t, weight), channel(t, bias)))
}

// InstanceNorm returns t, of shape (N, C, ...), normalized over each channel of
// each element of the batch, times weight plus bias, of shape (C) or nil.
func (t Tensor) InstanceNorm(weight, bias any, eps float64) Tensor {
	c := start("InstanceNorm")
	if !c.checks(t) {
		return c.bad()
	}
	if t.Rank() < 3 {
		return c.fail("shape %s, want (N, C, ...)", shapeString(t.typ().Shape))
	}
	x := standard(t, eps, count(2, t.Rank()))
	return c.named(affine(x, channel(t, weight), channel(t, bias)))
}

// LocalResponseNorm returns t, of shape (N, C, ...), divided by (k +
// alpha*mean)**beta with the mean of squares over size channels around.
func (t Tensor) LocalResponseNorm(size int, alpha, beta, k float64) Tensor {
	c := start("LocalResponseNorm")
	if !c.checks(t) {
		return c.bad()
	}
	rank := t.Rank()
	if rank < 3 || size < 1 {
		return c.fail("size %d of shape %s, want (N, C, ...)", size, shapeString(t.typ().Shape))
	}
	t, round := single(t)
	x := c.in(t.Square())
	a := windowOf(rank)
	a.Size[1] = int64(size)
	a.Lo[1], a.Hi[1] = ir.Const(int64(size/2)), ir.Const(int64((size-1)/2))
	sum := c.out(c.op(ir.OpWindowSum, a, x))
	return c.named(round(t.Div(sum.Mul(alpha / float64(size)).Add(k).Pow(beta))))
}

// Normalize returns t divided by its norm of order p along an axis, which
// counts as at least eps.
func (t Tensor) Normalize(p float64, axis int, eps float64) Tensor {
	c := start("Normalize")
	if !c.checks(t) {
		return c.bad()
	}
	t, round := single(t)
	return c.named(round(t.Div(t.Keep().VectorNorm(p, axis).Maximum(eps))))
}

// CosineSimilarity returns the product of t and y along an axis over that of
// their lengths, each of which counts as at least eps.
func (t Tensor) CosineSimilarity(y Tensor, axis int, eps float64) Tensor {
	c := start("CosineSimilarity")
	if !c.checks(t, y) {
		return c.bad()
	}
	d, err := ResultType(t, y)
	if err != nil {
		return c.fail("%v", err)
	}
	t, round := single(t.Cast(d))
	y, _ = single(y.Cast(d))
	lengths := t.VectorNorm(2, axis).Maximum(eps).Mul(y.VectorNorm(2, axis).Maximum(eps))
	return c.named(round(t.Mul(y).Sum(axis).Div(lengths)))
}
