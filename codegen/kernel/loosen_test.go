package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// softmaxText has a maximum that Loosen changes, and places for what forbids it.
const softmaxText = `
	kernel k(x f32[5*N] in, y f32[5*N] out, z f32[5*N] out) dims(N)
		serial i < 5
			alloc hi f32[1] local
			hi[0] = 0xff800000:f32
			serial r < N
				hi[0] = max(hi[0], mul(x[i*N+r], 0.5f32))
			alloc row f32[N] scratch
			alloc sum f32[1] local
			sum[0] = 0.0f32
			serial s < N
				row[s] = exp(sub(mul(x[i*N+s], 0.5f32), hi[0]))
				sum[0] = add(sum[0], exp(sub(mul(x[i*N+s], 0.5f32), hi[0])))
			serial j < N
				y[i*N+j] = div(row[j], sum[0])
`

// TestLoosen compares results of rows with all that maxima treat specially: their
// bits, but for those of NaN.
func TestLoosen(t *testing.T) {
	k := parse(t, softmaxText)
	loose := apply(t, k, func(k *Kernel) error { return k.Loosen("r") })
	if strings.Contains(loose.String(), "max(") {
		t.Fatalf("there is a maximum left:\n%v", loose)
	}
	lanes := apply(t, loose, func(k *Kernel) error {
		_, _, _, err := k.SplitReduction("r", "rl", 4)
		return err
	})
	inf, zero := math.Inf(1), math.Copysign(0, -1)
	values := []float64{math.NaN(), inf, -inf, 0, zero, 1, -1, 3e38, -3e38, 1e-40, -1e-40}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 9 {
		for range 200 {
			from := rng.IntN(len(values)) // of most values: rows without NaN, and without numbers
			var x []byte
			for range 5 * n {
				v := values[(from+rng.IntN(1+rng.IntN(4)))%len(values)]
				x = binary.LittleEndian.AppendUint32(x, math.Float32bits(float32(v)))
			}
			want := rowsOf(t, k, x)
			for _, c := range []*Kernel{loose, lanes} {
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

// rowsOf is y for 5 rows x.
func rowsOf(t *testing.T, k *Kernel, x []byte) []float32 {
	y, z, n := make([]byte, len(x)), make([]byte, len(x)), int64(len(x)/20)
	if _, err := Run(k, [][]byte{x, y, z}, []int64{n}); err != nil {
		t.Fatal(err)
	}
	var out []float32
	for b := range slices.Chunk(y, 4) {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return out
}

func TestLoosenRefuses(t *testing.T) {
	const result = "y[i*N+j] = div(row[j], sum[0])"
	for _, c := range []struct{ old, new, why string }{
		{"hi[0] = max(", "hi[0] = add(", "the maximum of floats"},
		{"0xff800000:f32", "0x7fc00000:f32", "does not begin as a number"},
		{"serial s < N", "serial s < N-1", "no sum"},
		{"add(sum[0], exp(sub(mul(x[i*N+s]", "add(sum[0], exp(sub(mul(x[i*N]", "no sum"},
		{"add(sum[0], exp(sub(mul", "max(sum[0], exp(sub(mul", "no sum"},
		{result, "y[i*N+j] = row[j]", "y need not be NaN"},
		{result, "y[i*N+j] = select(lt(sum[0], 1.0f32), row[j], sum[0])", "y need not be NaN"},
		{result, "y[i*N+j] = sub(hi[0], log(sum[0]))", "a zero may be seen in y"},
		{result, "y[i*N+j] = mul(sum[0], exp(div(1.0f32, hi[0])))", "a zero may be seen in y"},
		{"row[s] =", "z[i*N+s] =", "z need not be NaN"},
		{"alloc row", "hi[0] = 1.0f32\n\t\t\talloc row", "hi changes"},
		{"serial j <", "sum[0] = 1.0f32\n\t\t\tserial j <", "sum changes"},
		{result, "if lt(row[j], 1.0f32)\n\t\t\t\t\t" + result, "more than what is stored"},
		{result, "z[i*N+j] = div(sum[0], exp(hi[0]))\n\t\t\t\t" + result, ""},
		{result, "y[i*N+j] = mul(row[j], sqrt(fma(sum[0], 2.0f32, 1.0f32)))", ""},
	} {
		k := parse(t, strings.Replace(softmaxText, c.old, c.new, 1))
		MarkIndep(k)
		before := k.String()
		err := k.Loosen("r")
		if c.why == "" && err != nil {
			t.Errorf("%s: refused: %v", c.new, err)
		} else if c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v, want %q", c.new, err, c.why)
		} else if err != nil && k.String() != before {
			t.Errorf("%s: refused, but the kernel changed:\n%v", c.new, k)
		}
	}
}
