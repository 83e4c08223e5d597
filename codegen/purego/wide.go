package purego

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// accumulators finds the local buffers of f32 that only sums of products are
// stored in. They are held in float64 and rounded where they are read: the
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
		case st.Value.Kind != kernel.KConst:
			other[st.Buf] = true
		}
	})
	for b := range other {
		delete(wide, b)
	}
	return wide
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
	at := p.use(s.Buf.Name) + "[" + p.at(s.Index) + "]"
	if s.Value.Kind == kernel.KConst {
		p.printf("%s = float64(%s)", at, constant(s.Value))
		p.forgetLoads()
		return nil
	}
	x, err := p.expr(s.Value.Args[0])
	if err != nil {
		return err
	}
	y, err := p.expr(s.Value.Args[1])
	if err != nil {
		return err
	}
	p.printf("%s += float64(%s) * float64(%s)", at, x, y)
	p.forgetLoads()
	return nil
}
