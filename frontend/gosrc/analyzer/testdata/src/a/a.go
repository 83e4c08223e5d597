// Package a has functions with faults that are certain. // want package:`syntax of example.com/m/a`
package a

import "github.com/tensorcc/tcc/frontend/tensor"

type params struct {
	W1, W2 tensor.Tensor   `tcc:"f32[4,8]"`
	Bs     []tensor.Tensor `tcc:"[2]f32[8]"`
	Hidden int             `tcc:"-"`
}

//tcc:compile x=f32[N,4]
func product(p params, x tensor.Tensor) tensor.Tensor {
	h := x.MatMul(p.W1).Add(p.Bs[0])
	return h.MatMul(p.W2) // want `MatMul: shapes \(N,8\) and \(4,8\) do not fit: axis 1 of the first is 8, axis 0 of the second is 4`
}

//tcc:compile x=f32[2,3] y=f32[2]
func sum(x, y tensor.Tensor) tensor.Tensor {
	z := x.Relu()
	return z.
		Add(y) // want `Add: shapes \(2,3\) and \(2\) do not broadcast.*use Unsqueeze\(1\)`
}

//tcc:compile x=f32[2] y=f32[2,3]
func first(x, y tensor.Tensor) tensor.Tensor {
	return x.Exp().Mul(y) // want `Mul: .*the first would fit as \(2,1\): use Unsqueeze\(1\)`
}

//tcc:compile x=f32[8,C]
func loop(x tensor.Tensor) tensor.Tensor {
	y := x.Clone()
	for i := 1; i < y.Len(); i++ {
		row := y.Index(i)
		row.Mul_(0.5)
	}
	for _, n := range []int{0, 0, 1} {
		y = y.Unsqueeze(0).Sum(n, 1) // want `Sum: axis 1 is out of range`
	}
	return y
}

//tcc:compile x=f32[N,4]
func (p *params) method(x tensor.Tensor) (tensor.Tensor, error) {
	if p.Hidden > 0 {
		return x, nil
	}
	y, err := p.layer(x, p.W1, p.Bs...)
	if err != nil {
		return y, err
	}
	return y.Add(weights), nil // want `Add: shapes \(N,8\) and \(3\) do not broadcast`
}

var weights = tensor.Of([]float32{1, 2, 3})

func (p *params) layer(x, w tensor.Tensor, bs ...tensor.Tensor) (tensor.Tensor, error) {
	apply := func(y tensor.Tensor) tensor.Tensor { return y.Relu() }
	y := apply(x.MatMul(w))
	for _, b := range bs {
		y = y.Add(b)
	}
	return y, nil
}

//tcc:compile x=i32[N]
func types(x tensor.Tensor) tensor.Tensor {
	return x.Cast(tensor.U8).Add(300) // want `Add: the number 300 does not fit u8`
}

//tcc:compile x=f32[N,4]
func axes(x tensor.Tensor) tensor.Tensor {
	s := x.Dims()
	switch len(s) {
	case 2:
		return x.Sum(len(s)) // want `Sum: axis 2 is out of range`
	}
	return x
}

//tcc:compile x=f32[N,4]
func index(x tensor.Tensor) tensor.Tensor {
	y := x.Index(tensor.All, tensor.Slice(0, 2))
	return tensor.Concat(0, y, x) // want `Concat: `
}

//tcc:compile x=f33[4] // want `tcc:compile: "//"`
func directive(x tensor.Tensor) tensor.Tensor { return x }
