package plan

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// slots turns ir.Dims into the integers of a program.
type slots struct {
	p      *runtime.Program
	exprs  map[runtime.Expr]runtime.Int
	syms   map[string]int
	isLate map[runtime.Int]bool
	err    error
}

func newSlots(p *runtime.Program) *slots {
	return &slots{p: p, exprs: map[runtime.Expr]runtime.Int{}, syms: map[string]int{},
		isLate: map[runtime.Int]bool{}}
}

// declare adds a symbol that is read from an axis of an input; a second axis
// with the same name is checked against the first by the runtime.
func (s *slots) declare(name string, input, axis int) {
	if _, ok := s.syms[name]; ok {
		return
	}
	s.syms[name] = len(s.p.Symbols)
	s.p.Symbols = append(s.p.Symbols, runtime.Symbol{Name: name, Input: input, Axis: axis})
}

// declareLate adds the symbols that g and its regions define.
func (s *slots) declareLate(g *ir.Graph) {
	for _, v := range g.Values {
		switch a := v.Attr.(type) {
		case *ir.BindAttr:
			s.declare(a.Sym, -1, 0)
		case *ir.IfAttr:
			for _, sym := range a.Syms {
				s.declare(sym, -1, 0)
			}
		}
		if v.Op == ir.OpNonZero {
			s.declare(nonZeroSym(v), -1, 0)
		}
		for _, r := range v.Regions() {
			s.declareLate(r)
		}
	}
}

// symbol returns the index of a symbol that was declared.
func (s *slots) symbol(name string) int {
	i, ok := s.syms[name]
	if !ok {
		panic("BUG: plan: undeclared symbol " + name)
	}
	return i
}

// late reports whether x depends on a symbol that is bound late.
func (s *slots) late(x runtime.Int) bool { return s.isLate[x] }

var exprOps = map[byte]runtime.ExprOp{'+': runtime.OpAdd, '*': runtime.OpMul, '/': runtime.OpFloorDiv,
	'%': runtime.OpMod, '<': runtime.OpMin, '>': runtime.OpMax}

// int returns the integer that computes d.
func (s *slots) int(d ir.Dim) (runtime.Int, error) {
	s.err = nil
	x := ir.Walk(d, s.number, s.sym, func(op byte, a, b runtime.Int) runtime.Int {
		return s.add(runtime.Expr{Op: exprOps[op], A: a, B: b}, s.late(a) || s.late(b))
	})
	return x, s.err
}

func (s *slots) number(k int64) runtime.Int {
	if k >= 0 {
		return runtime.Int(k)
	}
	return s.add(runtime.Expr{Op: runtime.OpConst, Const: k}, false)
}

func (s *slots) sym(name string) runtime.Int {
	i, ok := s.syms[name]
	if !ok {
		s.err = fmt.Errorf("extent %s is no input's extent and not computed", name)
		return 0
	}
	return s.add(runtime.Expr{Op: runtime.OpSym, A: runtime.Int(i)}, s.p.Symbols[i].Input < 0)
}

// add returns the slot of an expression: equal ones share it.
func (s *slots) add(e runtime.Expr, late bool) runtime.Int {
	x, ok := s.exprs[e]
	if !ok {
		x = ^runtime.Int(len(s.p.Exprs))
		s.p.Exprs = append(s.p.Exprs, e)
		s.exprs[e] = x
		s.isLate[x] = late
	}
	return x
}

// loopSymbol names the counter of a loop, which is not declared yet.
func (s *slots) loopSymbol() string { return fmt.Sprintf("_t%d", len(s.p.Symbols)) }

// sum adds two integers.
func (s *slots) sum(a, b runtime.Int) runtime.Int {
	switch {
	case a >= 0 && b >= 0:
		return a + b
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return s.add(runtime.Expr{Op: runtime.OpAdd, A: a, B: b}, s.late(a) || s.late(b))
}
