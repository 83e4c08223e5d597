// Package nn has layers, losses, initial values and optimizers, written in the
// DSL of package tensor alone: each is a few lines of tensor operations, which
// work in compiled functions and outside.
//
// A layer is a struct of its parameters, whose tags say their types and initial
// values in terms of sizes that the tag of the layer's field gives:
//
//	type Model struct {
//		Conv nn.Conv2d `tcc:"In=1,Out=16,K=5"`
//		Head nn.Linear `tcc:"In=3136,Out=10"`
//	}
//
//	func (m Model) Logits(x tensor.Tensor) tensor.Tensor {
//		x = m.Conv.Apply(x, tensor.Padding(2)).Relu().MaxPool2d([]int{2, 2})
//		return m.Head.Apply(x.Reshape(-1, 3136))
//	}
//
// [Init] makes the parameters. A model, its gradient and the state of an
// optimizer are values of such types; [Leaves] of package tensor lists them.
package nn

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// Init sets all tensors of *model by their tags: their types, and the tag init,
// which is one of
//
//	zeros, ones, constant=C
//	normal=S     a normal distribution of standard deviation S
//	uniform=B    within -B and B
//	glorot       uniform, the bound of Glorot and Bengio (2010)
//	he           normal, of He et al. (2015), for layers before Relu
//	torch        uniform within 1/sqrt(fan in), as PyTorch's layers begin
//
// Weights of rank 2 are (in, out), of higher rank (out, in, ...). The numbers
// depend on key and the order of the fields alone.
func Init(model any, key tensor.Key) error {
	fields, err := tensor.Fields(model)
	if err != nil {
		return err
	}
	for i, f := range fields {
		shape, static := f.Type.Shape.Ints()
		if !static || f.Type.Rank() > 0 && shape == nil {
			return fmt.Errorf("nn: Init: %s is %v: give values to its sizes in the tag of its layer",
				f.Name, f.Type)
		}
		if f.Init == "" {
			return fmt.Errorf("nn: Init: %s has no tag init: want one such as init:\"zeros\"", f.Name)
		}
		dims := make([]int, len(shape))
		for k, d := range shape {
			dims[k] = int(d)
		}
		t, err := initial(f.Init, key.Fold(uint64(i)), f.Type.DType, dims)
		if err == nil {
			err = t.Err()
		}
		if err != nil {
			return fmt.Errorf("nn: Init: %s: %w", f.Name, err)
		}
		*f.T = t
	}
	return nil
}

func initial(how string, key tensor.Key, d tensor.DType, dims []int) (tensor.Tensor, error) {
	name, text, numbered := strings.Cut(how, "=")
	c := 0.0
	if numbered {
		var err error
		if c, err = strconv.ParseFloat(text, 64); err != nil {
			return tensor.Tensor{}, fmt.Errorf("%q: want a number after =", how)
		}
	}
	in, out := fans(dims)
	uniform := func(bound float64) tensor.Tensor {
		return tensor.Uniform(key, d, -bound, bound, dims...)
	}
	switch name {
	case "zeros":
		return tensor.Zeros(d, dims...), nil
	case "ones":
		return tensor.Ones(d, dims...), nil
	case "constant":
		return tensor.Full(c, dims...).Cast(d), nil
	case "normal":
		return tensor.Normal(key, d, 0, c, dims...), nil
	case "uniform":
		return uniform(c), nil
	case "glorot":
		return uniform(math.Sqrt(6 / (in + out))), nil
	case "he":
		return tensor.Normal(key, d, 0, math.Sqrt(2/in), dims...), nil
	case "torch":
		return uniform(1 / math.Sqrt(in)), nil
	}
	return tensor.Tensor{}, fmt.Errorf("%q: want zeros, ones, constant, normal, uniform, glorot, he "+
		"or torch", how)
}

// fans counts what an output is computed from, and what an input goes to.
func fans(dims []int) (in, out float64) {
	if len(dims) < 2 {
		n := 1.0
		for _, d := range dims {
			n *= float64(d)
		}
		return n, n
	}
	if len(dims) == 2 {
		return float64(dims[0]), float64(dims[1])
	}
	field := 1.0
	for _, d := range dims[2:] {
		field *= float64(d)
	}
	return float64(dims[1]) * field, float64(dims[0]) * field
}
