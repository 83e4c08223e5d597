package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestBelow compares results of rows with all that is special about a difference.
func TestBelow(t *testing.T) {
	k := parse(t, softmaxText)
	below := apply(t, k, func(k *Kernel) error { return k.Below("r") })
	if n := strings.Count(below.String(), "exp(neg(abs("); n != 2 {
		t.Fatalf("%d exponentials have changed, want 2:\n%v", n, below)
	}
	loose := apply(t, below, func(k *Kernel) error { return k.Loosen("r") })
	inf, rng := math.Inf(1), rand.New(rand.NewPCG(1, 2))
	values := []float64{math.NaN(), inf, -inf, 0, math.Copysign(0, -1), 1, -1, 3e38, -3e38, 1e-40}
	for n := range 9 {
		for range 200 {
			from := rng.IntN(len(values))
			var x []byte
			for range 5 * n {
				v := values[(from+rng.IntN(1+rng.IntN(4)))%len(values)]
				x = binary.LittleEndian.AppendUint32(x, math.Float32bits(float32(v)))
			}
			want := rowsOf(t, k, x)
			for _, c := range []*Kernel{below, loose} {
				for i, got := range rowsOf(t, c, x) {
					w := want[i]
					if math.Float32bits(got) != math.Float32bits(w) && (got == got || w == w) {
						t.Fatalf("%v: element %d of rows of %d is %v, want %v\n%v", x, i, n, got, w, c)
					}
				}
			}
		}
	}
}

func TestBelowRefuses(t *testing.T) {
	const row = "row[s] = exp(sub(mul(x[i*N+s], 0.5f32), hi[0]))"
	for _, c := range []struct{ old, new, why string }{
		{"hi[0] = max(", "hi[0] = min(", "the maximum of floats"},
		{"alloc row", "hi[0] = 1.0f32\n\t\t\talloc row", "what it folds changes"},
		{"serial s < N", "serial s < N-1", "no exponential"},
		{"mul(x[i*N+r]", "mul(x[i*N]", "no exponential"},
		{row, "row[s] = exp(sub(hi[0], mul(x[i*N+s], 0.5f32)))", ""}, // the other one is
	} {
		k := parse(t, strings.Replace(softmaxText, c.old, c.new, 1))
		MarkIndep(k)
		before := k.String()
		err := k.Below("r")
		if c.why == "" && (err != nil || strings.Count(k.String(), "exp(neg(abs(") != 1) {
			t.Errorf("%s: %v\n%v", c.new, err, k)
		} else if c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v, want %q", c.new, err, c.why)
		} else if err != nil && k.String() != before {
			t.Errorf("%s: refused, but the kernel changed:\n%v", c.new, k)
		}
	}
}
