package nn

import (
	"math"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// MultiHeadAttention maps D features to queries of E and keys and values of F
// numbers: E = F, but for grouped attention, where several heads of queries
// share those of keys and values.
type MultiHeadAttention struct {
	Q Linear `tcc:"In=D,Out=E"`
	K Linear `tcc:"In=D,Out=F"`
	V Linear `tcc:"In=D,Out=F"`
	O Linear `tcc:"In=E,Out=D"`
}

// AttentionConfig is how [MultiHeadAttention] goes about it.
type AttentionConfig struct {
	Heads   int     // of queries
	KVHeads int     // of keys and values, of which Heads is a multiple; 0: Heads
	Causal  bool    // positions see those before them and themselves
	Rotary  float64 // base of rotary positions, usually 10000; 0: none
}

// Apply maps x of shape (N, T, D) to the same.
func (l MultiHeadAttention) Apply(x tensor.Tensor, o AttentionConfig) tensor.Tensor {
	if o.KVHeads == 0 {
		o.KVHeads = o.Heads
	}
	q := heads(l.Q.Apply(x), o.Heads)
	k, v := heads(l.K.Apply(x), o.KVHeads), heads(l.V.Apply(x), o.KVHeads)
	if o.Rotary != 0 {
		q, k = Rotary(q, o.Rotary), Rotary(k, o.Rotary)
	}
	if o.KVHeads != o.Heads { // (N, KV, 1, T, E) meets (N, KV, group, T, E)
		q = q.Reshape(group(q.Shape(), o.KVHeads)...)
		k, v = k.Unsqueeze(2), v.Unsqueeze(2)
	}
	var opts []tensor.AttentionOption
	if o.Causal {
		opts = append(opts, tensor.Causal())
	}
	y := tensor.ScaledDotProductAttention(q, k, v, opts...)
	s := x.Shape()
	if len(s) != 3 || y.Err() != nil {
		return y
	}
	return l.O.Apply(y.Reshape(s[0], o.Heads, s[1], -1).Transpose(1, 2).Reshape(s[0], s[1], -1))
}

// heads turns (N, T, n·E) into (N, n, T, E).
func heads(x tensor.Tensor, n int) tensor.Tensor {
	s := x.Shape()
	if len(s) != 3 {
		return x.Reshape(-1, -1) // an error that names the shape
	}
	return x.Reshape(s[0], s[1], n, -1).Transpose(1, 2)
}

// group is the shape of queries in kv groups of heads.
func group(s []int, kv int) []int {
	if len(s) != 4 {
		return s
	}
	return []int{s[0], kv, s[1] / kv, s[2], s[3]}
}

// Rotary turns pairs of features, of x of shape (..., T, E), by angles that are
// proportional to the position (Su et al. 2021): feature i and i+E/2 by
// t·base^(-2i/E).
func Rotary(x tensor.Tensor, base float64) tensor.Tensor {
	s := x.Shape()
	if len(s) < 2 || s[len(s)-1]%2 != 0 {
		return x.Reshape(-1, 2, 2, 0) // an error that names the shape
	}
	t, half := s[len(s)-2], s[len(s)-1]/2
	angles := make([]float64, t*half)
	for p := range t {
		for i := range half {
			angles[p*half+i] = float64(p) * math.Pow(base, -float64(i)/float64(half))
		}
	}
	a := tensor.FromSlice(angles, t, half)
	cos, sin := a.Cos().Cast(x.DType()), a.Sin().Cast(x.DType())
	h := parts(x, 2)
	return tensor.Concat(-1, h[0].Mul(cos).Sub(h[1].Mul(sin)), h[1].Mul(cos).Add(h[0].Mul(sin)))
}

// TransformerBlock is attention and a network of two layers, each behind a
// normalization and beside the identity: of D features, M inside.
type TransformerBlock struct {
	Norm1 LayerNorm          `tcc:"D=D"`
	Attn  MultiHeadAttention `tcc:"D=D,E=D,F=F"`
	Norm2 LayerNorm          `tcc:"D=D"`
	Up    Linear             `tcc:"In=D,Out=M"`
	Down  Linear             `tcc:"In=M,Out=D"`
}

// Apply maps x of shape (N, T, D) to the same.
func (b TransformerBlock) Apply(x tensor.Tensor, o AttentionConfig) tensor.Tensor {
	x = x.Add(b.Attn.Apply(b.Norm1.Apply(x), o))
	return x.Add(b.Down.Apply(b.Up.Apply(b.Norm2.Apply(x)).GeluTanh()))
}
