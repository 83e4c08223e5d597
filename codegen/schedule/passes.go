package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Products of few rows read each element of the operand with lanes once. Where
// it comes from memory, some steps of the accumulation pass over the columns of a
// task together, so that as many rows of it are read a page each, and what the
// next pass reads is asked for; the accumulators lie in the nearest cache. (4096 x
// 4096, one row: 4.8 ms as other products, 3.2 in passes, 2.3 with asking ahead,
// 3.4 in pieces of a kilobyte; 8 rows: 8.5, 4.4, 3.4, 4.1; AMD EPYC, 2026-11-26.)
//
// One to three rows, which memory alone bounds, ask for the same place of all rows
// that the next pass has. More rows, which take as long to compute, are to ask for
// little at once: they go through the next pass in the order of memory, a line in
// each step, in blocks of one vector of columns. (8 rows: 3.4 ms in the first way, 2.7 so; the
// same machine and day.)
const (
	fewRows   = 8
	orderRows = 4 // from how many on a pass is asked for in order
	fewSteps  = 8
	passPiece = 4096 // bytes of a row, if that leaves some tasks
)

// passSteps is the steps of a pass: so many that accumulators are loaded and
// stored no more often than lines of the operand are read.
func (p *product) passSteps() int64 {
	if m, ok := p.rows(); ok && m > fewSteps/2 {
		return 2 * fewSteps
	}
	return fewSteps
}

// once reports whether the operand with lanes comes from memory and one block has
// all rows that it serves.
func (p *product) once(b block) bool {
	k, ok := p.k.Int()
	n, fixed := p.static(p.n)
	if !ok || !fixed || p.scalar() || k*n*4 < int64(p.t.L3) || p.spread() {
		return false
	}
	m, ok := p.rows()
	return ok && m <= min(b.rows, fewRows)
}

// passes reports whether the product is such a one, with the steps of the
// accumulation far apart, as they are not in panels.
func (p *product) passes(b block) bool {
	return len(p.red) == 1 && p.once(b) && slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool {
		return e.Index.Has(p.n) && !p.odd[e.Buf] && len(e.Args) == 0 && p.sparse(e, b)
	})
}

// askNext asks for what the next pass reads of a buffer that does not stay in
// the caches, or the next pages of a panel, as the hardware does not foresee it
// from one page to the next. (8 rows, 4096 x 4096 in panels: 4.0 and 2.9 ms.)
func (p *product) askNext(b block) {
	if !p.once(b) || p.t.Stream == 0 {
		return
	}
	passes := p.passes(b)
	p.ahead = map[string]int64{}
	for _, e := range p.loads {
		step, _, _ := e.Index.Linear(last(p.red))
		size, _ := e.Buf.Size.Int()
		n, ok := step.Int()
		switch {
		case !ok || p.odd[e.Buf] || !e.Index.Has(p.n) || size*int64(e.DType.Size()) < p.t.Stream:
		case !passes:
			p.ahead[e.Buf.Name] = 2 * passPiece / int64(e.DType.Size())
		case b.rows >= orderRows && b.cols == 1:
			p.inOrder = append(p.inOrder, e.Buf.Name)
		default:
			p.ahead[e.Buf.Name] = n * p.passSteps()
		}
	}
}

// askInOrder has each step of the accumulation ask for a vector of what the next
// pass reads of the buffers in p.inOrder.
func (p *product) askInOrder(t *tiling) error {
	step := last(p.red)
	for _, name := range p.inOrder {
		var at ir.Dim
		kernel.WalkExprs(p.Loop(step).Body, func(e *kernel.Expr) {
			if e.Kind == kernel.KLoad && e.Buf.Name == name {
				at = e.Index
			}
		})
		row, at, ok := at.Linear(step)
		if !ok {
			continue
		}
		inner := map[string]bool{t.nt: true}
		kernel.WalkStmts(p.Loop(step).Body, func(s kernel.Stmt) {
			if l, ok := s.(*kernel.Loop); ok {
				inner[l.Var] = true
			}
		})
		at = at.Subst(func(s string) (ir.Dim, bool) {
			if s == t.kb {
				return ir.Sym(s).AddConst(1), true
			}
			return ir.Const(0), inner[s]
		})
		vector := ir.Sym(t.nt).MulConst(t.split.factor).Add(ir.Sym(step))
		each := ir.Const(t.n)
		at = at.Add(row.Mul(vector.FloorDiv(each))).Add(vector.Mod(each).MulConst(t.w))
		if err := p.Ask(step, name, at); err != nil {
			return err
		}
	}
	return nil
}
