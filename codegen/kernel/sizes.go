package kernel

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// scratchAlign is what scratch buffers are aligned to, in bytes.
const scratchAlign = 64

// ScratchSize is how many bytes of scratch an execution of a task needs at
// most: buffers that live at the same time lie one after the other, aligned
// to 64 bytes. Sizes must depend on the kernel's dims alone, or on variables
// of loops, whose greatest value is then taken where the size grows with it.
func ScratchSize(k *Kernel) ir.Dim { return scratchSize(k.Body, map[string]ir.Dim{}) }

func scratchSize(body []Stmt, extents map[string]ir.Dim) ir.Dim {
	here, inner := ir.Const(0), ir.Const(0)
	for _, s := range body {
		switch s := s.(type) {
		case *Alloc:
			if s.Buf.Space == Scratch {
				here = here.Add(ScratchBytes(atMost(s.Buf.Size, extents), s.Buf.DType))
			}
		case *Loop:
			extents[s.Var] = s.Extent
			inner = larger(inner, scratchSize(s.Body, extents))
		case *If:
			inner = larger(inner, larger(scratchSize(s.Then, extents), scratchSize(s.Else, extents)))
		}
	}
	return here.Add(inner)
}

// larger is the larger of two sizes, of which many are 0.
func larger(a, b ir.Dim) ir.Dim {
	switch {
	case a.IsConst(0):
		return b
	case b.IsConst(0):
		return a
	}
	return a.Max(b)
}

// ScratchBytes is what a scratch buffer of n elements takes up.
func ScratchBytes(n ir.Dim, d ir.DType) ir.Dim {
	return n.MulConst(int64(d.Size())).CeilDiv(ir.Const(scratchAlign)).MulConst(scratchAlign)
}

// atMost replaces loop variables by their greatest values, and min(n, …), with a
// loop variable in it, by n.
func atMost(d ir.Dim, extents map[string]ir.Dim) ir.Dim {
	looped := func(d ir.Dim) bool {
		return slices.ContainsFunc(d.SymNames(), func(s string) bool { _, ok := extents[s]; return ok })
	}
	for range 16 {
		d = ir.Walk(d, ir.Const, ir.Sym, func(op byte, a, b ir.Dim) ir.Dim {
			switch {
			case op == '<' && a.Static() && looped(b):
				return a
			case op == '<' && b.Static() && looped(a):
				return b
			}
			return ir.DimOp(op, a, b)
		})
		if !looped(d) {
			break
		}
		d = d.Subst(func(s string) (ir.Dim, bool) {
			e, ok := extents[s]
			return e.AddConst(-1), ok
		})
	}
	return d
}

// Tasks is the number of tasks of k: the product of the extents of its
// parallel loops, or the extent of its loop over steps, 1 without any; of two
// nests of parallel loops the sum.
func Tasks(k *Kernel) ir.Dim { return tasksOf(nestsOf(k)) }

func tasksOf(nests [][]Stmt) ir.Dim {
	sum := ir.Const(0)
	for _, body := range nests {
		n := ir.Const(1)
		for len(body) == 1 {
			l, ok := body[0].(*Loop)
			if !ok || l.Bind != Parallel && l.Bind != Steps {
				break
			}
			n = n.Mul(l.Extent)
			body = l.Body
		}
		sum = sum.Add(n)
	}
	return sum
}
