package llvm

import (
	llvm "github.com/llir/llvm/ir"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Choices between a long computation and a short one: straight-line code such
// as the reduction of huge angles, which hardly ever counts. It is jumped over
// where no lane wants it.

// rareOps is how many operations the first choice of selects must have more
// than what is computed anyway, for a jump over it.
const rareOps = 40

// rareSelect emits x, and with it all selects of the statement that have its
// condition, if what they choose where it holds is long.
func (e *emitter) rareSelect(x *kernel.Expr, cond val) (val, bool) {
	if e.rare == nil {
		e.rare = rareSelects(e.stmt)
	}
	group := e.rare[x.Args[0]]
	if len(group) == 0 || e.lane != "" && !cond.vec {
		return val{}, false
	}
	others := make([]val, len(group))
	for i, s := range group {
		others[i] = e.widen(e.expr(s.Args[2]), cond.vec)
	}
	pre, then, exit := e.cur, e.f.NewBlock(""), e.f.NewBlock("")
	pre.NewCondBr(e.any(cond), then, exit)
	e.cur = then
	chosen := make([]val, len(group))
	outer := e.memo
	e.memo = make(map[*kernel.Expr]val, len(outer))
	for k, v := range outer {
		e.memo[k] = v
	}
	e.scoped(func() {
		for i, s := range group {
			chosen[i] = e.choose(cond, e.expr(s.Args[1]), others[i])
		}
	})
	e.memo = outer
	last := e.cur
	last.NewBr(exit)
	e.cur = exit
	for i, s := range group {
		phi := exit.NewPhi(llvm.NewIncoming(chosen[i].Value, last),
			llvm.NewIncoming(others[i].Value, pre))
		e.memo[s] = val{phi, cond.vec}
	}
	return e.memo[x], true
}

// rareSelects groups by condition the selects of a statement that are worth a
// jump. A group has no select that another of it depends on.
func rareSelects(s kernel.Stmt) map[*kernel.Expr][]*kernel.Expr {
	groups := map[*kernel.Expr][]*kernel.Expr{}
	kernel.StmtExprs(s, func(root *kernel.Expr) {
		reach(root, nil, map[*kernel.Expr]bool{}, func(x *kernel.Expr) {
			if x.Kind == kernel.KOp && x.Op == ir.OpSelect && x.Args[0].Kind == kernel.KOp {
				groups[x.Args[0]] = append(groups[x.Args[0]], x)
			}
		})
	})
	for cond, group := range groups {
		anyway := map[*kernel.Expr]bool{}
		reach(cond, nil, anyway, func(*kernel.Expr) {})
		for _, x := range group {
			reach(x.Args[2], nil, anyway, func(*kernel.Expr) {})
		}
		n := 0
		inside := map[*kernel.Expr]bool{}
		for _, x := range group {
			reach(x.Args[1], anyway, inside, func(y *kernel.Expr) {
				if y.Kind == kernel.KOp {
					n++
				}
			})
		}
		for _, x := range group {
			if anyway[x] || inside[x] {
				n = 0
			}
		}
		if n < rareOps {
			delete(groups, cond)
		}
	}
	return groups
}

// reach calls f for what x depends on and x itself, arguments first, but not
// for what is in stop or seen.
func reach(x *kernel.Expr, stop, seen map[*kernel.Expr]bool, f func(*kernel.Expr)) {
	if stop[x] || seen[x] {
		return
	}
	seen[x] = true
	for _, a := range x.Args {
		reach(a, stop, seen, f)
	}
	f(x)
}
