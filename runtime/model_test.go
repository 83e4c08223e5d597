package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func f32s(p unsafe.Pointer, n int64) []float32 { return unsafe.Slice((*float32)(p), n) }

// scale is y[i] = x[i]*w[0] over [lo,hi).
func scale(bufs []unsafe.Pointer, dims []int64, lo, hi int64, _ unsafe.Pointer) int32 {
	x, w, y := f32s(bufs[0], dims[0]), f32s(bufs[1], 1), f32s(bufs[2], dims[0])
	for i := lo; i < hi; i++ {
		y[i] = x[i] * w[0]
	}
	return StatusOK
}

// root is y[i] = sqrt(x[i]), status 4 for negative numbers; it uses its scratch memory.
func root(bufs []unsafe.Pointer, dims []int64, lo, hi int64, scratch unsafe.Pointer) int32 {
	x, y, s := f32s(bufs[0], dims[0]), f32s(bufs[1], dims[0]), f32s(scratch, 16)
	for i := lo; i < hi; i++ {
		if x[i] < 0 {
			return StatusValue
		}
		s[i&15] = float32(math.Sqrt(float64(x[i])))
		y[i] = s[i&15]
	}
	return StatusOK
}

func goKernel(name string, f GoFunc, tasks, scratch Int) Kernel {
	return Kernel{Name: name, Node: "node_" + name, Variants: []Variant{
		{Level: LevelGeneric, Go: f, Tasks: tasks, Scratch: scratch}}}
}

// chain is y = sqrt(w*x) with x f32[N,4], through the arena.
func chain(cost Int) (*Program, []byte) {
	w := []float32{4}
	dims := []Int{^0, 4}
	return &Program{
		Name:    "chain",
		Inputs:  []Port{{Name: "x", DType: F32, Dims: dims}},
		Outputs: []Port{{Name: "y", DType: F32, Dims: dims}},
		Symbols: []Symbol{{Name: "N"}},
		Exprs:   []Expr{{Op: OpSym}, {Op: OpMul, A: ^0, B: 4}, {Op: OpMul, A: ^1, B: 4}},
		Buffers: []Buffer{{Kind: InInput, Size: ^2}, {Kind: InWeights, Size: 4},
			{Kind: InArena, Size: ^2}, {Kind: InOutput, Size: ^2}},
		Kernels: []Kernel{goKernel("scale", scale, ^1, 0), goKernel("root", root, ^1, 64)},
		Steps: []Step{
			&Launch{Kernel: 0, Bufs: []int{0, 1, 2}, Writes: []int{2}, Dims: []Int{^1}, Cost: cost},
			&Launch{Kernel: 1, Bufs: []int{2, 3}, Writes: []int{1}, Dims: []Int{^1}, Cost: cost},
		},
		Arena: ^2, WeightBytes: 4, WeightAlign: 4,
	}, unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), 4)
}

func newChain(t testing.TB, cost Int, opts ...Option) *Model {
	t.Helper()
	p, w := chain(cost)
	return newModel(t, p, w, opts...)
}

func newModel(t testing.TB, p *Program, w []byte, opts ...Option) *Model {
	t.Helper()
	m, err := New(p, w, append(opts, WithLevel(LevelGeneric))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func ramp(n int) *Tensor {
	x := make([]float32, n*4)
	for i := range x {
		x[i] = float32(i * i)
	}
	return MustFrom(x, n, 4)
}

func checkRamp(t testing.TB, y *Tensor, n int) {
	t.Helper()
	got, err := Slice[float32](y)
	if err != nil {
		t.Fatal(err)
	}
	var want []float32
	for i := range 4 * n {
		want = append(want, float32(2*i))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("n=%d -want +got\n%s", n, d)
	}
}

func TestRunThreads(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(threads), func(t *testing.T) {
			m := newChain(t, 10_000_000, WithThreads(threads))
			for _, n := range []int{1, 100, 3, 1000, 0, 7} {
				out, err := m.Run([]*Tensor{ramp(n)})
				if err != nil {
					t.Fatal(err)
				}
				checkRamp(t, out[0], n)
			}
		})
	}
}

func TestRunConcurrently(t *testing.T) {
	m := newChain(t, 1_000_000, WithThreads(3))
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			out := []*Tensor{nil}
			for round := range 20 {
				n := 1 + (g+round)%9
				if err := m.RunInto(out, []*Tensor{ramp(n)}); err != nil {
					t.Error(err)
					return
				}
				checkRamp(t, out[0], n)
			}
		})
	}
	wg.Wait()
}

func TestRunIntoAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, threads := range []int{1, 2, 5} {
		for _, cost := range []Int{0, 10_000_000} {
			m := newChain(t, cost, WithThreads(threads))
			in, out := []*Tensor{ramp(50)}, []*Tensor{ramp(50)}
			wide, err := MustFrom(make([]float32, 400), 50, 8).Slice(1, 0, 8, 2)
			if err != nil {
				t.Fatal(err)
			}
			strided := []*Tensor{wide}
			ctx, cancel := context.WithCancel(t.Context())
			for name, f := range map[string]func() error{
				"plain":   func() error { return m.RunInto(out, in) },
				"strided": func() error { return m.RunInto(out, strided) },
				"context": func() error { return m.RunIntoContext(ctx, out, in) },
			} {
				n := testing.AllocsPerRun(100, func() {
					if err := f(); err != nil {
						t.Fatal(err)
					}
				})
				if n != 0 {
					t.Errorf("threads %d, cost %d, %s: %v allocations", threads, cost, name, n)
				}
			}
			cancel()
		}
	}
}

func TestRunIntoTensors(t *testing.T) {
	m := newChain(t, 0)
	mem := make([]float32, 3*8)
	strided, _ := MustFrom(mem, 3, 8).Slice(1, 0, 8, 2)
	if err := m.RunInto([]*Tensor{strided}, []*Tensor{ramp(3)}); err != nil {
		t.Fatal(err)
	}
	checkRamp(t, strided.Contiguous(), 3)
	if mem[1] != 0 || mem[2] != 2 {
		t.Errorf("got %v", mem)
	}
	// State carried on: the output is the input.
	x := ramp(2)
	if err := m.RunInto([]*Tensor{x}, []*Tensor{x}); err != nil {
		t.Fatal(err)
	}
	checkRamp(t, x, 2)
	// The runtime's tensors are resized, the caller's are not.
	own, _ := NewTensor(F32, 5, 4)
	var zero Tensor
	for _, y := range []*Tensor{own, &zero} {
		for _, n := range []int{2, 9, 1} {
			if err := m.RunInto([]*Tensor{y}, []*Tensor{ramp(n)}); err != nil {
				t.Fatal(err)
			}
			checkRamp(t, y, n)
		}
	}
	err := m.RunInto([]*Tensor{ramp(2)}, []*Tensor{ramp(3)})
	wantError(t, err, "chain: output y: the tensor given is f32[2,4], this call makes f32[3,4]")
}

// TestInPlace runs x = sqrt(4*x), which reads and writes one place, on tensors
// that are one, on tensors apart, and on one that is another input, too.
func TestInPlace(t *testing.T) {
	p := &Program{
		Name:    "step",
		Inputs:  []Port{{Name: "x", DType: F32, Dims: []Int{4}}, {Name: "w", DType: F32, Dims: []Int{1}}},
		Outputs: []Port{{Name: "y", DType: F32, Dims: []Int{4}, InPlace: 1}},
		Buffers: []Buffer{{Kind: InOutput, Size: 16}, {Kind: InInput, Index: 1, Size: 4}},
		Kernels: []Kernel{goKernel("scale", scale, 4, 0), goKernel("root", root, 4, 64)},
		Steps: []Step{
			&Launch{Kernel: 0, Bufs: []int{0, 1, 0}, Writes: []int{2}, Dims: []Int{4}},
			&Launch{Kernel: 1, Bufs: []int{0, 0}, Writes: []int{1}, Dims: []Int{4}},
		},
	}
	m := newModel(t, p, nil)
	run := func(y, x, w *Tensor) *Tensor {
		out := []*Tensor{y}
		if err := m.RunInto(out, []*Tensor{x, w}); err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	check := func(x *Tensor, want ...float32) {
		t.Helper()
		got, err := Slice[float32](x.Contiguous())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	}
	start := func() *Tensor { return MustFrom([]float32{4, 16, 36, 64}, 4) }
	w := MustFrom([]float32{4}, 1)
	x := start()
	check(run(x, x, w), 4, 8, 12, 16)
	check(run(nil, x, w), 4, 4*math.Sqrt2, 4*float32(math.Sqrt(3)), 8)
	check(x, 4, 8, 12, 16)
	wide := MustFrom([]float32{4, 0, 16, 0, 36, 0, 64, 0}, 8)
	strided, err := wide.Slice(0, 0, 8, 2)
	if err != nil {
		t.Fatal(err)
	}
	check(run(strided, strided, w), 4, 8, 12, 16)
	check(wide, 4, 0, 8, 0, 12, 0, 16, 0)
	x = start()
	first, err := x.Slice(0, 0, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	check(run(x, x, first), 4, 8, 12, 16) // all are scaled by what was there before
	for want, bad := range map[string]Port{
		"in place of input 2":                 {Name: "y", DType: F32, Dims: []Int{4}, InPlace: 3},
		"in place of input w of another type": {Name: "y", DType: F32, Dims: []Int{4}, InPlace: 2},
	} {
		q := *p
		q.Outputs = []Port{bad}
		_, err := New(&q, nil, WithLevel(LevelGeneric))
		wantError(t, err, want)
	}
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v\nwanted %s", err, want)
	}
}

func TestRunErrors(t *testing.T) {
	m := newChain(t, 0)
	for _, c := range []struct {
		in   []*Tensor
		want string
	}{
		{nil, "0 inputs given, wanted 1: x f32[N,4]"},
		{[]*Tensor{nil}, "input x: is nil, wanted f32[N,4]"},
		{[]*Tensor{MustFrom(make([]float64, 4), 1, 4)}, "input x: is f64[1,4], wanted f32[N,4]"},
		{[]*Tensor{MustFrom(make([]float32, 4), 4)}, "input x: is f32[4], wanted f32[N,4]"},
		{[]*Tensor{MustFrom(make([]float32, 6), 2, 3)}, "input x: is f32[2,3], wanted f32[N,4]"},
		{[]*Tensor{MustFrom([]float32{1, 2, -3, 4}, 1, 4)}, "chain: node node_root (kernel root): "},
	} {
		_, err := m.Run(c.in)
		wantError(t, err, c.want)
	}
	out, err := m.Run([]*Tensor{ramp(4)}) // it still works
	if err != nil {
		t.Fatal(err)
	}
	checkRamp(t, out[0], 4)
}

func TestSymbolsAgree(t *testing.T) {
	p := &Program{
		Name: "pair",
		Inputs: []Port{{Name: "a", DType: F32, Dims: []Int{^0}},
			{Name: "b", DType: F32, Dims: []Int{^0, ^1}}},
		Symbols: []Symbol{{Name: "N"}},
		Exprs:   []Expr{{Op: OpSym}, {Op: OpMul, A: 2, B: ^0}, {Op: OpMul, A: ^0, B: ^2}, {}},
		Checks:  []Check{{Rel: AtMost, A: ^0, B: 3, Text: "node q: Slice"}},
	}
	p.Exprs[2] = Expr{Op: OpConst, Const: 1 << 60}
	p.Exprs[3] = Expr{Op: OpMul, A: ^0, B: ^2}
	m := newModel(t, p, nil)
	run := func(n, r, c int) error {
		_, err := m.Run([]*Tensor{MustFrom(make([]float32, n), n), MustFrom(make([]float32, r*c), r, c)})
		return err
	}
	if err := run(2, 2, 4); err != nil {
		t.Fatal(err)
	}
	wantError(t, run(2, 3, 4), "input b: is f32[3,4], wanted f32[N,2*N] with N = 2 by input a")
	wantError(t, run(3, 3, 5), "input b: is f32[3,5], wanted f32[N,2*N] with N = 3 by input a")
	wantError(t, run(4, 4, 8), "pair: node q: Slice: N is 4, wanted <= 3")
	wantError(t, run(8, 8, 16), "does not fit 64 bits")
	if err := run(1, 1, 2); err != nil {
		t.Fatal(err)
	}
}

func TestContext(t *testing.T) {
	for _, threads := range []int{1, 3} {
		p, w := chain(2_000_000_000)
		var calls atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		kernel := &p.Kernels[0].Variants[0]
		kernel.Go = func(b []unsafe.Pointer, d []int64, lo, hi int64, s unsafe.Pointer) int32 {
			if calls.Add(1) == 3 {
				cancel()
			}
			return scale(b, d, lo, hi, s)
		}
		m := newModel(t, p, w, WithThreads(threads))
		_, err := m.RunContext(ctx, []*Tensor{ramp(10000)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, wanted %v", err, context.Canceled)
		}
		if n := calls.Load(); n > 3+int64(threads) {
			t.Errorf("%d chunks ran after the context was done", n-3)
		}
		if _, err := m.RunContext(ctx, []*Tensor{ramp(1)}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, wanted %v", err, context.Canceled)
		}
		out, err := m.Run([]*Tensor{ramp(100)})
		if err != nil {
			t.Fatal(err)
		}
		checkRamp(t, out[0], 100)
	}
}

func TestClose(t *testing.T) {
	released := 0
	m := newChain(t, 10_000_000, WithThreads(3), WithCleanup(func() { released++ }))
	if _, err := m.Run([]*Tensor{ramp(100)}); err != nil {
		t.Fatal(err)
	}
	_ = m.Close()
	_ = m.Close()
	if _, err := m.Run([]*Tensor{ramp(1)}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, wanted %v", err, ErrClosed)
	}
	if released != 1 {
		t.Errorf("cleaned up %d times, wanted once", released)
	}
}

func TestIdle(t *testing.T) {
	m := newChain(t, 10_000_000, WithThreads(2))
	if _, err := m.Run([]*Tensor{ramp(100)}); err != nil {
		t.Fatal(err)
	}
	m.calls.tick() // used since the last tick
	m.calls.tick()
	if n := len(m.calls.free); n != 0 {
		t.Errorf("%d idle states kept, wanted none", n)
	}
	if m.workers.list.Load() != nil {
		t.Errorf("idle workers kept")
	}
	out, err := m.Run([]*Tensor{ramp(100)})
	if err != nil {
		t.Fatal(err)
	}
	checkRamp(t, out[0], 100)
}

func TestNewErrors(t *testing.T) {
	p, w := chain(0)
	_, err := New(p, nil, WithLevel(LevelGeneric))
	wantError(t, err, "chain: weights have 0 bytes, wanted 4")
	_, err = New(p, w, WithThreads(-1))
	wantError(t, err, "chain: -1 threads")
	_, err = New(p, w, WithLevel("z80"))
	wantError(t, err, `chain: level "z80" (option), this machine runs `)
	t.Setenv(levelEnv, "z81")
	_, err = New(p, w)
	wantError(t, err, `chain: level "z81" (TCC_CPU), this machine runs `)
	p.Steps = append(p.Steps, &Launch{Kernel: 7}, &Copy{Dst: 9}, &Verify{}, &Bind{})
	p.Exprs[0].Op = 99
	_, err = New(p, w, WithLevel(LevelGeneric))
	for _, want := range []string{"expr 0: operation 99", "launch: kernel: index 7 of 2",
		"copy: to: index 9 of 4", "verify: check: index 0 of 0", "symbol N is read from an input"} {
		wantError(t, err, want)
	}
}

// TestCollected lets a model go without Close: its cleanup runs.
func TestCollected(t *testing.T) {
	done := make(chan bool)
	func() {
		p, w := chain(10_000_000)
		m, err := New(p, w, WithLevel(LevelGeneric), WithThreads(2), WithCleanup(func() { close(done) }))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Run([]*Tensor{ramp(100)}); err != nil {
			t.Fatal(err)
		}
	}()
	for range 50 {
		goGC()
		select {
		case <-done:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("not cleaned up")
}

func BenchmarkRunTiny(b *testing.B) {
	m := newChain(b, 0)
	in, out := []*Tensor{ramp(1)}, []*Tensor{ramp(1)}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.RunInto(out, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRunSplit(b *testing.B) {
	m := newChain(b, 1_000_000, WithThreads(2))
	in, out := []*Tensor{ramp(100_000)}, []*Tensor{ramp(100_000)}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.RunInto(out, in); err != nil {
			b.Fatal(err)
		}
	}
}
