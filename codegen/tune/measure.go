package tune

import (
	"context"
	"fmt"
	"time"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/runtime"
)

// Bounds of the measurement of one form: a few runs of a large graph, many of a small one.
const (
	fewestRuns = 3
	mostRuns   = 2000
	mostTime   = 300 * time.Millisecond
)

// kernelTime is what the launches of a kernel take in one run of the graph.
type kernelTime struct {
	name string
	time time.Duration
}

// kernelTimes compiles the graph as u says and returns the times of its kernels, each launch at its
// shortest.
func (s *search) kernelTimes(ctx context.Context, u *codegen.Tuning) (map[codegen.KernelID]kernelTime, error) {
	a, m, err := s.load(ctx, u, runtime.WithProfile())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	n, _, err := s.run(m, mostTime)
	if err != nil {
		return nil, err
	}
	return s.split(a, m, n), nil
}

// split is what the kernels of a model took in one of n runs.
func (s *search) split(a *codegen.Artifact, m *runtime.Model, n int) map[codegen.KernelID]kernelTime {
	out := map[codegen.KernelID]kernelTime{}
	for _, p := range m.Profile() {
		id := a.ID(s.o.Level, p.Kernel)
		k := out[id]
		k.name = a.Plan.Trees[p.Kernel].Name
		k.time += p.Least * time.Duration(p.Launches) / time.Duration(n)
		out[id] = k
	}
	return out
}

// form is what one form of the graph took.
type form struct {
	kernels map[codegen.KernelID]kernelTime // where it was profiled
	least   time.Duration                   // the shortest run
}

// inTurn measures forms of the graph side by side, one after the other and again, so that what else
// the machine does meets all of them.
func (s *search) inTurn(ctx context.Context, us []*codegen.Tuning, opts ...runtime.Option) ([]form, error) {
	const rounds = 8
	out, runs := make([]form, len(us)), make([]int, len(us))
	var as []*codegen.Artifact
	var ms []*runtime.Model
	for _, u := range us {
		a, m, err := s.load(ctx, u, opts...)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		as, ms = append(as, a), append(ms, m)
	}
	for range rounds {
		for i, m := range ms {
			n, least, err := s.run(m, mostTime/2)
			if err != nil {
				return nil, err
			}
			if runs[i] == 0 || least < out[i].least {
				out[i].least = least
			}
			runs[i] += n
		}
	}
	for i, m := range ms {
		out[i].kernels = s.split(as[i], m, runs[i])
	}
	return out, nil
}

// wholeTime is the shortest run of the graph as u says.
func (s *search) wholeTime(ctx context.Context, u *codegen.Tuning) (time.Duration, error) {
	_, m, err := s.load(ctx, u)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	_, least, err := s.run(m, mostTime)
	return least, err
}

func (s *search) load(ctx context.Context, u *codegen.Tuning, opts ...runtime.Option) (*codegen.Artifact,
	*runtime.Model, error) {
	s.out.Tried++
	a, err := codegen.Compile(ctx, s.g, codegen.Options{Levels: []string{s.o.Level}, Passes: s.o.Passes, Tuning: u})
	if err != nil {
		return nil, nil, fmt.Errorf("tune: %w", err)
	}
	m, err := a.Load(append(opts, runtime.WithLevel(s.o.Level))...)
	if err != nil {
		return nil, nil, fmt.Errorf("tune: %w", err)
	}
	return a, m, nil
}

// run runs the model for about d and returns how often and the shortest run.
func (s *search) run(m *runtime.Model, d time.Duration) (n int, least time.Duration, err error) {
	out := make([]*runtime.Tensor, len(m.Program().Outputs))
	for begin := time.Now(); n < fewestRuns || n < mostRuns && time.Since(begin) < d; n++ {
		start := time.Now()
		if err := m.RunInto(out, s.in); err != nil {
			return 0, 0, fmt.Errorf("tune: %w", err)
		}
		if t := time.Since(start); n == 0 || t < least {
			least = t
		}
	}
	return n, least, nil
}
