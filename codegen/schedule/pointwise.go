package schedule

import (
	"cmp"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// chunk is how many iterations of a long loop are one task.
const chunk = 8192

// pointwise schedules loops over a result that is computed element by element.
func (s *scheduler) pointwise() error {
	d := s.domain()
	if len(d) == 0 {
		return refuse("no independent outer loop")
	}
	body := s.Loop(d[len(d)-1]).Body
	if hasLoops(body) {
		return s.pieces(d)
	}
	if effects(body) || s.t.Vector == 0 {
		return s.tasks()
	}
	d = s.collapse(d)
	v := s.vectorAxis(d)
	var order []string
	for _, x := range d {
		if x != v {
			order = append(order, x)
		}
	}
	order = s.inMemory(order, body, v)
	if err := s.Reorder(append(order, v)...); err != nil {
		return err
	}
	if len(order) > 0 {
		s.askRows(last(order), v)
	}
	inner, size := v, int64(cmp.Or(s.t.Chunk, chunk))
	if n, ok := s.static(v); !ok || n > 2*size {
		var err error
		if inner, err = s.Split(v, v+"i", size, kernel.Clip); err != nil {
			return err
		}
		order = append(order, v)
	}
	if err := s.parallel(order); err != nil {
		return err
	}
	return s.vectorize(inner)
}

// inMemory is order, in which loops around loop v with the given body read a large
// operand as it lies in memory, where they write results around the caches: memory is read
// faster in long runs, and such writes take the same time in any order.
func (s *scheduler) inMemory(order []string, body []kernel.Stmt, v string) []string {
	var source *kernel.Expr
	several := false
	for _, a := range accessesOf(body) {
		several = several || a.write && !s.t.passes(a.buf)
	}
	kernel.WalkExprs(body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad && s.t.passes(e.Buf) {
			several = several || source != nil || stride(e.Index, v) == 2 || len(e.Args) > 0
			source = e
		}
	})
	if source == nil || several {
		return order
	}
	steps := map[string]int64{}
	for _, u := range order {
		coef, _, _ := source.Index.Linear(u)
		k, ok := coef.Int()
		if !ok || k <= 0 {
			return order
		}
		steps[u] = k
	}
	order = slices.Clone(order)
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(steps[b], steps[a]) })
	return order
}

// askRows asks for rows that loop u around loop v reads some iterations later,
// where they are short and apart: what memory is asked for along a row is then of
// no use. ([8,512,16,64] in the order of [8,16,512,64]: 21 GB/s without, 28 with it; one core
// of an AMD EPYC, Zen 4, 2026-11-26.)
func (s *scheduler) askRows(u, v string) {
	const most, distance = 2 << 10, 4 << 10
	n, ok := s.static(v)
	rows, known := s.static(u)
	if !ok || !known {
		return
	}
	s.ahead = map[string]int64{}
	kernel.WalkExprs(s.Loop(v).Body, func(e *kernel.Expr) {
		if e.Kind != kernel.KLoad || !s.t.passes(e.Buf) || stride(e.Index, v) != 1 {
			return
		}
		coef, _, _ := e.Index.Linear(u)
		k, ok := coef.Int()
		bytes := n * int64(e.DType.Size())
		if ok && k > n && bytes <= most {
			s.ahead[e.Buf.Name] = k * min(distance/bytes, rows/4)
		}
	})
}

// vectorAxis picks the loop whose iterations become lanes: the one along which
// memory is contiguous, the innermost of equal ones.
func (s *scheduler) vectorAxis(d []string) string {
	best, cost := "", 0.0
	accs := accessesOf(s.Loop(d[len(d)-1]).Body)
	for i := len(d) - 1; i >= 0; i-- {
		c := 0.0
		for _, a := range accs {
			switch st := stride(a.index, d[i]); {
			case st == 2 && a.write:
				c += 10
			case st == 2:
				c += 8
			case st == 1:
				c++
			}
		}
		if n, ok := s.static(d[i]); ok && n < int64(s.t.Vector/4) {
			c = (c + 1) * float64(s.t.Vector/4) / float64(max(n, 1))
		}
		if best == "" || c < cost {
			best, cost = d[i], c
		}
	}
	return best
}

// vectorize makes vector code of loop v, whose iterations are independent and
// have no loop inside: whole vectors, then the rest under a mask.
func (s *scheduler) vectorize(v string) error {
	return s.vectorizeBy(v, s.lanes(s.Loop(v).Body))
}

// vectorizeBy is vectorize with up to w lanes.
func (s *scheduler) vectorizeBy(v string, w int64) error {
	l := s.Loop(v)
	if w = s.narrow(v, w); w < 2 {
		return nil
	}
	main := l.Extent.FloorDiv(ir.Const(w)).MulConst(w)
	if main.IsConst(0) || l.Extent.Equal(main) {
		return s.lanesOf(v, w)
	}
	names, err := s.Cut(v, main)
	if err != nil {
		return err
	}
	if err := s.lanesOf(v, w); err != nil {
		return err
	}
	rest := names[v]
	return s.lanesOf(rest, s.narrow(rest, w))
}

// narrow halves w lanes while they are twice the extent of loop v.
func (s *scheduler) narrow(v string, w int64) int64 {
	for n, ok := s.static(v); ok && w > 1 && w/2 >= n; {
		w /= 2
	}
	return w
}

func (s *scheduler) lanesOf(v string, w int64) error {
	if w < 2 {
		return nil
	}
	lane, err := s.Split(v, v+"l", w, kernel.Mask)
	if err != nil {
		return err
	}
	return s.Bind(lane, kernel.Vector)
}

// pieces schedules outer loops around several nests: the outer loops are
// tasks, and in each nest of independent loops the innermost is vectorized.
func (s *scheduler) pieces(d []string) error {
	if err := s.parallel(d); err != nil {
		return err
	}
	return s.inside(s.Loop(d[len(d)-1]).Body)
}

// inside vectorizes the innermost independent loops in body, where that goes.
func (s *scheduler) inside(body []kernel.Stmt) error {
	if s.t.Vector == 0 {
		return nil
	}
	var leaves []string
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		l, ok := st.(*kernel.Loop)
		if ok && l.Indep && l.Bind == kernel.Serial && !hasLoops(l.Body) && !effects(l.Body) {
			leaves = append(leaves, l.Var)
		}
	})
	for _, v := range leaves {
		if !s.worth(v) {
			continue
		}
		try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
		if try.vectorize(v) == nil {
			s.Kernel = try.Kernel
		}
	}
	return nil
}

// worth reports whether lanes of loop v touch memory mostly in a row.
func (s *scheduler) worth(v string) bool {
	l := s.Loop(v)
	if n, ok := l.Extent.Int(); ok && n < 4 {
		return false
	}
	good, bad := 0, 0
	for _, a := range accessesOf(l.Body) {
		if stride(a.index, v) == 2 {
			bad++
		} else {
			good++
		}
	}
	return good >= bad
}
