package runtime

import (
	"math"
	"testing"
)

func TestLogOfSubnormals(t *testing.T) {
	const ln2 = math.Ln2
	for _, e := range []int{-1074, -1060, -1023, -1022, -1021, 0, 1, 1023} {
		want := float64(e) * ln2
		if got := Log(math.Ldexp(1, e)); math.Abs(got-want) > 4e-16*math.Abs(want) {
			t.Errorf("Log(2^%d) = %v, wanted %v", e, got, want)
		}
	}
	for _, x := range []float64{0, math.Inf(1), -1, math.NaN(), 0.1} {
		if got, want := Log(x), math.Log(x); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("Log(%v) = %v, wanted %v", x, got, want)
		}
	}
}
