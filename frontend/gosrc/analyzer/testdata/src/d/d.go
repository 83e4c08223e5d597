// Package d is right, or may be, with the help of other packages. // want package:`syntax of .*frontend/nn`
package d

import (
	"math/rand"

	"example.com/m/h"
	"example.com/m/h/deep"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
)

type model struct {
	In   nn.Linear             `tcc:"In=4,Out=8"`
	Out  nn.Linear             `tcc:"In=8,Out=4"`
	Own  h.Layer               `tcc:"In=8,Out=4"`
	Conv nn.Conv2d             `tcc:"In=3,Out=16,K=5"`
	Norm nn.LayerNorm          `tcc:"D=8"`
	Attn nn.MultiHeadAttention `tcc:"D=8,E=8,F=8"`
	Cell nn.LSTM               `tcc:"In=4,H=8"`
	Two  h.Block               `tcc:"D=4,M=2"`
	Many []h.Layer             `tcc:"[2]In=4,Out=4"`
}

//tcc:compile x=f32[N,4]
func layers(m model, x tensor.Tensor) tensor.Tensor {
	y := m.Norm.Apply(m.In.Apply(x)).Relu()
	for _, l := range m.Many {
		x = l.Apply(x)
	}
	return m.Out.Apply(y).Add(m.Own.Apply(y)).Add(m.Two.Apply(x))
}

//tcc:compile x=f32[N,3,28,28]
func images(m model, x tensor.Tensor) tensor.Tensor {
	return m.Conv.Apply(x, tensor.Padding(2))
}

//tcc:compile x=f32[N,T,8] s=f32[T,N,4] h0=f32[N,8]
func sequences(m model, x, s, h0 tensor.Tensor) (tensor.Tensor, tensor.Tensor, error) {
	y := m.Attn.Apply(x, nn.AttentionConfig{Heads: 2, Causal: true})
	ys, last, err := m.Cell.Apply(s, nn.LSTMState{H: h0, C: h0})
	return y, ys.Sum(0).Add(last.H), err
}

//tcc:compile x=f32[N,4]
func maybe(m model, x tensor.Tensor) tensor.Tensor {
	return h.Maybe(x).MatMul(m.In.W)
}

//tcc:compile x=f32[N,8]
func turned(m *model, x tensor.Tensor) tensor.Tensor {
	l := h.Layer{W: m.Own.W.T(), B: m.Own.B}
	l.Turn()
	return l.Apply(x)
}

//tcc:compile x=f32[N,4]
func locked(m model, x tensor.Tensor) tensor.Tensor {
	ts := []tensor.Tensor{m.In.W.T()}
	h.Locked(ts)
	return x.MatMul(ts[0])
}

//tcc:compile x=f32[N,5]
func variable(m model, x tensor.Tensor) tensor.Tensor {
	return x.Add(h.Wide().Sum(0)) // h.Width may be 5
}

//tcc:compile x=f32[N,4]
func scaled(m model, x tensor.Tensor) tensor.Tensor {
	return h.Scaled(x)
}

//tcc:compile x=f32[N,4]
func checked(m model, x tensor.Tensor) (tensor.Tensor, error) {
	y, err := h.Checked(x, 8)
	if err != nil {
		return x, err // gen would fail; that it may be meant is not ruled out
	}
	return y.MatMul(m.Own.W), nil
}

//tcc:compile x=f32[N,4]
func hooked(m model, x tensor.Tensor) tensor.Tensor {
	h.SetHook(func(t tensor.Tensor) tensor.Tensor { return t.T() })
	return h.Hooked(x).MatMul(x)
}

//tcc:compile x=f32[N,4]
func elements(m model, x tensor.Tensor) tensor.Tensor {
	w := m.In.W
	flips := h.Each([]func(){func() {}}, func(f func()) func() { return func() { w = w.T() } })
	flips[rand.Intn(1)]()
	return w.MatMul(m.In.W)
}

//tcc:compile x=f32[N,4]
func trained(m model, x tensor.Tensor) (model, error) {
	before := m
	err := nn.Choose(x.Sum().Gt(0), &m, &before)
	return m, err
}

//tcc:compile g=f32[8,8]
func gated(g tensor.Tensor) tensor.Tensor {
	return deep.Gate{W: g}.Apply(g.Mul(deep.Scale))
}

//tcc:compile x=f32[N,4]
func endless(x tensor.Tensor) tensor.Tensor {
	if x.Rank() == 2 {
		h.Endless()
	}
	return x.MatMul(x) // never reached
}

//tcc:compile x=f32[N,4]
func long(x tensor.Tensor) tensor.Tensor {
	return x.Add(h.Long()).MatMul(x) // wrong, and not found in time
}
