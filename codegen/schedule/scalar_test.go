package schedule

import (
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// TestScalarProduct: products in scalar code have register blocks, pack the columns
// that rows enough share, once for all tasks where all sizes are numbers, and compute
// what the naive tree does.
func TestScalarProduct(t *testing.T) {
	for _, tc := range []struct {
		name, b, m, k, n, at string
		want, not            string // text of the schedule
		dims                 []int64
	}{
		{"shared", "1", "70", "33", "50", "k*N+n", "pack f32[1683] common", "scratch", nil},
		{"columns in memory as rows", "1", "64", "16", "31", "n*K+k", "common", "scratch", nil},
		{"batches", "2", "20", "17", "7", "h*K*N+k*N+n", "pack f32[51] scratch", "common", nil},
		{"rows not known", "1", "S", "12", "10", "k*N+n", "scratch", "common", []int64{23}},
		{"steps not known", "1", "30", "S", "10", "k*N+n", "scratch", "common", []int64{9}},
		{"columns not known", "1", "31", "9", "S", "k*N+n", "scratch", "common", []int64{11}},
		{"few rows", "1", "7", "19", "11", "k*N+n", "unroll", "pack", nil},
		{"one row", "1", "1", "19", "13", "k*N+n", "acc f32[6]", "pack", nil},
		{"lines far apart", "1", "5", "70", "50", "k*N+n", "part f32[306] scratch", "common", nil},
		{"one row, the same", "1", "1", "64", "50", "k*N+n", "part f32", "pack", nil},
		{"no steps in a row", "1", "64", "7", "64", "k*N+n", "parallel", "unroll", nil},
	} {
		s := strings.NewReplacer("COLS", "B*K*N", "AT", tc.at).Replace(productText)
		s = strings.NewReplacer("B", tc.b, "M", tc.m, "K", tc.k, "N", tc.n).Replace(s)
		k, err := kernel.Parse(dedent(s))
		if err != nil {
			t.Fatal(err)
		}
		c, err := Schedule(k, Targets["generic"])
		if err != nil {
			t.Fatal(err)
		}
		if text := c.String(); !strings.Contains(text, tc.want) || strings.Contains(text, tc.not) {
			t.Errorf("%s: want %q and no %q:\n%s", tc.name, tc.want, tc.not, text)
		}
		dims := tc.dims
		if dims == nil {
			dims = []int64{1}
		}
		check(t, s, "product", dims)
	}
}
