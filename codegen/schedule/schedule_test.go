package schedule

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// inputs makes buffers with small integers, so that sums of floats are exact
// in any order.
func inputs(t testing.TB, k *kernel.Kernel, dims []int64) [][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 7))
	env := map[string]int64{}
	for i, d := range k.Dims {
		env[d] = dims[i]
	}
	var bufs [][]byte
	for _, p := range k.Params {
		n, err := p.Size.Eval(env)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, n*int64(p.DType.Size()))
		for i := range n {
			v := r.Int64N(9) - 4
			switch {
			case p.DType == ir.F32:
				binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(float32(v)))
			case p.DType == ir.I64:
				binary.LittleEndian.PutUint64(b[8*i:], uint64(v+4))
			}
		}
		bufs = append(bufs, b)
	}
	return bufs
}

// check schedules k for all targets and compares what the trees compute.
func check(t *testing.T, text, strategy string, dims ...[]int64) {
	t.Helper()
	checkFor(t, text, strategy, func(t Target) Target { return t }, dims...)
}

// checkFor is check for the targets as changed by as.
func checkFor(t *testing.T, text, strategy string, as func(Target) Target, dims ...[]int64) {
	t.Helper()
	k, err := kernel.Parse(dedent(text))
	if err != nil {
		t.Fatal(err)
	}
	if dims == nil {
		dims = [][]int64{nil}
	}
	for _, name := range []string{"x86-64-v4", "x86-64-v3", "arm64", "generic"} {
		c, how, err := Explain(k, as(Targets[name]))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if os.Getenv("SHOW") == name {
			t.Logf("%s\n%v", how, c)
		}
		if name != "generic" && !strings.HasPrefix(how+";", strategy+";") {
			t.Errorf("%s: strategy %s, want %s", name, how, strategy)
		}
		for _, d := range dims {
			x, y := inputs(t, k, d), inputs(t, k, d)
			if _, err := kernel.Run(k, x, d); err != nil {
				t.Fatal(err)
			}
			if _, err := kernel.Run(c, y, d); err != nil {
				t.Fatalf("%s: %v: %v\n%v", name, d, err, c)
			}
			if diff := cmp.Diff(x, y); diff != "" {
				t.Fatalf("%s: %v: results differ\n%v", name, d, c)
			}
		}
	}
}

// TestFewRows: products whose right operand is larger than the caches, which here
// are small, with what is left of tasks, vectors and passes.
func TestFewRows(t *testing.T) {
	small := func(t Target) Target {
		t.L3 = 2 << 10
		t.Stream = min(t.Stream, 4<<10)
		return t
	}
	for _, m := range []int{1, 4, 7} {
		for _, size := range [][2]int{{37, 131}, {300, 19}} {
			k, n := size[0], size[1]
			text := strings.NewReplacer("MK", fmt.Sprint(m*k), "KN", fmt.Sprint(k*n), "MN", fmt.Sprint(m*n),
				"M", fmt.Sprint(m), "K", fmt.Sprint(k), "N", fmt.Sprint(n)).Replace(`
		kernel dot(a f32[MK] in, b f32[KN] in, y f32[MN] out)
			serial i < M
				serial j < N
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < K
						acc[0] = fma(a[K*i+k], b[j+N*k], acc[0])
					y[N*i+j] = acc[0]
	`)
			checkFor(t, text, "product", small)
			if m > 1 && k >= leastAlong {
				turned := strings.Replace(text, fmt.Sprintf("j+%d*k", n), fmt.Sprintf("%d*j+k", k), 1)
				checkFor(t, turned, "dots", small)
			}
		}
	}
}

// TestLargeTransposes: larger than the caches, which here are small. Results have rows that do
// not begin at vectors, with what is left of tiles, pieces and tasks, or are done in blocks,
// with some left or one along an axis.
func TestLargeTransposes(t *testing.T) {
	small := func(t Target) Target {
		t.Stream = min(t.Stream, 4<<10)
		return t
	}
	for _, size := range [][2]int{{131, 257}, {273, 260}, {512, 528}, {523, 64},
		{32, 560}, {16, 512}} {

		if testing.Short() && size[0]*size[1] > 1<<16 {
			continue
		}
		text := strings.NewReplacer("MN", fmt.Sprint(size[0]*size[1]), "M", fmt.Sprint(size[0]),
			"N", fmt.Sprint(size[1])).Replace(`
		kernel turn(x f32[MN] in, y f32[MN] out)
			serial i < M
				serial j < N
					y[N*i+j] = neg(x[M*j+i])
	`)
		checkFor(t, text, "transpose", small)
	}
	checkFor(t, `
		kernel heads(x f32[30720] in, y f32[30720] out)
			serial b < 2
				serial h < 6
					serial s < 40
						serial d < 64
							y[15360*b+2560*h+64*s+d] = x[15360*b+384*s+64*h+d]
	`, "pointwise", small)
	checkFor(t, `
		kernel reverse(x f32[15360] in, y f32[15360] out)
			serial d < 32
				serial c < 6
					serial b < 5
						serial a < 16
							y[480*d+80*c+16*b+a] = neg(x[960*a+192*b+32*c+d])
	`, "transpose", small)
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

func TestPointwise(t *testing.T) {
	check(t, `
		kernel add(x f32[A*B] in, y f32[B] in, z f32[A*B] out) dims(A, B)
			serial i < A
				serial j < B
					z[i*B+j] = add(x[i*B+j], y[j])
	`, "pointwise", []int64{3, 5}, []int64{2, 40}, []int64{1, 9000})
	check(t, `
		kernel relu(x f32[60] in, z f32[60] out)
			serial i < 3
				serial j < 4
					serial k < 5
						z[20*i+5*j+k] = max(x[20*i+5*j+k], 0.0f32)
	`, "pointwise")
	check(t, `
		kernel transpose(x f32[A*B] in, z f32[A*B] out) dims(A, B)
			serial i < A
				serial j < B
					z[i*B+j] = x[j*A+i]
	`, "transpose", []int64{3, 5}, []int64{40, 17}, []int64{16, 64})
	check(t, `
		kernel concat(x f32[A*B] in, y f32[A*7] in, z f32[A*(B+7)] out) dims(A, B)
			serial i < A
				serial j < B
					z[i*(B+7)+j] = x[i*B+j]
				serial k < 7
					z[i*(B+7)+B+k] = y[i*7+k]
	`, "pointwise", []int64{3, 5}, []int64{2, 33})
}

func TestRows(t *testing.T) {
	check(t, `
		kernel mixed(x f32[512*128] in, y f64[512*128] out)
			serial i < 512
				alloc m f32[1] local
				m[0] = 0xff800000:f32
				serial k < 128
					m[0] = max(m[0], x[128*i+k])
				alloc s f64[1] local
				s[0] = 0.0f64
				alloc row f64[128] scratch
				serial l < 128
					row[l] = abs(abs(max(1.0f64, min(f64(sub(x[128*i+l], m[0])), max(2.0f64, min(f64(sub(x[128*i+l], m[0])), max(3.0f64, max(f64(sub(x[128*i+l], m[0])), add(f64(sub(x[128*i+l], m[0])), 4.0f64)))))))))
					s[0] = add(s[0], abs(abs(max(1.0f64, min(f64(sub(x[128*i+l], m[0])), max(2.0f64, min(f64(sub(x[128*i+l], m[0])), max(3.0f64, max(f64(sub(x[128*i+l], m[0])), add(f64(sub(x[128*i+l], m[0])), 4.0f64))))))))))
				serial j < 128
					y[128*i+j] = sub(row[j], s[0])
	`, "rows")
	check(t, `
		kernel softmax(x f32[M*N] in, y f32[M*N] out) dims(M, N)
			serial m < M
				alloc hi f32[1] local
				hi[0] = 0xff800000:f32
				serial r < N
					hi[0] = max(hi[0], x[m*N+r])
				alloc row f32[N] scratch
				alloc sum f32[1] local
				sum[0] = 0.0f32
				serial s < N
					row[s] = sub(x[m*N+s], hi[0])
					sum[0] = add(sum[0], sub(x[m*N+s], hi[0]))
				serial j < N
					y[m*N+j] = add(row[j], sum[0])
	`, "rows", []int64{3, 5}, []int64{2, 64}, []int64{1, 200})
	check(t, `
		kernel colsum(x f32[R*C] in, y f32[C] out) dims(R, C)
			serial c < C
				alloc sum f32[1] local
				sum[0] = 0.0f32
				serial r < R
					sum[0] = add(sum[0], x[r*C+c])
				y[c] = mul(sum[0], 2.0f32)
	`, "product", []int64{3, 5}, []int64{2, 64}, []int64{5, 200})
	check(t, `
		kernel colsoftmax(x f32[M*N] in, y f32[M*N] out) dims(M, N)
			serial m < M
				alloc hi f32[1] local
				hi[0] = 0xff800000:f32
				serial r < N
					hi[0] = max(hi[0], x[r*M+m])
				alloc sum f32[1] local
				sum[0] = 0.0f32
				serial s < N
					sum[0] = add(sum[0], sub(x[s*M+m], hi[0]))
				serial j < N
					y[j*M+m] = add(x[j*M+m], sum[0])
	`, "rows", []int64{3, 5}, []int64{17, 6}, []int64{64, 20})
	check(t, `
		kernel total(x f32[N] in, y f32[1] out) dims(N)
			alloc sum f32[1] local
			sum[0] = 0.0f32
			serial r < N
				sum[0] = add(sum[0], x[r])
			y[0] = sum[0]
	`, "rows", []int64{3}, []int64{200})
}

func TestProduct(t *testing.T) {
	check(t, `
		kernel matmul(a f32[M*K] in, b f32[K*N] in, bias f32[N] in, c f32[M*N] out) dims(M, N, K)
			serial m < M
				serial n < N
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < K
						acc[0] = fma(a[m*K+k], b[k*N+n], acc[0])
					c[m*N+n] = max(add(acc[0], bias[n]), 0.0f32)
	`, "product", []int64{1, 1, 1}, []int64{1, 40, 3}, []int64{15, 33, 3}, []int64{33, 70, 2}, []int64{28, 64, 3})
	check(t, `
		kernel matmul(a f32[50*K] in, b f32[K*48] in, c f32[50*41] out) dims(K)
			serial m < 50
				serial n < 41
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < K
						acc[0] = fma(a[m*K+k], b[(n/16)*16*K+k*16+n%16], acc[0])
					c[m*41+n] = acc[0]
	`, "product", []int64{1}, []int64{7})
	check(t, `
		kernel gemv(a f32[64] in, b f32[64*300] in, c f32[300] out)
			serial n < 300
				alloc acc f32[1] local
				acc[0] = 0.0f32
				serial k < 64
					acc[0] = fma(a[k], b[k*300+n], acc[0])
				c[n] = acc[0]
	`, "product")
	check(t, `
		kernel dot(a f32[M*K] in, b f32[N*K] in, c f32[M*N] out) dims(M, N, K)
			serial m < M
				serial n < N
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < K
						acc[0] = fma(a[m*K+k], b[n*K+k], acc[0])
					c[m*N+n] = acc[0]
	`, "product", []int64{1, 40, 3}, []int64{3, 4, 70}, []int64{20, 37, 5})
}

const convText = `
	kernel conv(x f32[8*9*5] in, w f32[9*5*20] in, y f32[8*9*20] out)
		serial h < 8
			serial p < 9
				serial o < 20
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial i < 3
						serial j < 3
							serial c < 5
								acc[0] = fma(x[((h+i-1)*9+p+j-1)*5+c | and(and(ge(h+i-1, 0), lt(h+i-1, 8)), and(ge(p+j-1, 0), lt(p+j-1, 9))) : 0.0f32], w[((3*i+j)*5+c)*20+o], acc[0])
					y[(h*9+p)*20+o] = acc[0]
`

func TestConv(t *testing.T) {
	check(t, convText, "product")
	check(t, `
		kernel nchw(x f32[5*8*9] in, w f32[20*5*9] in, y f32[20*8*9] out)
			serial o < 20
				serial h < 8
					serial p < 9
						alloc acc f32[1] local
						acc[0] = 0.0f32
						serial c < 5
							serial i < 3
								serial j < 3
									acc[0] = fma(x[(c*8+h+i-1)*9+p+j-1 | and(and(ge(h+i-1, 0), lt(h+i-1, 8)), and(ge(p+j-1, 0), lt(p+j-1, 9))) : 0.0f32], w[(o*5+c)*9+3*i+j], acc[0])
						y[(o*8+h)*9+p] = acc[0]
	`, "product")
	check(t, `
		kernel depthwise(x f32[8*9*20] in, w f32[9*20] in, y f32[8*9*20] out)
			serial h < 8
				serial p < 9
					serial o < 20
						alloc acc f32[1] local
						acc[0] = 0.0f32
						serial i < 3
							serial j < 3
								acc[0] = fma(x[((h+i-1)*9+p+j-1)*20+o | and(and(ge(h+i-1, 0), lt(h+i-1, 8)), and(ge(p+j-1, 0), lt(p+j-1, 9))) : 0.0f32], w[(3*i+j)*20+o], acc[0])
						y[(h*9+p)*20+o] = acc[0]
	`, "product")
	check(t, `
		kernel single(x f32[8*40*3] in, w f32[9*3] in, y f32[8*40] out)
			serial h < 8
				serial p < 40
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial i < 3
						serial j < 3
							serial c < 3
								acc[0] = fma(x[((h+i-1)*40+p+j-1)*3+c | and(and(ge(h+i-1, 0), lt(h+i-1, 8)), and(ge(p+j-1, 0), lt(p+j-1, 40))) : 0.0f32], w[(3*i+j)*3+c], acc[0])
					y[h*40+p] = acc[0]
	`, "product")
	check(t, `
		kernel strided(x f32[9*41*3] in, w f32[27*4] in, y f32[4*4*20] out)
			serial o < 4
				serial h < 4
					serial p < 20
						alloc acc f32[1] local
						acc[0] = 0.0f32
						serial i < 3
							serial j < 3
								serial c < 3
									acc[0] = fma(x[((2*h+i)*41+2*p+j)*3+c], w[o*27+(3*i+j)*3+c], acc[0])
						y[(o*4+h)*20+p] = acc[0]
	`, "product")
}

// TestConvDilated: what taps of dilated windows share is packed once, where they do share
// it; strides beside dilations, and extents that are not numbers.
func TestConvDilated(t *testing.T) {
	const text = `
		kernel dilated(x f32[7*W*8] in, w f32[9*8*20] in, y f32[7*W*20] out)DIMS
			serial h < 7
				serial p < W
					serial o < 20
						alloc acc f32[1] local
						acc[0] = 0.0f32
						serial i < 3
							serial j < 3
								serial c < 8
									acc[0] = fma(x[((h+D*i-D)*W+p+D*j-D)*8+c | and(and(ge(h+D*i-D, 0), lt(h+D*i-D, 7)), and(ge(p+D*j-D, 0), lt(p+D*j-D, W))) : 0.0f32], w[((3*i+j)*8+c)*20+o], acc[0])
						y[(h*W+p)*20+o] = acc[0]
`
	for _, d := range []string{"2", "6"} {
		check(t, strings.NewReplacer("DIMS", "", "W", "33", "D", d).Replace(text), "product")
		check(t, strings.NewReplacer("DIMS", " dims(W)", "D", d).Replace(text), "product",
			[]int64{19}, []int64{0})
	}
	k, err := kernel.Parse(dedent(strings.NewReplacer("DIMS", "", "W", "33", "D", "2").Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Schedule(k, Targets["x86-64-v4"])
	if err != nil {
		t.Fatal(err)
	}
	var size ir.Dim
	kernel.WalkStmts(out.Body, func(s kernel.Stmt) {
		if a, ok := s.(*kernel.Alloc); ok && a.Buf.Space == kernel.Scratch {
			size = a.Buf.Size
		}
	})
	const most = 3 * 40 * 16 // lines of the window, 33 columns with those around them
	if n, ok := size.Int(); !ok || n > most {
		t.Errorf("a copy of %v elements, want %d and fewer in\n%v", size, most, out)
	}
}

// TestFoldsTurned: a reduction runs along memory whichever loop does.
func TestFoldsTurned(t *testing.T) {
	check(t, `
		kernel global(x f32[N*40*70] in, y f32[N] out) dims(N)
			serial n < N
				alloc acc f32[1] local
				acc[0] = 0.0f32
				serial i < 40
					serial j < 70
						acc[0] = add(acc[0], x[n*2800+j*40+i])
				y[n] = acc[0]
	`, "rows", []int64{3})
}
