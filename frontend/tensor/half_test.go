package tensor_test

import (
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestHalfPrecision has numbers whose squares and sums float16 does not hold:
// means, norms and normalizations are those of float32, rounded.
func TestHalfPrecision(t *testing.T) {
	large := tensor.Of([]float32{300, -300, 200, 100}).Cast(tensor.F16)
	small := tensor.Of([]float32{1e-4, 3e-4, 2e-4, 4e-4}).Cast(tensor.F16)
	image := func(x tensor.Tensor) tensor.Tensor { return x.Reshape(1, 2, 2) }
	for name, f := range map[string]func(x tensor.Tensor) tensor.Tensor{
		"Mean":     func(x tensor.Tensor) tensor.Tensor { return x.Tile(1000).Mean() },
		"Std":      func(x tensor.Tensor) tensor.Tensor { return x.Std() },
		"unbiased": func(x tensor.Tensor) tensor.Tensor { return x.Reduce(tensor.Correction(1)).Std() },
		"2-norm":   func(x tensor.Tensor) tensor.Tensor { return x.VectorNorm(2) },
		"3-norm":   func(x tensor.Tensor) tensor.Tensor { return x.VectorNorm(3) },
		"Frobenius": func(x tensor.Tensor) tensor.Tensor {
			return x.Reshape(2, 2).MatrixNorm(tensor.Frobenius)
		},
		"LayerNorm": func(x tensor.Tensor) tensor.Tensor {
			return x.LayerNorm([]int{4}, nil, nil, 1e-12)
		},
		"RMSNorm": func(x tensor.Tensor) tensor.Tensor { return x.RMSNorm([]int{4}, nil, 1e-12) },
		"GroupNorm": func(x tensor.Tensor) tensor.Tensor {
			return image(x).GroupNorm(1, nil, nil, 1e-12)
		},
		"LocalResponseNorm": func(x tensor.Tensor) tensor.Tensor {
			return image(x).LocalResponseNorm(2, 1, 0.5, 1e-9)
		},
		"Softplus": func(x tensor.Tensor) tensor.Tensor { return x.Softplus(1000) },
		"Attention": func(x tensor.Tensor) tensor.Tensor {
			x = x.Reshape(2, 2)
			return tensor.ScaledDotProductAttention(x, x, x, tensor.Scale(1e-5))
		},
		"Normalize": func(x tensor.Tensor) tensor.Tensor { return x.Normalize(2, 0, 1e-12) },
		"CosineSimilarity": func(x tensor.Tensor) tensor.Tensor {
			return x.CosineSimilarity(x.Flip(), 0, 1e-12)
		},
	} {
		for _, x := range []tensor.Tensor{large, small, large.Cast(tensor.BF16)} {
			got, want := f(x), f(x.Cast(tensor.F32)).Cast(x.DType())
			if err := differs(got, want); err != nil {
				t.Errorf("%s of %v: %v", name, x, err)
			}
		}
	}
}
