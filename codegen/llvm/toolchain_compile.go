package llvm

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// This file runs LLVM over modules.

// Module is the text of an LLVM IR module and the kernels that it defines. Several kernels in one
// module save the start of processes; each becomes a Func of its own all the same.
type Module struct {
	Name    string // for errors
	Text    string
	Kernels []string // names of external functions
	// Hoist is whether constants are loaded once before loops: kernels that keep much in registers
	// have none left for them.
	Hoist bool
}

// Func is the machine code of one kernel: position-independent, without relocations, its constants
// behind its code. It starts with the kernel's first instruction and is to lie at a multiple of 64.
type Func struct {
	Name  string
	Code  []byte
	Stack int // bytes of stack that it uses

	crowded bool // has constants of other kernels of its module
}

// CompileStats says where a compilation's time went, summed over processes that ran at once.
type CompileStats struct {
	Opt, LLC time.Duration
	Modules  int
}

// defaultPasses are what opt runs: kernels are written as explicit vector code with its loops where
// they belong, so that clean-up is what is wanted, and no vectorizer or unroller.
const defaultPasses = "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>," +
	"loop-mssa(loop-rotate,licm),simplifycfg,gvn,instcombine<no-verify-fixpoint>,dse,adce," +
	"simplifycfg)"

// Compile makes machine code of modules: opt, llc, then each kernel is cut out of the object with
// the constants that it uses. The order of the result is that of the kernels in the modules.
// Passes is an opt pipeline; "" is the default one.
func (tc *Toolchain) Compile(ctx context.Context, mods []Module, t Target, passes string) (
	[]Func, CompileStats, error) {
	return tc.compileAll(ctx, mods, t, passes, func(int) {})
}

// compileAll is Compile that calls progress with the number of kernels done.
func (tc *Toolchain) compileAll(ctx context.Context, mods []Module, t Target, passes string,
	progress func(done int)) ([]Func, CompileStats, error) {

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if passes == "" {
		passes = defaultPasses
	}
	type result struct {
		funcs []Func
		stats CompileStats
		err   error
	}
	results := make([]result, len(mods))
	var mu sync.Mutex // of done, and one call of progress at a time
	done := 0
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range mods {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			r := &results[i]
			if r.err = ctx.Err(); r.err != nil {
				return
			}
			r.funcs, r.stats, r.err = tc.compile(ctx, &mods[i], t, passes)
			if r.err != nil {
				cancel()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			done += len(mods[i].Kernels)
			progress(done)
		})
	}
	wg.Wait()
	var funcs []Func
	var stats CompileStats
	var first error
	for i := range results {
		r := &results[i]
		if r.err != nil && (first == nil || first == context.Canceled) {
			first = r.err
		}
		funcs = append(funcs, r.funcs...)
		stats.Opt += r.stats.Opt
		stats.LLC += r.stats.LLC
		stats.Modules++
	}
	if first != nil {
		return nil, stats, first
	}
	return funcs, stats, nil
}

// compile compiles one module. Data goes through pipes: there are no files to clean up.
func (tc *Toolchain) compile(ctx context.Context, m *Module, t Target, passes string) (
	[]Func, CompileStats, error) {

	var stats CompileStats
	fail := func(err error) ([]Func, CompileStats, error) {
		if ctx.Err() != nil {
			return nil, stats, ctx.Err()
		}
		return nil, stats, fmt.Errorf("llvm: module %s: %s: %w", m.Name, t.Level, err)
	}
	target := targetFlags(t)
	start := time.Now()
	bitcode, err := runTool(ctx, tc.Opt, []byte(m.Text),
		append([]string{"-passes=" + passes, "-o", "-", "-"}, target...)...)
	stats.Opt = time.Since(start)
	if err != nil {
		return fail(err)
	}
	start = time.Now()
	object, err := runTool(ctx, tc.LLC, bitcode, append(llcFlags(t, m.Hoist), target...)...)
	stats.LLC = time.Since(start)
	if err != nil {
		return fail(err)
	}
	funcs, err := cut(object, m.Kernels)
	if err != nil {
		return fail(err)
	}
	return funcs, stats, nil
}

func targetFlags(t Target) []string {
	f := []string{"-mtriple=" + t.Triple, "-mcpu=" + t.CPU}
	if t.Features != "" {
		f = append(f, "-mattr="+t.Features)
	}
	return f
}

func llcFlags(t Target, hoist bool) []string {
	f := []string{"-O3", "-filetype=obj", "-relocation-model=pic", "-function-sections",
		"-data-sections", "-stack-size-section", "-save-temp-labels", "-o", "-", "-"}
	if strings.HasPrefix(t.Triple, "x86_64") && !hoist {
		// It hoists the constants of an epilogue out of the loops around it, which costs the
		// accumulators of the inner loop their registers; operands in memory cost nothing.
		f = append(f, "-disable-machine-licm")
	}
	if strings.HasPrefix(t.Triple, "aarch64") {
		// ADR rather than ADRP: code in Go's text has no alignment to 4 KiB.
		f = append(f, "-code-model=tiny")
	}
	return f
}
