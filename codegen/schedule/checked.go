package schedule

import "github.com/tensorcc/tcc/codegen/kernel"

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
	rest := row
	if n := checks(s.Loop(row).Body); n > 0 && n < len(s.Loop(row).Body) {
		var err error
		if rest, err = s.Fission(row, n); err != nil {
			return err
		}
		if err := s.once(last(order), row); err != nil {
			return err
		}
		if err := s.vectorize(row); err != nil {
			return err
		}
	}
	if err := s.parallel(order); err != nil {
		return err
	}
	return s.vectorizeBy(rest, s.picked(rest))
}

// once has the checks of loop row made once for several iterations of v, the loop
// around it, if they are the same for all of them.
func (s *scheduler) once(v, row string) error {
	n, ok := s.static(row)
	if _, known := s.static(v); !ok || !known || n > chunk/2 {
		return nil
	}
	try := &scheduler{Kernel: s.Kernel.Clone(), t: s.t}
	in, err := try.Split(v, v+"c", chunk/n, kernel.Clip)
	if err != nil {
		return err
	}
	if try.Lift(in) == nil {
		s.Kernel = try.Kernel
	}
	return nil
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
