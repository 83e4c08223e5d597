package linalg_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/linalg"
)

func random(rng *rand.Rand, shape ...int) tensor.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	data := make([]float64, n)
	for i := range data {
		data[i] = rng.NormFloat64()
	}
	return tensor.FromSlice(data).Reshape(shape...)
}

// near checks that two tensors differ by at most 1e-9.
func near(t *testing.T, what string, got, want tensor.Tensor) {
	t.Helper()
	if err := got.Err(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if g, w := got.Shape(), want.Shape(); tensor.Zeros(tensor.Bool, g...).DType() != tensor.Bool ||
		len(g) != len(w) {
		t.Fatalf("%s: shape %v, want %v", what, g, w)
	}
	d, err := tensor.Item[float64](tensor.Concat(0, got.Sub(want).Abs().Flatten(),
		tensor.Zeros(tensor.F64, 1)).Max())
	if err != nil {
		t.Fatal(err)
	}
	if !(d <= 1e-9) {
		t.Errorf("%s: differs by %g", what, d)
	}
}

var shapes = [][]int{{1, 1}, {4, 4}, {5, 3}, {3, 5}, {2, 4, 4}, {2, 3, 5, 2}, {0, 2, 2}, {0, 0},
	{3, 0}}

// TestIdentities has what the factors multiply to.
func TestIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range shapes {
		x := random(rng, s...)
		for _, full := range []bool{false, true} {
			q, r := linalg.QR(x, full)
			near(t, "q r", q.MatMul(r), x)
			near(t, "r", r.Triu(0), r)
			u, v, vh := linalg.SVD(x, full)
			k := v.Shape()[v.Rank()-1]
			u, vh = u.Narrow(-1, 0, k), vh.Narrow(-2, 0, k)
			near(t, "u s vh", u.Mul(v.Unsqueeze(-2)).MatMul(vh), x)
			near(t, "s", linalg.SVDVals(x), v)
		}
		p := linalg.Pinv(x)
		near(t, "x pinv x", x.MatMul(p).MatMul(x), x)
		if s[len(s)-1] != s[len(s)-2] {
			continue
		}
		n := s[len(s)-1]
		eye := tensor.Eye(tensor.F64, n).Expand(s...)
		near(t, "inverse", linalg.Inv(x).MatMul(x), eye)
		near(t, "power", linalg.MatrixPower(x, -2).MatMul(x.MatrixPower(2)), eye)
		near(t, "solve", linalg.Solve(x, x), eye)
		sym := x.MatMul(x.MT()).Add(eye)
		l := linalg.Cholesky(sym, false)
		near(t, "cholesky", l.MatMul(l.MT()), sym)
		near(t, "upper", linalg.Cholesky(sym, true), l.MT())
		w, v := linalg.Eigh(sym)
		near(t, "eigh", v.Mul(w.Unsqueeze(-2)).MatMul(v.MT()), sym)
		near(t, "eigenvalues", linalg.EigValsh(sym), w)
		near(t, "det", linalg.Det(sym), w.Prod(-1))
		near(t, "rank", linalg.MatrixRank(x), tensor.Full(n, s[:len(s)-2]...))
	}
}

// TestNorms has orders of a matrix whose singular values are 4 and 3.
func TestNorms(t *testing.T) {
	x := tensor.Of([][]float64{{0, 3}, {-4, 0}})
	for _, c := range []struct {
		ord  any
		want float64
	}{{2, 4}, {-2, 3}, {"nuc", 7}, {"fro", 5}, {1, 4}, {-1, 3}, {math.Inf(1), 4}, {math.Inf(-1), 3}} {
		near(t, "norm", linalg.MatrixNorm(x, c.ord), tensor.Of(c.want))
	}
}

func TestErrors(t *testing.T) {
	x := tensor.Of([][]float64{{1, 2}, {2, 4}})
	nan := x.Mul(math.NaN())
	for _, c := range []struct {
		got  tensor.Tensor
		want string
	}{
		{linalg.Inv(x), "Inv: matrix 0 of shape (2,2): it is singular, which has no inverse"},
		{linalg.Inv(x.Index(0)), "Inv: shape [2], want matrices: at least 2 axes"},
		{linalg.Det(x.Index(tensor.Slice(0, 1))), "SLogDet: shape [1 2], want square matrices"},
		{linalg.Cholesky(x.Neg(), false),
			"Cholesky: matrix 0 of shape (2,2): it is not positive definite"},
		{linalg.SVDVals(nan), "SVDVals: matrix 0 of shape (2,2): it has NaN or infinities"},
		{linalg.Inv(tensor.Of([][]float64{{2}}).RequiresGrad()), "has no gradient"},
	} {
		err := c.got.Err()
		if err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "linalg_test.go:") {
			t.Errorf("error %v, want linalg_test.go:N: %s", err, c.want)
		}
	}
	if d := tensor.MustItem[float64](linalg.Det(nan)); !math.IsNaN(d) {
		t.Errorf("determinant %v, want NaN", d)
	}
	_, err := tensor.Trace(func(x tensor.Tensor) tensor.Tensor { return linalg.Inv(x) }, "x=f64[2,2]")
	if err == nil || !strings.Contains(err.Error(), "runs on the host") {
		t.Errorf("traced: error %v", err)
	}
}
