package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// checked schedules loops over a result that reads memory at places that are
// data, which are checked: what is the same for a row is checked once for it,
// the rest ahead of the row.
func (s *scheduler) checked() error {
	d := s.domain()
	if s.t.Vector == 0 || len(d) == 0 {
		return refuse("no independent outer loop")
	}
	body := s.Loop(last(d)).Body
	if hasLoops(body) || !effects(body) {
		return refuse("nothing is checked")
	}
	d = s.collapse(d)
	v := s.vectorAxis(d)
	var order []string
	for _, x := range d {
		if x != v {
			order = append(order, x)
		}
	}
	if err := s.Reorder(append(order, v)...); err != nil {
		return err
	}
	row := v
	if n, ok := s.static(v); !ok || n > 2*chunk || len(order) == 0 {
		var err error
		if row, err = s.Split(v, v+"i", rowChunk, kernel.Clip); err != nil {
			return err
		}
		order = append(order, v)
	}
	if err := s.Lift(row); err != nil && !effects(s.Loop(row).Body) {
		return err
	}
	rest, in := row, ""
	if n := checks(s.Loop(row).Body); n > 0 && n < len(s.Loop(row).Body) {
		var err error
		if rest, err = s.Fission(row, n); err != nil {
			return err
		}
		if in, err = s.once(last(order), row); err != nil {
			return err
		}
	}
	if err := s.parallel(order); err != nil {
		return err
	}
	if err := s.pick(in, rest); err != nil || rest == row {
		return err
	}
	return s.vectorize(row)
}

// pick makes vectors of loop row, whose places have been checked; in is a loop around it
// that has them in common, if there is one.
func (s *scheduler) pick(in, row string) error {
	w := s.picked(row)
	if in != "" {
		for _, how := range []func(s *scheduler, in, row string, w int64) error{
			(*scheduler).interleaved, (*scheduler).pairs} {

			try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
			if how(try, in, row, w) == nil {
				s.Kernel = try.Kernel
				return nil
			}
		}
	}
	return s.vectorizeBy(row, w)
}

// once has the checks of loop row made once for several iterations of v, the loop
// around it, if they are the same for all of them, and returns the loop over these.
func (s *scheduler) once(v, row string) (string, error) {
	n, ok := s.static(row)
	count, known := s.static(v)
	if !ok || !known || n > chunk/2 {
		return "", nil
	}
	rows := max(chunk/n, leastRows)
	for rows < 4*chunk/n && count >= 32*rows { // there are enough tasks
		rows *= 2
	}
	try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
	in, err := try.Split(v, v+"c", rows, kernel.Clip)
	if err != nil {
		return "", err
	}
	if try.Lift(in) != nil {
		return "", nil
	}
	s.Kernel = try.Kernel
	return in, nil
}

// pairs makes vectors of w lanes of loop row for two iterations of v, the loop around
// it, at a time, so that places are loaded once for both. The rows that are read are
// to lie in the nearest cache, with those that are asked for meanwhile, as they are
// where results go around the caches; others are to come from the caches. (1024
// columns of 4096 rows of 1024: 16.5 GB/s one row at a time, 19.7 so; of 32 rows, 30
// and 34; of 2048 rows, which are not asked for, 10.7 and 10.4. In turn, one core of
// an AMD EPYC, Zen 4, that others used too, 2026-11-26.)
func (s *scheduler) pairs(v, row string, w int64) error {
	const most = 4 << 10 // bytes of a row that is read
	length, known := s.static(row)
	if !known || w < 4 || length < w {
		return refuse("no rows of %d lanes", w)
	}
	if !s.near(v, row, most) {
		return refuse("rows of more than %d bytes, or from memory that is not asked for", most)
	}
	if err := s.wholes(v, row, 2, w); err != nil {
		return err
	}
	two, err := s.Split(v, v+"p", 2, kernel.Exact)
	if err != nil {
		return err
	}
	return s.abreast(two, row, w)
}

// abreast makes vectors of w lanes of loop row for all iterations of loop v, which is
// around it, at a time.
func (s *scheduler) abreast(v, row string, w int64) error {
	length, _ := s.static(row)
	if main := length / w * w; main < length {
		names, err := s.Cut(row, ir.Const(main))
		if err != nil {
			return err
		}
		if _, err := s.Fission(v, 1); err != nil {
			return err
		}
		rest := names[row]
		if err := s.lanesOf(rest, s.narrow(rest, w)); err != nil {
			return err
		}
	}
	lane, err := s.Split(row, row+"l", w, kernel.Exact)
	if err != nil {
		return err
	}
	if err := s.Reorder(row, v, lane); err != nil {
		return err
	}
	if err := s.Bind(lane, kernel.Vector); err != nil {
		return err
	}
	return s.Bind(v, kernel.Unroll)
}

// near reports whether rows that iterations of v read, in loop row, have at most most
// bytes and come from the caches, or are asked for since results go around these.
func (s *scheduler) near(v, row string, most int64) bool {
	past, near := true, true
	kernel.WalkStmts(s.Loop(row).Body, func(st kernel.Stmt) {
		if st, ok := st.(*kernel.Store); ok {
			past = past && s.t.passes(st.Buf)
		}
	})
	kernel.WalkExprs(s.Loop(row).Body, func(e *kernel.Expr) {
		if e.Kind != kernel.KLoad {
			return
		}
		coef, _, _ := e.Index.Linear(v)
		n, known := coef.Int()
		all, fixed := e.Buf.Size.Int()
		size := int64(e.DType.Size())
		near = near && known && n*size <= most && (past || fixed && all*size < int64(s.t.L3))
	})
	return near
}

// picked is how many lanes loop v has, by what it stores: places, of which each
// lane has its own, are not in vectors.
func (s *scheduler) picked(v string) int64 {
	var stores []kernel.Stmt
	kernel.WalkStmts(s.Loop(v).Body, func(st kernel.Stmt) {
		if st, ok := st.(*kernel.Store); ok {
			stores = append(stores, st)
		}
	})
	return min(s.lanes(stores), 16)
}

// leastRows are those of a task that has checks in common for several.
const leastRows = 4

const rowChunk = 1024 // elements of a long row whose places are checked ahead

// checks is how many statements of body lead to its last check.
func checks(body []kernel.Stmt) int {
	n := 0
	for i, st := range body {
		if _, ok := st.(*kernel.Fail); ok {
			n = i + 1
		}
	}
	return n
}
