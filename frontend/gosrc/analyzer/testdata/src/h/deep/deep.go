// Package deep is used by package h alone.
package deep

import (
	"math"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// Scale is not known where math is not.
var Scale = 1 / math.Sqrt(2)

// Join puts y behind x.
func Join(x, y tensor.Tensor) tensor.Tensor { return tensor.Concat(0, x, y) }

// Gate is a layer whose sizes its user gives.
type Gate struct {
	W tensor.Tensor `tcc:"f32[D,D]"`
}

// Apply maps x of shape (..., D) to the same.
func (g Gate) Apply(x tensor.Tensor) tensor.Tensor { return x.MatMul(g.W).Sigmoid().Mul(x) }
