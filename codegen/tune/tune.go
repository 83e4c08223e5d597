// Package tune searches the choices that codegen/schedule and the fusion of passes leave open, by
// running a graph's kernels on this machine. What it finds is a codegen.Tuning, which Compile takes
// as input: searching is no part of compiling, and results are not changed beyond what the order of
// sums may change.
package tune

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
	"github.com/tensorcc/tcc/runtime"
)

// Options say what Search does.
type Options struct {
	Level  string // of this machine
	Passes passes.Options
	Time   time.Duration // budget; what is being tried is finished
	// Progress is called with the part of the budget that is used, in thousandths.
	Progress func(done, total int)
}

// Result is what Search has found.
type Result struct {
	Tuning *codegen.Tuning
	// Notes say for each kernel what it is and what was gained.
	Notes map[codegen.KernelID]string
	// Before and After are the shortest runs of the whole graph found without the tuning and with
	// it, measured in turn.
	Before, After time.Duration
	Tried         int // compilations of the graph
}

// gain is by how much a choice must be faster to count: less is within the noise.
const gain = 0.03

// search is a search under way.
type search struct {
	g     *ir.Graph
	in    []*runtime.Tensor
	o     Options
	begin time.Time
	best  map[codegen.KernelID]found
	out   Result
}

// found is the best form of a kernel so far.
type found struct {
	choice schedule.Choice
	time   time.Duration // a run of the graph
}

// Search tunes g for the inputs in. All kernels try a value at once, each in its part of a run of
// the graph: a round costs a compilation of what is new and some runs, however many kernels there
// are.
func Search(ctx context.Context, g *ir.Graph, in []*runtime.Tensor, o Options) (*Result, error) {
	s := &search{g: g, in: in, o: o, begin: time.Now()}
	s.out.Tuning = &codegen.Tuning{Kernels: map[codegen.KernelID]schedule.Choice{}}
	if err := s.fusion(ctx); err != nil {
		return nil, err
	}
	s.best = map[codegen.KernelID]found{}
	if err := s.round(ctx, s.choices(nil)); err != nil {
		return nil, err
	}
	for _, p := range schedule.Tunables {
		for _, v := range p.Values {
			if s.over(ctx) {
				break
			}
			s.try(ctx, s.candidates(p.Name, v))
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &s.out, s.verify(ctx)
}

// over reports whether the budget is used up, and draws progress.
func (s *search) over(ctx context.Context) bool {
	used := time.Since(s.begin)
	if s.o.Progress != nil {
		const total = 1000
		s.o.Progress(int(min(used*total/max(s.o.Time, 1), total)), total)
	}
	return used >= s.o.Time || ctx.Err() != nil
}

// fusion tries bounds of what fusion puts into one kernel, by the time of the whole graph.
func (s *search) fusion(ctx context.Context) error {
	base, err := s.wholeTime(ctx, s.out.Tuning)
	if err != nil {
		return err
	}
	for _, members := range []int{4, 12, 32} {
		if s.over(ctx) {
			return ctx.Err()
		}
		u := &codegen.Tuning{Members: members}
		t, err := s.wholeTime(ctx, u)
		if err == nil && float64(t) < float64(base)*(1-gain) {
			base, s.out.Tuning.Members = t, members
		}
	}
	return nil
}

// choices returns the tuning with the best choices and those of over, which win.
func (s *search) choices(over map[codegen.KernelID]schedule.Choice) *codegen.Tuning {
	u := &codegen.Tuning{Members: s.out.Tuning.Members, Kernels: map[codegen.KernelID]schedule.Choice{}}
	for id, f := range s.best {
		if len(f.choice) > 0 {
			u.Kernels[id] = f.choice
		}
	}
	for id, c := range over {
		u.Kernels[id] = c
	}
	return u
}

// candidates gives each kernel that takes part of the time the value v of a tunable.
func (s *search) candidates(name string, v int) map[codegen.KernelID]schedule.Choice {
	const least = 0.005 // of the whole time: others gain nothing
	total := time.Duration(0)
	for _, f := range s.best {
		total += f.time
	}
	out := map[codegen.KernelID]schedule.Choice{}
	for id, f := range s.best {
		if float64(f.time) < least*float64(total) {
			continue
		}
		c := schedule.Choice{name: v}
		for n, x := range f.choice {
			if n != name {
				c[n] = x
			}
		}
		out[id] = c
	}
	return out
}

// try measures candidates and keeps what is faster. Where one of them does not compile, as one that
// needs too much stack, halves are tried apart.
func (s *search) try(ctx context.Context, over map[codegen.KernelID]schedule.Choice) {
	err := s.round(ctx, s.choices(over))
	if err == nil || len(over) < 2 || s.over(ctx) {
		return
	}
	ids := make([]codegen.KernelID, 0, len(over))
	for id := range over {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, codegen.KernelID.Compare)
	for _, part := range [][]codegen.KernelID{ids[:len(ids)/2], ids[len(ids)/2:]} {
		half := map[codegen.KernelID]schedule.Choice{}
		for _, id := range part {
			half[id] = over[id]
		}
		s.try(ctx, half)
	}
}

// round measures the kernels as u has them, and keeps what is faster than before.
func (s *search) round(ctx context.Context, u *codegen.Tuning) error {
	times, err := s.kernelTimes(ctx, u)
	if err != nil {
		return err
	}
	for id, m := range times {
		f, ok := s.best[id]
		switch {
		case !ok:
			s.best[id] = found{time: m.time}
		case u.Kernels[id].String() == f.choice.String():
			f.time = min(f.time, m.time)
			s.best[id] = f
		case float64(m.time) < float64(f.time)*(1-gain):
			f.choice, f.time = u.Kernels[id], m.time
			s.best[id] = f
		}
	}
	return nil
}

// verify measures the cost model's form and the tuned one in turn, drops what was luck, and fills
// in the result.
func (s *search) verify(ctx context.Context) error {
	tuned := s.choices(nil)
	forms, err := s.inTurn(ctx, []*codegen.Tuning{{Members: tuned.Members}, tuned}, runtime.WithProfile())
	if err != nil {
		return err
	}
	first, last := forms[0].kernels, forms[1].kernels
	s.out.Notes = map[codegen.KernelID]string{}
	for id, c := range tuned.Kernels {
		a, b := first[id], last[id]
		if a.time == 0 || float64(b.time) > float64(a.time)*(1-gain) {
			continue
		}
		s.out.Tuning.Kernels[id] = c
		us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
		s.out.Notes[id] = fmt.Sprintf("%s: %.4g µs, was %.4g µs", a.name, us(b.time), us(a.time))
	}
	forms, err = s.inTurn(ctx, []*codegen.Tuning{{}, s.out.Tuning})
	if err != nil {
		return err
	}
	s.out.Before, s.out.After = forms[0].least, forms[1].least
	if s.out.After >= s.out.Before {
		s.out.Tuning, s.out.Notes = &codegen.Tuning{}, nil
		s.out.After = s.out.Before
	}
	return nil
}
