package schedule

import (
	"cmp"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// A block of a chain is so many lines: more gain nothing, and with fewer of them
// more of the input is packed twice, for the blocks above and below. (128 x 128 pixels of
// 24 channels, 6 times depthwise 3x3, pointwise, in ms: blocks of 2 lines 2.95, 4 3.00, 8 2.79, 16
// 2.77, two kernels each 2.94; one core of an AMD EPYC, Zen 4, 2026-11-26.)
const (
	blockLines = 8
	fewBlocks  = 4 // that a chain should have before they grow
)

// chain schedules lines of which each is computed by one kernel and read by the
// next one, parts in loops with one iteration: a block of lines at a time, which
// stays in the second cache, each part as if it were a kernel of its own.
func (s *scheduler) chain() error {
	d := s.domain()
	if s.t.Vector == 0 || len(d) == 0 {
		return refuse("no lines, or scalar code")
	}
	v := last(d)
	kept, parts := chainOf(s.Loop(v).Body)
	if kept == nil {
		return refuse("no parts with a buffer between them")
	}
	n, err := s.linesOf(v, kept)
	if err != nil {
		return err
	}
	in, err := s.Split(v, v+"b", n, kernel.Clip)
	if err != nil {
		return err
	}
	if err := s.ExpandDim(kept.Name, in); err != nil {
		return err
	}
	second, err := s.FissionNest([]string{in}, 1)
	if err != nil {
		return err
	}
	if err := s.parallel(d); err != nil {
		return err
	}
	bufs := map[string]*kernel.Buffer{}
	for _, b := range s.Params {
		bufs[b.Name] = b
	}
	t := s.t
	t.Task = cmp.Or(t.Task, 1<<30) // a block is a task already
	t.Eager = false                // it is too small for products by tiles
	kept = s.Loop(v).Body[0].(*kernel.Alloc).Buf
	bufs[kept.Name] = kept
	for i, in := range []string{in, second[0]} {
		if err := s.Reorder(parts[i], in); err != nil {
			return err
		}
		if _, err := within(s.Kernel, parts[i], bufs, t); err != nil {
			return err
		}
	}
	return nil
}

// chainOf takes a body apart that is a buffer and two parts; nil if it is
// something else.
func chainOf(body []kernel.Stmt) (*kernel.Buffer, []string) {
	if len(body) != 3 {
		return nil, nil
	}
	a, ok := body[0].(*kernel.Alloc)
	if !ok || a.Buf.Space != kernel.Scratch {
		return nil, nil
	}
	var parts []string
	for _, st := range body[1:] {
		l, ok := st.(*kernel.Loop)
		if !ok || !l.Extent.IsConst(1) {
			return nil, nil
		}
		parts = append(parts, l.Var)
	}
	return a.Buf, parts
}

// linesOf is how many lines of loop v a block has, each of which is buffer kept.
func (s *scheduler) linesOf(v string, kept *kernel.Buffer) (int64, error) {
	line, ok := kept.Size.Int()
	if !ok {
		return 0, refuse("lines of %v elements", kept.Size)
	}
	n := min(blockLines, int64(s.t.L2)*3/8/(line*int64(kept.DType.Size())))
	if all, ok := s.static(v); ok {
		n = even(max(min(n, all/fewBlocks), 1), all)
	}
	return max(n, 1), nil
}

// within schedules the body of loop v of k, which has one iteration, as if it were
// a kernel of its own. bufs has the buffers that it uses from outside by their names.
func within(k *kernel.Kernel, v string, bufs map[string]*kernel.Buffer, t Target) (string, error) {
	inner, err := k.Inner(v)
	if err != nil {
		return "", err
	}
	t.Stream, t.Inner = 0, true // what it needs is in near caches
	done, how, err := Explain(inner, t)
	if err != nil {
		return "", err
	}
	var outer []*kernel.Buffer
	for _, b := range done.Params {
		outer = append(outer, bufs[b.Name])
	}
	return how, k.SetInner(v, done, outer)
}
