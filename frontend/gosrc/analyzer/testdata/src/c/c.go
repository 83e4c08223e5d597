// Package c has faults that show in other packages. // want package:`syntax of .*frontend/nn`
package c

import (
	"example.com/m/h"
	"example.com/m/h/deep"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
)

type model struct {
	In   nn.Linear  `tcc:"In=4,Out=8"`
	Out  nn.Linear  `tcc:"In=7,Out=3"`
	Own  h.Layer    `tcc:"In=8,Out=4"`
	Conv nn.Conv2d  `tcc:"In=3,Out=16,K=5"`
	Gate *deep.Gate `tcc:"D=8"`
	Free nn.Projection
	Two  h.Block `tcc:"D=5,M=2"`
}

//tcc:compile x=f32[N,4]
func layers(m model, x tensor.Tensor) tensor.Tensor {
	y := m.In.Apply(x).Relu()
	return m.Out.Apply(y) // want `MatMul: shapes \(N,8\) and \(7,3\) do not fit: axis 1 of the first is 8, axis 0 of the second is 7$`
}

//tcc:compile x=f32[N,4]
func pointer(m *model, x tensor.Tensor) tensor.Tensor {
	return m.Own.Apply(x) // want `MatMul: shapes \(N,4\) and \(8,4\) do not fit.* \(example.com/m/h, h.go:26\)`
}

//tcc:compile x=f32[N,4] w=f32[5,6]
func helper(x, w tensor.Tensor) tensor.Tensor {
	return h.
		Project(x.Exp(), w) // want `MatMul: shapes \(N,4\) and \(5,6\) do not fit.* \(example.com/m/h, h.go:31\)`
}

//tcc:compile x=f32[N,4] y=f32[5,6]
func further(x, y tensor.Tensor) tensor.Tensor {
	return h.Both(x, y) // want `Concat: .* \(example.com/m/h/deep, deep.go:14\)`
}

//tcc:compile x=f32[N,4]
func result(m model, x tensor.Tensor) tensor.Tensor {
	y := m.Gate.Apply(m.In.Apply(x))
	return y.Add(x) // want `Add: shapes \(N,8\) and \(N,4\) do not broadcast`
}

//tcc:compile x=f32[N,1,28,28]
func images(m model, x tensor.Tensor) tensor.Tensor {
	return m.Conv.Apply(x, tensor.Padding(2)) // want `Conv2d: `
}

//tcc:compile x=f32[N,4] label=i64[M,2]
func loss(m model, x, label tensor.Tensor) tensor.Tensor {
	return nn.CrossEntropy(m.In.Apply(x), label) // want `: `
}

//tcc:compile x=f32[N,4]
func generic(m model, x tensor.Tensor) tensor.Tensor {
	ys := h.Each([]tensor.Tensor{x, x}, func(t tensor.Tensor) tensor.Tensor {
		return m.Own.Apply(t) // want `MatMul: shapes \(N,4\) and \(8,4\) do not fit`
	})
	return ys[0]
}

//tcc:compile x=f32[N,4]
func afterwards(m model, x tensor.Tensor) tensor.Tensor {
	y := h.Maybe(x)
	h.Locked([]tensor.Tensor{y})
	return x.MatMul(x.Relu()) // want `MatMul: shapes \(N,4\) and \(N,4\) do not fit`
}

//tcc:compile x=f32[N,4] y=f32[N]
func fixable(m model, x, y tensor.Tensor) tensor.Tensor {
	return m.In.Apply(x).Mul(y) // want `Mul: .*use Unsqueeze\(1\)`
}

//tcc:compile x=f32[N,4]
func unbound(m model, x tensor.Tensor) tensor.Tensor {
	return m.Free.Apply(x) // want `MatMul: shapes \(N,4\) and \(In,Out\) do not fit`
}

//tcc:compile x=f32[N,4]
func nested(m model, x tensor.Tensor) tensor.Tensor {
	return m.Two.Apply(x) // want `MatMul: shapes \(N,4\) and \(5,2\) do not fit.* \(example.com/m/h, h.go:42\)`
}

//tcc:compile x=f32[N,T,6]
func attention(m modelT, x tensor.Tensor) tensor.Tensor {
	return m.Attn.Apply(x, nn.AttentionConfig{Heads: 2}) // want `MatMul: shapes \(N,T,6\) and \(8,8\) do not fit`
}

//tcc:compile x=f32[N,T,6]
func block(m modelT, x tensor.Tensor) tensor.Tensor {
	return m.Block.Apply(x, nn.AttentionConfig{Heads: 2, Causal: true}) // want `LayerNorm: `
}

//tcc:compile xs=f32[T,N,5] h0=f32[N,8]
func recurrent(m modelT, xs, h0 tensor.Tensor) (tensor.Tensor, error) {
	ys, _, err := m.Cell.Apply(xs, nn.LSTMState{H: h0, C: h0}) // want `MatMul: shapes \(T,N,5\) and \(4,32\) do not fit`
	return ys, err
}

//tcc:compile x=f32[N,3,8,8]
func normalized(m modelT, x tensor.Tensor) tensor.Tensor {
	y := m.Batch.Train(x, &m.Stats) // want `BatchNorm: `
	return y
}

//tcc:compile ids=f32[N,T]
func embedded(m modelT, ids tensor.Tensor) tensor.Tensor {
	return m.Emb.Apply(ids) // want `Index: `
}

type modelT struct {
	Attn  nn.MultiHeadAttention `tcc:"D=8,E=8,F=8"`
	Block nn.TransformerBlock   `tcc:"D=8,F=8,M=16"`
	Cell  nn.LSTM               `tcc:"In=4,H=8"`
	Batch nn.BatchNorm          `tcc:"C=4"`
	Stats nn.BatchStats         `tcc:"C=4"`
	Emb   nn.Embedding          `tcc:"N=100,D=8"`
}
