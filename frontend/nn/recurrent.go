package nn

import (
	"github.com/tensorcc/tcc/frontend/tensor"
)

// Recurrent layers go through sequences of shape (T, N, In), time in front as
// PyTorch's do, by a loop that is recorded once. Gates lie side by side in the
// weights, in PyTorch's order; weights are (In, gates·H), the transposes of
// PyTorch's.

// RNN is h' = tanh(x·W + h·U + B).
type RNN struct {
	W tensor.Tensor `tcc:"f32[In,H]" init:"glorot"`
	U tensor.Tensor `tcc:"f32[H,H]" init:"glorot"`
	B tensor.Tensor `tcc:"f32[H]" init:"zeros"`
}

// Apply returns the hidden values of all steps, (T, N, H), and the last,
// beginning with h of shape (N, H).
func (l RNN) Apply(xs, h tensor.Tensor) (ys, last tensor.Tensor, err error) {
	in := xs.MatMul(l.W).Add(l.B) // of all steps at once
	last, ys, err = tensor.Scan(func(h, x tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
		h = x.Add(h.MatMul(l.U)).Tanh()
		return h, h
	}, h, in)
	return ys, last, err
}

// LSTM is that of Hochreiter and Schmidhuber with forget gates: gates i, f, g, o.
type LSTM struct {
	W tensor.Tensor `tcc:"f32[In,4*H]" init:"glorot"`
	U tensor.Tensor `tcc:"f32[H,4*H]" init:"glorot"`
	B tensor.Tensor `tcc:"f32[4*H]" init:"zeros"`
}

// LSTMState is what an LSTM carries, each of shape (N, H).
type LSTMState struct{ H, C tensor.Tensor }

// Apply returns the hidden values of all steps, (T, N, H), and the last state.
func (l LSTM) Apply(xs tensor.Tensor, s LSTMState) (ys tensor.Tensor, last LSTMState, err error) {
	in := xs.MatMul(l.W).Add(l.B)
	last, ys, err = tensor.Scan(func(s LSTMState, x tensor.Tensor) (LSTMState, tensor.Tensor) {
		g := parts(x.Add(s.H.MatMul(l.U)), 4)
		c := g[1].Sigmoid().Mul(s.C).Add(g[0].Sigmoid().Mul(g[2].Tanh()))
		h := g[3].Sigmoid().Mul(c.Tanh())
		return LSTMState{h, c}, h
	}, s, in)
	return ys, last, err
}

// GRU is that of Cho et al. (2014) with the reset gate after the product, as in
// PyTorch: gates r, z, n. C is the bias of the hidden part.
type GRU struct {
	W tensor.Tensor `tcc:"f32[In,3*H]" init:"glorot"`
	U tensor.Tensor `tcc:"f32[H,3*H]" init:"glorot"`
	B tensor.Tensor `tcc:"f32[3*H]" init:"zeros"`
	C tensor.Tensor `tcc:"f32[3*H]" init:"zeros"`
}

// Apply returns the hidden values of all steps, (T, N, H), and the last.
func (l GRU) Apply(xs, h tensor.Tensor) (ys, last tensor.Tensor, err error) {
	in := xs.MatMul(l.W).Add(l.B)
	last, ys, err = tensor.Scan(func(h, x tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
		a, b := parts(x, 3), parts(h.MatMul(l.U).Add(l.C), 3)
		r, z := a[0].Add(b[0]).Sigmoid(), a[1].Add(b[1]).Sigmoid()
		n := a[2].Add(r.Mul(b[2])).Tanh()
		h = n.Add(z.Mul(h.Sub(n)))
		return h, h
	}, h, in)
	return ys, last, err
}

// parts divides the last axis into n.
func parts(x tensor.Tensor, n int) []tensor.Tensor {
	out := make([]tensor.Tensor, n)
	s := x.Shape()
	if len(s) == 0 {
		for i := range out {
			out[i] = x // an error
		}
		return out
	}
	k := s[len(s)-1] / n
	for i := range out {
		out[i] = x.Index(tensor.Ellipsis, tensor.Slice(i*k, (i+1)*k))
	}
	return out
}
