package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// distribute turns the perfect nest of vars, whose extents are numbers, into
// register blocks: what the body allocates gets an element for each iteration,
// each statement gets a nest of its own, and serial loops move outside of
// these nests. The last of vars becomes vector lanes, the others are unrolled.
func (s *scheduler) distribute(vars []string) error { return s.nests(vars, s.lanesLast) }

// nests is distribute with another way to finish the nest of a statement.
func (s *scheduler) nests(vars []string, finish func([]string, []kernel.Stmt) error) error {
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
			return s.leaf(vars, finish)
		}
		next, err := s.FissionNest(vars, n)
		if err != nil {
			return err
		}
		if err := s.leaf(vars, finish); err != nil {
			return err
		}
		vars = next
	}
}

// leaf finishes a nest with one statement.
func (s *scheduler) leaf(vars []string, finish func([]string, []kernel.Stmt) error) error {
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
		return s.nests(vars, finish)
	}
	if c, ok := body[0].(*kernel.If); ok && len(body) == 1 && len(c.Else) > 0 {
		els, err := s.HoistNest(vars)
		if err != nil {
			return err
		}
		if err := s.nests(els, finish); err != nil {
			return err
		}
		return s.nests(vars, finish)
	}
	return finish(vars, stmt)
}

// lanesLast makes lanes of the last of vars and copies out the others, if they
// are not too many.
func (s *scheduler) lanesLast(vars []string, stmt []kernel.Stmt) error {
	if s.heavy(vars, stmt) {
		return s.roll(vars, stmt)
	}
	return s.unroll(vars)
}

// unroll makes lanes of the last of vars and copies out the others.
func (s *scheduler) unroll(vars []string) error {
	for i, v := range vars {
		b := kernel.Unroll
		if i == len(vars)-1 && s.t.Vector > 0 {
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

// mostOps is how many operations a nest of unrolled loops may have.
const mostOps = 160

// heavy reports whether copies of the statement for all of vars but the lanes
// are too much code, as an activation with transcendental functions is.
func (s *scheduler) heavy(vars []string, body []kernel.Stmt) bool {
	copies := int64(1)
	for _, v := range vars[:len(vars)-1] {
		n, _ := s.static(v)
		copies *= n
	}
	return copies > 1 && copies*int64(weight(body)) > mostOps
}

// weight is about how many instructions body takes.
func weight(body []kernel.Stmt) int {
	n := 0
	kernel.WalkExprs(body, func(e *kernel.Expr) {
		if e.Kind == kernel.KOp {
			n += max(opWeight[e.Op], 1)
		}
		if limit(e) {
			n--
		}
	})
	return n
}

// limit reports whether e is a maximum or minimum with a constant, a compare and a
// selection.
func limit(e *kernel.Expr) bool {
	return e.Kind == kernel.KOp && (e.Op == ir.OpMax || e.Op == ir.OpMin) &&
		slices.ContainsFunc(e.Args, func(a *kernel.Expr) bool { return a.Kind == kernel.KConst })
}

// opWeight has the operations that take many instructions.
var opWeight = map[ir.Op]int{
	ir.OpExp: 20, ir.OpExpm1: 30, ir.OpLog: 25, ir.OpLog1p: 30, ir.OpSin: 40, ir.OpCos: 40, ir.OpTan: 60,
	ir.OpTanh: 30, ir.OpErf: 40, ir.OpSigmoid: 25, ir.OpPow: 80, ir.OpAsin: 30, ir.OpAcos: 30,
	ir.OpAtan: 30, ir.OpAtan2: 40, ir.OpSinh: 40, ir.OpCosh: 40, ir.OpAsinh: 40, ir.OpAcosh: 40,
	ir.OpAtanh: 40, ir.OpMod: 8, ir.OpRem: 8, ir.OpFloorDiv: 8, ir.OpMax: 3, ir.OpMin: 3,
}

// roll leaves the loops of a nest as they are, but for the lanes. The
// accumulators that it reads are copied to memory first, so that they are in
// registers elsewhere.
func (s *scheduler) roll(vars []string, body []kernel.Stmt) error {
	var bufs []string
	writes := map[*kernel.Buffer]bool{}
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		if st, ok := st.(*kernel.Store); ok {
			writes[st.Buf] = true
		}
	})
	kernel.WalkExprs(body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad && e.Buf.Space == kernel.Local && !slices.Contains(bufs, e.Buf.Name) {
			bufs = append(bufs, e.Buf.Name)
		}
	})
	for b := range writes {
		if b.Space == kernel.Local {
			return s.unroll(vars) // folds into registers
		}
	}
	for _, b := range bufs {
		names, err := s.Spill(vars[0], b)
		if err != nil {
			return err
		}
		if err := s.unroll(names); err != nil {
			return err
		}
	}
	if s.t.Vector == 0 {
		return nil
	}
	return s.Bind(last(vars), kernel.Vector)
}
