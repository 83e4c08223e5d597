package codegen

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/runtime"
)

// This file compiles generated graphs, many to a module, and runs them beside
// the interpreter. The tests that use it are in diff_test.go.

// nativeLevels are the levels that kernels can be compiled for and run at here,
// and amx, whose instructions are emulated where this machine has none.
func nativeLevels(t testing.TB) []string {
	t.Helper()
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
	levels := slices.DeleteFunc(slices.Clone(runtime.Levels()), func(l string) bool {
		_, ok := llvm.TargetOf(l)
		return !ok
	})
	if len(levels) == 0 {
		t.Skip("no native level on this machine: " + fmt.Sprint(runtime.Levels()))
	}
	if goruntime.GOARCH == "amd64" && !slices.Contains(levels, runtime.LevelAMX) {
		levels = append(levels, runtime.LevelAMX)
	}
	return levels
}

// baseLevels are those of nativeLevels that do not only add instructions to
// another one.
func baseLevels(t testing.TB) []string {
	return slices.DeleteFunc(nativeLevels(t), func(l string) bool {
		return schedule.Targets[l].Base != ""
	})
}

// subject is a case on its way through the compiler.
type subject struct {
	c   *irtest.Case
	a   *Artifact
	err error // of the compiler
}

// guard runs f and returns what it panics with as an error.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}

// newSubject takes a case through all but LLVM. In every other case results take
// the memory of parameters, where they can.
func newSubject(c *irtest.Case, levels []string) *subject {
	s := &subject{c: c}
	o := Options{Levels: levels, Emulate: true}
	if c.Seed%2 == 0 {
		o.InPlace = sameTypes(c.Graph)
	}
	s.err = guard(func() (err error) {
		s.a, err = prepare(c.Graph, o)
		return err
	})
	return s
}

// sameTypes pairs results of g with parameters of the same types.
func sameTypes(g *ir.Graph) [][2]int {
	var pairs [][2]int
	taken := map[int]bool{}
	for i, r := range g.Results {
		for j, p := range g.Params {
			if !taken[j] && r.Type.Equal(p.Type) {
				taken[j] = true
				pairs = append(pairs, [2]int{i, j})
				break
			}
		}
	}
	return pairs
}

// compileAll makes the code of all subjects' kernels, for each level in a few
// modules.
func compileAll(subjects []*subject, levels []string) error {
	tc, err := llvm.Find()
	if err != nil {
		return err
	}
	for i := range levels {
		compileLevel(tc, subjects, i)
	}
	return nil
}

// compileLevel makes the code of one level; where LLVM fails, each subject is
// compiled alone, so that the error is that subject's.
func compileLevel(tc *llvm.Toolchain, subjects []*subject, level int) {
	var p *packer
	for i, s := range subjects {
		if s.err != nil {
			continue
		}
		if p == nil {
			t := s.a.Levels[level].Target
			p = &packer{t: t, batch: llvm.NewBatch(t)}
		}
		s.err = p.add(i, s.a.Levels[level])
	}
	if p == nil {
		return
	}
	p.flush()
	funcs, _, err := tc.Compile(context.Background(), p.mods, p.t, "")
	if err == nil && p.t.Emulated != "" {
		err = assemble(tc, subjects, level)
	}
	switch {
	case err == nil:
	case len(subjects) == 1:
		subjects[0].err = err
		return
	default:
		for i := range subjects {
			compileLevel(tc, subjects[i:i+1], level)
		}
		return
	}
	for i, r := range p.refs {
		subjects[r.subject].a.Levels[level].Kernels[r.kernel].Code = &funcs[i]
	}
}

// assemble has LLVM make code of what is emulated here for the CPUs that have it.
func assemble(tc *llvm.Toolchain, subjects []*subject, level int) error {
	target, _ := llvm.TargetOf(subjects[0].a.Levels[level].Target.Emulated)
	p := &packer{t: target, batch: llvm.NewBatch(target)}
	for i, s := range subjects {
		if s.err == nil {
			if err := p.add(i, s.a.Levels[level]); err != nil {
				return err
			}
		}
	}
	p.flush()
	_, _, err := tc.Compile(context.Background(), p.mods, p.t, "")
	return err
}

// packer emits the kernels of many artifacts under names of their own.
type packer struct {
	t     llvm.Target
	batch *llvm.Batch
	mods  []llvm.Module
	refs  []ref
}

type ref struct{ subject, kernel int }

func (p *packer) add(subject int, l *Level) error {
	for i := range l.Kernels {
		if l.Kernels[i].Same {
			continue
		}
		err := guard(func() error {
			k := mathfn.Kernel(l.Kernels[i].Tree, p.t.Native)
			k.Name = fmt.Sprintf("g%d_%s", subject, k.Name)
			return p.batch.Add(k)
		})
		if err != nil {
			return fmt.Errorf("level %s: %w", l.Name, err)
		}
		p.refs = append(p.refs, ref{subject, i})
		if p.batch.Len() > 10000 {
			p.flush()
		}
	}
	return nil
}

func (p *packer) flush() {
	if p.batch.Len() > 0 {
		p.mods = append(p.mods, p.batch.Module(fmt.Sprintf("batch%d", len(p.mods))))
	}
	p.batch = llvm.NewBatch(p.t)
}

// run executes a compiled case at a level and compares with want, the
// interpreter's results of each input set. The second time outputs are given,
// full of garbage, and the arena is not new.
func (s *subject) run(level string, want [][]*ir.Literal) error {
	if s.redundant(level) {
		return nil
	}
	m, err := s.load(level, runtime.WithThreads(1+int(s.c.Seed%3)))
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	defer m.Close()
	for _, again := range []bool{false, true} {
		for i, in := range s.c.Inputs {
			got, err := runModel(m, in, again)
			if err == nil {
				err = s.c.Compare(got, want[i])
			}
			if err != nil {
				return fmt.Errorf("input set %d, again=%v: %w", i, again, err)
			}
		}
	}
	return nil
}

// redundant reports whether all kernels of a level are those of its base, which
// is run too.
func (s *subject) redundant(level string) bool {
	for _, l := range s.a.Levels {
		if l.Name == level {
			return !slices.ContainsFunc(l.Kernels, func(k Kernel) bool { return !k.Same })
		}
	}
	return false
}

// load is the artifact as it runs at a level.
func (s *subject) load(level string, opts ...runtime.Option) (*runtime.Model, error) {
	a := s.a.only(level)
	return a.Load(append(opts, runtime.WithLevel(a.Levels[0].Runs()))...)
}

func runModel(m *runtime.Model, in []*ir.Literal, again bool) ([]*ir.Literal, error) {
	args := make([]*runtime.Tensor, len(in))
	for i, l := range in {
		var err error
		if args[i], err = tensorOf(l); err != nil {
			return nil, err
		}
	}
	out, err := m.Run(args)
	if err != nil {
		return nil, err
	}
	if again {
		for _, t := range out {
			b, _ := t.Bytes()
			for i := range b {
				b[i] = 0xa5
			}
		}
		if err := m.RunInto(out, args); err != nil {
			return nil, err
		}
	}
	lits := make([]*ir.Literal, len(out))
	for i, t := range out {
		lits[i] = literalOf(t)
	}
	return lits, nil
}

func tensorOf(l *ir.Literal) (*runtime.Tensor, error) {
	var d runtime.DType
	for _, k := range runtimeTypes {
		if k.String() == l.DType.String() {
			d = k
		}
	}
	shape := make([]int, len(l.Shape))
	for i, n := range l.Shape {
		shape[i] = int(n)
	}
	t, err := runtime.NewTensor(d, shape...)
	if err != nil {
		return nil, err
	}
	b, err := t.Bytes()
	fill(b, l, 0)
	return t, err
}

func literalOf(t *runtime.Tensor) *ir.Literal {
	d, _ := ir.ParseDType(t.DType().String())
	l := &ir.Literal{DType: d}
	for _, n := range t.Shape() {
		l.Shape = append(l.Shape, int64(n))
	}
	b, _ := t.Bytes()
	l.Data = slices.Clone(b)
	return l
}

var runtimeTypes = []runtime.DType{runtime.Bool, runtime.I8, runtime.I16, runtime.I32, runtime.I64,
	runtime.U8, runtime.U16, runtime.U32, runtime.U64,
	runtime.F16, runtime.BF16, runtime.F32, runtime.F64}

// reference is the interpreter as an evaluator.
func reference(g *ir.Graph, inputs []*ir.Literal) ([]*ir.Literal, error) {
	in := make([]*interp.Tensor, len(inputs))
	for i, l := range inputs {
		t, err := interp.FromLiteral(l)
		if err != nil {
			return nil, err
		}
		in[i] = t
	}
	ts, err := interp.Run(g, in)
	if err != nil {
		return nil, err
	}
	out := make([]*ir.Literal, len(ts))
	for i, t := range ts {
		out[i] = t.Literal()
	}
	return out, nil
}

func wanted(c *irtest.Case) ([][]*ir.Literal, error) {
	want := make([][]*ir.Literal, len(c.Inputs))
	for i, in := range c.Inputs {
		var err error
		if want[i], err = reference(c.Graph, in); err != nil {
			return nil, fmt.Errorf("input set %d: reference: %w", i, err)
		}
	}
	return want, nil
}

// checkCase takes one case through the whole pipeline at one level, with its
// own data and with hostile data.
func checkCase(c *irtest.Case, level string) error {
	want, err := wanted(c)
	if err != nil {
		return nil // not a difference
	}
	s := newSubject(c, []string{level})
	if level != runtime.LevelGeneric {
		if err := compileAll([]*subject{s}, []string{level}); err != nil {
			return err
		}
	}
	if s.err != nil {
		return s.err
	}
	if err := s.run(level, want); err != nil {
		return err
	}
	return s.attack(level)
}

// locate says which part of the compiler is at fault: the stages are run one
// by one on the tree level, where nothing is compiled.
func locate(c *irtest.Case, level string) string {
	want, err := wanted(c)
	if err != nil {
		return err.Error()
	}
	s := newSubject(c, []string{level})
	if s.err != nil {
		return "the compiler fails"
	}
	for i, in := range c.Inputs {
		got, err := reference(s.a.Graph, in)
		if err == nil {
			err = c.Compare(got, want[i])
		}
		if err != nil {
			return fmt.Sprintf("passes: %v", err)
		}
	}
	run := func(stage string) string {
		for i := range s.a.Levels {
			l := s.a.Levels[i]
			for j := range l.Kernels {
				l.Kernels[j].Tasks = 1
			}
			l.Name, l.Target = runtime.LevelGeneric, llvm.Target{}
		}
		if err := guard(func() error { return s.run(runtime.LevelGeneric, want) }); err != nil {
			return fmt.Sprintf("%s: %v", stage, err)
		}
		return ""
	}
	scheduled := run("schedule")
	for j := range s.a.Levels[0].Kernels {
		s.a.Levels[0].Kernels[j].Tree = s.a.Plan.Trees[j]
	}
	if naive := run("lower or plan"); naive != "" {
		return naive
	}
	if scheduled != "" {
		return scheduled
	}
	return "llvm"
}

// childCase is the variable that has a child process check a case of a file.
const childCase = "TCC_DIFF_CASE"

// checkApart is checkCase in a process of its own, which a fault may end.
func checkApart(c *irtest.Case, level string) error {
	dir, err := os.MkdirTemp("", "tccdiff")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "case.txtar")
	if err := os.WriteFile(file, c.Format(), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiffChild$")
	cmd.Env = append(os.Environ(), childCase+"="+file, "TCC_DIFF_LEVEL="+level)
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.SplitAfter(string(out), "\n")
		return fmt.Errorf("child: %v\n%s", err, strings.Join(lines[:min(len(lines), 40)], ""))
	}
	return nil
}
