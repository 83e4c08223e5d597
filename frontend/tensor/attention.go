package tensor

import (
	"math"
)

// AttentionOption is an option of [ScaledDotProductAttention].
type AttentionOption func(*attention)

type attention struct {
	mask   any
	causal bool
	scale  float64
}

// AttentionMask is a mask that broadcasts to (..., queries, keys): of bools,
// which keys take part, or of numbers that are added to the scores.
func AttentionMask(mask Tensor) AttentionOption { return func(a *attention) { a.mask = mask } }

// Causal lets query i see keys up to i.
func Causal() AttentionOption { return func(a *attention) { a.causal = true } }

// Scale multiplies the scores; by default 1/sqrt(size of a key).
func Scale(by float64) AttentionOption { return func(a *attention) { a.scale = by } }

// ScaledDotProductAttention returns softmax(scale * query key^T + mask) value:
// query of shape (..., L, E), key of (..., S, E), value of (..., S, V), the axes
// in front broadcasting. A query that sees no key gives NaN.
func ScaledDotProductAttention(query, key, value Tensor, opts ...AttentionOption) Tensor {
	c := start("ScaledDotProductAttention")
	var a attention
	for _, f := range opts {
		f(&a)
	}
	if !c.checks(query, key, value) {
		return c.bad()
	}
	if query.Rank() < 2 || key.Rank() < 2 || value.Rank() < 2 {
		return c.fail("shapes %s, %s and %s, want at least 2 axes each", shapeString(query.Dims()),
			shapeString(key.Dims()), shapeString(value.Dims()))
	}
	if a.scale == 0 {
		e, static := query.typ().Shape[query.Rank()-1].Int()
		if !static {
			return c.fail("queries of symbolic size %v: give a Scale", query.typ().Shape[query.Rank()-1])
		}
		a.scale = 1 / math.Sqrt(float64(e))
	}
	if half(query.DType()) { // whose products may be too large before they are scaled
		query, a.scale = query.Mul(a.scale), 1
	}
	scores := query.MatMul(key.MatrixTranspose())
	if a.scale != 1 {
		scores = scores.Mul(a.scale)
	}
	if a.causal && scores.err == nil {
		seen := Ones(Bool).ExpandTo(scores.Dims()).Tril(0)
		scores = scores.MaskedFill(seen.Not(), math.Inf(-1))
	}
	if m, ok := a.mask.(Tensor); ok && m.DType() == Bool {
		scores = scores.MaskedFill(m.Not(), math.Inf(-1))
	} else if ok {
		scores = scores.Add(m)
	}
	return c.named(scores.Softmax(-1).MatMul(value))
}
