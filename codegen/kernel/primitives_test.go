package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/ir"
)

// inputs makes buffers with small integers, so that sums of floats are exact
// in any order.
func inputs(t testing.TB, k *Kernel, dims []int64, seed uint64) [][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
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
			case p.DType.IsInt():
				for j := range int64(p.DType.Size()) {
					b[i*int64(p.DType.Size())+j] = byte(v >> (8 * j))
				}
			}
		}
		bufs = append(bufs, b)
	}
	return bufs
}

// same runs a and b on equal inputs and compares what they leave.
func same(t testing.TB, a, b *Kernel, dims ...int64) {
	t.Helper()
	for seed := range uint64(2) {
		x, y := inputs(t, a, dims, seed), inputs(t, b, dims, seed)
		sa, err := Run(a, x, dims)
		if err != nil {
			t.Fatalf("%v\n%v", err, a)
		}
		sb, err := Run(b, y, dims)
		if err != nil {
			t.Fatalf("%v\n%v", err, b)
		}
		if sa != sb {
			t.Fatalf("status %d, was %d\n%v", sb, sa, b)
		}
		if diff := cmp.Diff(x, y); diff != "" {
			t.Fatalf("dims %v: results differ:\n%s\n%v", dims, diff, b)
		}
	}
}

// apply clones k, marks what is independent, applies f and verifies.
func apply(t testing.TB, k *Kernel, f func(k *Kernel) error) *Kernel {
	t.Helper()
	c := k.Clone()
	MarkIndep(c)
	if err := f(c); err != nil {
		t.Fatalf("%v\n%v", err, c)
	}
	if err := Verify(c); err != nil {
		t.Fatalf("%v\n%v", err, c)
	}
	return c
}

const matmulText = `
	kernel matmul(a f32[M*K] in, b f32[K*N] in, bias f32[N] in, c f32[M*N] out) dims(M, N, K)
		serial m < M
			serial n < N
				alloc acc f32[1] local
				acc[0] = 0.0f32
				serial k < K
					acc[0] = fma(a[m*K+k], b[k*N+n], acc[0])
				c[m*N+n] = max(add(acc[0], bias[n]), 0.0f32)
`

var sizes = [][]int64{{1, 1, 1}, {5, 7, 3}, {8, 16, 4}, {13, 33, 9}, {3, 5, 0}}

func steps(fs ...func() error) error {
	for _, f := range fs {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func TestMarkIndep(t *testing.T) {
	k := parse(t, matmulText)
	MarkIndep(k)
	for v, want := range map[string]bool{"m": true, "n": true, "k": false} {
		if got := k.Loop(v).Indep; got != want {
			t.Errorf("%s: %v, want %v", v, got, want)
		}
	}
	k = parse(t, `
		kernel k(x f32[N] in, i i64[N] in, y f32[N+1] out, z f32[2*N] out) dims(N)
			serial a < N
				y[a] = x[a]
			serial b < N
				y[b+1] = y[b]
			serial c < N
				let g = i[c]
				y[g] = x[c]
			serial d < N
				z[2*d] = z[2*d+1]
			serial e < 4
				serial f < N
					if lt(4*f+e, N)
						y[4*f+e] = 1.0f32
	`)
	MarkIndep(k)
	for v, want := range map[string]bool{"a": true, "b": false, "c": false, "d": true, "e": false, "f": true} {
		if got := k.Loop(v).Indep; got != want {
			t.Errorf("%s: %v, want %v", v, got, want)
		}
	}
}

// TestTile makes the register-blocked form of a matrix product step by step.
func TestTile(t *testing.T) {
	k := parse(t, matmulText)
	tiled := apply(t, k, func(k *Kernel) error {
		var n0, n1, m0 string
		var err error
		return steps(
			func() error { n0, err = k.Split("n", "n0", 8, Mask); return err },
			func() error { n1, err = k.Split(n0, "n1", 4, Exact); return err },
			func() error { m0, err = k.Split("m", "m0", 3, Clip); return err },
			func() error { return k.Reorder("m", "n", m0, n0, n1) },
			func() error { _, err := k.Specialize(m0); return err },
			func() error { return tileOf(k, m0, n0, n1, "k", "acc") },
			func() error { return tileOf(k, "", "n0_2", "n1_2", "k_2", "acc_2") },
			func() error { return k.Bind("m", Parallel) },
			func() error { return k.Bind("n", Parallel) },
		)
	})
	for _, s := range sizes {
		same(t, k, tiled, s...)
	}
	if testing.Verbose() {
		t.Log(tiled)
	}
}

// tileOf turns the loops around an accumulation into register blocks; m0 may
// be empty.
func tileOf(k *Kernel, m0, n0, n1, red, acc string) error {
	vars := []string{n0, n1}
	if m0 != "" {
		vars = []string{m0, n0, n1}
	}
	for i := len(vars) - 1; i >= 0; i-- {
		if err := k.ExpandDim(acc, vars[i]); err != nil {
			return err
		}
	}
	second, err := k.FissionNest(vars, 1)
	if err != nil {
		return err
	}
	if _, err := k.FissionNest(second, 1); err != nil {
		return err
	}
	n := len(vars)
	return steps(
		func() error { return k.Sink(second[n-1]) },
		func() error { return k.Reorder(append([]string{red}, second...)...) },
		func() error { return k.Bind(second[n-1], Vector) },
		func() error { return k.Bind(second[n-2], Unroll) },
	)
}

func TestCutFuseHoist(t *testing.T) {
	k := parse(t, `
		kernel k(x f32[A*B*C] in, y f32[A*B*C] out, z f32[A*B*C] out) dims(A, B, C)
			serial i < A
				serial j < B
					serial l < C
						y[(i*B+j)*C+l] = add(x[(i*B+j)*C+l], x[l])
						z[(i*B+j)*C+l] = mul(y[(i*B+j)*C+l], x[j])
	`)
	c := apply(t, k, func(k *Kernel) error {
		return steps(
			func() error { return k.Fuse("i") },
			func() error { _, err := k.Cut("l", ir.Const(3)); return err },
		)
	})
	same(t, k, c, 2, 3, 5)
	same(t, k, c, 2, 3, 2)
	if got := c.Loop("i").Extent.String(); got != "A*B" {
		t.Errorf("fused extent %s", got)
	}
	if text := c.String(); !strings.Contains(text, "y[C*i+l] = add(x[C*i+l], x[l])") {
		t.Errorf("fused body:\n%s", text)
	}
	c = apply(t, k, func(k *Kernel) error {
		return steps(
			func() error { return k.Fuse("j") },
			func() error { return k.Fuse("i") },
			func() error { _, err := k.Split("i", "l", 4, Mask); return err },
			func() error { _, err := k.Fission("l", 1); return err },
			func() error { return k.Bind("l", Vector) },
		)
	})
	same(t, k, c, 2, 3, 5)
}

func TestSplitReduction(t *testing.T) {
	k := parse(t, `
		kernel k(x f32[M*N] in, y f32[M*N] out, top f32[M] out) dims(M, N)
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
				top[m] = hi[0]
	`)
	c := apply(t, k, func(k *Kernel) error {
		for _, v := range []string{"r", "s"} {
			lane, init, tree, err := k.SplitReduction(v, v+"l", 8)
			if err != nil {
				return err
			}
			for _, v := range append(tree, lane, init) {
				if err := k.Bind(v, Vector); err != nil {
					return err
				}
			}
		}
		return k.Bind("m", Parallel)
	})
	for _, n := range []int64{1, 7, 8, 9, 40} {
		same(t, k, c, 3, n)
	}
	if got := ScratchSize(c).String(); got != "64*((4*N+63)/64)" {
		t.Errorf("scratch size %s", got)
	}
	if got := Tasks(c).String(); got != "M" {
		t.Errorf("tasks %s", got)
	}
}

// TestScratchSize: of a task with the most lines, which the last one is not.
func TestScratchSize(t *testing.T) {
	k := parse(t, `
		kernel lines(x f32[310] in)
			parallel i < 5
				alloc line f32[10*min(-7*i+31,7)] scratch
				serial j < min(-7*i+31,7)
					line[10*j] = x[70*i+10*j]
	`)
	if got := ScratchSize(k).String(); got != "320" { // 70 floats, in whole lines
		t.Errorf("scratch size %s, want 320", got)
	}
}

// TestStagePlaces stages what places of a table select: these have been checked by a loop
// ahead, which is to be about the same elements, and as many.
func TestStagePlaces(t *testing.T) {
	const text = `
		kernel f(x f32[40*N] in, i i64[64] in, j i64[64] in, y f32[4*N*60] out) dims(N)
			serial b < 60
				let p = i[b+4]
				fail 1 or(lt(index(p), 0), ge(index(p), 10))
			serial n < N
				serial m < 4
					serial c < 60
						let q = i[c+4]
						y[(4*n+m)*60+c] = x[(4*n+m)*10+q]
	`
	stage := func(k *Kernel) error {
		var load *Expr
		WalkExprs(k.Body, func(e *Expr) {
			if e.Kind == KLoad && e.Buf.Name == "x" {
				load = e
			}
		})
		_, err := k.Stage("n", load, "xs", Scratch, ir.Const(40), []Axis{
			{Var: "q", Extent: ir.Const(10), Stride: ir.Const(4)},
			{Var: "m", Extent: ir.Const(4), Stride: ir.Const(1)}})
		return err
	}
	apply(t, parse(t, text), stage)
	for _, other := range [][2]string{{"let q = i[c+4]", "let q = j[c+4]"},
		{"let q = i[c+4]", "let q = i[c+3]"}, {"b < 60", "b < 59"}, {"ge(index(p), 10)", "ge(index(p), 11)"},
		{"lt(index(p), 0)", "lt(index(p), -1)"}} {

		if err := stage(parse(t, strings.Replace(text, other[0], other[1], 1))); err == nil {
			t.Errorf("%s: staged, wanted an error: places are not known to be good", other[1])
		}
	}
}

func TestStage(t *testing.T) {
	k := parse(t, `
		kernel conv(x f32[H*W*C] in, w f32[9*C*O] in, y f32[H*W*O] out) dims(H, W, C, O)
			serial h < H
				serial q < ((W+3)/4)
					serial p < min(4,W-4*q)
						serial o < O
							alloc acc f32[1] local
							acc[0] = 0.0f32
							serial i < 3
								serial j < 3
									serial c < C
										acc[0] = fma(x[((h+i-1)*W+4*q+p+j-1)*C+c | and(and(ge(h+i-1, 0), lt(h+i-1, H)), and(ge(4*q+p+j-1, 0), lt(4*q+p+j-1, W))) : 0.0f32], w[((3*i+j)*C+c)*O+o], acc[0])
							y[(h*W+4*q+p)*O+o] = acc[0]
	`)
	load := func(k *Kernel) (x *Expr) {
		WalkExprs(k.Body, func(e *Expr) {
			if e.Kind == KLoad && e.Buf.Name == "x" {
				x = e
			}
		})
		return x
	}
	p, j, cc := ir.Sym("p"), ir.Sym("j"), ir.Sym("C")
	c := apply(t, k, func(k *Kernel) error {
		_, err := k.Stage("q", load(k), "xs", Scratch, cc.MulConst(18), []Axis{
			{Var: "i", Extent: ir.Const(3), Stride: cc.MulConst(6)},
			{Var: "j", At: p.Add(j), Extent: ir.Const(6), Stride: cc},
			{Var: "c", Extent: cc, Stride: ir.Const(1)},
		})
		return err
	})
	same(t, k, c, 3, 5, 2, 3)
	same(t, k, c, 1, 4, 1, 1)
	_, err := k.Clone().Stage("q", load(k), "xs", Scratch, cc.MulConst(18), []Axis{
		{Var: "i", Extent: ir.Const(3), Stride: cc.MulConst(6)},
		{Var: "c", Extent: cc, Stride: ir.Const(1)}})
	if err == nil || !strings.Contains(err.Error(), "which is no axis") {
		t.Errorf("stage without an axis: %v", err)
	}
	_, err = k.Clone().Stage("q", load(k), "xs", Scratch, cc.MulConst(18), []Axis{
		{Var: "i", Extent: ir.Const(3), Stride: cc.MulConst(6)},
		{Var: "j", At: p.Add(j), Extent: ir.Const(5), Stride: cc},
		{Var: "c", Extent: cc, Stride: ir.Const(1)}})
	if err == nil || !strings.Contains(err.Error(), "may not be below 5") {
		t.Errorf("stage with an axis too short: %v", err)
	}
}

// TestRefuse has what primitives must not do.
func TestRefuse(t *testing.T) {
	const text = `
		kernel k(x f32[N] in, y f32[N+1] out) dims(N)
			serial i < N
				y[i+1] = add(y[i], x[i])
				serial j < i+1
					y[0] = x[j]
	`
	for _, tc := range []struct {
		f    func(k *Kernel) error
		want string
	}{
		{func(k *Kernel) error { return k.Bind("i", Vector) }, "must be a number"},
		{func(k *Kernel) error { return k.Bind("i", Parallel) }, "not known to be independent"},
		{func(k *Kernel) error { return k.Bind("i", Unroll) }, "must be a number"},
		{func(k *Kernel) error { return k.Bind("j", Parallel) }, "must be outermost"},
		{func(k *Kernel) error { _, err := k.Fission("i", 1); return err }, "not known to be independent"},
		{func(k *Kernel) error { return k.Reorder("j", "i") }, "not just one loop"},
		{func(k *Kernel) error { return k.Fuse("i") }, "not just one loop"},
		{func(k *Kernel) error { _, err := k.Split("i", "b", 4, Exact); return err }, "may not divide"},
		{func(k *Kernel) error { _, _, _, err := k.SplitReduction("i", "l", 4); return err }, "no accumulator"},
		{func(k *Kernel) error { _, err := k.Hoist("i"); return err }, "not one condition"},
		{func(k *Kernel) error { return k.Sink("i") }, "not one condition"},
		{func(k *Kernel) error { return k.ExpandDim("t", "i") }, "does not allocate"},
		{func(k *Kernel) error { _, err := k.Specialize("i"); return err }, "no minimum"},
		{func(k *Kernel) error { return k.Bind("q", Unroll) }, "no such loop"},
	} {
		k := parse(t, text)
		before := k.String()
		MarkIndep(k)
		err := tc.f(k)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s", err, tc.want)
		}
		k2 := parse(t, before)
		MarkIndep(k2)
		if diff := cmp.Diff(k2.String(), k.String()); diff != "" {
			t.Errorf("%s: changed the kernel: %s", tc.want, diff)
		}
	}
}

func TestSpill(t *testing.T) {
	k := parse(t, `
		kernel k(x f32[8] in, y f32[6] out)
			alloc t f32[8] local
			serial i < 8
				t[i] = mul(x[i], 2.0f32)
			serial j < 2
				serial l < 4
					if lt(4*j+l, 6)
						y[4*j+l] = add(t[4*j+l], exp(t[4*j+l]))
	`)
	c := apply(t, k, func(k *Kernel) error {
		vars, err := k.Spill("j", "t")
		if diff := cmp.Diff([]string{"j_2", "l_2"}, vars); diff != "" {
			t.Error(diff)
		}
		return err
	})
	same(t, k, c)
	if text := c.String(); !strings.Contains(text, "ts[4*j_2+l_2] = t[4*j_2+l_2]") {
		t.Error(text)
	}
	if _, err := k.Clone().Spill("i", "t"); err == nil {
		t.Error("spilled what is written")
	}
}
