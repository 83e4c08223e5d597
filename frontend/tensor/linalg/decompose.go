package linalg

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/tensorcc/tcc/frontend/tensor"
)

var (
	errNotFinite = errors.New("it has NaN or infinities")
	errNoEnd     = errors.New("the iteration does not converge")
)

// QR returns matrices q with orthonormal columns and upper triangular r with
// q r = x: of shapes (m,k) and (k,n) with k the smaller of m and n, or with
// complete of (m,m) and (m,n).
func QR(x tensor.Tensor, complete bool) (q, r tensor.Tensor) {
	m, bad := load("QR", x, false)
	if m == nil {
		return bad, bad
	}
	k := min(m.rows, m.cols)
	wide := k
	if complete {
		wide = m.rows
	}
	qs, rs := m.output(m.rows, wide), m.output(wide, m.cols)
	bad, ok := m.each(func(i int) error {
		if m.empty() {
			qs.eye(m.rows, wide)
			rs.fill(wide*m.cols, 0)
			return nil
		}
		m.qr(m.at(i), wide, qs, rs)
		return nil
	})
	if !ok {
		return bad, bad
	}
	return qs.tensor(m.dtype), rs.tensor(m.dtype)
}

func (o *output) eye(rows, cols int) {
	at := len(o.data)
	o.fill(rows*cols, 0)
	for i := range min(rows, cols) {
		o.data[at+i*cols+i] = 1
	}
}

func (m *matrices) qr(a []float64, wide int, qs, rs *output) {
	k := min(m.rows, m.cols)
	f := blas64.General{Rows: m.rows, Cols: m.cols, Stride: m.cols, Data: append([]float64{}, a...)}
	tau, size := make([]float64, k), make([]float64, 1)
	lapack64.Geqrf(f, tau, size, -1)
	lapack64.Geqrf(f, tau, make([]float64, int(size[0])), int(size[0]))
	q := blas64.General{Rows: m.rows, Cols: wide, Stride: wide, Data: make([]float64, m.rows*wide)}
	for i := range m.rows {
		copy(q.Data[i*wide:], f.Data[i*m.cols:i*m.cols+min(k, wide)])
	}
	for i := range wide {
		for j := range m.cols {
			x := 0.0
			if i <= j && i < k {
				x = f.Data[i*m.cols+j]
			}
			rs.data = append(rs.data, x)
		}
	}
	lapack64.Orgqr(q, tau, size, -1)
	lapack64.Orgqr(q, tau, make([]float64, int(size[0])), int(size[0]))
	qs.data = append(qs.data, q.Data...)
}

// svd decomposes matrix i.
func (m *matrices) svd(i int, kind mat.SVDKind) (*mat.SVD, error) {
	if !finite(m.at(i)) {
		return nil, errNotFinite
	}
	var s mat.SVD
	if !s.Factorize(m.dense(i), kind) {
		return nil, errNoEnd
	}
	return &s, nil
}

// SVD returns the singular value decomposition: u, the singular values s,
// decreasing, and vh with u diag(s) vh = x. u and vh are square with full,
// else they have as many columns and rows as there are values. NaN and
// infinities are an error.
func SVD(x tensor.Tensor, full bool) (u, s, vh tensor.Tensor) {
	m, bad := load("SVD", x, false)
	if m == nil {
		return bad, bad, bad
	}
	k := min(m.rows, m.cols)
	kind, uc, vr := mat.SVDThin, k, k
	if full {
		kind, uc, vr = mat.SVDFull, m.rows, m.cols
	}
	us, ss, vs := m.output(m.rows, uc), m.output(k), m.output(vr, m.cols)
	bad, ok := m.each(func(i int) error {
		if m.empty() {
			us.eye(m.rows, uc)
			vs.eye(vr, m.cols)
			return nil
		}
		d, err := m.svd(i, kind)
		if err != nil {
			return err
		}
		var uu, vv mat.Dense
		d.UTo(&uu)
		d.VTo(&vv)
		us.values(&uu)
		vs.values(vv.T())
		ss.data = append(ss.data, d.Values(nil)...)
		return nil
	})
	if !ok {
		return bad, bad, bad
	}
	return us.tensor(m.dtype), ss.tensor(m.dtype), vs.tensor(m.dtype)
}

// SVDVals returns the singular values, decreasing. NaN and infinities are an
// error.
func SVDVals(x tensor.Tensor) tensor.Tensor { return singular("SVDVals", x) }

func singular(name string, x tensor.Tensor) tensor.Tensor {
	m, bad := load(name, x, false)
	if m == nil {
		return bad
	}
	o := m.output(min(m.rows, m.cols))
	if !m.empty() {
		bad, ok := m.each(func(i int) error {
			d, err := m.svd(i, mat.SVDNone)
			if err == nil {
				o.data = append(o.data, d.Values(nil)...)
			}
			return err
		})
		if !ok {
			return bad
		}
	}
	return o.tensor(m.dtype)
}

// Eigh returns the eigenvalues of symmetric matrices, increasing, and the
// eigenvectors as columns. The lower triangles are read. NaN and infinities
// are an error.
func Eigh(x tensor.Tensor) (values, vectors tensor.Tensor) { return eigh("Eigh", x, true) }

// EigValsh returns the eigenvalues of symmetric matrices, increasing.
func EigValsh(x tensor.Tensor) tensor.Tensor {
	values, _ := eigh("EigValsh", x, false)
	return values
}

func eigh(name string, x tensor.Tensor, want bool) (values, vectors tensor.Tensor) {
	m, bad := load(name, x, true)
	if m == nil {
		return bad, bad
	}
	ws, vs := m.output(m.rows), m.output(m.rows, m.rows)
	if m.empty() {
		return ws.tensor(m.dtype), vs.tensor(m.dtype)
	}
	bad, ok := m.each(func(i int) error {
		var e mat.EigenSym
		switch {
		case !finite(m.at(i)):
			return errNotFinite
		case !e.Factorize(m.symmetric(i), want):
			return errNoEnd
		}
		ws.data = append(ws.data, e.Values(nil)...)
		if want {
			var v mat.Dense
			e.VectorsTo(&v)
			vs.values(&v)
		}
		return nil
	})
	if !ok {
		return bad, bad
	}
	if !want {
		return ws.tensor(m.dtype), tensor.Tensor{}
	}
	return ws.tensor(m.dtype), vs.tensor(m.dtype)
}

// rtol is the usual relative tolerance below which singular values count as 0.
func rtol(d tensor.DType, rows, cols int) float64 {
	f, err := tensor.Finfo(d)
	if err != nil {
		return 0
	}
	return float64(max(rows, cols)) * f.Eps
}

// Pinv returns the Moore-Penrose pseudo-inverses: singular values up to rtol
// times the largest count as 0, by default the larger extent times the type's
// epsilon.
func Pinv(x tensor.Tensor, tolerance ...float64) tensor.Tensor {
	u, s, vh := SVD(x, false)
	if s.Err() != nil {
		return s
	}
	inverse := s.Reciprocal()
	if s.Dims()[s.Rank()-1].IsConst(0) {
		return vh.MatrixTranspose().MatMul(u.MatrixTranspose())
	}
	limit := s.Keep().Max(-1).Mul(tol(s, x, tolerance))
	inverse = tensor.Where(s.Gt(limit), inverse, 0)
	return vh.MatrixTranspose().Mul(inverse.Unsqueeze(-2)).MatMul(u.MatrixTranspose())
}

func tol(s, x tensor.Tensor, given []float64) float64 {
	if len(given) > 0 {
		return given[0]
	}
	shape := x.Shape()
	return rtol(s.DType(), shape[len(shape)-2], shape[len(shape)-1])
}

// MatrixRank returns how many singular values exceed rtol times the largest,
// as i64; rtol is by default the larger extent times the type's epsilon.
func MatrixRank(x tensor.Tensor, tolerance ...float64) tensor.Tensor {
	s := singular("MatrixRank", x)
	if s.Err() != nil {
		return s
	}
	if s.Dims()[s.Rank()-1].IsConst(0) {
		return s.CountNonzero(-1)
	}
	return s.Gt(s.Keep().Max(-1).Mul(tol(s, x, tolerance))).CountNonzero(-1)
}

// Nuclear is the order of the norm that is the sum of singular values.
const Nuclear = "nuc"

// MatrixNorm returns the norm of matrices of order ord: tensor.Frobenius, 1,
// -1, Inf, -Inf as [tensor.Tensor.MatrixNorm] has them; 2 or -2, the largest
// or smallest singular value; [Nuclear], their sum.
func MatrixNorm(x tensor.Tensor, ord any) tensor.Tensor {
	switch ord {
	case 2, 2.0:
		return singular("MatrixNorm", x).Max(-1)
	case -2, -2.0:
		return singular("MatrixNorm", x).Min(-1)
	case Nuclear:
		return singular("MatrixNorm", x).Sum(-1)
	case "fro", 1, 1.0, -1, -1.0, math.Inf(1), math.Inf(-1):
		return x.MatrixNorm(ord)
	}
	return tensor.Fail("MatrixNorm",
		"order %v, want \"fro\", \"nuc\", 1, -1, 2, -2, Inf or -Inf", ord)
}
