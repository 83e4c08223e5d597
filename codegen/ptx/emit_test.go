package ptx

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
)

// dtypes are those that elementwise operations are emitted for.
var dtypes = []ir.DType{ir.Bool, ir.I8, ir.I16, ir.I32, ir.I64, ir.U8, ir.U16, ir.U32, ir.U64,
	ir.F16, ir.BF16, ir.F32, ir.F64, ir.I4, ir.U4}

// opKernel is a kernel of one operation from d to out.
func opKernel(op ir.Op, name string, d, out ir.DType) *kernel.Kernel {
	k := &kernel.Kernel{Name: name}
	var args []*kernel.Expr
	for i := range op.Info().Args {
		typ := d
		if op == ir.OpSelect && i == 0 {
			typ = ir.Bool
		}
		b := &kernel.Buffer{Name: fmt.Sprintf("a%d", i), DType: typ, Size: ir.Const(64), In: true}
		k.Params = append(k.Params, b)
		args = append(args, kernel.Load(b, ir.Sym("t")))
	}
	e := kernel.OpExpr(op, args...)
	if op == ir.OpCast || op == ir.OpBitcast {
		e = &kernel.Expr{Kind: kernel.KOp, Op: op, DType: out, Args: args}
	}
	b := &kernel.Buffer{Name: "out", DType: e.DType, Size: ir.Const(64), Out: true}
	k.Params = append(k.Params, b)
	store := &kernel.Store{Buf: b, Index: ir.Sym("t"), Value: e}
	k.Body = []kernel.Stmt{&kernel.Loop{Var: "t", Extent: ir.Const(64), Bind: kernel.BlockX,
		Indep: true, Body: []kernel.Stmt{store}}}
	return k
}

// allOps makes a kernel of each elementwise operation and element type.
func allOps(t *testing.T) []*kernel.Kernel {
	t.Helper()
	var out []*kernel.Kernel
	for _, op := range ir.Ops() {
		if !op.Is(ir.Elementwise) {
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
		text, err := Emit(mathfn.Kernel(k), target)
		if err != nil {
			t.Error(err)
			continue
		}
		all.WriteString(strings.TrimPrefix(text, header(target)))
		n++
	}
	if n < 400 {
		t.Errorf("%d kernels", n)
	}
	assemble(t, all.String(), "sm_80")
}

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
	const text = `kernel trees(x f32[N] in, i i64[N] in, m bool[N] in, w f32[8] in const, y f32[N] out, z bool[N] out) dims(N)
	grid.x g < N
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
	for _, want := range []string{"red.global.max.s32", "ld.global.nc.f32", ".local .align 16 .b8 local$c[32]",
		"%ctaid.y", "%tid.y", "// grid (N, 2, 1), block (8, 4, 1)", ".reqntid 8, 4, 1"} {
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
		{"\tblock.x i < 64\n\t\ty[i] = x[i]\n\tserial j < 64\n\t\ty[j] = add(y[j], y[0])\n", "loop j: its iterations exchange"},
		{"\talloc t f32[64] shared\n\tblock.x i < 64\n\t\tfail 1 lt(x[i], 0.0f32)\n\t\tt[i] = x[i]\n\ty[0] = t[1]\n", "fail: a thread of a block"},
	} {
		_, err := Emit(parse(t, head+tc.body), target)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s of\n%s", err, tc.want, tc.body)
		}
	}
}
