package plan

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Cost estimates the nanoseconds that a naive tree takes on one thread once it
// is scheduled. It decides about splitting a launch over threads, not about
// results; a factor of two in it costs little.
func Cost(k *kernel.Kernel) ir.Dim {
	sum := work(k.Body)
	if product(k.Body) {
		for _, b := range k.Params { // operands that are used once are bound by memory
			if b.In {
				sum = sum.Add(b.Size.MulConst(int64(b.DType.Size())).FloorDiv(ir.Const(perUnit)))
			}
		}
	}
	return sum.FloorDiv(ir.Const(nano))
}

// product reports whether body has a product.
func product(body []kernel.Stmt) bool {
	found := false
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		st, ok := s.(*kernel.Store)
		found = found || ok && multiplies(st)
	})
	return found
}

// The unit of work is 1/nano of a nanosecond: a multiply-add of a product.
const (
	nano    = 64
	simple  = nano / 16 // an operation or a load, vectorized
	perUnit = 2         // bytes of an operand read from a near cache
	stored  = nano / 16 // a store to memory
)

// work adds up operations: those of the statements, times the extents around.
func work(body []kernel.Stmt) ir.Dim {
	sum := ir.Const(0)
	for _, s := range body {
		if st, ok := s.(*kernel.Store); ok && multiplies(st) {
			sum = sum.AddConst(1 + (exprWork(st.Value, map[*kernel.Expr]bool{})-3)/4)
			continue
		}
		kernel.StmtExprs(s, func(e *kernel.Expr) {
			sum = sum.AddConst(simple * exprWork(e, map[*kernel.Expr]bool{}))
		})
		switch s := s.(type) {
		case *kernel.Store:
			if s.Buf.Space == kernel.Global {
				sum = sum.AddConst(stored)
			}
		case *kernel.Loop:
			sum = sum.Add(work(s.Body).Mul(s.Extent))
		case *kernel.If:
			sum = sum.Add(work(s.Then)).Add(work(s.Else))
		}
	}
	return sum
}

// multiplies reports whether st is a step of a product, whose operands are in
// registers most of the time.
func multiplies(st *kernel.Store) bool {
	e := st.Value
	return st.Buf.Space == kernel.Local && e.Kind == kernel.KOp && e.Op == ir.OpFMA &&
		e.Args[2].Kind == kernel.KLoad && e.Args[2].Buf == st.Buf
}

func exprWork(e *kernel.Expr, seen map[*kernel.Expr]bool) int64 {
	if seen[e] {
		return 0
	}
	seen[e] = true
	n := int64(0)
	switch {
	case e.Kind == kernel.KOp && costly[e.Op] != 0:
		n = costly[e.Op]
	case e.Kind == kernel.KOp || e.Kind == kernel.KLoad:
		n = 1
	}
	for _, a := range e.Args {
		n += exprWork(a, seen)
	}
	return n
}

// costly has the operations that take much longer than an addition.
var costly = map[ir.Op]int64{
	ir.OpDiv: 8, ir.OpSqrt: 8, ir.OpExp: 16, ir.OpExpm1: 20, ir.OpLog: 16, ir.OpLog1p: 20, ir.OpSin: 24,
	ir.OpCos: 24, ir.OpTan: 30, ir.OpTanh: 20, ir.OpErf: 24, ir.OpSigmoid: 20, ir.OpPow: 50,
	ir.OpAsin: 24, ir.OpAcos: 24, ir.OpAtan: 24, ir.OpAtan2: 40, ir.OpSinh: 24, ir.OpCosh: 24,
	ir.OpAsinh: 30, ir.OpAcosh: 30, ir.OpAtanh: 30, ir.OpMod: 12, ir.OpRem: 12, ir.OpFloorDiv: 12,
}
