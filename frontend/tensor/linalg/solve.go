package linalg

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/tensorcc/tcc/frontend/tensor"
)

var errSingular = errors.New("it is singular, which has no inverse")

// solve computes a**-1 b, or NaN where a or b has NaN or infinities.
func solve(o *output, a *mat.Dense, b *mat.Dense) error {
	r, c := b.Dims()
	if !finite(a.RawMatrix().Data) || !finite(b.RawMatrix().Data) {
		o.fill(r*c, math.NaN())
		return nil
	}
	var lu mat.LU
	lu.Factorize(a)
	var x mat.Dense
	err := lu.SolveTo(&x, false, b)
	var ill mat.Condition
	if errors.As(err, &ill) && !math.IsInf(float64(ill), 0) {
		err = nil // badly conditioned is not singular
	}
	if err != nil {
		return errSingular
	}
	o.values(&x)
	return nil
}

func identity(n int) *mat.Dense {
	e := mat.NewDense(n, n, nil)
	for i := range n {
		e.Set(i, i, 1)
	}
	return e
}

// Inv returns the inverses of square matrices; a singular one is an error.
func Inv(x tensor.Tensor) tensor.Tensor {
	m, bad := load("Inv", x, true)
	if m == nil {
		return bad
	}
	o := m.output(m.rows, m.cols)
	if m.empty() {
		return o.tensor(m.dtype)
	}
	bad, ok := m.each(func(i int) error { return solve(o, m.dense(i), identity(m.rows)) })
	if !ok {
		return bad
	}
	return o.tensor(m.dtype)
}

// Solve returns x with a x = b for square matrices a: b is a vector, or
// matrices whose batch broadcasts with a's. A singular matrix is an error.
func Solve(a, b tensor.Tensor) tensor.Tensor {
	if a.Err() == nil && b.Err() == nil && b.Rank() == 1 {
		return Solve(a, b.Unsqueeze(1)).Squeeze(-1)
	}
	m, bad := load("Solve", a, true)
	if m == nil {
		return bad
	}
	r, bad := load("Solve", b, false)
	if r == nil {
		return bad
	}
	if m.rows != r.rows {
		return tensor.Fail("Solve", "shapes %v and %v: %d equations, %d right-hand sides", a.Shape(),
			b.Shape(), m.rows, r.rows)
	}
	if !slices.Equal(m.batch, r.batch) {
		both, err := tensor.BroadcastArrays(tensor.Zeros(tensor.Bool, m.batch...),
			tensor.Zeros(tensor.Bool, r.batch...))
		if err != nil {
			return tensor.Fail("Solve", "batches: %w", err)
		}
		to := both[0].Shape()
		return Solve(a.Expand(append(to[:len(to):len(to)], m.rows, m.cols)...),
			b.Expand(append(to[:len(to):len(to)], r.rows, r.cols)...))
	}
	d, err := tensor.Promote(m.dtype, r.dtype)
	if err != nil {
		return tensor.Fail("Solve", "%w", err)
	}
	o := m.output(r.rows, r.cols)
	if !m.empty() && !r.empty() {
		if bad, ok := m.each(func(i int) error { return solve(o, m.dense(i), r.dense(i)) }); !ok {
			return bad
		}
	}
	return o.tensor(d)
}

// Det returns the determinants of square matrices.
func Det(x tensor.Tensor) tensor.Tensor {
	sign, log := SLogDet(x)
	return sign.Mul(log.Cast(tensor.F64).Exp()).Cast(sign.DType())
}

// SLogDet returns the sign of the determinants of square matrices and the
// logarithm of their absolute values, which do not overflow: 0 and -Inf for a
// singular one.
func SLogDet(x tensor.Tensor) (sign, logabsdet tensor.Tensor) {
	m, bad := load("SLogDet", x, true)
	if m == nil {
		return bad, bad
	}
	s, l := m.output(), m.output()
	bad, ok := m.each(func(i int) error {
		det, sgn := 0.0, 1.0
		switch {
		case m.empty():
		case !finite(m.at(i)):
			det, sgn = math.NaN(), math.NaN()
		default:
			var lu mat.LU
			lu.Factorize(m.dense(i))
			det, sgn = lu.LogDet()
			if math.IsInf(det, -1) {
				sgn = 0
			}
		}
		s.data, l.data = append(s.data, sgn), append(l.data, det)
		return nil
	})
	if !ok {
		return bad, bad
	}
	return s.tensor(m.dtype), l.tensor(m.dtype)
}

// MatrixPower returns the product of n copies of square matrices, of their
// inverses where n is negative.
func MatrixPower(x tensor.Tensor, n int) tensor.Tensor {
	if n < 0 {
		x, n = Inv(x), -n
	}
	return x.MatrixPower(n)
}

// Cholesky returns the lower triangular factors l of symmetric positive
// definite matrices l l^T, of which the lower triangles are read, or with upper
// the transposes of the factors. A matrix that is not positive definite is an
// error.
func Cholesky(x tensor.Tensor, upper bool) tensor.Tensor {
	m, bad := load("Cholesky", x, true)
	if m == nil {
		return bad
	}
	o := m.output(m.rows, m.cols)
	if !m.empty() {
		bad, ok := m.each(func(i int) error {
			var ch mat.Cholesky
			if !ch.Factorize(m.symmetric(i)) {
				return errors.New("it is not positive definite")
			}
			l := mat.NewTriDense(m.rows, mat.Lower, nil)
			ch.LTo(l)
			if upper {
				o.values(l.T())
			} else {
				o.values(l)
			}
			return nil
		})
		if !ok {
			return bad
		}
	}
	return o.tensor(m.dtype)
}

// symmetric is matrix i by its lower triangle.
func (m *matrices) symmetric(i int) *mat.SymDense {
	a := m.at(i)
	s := mat.NewSymDense(m.rows, nil)
	for r := range m.rows {
		for c := range r + 1 {
			s.SetSym(r, c, a[r*m.cols+c])
		}
	}
	return s
}
