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
	if err := s.parallel(order); err != nil {
		return err
	}
	if err := s.Lift(row); err != nil && !effects(s.Loop(row).Body) {
		return err
	}
	if n := checks(s.Loop(row).Body); n > 0 && n < len(s.Loop(row).Body) {
		rest, err := s.Fission(row, n)
		if err != nil {
			return err
		}
		if err := s.vectorize(row); err != nil {
			return err
		}
		row = rest
	}
	if s.scattered(row) && weight(s.Loop(row).Body) < mostScattered {
		return s.several(row)
	}
	return s.vectorize(row)
}

const (
	rowChunk      = 1024 // elements of a long row whose places are checked ahead
	mostScattered = 8    // operations that are not worth vectors made of single loads
)

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

// scattered reports whether a load in loop v is at a place that is data of the
// iteration.
func (s *scheduler) scattered(v string) bool {
	l := s.Loop(v)
	places := map[string]bool{}
	for _, st := range l.Body {
		if st, ok := st.(*kernel.Let); ok {
			places[st.Var] = true
		}
	}
	found := false
	for _, a := range accessesOf(l.Body) {
		for _, n := range a.index.SymNames() {
			found = found || places[n]
		}
	}
	return found
}

// several copies out a few iterations of loop v, so that their loads overlap.
func (s *scheduler) several(v string) error {
	const copies = 4
	l := s.Loop(v)
	main := l.Extent.FloorDiv(ir.Const(copies)).MulConst(copies)
	if main.IsConst(0) {
		return nil
	}
	if !l.Extent.Equal(main) {
		if _, err := s.Cut(v, main); err != nil {
			return err
		}
	}
	in, err := s.Split(v, v+"u", copies, kernel.Exact)
	if err != nil {
		return err
	}
	return s.Bind(in, kernel.Unroll)
}
