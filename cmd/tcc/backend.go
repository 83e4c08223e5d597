package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/passes"
	"github.com/tensorcc/tcc/runtime"
)

// runner executes a graph.
type runner interface {
	Run(ctx context.Context, in []*runtime.Tensor) ([]*runtime.Tensor, error)
	Close() error
}

// backend makes runners.
type backend func(ctx context.Context, g *ir.Graph, o backendOptions) (runner, error)

// backends has those that -backend names. They agree on every graph, within
// tolerance; which is used is never decided silently.
var backends = map[string]backend{
	"native":  newNative,
	"interp":  newInterp,
	"kernels": newTrees,
}

// backendOptions are what the flags of several commands set.
type backendOptions struct {
	threads int
	passes  passes.Options
	quiet   bool
	stats   *codegen.Stats
	// tuning, if not nil, was read from tuneFile.
	tuning   *codegen.Tuning
	tuneFile string
	// precision is that of products of f32; emulate lets levels run here that
	// this machine has not.
	precision schedule.Precision
	emulate   bool
	inPlace   [][2]int // results that take the memory of parameters
}

// parseBackend reads -backend, or one name of it.
func parseBackend(name string) (backend, error) {
	b, ok := backends[name]
	if !ok {
		return nil, usage("-backend %s: wanted native, interp or kernels", name)
	}
	return b, nil
}

// interpRunner is the reference interpreter.
type interpRunner struct{ g *ir.Graph }

func newInterp(_ context.Context, g *ir.Graph, _ backendOptions) (runner, error) {
	return interpRunner{g}, nil
}

func (r interpRunner) Run(ctx context.Context, in []*runtime.Tensor) ([]*runtime.Tensor, error) {
	args := make([]*interp.Tensor, len(in))
	for i, t := range in {
		a, err := toInterp(t)
		if err != nil {
			return nil, err
		}
		args[i] = a
	}
	res, err := (&interp.Config{}).Run(ctx, r.g, args)
	if err != nil {
		return nil, err
	}
	out := make([]*runtime.Tensor, len(res))
	for i, t := range res {
		if out[i], err = fromBytes(t.DType, t.Shape, t.Data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r interpRunner) Close() error { return nil }

// modelRunner is a compiled model in this process.
type modelRunner struct{ *runtime.Model }

func (r modelRunner) Run(ctx context.Context, in []*runtime.Tensor) ([]*runtime.Tensor, error) {
	return r.RunContext(ctx, in)
}

func newNative(ctx context.Context, g *ir.Graph, o backendOptions) (runner, error) {
	return compileAndLoad(ctx, g, o, nativeLevel())
}

// nativeLevel is the best level of this machine, or the one that TCC_CPU names.
func nativeLevel() string { return cmp.Or(os.Getenv("TCC_CPU"), runtime.Levels()[0]) }

// newTrees executes the scheduled kernels as trees, without code generation.
func newTrees(ctx context.Context, g *ir.Graph, o backendOptions) (runner, error) {
	return compileAndLoad(ctx, g, o, runtime.LevelGeneric)
}

func compileAndLoad(ctx context.Context, g *ir.Graph, o backendOptions,
	level string) (runner, error) {
	a, err := compile(ctx, g, o, level)
	if err != nil {
		return nil, err
	}
	m, err := a.Load(runtime.WithThreads(o.threads), runtime.WithLevel(a.Levels[0].Runs()))
	if err != nil {
		return nil, err
	}
	return modelRunner{m}, nil
}

// compile runs the compiler with a progress bar on a terminal, for what takes
// more than a second.
func compile(ctx context.Context, g *ir.Graph, o backendOptions,
	levels ...string) (*codegen.Artifact, error) {
	opts := codegen.Options{Levels: levels, Passes: o.passes, Tuning: o.tuning,
		Precision: o.precision, Emulate: o.emulate, InPlace: o.inPlace}
	if !o.quiet && term.IsTerminal(int(os.Stderr.Fd())) {
		opts.Progress = progress("compiling " + g.Name)
	}
	a, err := codegen.Compile(ctx, g, opts)
	if err != nil {
		return nil, err
	}
	if o.tuning != nil && !o.quiet {
		sayTuning(o.tuneFile, &a.Stats)
	}
	if o.stats != nil {
		*o.stats = a.Stats
	}
	return a, nil
}

// progress returns a function that draws a bar once a second has passed.
func progress(what string) func(done, total int) {
	start := time.Now()
	var bar *progressbar.ProgressBar
	return func(done, total int) {
		if bar == nil && time.Since(start) > time.Second {
			bar = progressbar.NewOptions(total, progressbar.OptionSetDescription(what),
				progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish())
		}
		if bar != nil {
			if err := bar.Set(done); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}
}
