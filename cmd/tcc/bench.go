package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/runtime"
)

const benchDescription = "" +
	`Inputs that are not given are random (integers 0 or 1); dynamic extents are 1 unless -dim says
otherwise; extents without a name are INPUT.AXIS.

With -peaks it measures the machine instead: multiply-adds in a second at each CPU level,
and bytes of memory read, copied, and in a triad, on one thread and on all (-threads); and
after what time a core sees what another has written.

With -profile it measures each kernel: time, operations, bytes, and their share of the peak
and of the bandwidth, which are measured first; and the nodes that are in it. Operations on
integers count like those on floating-point numbers, elementary functions by their arithmetic.
Bytes are those that must move if every launch finds nothing in a cache: a share of the
bandwidth above 100 % says that it does.

Compile is what it took this time; TCC_CACHE=off shows what it takes without the cache.

Examples: tcc bench yolox.onnx -threads 1 -json
          tcc bench yolox.onnx -threads 1 -profile
          tcc bench -peaks`

func benchCommand() *cli.Command {
	return command(&cli.Command{
		Name:        "bench",
		Usage:       "measure latency and cost of a model",
		ArgsUsage:   "MODEL | -peaks",
		Description: benchDescription,
		Flags: append(append(inputFlags(),
			dimFlag(), backendFlag("native"), threadsFlag(), precisionFlag(),
			&cli.DurationFlag{Name: "time", Value: time.Second, Usage: "measure for about this long"},
			&cli.BoolFlag{Name: "profile", Usage: "measure each kernel, and the machine's peaks beside it"},
			&cli.BoolFlag{Name: "peaks", Usage: "measure the machine"},
			untunedFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object, times in seconds"}),
			compileFlags()...),
	}, 0, 1, bench)
}

// benchResult has the keys that -json promises.
type benchResult struct {
	Median      float64 `json:"median"`
	Min         float64 `json:"min"`
	P99         float64 `json:"p99"`
	Runs        int     `json:"runs"`
	Load        float64 `json:"load"`    // from compiled form to ready
	Compile     float64 `json:"compile"` // tcc's and LLVM's time
	KernelCount int     `json:"kernel_count"`
	Cached      int     `json:"cached"` // kernels that came from the compile cache
	CodeBytes   int64   `json:"code_bytes"`
	WeightBytes int64   `json:"weight_bytes"`
	ArenaBytes  int64   `json:"arena_bytes"`
	Allocs      float64 `json:"allocs"` // of RunInto, a run
	Threads     int     `json:"threads"`
	Level       string  `json:"level"`
	// With -profile: the kernels by cost, and what this machine does at best.
	Kernels   []kernelCost `json:"kernels,omitempty"`
	PeakFLOPS float64      `json:"peak_flops,omitempty"` // f32, a second
	Bandwidth float64      `json:"bandwidth,omitempty"`  // bytes a second
	Handover  float64      `json:"handover,omitempty"`   // see peak.Peaks
}

func bench(ctx context.Context, c *cli.Command) error {
	if c.Bool("peaks") {
		return benchPeaks(ctx, c)
	}
	if !c.Args().Present() {
		return usage("bench: 0 arguments, wanted MODEL or -peaks: see tcc help bench")
	}
	newRunner, err := parseBackend(c.String("backend"))
	switch {
	case err != nil:
		return err
	case c.Bool("profile") && c.String("backend") != "native":
		return usage("-profile measures machine code: -backend is %s", c.String("backend"))
	}
	m, in, o, err := loadWithInputs(c, 1)
	if err != nil {
		return err
	}
	defer m.close()
	var res benchResult
	if name := c.String("backend"); name == "native" {
		err = benchNative(ctx, m, in, o, c.Duration("time"), c.Bool("profile"), &res)
	} else {
		res.Threads, res.Level = 1, name
		err = benchRunner(ctx, newRunner, m, in, o, c.Duration("time"), &res)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(res)
	}
	res.print()
	return nil
}

func (r *benchResult) print() {
	ms := func(s float64) string { return fmt.Sprintf("%.4g ms", 1e3*s) }
	fmt.Printf("median %s, min %s, p99 %s of %d runs, %d threads, %s\n",
		ms(r.Median), ms(r.Min), ms(r.P99), r.Runs, r.Threads, r.Level)
	fmt.Printf("load %s, compile %s (%d of %d kernels from the cache), ",
		ms(r.Load), ms(r.Compile), r.Cached, r.KernelCount)
	fmt.Printf("code %d bytes, weights %d bytes, arena %d bytes, %g allocations a run\n",
		r.CodeBytes, r.WeightBytes, r.ArenaBytes, r.Allocs)
	printKernels(r)
}

func benchNative(ctx context.Context, m *model, in []*runtime.Tensor, o backendOptions,
	d time.Duration, profile bool, res *benchResult) error {
	var stats codegen.Stats
	o.stats = &stats
	a, err := compile(ctx, m.graph, o, nativeLevel())
	if err != nil {
		return err
	}
	start := time.Now()
	weights := a.Weights()
	res.Compile = stats.Passes + stats.Plan + stats.Schedule + stats.LLVM + time.Since(start).Seconds()
	res.KernelCount, res.Cached = stats.Kernels, stats.Cached
	res.CodeBytes, res.WeightBytes = stats.CodeBytes, stats.WeightBytes
	start = time.Now()
	opts := []runtime.Option{runtime.WithThreads(o.threads), runtime.WithLevel(a.Levels[0].Runs())}
	if profile {
		opts = append(opts, runtime.WithProfile())
	}
	model, err := a.LoadWith(weights, opts...)
	if err != nil {
		return err
	}
	defer model.Close()
	res.Load = time.Since(start).Seconds()
	res.Threads, res.Level = model.Threads(), model.Level()
	out := make([]*runtime.Tensor, len(m.graph.Results))
	runs := 0.0
	one := func() error { runs++; return model.RunInto(out, in) }
	if err := measure(ctx, one, d, res); err != nil {
		return err
	}
	res.ArenaBytes = model.WorkingBytes()
	if profile {
		if err := res.kernels(ctx, a, model, runs); err != nil {
			return err
		}
	}
	res.Allocs = testing.AllocsPerRun(5, func() {
		if e := one(); e != nil {
			err = e
		}
	})
	return err
}

func benchRunner(ctx context.Context, newRunner backend, m *model, in []*runtime.Tensor,
	o backendOptions, d time.Duration, res *benchResult) error {
	start := time.Now()
	r, err := newRunner(ctx, m.graph, o)
	if err != nil {
		return err
	}
	defer r.Close()
	res.Load = time.Since(start).Seconds()
	return measure(ctx, func() error { _, err := r.Run(ctx, in); return err }, d, res)
}

// measure runs f for about d, after a warm-up of a tenth of that.
func measure(ctx context.Context, f func() error, d time.Duration, res *benchResult) error {
	const fewest = 3
	var times []float64
	begin := time.Now()
	for warm := true; warm || len(times) < fewest || time.Since(begin) < d; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		start := time.Now()
		if err := f(); err != nil {
			return err
		}
		if warm {
			if time.Since(begin) > d/10 {
				warm, begin = false, time.Now()
			}
			continue
		}
		times = append(times, time.Since(start).Seconds())
	}
	slices.Sort(times)
	n := len(times)
	res.Runs, res.Min, res.Median, res.P99 = n, times[0], times[n/2], times[min(n-1, n*99/100)]
	return nil
}
