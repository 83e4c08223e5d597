package kernel

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// only returns the loop that is the whole body of l.
func (l *Loop) only() (*Loop, bool) {
	if len(l.Body) != 1 {
		return nil, false
	}
	in, ok := l.Body[0].(*Loop)
	return in, ok
}

// interchange exchanges loop v with the loop that is its whole body. It is
// legal where the iterations of one do not depend on each other, whatever the
// other's variable: what depends then shares that variable's value and keeps
// its order. Folds into an accumulator may be in any order.
func (k *Kernel) interchange(v string) error {
	p, err := k.find("reorder", v)
	if err != nil {
		return err
	}
	a := p.loop
	b, ok := a.only()
	if !ok {
		return refuse("reorder", v, "its body is not just one loop")
	}
	if b.Extent.Has(v) {
		return refuse("reorder", v, "the extent %v of %s depends on it", b.Extent, b.Var)
	}
	if parallel(a.Bind) != parallel(b.Bind) {
		return refuse("reorder", v, "it is %v and %s is %v", a.Bind, b.Var, b.Bind)
	}
	if !a.Indep {
		f := p.inside()
		if !independent(f, b.Var, b.Body, []string{v}) && !onlyFolds(f, b, v) {
			return refuse("reorder", v, "neither its iterations nor those of %s are independent", b.Var)
		}
	}
	inner, outer := *a, *b
	inner.Body = b.Body
	outer.Body = []Stmt{&inner}
	p.replace(&outer)
	return nil
}

// onlyFolds reports whether iterations of b, for any v, depend on each other
// only by folding into accumulators, whose order is free up to rounding.
func onlyFolds(f *Facts, b *Loop, v string) bool {
	folds, err := foldsOf(v, b.Body)
	return err == nil && independentBut(f, b.Var, b.Body, folds, []string{v}) == nil
}

func parallel(b Bind) bool { return b != Serial && b != Unroll && b != Vector }

// Reorder brings the loops, which are nested perfectly in any order, into the
// order given.
func (k *Kernel) Reorder(order ...string) error {
	for i, v := range order {
		for {
			nest, err := k.nestOf(order[i:])
			if err != nil {
				return err
			}
			at := slices.Index(nest, v)
			if at == 0 {
				break
			}
			if err := k.interchange(nest[at-1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// nestOf lists the loops, outermost first, from the outermost of vars to the
// innermost of them.
func (k *Kernel) nestOf(vars []string) ([]string, error) {
	left := map[string]bool{}
	var top *place
	for _, v := range vars {
		left[v] = true
		p, err := k.find("reorder", v)
		if err != nil {
			return nil, err
		}
		if top == nil || len(p.path) < len(top.path) {
			top = p
		}
	}
	var out []string
	for l := top.loop; ; {
		if !left[l.Var] {
			return nil, refuse("reorder", l.Var, "it is between the loops to reorder")
		}
		out = append(out, l.Var)
		delete(left, l.Var)
		if len(left) == 0 {
			return out, nil
		}
		in, ok := l.only()
		if !ok {
			return nil, refuse("reorder", l.Var, "its body is not just one loop")
		}
		l = in
	}
}

// Fuse makes one loop of v and the loop that is its whole body. It keeps the
// name v. It is always legal: the order of iterations stays.
func (k *Kernel) Fuse(v string) error {
	p, err := k.find("fuse", v)
	if err != nil {
		return err
	}
	a := p.loop
	b, ok := a.only()
	if !ok {
		return refuse("fuse", v, "its body is not just one loop")
	}
	if b.Extent.Has(v) {
		return refuse("fuse", v, "the extent %v of %s depends on it", b.Extent, b.Var)
	}
	if a.Bind != b.Bind {
		return refuse("fuse", v, "it is %v and %s is %v", a.Bind, b.Var, b.Bind)
	}
	i := ir.Sym(v)
	body := (&subst{dim: func(d ir.Dim) ir.Dim {
		return d.Subst(func(s string) (ir.Dim, bool) {
			switch s {
			case v:
				return i.FloorDiv(b.Extent), true
			case b.Var:
				return i.Mod(b.Extent), true
			}
			return ir.Dim{}, false
		})
	}}).body(b.Body)
	out := &Loop{Var: v, Extent: a.Extent.Mul(b.Extent), Bind: a.Bind, Body: body,
		Indep: a.Indep && b.Indep}
	f := p.facts()
	if !b.Extent.Static() {
		f.Add(b.Extent.AddConst(-1)) // the body runs only then
	}
	p.replace(simplifyBody([]Stmt{out}, f)...)
	return nil
}

// Fission makes two loops of loop v: one with the first n statements of its
// body, which keeps the name, and one with the rest, whose name is returned.
// It is legal where iterations are independent. Where the body is one
// condition without else, n counts the statements in it.
func (k *Kernel) Fission(v string, n int) (string, error) {
	p, err := k.find("fission", v)
	if err != nil {
		return "", err
	}
	l := p.loop
	if !l.Indep {
		return "", refuse("fission", v, "its iterations are not known to be independent")
	}
	if parallel(l.Bind) {
		return "", refuse("fission", v, "it is %v", l.Bind)
	}
	body := l.Body
	var cond *If
	if c, ok := soleIf(body); ok {
		cond, body = c, c.Then
	}
	if n <= 0 || n >= len(body) {
		return "", refuse("fission", v, "statement %d of %d", n, len(body))
	}
	lets, err := k.crossing(v, cond, body[:n], body[n:])
	if err != nil {
		return "", err
	}
	first, second := body[:n:n], append(lets, body[n:]...)
	if cond != nil {
		first = []Stmt{&If{Cond: cond.Cond, Then: first}}
		second = []Stmt{&If{Cond: cond.Cond, Then: second}}
	}
	a, b := *l, *l
	a.Body = first
	b.Var = k.fresh(v)
	b.Body = second
	names := map[string]string{v: b.Var}
	for _, s := range lets {
		names[s.(*Let).Var] = k.fresh(s.(*Let).Var)
	}
	b.Body = (&subst{names: names}).body(b.Body)
	p.replace(&a, &b)
	return b.Var, nil
}

func soleIf(body []Stmt) (*If, bool) {
	if len(body) != 1 {
		return nil, false
	}
	c, ok := body[0].(*If)
	return c, ok && len(c.Else) == 0
}

// reads reports whether e loads from one of bufs.
func reads(e *Expr, bufs map[*Buffer]bool) bool {
	found := false
	WalkExprs([]Stmt{&Let{Value: e}}, func(x *Expr) {
		found = found || x.Kind == KLoad && bufs[x.Buf]
	})
	return found
}

// crossing returns the lets of first that second needs and may compute again;
// anything else that second needs of first is refused.
func (k *Kernel) crossing(v string, cond *If, first, second []Stmt) ([]Stmt, error) {
	writes := collect(first).writes()
	if cond != nil && reads(cond.Cond, writes) {
		return nil, refuse("fission", v, "the condition reads what the first part writes")
	}
	uses := collect(second)
	var lets []Stmt
	for _, s := range slices.Backward(first) { // a let may need those before it
		switch s := s.(type) {
		case *Alloc:
			if slices.ContainsFunc(uses.list, func(a access) bool { return a.buf == s.Buf }) {
				return nil, refuse("fission", v, "both parts use buffer %s", s.Buf.Name)
			}
		case *Let:
			if !mentions(second, s.Var) && !mentions(lets, s.Var) {
				continue
			}
			if reads(s.Value, writes) {
				return nil, refuse("fission", v, "both parts use %s, which may change", s.Var)
			}
			lets = append([]Stmt{s}, lets...)
		}
	}
	return lets, nil
}

// mentions reports whether body uses variable v.
func mentions(body []Stmt, v string) bool {
	found := false
	WalkDims(body, func(d ir.Dim) { found = found || d.Has(v) })
	WalkExprs(body, func(e *Expr) { found = found || e.Kind == KVar && e.Var == v })
	return found
}

// FissionNest splits the perfect nest of loops from the first of vars inwards,
// whose innermost body has statements, after n of them: each loop becomes
// two. It returns the names of the loops of the second nest.
func (k *Kernel) FissionNest(vars []string, n int) ([]string, error) {
	out := make([]string, len(vars))
	for i := len(vars) - 1; i >= 0; i-- {
		name, err := k.Fission(vars[i], n)
		if err != nil {
			return nil, err
		}
		out[i] = name
		n = 1
	}
	return out, nil
}

// Sink moves the condition that is the whole body of loop v into the loop that
// is the condition's whole body: v{if c {w{…}}} becomes v{w{if c {…}}}.
func (k *Kernel) Sink(v string) error {
	p, err := k.find("sink", v)
	if err != nil {
		return err
	}
	c, ok := soleIf(p.loop.Body)
	if !ok || len(c.Then) != 1 {
		return refuse("sink", v, "its body is not one condition of one statement")
	}
	in, ok := c.Then[0].(*Loop)
	if !ok {
		return refuse("sink", v, "there is no loop in the condition")
	}
	if reads(c.Cond, collect(in.Body).writes()) {
		return refuse("sink", v, "the loop writes what the condition reads")
	}
	l := *in
	l.Body = []Stmt{&If{Cond: c.Cond, Then: in.Body}}
	p.loop.Body = []Stmt{&l}
	return nil
}

// Hoist moves the condition that is the whole body of loop v, and does not
// depend on it, around the loop. It returns the name of the loop where the
// condition does not hold, empty if there is none.
func (k *Kernel) Hoist(v string) (els string, err error) {
	p, err := k.find("hoist", v)
	if err != nil {
		return "", err
	}
	if len(p.loop.Body) != 1 || parallel(p.loop.Bind) {
		return "", refuse("hoist", v, "its body is not one condition")
	}
	c, ok := p.loop.Body[0].(*If)
	if !ok {
		return "", refuse("hoist", v, "its body is not one condition")
	}
	if mentions([]Stmt{&Fail{Cond: c.Cond}}, v) {
		return "", refuse("hoist", v, "the condition depends on it")
	}
	if reads(c.Cond, collect(p.loop.Body).writes()) {
		return "", refuse("hoist", v, "the loop writes what the condition reads")
	}
	then := *p.loop
	then.Body = c.Then
	out := &If{Cond: c.Cond, Then: []Stmt{&then}}
	if len(c.Else) > 0 {
		other := *p.loop
		other.Var = k.fresh(v)
		other.Body = (&subst{names: map[string]string{v: other.Var}}).body(c.Else)
		out.Else, els = []Stmt{&other}, other.Var
	}
	p.replace(out)
	return els, nil
}

// HoistNest moves the condition that is the innermost body of the perfect nest of
// vars around it. It returns the names of the loops where the condition does not
// hold, nil if there are none.
func (k *Kernel) HoistNest(vars []string) (els []string, err error) {
	els = make([]string, len(vars))
	for i, v := range slices.Backward(vars) {
		if els[i], err = k.Hoist(v); err != nil {
			return nil, err
		}
	}
	if els[0] == "" {
		return nil, nil
	}
	return els, nil
}
