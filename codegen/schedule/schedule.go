// Package schedule chooses how kernels are executed: it rewrites the naive
// trees of codegen/lower by the primitives of codegen/kernel, for a CPU level.
//
// What a kernel computes is recognized from its tree alone: loops over the
// result, whose iterations are independent, and inside them nothing but
// statements (pointwise), one accumulation (products, windows), or several
// loops (row operations). Each class has a strategy; where a primitive refuses
// it, the next simpler one is taken, and at last the tree as it is with its
// outer loops as tasks. Every schedule is legal, because primitives are. The kernels in a loop over
// steps, and the parts of a chain, are scheduled one by one.
package schedule

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// strategy is one way to schedule a kernel; it works on a copy and fails where
// it does not apply.
type strategy struct {
	name string
	run  func(*scheduler) error
}

// strategies are in order of preference. They are no variable, as that of chains
// schedules parts by them.
func strategies() []strategy {
	return []strategy{
		{"groups", (*scheduler).groups},
		{"dots", (*scheduler).dots},
		{"product", (*scheduler).product},
		{"chain", (*scheduler).chain},
		{"attention", (*scheduler).attention},
		{"rows", (*scheduler).rows},
		{"transpose", (*scheduler).transpose},
		{"checked", (*scheduler).checked},
		{"pointwise", (*scheduler).pointwise},
		{"tasks", (*scheduler).tasks},
		{"serial", func(s *scheduler) error { return s.inside(s.Body) }},
	}
}

// Schedule returns k scheduled for t; k is not changed.
func Schedule(k *kernel.Kernel, t Target) (*kernel.Kernel, error) {
	out, _, err := Explain(k, t)
	return out, err
}

// Explain is Schedule with the name of the strategy and what the better ones
// refused.
func Explain(k *kernel.Kernel, t Target) (*kernel.Kernel, string, error) {
	if l := stepsOf(k); l != nil {
		return steps(k, l, t)
	}
	marked, restore := kernel.Abstract(k)
	kernel.MarkIndep(marked)
	t.maxima(marked)
	why := ""
	for _, s := range strategies() {
		c := &scheduler{Kernel: marked.Clone(), t: t}
		err := s.run(c)
		if err == nil {
			out := restore(c.Kernel)
			t.stream(out)
			c.askAhead(out)
			if err = kernel.Verify(out); err != nil {
				return nil, "", fmt.Errorf("BUG: schedule %s of %v:\n%w\n%v", s.name, t.Name, err, out)
			}
			return out, s.name + why, nil
		}
		why += fmt.Sprintf("; not %s: %v", s.name, err)
	}
	return nil, "", fmt.Errorf("schedule %s: no strategy", k.Name)
}

// scheduler is a kernel being scheduled.
type scheduler struct {
	*kernel.Kernel
	t     Target
	ahead map[string]int64 // of parameters, see kernel.Ahead
}

// askAhead marks the parameters of out, the kernel when it is finished.
func (s *scheduler) askAhead(out *kernel.Kernel) {
	for _, b := range out.Params {
		if n := s.ahead[b.Name]; n > 0 {
			if err := out.Ahead(b.Name, n); err != nil {
				panic("BUG: " + err.Error())
			}
		}
	}
}

func refuse(format string, args ...any) error { return fmt.Errorf(format, args...) }

// tasks makes the outermost independent loops parallel and changes nothing
// else.
func (s *scheduler) tasks() error {
	d := s.domain()
	if len(d) == 0 {
		return refuse("no independent outer loop")
	}
	return s.parallel(d)
}

// parallel binds the loops, which are outermost, to tasks.
func (s *scheduler) parallel(vars []string) error {
	for _, v := range vars {
		if err := s.Bind(v, kernel.Parallel); err != nil {
			return err
		}
	}
	return nil
}

// domain lists the loops that are outermost, perfectly nested and
// independent.
func (s *scheduler) domain() []string {
	var out []string
	for body := s.Body; len(body) == 1; {
		l, ok := body[0].(*kernel.Loop)
		if !ok || !l.Indep || l.Bind != kernel.Serial {
			break
		}
		out = append(out, l.Var)
		body = l.Body
	}
	return out
}

// maxima makes use of what is known of maxima: that exponentials of differences from them are
// not above 1, and that they need take no notice of NaN where that cannot be seen.
func (t Target) maxima(k *kernel.Kernel) {
	var loops []string
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok {
			loops = append(loops, l.Var)
		}
	})
	for _, v := range loops { // most are no maxima
		if t.ExpBelow {
			_ = k.Below(v)
		}
		if !t.MaxNaN {
			_ = k.Loosen(v)
		}
	}
}
