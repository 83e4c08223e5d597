package plan

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Cost estimates the nanoseconds that a naive tree takes on one thread once it
// is scheduled. It decides about splitting a launch over threads, not about
// results; a factor of two in it costs little.
func Cost(k *kernel.Kernel) ir.Dim {
	const perNano = 16 // simple operations a nanosecond, vectorized
	return work(k.Body).FloorDiv(ir.Const(perNano))
}

// work counts operations: those of the stores, times the extents around.
func work(body []kernel.Stmt) ir.Dim {
	sum := ir.Const(0)
	for _, s := range body {
		kernel.StmtExprs(s, func(e *kernel.Expr) { sum = sum.AddConst(exprWork(e, map[*kernel.Expr]bool{})) })
		switch s := s.(type) {
		case *kernel.Loop:
			sum = sum.Add(work(s.Body).Mul(s.Extent))
		case *kernel.If:
			sum = sum.Add(work(s.Then)).Add(work(s.Else))
		}
	}
	return sum
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
