package kernel

import "github.com/tensorcc/tcc/ir"

// Below writes each exponential of an element less the maximum that loop v folds as that of
// minus a magnitude, which such a difference is, or NaN: an exponential that is never above
// 1 may take fewer instructions.
//
// It is legal in the loops behind v with as many iterations, where what these and the maximum
// are computed from does not change.
func (k *Kernel) Below(v string) error {
	p, err := k.find("below", v)
	if err != nil {
		return err
	}
	z := &loosening{v: v}
	if err := z.maximum(p.loop); err != nil {
		return err
	}
	at := 0
	for (*p.body)[at] != Stmt(p.loop) {
		at++
	}
	rest := (*p.body)[at+1:]
	all := collect(rest)
	if !all.known {
		return refuse("below", v, "instructions hide what they touch")
	}
	written := map[*Buffer]bool{}
	for b := range all.writes() {
		written[root(b)] = true
	}
	if readsRoot(z.store.Value, written) {
		return refuse("below", v, "what it folds changes")
	}
	found := false
	for i, s := range rest {
		l, ok := s.(*Loop)
		if !ok || !l.Extent.Equal(z.extent) {
			continue
		}
		x := replaceVar([]Stmt{&Let{Value: z.x}}, z.v, ir.Sym(l.Var))[0].(*Let).Value
		rest[i] = (&subst{expr: func(e *Expr) *Expr {
			if e.Kind != KOp || e.Op != ir.OpExp || e.Args[0].Kind != KOp || e.Args[0].Op != ir.OpSub {
				return e
			}
			d := e.Args[0]
			if !sameExpr(d.Args[0], x) || !sameExpr(d.Args[1], z.acc) {
				return e
			}
			found = true
			return OpExpr(ir.OpExp, OpExpr(ir.OpNeg, OpExpr(ir.OpAbs, d)))
		}}).body([]Stmt{l})[0]
	}
	if !found {
		return refuse("below", v, "no exponential is of what it folds")
	}
	return nil
}
