package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// cutRest cuts the columns n0, whose number is known, where vectors of w lanes
// would leave most lanes of the last one idle: what is left becomes a loop of
// its own for narrower vectors, 24 columns 16 and 8. It returns the names of the
// copies of the loops, nil where nothing was cut.
func (p *product) cutRest(n0 string, w int64) (map[string]string, error) {
	n, ok := p.static(n0)
	if !ok || n < w || n%w == 0 || n%w > w/2 {
		return nil, nil
	}
	return p.Cut(n0, ir.Const(n/w*w))
}

// unguard has accumulators computed in all lanes, where the operands are there:
// a condition costs an operation for each multiply-add.
func (s *scheduler) unguard() {
	var names []string
	kernel.WalkStmts(s.Body, func(st kernel.Stmt) {
		if a, ok := st.(*kernel.Alloc); ok && a.Buf.Space == kernel.Local {
			names = append(names, a.Buf.Name)
		}
	})
	for _, name := range names {
		_ = s.Unguard(name) // refused: the conditions stay
	}
}
