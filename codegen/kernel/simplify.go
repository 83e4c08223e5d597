package kernel

import "github.com/tensorcc/tcc/ir"

// Simplify rewrites d with the knowledge that each symbol v in extents has
// 0 <= v < extents[v] and every other symbol is not negative: (i*C+j)/C is i
// and (i*C+j)%C is j where 0 <= j < C, and C*(x/C)+x%C is x, also for
// symbolic C. A symbol whose extent is the number 0 may have any value.
func Simplify(d ir.Dim, extents map[string]ir.Dim) ir.Dim {
	if !composite(d) {
		return d
	}
	f := NewFacts()
	todo, seen := d.SymNames(), map[string]bool{}
	for len(todo) > 0 {
		v := todo[0]
		todo = todo[1:]
		e, ok := extents[v]
		if !ok || seen[v] {
			continue
		}
		seen[v] = true
		if e.IsConst(0) {
			f.Signed(v)
			continue
		}
		f.Loop(v, e)
		todo = append(todo, e.SymNames()...)
	}
	return f.Simplify(d)
}

// composite reports whether d is more than a polynomial.
func composite(d ir.Dim) bool {
	return ir.Walk(d, func(int64) bool { return false }, func(string) bool { return false },
		func(op byte, a, b bool) bool { return a || b || op != '+' && op != '*' })
}

// Simplify rewrites d with what is known, see the function [Simplify].
func (f *Facts) Simplify(d ir.Dim) ir.Dim {
	if !composite(d) {
		return d
	}
	out := ir.Walk(d, ir.Const, ir.Sym, func(op byte, a, b ir.Dim) ir.Dim {
		switch op {
		case '/':
			return f.divide(a, b)
		case '%':
			return f.remainder(a, b)
		case '<':
			if f.NonNeg(b.Sub(a)) {
				return a
			} else if f.NonNeg(a.Sub(b)) {
				return b
			}
		case '>':
			if f.NonNeg(b.Sub(a)) {
				return b
			} else if f.NonNeg(a.Sub(b)) {
				return a
			}
		}
		return ir.DimOp(op, a, b)
	})
	return f.joinRemainders(out)
}

// divide is floor(a/b).
func (f *Facts) divide(a, b ir.Dim) ir.Dim {
	if !f.NonNeg(b.AddConst(-1)) {
		return a.FloorDiv(b)
	}
	for _, q := range f.quotients(a, b) {
		r := a.Sub(b.Mul(q))
		if f.InBounds(r, b) {
			return q
		}
	}
	if x, _, c, ok := f.grouped(a, b); ok {
		n, _ := b.Int()
		return x.FloorDiv(ir.Const(n / c))
	}
	return a.FloorDiv(b)
}

// grouped writes a as c*x + r with 0 <= r < c, where c > 1 divides the number b:
// then a/b is x/(b/c) and a%b is c*(x%(b/c)) + r.
func (f *Facts) grouped(a, b ir.Dim) (x, r ir.Dim, c int64, ok bool) {
	n, static := b.Int()
	if !static || n < 4 {
		return x, r, 0, false
	}
	tried := map[int64]bool{}
	ir.Walk(a, func(k int64) bool {
		if c := gcd(k, n); k != 0 && c > 1 && c < n {
			tried[c] = true
		}
		return false
	}, func(string) bool { return false }, func(byte, bool, bool) bool { return false })
	for c := n - 1; c > 1; c-- {
		if !tried[c] {
			continue
		}
		for _, x := range f.quotients(a, ir.Const(c)) {
			r := a.Sub(x.MulConst(c))
			if !x.IsConst(0) && f.InBounds(r, ir.Const(c)) {
				return x, r, c, true
			}
		}
	}
	return x, r, 0, false
}

func (f *Facts) remainder(a, b ir.Dim) ir.Dim {
	if !f.NonNeg(b.AddConst(-1)) {
		return a.Mod(b)
	}
	best := a.Mod(b)
	for _, q := range f.quotients(a, b) {
		r := a.Sub(b.Mul(q))
		if f.InBounds(r, b) {
			return r
		}
		if m := r.Mod(b); len(m.String()) < len(best.String()) {
			best = m
		}
	}
	if x, r, c, ok := f.grouped(a, b); ok {
		n, _ := b.Int()
		return x.Mod(ir.Const(n / c)).MulConst(c).Add(r)
	}
	return best
}

// quotients guesses polynomials that may be floor(a/b).
func (f *Facts) quotients(a, b ir.Dim) []ir.Dim {
	out := []ir.Dim{ir.Const(0)}
	fa, fb := f.flat(a), f.flat(b)
	if c, ok := fb.Int(); ok {
		q := f.flat(fa.FloorDiv(ir.Const(c)))
		for _, s := range q.SymNames() {
			if d, ok := f.defs[s]; ok && d.op == '/' && d.b.IsConst(c) {
				if coef, rest, ok := q.Linear(s); ok && coef.IsConst(1) {
					out = append(out, f.unflat(rest))
				}
			}
		}
		return out
	}
	for _, s := range fb.SymNames() {
		cb, rb, ok := fb.Linear(s)
		if !ok {
			continue
		}
		ca, _, linear := fa.Linear(s)
		if ca.IsConst(0) || !linear && !rb.IsConst(0) {
			continue
		}
		q := ca.FloorDiv(cb)
		if q.Mul(cb).Equal(ca) {
			out = append(out, f.unflat(q))
		}
	}
	return out
}

// joinRemainders writes x%C as x - C*(x/C) where terms then cancel.
func (f *Facts) joinRemainders(d ir.Dim) ir.Dim {
	flat := f.flat(d)
	var mods []string
	for _, s := range flat.SymNames() {
		if f.defs[s].op == '%' {
			mods = append(mods, s)
		}
	}
	if len(mods) == 0 {
		return d
	}
	best, cost := d, f.composites(flat)
	try := func(set []string) {
		out := flat
		for _, m := range set {
			def := f.defs[m]
			q := f.flat(f.unflat(def.a).FloorDiv(f.unflat(def.b)))
			out = out.Subst(func(s string) (ir.Dim, bool) { return def.a.Sub(def.b.Mul(q)), s == m })
		}
		out = f.unflat(out)
		if n := f.composites(f.flat(out)); n < cost {
			best, cost = out, n
		}
	}
	for _, m := range mods {
		try([]string{m})
	}
	if len(mods) > 1 {
		try(mods)
	}
	return best
}

// composites counts the defined symbols in a flat d.
func (f *Facts) composites(d ir.Dim) int {
	n := 0
	for _, s := range d.SymNames() {
		if _, ok := f.defs[s]; ok {
			n++
		}
	}
	return n
}
