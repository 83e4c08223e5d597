package ir

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Walks over dims: symbols, substitution, evaluation.

// Syms adds the names of the symbols in d to set.
func (d Dim) Syms(set map[string]bool) {
	for _, t := range d.terms {
		for _, a := range t.atoms {
			if a.kind == symAtom {
				set[a.sym] = true
				continue
			}
			a.a.Syms(set)
			a.b.Syms(set)
		}
	}
}

// SymNames returns the names of the symbols in d, sorted.
func (d Dim) SymNames() []string {
	set := map[string]bool{}
	d.Syms(set)
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Walk evaluates d bottom up in any domain: num makes a number, sym a symbol,
// and op one of '+', '*', '/' (floor), '%', '<' (min), '>' (max).
func Walk[T any](d Dim, num func(int64) T, sym func(string) T, op func(byte, T, T) T) T {
	var sum T
	have := false
	add := func(t T) {
		if have {
			t = op('+', sum, t)
		}
		sum, have = t, true
	}
	for _, t := range d.terms {
		var prod T
		for i, a := range t.atoms {
			var v T
			if a.kind == symAtom {
				v = sym(a.sym)
			} else {
				v = op("?/%<>"[a.kind], Walk(a.a, num, sym, op), Walk(a.b, num, sym, op))
			}
			if i > 0 {
				v = op('*', prod, v)
			}
			prod = v
		}
		if t.coef != 1 {
			prod = op('*', num(t.coef), prod)
		}
		add(prod)
	}
	if d.k != 0 || !have {
		add(num(d.k))
	}
	return sum
}

// Subst replaces symbols: f returns the replacement of a symbol, or false to
// keep it.
func (d Dim) Subst(f func(string) (Dim, bool)) Dim {
	if d.Static() {
		return d
	}
	return Walk(d, Const, func(name string) Dim {
		if e, ok := f(name); ok {
			return e
		}
		return Sym(name)
	}, DimOp)
}

// DimOp is a op b for an op of [Walk].
func DimOp(op byte, a, b Dim) Dim {
	switch op {
	case '+':
		return a.Add(b)
	case '*':
		return a.Mul(b)
	case '/':
		return a.FloorDiv(b)
	case '%':
		return a.Mod(b)
	case '<':
		return a.Min(b)
	default:
		return a.Max(b)
	}
}

// Eval computes d. An unbound symbol, a division by zero and an overflow of
// int64 are errors.
func (d Dim) Eval(env map[string]int64) (int64, error) {
	var err error
	fail := func(format string, args ...any) int64 {
		if err == nil {
			err = fmt.Errorf("dim %v: "+format, append([]any{d}, args...)...)
		}
		return 0
	}
	v := Walk(d, func(k int64) int64 { return k }, func(name string) int64 {
		v, ok := env[name]
		if !ok {
			return fail("symbol %s has no value", name)
		}
		return v
	}, func(op byte, a, b int64) int64 {
		switch op {
		case '+':
			if s, ok := addInt(a, b); ok {
				return s
			}
		case '*':
			if p, ok := mulInt(a, b); ok {
				return p
			}
		case '<':
			return min(a, b)
		case '>':
			return max(a, b)
		default:
			if b == 0 {
				return fail("division by zero")
			}
			if op == '%' {
				return floorMod(a, b)
			}
			if a != math.MinInt64 || b != -1 {
				return floorDiv(a, b)
			}
		}
		return fail("overflow of int64")
	})
	return v, err
}

// Linear writes d as coef*sym + rest, where neither coef nor rest contains
// sym. It reports false where d is not of that form.
func (d Dim) Linear(sym string) (coef, rest Dim, ok bool) {
	if !d.Has(sym) {
		return Dim{}, d, true
	}
	rest.k = d.k
	for _, t := range d.terms {
		i := slices.IndexFunc(t.atoms, func(a *atom) bool { return a.kind == symAtom && a.sym == sym })
		if i < 0 {
			rest.terms = append(rest.terms, t)
			continue
		}
		atoms := slices.Delete(slices.Clone(t.atoms), i, i+1)
		if len(atoms) == 0 {
			coef = coef.AddConst(t.coef)
		} else {
			coef = coef.Add(Dim{terms: []term{{coef: t.coef, atoms: atoms, key: atomsKey(atoms)}}})
		}
	}
	return coef, rest, !coef.Has(sym) && !rest.Has(sym)
}

// Has reports whether the symbol sym occurs in d.
func (d Dim) Has(sym string) bool {
	for _, t := range d.terms {
		for _, a := range t.atoms {
			if a.kind == symAtom && a.sym == sym || a.kind != symAtom && (a.a.Has(sym) || a.b.Has(sym)) {
				return true
			}
		}
	}
	return false
}
