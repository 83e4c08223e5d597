package schedule

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// GPUTarget is what schedules for a GPU depend on.
type GPUTarget struct {
	Name   string
	Warp   int64   // threads that execute together
	Blocks []int64 // sizes of blocks, powers of two, the preferred one first
	Shared int64   // bytes of shared memory that a block may have
}

// GPUTargets has the targets by name.
var GPUTargets = map[string]GPUTarget{
	"sm_80": {Name: "sm_80", Warp: 32, Blocks: []int64{256, 128, 64}, Shared: 48 << 10},
	"sm_90": {Name: "sm_90", Warp: 32, Blocks: []int64{256, 128, 64}, Shared: 48 << 10},
}

// gpuStrategies in order of preference.
var gpuStrategies = []struct {
	name string
	run  func(*gpuScheduler) error
}{
	{"rows", (*gpuScheduler).blockRows},
	{"elements", (*gpuScheduler).elements},
	{"single", (*gpuScheduler).single},
}

// GPU returns k scheduled for a GPU; k is not changed. A kernel that no
// strategy takes is an error, which says what each refused.
func GPU(k *kernel.Kernel, t GPUTarget) (*kernel.Kernel, error) {
	out, _, err := ExplainGPU(k, t)
	return out, err
}

// ExplainGPU is GPU with the name of the strategy and what the better ones
// refused.
func ExplainGPU(k *kernel.Kernel, t GPUTarget) (*kernel.Kernel, string, error) {
	marked := k.Clone()
	kernel.MarkIndep(marked)
	why := ""
	for _, s := range gpuStrategies {
		c := &gpuScheduler{scheduler: &scheduler{Kernel: marked.Clone()}, g: t}
		err := s.run(c)
		if err == nil {
			err = c.fits()
		}
		if err == nil {
			if err = kernel.Verify(c.Kernel); err != nil {
				return nil, "", fmt.Errorf("BUG: schedule %s of %v:\n%w\n%v", s.name, t.Name, err, c.Kernel)
			}
			return c.Kernel, s.name + why, nil
		}
		why += fmt.Sprintf("; not %s: %v", s.name, err)
	}
	return nil, "", fmt.Errorf("schedule %s for %s: no strategy takes this kernel%s", k.Name, t.Name, why)
}

// gpuScheduler is a kernel being scheduled for a GPU.
type gpuScheduler struct {
	*scheduler
	g GPUTarget
}

// single leaves a kernel without loops as it is: one thread.
func (s *gpuScheduler) single() error {
	if hasLoops(s.Body) {
		return refuse("there are loops")
	}
	return nil
}

// fits checks the memory that threads and blocks have.
func (s *gpuScheduler) fits() error {
	var err error
	shared := int64(0)
	kernel.WalkStmts(s.Body, func(st kernel.Stmt) {
		a, ok := st.(*kernel.Alloc)
		if !ok {
			return
		}
		switch a.Buf.Space {
		case kernel.Scratch:
			err = refuse("buffer %s of %v elements: a GPU has no memory of a worker", a.Buf.Name, a.Buf.Size)
		case kernel.Shared:
			n, _ := a.Buf.Size.Int()
			shared += n * int64(a.Buf.DType.Size())
		}
	})
	if err == nil && shared > s.g.Shared {
		err = refuse("%d bytes of shared memory, a block has %d", shared, s.g.Shared)
	}
	return err
}

// grid makes one loop of the perfect nest of vars and binds it to the blocks.
func (s *gpuScheduler) grid(vars []string) error {
	if len(vars) == 0 {
		return nil
	}
	for range vars[1:] {
		if err := s.Fuse(vars[0]); err != nil {
			return err
		}
	}
	return s.Bind(vars[0], kernel.GridX)
}

// elements gives each element of the result a thread, which computes it with
// the loops that are inside.
func (s *gpuScheduler) elements() error {
	d := s.domain()
	if len(d) == 0 {
		return refuse("no independent outer loop")
	}
	d = s.collapse(d)
	v := s.vectorAxis(d)
	var order []string
	for _, x := range d {
		if x != v {
			order = append(order, x)
		}
	}
	order = append(order, v)
	if err := s.Reorder(order...); err != nil {
		return err
	}
	if n, ok := s.static(v); ok && n < s.g.Warp {
		for range order[1:] {
			if err := s.Fuse(order[0]); err != nil {
				return err
			}
		}
		v, order = order[0], order[:1]
	}
	lane, err := s.Split(v, v+"l", s.block(v), kernel.Mask)
	if err != nil {
		return err
	}
	if err := s.recompute(); err != nil {
		return err
	}
	if err := s.grid(order); err != nil {
		return err
	}
	return s.Bind(lane, kernel.BlockX)
}

// block picks the size of the blocks whose threads take the iterations of loop
// v: the one that leaves the fewest threads idle.
func (s *gpuScheduler) block(v string) int64 {
	n, ok := s.static(v)
	if !ok {
		return s.g.Blocks[0]
	}
	best := s.g.Blocks[0]
	threads := func(b int64) int64 { return (n + b - 1) / b * b }
	for _, b := range s.g.Blocks {
		if threads(b) < threads(best) {
			best = b
		}
	}
	return best
}

// recompute drops scratch buffers, which a GPU has not, where their values can
// be computed again.
func (s *gpuScheduler) recompute() error {
	var names []string
	kernel.WalkStmts(s.Body, func(st kernel.Stmt) {
		if a, ok := st.(*kernel.Alloc); ok && a.Buf.Space == kernel.Scratch {
			names = append(names, a.Buf.Name)
		}
	})
	for _, n := range names {
		if err := s.Recompute(n); err != nil {
			return err
		}
	}
	return nil
}
