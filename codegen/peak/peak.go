// Package peak measures what a machine can do at best: multiply-adds in a second at each CPU
// level, bytes of memory, and how far its cores are apart. What kernels reach is compared with it.
//
// The kernels are trees of codegen/kernel, compiled and run as every other, but with nothing in
// them that could wait: independent accumulators in registers, and loops over memory in order.
package peak

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"time"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/llvm/jit"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// Compute is the largest rate of multiply-adds found, each counted as two operations.
type Compute struct {
	Level   string  `json:"level"`
	DType   string  `json:"dtype"`
	Threads int     `json:"threads"`
	FLOPS   float64 `json:"flops"` // a second
}

// Memory is the largest rate of memory found. Read sums an array, copy is y = x, triad
// y = b + s*c; bytes are those read and written by the program, as STREAM counts them.
type Memory struct {
	Kind    string  `json:"kind"` // read, copy or triad
	Threads int     `json:"threads"`
	Bytes   float64 `json:"bytes"` // a second
}

// Peaks is what was measured.
type Peaks struct {
	Compute []Compute `json:"compute"`
	Memory  []Memory  `json:"memory"`
	// Handover is the seconds after which a core sees what another has written, 0 where one
	// thread was asked for.
	Handover float64 `json:"handover"`
}

// Options say what Measure measures.
type Options struct {
	Levels  []string // none: all native ones of this machine
	Threads []int    // none: 1 and GOMAXPROCS
	// Time is how long each kernel runs; 0 is a fifth of a second. The best run counts.
	Time time.Duration
	// Progress is called as work goes on; done of total kernels are measured.
	Progress func(done, total int)
}

// Measure measures this machine. It needs LLVM, and a quarter of a GiB of memory.
func Measure(ctx context.Context, o Options) (*Peaks, error) {
	o = o.defaults()
	if len(o.Levels) == 0 {
		return nil, fmt.Errorf("peaks: none of %v is a level of machine code", runtime.Levels())
	}
	p := &Peaks{}
	types := []ir.DType{ir.F32, ir.F64}
	done, total := 0, len(o.Threads)*(len(o.Levels)*len(types)+len(memoryKinds))
	step := func() {
		if done++; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	for _, level := range o.Levels {
		for _, d := range types {
			for _, n := range o.Threads {
				tr, err := fmaTrial(schedule.Targets[level], d, int64(64*n))
				rate, err := tr.rate(ctx, err, level, n, o.Time)
				if err != nil {
					return nil, err
				}
				p.Compute = append(p.Compute, Compute{level, d.String(), n, rate})
				step()
			}
		}
	}
	for i, m := range memoryKinds {
		for _, n := range o.Threads {
			tr, err := memoryTrial(schedule.Targets[o.Levels[0]], i)
			rate, err := tr.rate(ctx, err, o.Levels[0], n, o.Time)
			if err != nil {
				return nil, err
			}
			p.Memory = append(p.Memory, Memory{m.name, n, rate})
			step()
		}
	}
	if slices.Max(o.Threads) > 1 {
		p.Handover = handover()
	}
	return p, nil
}

func (o Options) defaults() Options {
	if len(o.Levels) == 0 {
		for _, l := range runtime.Levels() {
			if _, ok := llvm.TargetOf(l); ok {
				o.Levels = append(o.Levels, l)
			}
		}
	}
	if len(o.Threads) == 0 {
		o.Threads = slices.Compact([]int{1, goruntime.GOMAXPROCS(0)})
	}
	if o.Time == 0 {
		o.Time = time.Second / 5
	}
	return o
}

// FLOPS returns the peak of a level for elements of type d, 0 where it was not measured. Types
// other than f64 are computed in f32.
func (p *Peaks) FLOPS(level string, d ir.DType, threads int) float64 {
	if d != ir.F64 {
		d = ir.F32
	}
	for _, c := range p.Compute {
		if c.Level == level && c.DType == d.String() && c.Threads == threads {
			return c.FLOPS
		}
	}
	return 0
}

// Bandwidth returns the largest rate of any kind, 0 where none was measured.
func (p *Peaks) Bandwidth(threads int) float64 {
	best := 0.0
	for _, m := range p.Memory {
		if m.Threads == threads {
			best = max(best, m.Bytes)
		}
	}
	return best
}

// rate returns the work a second of the best run in about d, or err if there is one.
func (tr *trial) rate(ctx context.Context, err error, level string, threads int,
	d time.Duration) (float64, error) {
	if err != nil {
		return 0, fmt.Errorf("BUG: peaks: %w", err)
	}
	f, err := jit.Compile(ctx, tr.kernel, level, tr.dims, runtime.WithThreads(threads))
	if err != nil {
		return 0, fmt.Errorf("peaks: %s: %w", tr.kernel.Name, err)
	}
	defer f.Close()
	bufs, err := tr.buffers()
	if err != nil {
		return 0, err
	}
	if err := f.Run(bufs); err != nil {
		return 0, err
	}
	best := time.Duration(1<<63 - 1)
	for begin := time.Now(); time.Since(begin) < d && ctx.Err() == nil; {
		start := time.Now()
		if err := f.Run(bufs); err != nil {
			return 0, err
		}
		best = min(best, time.Since(start))
	}
	return tr.work / best.Seconds(), ctx.Err()
}

// buffers makes the memory of the parameters. Every page is written, or all of them would be one
// page of zeros.
func (tr *trial) buffers() ([][]byte, error) {
	env := map[string]int64{}
	for i, d := range tr.kernel.Dims {
		env[d] = tr.dims[i]
	}
	out := make([][]byte, len(tr.kernel.Params))
	for i, b := range tr.kernel.Params {
		n, err := b.Size.Eval(env)
		if err != nil {
			return nil, fmt.Errorf("BUG: peaks: %w", err)
		}
		out[i] = make([]byte, n*int64(b.DType.Size()))
		fill(out[i], b, i)
	}
	return out, nil
}

// fill writes numbers from 1/8 to 1/2, which no kernel here makes large, tiny or NaN.
func fill(mem []byte, b *kernel.Buffer, param int) {
	size := b.DType.Size()
	for e := 0; e*size < len(mem); e++ {
		high := byte(0x3e) // of a float32: 1/8 to 1/2
		if b.DType == ir.F64 {
			high = 0x3f
		}
		at := mem[e*size : (e+1)*size]
		at[size-1] = high
		at[size-2] = byte(e+param) & 0x7f
		if b.DType == ir.F64 {
			at[size-2] = 0xc0 | byte(e+param)&0xf
		}
	}
}
