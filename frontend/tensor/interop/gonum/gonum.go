// Package gonum moves matrices and vectors between gonum and tensors, without
// copying where it can.
package gonum

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/tensorcc/tcc/runtime"
)

// FromDense returns a tensor of f64 over the elements of m, a view with strides
// if m is a part of a larger matrix: both see each other's writes.
func FromDense(m *mat.Dense) (*runtime.Tensor, error) { return FromGeneral(m.RawMatrix()) }

// FromGeneral is FromDense for a matrix of package blas64.
func FromGeneral(m blas64.General) (*runtime.Tensor, error) {
	return runtime.FromStrided(m.Data, 0, []int{m.Rows, m.Cols}, []int{m.Stride, 1})
}

// FromVector returns a tensor of f64 over the elements of v, whose increment may
// be negative: both see each other's writes.
func FromVector(v blas64.Vector) (*runtime.Tensor, error) {
	first := 0
	if v.Inc < 0 { // as BLAS counts: the first element is the last in memory
		first = (1 - v.N) * v.Inc
	}
	return runtime.FromStrided(v.Data, first, []int{v.N}, []int{v.Inc})
}

// Dense returns a matrix of a tensor of f64 with two axes that are not empty: over
// its memory if it is contiguous, as shared tells, else a copy.
func Dense(t *runtime.Tensor) (m *mat.Dense, shared bool, err error) {
	data, err := elements(t, 2)
	if err != nil {
		return nil, false, err
	}
	rows, cols := t.Shape()[0], t.Shape()[1]
	if rows == 0 || cols == 0 {
		return nil, false, fmt.Errorf("gonum: %v: gonum has no matrices without elements", t)
	}
	return mat.NewDense(rows, cols, data), t.IsContiguous(), nil
}

// Vector returns a vector of a tensor of f64 with one axis: over its memory if it
// is contiguous, as shared tells, else a copy.
func Vector(t *runtime.Tensor) (v blas64.Vector, shared bool, err error) {
	data, err := elements(t, 1)
	if err != nil {
		return v, false, err
	}
	return blas64.Vector{N: len(data), Inc: 1, Data: data}, t.IsContiguous(), nil
}

func elements(t *runtime.Tensor, rank int) ([]float64, error) {
	if t.DType() != runtime.F64 || t.Rank() != rank {
		return nil, fmt.Errorf("gonum: %v: want f64 with %d axes", t, rank)
	}
	return runtime.Slice[float64](t.Contiguous())
}
