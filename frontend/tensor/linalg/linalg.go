// Package linalg has the decompositions of matrices and what is computed from
// them, for the tensors of package tensor. They run on the host, in f64, when
// they are called, by gonum: an argument is evaluated, and a function that is
// being traced cannot use them on what depends on its arguments. They have no
// gradients: a tensor that needs one is refused, StopGradient gives it up.
//
// Matrices are the last two axes, those before are a batch. Results have the
// arguments' floating-point type, f64 for integers. What cannot be computed is
// an error that the resulting tensors carry.
//
// Products, norms by sums, traces and the like are operations of package
// tensor itself, which compile.
package linalg

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// matrices are the matrices of an argument in f64.
type matrices struct {
	name       string
	batch      []int
	rows, cols int
	data       []float64
	dtype      tensor.DType // of results
}

// load evaluates an argument; the tensor carries the error, if there is one.
func load(name string, x tensor.Tensor, square bool) (*matrices, tensor.Tensor) {
	if x.Err() != nil {
		return nil, x
	}
	s := x.Shape()
	n := len(s)
	switch {
	case n < 2:
		return nil, tensor.Fail(name, "shape %v, want matrices: at least 2 axes", s)
	case square && s[n-1] != s[n-2]:
		return nil, tensor.Fail(name, "shape %v, want square matrices", s)
	case x.NeedsGrad():
		return nil, tensor.Fail(name, "has no gradient, which the argument needs: "+
			"use StopGradient, or NoGrad")
	}
	data, err := tensor.Data[float64](x.Cast(tensor.F64).Clone())
	if err != nil {
		return nil, tensor.Fail(name, "runs on the host, where the argument has no value: %w", err)
	}
	d := x.DType()
	if !d.IsFloat() {
		d = tensor.F64
	}
	return &matrices{name, s[:n-2], s[n-2], s[n-1], data, d}, tensor.Tensor{}
}

// count is the number of matrices.
func (m *matrices) count() int {
	n := 1
	for _, d := range m.batch {
		n *= d
	}
	return n
}

// at is matrix i.
func (m *matrices) at(i int) []float64 {
	size := m.rows * m.cols
	return m.data[i*size : (i+1)*size]
}

// dense is matrix i in gonum's form; gonum has no empty matrices.
func (m *matrices) dense(i int) *mat.Dense {
	return mat.NewDense(m.rows, m.cols, slices.Clone(m.at(i)))
}

func (m *matrices) empty() bool { return m.rows == 0 || m.cols == 0 }

// finite reports whether all elements are numbers.
func finite(xs []float64) bool {
	return !slices.ContainsFunc(xs, func(x float64) bool { return math.IsNaN(x - x) })
}

// output collects results of one shape a matrix.
type output struct {
	shape []int
	data  []float64
}

func (m *matrices) output(shape ...int) *output {
	size := m.count()
	for _, d := range shape {
		size *= d
	}
	return &output{shape: slices.Concat(m.batch, shape), data: make([]float64, 0, size)}
}

func (o *output) tensor(d tensor.DType) tensor.Tensor {
	t := tensor.FromSlice(o.data)
	return t.Reshape(o.shape...).Cast(d).Clone()
}

// each calls f for each matrix. A panic of gonum's, which it has for values
// that its algorithms do not take, is an error as f's is.
func (m *matrices) each(f func(i int) error) (bad tensor.Tensor, ok bool) {
	for i := range m.count() {
		if err := guarded(func() error { return f(i) }); err != nil {
			return tensor.Fail(m.name, "matrix %d of shape (%d,%d): %w", i, m.rows, m.cols, err), false
		}
	}
	return tensor.Tensor{}, true
}

func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return f()
}

// values appends the elements of a gonum matrix in row-major order.
func (o *output) values(a mat.Matrix) {
	r, c := a.Dims()
	for i := range r {
		for j := range c {
			o.data = append(o.data, a.At(i, j))
		}
	}
}

// fill appends n copies of x.
func (o *output) fill(n int, x float64) {
	o.data = append(o.data, slices.Repeat([]float64{x}, n)...)
}
