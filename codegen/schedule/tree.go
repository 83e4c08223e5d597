package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// access is a load or store.
type access struct {
	buf   *kernel.Buffer
	index ir.Dim
	write bool
}

// accessesOf lists loads and stores in body of buffers that are not local.
func accessesOf(body []kernel.Stmt) []access {
	var out []access
	var walk func(body []kernel.Stmt)
	walk = func(body []kernel.Stmt) {
		for _, st := range body {
			kernel.StmtExprs(st, func(e *kernel.Expr) {
				kernel.WalkExprs([]kernel.Stmt{&kernel.Let{Value: e}}, func(x *kernel.Expr) {
					if x.Kind == kernel.KLoad && x.Buf.Space != kernel.Local {
						out = append(out, access{x.Buf, x.Index, false})
					}
				})
			})
			switch st := st.(type) {
			case *kernel.Store:
				if st.Buf.Space != kernel.Local {
					out = append(out, access{st.Buf, st.Index, true})
				}
			case *kernel.Loop:
				walk(st.Body)
			case *kernel.If:
				walk(st.Then)
				walk(st.Else)
			}
		}
	}
	walk(body)
	return out
}

// stride is how an index moves with v: 0, 1, or anything else as 2.
func stride(index ir.Dim, v string) int {
	if !index.Has(v) {
		return 0
	}
	coef, _, ok := index.Linear(v)
	if ok && coef.IsConst(1) {
		return 1
	}
	return 2
}

// laneStride is how an index moves over w lanes of v: 0, 1, or anything else
// as 2. Panels, n/16*… + n%16, are contiguous.
func laneStride(index ir.Dim, v string, w int64) int {
	st := stride(index, v)
	if st < 2 || w < 2 {
		return st
	}
	const lane = "lane."
	at := index.Subst(func(s string) (ir.Dim, bool) {
		return ir.Sym(v).MulConst(w).Add(ir.Sym(lane)), s == v
	})
	return stride(kernel.Simplify(at, map[string]ir.Dim{lane: ir.Const(w)}), lane)
}

// hasLoops reports whether body has a loop.
func hasLoops(body []kernel.Stmt) bool {
	found := false
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		if _, ok := s.(*kernel.Loop); ok {
			found = true
		}
	})
	return found
}

// effects reports whether body has statements that only run as they are.
func effects(body []kernel.Stmt) bool {
	found := false
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		switch s.(type) {
		case *kernel.Fail, *kernel.Call:
			found = true
		}
	})
	return found
}

// composites counts quotients and remainders in the indices of body.
func composites(body []kernel.Stmt) int {
	n := 0
	kernel.WalkDims(body, func(d ir.Dim) {
		n += ir.Walk(d, func(int64) int { return 0 }, func(string) int { return 0 }, func(op byte, a, b int) int {
			if op == '+' || op == '*' {
				return a + b
			}
			return a + b + 1
		})
	})
	return n
}

// lanes is how many lanes vectors have in a loop with the given body: a
// register of its widest element.
func (s *scheduler) lanes(body []kernel.Stmt) int64 {
	size := 1
	see := func(d ir.DType) { size = max(size, d.Size()) }
	kernel.WalkExprs(body, func(e *kernel.Expr) {
		if e.Kind != kernel.KIndex {
			see(e.DType)
		}
	})
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		if st, ok := st.(*kernel.Store); ok {
			see(st.Buf.DType)
		}
	})
	return int64(max(s.t.Vector/size, 1))
}

// innermost follows perfect nests from loop v to the last loop.
func (s *scheduler) innermost(v string) *kernel.Loop {
	l := s.Loop(v)
	for len(l.Body) == 1 {
		in, ok := l.Body[0].(*kernel.Loop)
		if !ok {
			break
		}
		l = in
	}
	return l
}

// collapse fuses neighbours in the nest of vars where indices stay as simple
// as they are, and returns the loops that are left.
func (s *scheduler) collapse(vars []string) []string {
	for i := len(vars) - 2; i >= 0; i-- {
		try := s.Kernel.Clone()
		if try.Fuse(vars[i]) != nil || composites(try.Body) > composites(s.Body) {
			continue
		}
		s.Kernel = try
		vars = append(vars[:i+1:i+1], vars[i+2:]...)
	}
	return vars
}

// static returns the extent of loop v if it is a number.
func (s *scheduler) static(v string) (int64, bool) { return s.Loop(v).Extent.Int() }

// guards reports whether the body of loop v is a condition around a loop.
func (s *scheduler) guards(v string) bool {
	body := s.Loop(v).Body
	in := unguarded(body)
	if len(body) != 1 || len(in) != 1 || in[0] == body[0] {
		return false
	}
	_, ok := in[0].(*kernel.Loop)
	return ok
}
