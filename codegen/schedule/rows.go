package schedule

import (
	"cmp"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// rows schedules reductions and normalizations: outer independent loops with
// reductions inside. Where memory is contiguous along the last outer loop its
// iterations become lanes; else the reductions are split over lanes.
func (s *scheduler) rows() error {
	if s.t.Vector == 0 {
		return refuse("scalar code")
	}
	d := s.domain()
	body := s.Body
	if len(d) > 0 {
		body = s.Loop(d[len(d)-1]).Body
	}
	if !reduces(body) {
		return refuse("no reduction")
	}
	if len(d) > 0 {
		d = s.collapse(d)
		if s.across(d) {
			try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
			if try.columns(d) == nil {
				s.Kernel = try.Kernel
				return nil
			}
		}
		d = s.reused(d)
		if err := s.Reorder(d...); err != nil {
			return err
		}
		pass, next := s.delay(last(d))
		if err := s.parallel(d); err != nil {
			return err
		}
		body = s.Loop(last(d)).Body
		if err := s.along(body); err != nil || next == "" {
			return err
		}
		_ = s.Join(next, pass) // loops over other numbers of lanes stay apart
		return nil
	}
	return s.along(body)
}

// long is how many instructions compute an element where they, not memory, are what counts.
const long = 16

// delay has several iterations of loop v, rows, in a task, in which each row is written
// while functions of the next one are computed: stores and divisions alone leave most of
// a core idle. It returns that loop over a row, and one to be joined with it in the end, if
// there is one. (Softmax, ns an element without and so, AVX-512: 512 rows of 1024 0.44
// and 0.37, 4096 rows 0.37 and 0.32; AVX2: 0.61 and 0.59, 0.73 and 0.69; one core of an
// AMD EPYC, Zen 4, 2026-11-26.)
func (s *scheduler) delay(v string) (pass, next string) {
	const (
		most, least = 32, 8   // rows of a task
		elements    = 1 << 16 // of a task, at most
		tasks       = 64      // at least
	)
	body := s.Loop(v).Body
	out, ok := body[len(body)-1].(*kernel.Loop)
	if !ok {
		return "", ""
	}
	n, fixed := s.static(v)
	length, known := out.Extent.Int()
	if !fixed || !known {
		return "", ""
	}
	rows := int64(most)
	for rows >= least && (n%rows != 0 || n/rows < tasks || rows*length > elements) {
		rows /= 2
	}
	if rows < least {
		return "", ""
	}
	for _, st := range slices.Backward(body[:len(body)-1]) {
		l, ok := st.(*kernel.Loop)
		if !ok || weight(l.Body) < long {
			continue
		}
		try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
		row, err := try.Split(v, v+"r", rows, kernel.Exact)
		if err == nil && try.Delay(row, l.Var) == nil {
			s.Kernel = try.Kernel
			return l.Var, s.advance(row, l.Var)
		}
	}
	return "", ""
}

// advance has the first loop in the body of v, as long as loop pass, computed an
// iteration early, and returns its name, "" if it can't be: both loops are then joined, which
// keeps more in registers and the units for sums busy beside those for products. (Softmax,
// [4096,1024]: 33.9 and 36.2 GB/s in turn, in caches 3 to 6 % faster; AMD EPYC, Zen 4,
// 2026-11-26.)
func (s *scheduler) advance(v, pass string) string {
	if s.t.Regs < 32 {
		return ""
	}
	for _, st := range s.Loop(v).Body {
		l, ok := st.(*kernel.Loop)
		if !ok {
			continue
		}
		try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
		if l.Var == pass || !l.Extent.Equal(s.Loop(pass).Extent) || try.Advance(v, l.Var) != nil {
			return ""
		}
		s.Kernel = try.Kernel
		return l.Var
	}
	return ""
}

// reused is d with those short loops last whose iterations read the largest
// buffer at the same places, if that does not stay in a cache by itself.
func (s *scheduler) reused(d []string) []string {
	var largest access
	most := int64(s.t.L2)
	for _, a := range accessesOf(s.Loop(last(d)).Body) {
		if n, ok := a.buf.Size.Int(); ok && n*int64(a.buf.DType.Size()) > most {
			largest, most = a, n*int64(a.buf.DType.Size())
		}
	}
	var outer, inner []string
	for _, v := range d {
		if n, ok := s.static(v); ok && n <= fewRows && largest.buf != nil && !largest.index.Has(v) {
			inner = append(inner, v)
			continue
		}
		outer = append(outer, v)
	}
	return append(outer, inner...)
}

// reduces reports whether body has a loop that is not independent.
func reduces(body []kernel.Stmt) bool {
	found := false
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		if l, ok := st.(*kernel.Loop); ok && !l.Indep {
			found = true
		}
	})
	return found
}

// across reports whether the last of d is the better axis for lanes than the
// innermost loops inside it.
func (s *scheduler) across(d []string) bool {
	v := d[len(d)-1]
	if n, ok := s.static(v); ok && n < 4 {
		return false
	}
	body := s.Loop(v).Body
	outer, inner := 0, 0
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		l, ok := st.(*kernel.Loop)
		if !ok || hasLoops(l.Body) {
			return
		}
		for _, a := range accessesOf(l.Body) {
			if a.buf.Space == kernel.Scratch {
				continue
			}
			if stride(a.index, v) == 2 {
				outer++
			}
			if stride(a.index, l.Var) == 2 {
				inner++
			}
		}
	})
	return outer < inner || outer == 0 && inner == 0
}

// columns makes lanes of the iterations of the last of d.
func (s *scheduler) columns(d []string) error {
	v := d[len(d)-1]
	l := s.Loop(v)
	w := s.narrow(v, s.lanes(l.Body))
	tail := kernel.Clip
	if n, ok := l.Extent.Int(); ok && n < w {
		tail = kernel.Mask
	}
	lane, err := s.Split(v, v+"l", w, tail)
	if err != nil {
		return err
	}
	if err := s.parallel(d); err != nil {
		return err
	}
	if tail == kernel.Mask {
		return s.distribute([]string{lane})
	}
	names, err := s.Specialize(lane)
	if err != nil {
		return err
	}
	if err := s.distribute([]string{lane}); err != nil {
		return err
	}
	if names == nil {
		return nil
	}
	// the copy has fewer iterations than lanes: a mask
	rest := names[lane]
	if w = s.narrow(rest, w); w == 1 {
		return s.distribute([]string{rest})
	}
	in, err := s.Split(rest, lane, w, kernel.Mask)
	if err != nil {
		return err
	}
	return s.distribute([]string{in})
}

// along vectorizes the loops in body: reductions by partial accumulators,
// others as they are.
func (s *scheduler) along(body []kernel.Stmt) error {
	var leaves []string
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		if l, ok := st.(*kernel.Loop); ok && l.Bind == kernel.Serial && !hasLoops(l.Body) && !effects(l.Body) {
			leaves = append(leaves, l.Var)
		}
	})
	for _, v := range leaves {
		v = s.turned(v)
		if !s.worth(v) {
			continue
		}
		try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
		var err error
		if try.Loop(v).Indep {
			err = try.vectorize(v)
		} else {
			err = try.fold(v)
		}
		if err == nil {
			s.Kernel = try.Kernel
		}
	}
	return nil
}

// turned exchanges loop v with the loop around it where memory is contiguous
// along that one, and returns the innermost of them.
func (s *scheduler) turned(v string) string {
	if s.worth(v) {
		return v
	}
	around := ""
	kernel.WalkStmts(s.Body, func(st kernel.Stmt) {
		if l, ok := st.(*kernel.Loop); ok && len(l.Body) == 1 && l.Bind == kernel.Serial {
			if in, ok := l.Body[0].(*kernel.Loop); ok && in.Var == v {
				around = l.Var
			}
		}
	})
	if around == "" {
		return v
	}
	try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
	if try.Reorder(v, around) != nil || !try.worth(around) {
		return v
	}
	s.Kernel = try.Kernel
	return around
}

// fold splits the reduction v over lanes: several vectors of partial results
// for the bulk, one under a mask for the rest.
func (s *scheduler) fold(v string) error {
	l := s.Loop(v)
	w := s.narrow(v, s.lanes(l.Body))
	if w < 2 {
		return refuse("scalar code")
	}
	chains := int64(cmp.Or(s.t.Fold, 4))
	if s.t.Regs < 16 && weight(l.Body) >= long {
		// registers are of more use to the other instructions (softmax by AVX2, [4096,1024]:
		// 19.6 and 21.0 GB/s; AMD EPYC, Zen 4, 2026-11-26)
		chains = int64(cmp.Or(s.t.Fold, 1))
	}
	if n, ok := l.Extent.Int(); ok {
		for chains > 1 && n < 2*w*chains {
			chains /= 2
		}
	}
	main := l.Extent.FloorDiv(ir.Const(w * chains)).MulConst(w * chains)
	if l.Extent.Equal(main) || main.IsConst(0) && chains == 1 {
		return s.foldLanes(v, w, chains)
	}
	names, err := s.Cut(v, main)
	if err != nil {
		return err
	}
	if err := s.foldLanes(v, w, chains); err != nil {
		return err
	}
	rest := names[v]
	if w = s.narrow(rest, w); w < 2 {
		return nil
	}
	return s.foldLanes(rest, w, 1)
}

func (s *scheduler) foldLanes(v string, w, chains int64) error {
	lane, init, tree, err := s.SplitReduction(v, v+"l", w*chains)
	if err != nil {
		return err
	}
	for _, t := range append([]string{lane, init}, tree...) {
		n, _ := s.static(t)
		if n > w {
			in, err := s.Split(t, t+"v", w, kernel.Exact)
			if err != nil {
				return err
			}
			if err := s.distribute([]string{t, in}); err != nil {
				return err
			}
			continue
		}
		if err := s.Bind(t, kernel.Vector); err != nil {
			return err
		}
	}
	return nil
}
