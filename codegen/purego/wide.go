package purego

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// accumulators finds the local buffers of f32 that only sums of products, and what these
// begin with, are stored in. They are held in float64 and rounded where they are read: the
// product of two f32 is exact there, so that the sum is closer to the meaning
// than one of f32 FMAs, and conversions do not lie between one addition and
// the next, which would take three times as long.
func accumulators(k *kernel.Kernel) map[*kernel.Buffer]bool {
	wide := map[*kernel.Buffer]bool{}
	other := map[*kernel.Buffer]bool{}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		st, ok := s.(*kernel.Store)
		switch {
		case !ok:
		case st.Buf.Space == kernel.Local && st.Buf.DType == ir.F32 && isSum(st):
			wide[st.Buf] = true
		case st.Value.Kind != kernel.KConst && !plainLoad(st.Value):
			other[st.Buf] = true
		}
	})
	for b := range other {
		delete(wide, b)
	}
	return wide
}

// plainLoad reports whether e is a load without a condition.
func plainLoad(e *kernel.Expr) bool { return e.Kind == kernel.KLoad && len(e.Args) == 0 }

// copies finds the scratch and common buffers of f32 that only such sums read, copies of
// what they multiply and parts of sums: they are of float64 too, so that elements are
// converted once, and not rounded.
func copies(k *kernel.Kernel, sums map[*kernel.Buffer]bool) map[*kernel.Buffer]bool {
	factors, out := map[*kernel.Expr]bool{}, map[*kernel.Buffer]bool{}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		st, ok := s.(*kernel.Store)
		switch {
		case !ok || !sums[st.Buf]:
		case st.Value.Kind == kernel.KOp:
			factors[st.Value.Args[0]], factors[st.Value.Args[1]] = true, true
		default:
			factors[st.Value] = true
		}
	})
	see := func(b *kernel.Buffer, ok bool) {
		if was, seen := out[b]; seen {
			ok = ok && was
		}
		out[b] = ok && b.DType == ir.F32 && b.Of == nil &&
			(b.Space == kernel.Scratch || b.Space == kernel.Common)
	}
	kernel.WalkExprs(k.Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad {
			see(e.Buf, factors[e] && plainLoad(e))
		}
	})
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if a, ok := s.(*kernel.Alloc); ok && a.Buf.Of != nil {
			see(a.Buf.Of, false)
		}
	})
	return out
}

// isSum reports whether s adds a product to the element that it stores.
func isSum(s *kernel.Store) bool {
	v := s.Value
	if v.Kind != kernel.KOp || v.Op != ir.OpFMA || v.DType != ir.F32 {
		return false
	}
	old := v.Args[2]
	return old.Kind == kernel.KLoad && len(old.Args) == 0 && old.Buf == s.Buf &&
		old.Index.Equal(s.Index)
}

// accumulate prints a store to an accumulator.
func (p *printer) accumulate(s *kernel.Store) error {
	at := p.place(s.Buf, s.Index)
	if s.Value.Kind != kernel.KOp {
		v, err := p.exact(s.Value)
		p.printf("%s = %s", at, v)
		p.forgetLoads()
		return err
	}
	x, err := p.exact(s.Value.Args[0])
	if err != nil {
		return err
	}
	y, err := p.exact(s.Value.Args[1])
	if err != nil {
		return err
	}
	p.printf("%s += %s * %s", at, x, y)
	p.forgetLoads()
	return nil
}

// exact prints e in float64, not rounded where it is held so.
func (p *printer) exact(e *kernel.Expr) (string, error) {
	if plainLoad(e) && (p.copied[e.Buf] || p.wide[e.Buf]) {
		return p.place(e.Buf, e.Index), nil
	}
	x, err := p.expr(e)
	return "float64(" + x + ")", err
}
