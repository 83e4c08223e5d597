package ptx

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
)

// dtypes are those that elementwise operations are emitted for.
var dtypes = []ir.DType{ir.Bool, ir.I8, ir.I16, ir.I32, ir.I64, ir.U8, ir.U16, ir.U32, ir.U64,
	ir.F16, ir.BF16, ir.F32, ir.F64, ir.I4, ir.U4}

// lanes is how many elements operations are tried on.
const lanes = 16

// opKernel is a kernel of one operation from d to out.
func opKernel(op ir.Op, name string, d, out ir.DType) *kernel.Kernel {
	k := &kernel.Kernel{Name: name}
	var args []*kernel.Expr
	for i := range op.Info().Args {
		typ := d
		if op == ir.OpSelect && i == 0 {
			typ = ir.Bool
		}
		b := &kernel.Buffer{Name: fmt.Sprintf("a%d", i), DType: typ, Size: ir.Const(lanes), In: true}
		k.Params = append(k.Params, b)
		args = append(args, kernel.Load(b, ir.Sym("t")))
	}
	e := kernel.OpExpr(op, args...)
	if op == ir.OpCast || op == ir.OpBitcast {
		e = &kernel.Expr{Kind: kernel.KOp, Op: op, DType: out, Args: args}
	}
	b := &kernel.Buffer{Name: "out", DType: e.DType, Size: ir.Const(lanes), Out: true}
	k.Params = append(k.Params, b)
	store := &kernel.Store{Buf: b, Index: ir.Sym("t"), Value: e}
	k.Body = []kernel.Stmt{&kernel.Loop{Var: "t", Extent: ir.Const(lanes), Bind: kernel.BlockX,
		Indep: true, Body: []kernel.Stmt{store}}}
	return k
}

// allOps makes a kernel of each elementwise operation and element type.
func allOps(t *testing.T) []*kernel.Kernel {
	t.Helper()
	var out []*kernel.Kernel
	for _, op := range ir.Ops() {
		if !op.Is(ir.Elementwise) || op.Is(ir.Views) {
			continue
		}
		for i, d := range dtypes {
			to := []ir.DType{d}
			if op == ir.OpCast || op == ir.OpBitcast {
				to = dtypes
			}
			for j, x := range to {
				k := opKernel(op, fmt.Sprintf("%v_%d_%d", op, i, j), d, x)
				if kernel.Verify(k) == nil {
					out = append(out, k)
				}
			}
		}
	}
	return out
}

// TestOps emits every elementwise operation of every element type, and has
// ptxas check the text.
func TestOps(t *testing.T) {
	target, _ := TargetOf("sm_80")
	var all strings.Builder
	all.WriteString(header(target))
	n := 0
	for _, k := range allOps(t) {
		text, err := Emit(mathfn.Kernel(k, nil), target)
		if err != nil {
			t.Error(err)
			continue
		}
		all.WriteString(strings.TrimPrefix(text, header(target)))
		n++
		if !strings.Contains(k.String(), "i4") { // kernel.Run does not extend their sign
			execute(t, k, text)
		}
	}
	if n < 400 {
		t.Errorf("%d kernels", n)
	}
	assemble(t, all.String(), "sm_80")
}

// execute runs the PTX of k and the tree itself on the same special and random
// elements: bits agree, any NaN with any other, but for functions.
func execute(t *testing.T, k *kernel.Kernel, text string) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 8))
	var got, want [][]byte
	for _, b := range k.Params {
		n, _ := b.Size.Int()
		var data []byte
		for range n {
			bits := special(r, b.DType)
			for i := range b.DType.Size() {
				data = append(data, byte(bits>>(8*i)))
			}
		}
		got, want = append(got, data), append(want, slices.Clone(data))
	}
	if status, err := kernel.Run(k, want, nil); err != nil || status != 0 {
		t.Fatal(status, err)
	}
	parseEntry(text).execute(got, nil, [3]int64{1, 1, 1}, LaunchOf(k).Block)
	out := k.Params[len(k.Params)-1]
	shape := []int64{lanes}
	g := &ir.Literal{DType: out.DType, Shape: shape, Data: got[len(got)-1]}
	w := &ir.Literal{DType: out.DType, Shape: shape, Data: want[len(want)-1]}
	b := irtest.Bound{}
	if mathfn.Kernel(k, nil).String() != k.String() { // functions are right within 2 ulp
		b = ulps[out.DType]
	}
	if err := irtest.CompareLiterals(g, w, b); err != nil {
		t.Errorf("%s: %v\n%s", k.Name, err, text)
	}
}

var ulps = map[ir.DType]irtest.Bound{
	ir.F16: {Abs: 0x1p-23, Rel: 0x1p-9}, ir.BF16: {Abs: 0x1p-130, Rel: 0x1p-6},
	ir.F32: {Abs: 0x1p-147, Rel: 0x1p-21}, ir.F64: {Abs: 0x1p-1070, Rel: 0x1p-49},
}

// special is an element of d: often one at an edge.
func special(r *rand.Rand, d ir.DType) uint64 {
	n := d.Bits()
	bits := r.Uint64()
	switch {
	case d.IsFloat():
		if v := specials[r.IntN(len(specials))]; r.IntN(3) > 0 {
			bits = floatBits(d, v)
		} else if r.IntN(2) > 0 {
			bits = floatBits(d, 50*r.NormFloat64())
		}
	case r.IntN(4) == 0:
		bits = 1<<(n-1) - uint64(r.IntN(2))
	case r.IntN(3) > 0:
		bits = uint64(r.IntN(9) - 4)
	}
	switch d {
	case ir.Bool:
		return bits & 1
	case ir.U4:
		return bits & 15
	case ir.I4:
		return uint64(int64(bits<<60) >> 60)
	}
	return bits
}

var specials = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 1.5, 2.5, -2.5, 3e38, 1e300, math.Inf(1),
	math.Inf(-1), math.NaN(), 1e10, -300.7, 65504, 65520, 1e-40, 127.5, -129, 4e9, 1e19}

func parse(t *testing.T, text string) *kernel.Kernel {
	t.Helper()
	k, err := kernel.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTrees emits what the schedules do not make yet: fails, guarded loads,
// several axes, unrolled loops, arrays of a thread, bools in shared memory.
func TestTrees(t *testing.T) {
	const head = "kernel trees(x f32[N] in, i i64[N] in, m bool[N] in, w f32[8] in const, " +
		"y f32[N] out, z bool[N] out) dims(N)\n"
	const text = head + `	grid.x g < N
		grid.y h < 2
			block.y b < 4
				block.x t < 8
					fail 1 ge(i[t], N)
					let q = i[t]
					alloc a f32[4] local
					alloc c f32[8] local
					unroll u < 4
						a[u] = x[q | lt(4*t+u, N) : 1.0f32]
					serial s < 8
						c[s] = mul(w[s], a[3])
					if m[t]
						y[8*b+t] = c[t]
					else
						y[8*b+t] = select(m[b], add(a[0], a[1]), w[7 | m[g] : 2.0f32])
					z[t] = m[h | m[t] : true]
`
	k := parse(t, text)
	target, _ := TargetOf("sm_90")
	out, err := Emit(k, target)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"red.global.max.s32", "ld.global.nc.f32",
		".local .align 16 .b8 local$c[32]", "%ctaid.y", "%tid.y", "// grid (N, 2, 1), block (8, 4, 1)", ".reqntid 8, 4, 1"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	assemble(t, out, "sm_90")
}

// TestBarriers counts barriers: one before a thread reads what others wrote,
// none where each has its own element.
func TestBarriers(t *testing.T) {
	const text = `kernel k(x f32[64] in, y f32[64] out)
	alloc s f32[64] shared
	block.x a < 64
		s[a] = x[a]
	block.x b < 64
		s[b] = add(s[b], 1.0f32)
	block.x c < 64
		y[c] = s[-c+63]
	s[0] = 1.0f32
	block.x d < 32
		y[d] = s[0]
`
	target, _ := TargetOf("sm_80")
	k := parse(t, text)
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok {
			l.Indep = true
		}
	})
	out, err := Emit(k, target)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out, "bar.sync"); n != 3 {
		t.Errorf("%d barriers, want 3:\n%s", n, out)
	}
	assemble(t, out, "sm_80")
}

func TestErrors(t *testing.T) {
	const head = "kernel k(x f32[64] in, e f8e4m3[64] in, y f32[64] out, s string[1] in) dims(N)\n"
	target, _ := TargetOf("sm_80")
	for _, tc := range []struct{ body, want string }{
		{"\tparallel i < 64\n\t\ty[i] = x[i]\n", "kernel k: loop i: bound to the tasks of a CPU"},
		{"\tblock.x i < 64\n\t\ty[i] = exp(x[i])\n", "exp of f32: no instruction of PTX does this"},
		{"\tblock.x i < 64\n\t\ty[i] = f32(e[i])\n", "of f8e4m3: PTX has no arithmetic of this type"},
		{"\talloc t f32[N] scratch\n\ty[0] = x[0]\n", "alloc t: scratch is memory of a worker"},
		{"\tblock.x i < 64\n\t\tserial j < 2\n\t\t\tblock.y l < 2\n\t\t\t\ty[i] = x[i]\n", "k6"},
		{"\talloc t f32[8] local\n\tt[9] = 1.0f32\n", "t[9]: not an element of its 8 registers"},
		{"\tblock.x i < 64\n\t\ty[i] = x[i]\n\tserial j < 64\n\t\ty[j] = add(y[j], y[0])\n",
			"loop j: its iterations exchange"},
		{"\talloc t f32[64] shared\n\tblock.x i < 64\n\t\tfail 1 lt(x[i], 0.0f32)\n\t\tt[i] = x[i]\n\ty[0] = t[1]\n",
			"fail: a thread of a block"},
	} {
		_, err := Emit(parse(t, head+tc.body), target)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s of\n%s", err, tc.want, tc.body)
		}
	}
}
