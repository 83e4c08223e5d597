package kernel

import "github.com/tensorcc/tcc/ir"

// check says that elements of a parameter, which the kernel does not write, have been
// found good: where a loop has passed that ends the kernel if cond holds for one, cond
// does not hold for any.
type check struct {
	let  *Let // of the element, in the loop
	cond *Expr
	loop *Loop
}

// passed are the checks ahead of the place, each by a loop of a let and a fail.
func (p *place) passed(k *Kernel) []check {
	var out []check
	body, path := k.Body, p.path
	for {
		next := Stmt(p.loop)
		if len(path) > 0 {
			next = path[0].stmt
		}
		for _, s := range body {
			if s == next {
				break
			}
			if c, ok := checkOf(s); ok {
				out = append(out, c)
			}
		}
		if len(path) == 0 {
			return out
		}
		body, path = *path[0].body, path[1:]
	}
}

func checkOf(s Stmt) (c check, ok bool) {
	l, ok := s.(*Loop)
	if !ok || len(l.Body) != 2 {
		return check{}, false
	}
	let, isLet := l.Body[0].(*Let)
	fail, fails := l.Body[1].(*Fail)
	if !isLet || !fails {
		return check{}, false
	}
	return check{let, fail.Cond, l}, true
}

// element is the load whose value x is, or whose value x is as another type: of an element
// that stays what it is.
func element(x *Expr) *Expr {
	for x.Kind == KOp && x.Op == ir.OpCast {
		x = x.Args[0]
	}
	if x.Kind != KLoad || len(x.Args) > 0 || x.Buf.Space != Global || x.Buf.Out {
		return nil
	}
	return x
}

// tell adds to f what the check says of the value of let, if that is an element that was
// checked.
func (c check) tell(f *Facts, let *Let) {
	was, is := element(c.let.Value), element(let.Value)
	if was == nil || is == nil {
		return
	}
	same := c.let.Value.Rewrite(func(x *Expr) *Expr {
		if x == was {
			return Load(was.Buf, is.Index)
		}
		return x
	})
	coef, rest, ok := was.Index.Linear(c.loop.Var)
	if !sameExpr(same, let.Value) || !ok || !coef.IsConst(1) ||
		!f.InBounds(is.Index.Sub(rest), c.loop.Extent) {
		return
	}
	to := ir.Sym(let.Var)
	f.Cond((&subst{dim: func(d ir.Dim) ir.Dim {
		return d.Subst(func(s string) (ir.Dim, bool) { return to, s == c.let.Var })
	}}).e(c.cond), false)
}
