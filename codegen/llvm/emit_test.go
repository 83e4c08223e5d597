package llvm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/llvm/jit"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// levels returns the native levels of this machine, or skips: those that only
// have more instructions than another are left to TestInstrs.
func levels(t testing.TB) []string {
	t.Helper()
	seen := map[string]bool{}
	all := allLevels(t)
	for i := len(all) - 1; i >= 0; i-- {
		target, _ := llvm.TargetOf(all[i])
		if seen[target.CPU] {
			return all[i+1:]
		}
		seen[target.CPU] = true
	}
	return all
}

func allLevels(t testing.TB) []string {
	t.Helper()
	if _, err := llvm.Find(); err != nil {
		t.Skip("needs LLVM:", err)
	}
	var out []string
	for _, l := range runtime.Levels() {
		if _, ok := llvm.TargetOf(l); ok {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		t.Skip("no native level on this machine")
	}
	return out
}

// fill makes n elements of type d: special values and random ones.
func fill(r *rand.Rand, d ir.DType, n int64) []byte {
	out := make([]byte, 0, n*int64(d.Size()))
	for range n {
		bits := r.Uint64()
		if r.IntN(3) > 0 {
			bits = uint64(int64(r.IntN(9) - 4))
		}
		if r.IntN(8) == 0 {
			bits = 1<<(d.Bits()-1) - uint64(r.IntN(2))
		}
		if d.IsFloat() && r.IntN(3) > 0 {
			bits = floatBits(d, []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 1.5, 2.5, -2.5, 3e38,
				math.Inf(1), math.Inf(-1), math.NaN(), 1e10, -300.7, 65504, 65520, 1e-40,
				r.NormFloat64() * 100}[r.IntN(18)])
		}
		switch d {
		case ir.Bool:
			bits &= 1
		case ir.U4:
			bits &= 15
		case ir.I4:
			bits = uint64(int64(bits<<60) >> 60)
		}
		for range d.Size() {
			out = append(out, byte(bits))
			bits >>= 8
		}
	}
	return out
}

func floatBits(d ir.DType, v float64) uint64 {
	switch d {
	case ir.F64:
		return math.Float64bits(v)
	case ir.F32:
		return uint64(math.Float32bits(float32(v)))
	case ir.BF16:
		return uint64(math.Float32bits(float32(v)) >> 16)
	}
	f := math.Float32bits(float32(v))
	e := int(f>>23&255) - 112
	if e <= 0 || e > 30 {
		return uint64(f>>16&0x8000) | 0x7c00
	}
	return uint64(f>>16&0x8000) | uint64(e)<<10 | uint64(f>>13&1023)
}

// sameBits reports whether elements i of a and b are equal: to the bit, any
// NaN being any other.
func sameBits(d ir.DType, a, b []byte, i int) bool {
	n := d.Size()
	x, y := uint64(0), uint64(0)
	for j := n - 1; j >= 0; j-- {
		x, y = x<<8|uint64(a[i*n+j]), y<<8|uint64(b[i*n+j])
	}
	return x == y || isNaN(d, x) && isNaN(d, y)
}

func isNaN(d ir.DType, x uint64) bool {
	inf := map[ir.DType]uint64{ir.F16: 0x7c00, ir.BF16: 0x7f80, ir.F32: 0x7f800000,
		ir.F64: 0x7ff << 52}[d]
	return inf != 0 && x&(1<<(d.Bits()-1)-1) > inf
}

// compare runs k natively, expanded, and by kernel.Run as it is on the same
// random buffers.
func compare(t *testing.T, k *kernel.Kernel, level string, dims []int64, seeds ...uint64) {
	t.Helper()
	target, ok := llvm.TargetOf(level)
	if !ok {
		t.Fatalf("level %s is not known", level)
	}
	compareFor(t, k, target, dims, seeds...)
}

func compareFor(t *testing.T, k *kernel.Kernel, target llvm.Target, dims []int64, seeds ...uint64) {
	t.Helper()
	f, err := jit.CompileFor(t.Context(), mathfn.Kernel(k, target.Native), target, dims)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	for _, seed := range seeds {
		compareRun(t, k, f, dims, seed)
	}
}

func compareRun(t *testing.T, k *kernel.Kernel, f *jit.Func, dims []int64, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	env := map[string]int64{}
	for i, n := range k.Dims {
		env[n] = dims[i]
	}
	var got, want [][]byte
	for _, b := range k.Params {
		n, err := b.Size.Eval(env)
		if err != nil {
			t.Fatal(err)
		}
		data := fill(r, b.DType, n)
		if strings.HasPrefix(b.Name, "idx") {
			data = indices(r, n)
		}
		got, want = append(got, data), append(want, append([]byte(nil), data...))
	}
	status, err := kernel.Run(k, want, dims)
	if err != nil {
		t.Fatal(err)
	}
	native := 0
	if err := f.Run(got); err != nil {
		ke, ok := err.(*runtime.KernelError)
		if !ok {
			t.Fatal(err)
		}
		native = ke.Status
	}
	if native != status {
		t.Fatalf("status %d, kernel.Run has %d", native, status)
	}
	if status != 0 {
		return
	}
	for i, b := range k.Params {
		bad := 0
		for j := range len(got[i]) / b.DType.Size() {
			if !sameBits(b.DType, got[i], want[i], j) && bad < 4 {
				bad++
				n := b.DType.Size()
				t.Errorf("%s[%d]: % x, kernel.Run has % x%s in\n%v", b.Name, j, got[i][j*n:][:n],
					want[i][j*n:][:n], inputsAt(k, want, j), k)
			}
		}
	}
}

// inputsAt shows the elements at j of the inputs.
func inputsAt(k *kernel.Kernel, bufs [][]byte, j int) string {
	var s strings.Builder
	for i, b := range k.Params {
		n := b.DType.Size()
		if !b.Out && (j+1)*n <= len(bufs[i]) {
			fmt.Fprintf(&s, " %s=% x", b.Name, bufs[i][j*n:][:n])
		}
	}
	return s.String()
}

// indices are i64 numbers in [0, 8).
func indices(r *rand.Rand, n int64) []byte {
	out := make([]byte, 8*n)
	for i := range n {
		out[8*i] = byte(r.IntN(8))
	}
	return out
}

// elementwise makes out_i[p] = exprs[i] at p < n of the inputs, in vectors of w
// lanes with a masked tail.
func elementwise(w int64, ins []*kernel.Buffer, exprs func(load []*kernel.Expr) []*kernel.Expr,
) *kernel.Kernel {
	at := ir.Sym("i").MulConst(w).Add(ir.Sym("l"))
	k := &kernel.Kernel{Name: "ops", Params: ins, Dims: []string{"N"}}
	var loads []*kernel.Expr
	for _, b := range ins {
		loads = append(loads, kernel.Load(b, at))
	}
	var stores []kernel.Stmt
	for i, x := range exprs(loads) {
		b := &kernel.Buffer{Name: fmt.Sprintf("out%d", i), DType: x.DType, Size: ir.Sym("N"), Out: true}
		k.Params = append(k.Params, b)
		stores = append(stores, &kernel.Store{Buf: b, Index: at, Value: x})
	}
	tail := kernel.OpExpr(ir.OpLt, kernel.IndexExpr(at), kernel.IndexExpr(ir.Sym("N")))
	k.Body = []kernel.Stmt{&kernel.Loop{Var: "i", Extent: ir.Sym("N").CeilDiv(ir.Const(w)),
		Body: []kernel.Stmt{&kernel.Loop{Var: "l", Extent: ir.Const(w), Bind: kernel.Vector, Indep: true,
			Body: []kernel.Stmt{&kernel.If{Cond: tail, Then: stores}}}}}}
	return k
}

func inputs(d ir.DType, n int) []*kernel.Buffer {
	var out []*kernel.Buffer
	for i := range n {
		out = append(out, &kernel.Buffer{Name: fmt.Sprintf("x%d", i), DType: d, Size: ir.Sym("N"),
			In: true})
	}
	return out
}

var dtypes = []ir.DType{ir.Bool, ir.I8, ir.I16, ir.I32, ir.I64, ir.U8, ir.U16, ir.U32, ir.U64,
	ir.F16, ir.BF16, ir.F32, ir.F64}

// allOps has an output for each elementwise operation on d that want picks.
func allOps(d ir.DType, want func(ir.Op) bool) *kernel.Kernel {
	return elementwise(16, inputs(d, 3), func(x []*kernel.Expr) []*kernel.Expr {
		out := []*kernel.Expr{kernel.OpExpr(ir.OpSelect, kernel.OpExpr(ir.OpLt, x[0], x[1]), x[2], x[1])}
		for _, op := range ir.Ops() {
			info := op.Info()
			if op.Is(ir.Elementwise) && info.Types.Has(d) && op != ir.OpCast && op != ir.OpBitcast &&
				op != ir.OpSelect && !op.Is(ir.Views) && want(op) {
				out = append(out, kernel.OpExpr(op, x[:info.Args]...))
			}
		}
		return out
	})
}

// allCasts has an output for each conversion of d.
func allCasts(d ir.DType) *kernel.Kernel {
	return elementwise(16, inputs(d, 1), func(x []*kernel.Expr) []*kernel.Expr {
		var out []*kernel.Expr
		for _, to := range dtypes {
			out = append(out, kernel.CastExpr(to, x[0]))
			if to.Size() == d.Size() {
				out = append(out, kernel.BitcastExpr(to, x[0]))
			}
		}
		return out
	})
}

// exact are the operations on d that have one right result.
func exact(d ir.DType) func(ir.Op) bool {
	return func(op ir.Op) bool {
		return !(ir.OpExp <= op && op <= ir.OpSigmoid || op == ir.OpAtan2 ||
			op == ir.OpPow && d.IsFloat())
	}
}

// TestOps compares each operation on each element type with kernel.Run, but for
// those that package mathfn's tests measure.
func TestOps(t *testing.T) {
	for _, level := range levels(t) {
		for _, d := range dtypes {
			t.Run(fmt.Sprint(level, "/", d), func(t *testing.T) {
				compare(t, allOps(d, exact(d)), level, []int64{1013}, 1)
			})
		}
	}
}

// TestCasts compares each conversion with kernel.Run.
func TestCasts(t *testing.T) {
	for _, level := range levels(t) {
		for _, d := range dtypes {
			t.Run(fmt.Sprint(level, "/", d), func(t *testing.T) {
				compare(t, allCasts(d), level, []int64{1013}, 2)
			})
		}
	}
}
