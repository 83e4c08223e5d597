package kernel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sums = `kernel sums(x i64[3*N] in, c i64[2*N] in out) dims(N)
	steps t < 3
		alloc v i64[N] in of x[N*t]
		alloc from i64[N] in of c[N*(t%2)]
		alloc to i64[N] out of c[N*((t+1)%2)]
		alloc sum i64[N] scratch in out
		serial part0 < 1 indep
			serial i < N indep
				sum[i] = add(from[i], v[i])
		serial part1 < 1 indep
			serial i_2 < N indep
				to[i_2] = mul(sum[i_2], 2i64)
`

// TestStepsText runs, prints and reads a loop over steps.
func TestStepsText(t *testing.T) {
	k, err := Parse(sums)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(k); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(k.String())
	if err != nil || again.String() != k.String() {
		t.Fatalf("%v\n%v\n%v", err, k, again)
	}
	x, c := make([]byte, 48), make([]byte, 32)
	for i := range 6 {
		x[8*i] = byte(i + 1)
	}
	if _, err := Run(k, [][]byte{x, c}, []int64{2}); err != nil {
		t.Fatal(err)
	}
	// ((1*2+3)*2+5)*2 and ((2*2+4)*2+6)*2, in the second half
	if got := []byte{c[16], c[24]}; !cmp.Equal(got, []byte{30, 44}) {
		t.Errorf("got %v", got)
	}
	if !Tasks(k).IsConst(3) {
		t.Errorf("%v tasks, wanted 3", Tasks(k))
	}
	inner, err := k.Inner("part1")
	if err != nil {
		t.Fatal(err)
	}
	want := "kernel part1(sum i64[N] in, to i64[N] out) dims(N)\n\tserial i_2 < N indep\n" +
		"\t\tto[i_2] = mul(sum[i_2], 2i64)\n"
	if inner.String() != want {
		t.Errorf("got %v, wanted %v", inner, want)
	}
}

// TestStepsVerify has parts that are none.
func TestStepsVerify(t *testing.T) {
	for _, c := range [][3]string{
		{"v i64[N] in of", "v f64[N] in of", "part of x"},
		{"of x[N*t]", "of x[N*s]", "symbol s"},
		{"c i64[2*N] in out", "c i64[2*N] in", "as a part of c, which is not"},
	} {
		text := strings.Replace(sums, c[0], c[1], 1)
		k, err := Parse(text)
		if err == nil {
			err = Verify(k)
		}
		if err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: got %v, wanted %q", c[1], err, c[2])
		}
	}
}
