package codegen

import (
	"fmt"
	goruntime "runtime"
	"sync"
	"sync/atomic"

	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/schedule"
)

// This file schedules kernels. What becomes of one is a function of its text and of the target:
// trees go through their text before and behind the choice of a schedule, whether the cache has it or
// not. So the cache keeps the text, which is read in a fraction of the time of the choice, with the
// sum of the LLVM IR, by which the code is found without emitting it.

// schedules makes scheduled kernels of one level.
type schedules struct {
	store   *cache.Store
	program string // whose choices they are
	target  llvm.Target
}

// schedules returns those of a level. Where the program has no name nothing is kept.
func (o *Options) schedules(target llvm.Target) (*schedules, error) {
	store, err := o.cache()
	if err != nil {
		return nil, err
	}
	s := &schedules{store: store, target: target}
	if store != nil {
		name, err := cache.Program()
		if err != nil {
			s.store = nil
		}
		s.program = string(name[:])
	}
	return s, nil
}

// cache is where compiled things are kept.
func (o *Options) cache() (*cache.Store, error) {
	if o.store != nil {
		return o.store()
	}
	return cache.Default()
}

// scheduled is a kernel with its schedule.
type scheduled struct {
	text string    // of the tree, which is called kernel
	ir   cache.Key // sum of the LLVM IR, zero if that is not known

	key  cache.Key
	kept *cache.Key // ir as the store has it, nil if the store has nothing
}

// make schedules k for t.
func (s *schedules) make(k *kernel.Kernel, t schedule.Target) (*kernel.Kernel, *scheduled, error) {
	naive := textOf(k)
	c := &scheduled{key: cache.KeyOf("schedule", s.program, fmt.Sprintf("%+v", t),
		fmt.Sprintf("%+v", s.target), naive)}
	tree := c.read(s.store)
	if tree == nil {
		parsed, err := kernel.Parse(naive)
		if err != nil {
			return nil, nil, fmt.Errorf("BUG: %w in\n%s", err, naive)
		}
		if tree, err = schedule.Schedule(parsed, t); err != nil {
			return nil, nil, err
		}
		c.text = tree.String()
		if tree, err = kernel.Parse(c.text); err != nil {
			return nil, nil, fmt.Errorf("BUG: %w in\n%s", err, c.text)
		}
	}
	tree.Name, tree.Pos = k.Name, k.Pos
	return tree, c, nil
}

// all schedules kernels, several at once; u may set parameters of t.
func (s *schedules) all(out []Kernel, naive []*kernel.Kernel, t schedule.Target, u *Tuning) error {
	errs := make([]error, len(naive))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range goruntime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(naive)); i = next.Add(1) - 1 {
				out[i].Tree, out[i].sched, errs[i] = s.make(naive[i], u.target(naive[i], t))
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("kernel %s: %w", naive[i].Name, err)
		}
	}
	return nil
}

// textOf is the text of a kernel whatever its name.
func textOf(k *kernel.Kernel) string {
	c := *k
	c.Name = "kernel"
	return c.String()
}

// read fills in what the store has and returns the tree, nil if there is none.
func (c *scheduled) read(s *cache.Store) *kernel.Kernel {
	data, ok := s.Get(c.key)
	if !ok || len(data) < len(c.ir) {
		return nil
	}
	text := string(data[len(c.ir):])
	tree, err := kernel.Parse(text)
	if err != nil {
		return nil
	}
	c.text, c.ir = text, cache.Key(data)
	kept := c.ir
	c.kept = &kept
	return tree
}

// keep puts c into the store unless that has it.
func (c *scheduled) keep(s *cache.Store) {
	if c.kept == nil || *c.kept != c.ir {
		_ = s.Put(c.key, append(c.ir[:], c.text...)) // else it is made again
	}
}
