package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
)

// distribute turns the perfect nest of vars, whose extents are numbers, into
// register blocks: what the body allocates gets an element for each iteration,
// each statement gets a nest of its own, and serial loops move outside of
// these nests. The last of vars becomes vector lanes, the others are unrolled.
func (s *scheduler) distribute(vars []string) error {
	inner := vars[len(vars)-1]
	for _, name := range allocsOf(s.Loop(inner).Body) {
		for i := len(vars) - 1; i >= 0; i-- {
			if err := s.ExpandDim(name, vars[i]); err != nil {
				return err
			}
		}
	}
	for {
		body := unguarded(s.Loop(vars[len(vars)-1]).Body)
		n := 1
		for n < len(body) && isLet(body[n-1]) {
			n++
		}
		if n >= len(body) {
			return s.leaf(vars)
		}
		next, err := s.FissionNest(vars, n)
		if err != nil {
			return err
		}
		if err := s.leaf(vars); err != nil {
			return err
		}
		vars = next
	}
}

// leaf finishes a nest with one statement.
func (s *scheduler) leaf(vars []string) error {
	inner := vars[len(vars)-1]
	body := s.Loop(inner).Body
	stmt := unguarded(body)
	if w, ok := stmt[len(stmt)-1].(*kernel.Loop); ok && len(stmt) == 1 && w.Bind == kernel.Serial {
		if len(body) == 1 && body[0] != kernel.Stmt(w) {
			if err := s.Sink(inner); err != nil {
				return err
			}
		}
		if err := s.Reorder(append([]string{w.Var}, vars...)...); err != nil {
			return err
		}
		return s.distribute(vars)
	}
	for i, v := range vars {
		b := kernel.Unroll
		if i == len(vars)-1 {
			b = kernel.Vector
		}
		if err := s.Bind(v, b); err != nil {
			return err
		}
	}
	return nil
}

func isLet(s kernel.Stmt) bool {
	_, ok := s.(*kernel.Let)
	return ok
}

// unguarded is body, or what is in the one condition that it is.
func unguarded(body []kernel.Stmt) []kernel.Stmt {
	if len(body) == 1 {
		if c, ok := body[0].(*kernel.If); ok && len(c.Else) == 0 {
			return c.Then
		}
	}
	return body
}

// allocsOf names the buffers that body allocates, not those of loops inside.
func allocsOf(body []kernel.Stmt) []string {
	var out []string
	for _, s := range unguarded(body) {
		if a, ok := s.(*kernel.Alloc); ok {
			out = append(out, a.Buf.Name)
		}
	}
	return out
}
