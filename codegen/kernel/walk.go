package kernel

import "github.com/tensorcc/tcc/ir"

// WalkStmts calls f for each statement of body in order, a statement before
// the ones inside it.
func WalkStmts(body []Stmt, f func(Stmt)) {
	for _, s := range body {
		f(s)
		switch s := s.(type) {
		case *Loop:
			WalkStmts(s.Body, f)
		case *If:
			WalkStmts(s.Then, f)
			WalkStmts(s.Else, f)
		}
	}
}

// StmtExprs calls f for each expression that s itself evaluates.
func StmtExprs(s Stmt, f func(*Expr)) {
	switch s := s.(type) {
	case *Store:
		f(s.Value)
	case *Let:
		f(s.Value)
	case *If:
		f(s.Cond)
	case *Fail:
		f(s.Cond)
	}
}

// WalkExprs calls f once for each expression in body, arguments first.
func WalkExprs(body []Stmt, f func(*Expr)) {
	seen := map[*Expr]bool{}
	var walk func(*Expr)
	walk = func(e *Expr) {
		if seen[e] {
			return
		}
		seen[e] = true
		for _, a := range e.Args {
			walk(a)
		}
		f(e)
	}
	WalkStmts(body, func(s Stmt) { StmtExprs(s, walk) })
}

// WalkDims calls f for each integer expression in body: extents of loops,
// indices of loads, stores and tiles, sizes of buffers, integers in
// expressions.
func WalkDims(body []Stmt, f func(ir.Dim)) {
	WalkStmts(body, func(s Stmt) {
		switch s := s.(type) {
		case *Loop:
			f(s.Extent)
		case *Store:
			f(s.Index)
		case *Alloc:
			f(s.Buf.Size)
			if s.Buf.Of != nil {
				f(s.Buf.At)
			}
		case *Call:
			for _, t := range s.Tiles {
				f(t.Index)
				for _, d := range t.Strides {
					f(d)
				}
			}
		}
	})
	WalkExprs(body, func(e *Expr) {
		if e.Kind == KIndex || e.Kind == KLoad {
			f(e.Index)
		}
	})
}
