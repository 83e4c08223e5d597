package kernel

import "github.com/tensorcc/tcc/ir"

// Runs finds the loops that run at least once whenever they are reached, of
// those whose extent is not a number: a back end need not test before them.
func Runs(k *Kernel) map[*Loop]bool {
	out := map[*Loop]bool{}
	runs(k.Body, NewFacts(), out)
	return out
}

func runs(body []Stmt, f *Facts, out map[*Loop]bool) {
	f = f.Clone()
	f.signs(body)
	for _, s := range body {
		switch s := s.(type) {
		case *Loop:
			if !s.Extent.Static() && f.Less(ir.Const(0), s.Extent) {
				out[s] = true
			}
			g := f.Clone()
			g.Loop(s.Var, s.Extent)
			runs(s.Body, g, out)
		case *If:
			g, h := f.Clone(), f.Clone()
			g.Cond(s.Cond, true)
			h.Cond(s.Cond, false)
			runs(s.Then, g, out)
			runs(s.Else, h, out)
		}
	}
}
