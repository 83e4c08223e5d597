package llvm

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/runtime"
)

// find returns LLVM or skips the test.
func find(t testing.TB) *Toolchain {
	t.Helper()
	tc, err := Find()
	if err != nil {
		t.Skip(err)
	}
	return tc
}

const head = "(ptr %bufs, ptr %dims, i64 %lo, i64 %hi, ptr %scratch) nounwind noredzone \"no-builtins\" "

// saxpyIR has kernels that use a table of constants, constants from a pool, a jump table and a
// large frame.
var saxpyIR = `
@tab = private unnamed_addr constant [16 x float] [
` + table() + `], align 64

; y[i] += tab[i & 15] * x[i] for i in [lo,hi), status 1 if hi > dims[0].
define i32 @saxpy` + head + `{
	%xp = load ptr, ptr %bufs
	%ypp = getelementptr ptr, ptr %bufs, i64 1
	%yp = load ptr, ptr %ypp
	%n = load i64, ptr %dims
	%bad = icmp sgt i64 %hi, %n
	br i1 %bad, label %fail, label %check
fail:
	ret i32 1
check:
	%any = icmp slt i64 %lo, %hi
	br i1 %any, label %loop, label %end
loop:
	%i = phi i64 [ %lo, %check ], [ %next, %loop ]
	%k = and i64 %i, 15
	%tp = getelementptr [16 x float], ptr @tab, i64 0, i64 %k
	%t = load float, ptr %tp
	%xa = getelementptr float, ptr %xp, i64 %i
	%x = load float, ptr %xa
	%ya = getelementptr float, ptr %yp, i64 %i
	%y = load float, ptr %ya
	%m = fmul float %t, %x
	%s = fadd float %y, %m
	store float %s, ptr %ya
	%next = add i64 %i, 1
	%more = icmp slt i64 %next, %hi
	br i1 %more, label %loop, label %end
end:
	ret i32 0
}

; out[0] = sum of a 24 KiB frame that is filled with lo.
define i32 @frame` + head + `{
	%out = load ptr, ptr %bufs
	%mem = alloca [3072 x i64], align 64
	br label %fill
fill:
	%i = phi i64 [ 0, %0 ], [ %i1, %fill ]
	%p = getelementptr i64, ptr %mem, i64 %i
	store volatile i64 %lo, ptr %p
	%i1 = add i64 %i, 1
	%more = icmp slt i64 %i1, 3072
	br i1 %more, label %fill, label %read
read:
	%j = phi i64 [ 0, %fill ], [ %j1, %read ]
	%sum = phi i64 [ 0, %fill ], [ %sum1, %read ]
	%q = getelementptr i64, ptr %mem, i64 %j
	%v = load volatile i64, ptr %q
	%sum1 = add i64 %sum, %v
	%j1 = add i64 %j, 1
	%rest = icmp slt i64 %j1, 3072
	br i1 %rest, label %read, label %done
done:
	store i64 %sum1, ptr %out
	ret i32 0
}

; returns a status by a jump table.
define i32 @jump` + head + `{
	%out = load ptr, ptr %bufs
	switch i64 %lo, label %other [ i64 0, label %a
		i64 1, label %b
		i64 2, label %c
		i64 3, label %d
		i64 4, label %e ]
a:
	store volatile i64 %hi, ptr %out
	ret i32 10
b:
	store volatile double 2.5, ptr %out
	ret i32 7
c:
	store volatile i64 3, ptr %out
	ret i32 40
d:
	store volatile double 3.25, ptr %out
	ret i32 3
e:
	%x = mul i64 %hi, %hi
	store volatile i64 %x, ptr %out
	ret i32 15
other:
	ret i32 -1
}
`

func table() string {
	var parts []string
	for i := range 16 {
		parts = append(parts, fmt.Sprintf("float %d.0", i+1))
	}
	return strings.Join(parts, ", ")
}

var saxpyModule = Module{Name: "saxpy", Text: saxpyIR, Kernels: []string{"saxpy", "frame", "jump"}}

// levelOf returns the first of this machine's levels that LLVM compiles for.
func levelOf(t *testing.T) Target {
	for _, l := range runtime.Levels() {
		if target, ok := TargetOf(l); ok {
			return target
		}
	}
	t.Skip("no native level on this machine")
	return Target{}
}

// TestCompileRun compiles by LLVM, maps the code, and runs it by the runtime's trampoline from
// goroutines with small stacks, while the garbage collector runs.
func TestCompileRun(t *testing.T) {
	tc := find(t)
	for _, level := range runtime.Levels() {
		target, ok := TargetOf(level)
		if !ok {
			continue
		}
		t.Run(level, func(t *testing.T) {
			funcs, stats, err := tc.Compile(t.Context(), []Module{saxpyModule}, target, "")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v: opt %v, llc %v, %d bytes, stack %d", tc, stats.Opt, stats.LLC,
				len(funcs[0].Code), funcs[1].Stack)
			if funcs[1].Stack < 24<<10 {
				t.Errorf("frame uses %d bytes of stack, wanted 24 KiB and more", funcs[1].Stack)
			}
			m := load(t, level, funcs)
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				for {
					select {
					case <-stop:
						return
					default:
						goruntime.GC()
					}
				}
			}()
			var wg sync.WaitGroup
			for g := range 8 {
				wg.Go(func() { check(t, m, g) })
			}
			wg.Wait()
		})
	}
}

// load makes a model of y' = saxpy(x, y), f = frame, for n elements.
func load(t *testing.T, level string, funcs []Func) *runtime.Model {
	var code []byte
	var at []uintptr
	for _, f := range funcs {
		for len(code)%blobAlign != 0 {
			code = append(code, 0)
		}
		at = append(at, uintptr(len(code)))
		code = append(code, f.Code...)
	}
	base, release, err := runtime.MapCode(code)
	if err != nil {
		t.Fatal(err)
	}
	vector := []runtime.Int{^0}
	variant := func(i int, tasks runtime.Int) []runtime.Variant {
		return []runtime.Variant{{Level: level, Code: base + at[i], Tasks: tasks}}
	}
	p := &runtime.Program{
		Name: "saxpy",
		Inputs: []runtime.Port{{Name: "x", DType: runtime.F32, Dims: vector},
			{Name: "y", DType: runtime.F32, Dims: vector}},
		Outputs: []runtime.Port{{Name: "z", DType: runtime.F32, Dims: vector},
			{Name: "f", DType: runtime.I64}},
		Symbols: []runtime.Symbol{{Name: "N"}},
		Exprs:   []runtime.Expr{{Op: runtime.OpSym}, {Op: runtime.OpMul, A: ^0, B: 4}},
		Buffers: []runtime.Buffer{{Kind: runtime.InInput, Size: ^1},
			{Kind: runtime.InInput, Index: 1, Size: ^1},
			{Kind: runtime.InOutput, Size: ^1}, {Kind: runtime.InOutput, Index: 1, Size: 8}},
		Kernels: []runtime.Kernel{{Name: "saxpy", Variants: variant(0, ^0)},
			{Name: "frame", Variants: variant(1, 1)}},
		Steps: []runtime.Step{
			&runtime.Copy{Dst: 2, Src: 1, Size: ^1},
			&runtime.Launch{Kernel: 0, Bufs: []int{0, 2}, Writes: []int{1}, Dims: []runtime.Int{^0},
				Cost: 100_000},
			&runtime.Launch{Kernel: 1, Bufs: []int{3}, Writes: []int{0}},
		},
	}
	m, err := runtime.New(p, nil, runtime.WithLevel(level), runtime.WithThreads(2),
		runtime.WithCleanup(func() { _ = release() }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func check(t *testing.T, m *runtime.Model, g int) {
	for round := range 50 {
		n := 37 + 61*g + round
		x, y, want := make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = float32(i), float32(g)
			want[i] = float32(g) + float32(i&15+1)*float32(i)
		}
		out, err := m.Run([]*runtime.Tensor{runtime.MustFrom(x, n), runtime.MustFrom(y, n)})
		if err != nil {
			t.Error(err)
			return
		}
		got, _ := runtime.Slice[float32](out[0])
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("n=%d: -want +got\n%s", n, d)
			return
		}
		if f := runtime.At[int64](out[1]); f != 0 {
			t.Errorf("frame: %d, wanted 0", f)
		}
	}
}

// TestJumpTable runs a kernel whose switch becomes a table of distances among the constants.
func TestJumpTable(t *testing.T) {
	tc, target := find(t), levelOf(t)
	funcs, _, err := tc.Compile(t.Context(), []Module{saxpyModule}, target, "")
	if err != nil {
		t.Fatal(err)
	}
	base, release, err := runtime.MapCode(funcs[2].Code)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	p := &runtime.Program{Name: "jump",
		Inputs:  []runtime.Port{{Name: "x", DType: runtime.I64, Dims: []runtime.Int{^0}}},
		Outputs: []runtime.Port{{Name: "y", DType: runtime.F64}},
		Symbols: []runtime.Symbol{{Name: "N"}}, Exprs: []runtime.Expr{{Op: runtime.OpSym}},
		Buffers: []runtime.Buffer{{Kind: runtime.InOutput, Size: 8}},
		Kernels: []runtime.Kernel{{Name: "jump", Variants: []runtime.Variant{
			{Level: target.Level, Code: base, Tasks: 1}}}},
		Steps: []runtime.Step{&runtime.Launch{Bufs: []int{0}, Writes: []int{0}}},
	}
	m, err := runtime.New(p, nil, runtime.WithLevel(target.Level))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Run([]*runtime.Tensor{runtime.MustFrom([]int64{1}, 1)})
	var ke *runtime.KernelError
	if !errors.As(err, &ke) || ke.Status != 10 {
		t.Errorf("got %v, wanted status 10", err)
	}
}

// TestCompileErrors has what cannot become a blob.
func TestCompileErrors(t *testing.T) {
	tc, target := find(t), levelOf(t)
	for _, c := range []struct{ name, ir, want string }{
		{"syntax", "define i32 @k" + head + "{ ret i33 0 }", "error: value doesn't match"},
		{"missing", "define i32 @other" + head + "{ ret i32 0 }", "does not define it"},
		{"call", "declare i32 @g()\ndefine i32 @k" + head +
			"{ %x = call i32 @g()\n ret i32 %x }", "g, which is not in the module"},
		{"data", "@d = internal global i32 0\ndefine i32 @k" + head +
			"{ %x = load volatile i32, ptr @d\n store volatile i32 1, ptr @d\n ret i32 %x }",
			"not code or constants"},
		{"stack", "define i32 @k" + head + "{ %m = alloca [40000 x i8]\n " +
			"%p = getelementptr i8, ptr %m, i64 %lo\n store volatile i8 1, ptr %p\n ret i32 0 }", "bytes of stack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := tc.Compile(t.Context(),
				[]Module{{Name: c.name, Text: c.ir, Kernels: []string{"k"}}}, target, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, wanted %q", err, c.want)
			}
		})
	}
}

func TestCompileCanceled(t *testing.T) {
	tc, target := find(t), levelOf(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := tc.Compile(ctx, []Module{saxpyModule}, target, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, wanted %v", err, context.Canceled)
	}
}

func TestFindMissing(t *testing.T) {
	t.Setenv(dirEnv, t.TempDir())
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), dirEnv) {
		t.Errorf("got %v", err)
	}
}
