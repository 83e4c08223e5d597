package codegen

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/codegen/plan"
	"github.com/tensorcc/tcc/codegen/purego"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
	"github.com/tensorcc/tcc/runtime"
)

// Options say how Compile works.
type Options struct {
	Levels []string // CPU levels, see Levels; none: this machine's best
	Passes passes.Options
	// Tuning, if not nil, has choices for kernels of this graph.
	Tuning *Tuning
	// Precision of products of f32; cheaper ones than the highest are asked for.
	Precision schedule.Precision
	// InPlace has pairs of a result and a parameter of one type: results that take the parameter's
	// memory, where the order of what is computed allows it.
	InPlace [][2]int
	// Emulate makes code for this machine of the levels that it has not, with
	// their instructions computed by others: for tests of such levels.
	Emulate bool
	// Progress is called as work goes on; done of total kernels are compiled.
	Progress func(done, total int)

	store func() (*cache.Store, error) // nil: cache.Default
}

// Compile runs the passes over g and compiles the result for the levels. Where there is no LLVM,
// what the cache has is enough; an error is llvm.ErrNotFound where it does not have all.
func Compile(ctx context.Context, g *ir.Graph, o Options) (*Artifact, error) {
	a, err := prepare(g, o)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := a.compile(ctx, o); err != nil {
		return nil, err
	}
	a.Stats.LLVM = time.Since(start).Seconds()
	return a, nil
}

// prepare does all but machine code.
func prepare(g *ir.Graph, o Options) (*Artifact, error) {
	a := &Artifact{}
	start := time.Now()
	lap := func(into *float64) {
		*into = time.Since(start).Seconds()
		start = time.Now()
	}
	if o.Tuning != nil && o.Tuning.Members > 0 {
		o.Passes.Members = o.Tuning.Members
	}
	fused, err := passes.Run(g, o.Passes)
	if err != nil {
		return nil, err
	}
	names := passes.Names()
	if s := o.Passes.StopAfter; s != "" && slices.Index(names, s) < slices.Index(names, "fuse") {
		return nil, fmt.Errorf("stopped after pass %s: code generation needs those up to fuse", s)
	}
	lap(&a.Stats.Passes)
	a.Graph = fused
	if a.Plan, err = plan.Make(fused, passes.PlanMemory(fused), o.InPlace); err != nil {
		return nil, err
	}
	lap(&a.Stats.Plan)
	levels := o.Levels
	if len(levels) == 0 {
		levels = runtime.Levels()[:1]
	}
	for _, name := range levels {
		l, err := a.schedule(name, o)
		if err != nil {
			return nil, err
		}
		a.Levels = append(a.Levels, l)
	}
	a.share()
	a.countTuned(o.Tuning)
	lap(&a.Stats.Schedule)
	a.Stats.WeightBytes = a.Plan.Program.WeightBytes
	return a, nil
}

// schedule makes the trees of one level.
func (a *Artifact) schedule(level string, o Options) (*Level, error) {
	t, ok := schedule.Targets[level]
	if !ok {
		return nil, fmt.Errorf("level %s is not known; levels are %v", level, Levels())
	}
	t.Precision, t.Eager = o.Precision, o.Emulate
	target, err := o.target(level)
	if err != nil {
		return nil, err
	}
	s, err := o.schedules(target)
	if err != nil {
		return nil, err
	}
	l := &Level{Name: level, Target: target, Kernels: make([]Kernel, len(a.Plan.Trees))}
	if err := s.all(l.Kernels, a.Plan.Trees, t, o.Tuning); err != nil {
		return nil, fmt.Errorf("level %s: %w", level, err)
	}
	for i := range l.Kernels {
		k := &l.Kernels[i]
		if k.Tasks, err = a.Plan.Tasks(i, tasks(a.Plan.Trees[i], k.Tree)); err != nil {
			return nil, err
		}
		if k.Scratch, err = a.Plan.KernelInt(i, scratch(k.Tree, level)); err != nil {
			return nil, err
		}
		if k.Common, err = a.Plan.KernelInt(i, common(k.Tree, level)); err != nil {
			return nil, err
		}
		if k.Ahead, err = a.Plan.Tasks(i, kernel.TasksAhead(k.Tree)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// share marks the kernels whose trees are those of the level's base.
func (a *Artifact) share() {
	for _, l := range a.Levels {
		base := a.base(l)
		if base == nil {
			continue
		}
		for j := range l.Kernels {
			l.Kernels[j].Same = l.Kernels[j].sched.text == base.Kernels[j].sched.text
		}
	}
}

// base is the level of a, nil if there is none, that l adds instructions to.
func (a *Artifact) base(l *Level) *Level {
	for name := schedule.Targets[l.Name].Base; name != ""; name = schedule.Targets[name].Base {
		i := slices.IndexFunc(a.Levels, func(b *Level) bool { return b.Name == name })
		if i >= 0 {
			return a.Levels[i]
		}
	}
	return nil
}

// target is what code of a level is made for.
func (o *Options) target(level string) (llvm.Target, error) {
	t, _ := llvm.TargetOf(level)
	machine := runtime.Levels()
	if !o.Emulate || level == runtime.LevelGeneric || slices.Contains(machine, level) {
		return t, nil
	}
	best, ok := llvm.TargetOf(machine[0])
	if !ok {
		return t, fmt.Errorf("level %s cannot be emulated: this machine runs %v", level, machine)
	}
	return best.Emulate(level), nil
}

// tasks is the number of tasks of the tree made of the naive one, 0 where it has
// nothing to do: its loops can be long all the same, over a large extent beside
// an empty one.
func tasks(naive, tree *kernel.Kernel) ir.Dim {
	n, work := kernel.Tasks(tree), effects(naive, naive.Body)
	if work.Static() {
		return n
	}
	return n.Mul(work.Min(ir.Const(1)))
}

// effects counts the stores to parameters and the checks that body makes.
func effects(k *kernel.Kernel, body []kernel.Stmt) ir.Dim {
	sum := ir.Const(0)
	for _, s := range body {
		switch s := s.(type) {
		case *kernel.Loop:
			sum = sum.Add(effects(k, s.Body).Mul(s.Extent))
		case *kernel.If:
			sum = sum.Add(effects(k, s.Then)).Add(effects(k, s.Else))
		case *kernel.Store:
			if b, _ := s.Buf.Root(); slices.Contains(k.Params, b) {
				sum = sum.AddConst(1)
			}
		case *kernel.Fail:
			sum = sum.AddConst(1)
		}
	}
	return sum
}

func scratch(k *kernel.Kernel, level string) ir.Dim {
	if level == runtime.LevelGeneric {
		return purego.Scratch(k)
	}
	n, err := llvm.Scratch(k)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return n
}

func common(k *kernel.Kernel, level string) ir.Dim {
	if level == runtime.LevelGeneric {
		return purego.Common(k)
	}
	return kernel.CommonSize(k)
}

// compile has LLVM make code of the kernels of all native levels.
func (a *Artifact) compile(ctx context.Context, o Options) error {
	store, err := o.cache()
	if err != nil {
		return err
	}
	if err := a.compileNative(ctx, store, o.Progress); err != nil {
		return err
	}
	for _, l := range a.Levels {
		for i := range l.Kernels {
			l.Kernels[i].sched.keep(store)
		}
	}
	return nil
}

func (a *Artifact) compileNative(ctx context.Context, store *cache.Store,
	progress func(done, total int)) error {

	native := slices.DeleteFunc(slices.Clone(a.Levels), func(l *Level) bool { return l.Name == runtime.LevelGeneric })
	if len(native) == 0 {
		return nil
	}
	tc, err := llvm.Available(store)
	if err != nil {
		return err
	}
	done, total := 0, len(native)*len(a.Plan.Trees)
	for _, l := range native {
		var own []*Kernel
		var trees []*kernel.Kernel
		var sums []cache.Key
		for i := range l.Kernels {
			if k := &l.Kernels[i]; !k.Same {
				own, trees = append(own, k), append(trees, mathfn.Kernel(k.Tree, l.Target.Native))
				sums = append(sums, k.sched.ir)
			}
		}
		o := llvm.KernelOptions{Store: store, Sums: sums, Progress: func(n int) {
			if progress != nil {
				progress(done+n, total)
			}
		}}
		funcs, cached, err := tc.Kernels(ctx, trees, l.Target, o)
		if err != nil {
			return err
		}
		for i := range funcs {
			own[i].Code, own[i].sched.ir = &funcs[i], sums[i]
			a.Stats.CodeBytes += int64(len(funcs[i].Code))
		}
		done += len(l.Kernels)
		a.Stats.Cached += cached
		a.Stats.Kernels += len(own)
	}
	return nil
}

// Levels lists the CPU levels there are.
func Levels() []string { return slices.Sorted(maps.Keys(schedule.Targets)) }
