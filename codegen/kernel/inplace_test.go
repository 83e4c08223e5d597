package kernel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInPlace gives a step of a mean and a parameter, whose stores are in the
// wrong order, the memory of what they replace.
func TestInPlace(t *testing.T) {
	const head = "kernel k(g f32[N] in, m f32[N] in, p f32[N] in, newm f32[N] out, newp f32[N] out)"
	k := parse(t, head+` dims(N)
	serial i < N indep
		newm[i] = add(m[i], g[i])
		newp[i] = sub(p[i], mul(add(m[i], g[i]), p[i]))
`)
	plain := k.Clone()
	for _, pair := range [][2]string{{"newm", "m"}, {"newp", "p"}} {
		if err := k.InPlace(pair[0], pair[1]); err != nil {
			t.Fatal(err)
		}
	}
	const want = `kernel k(g f32[N] in, newm f32[N] in out, newp f32[N] in out) dims(N)
	serial i < N indep
		newp[i] = sub(newp[i], mul(add(newm[i], g[i]), newp[i]))
		newm[i] = add(newm[i], g[i])
`
	if diff := cmp.Diff(want, k.String()); diff != "" {
		t.Error(diff)
	}
	if err := Verify(k); err != nil {
		t.Error(err)
	}
	in := inputs(t, plain, []int64{5}, 1)
	own := [][]byte{in[0], append([]byte{}, in[1]...), append([]byte{}, in[2]...)}
	for _, run := range []struct {
		k   *Kernel
		mem [][]byte
	}{{plain, in}, {k, own}} {
		if _, err := Run(run.k, run.mem, []int64{5}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(in[3:], own[1:]); diff != "" {
		t.Error(diff)
	}
}

func TestInPlaceRefuses(t *testing.T) {
	const params = "(x f32[N] in, z f32[M] in, y f32[N] out, w f32[N] out) dims(N, M)\n"
	for _, tc := range []struct{ in, body, want string }{
		{"z", "serial i < N indep\n\t\ty[i] = z[i]", "its type or size"},
		{"y", "serial i < N indep\n\t\ty[i] = x[i]", "not just written"},
		{"v", "serial i < N indep\n\t\ty[i] = x[i]", "no parameter"},
		{"x", "serial i < N indep\n\t\ty[i] = x[N-1-i]", "is read where"},
		{"x", "serial i < N\n\t\ty[i] = x[i]", "not independent"},
		{"x", "y[0] = x[0]\n\tserial i < N indep\n\t\ty[i] = x[i]", "by one statement"},
		{"x", "serial i < N indep\n\t\ty[i] = x[i]\n\tserial j < N indep\n\t\tw[j] = x[j]", "read after"},
	} {
		k := parse(t, "kernel k"+params+"\t"+tc.body+"\n")
		before := k.String()
		err := k.InPlace("y", tc.in)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s\n%v, want %s", tc.body, err, tc.want)
		}
		if diff := cmp.Diff(before, k.String()); diff != "" {
			t.Error(diff)
		}
	}
	acc := parse(t, "kernel k(x f32[1] in, y f32[1] out)\n\talloc a f32[1] local\n\ta[0] = 0.0f32\n"+
		"\ty[0] = a[0]\n\ta[0] = x[0]\n")
	if err := acc.InPlace("y", "x"); err == nil || !strings.Contains(err.Error(), "changes before") {
		t.Errorf("a value that changes: %v", err)
	}
	// Two that exchange their values.
	k := parse(t, "kernel k(a f32[N] in, b f32[N] in, y f32[N] out, w f32[N] out) dims(N)\n"+
		"\tserial i < N indep\n\t\ty[i] = b[i]\n\t\tw[i] = a[i]\n")
	if err := k.InPlace("y", "a"); err != nil {
		t.Fatal(err)
	}
	if err := k.InPlace("w", "b"); err == nil || !strings.Contains(err.Error(), "changes before") {
		t.Errorf("an exchange: %v", err)
	}
}
