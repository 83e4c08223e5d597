// Package h has what others call.
package h

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"sync"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"

	"example.com/m/h/deep"
)

// Layer is a product and a sum.
type Layer struct {
	W    tensor.Tensor `tcc:"f32[In,Out]"`
	B    tensor.Tensor `tcc:"f32[Out]"`
	name string
}

// Apply maps (..., In) to (..., Out).
func (l *Layer) Apply(x tensor.Tensor) tensor.Tensor {
	return x.MatMul(l.W).Add(l.B)
}

// Project multiplies.
func Project(x, w tensor.Tensor) tensor.Tensor {
	return x.MatMul(w)
}

// Block is two layers.
type Block struct {
	A nn.Linear `tcc:"In=D,Out=M"`
	B nn.Linear `tcc:"In=M,Out=D"`
}

// Apply maps (..., D) to the same.
func (b Block) Apply(x tensor.Tensor) tensor.Tensor {
	return b.B.Apply(b.A.Apply(x).Relu())
}

// Both is of a package further on.
func Both(x, y tensor.Tensor) tensor.Tensor { return deep.Join(x, y) }

// Each applies f to xs.
func Each[T any](xs []T, f func(T) T) []T {
	out := make([]T, len(xs))
	for i, x := range xs {
		out[i] = f(x)
	}
	return out
}

// Checked is an error where the last axis is not n.
func Checked(x tensor.Tensor, n int) (tensor.Tensor, error) {
	if s := x.Shape(); s[len(s)-1] != n {
		return x, fmt.Errorf("h: %v", errors.ErrUnsupported)
	}
	return x, nil
}

// Maybe may turn x.
func Maybe(x tensor.Tensor) tensor.Tensor {
	if os.Getenv("X") != "" {
		return x.T()
	}
	return x
}

// Turn turns the layer's weights, now or then.
func (l *Layer) Turn() {
	if rand.Int() > 0 {
		return
	}
	l.W = l.W.T()
}

var mu sync.Mutex

// Locked cannot be followed.
func Locked(ts []tensor.Tensor) {
	mu.Lock()
	defer mu.Unlock()
	ts[0] = ts[0].T()
}

// Width is set by whoever likes.
var Width = 4

// Wide has Width columns.
func Wide() tensor.Tensor { return tensor.Ones(tensor.F32, 2, Width) }

// Scaled depends on a number of another package.
func Scaled(x tensor.Tensor) tensor.Tensor {
	if deep.Scale > 1 {
		return x.MatMul(x)
	}
	return x.Mul(deep.Scale)
}

var hook func(tensor.Tensor) tensor.Tensor

// Hooked calls what was given.
func Hooked(x tensor.Tensor) tensor.Tensor {
	if hook == nil {
		return x
	}
	return hook(x)
}

// SetHook gives it.
func SetHook(f func(tensor.Tensor) tensor.Tensor) { hook = f }

// Endless does not end, Long takes long.
func Endless() {
	for {
	}
}

// Long is nested loops, and an ever longer slice.
func Long() (n int) {
	var all []int
	for range 1000 {
		for range 1000 {
			for range 1000 {
			}
		}
		all = append(all, make([]int, 60000)...)
	}
	return len(all)
}
