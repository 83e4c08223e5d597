// Package native makes lazy tensors and jitted functions run as machine code:
//
//	import _ "github.com/tensorcc/tcc/frontend/tensor/native"
//
// registers it where LLVM is found, or the compile cache has kernels; [Use] says
// why not where there is neither. Without LLVM, programs whose kernels are all in
// the cache run by them, others by the interpreter. It is apart from package
// tensor, so that describing a program links no compiler.
package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

func init() {
	// Without any kernel the interpreter stays, as tensor.Backend says.
	_ = Use()
}

// Use makes native code the evaluator of tensors; an error says what to install
// where LLVM is missing and has never filled the compile cache. With a cache
// alone, what is not in it is interpreted; [tensor.Backend] is then "interp", or
// "native+interp" where both have run.
func Use() error {
	store, err := cache.Default()
	if err != nil {
		return err
	}
	if _, err := llvm.Available(store); err != nil {
		return err
	}
	tensor.SetEvaluator(&shared)
	return nil
}

// shared is the evaluator of the process.
var shared = evaluator{models: map[string]*model{}, texts: map[*ir.Graph]string{}}

// maxModels bounds the compiled graphs that are kept; the one that has not run
// for the longest goes.
const maxModels = 256

// evaluator compiles each graph once, by its text without positions.
type evaluator struct {
	mu     sync.Mutex
	models map[string]*model
	texts  map[*ir.Graph]string // of graphs seen before, so that they need not be printed
	clock  uint64

	compiled, interpreted atomic.Bool // whether some program was
}

// model is a program, to be interpreted where Model is nil.
type model struct {
	*runtime.Model
	used uint64
}

func (m *model) close() error {
	if m.Model == nil {
		return nil
	}
	return m.Close()
}

// Name says what programs have run by: "native", also before the first; "interp"
// if there was no kernel for any; "native+interp" if for some.
func (e *evaluator) Name() string {
	switch {
	case !e.interpreted.Load():
		return "native"
	case !e.compiled.Load():
		return "interp"
	}
	return "native+interp"
}

// Run compiles g, unless that was done before, and runs it.
func (e *evaluator) Run(ctx context.Context, g *ir.Graph, inputs []*ir.Literal) ([]*ir.Literal,
	error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, err := e.model(ctx, g)
	if err != nil {
		return nil, err
	}
	if m.Model == nil {
		return tensor.Interpreter().Run(ctx, g, inputs)
	}
	in := make([]*runtime.Tensor, len(inputs))
	for i, l := range inputs {
		if in[i], err = toRuntime(l); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	out, err := m.RunContext(ctx, in)
	if err != nil {
		return nil, err
	}
	results := make([]*ir.Literal, len(out))
	for i, t := range out {
		if results[i], err = fromRuntime(t); err != nil {
			return nil, fmt.Errorf("result %d: %w", i, err)
		}
	}
	return results, nil
}

// Prepare compiles g, with results that take the memory of parameters, and binds
// its memory at the first run.
func (e *evaluator) Prepare(ctx context.Context, g *ir.Graph, inPlace [][2]int) (tensor.Runner,
	error) {
	m, err := e.load(ctx, g, inPlace)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return tensor.Interpreter().Prepare(ctx, g, inPlace)
	}
	return &runner{m: m}, nil
}

// load compiles g, see [codegen.Options] for inPlace; nil where LLVM would be
// needed and is not there.
func (e *evaluator) load(ctx context.Context, g *ir.Graph,
	inPlace [][2]int) (*runtime.Model, error) {
	a, err := codegen.Compile(ctx, g, codegen.Options{InPlace: inPlace})
	switch {
	case errors.Is(err, llvm.ErrNotFound):
		e.interpreted.Store(true)
		return nil, nil
	case err != nil:
		return nil, err
	}
	e.compiled.Store(true)
	return a.Load()
}

// runner runs a model on memory that stays the same.
type runner struct {
	m       *runtime.Model
	lits    []*ir.Literal // what in and out were made of
	in, out []*runtime.Tensor
}

func (r *runner) Run(ctx context.Context, out, in []*ir.Literal) error {
	if err := r.bind(out, in); err != nil {
		return err
	}
	return r.m.RunIntoContext(ctx, r.out, r.in)
}

// bind makes the runtime's tensors unless those of the last run are right.
func (r *runner) bind(out, in []*ir.Literal) error {
	if len(r.lits) == len(out)+len(in) && slices.Equal(r.lits[:len(out)], out) &&
		slices.Equal(r.lits[len(out):], in) {
		return nil
	}
	r.lits, r.in, r.out = nil, nil, nil
	for i, l := range slices.Concat(out, in) {
		t, err := toRuntime(l)
		if err != nil {
			return fmt.Errorf("tensor %d: %w", i, err)
		}
		if i < len(out) {
			r.out = append(r.out, t)
		} else {
			r.in = append(r.in, t)
		}
	}
	r.lits = slices.Concat(out, in)
	return nil
}

func (e *evaluator) model(ctx context.Context, g *ir.Graph) (*model, error) {
	text, ok := e.texts[g]
	if !ok {
		text = key(g)
	}
	e.clock++
	if m := e.models[text]; m != nil {
		m.used = e.clock
		e.remember(g, text)
		return m, nil
	}
	loaded, err := e.load(ctx, g, nil)
	if err != nil {
		return nil, err
	}
	if len(e.models) >= maxModels {
		if err := e.evict(); err != nil {
			return nil, err
		}
	}
	e.models[text] = &model{Model: loaded, used: e.clock}
	e.remember(g, text)
	return e.models[text], nil
}

// maxTexts bounds the graphs whose texts are kept, which are more than models:
// different graphs have the same text.
const maxTexts = 1024

// remember keeps the text of g, unless g is one that nobody runs again.
func (e *evaluator) remember(g *ir.Graph, text string) {
	if g.Name == "once" {
		return
	}
	if len(e.texts) >= maxTexts {
		clear(e.texts)
	}
	e.texts[g] = text
}

// evict closes the model that has not run for the longest.
func (e *evaluator) evict() error {
	oldest := ""
	for text, m := range e.models {
		if oldest == "" || m.used < e.models[oldest].used {
			oldest = text
		}
	}
	for g, text := range e.texts {
		if text == oldest {
			delete(e.texts, g)
		}
	}
	m := e.models[oldest]
	delete(e.models, oldest)
	return m.close()
}

// key is the text of g without the positions, which end its lines.
func key(g *ir.Graph) string {
	lines := strings.Split(ir.Print(g), "\n")
	for i, l := range lines {
		if at := strings.LastIndex(l, " # "); at >= 0 {
			lines[i] = strings.TrimRight(l[:at], " ")
		}
	}
	return strings.Join(lines, "\n")
}

func toRuntime(l *ir.Literal) (*runtime.Tensor, error) {
	d, ok := runtime.ParseDType(l.DType.String())
	if !ok {
		return nil, fmt.Errorf("the runtime has no %v", l.DType)
	}
	shape := make([]int, len(l.Shape))
	for i, k := range l.Shape {
		shape[i] = int(k)
	}
	if !l.Splat {
		return runtime.FromBytes(d, l.Data, shape...)
	}
	t, err := runtime.NewTensor(d, shape...)
	if err != nil {
		return nil, err
	}
	b, err := t.Bytes()
	for at := 0; at < len(b); at += len(l.Data) {
		copy(b[at:], l.Data)
	}
	return t, err
}

func fromRuntime(t *runtime.Tensor) (*ir.Literal, error) {
	d, ok := ir.ParseDType(t.DType().String())
	if !ok {
		return nil, fmt.Errorf("no element type %v", t.DType())
	}
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	l := &ir.Literal{DType: d, Shape: make([]int64, t.Rank()), Data: b}
	for i, k := range t.Shape() {
		l.Shape[i] = int64(k)
	}
	return l, nil
}
