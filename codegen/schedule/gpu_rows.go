package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
)

// blockRows gives each row a block: reductions and normalizations. The threads
// of the block stride over the row; each folds what it sees into an
// accumulator of its own, and these are combined by a tree in shared memory.
func (s *gpuScheduler) blockRows() error {
	d := s.domain()
	if !reduces(s.row(d)) {
		return refuse("no reduction")
	}
	if effects(s.row(d)) {
		return refuse("a statement may end the kernel, while threads wait for each other")
	}
	if len(d) > 0 && s.across(d) {
		return refuse("memory is contiguous from row to row")
	}
	if err := s.recompute(); err != nil {
		return err
	}
	if err := s.grid(d); err != nil {
		return err
	}
	if len(d) > 0 {
		d = d[:1]
	}
	var loops []string
	for _, st := range s.row(d) {
		switch st := st.(type) {
		case *kernel.Loop:
			loops = append(loops, st.Var)
		case *kernel.If:
			if hasLoops(st.Then) || hasLoops(st.Else) {
				return refuse("a loop is under a condition")
			}
		}
	}
	for _, v := range loops {
		s.flatten(v)
	}
	threads := s.threads(loops)
	for _, v := range loops {
		if err := s.stride(v, threads); err != nil {
			return err
		}
	}
	return nil
}

// row is what is inside the loops of d.
func (s *gpuScheduler) row(d []string) []kernel.Stmt {
	if len(d) == 0 {
		return s.Body
	}
	return s.Loop(d[len(d)-1]).Body
}

// flatten makes one loop of the perfect nest that begins with v.
func (s *gpuScheduler) flatten(v string) {
	for s.innermost(v).Var != v {
		try := s.Kernel.Clone()
		if try.Fuse(v) != nil {
			return
		}
		s.Kernel = try
	}
}

// threads is how many threads share a row: no more than its longest loop has
// iterations, in whole warps.
func (s *gpuScheduler) threads(loops []string) int64 {
	most := int64(0)
	for _, v := range loops {
		n, ok := s.static(v)
		if !ok {
			return s.g.Blocks[0]
		}
		most = max(most, n)
	}
	out := s.g.Warp
	for out < most && out < s.g.Blocks[0] {
		out *= 2
	}
	return out
}

// stride has the threads share loop v: thread t takes the iterations t, t+n,
// t+2n, …
func (s *gpuScheduler) stride(v string, n int64) error {
	l := s.Loop(v)
	if hasLoops(l.Body) {
		return refuse("loops inside loop %s", v)
	}
	if !l.Indep {
		return s.foldThreads(v, n)
	}
	lane, err := s.Split(v, v+"l", n, kernel.Mask)
	if err != nil {
		return err
	}
	if err := s.Reorder(lane, v); err != nil {
		return err
	}
	return s.Bind(lane, kernel.BlockX)
}

// foldThreads shares the reduction v.
func (s *gpuScheduler) foldThreads(v string, n int64) error {
	lane, init, tree, err := s.SplitReduction(v, v+"l", n)
	if err != nil {
		return err
	}
	if err := s.Reorder(lane, v); err != nil {
		return err
	}
	for _, name := range storedLocals(s.Loop(init).Body) {
		if err := s.Place(name, kernel.Shared); err != nil {
			return err
		}
		if _, err := s.Keep(lane, name); err != nil {
			return err
		}
	}
	for _, x := range append([]string{init, lane}, tree...) {
		if err := s.Bind(x, kernel.BlockX); err != nil {
			return err
		}
	}
	return nil
}

// storedLocals names the local buffers that body stores to.
func storedLocals(body []kernel.Stmt) []string {
	var out []string
	for _, st := range body {
		if st, ok := st.(*kernel.Store); ok && st.Buf.Space == kernel.Local {
			out = append(out, st.Buf.Name)
		}
	}
	return out
}
