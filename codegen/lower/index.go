package lower

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// simplify uses that a loop variable stays below its extent.
func (l *lowerer) simplify(d ir.Dim) ir.Dim { return kernel.Simplify(d, l.extents) }

// flat is the row-major index of element idx.
func (l *lowerer) flat(shape ir.Shape, idx []ir.Dim) ir.Dim {
	at := ir.Const(0)
	for i, d := range shape {
		at = at.Mul(d).Add(idx[i])
	}
	return l.simplify(at)
}

// reshapeIndex returns the element of a tensor of shape `to` that is element
// idx of the same data in shape `from`. Runs of axes with equal products are
// mapped one by one, so that axes which a reshape leaves alone keep their
// variables.
func (l *lowerer) reshapeIndex(from, to ir.Shape, idx []ir.Dim) []ir.Dim {
	out := make([]ir.Dim, 0, len(to))
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		ni, nj := matchRun(from[i:], to[j:])
		lin := ir.Const(0)
		for k := i; k < i+ni; k++ {
			lin = lin.Mul(from[k]).Add(idx[k])
		}
		out = append(out, l.delinearize(lin, to[j:j+nj])...)
		i, j = i+ni, j+nj
	}
	return out
}

// delinearize splits a flat index over the extents of shape.
func (l *lowerer) delinearize(lin ir.Dim, shape ir.Shape) []ir.Dim {
	out := make([]ir.Dim, len(shape))
	lin = l.simplify(lin)
	for k := len(shape) - 1; k > 0; k-- {
		out[k] = l.simplify(lin.Mod(shape[k]))
		lin = l.simplify(lin.FloorDiv(shape[k]))
	}
	if len(shape) > 0 {
		out[0] = lin
	}
	return out
}

// matchRun returns the lengths of the shortest non-empty prefixes of a and b
// that have equal products, or everything where no shorter ones are found.
func matchRun(a, b ir.Shape) (int, int) {
	for n := 1; n <= len(a); n++ {
		for m := 1; m <= len(b); m++ {
			if a[:n].Size().Equal(b[:m].Size()) {
				return n, m
			}
		}
	}
	return len(a), len(b)
}

// inBounds is the condition 0 <= x < extent as an expression, nil where it is
// known to hold.
func (l *lowerer) inBounds(x, extent ir.Dim, lo, hi bool) *kernel.Expr {
	var cond *kernel.Expr
	if lo {
		cond = kernel.OpExpr(ir.OpGe, kernel.IndexExpr(x), kernel.IndexExpr(ir.Const(0)))
	}
	if hi {
		cond = and(cond, kernel.OpExpr(ir.OpLt, kernel.IndexExpr(x), kernel.IndexExpr(extent)))
	}
	return cond
}

// and joins conditions; nil is true.
func and(a, b *kernel.Expr) *kernel.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return kernel.OpExpr(ir.OpAnd, a, b)
}

// eqConst is the condition x == k.
func eqConst(x ir.Dim, k int64) *kernel.Expr {
	return kernel.OpExpr(ir.OpEq, kernel.IndexExpr(x), kernel.IndexExpr(ir.Const(k)))
}
