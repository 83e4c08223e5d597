package runtime

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"unsafe"
)

// ErrClosed is what calls of a closed Model return.
var ErrClosed = errors.New("model is closed")

// Model is a program ready to run on this machine. Its methods are safe for many goroutines.
type Model struct {
	*engine
	cleanup goruntime.Cleanup
}

// engine is the part of a Model that workers and timers refer to, so that a Model which is no
// longer used can be collected although its workers wait.
type engine struct {
	plan    *plan
	level   string
	calls   callPool
	workers *workers
	profile *profile // nil unless WithProfile
	onClose []func()
}

// Option is a setting of New.
type Option func(*settings)

type settings struct {
	profile *profile
	threads int
	level   string
	weights string // file
	onClose []func()
}

// WithThreads sets how many threads a call may use, the caller's included; 0 is GOMAXPROCS.
// Results do not depend on it.
func WithThreads(n int) Option { return func(s *settings) { s.threads = n } }

// WithLevel forces a CPU level, one of Levels; "" leaves the choice to TCC_CPU or New.
func WithLevel(level string) Option { return func(s *settings) { s.level = level } }

// WithCleanup has f called by Close, as to release mapped code or weights.
func WithCleanup(f func()) Option {
	return func(s *settings) { s.onClose = append(s.onClose, f) }
}

// New prepares a program to run with its weights, which it neither copies nor reads. It picks the
// kernels for this CPU; the environment variable TCC_CPU forces a level.
func New(p *Program, weights []byte, opts ...Option) (*Model, error) {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	if s.threads < 0 {
		return nil, fmt.Errorf("%s: %d threads, wanted 1 or more, or 0 for all", p.Name, s.threads)
	}
	if s.threads == 0 {
		s.threads = goruntime.GOMAXPROCS(0)
	}
	if int64(len(weights)) != p.WeightBytes {
		return nil, fmt.Errorf("%s: weights have %d bytes, wanted %d: they belong to another build",
			p.Name, len(weights), p.WeightBytes)
	}
	levels, err := chooseLevel(p, s.level)
	if err != nil {
		return nil, err
	}
	pl, err := newPlan(p, levels)
	if err != nil {
		return nil, err
	}
	pl.weights = alignWeights(weights, p.WeightAlign)
	e := &engine{plan: pl, level: levels[0], workers: newWorkers(s.threads), profile: s.profile,
		onClose: s.onClose}
	e.calls.init(e)
	m := &Model{engine: e}
	m.cleanup = goruntime.AddCleanup(m, func(e *engine) { e.close() }, e)
	return m, nil
}

// alignWeights returns the address of the weights, of a copy where they lie badly: this happens
// to raw bytes of unknown origin, not to what generated packages embed.
func alignWeights(w []byte, align int) unsafe.Pointer {
	p := unsafe.Pointer(unsafe.SliceData(w))
	if align > 1 && len(w) > 0 && uintptr(p)&uintptr(align-1) != 0 {
		p = alignedBytes(len(w))
		copy(unsafe.Slice((*byte)(p), len(w)), w)
	}
	return p
}

// Program returns the plan, which must not be changed.
func (m *Model) Program() *Program { return m.plan.p }

// Level returns the CPU level whose kernels run.
func (m *Model) Level() string { return m.level }

// Threads returns how many threads a call may use.
func (m *Model) Threads() int { return m.workers.threads }

// Run runs the model and returns new tensors; it allocates nothing else in steady state.
func (m *Model) Run(in []*Tensor) ([]*Tensor, error) {
	return m.RunContext(context.Background(), in)
}

// RunContext is Run that ends early, with the context's error, when ctx is done.
func (m *Model) RunContext(ctx context.Context, in []*Tensor) ([]*Tensor, error) {
	out := make([]*Tensor, len(m.plan.p.Outputs))
	if err := m.RunIntoContext(ctx, out, in); err != nil {
		return nil, err
	}
	return out, nil
}

// RunInto runs the model and writes its outputs to out. It allocates nothing in steady state.
//
// An out[i] that is nil is replaced by a new tensor. Tensors that Run, RunInto or NewTensor made,
// and zero Tensors, are resized where their shape is another; those over the caller's memory must
// have the right shape. An output may share memory with an input, as for state that is carried on,
// and may be a view that is not contiguous. After an error the contents of out are undefined.
func (m *Model) RunInto(out, in []*Tensor) error {
	return m.RunIntoContext(context.Background(), out, in)
}

// RunIntoContext is RunInto that ends early, with the context's error, when ctx is done.
func (m *Model) RunIntoContext(ctx context.Context, out, in []*Tensor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := m.calls.take()
	if err != nil {
		return fmt.Errorf("%s: run: %w", m.plan.p.Name, err)
	}
	defer m.calls.give(c)
	err = c.run(ctx, out, in)
	goruntime.KeepAlive(m)
	return err
}

// Close waits for the calls in flight, then gives back the model's memory and stops its workers.
// Later calls return ErrClosed. Closing twice is no error.
func (m *Model) Close() error {
	m.cleanup.Stop()
	m.engine.close()
	return nil
}

func (e *engine) close() {
	if !e.calls.close() {
		return
	}
	e.workers.stop()
	for _, f := range e.onClose {
		f()
	}
}
