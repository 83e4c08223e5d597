package llvm_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
)

func parse(t *testing.T, text string) *kernel.Kernel {
	t.Helper()
	k, err := kernel.Parse(strings.TrimLeft(text, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := kernel.Verify(k); err != nil {
		t.Fatal(err)
	}
	return k
}

// trees are kernels that use each way of access, loop and condition.
var trees = []struct {
	name, text string
	dims       []int64
}{
	{"strides", `
kernel k(x f32[96] in, y f32[96] out)
	serial i < 2
		vector l < 16
			y[3*l+48*i] = x[47-3*l+48*i]
			y[3*l+48*i+1] = x[i]
			y[3*l+48*i+2] = x[l+16*i]
`, nil},
	{"few elements apart", `
kernel k(x f32[61] in, u f64[16] in, b i8[31] in, y f32[96] out, v f64[16] out, c i8[32] out)
	vector l < 16
		y[l] = x[2*l]
		y[l+16] = x[2*l+30]
		y[l+32] = x[3*l+1]
		y[l+48] = x[4*l]
		y[l+64] = x[60-4*l]
		y[l+80] = x[17-l]
		c[l] = b[30-2*l]
		c[l+16] = b[2*l]
	vector m < 8
		v[m] = u[2*m+1]
		v[m+8] = u[7-m]
`, nil},
	{"gather", `
kernel k(idx i64[32] in, x f32[64] in, b i8[64] in, y f32[256] out, z i8[256] out) dims(N)
	serial i < 2
		vector l < 16
			let g = idx[16*i+l]
			y[16*i+l] = x[8*g+i]
			if lt(l, index(N))
				z[16*i+l] = b[8*g+i]
				y[8*(l*l%16)+i] = x[7*g+3]
`, []int64{11}},
	{"stretches", `
kernel k(x f32[32] in, u f64[16] in, b i8[32] in, y f32[80] out, z f32[18*N] out, v f64[40] out, c i8[64] out, w i32[96] out) dims(N)
	serial i < 2
		vector l < 16
			y[40*i+7*(l/3)+(l%3)] = x[16*i+l]
			if lt(l, 9)
				z[3*((l/3)%3)*N+(l%3)+9*i*N] = x[16*i+l]
			c[32*i+16-4*(l/4)+(l%4)] = b[16*i+l]
			if gt(x[16*i+l], 0.0f32)
				w[48*i+24-8*(l/4)+(l%4)] = 7i32
			else
				w[48*i+24-8*(l/4)+(l%4)] = -7i32
		vector m < 8
			v[20*i+4*(m/2)+(m%2)] = u[8*i+m]
`, []int64{5}},
	{"rows of l/4 and l%4", `
kernel k(x f64[64] in, y f64[64] out)
	vector l < 16
		y[l] = x[(l/4)+4*(l%4)+((l+1)/3)]
`, nil},
	{"padding", `
kernel k(x f32[N] in, w f32[3] in, y f32[N] out) dims(N)
	serial i < ((N+7)/8)
		vector l < 8
			if lt(8*i+l, index(N))
				let p = mul(x[8*i+l-1 | ge(8*i+l, 1) : 0.0f32], w[0])
				let q = mul(x[8*i+l+1 | lt(8*i+l, index(N-1)) : 0.0f32], w[2])
				y[8*i+l] = add(add(p, q), mul(x[8*i+l], w[1]))
`, []int64{29}},
	{"uniform padding", `
kernel k(x f32[N] in, y f32[M] out) dims(N, M)
	serial i < M
		y[i] = x[i-2 | and(ge(i, 2), lt(i, index(N+2))) : -1.0f32]
`, []int64{9, 20}},
	{"padding of whole vectors", `
kernel k(x f32[8*N] in, y f32[8*M] out) dims(N, M)
	serial i < M
		vector l < 8
			y[8*i+l] = x[8*i+l-16 | and(ge(i, 2), lt(i, index(N+2))) : -1.0f32]
`, []int64{9, 20}},
	{"if and else", `
kernel k(x i32[64] in, y i32[64] out)
	serial i < 4
		vector l < 16
			if lt(x[16*i+l], 3i32)
				if eq(x[16*i+l], 0i32)
					y[16*i+l] = 7i32
				else
					y[16*i+l] = neg(x[16*i+l])
			else
				y[16*i+l] = x[l]
			if eq(i, 2)
				y[16*i+l] = 1i32
`, nil},
	{"local", `
kernel k(x f32[N*M] in, y f32[N] out) dims(N, M)
	serial i < N
		alloc acc f32[16] local
		unroll j < 1
			vector l < 16
				acc[l] = 0.0f32
		serial c < ((M+15)/16)
			vector v < 16
				acc[v] = add(acc[v], x[M*i+16*c+v | lt(16*c+v, index(M)) : 0.0f32])
		alloc s f32[1] local
		s[0] = acc[0]
		unroll u < 15
			s[0] = add(s[0], acc[u+1])
		y[i] = s[0]
`, []int64{5, 37}},
	{"local of a lane", `
kernel k(x f32[48] in, y f32[16] out)
	vector l < 16
		alloc t f32[3] local
		unroll i < 3
			t[i] = x[l+16*i]
		if lt(t[1], t[0])
			t[0] = t[1]
		y[l] = max(t[0], t[2])
`, nil},
	{"scratch and tasks", `
kernel k(x f32[N*M] in, y f32[N*M] out) dims(N, M)
	parallel i < N
		parallel h < 2
			alloc a f32[M] scratch
			alloc b f64[M] scratch
			serial j < M
				a[j] = x[M*i+j]
				b[j] = f64(a[j])
			serial k2 < M
				if eq(k2%2, index(h))
					y[M*i+k2] = f32(mul(b[M-1-k2], f64(a[k2])))
`, []int64{7, 13}},
	{"fail", `
kernel k(idx i64[N] in, x f32[M] in, y f32[N] out) dims(N, M)
	serial i < N
		let g = idx[i]
		fail 1 or(lt(g, 0i64), ge(g, index(M)))
		y[i] = x[g]
`, []int64{20, 7}},
	{"fail in lanes", `
kernel k(idx i64[16] in, x f32[M] in, y f32[16] out) dims(M)
	vector l < 16
		if lt(l, 10)
			let g = idx[l]
			fail 2 ge(g, index(M))
			y[l] = x[g]
`, []int64{8}},
	{"bools and bytes", `
kernel k(x bool[64] in, b u8[64] in, y bool[64] out, z u8[64] out)
	vector l < 32
		if lt(l, 21)
			y[l] = and(x[l], not(x[l+32]))
			z[l] = select(x[l], b[l], b[l+32])
		y[l+32] = eq(b[l], 0u8)
		z[l+32] = u8(x[l])
`, nil},
	{"half", `
kernel k(x f16[32] in, b bf16[32] in, y bf16[32] out, z f16[32] out)
	vector l < 16
		y[l] = bf16(mul(f32(x[l]), f32(b[l])))
		z[l] = f16(add(f32(x[l]), 1.0f32))
		if lt(l, 5)
			z[l+16] = x[l]
			y[l+16] = b[l]
`, nil},
	{"empty", `
kernel k(x f32[N] in, y f32[N] out) dims(N)
	parallel i < N
		serial j < ((N+3)/N)
			y[i] = x[i]
`, []int64{0}},
	{"row-major decomposition", `
kernel k(x f32[N*M] in, y f32[N*M] out) dims(N, M)
	serial i < N*M
		y[(i/M)+N*(i%M)] = x[i]
`, []int64{5, 7}},
}

// TestTrees compares kernels with kernel.Run, to the bit.
func TestTrees(t *testing.T) {
	for _, level := range levels(t) {
		for _, tc := range trees {
			t.Run(level+"/"+tc.name, func(t *testing.T) {
				k := parse(t, tc.text)
				for seed := range uint64(3) {
					compare(t, k, level, tc.dims, seed)
				}
			})
		}
	}
}

// TestLevels compiles the kernels of the other tests for every level there is,
// this machine's or not: code that is not self-contained is an error.
func TestLevels(t *testing.T) {
	if testing.Short() {
		t.Skip("short: every operation through LLVM at every level; TestOps runs those of this machine")
	}
	levels(t)
	tc, err := llvm.Find()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range llvm.Targets {
		t.Run(target.Level, func(t *testing.T) {
			var mods []llvm.Module
			add := func(k *kernel.Kernel) {
				text, err := llvm.Emit(mathfn.Kernel(k, target.Native), target)
				if err != nil {
					t.Fatal(err)
				}
				mods = append(mods, llvm.Module{Name: k.Name, Text: text, Kernels: []string{k.Name}})
			}
			for _, tree := range trees {
				add(parse(t, tree.text))
			}
			for _, d := range dtypes {
				add(allOps(d, func(ir.Op) bool { return true }))
				add(allCasts(d))
			}
			if _, _, err := tc.Compile(t.Context(), mods, target, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

const exponential = `
kernel k(x f32[16] in, y f32[16] out)
	vector l < 16
		y[l] = exp(x[l])
`

const everyOther = `
kernel k(x f32[31] in, y f32[16] out)
	vector l < 16
		y[l] = x[2*l]
`

// assembly compiles k for the level as the back end does, to text.
func assembly(t *testing.T, k *kernel.Kernel, level string) string {
	t.Helper()
	tc, err := llvm.Find()
	if err != nil {
		t.Skip("needs LLVM:", err)
	}
	target, _ := llvm.TargetOf(level)
	text, err := llvm.Emit(mathfn.Kernel(k, target.Native), target)
	if err != nil {
		t.Fatal(err)
	}
	opt := exec.Command(tc.Opt, "-passes="+llvm.DefaultPasses, "-S", "-o", "-", "-")
	opt.Stdin = strings.NewReader(text)
	clean, err := opt.Output()
	if err != nil {
		t.Fatal(err)
	}
	llc := exec.Command(tc.LLC, "-O3", "-o", "-", "-")
	llc.Stdin = strings.NewReader(string(clean))
	out, err := llc.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestAskPanels: what rows share is asked for some lines ahead in each pass, not rows
// of it ahead.
func TestAskPanels(t *testing.T) {
	target, _ := llvm.TargetOf("x86-64-v4")
	text, err := llvm.Emit(parse(t, sharedPanels), target)
	if err != nil {
		t.Fatal(err)
	}
	asks := regexp.MustCompile(`i64 (\S+)\s+call void @llvm.prefetch`).FindAllStringSubmatch(text, -1)
	if len(asks) != 1 || asks[0][1] != "u0x1000" {
		t.Errorf("asks ahead by %v, want once, by 4096 bytes", asks)
	}
}

// TestCode counts instructions of the loops that speed depends on.
func TestCode(t *testing.T) {
	for _, tc := range []struct {
		name, level, text string
		count             map[string]int
	}{
		{"block of 14 rows and 2 vectors", "x86-64-v4", block(14, 2, 16), map[string]int{
			`vfmadd\w+ps`: 28, `vfmadd\w+ps\s.*\(%rsp`: 0, `vmov\w+ps\s+%zmm\d+, .*\(%r[sb]p\)`: 0,
			`vbroadcastss`: 14}},
		{"block of 6 rows and 2 vectors", "x86-64-v3", block(6, 2, 8), map[string]int{
			`vfmadd\w+ps`: 12, `vmov\w+ps\s+%ymm\d+, .*\(%r[sb]p\)`: 0, `vbroadcastss`: 6}},
		{"pointwise, four vectors a step", "x86-64-v4", pointwise, map[string]int{
			`vaddps`: 4, `vmovups\s+%zmm`: 4, `\{%k`: 0}},
		{"sum in four vectors", "x86-64-v4", sumRows, map[string]int{`vaddps\s.*%zmm`: 4 + 3}},
		{"exponential", "x86-64-v4", exponential, map[string]int{`vscalefps`: 1, `vmulps`: 1}},
		{"every other element", "x86-64-v4", everyOther, map[string]int{
			`vgatherdps|vinsertps`: 0, `vpermi2ps`: 1}},
		{"depth to space", "x86-64-v4", toSpace, map[string]int{
			`vscatter`: 0, `vmovups\s+%zmm.*\{%k`: 3}},
		{"pass over memory", "x86-64-v4", passOver, map[string]int{
			`prefetchnta\s`: 4, `vmovntps`: 4, `vmovups\s+%zmm`: 4}},
		{"a row that the nearest cache keeps", "x86-64-v4", addsRow(1024), map[string]int{
			`prefetchnta\s`: 1, `prefetcht1\s`: 0}},
		{"a row that the second cache keeps", "x86-64-v4", addsRow(4096), map[string]int{
			`prefetchnta\s`: 1, `prefetcht1\s`: 1}},
		{"a row that no cache keeps", "x86-64-v4", addsRow(1 << 18), map[string]int{
			`prefetchnta\s`: 1, `prefetcht1\s`: 0}},
		{"rows that do not begin at vectors", "x86-64-v4", crookedRows, map[string]int{
			`vmovnt`: 1, `vperm[ti]2`: 3, `vmovups\s+%zmm.*\{%k`: 2}},
		{"such rows, also written otherwise", "x86-64-v4", crookedTwice, map[string]int{
			`vmovnt`: 0, `vperm[ti]2`: 0}},
		{"passes over rows", "x86-64-v4", overRows, map[string]int{
			`prefetcht1\s`: 1, `prefetchnta`: 0, `vmovntps`: 1}},
		{"passes over rows, the last one long", "x86-64-v4", longRows, map[string]int{
			`prefetcht0\s`: 1, `prefetcht1`: 0, `vmovntps`: 1, `vscalefps`: 2}},
		{"two rows at once", "x86-64-v4", rowsAhead, map[string]int{
			`prefetch`: 1, `prefetcht0`: 1, `vmovntps`: 1}},
		{"rows at places", "x86-64-v4", picksRows, map[string]int{`prefetcht1\s`: 4, `vmovntps`: 4}},
		{"columns at places", "x86-64-v4", picksColumns, map[string]int{
			`vgather`: 0, `prefetcht0\s`: 1, `vmovntps`: 1, `vinsertps`: 24}},
		{"places at places", "x86-64-v4", picksPlaces, map[string]int{`vpgatherqq|vgatherqps`: 2}},
		{"tile of rows from memory", "x86-64-v4", crossOver, map[string]int{`prefetcht1\s`: 16}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asm := assembly(t, parse(t, tc.text), tc.level)
			for re, want := range tc.count {
				if n := len(regexp.MustCompile(re).FindAllString(asm, -1)); n != want {
					t.Errorf("%d times %s, want %d", n, re, want)
				}
			}
			if t.Failed() {
				t.Log(asm)
			}
		})
	}
}
