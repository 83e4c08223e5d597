// Package jit compiles one kernel and calls it in this process: for tests of
// the back end and tools that measure kernels. Programs go through codegen.
package jit

import (
	"context"
	"errors"
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/runtime"
)

// Func is a compiled kernel for given dims.
type Func struct {
	model  *runtime.Model
	params []*kernel.Buffer
	bytes  []int64
	// Code is the machine code.
	Code []byte
}

// Compile compiles k for a level of this machine and the values dims of its
// integer parameters. The tools are found as codegen/llvm finds them. It runs on one thread unless
// opts say otherwise.
func Compile(ctx context.Context, k *kernel.Kernel, level string, dims []int64,
	opts ...runtime.Option) (*Func, error) {
	target, ok := llvm.TargetOf(level)
	if !ok {
		return nil, fmt.Errorf("jit: level %s: not one that LLVM compiles for", level)
	}
	return CompileFor(ctx, k, target, dims, opts...)
}

// CompileFor is Compile for a target, whose level this machine has.
func CompileFor(ctx context.Context, k *kernel.Kernel, target llvm.Target, dims []int64,
	opts ...runtime.Option) (*Func, error) {

	tools, err := llvm.Find()
	if err != nil {
		return nil, err
	}
	b := llvm.NewBatch(target)
	if err := b.Add(k); err != nil {
		return nil, err
	}
	funcs, _, err := tools.Compile(ctx, []llvm.Module{b.Module(k.Name)}, target, "")
	if err != nil {
		return nil, err
	}
	return load(k, target.Level, dims, funcs[0].Code, opts)
}

func load(k *kernel.Kernel, level string, dims []int64, code []byte, opts []runtime.Option) (*Func,
	error) {
	env := map[string]int64{}
	for i, name := range k.Dims {
		env[name] = dims[i]
	}
	need, err := llvm.Scratch(k)
	if err != nil {
		return nil, err
	}
	scratch, err := need.Eval(env)
	if err != nil {
		return nil, err
	}
	tasks, err := kernel.Tasks(k).Eval(env)
	if err != nil {
		return nil, err
	}
	ahead, err := kernel.TasksAhead(k).Eval(env)
	if err != nil {
		return nil, err
	}
	common, err := kernel.CommonSize(k).Eval(env)
	if err != nil {
		return nil, err
	}
	base, release, err := runtime.MapCode(code)
	if err != nil {
		return nil, err
	}
	f := &Func{params: k.Params, Code: code}
	p := &runtime.Program{Name: k.Name, Kernels: []runtime.Kernel{{Name: k.Name,
		Variants: []runtime.Variant{{Level: level, Code: base, Tasks: runtime.Int(tasks),
			Scratch: runtime.Int(scratch), Common: runtime.Int(common), Ahead: runtime.Int(ahead)}}}}}
	const worth = 1e9 // the cost, so that every launch is split over the threads
	launch := &runtime.Launch{Cost: worth}
	for _, d := range dims {
		launch.Dims = append(launch.Dims, runtime.Int(d))
	}
	for i, b := range k.Params {
		size, err := b.Size.Eval(env)
		if err != nil {
			return nil, errors.Join(err, release())
		}
		f.bytes = append(f.bytes, size*int64(b.DType.Size()))
		f.param(p, launch, i)
	}
	p.Steps = append(p.Steps, launch)
	opts = append([]runtime.Option{runtime.WithLevel(level), runtime.WithThreads(1),
		runtime.WithCleanup(func() { _ = release() })}, opts...)
	f.model, err = runtime.New(p, nil, opts...)
	return f, err
}

// param adds parameter i to the program: an input, or an output, which starts
// as a copy of an input if it is read too.
func (f *Func) param(p *runtime.Program, launch *runtime.Launch, i int) {
	b, n := f.params[i], runtime.Int(f.bytes[i])
	port := runtime.Port{Name: b.Name, DType: runtime.U8, Dims: []runtime.Int{n}}
	in := -1
	if b.In || !b.Out {
		p.Buffers = append(p.Buffers, runtime.Buffer{Kind: runtime.InInput, Index: len(p.Inputs),
			Size: n})
		p.Inputs = append(p.Inputs, port)
		in = len(p.Buffers) - 1
	}
	if !b.Out {
		launch.Bufs = append(launch.Bufs, in)
		return
	}
	p.Buffers = append(p.Buffers, runtime.Buffer{Kind: runtime.InOutput, Index: len(p.Outputs),
		Size: n})
	p.Outputs = append(p.Outputs, port)
	out := len(p.Buffers) - 1
	if in >= 0 {
		p.Steps = append(p.Steps, &runtime.Copy{Dst: out, Src: in, Size: n})
	}
	launch.Writes = append(launch.Writes, len(launch.Bufs))
	launch.Bufs = append(launch.Bufs, out)
}

// Run calls the kernel: bufs are the memory of its parameters, in order, of
// which it writes those that are outputs. A status other than 0 is a
// *runtime.KernelError.
func (f *Func) Run(bufs [][]byte) error {
	var in, out []*runtime.Tensor
	for i, b := range f.params {
		if int64(len(bufs[i])) < f.bytes[i] {
			return fmt.Errorf("jit: buffer %s has %d bytes, want %d", b.Name, len(bufs[i]), f.bytes[i])
		}
		t := runtime.MustFrom(bufs[i][:f.bytes[i]], int(f.bytes[i]))
		if b.Out && b.In {
			in = append(in, runtime.MustFrom(append([]byte(nil), bufs[i]...), int(f.bytes[i])))
		} else if !b.Out {
			in = append(in, t)
		}
		if b.Out {
			out = append(out, t)
		}
	}
	return f.model.RunInto(out, in)
}

// Close frees the code.
func (f *Func) Close() error { return f.model.Close() }
