package kernel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/ir"
)

// parse reads a kernel of a test, whose lines may be indented by more tabs.
func parse(t testing.TB, text string) *Kernel {
	t.Helper()
	k, err := Parse(dedent(text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func dedent(text string) string {
	text = strings.TrimLeft(text, "\n")
	indent := text[:len(text)-len(strings.TrimLeft(text, "\t"))]
	lines := strings.Split(strings.TrimRight(text, "\n\t"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, indent)
	}
	return strings.Join(lines, "\n") + "\n"
}

const everything = `
	kernel all(x f32[N*M] in, i i64[N] in, w f32[16] in const, y f32[N*M] out) dims(N, M)
		parallel a < ((N+1)/2)
			alloc t f32[M+1] scratch
			serial b < min(M,N+1) indep
				let g = i[a]
				fail 1 or(lt(g, 0i64), ge(g, N))
				%1 = exp(x[M*g+b])
				t[b] = add(%1, mul(%1, 0x7fc00000:f32))
				unroll c < 2
					vector l < 8
						if lt(16*c+l, index(max(M,-2*N-9223372036854775808)))
							y[8*c+l] = fma(w[l+8*c], x[b | and(true, eq(g, index(g))) : -0.0f32], 1.5e-09f32)
						else
							y[8*c+l] = f32(bits.i32(t[b]))
`

func TestPrintParse(t *testing.T) {
	k := parse(t, everything)
	text := k.String()
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if diff := cmp.Diff(text, again.String()); diff != "" {
		t.Error(diff)
	}
	opt := cmp.Comparer(func(a, b ir.Dim) bool { return a.Equal(b) })
	if diff := cmp.Diff(k, again, opt); diff != "" {
		t.Error(diff)
	}
	if err := Verify(k); err != nil {
		t.Error(err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "kernel:1: no kernel"},
		{"kernel k(x f32[4] in)\n\ty[0] = 1.0f32", "kernel:2: unknown buffer y"},
		{"kernel k(x f32[4] out)\n\tx[0] = foo(1.0f32)", "kernel:2: unknown operation foo"},
		{"kernel k(x f32[4] out)\n\tx[0] 1.0f32", `kernel:2: found "1.0f32", want "="`},
		{"kernel k(x f99[4] out)", "kernel:1: buffer x: unknown element type"},
		{"kernel k(x f32[4] out)\n\t\tx[0] = 1.0f32", "kernel:2: indented by 2, want 1"},
	} {
		if _, err := Parse(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Parse(%q): %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestVerify(t *testing.T) {
	const head = "kernel k(x f32[N] in, y f32[N] out, z f32[N]) dims(N)\n"
	for _, tc := range []struct{ label, body string }{
		{"k1", "\tserial i < N\n\t\tserial i < N\n\t\t\ty[i] = x[i]\n"},
		{"k1", "\talloc x f32[1] local\n"},
		{"k2", "\ty[i] = 1.0f32\n"},
		{"k2", "\tserial i < N\n\t\ty[i] = 1.0f32\n\ty[i] = 1.0f32\n"},
		{"k2", "\tif true\n\t\tlet q = 1i64\n\ty[q] = 1.0f32\n"},
		{"k3", "\tif true\n\t\talloc t f32[1] local\n\tt[0] = 1.0f32\n"},
		{"k4", "\tx[0] = 1.0f32\n"},
		{"k4", "\ty[0] = 1i64\n"},
		{"k5", "\ty[0] = add(1.0f32, 1i64)\n"},
		{"k5", "\ty[0] = not(1.0f32)\n"},
		{"k5", "\ty[0] = select(true, 1.0f32)\n"},
		{"k5", "\ty[0] = x[0 | 1i64 : 1.0f32]\n"},
		{"k6", "\tserial i < N\n\t\tparallel j < 4\n\t\t\ty[j] = 1.0f32\n"},
		{"k6", "\tparallel j < 4\n\t\ty[j] = 1.0f32\n\ty[0] = 1.0f32\n"},
		{"k7", "\tvector j < N\n\t\ty[j] = 1.0f32\n"},
		{"k7", "\tvector j < 4\n\t\tserial i < N\n\t\t\ty[j] = 1.0f32\n"},
		{"k8", "\tunroll j < N\n\t\ty[j] = 1.0f32\n"},
		{"k9", "\talloc t f32[N] local\n"},
		{"k10", "\ty[0] = z[0]\n"},
		{"k6", "\tserial i < 4\n\t\tblock.x j < 4\n\t\t\ty[j] = 1.0f32\n"},
		{"k6", "\tblock.x j < N\n\t\ty[j] = 1.0f32\n"},
		{"k13", "\tblock.x j < 4\n\t\talloc t f32[4] shared\n"},
		{"k13", "\talloc t f32[1] local\n\tblock.x j < 4\n\t\tt[0] = 1.0f32\n"},
		{"k14", "\talloc t f32[4] registers\n\tt[0] = 1.0f32\n"},
		{"k14", "\talloc t f32[4] registers\n\ty[0] = t[0]\n"},
		{"k12", "\tif 1i64\n\t\ty[0] = 1.0f32\n"},
		{"k12", "\tfail 0 true\n"},
	} {
		k, err := Parse(head + tc.body)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := Verify(k); err == nil || !strings.Contains(err.Error(), " "+tc.label+": ") {
			t.Errorf("%s: Verify = %v for\n%s", tc.label, err, tc.body)
		}
	}
	good := parse(t, "kernel k(y f32[8] out)\n\tvector j < 8\n\t\ty[j] = 1.0f32\n")
	good.Body[0].(*Loop).Indep = false
	if err := Verify(good); err == nil || !strings.Contains(err.Error(), "k7: iterations") {
		t.Errorf("k7: Verify = %v for a dependent vector loop", err)
	}
}
