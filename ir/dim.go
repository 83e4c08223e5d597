package ir

import (
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Dim is an extent of a shape, or any integer computed from extents: a
// polynomial with integer coefficients over atoms, where an atom is a named
// symbol or a floor division, remainder, minimum or maximum of two Dims. It is
// kept in canonical form, so that Equal decides equality of polynomials. A Dim
// is immutable; the zero Dim is the number 0.
type Dim struct {
	k     int64  // constant term
	terms []term // non-constant terms, sorted by key, no zero coefficients
}

// term is coef times a product of atoms; atoms are sorted by key and repeat
// for powers.
type term struct {
	coef  int64
	atoms []*atom
	key   string
}

type atomKind uint8

const (
	symAtom atomKind = iota
	divAtom          // floor(a/b)
	modAtom          // a - b*floor(a/b)
	minAtom
	maxAtom
)

type atom struct {
	kind atomKind
	sym  string
	a, b Dim
	key  string
}

// Const returns the number k as a Dim.
func Const(k int64) Dim { return Dim{k: k} }

// Sym returns the named symbol. A name is made of letters, digits, '_' and '.'
// and does not start with a digit; [IsSymName] tells. Sym panics otherwise.
func Sym(name string) Dim {
	if !IsSymName(name) {
		panic("BUG: ir.Sym: bad name " + strconv.Quote(name))
	}
	return atomDim(&atom{kind: symAtom, sym: name, key: name})
}

// IsSymName reports whether name may name a symbol.
func IsSymName(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r != '.' && (r < '0' || r > '9')) {
			return false
		}
	}
	return name != "" && name != "max" && name != "min"
}

func atomDim(a *atom) Dim {
	return Dim{terms: []term{{coef: 1, atoms: []*atom{a}, key: a.key}}}
}

// Int returns the value of d if d is a number.
func (d Dim) Int() (int64, bool) { return d.k, len(d.terms) == 0 }

// IsConst reports whether d is the number k.
func (d Dim) IsConst(k int64) bool { return len(d.terms) == 0 && d.k == k }

// Static reports whether d is a number.
func (d Dim) Static() bool { return len(d.terms) == 0 }

// Equal reports whether d and e are the same polynomial.
func (d Dim) Equal(e Dim) bool {
	return d.k == e.k && slices.EqualFunc(d.terms, e.terms, func(s, t term) bool {
		return s.coef == t.coef && s.key == t.key
	})
}

// Add returns d+e.
func (d Dim) Add(e Dim) Dim {
	if len(e.terms) == 0 {
		return Dim{k: d.k + e.k, terms: d.terms}
	}
	out := Dim{k: d.k + e.k, terms: make([]term, 0, len(d.terms)+len(e.terms))}
	i, j := 0, 0
	for i < len(d.terms) || j < len(e.terms) {
		switch {
		case j == len(e.terms) || i < len(d.terms) && d.terms[i].key < e.terms[j].key:
			out.terms = append(out.terms, d.terms[i])
			i++
		case i == len(d.terms) || e.terms[j].key < d.terms[i].key:
			out.terms = append(out.terms, e.terms[j])
			j++
		default:
			t := d.terms[i]
			t.coef += e.terms[j].coef
			if t.coef != 0 {
				out.terms = append(out.terms, t)
			}
			i, j = i+1, j+1
		}
	}
	return out
}

// AddConst returns d+k.
func (d Dim) AddConst(k int64) Dim { return Dim{k: d.k + k, terms: d.terms} }

// Neg returns -d.
func (d Dim) Neg() Dim { return d.MulConst(-1) }

// Sub returns d-e.
func (d Dim) Sub(e Dim) Dim { return d.Add(e.Neg()) }

// MulConst returns k*d.
func (d Dim) MulConst(k int64) Dim {
	if k == 0 {
		return Dim{}
	}
	out := Dim{k: d.k * k, terms: slices.Clone(d.terms)}
	for i := range out.terms {
		out.terms[i].coef *= k
	}
	return out
}

// Mul returns d*e.
func (d Dim) Mul(e Dim) Dim {
	if k, ok := e.Int(); ok {
		return d.MulConst(k)
	}
	out := e.MulConst(d.k)
	for _, s := range d.terms {
		out = out.Add(Dim{terms: []term{s}}.MulConst(e.k))
		for _, t := range e.terms {
			out = out.Add(Dim{terms: []term{mulTerms(s, t)}})
		}
	}
	return out
}

func mulTerms(s, t term) term {
	atoms := slices.Concat(s.atoms, t.atoms)
	slices.SortStableFunc(atoms, func(a, b *atom) int { return strings.Compare(a.key, b.key) })
	return term{coef: s.coef * t.coef, atoms: atoms, key: atomsKey(atoms)}
}

func atomsKey(atoms []*atom) string {
	keys := make([]string, len(atoms))
	for i, a := range atoms {
		keys[i] = a.key
	}
	return strings.Join(keys, "*")
}

// FloorDiv returns floor(d/e). Division by zero is kept as an expression,
// whose evaluation is an error.
func (d Dim) FloorDiv(e Dim) Dim {
	if q, ok := d.exactDiv(e); ok {
		return q
	}
	c, ok := e.Int()
	if ok && c > 0 {
		if d.Static() {
			return Const(floorDiv(d.k, c))
		}
		q, r := d.splitBy(c)
		if r.Static() && r.k == 0 {
			return q
		}
		if !q.IsConst(0) {
			return q.Add(r.FloorDiv(e))
		}
		if a := d.onlyAtom(); a != nil && a.kind == divAtom {
			if c2, ok := a.b.Int(); ok && c2 > 0 && !mulOverflows(c, c2) {
				return a.a.FloorDiv(Const(c * c2)) // (x/c2)/c
			}
		}
	}
	return newAtom(divAtom, d, e)
}

// CeilDiv returns ceil(d/e).
func (d Dim) CeilDiv(e Dim) Dim { return d.Add(e).AddConst(-1).FloorDiv(e) }

// Mod returns d - e*floor(d/e).
func (d Dim) Mod(e Dim) Dim {
	if _, ok := d.exactDiv(e); ok {
		return Dim{}
	}
	if c, ok := e.Int(); ok && c > 0 {
		if d.Static() {
			return Const(d.k - c*floorDiv(d.k, c))
		}
		if q, r := d.splitBy(c); !q.IsConst(0) {
			return r.Mod(e)
		}
	}
	return newAtom(modAtom, d, e)
}

// Max returns the larger of d and e.
func (d Dim) Max(e Dim) Dim {
	if diff, ok := d.Sub(e).Int(); ok {
		if diff >= 0 {
			return d
		}
		return e
	}
	return commAtom(maxAtom, d, e)
}

// Min returns the smaller of d and e.
func (d Dim) Min(e Dim) Dim {
	if diff, ok := d.Sub(e).Int(); ok {
		if diff <= 0 {
			return d
		}
		return e
	}
	return commAtom(minAtom, d, e)
}

func commAtom(kind atomKind, d, e Dim) Dim {
	if e.String() < d.String() {
		d, e = e, d
	}
	return newAtom(kind, d, e)
}

func newAtom(kind atomKind, d, e Dim) Dim {
	a := &atom{kind: kind, a: d, b: e}
	switch kind {
	case divAtom:
		a.key = operand(d) + "/" + operand(e)
	case modAtom:
		a.key = operand(d) + "%" + operand(e)
	case minAtom:
		a.key = "min(" + d.String() + "," + e.String() + ")"
	case maxAtom:
		a.key = "max(" + d.String() + "," + e.String() + ")"
	}
	if kind == divAtom || kind == modAtom {
		a.key = "(" + a.key + ")"
	}
	return atomDim(a)
}

func operand(d Dim) string {
	if d.Static() && d.k >= 0 || d.onlyAtom() != nil {
		return d.String()
	}
	return "(" + d.String() + ")"
}

// onlyAtom returns a if d is just the atom a.
func (d Dim) onlyAtom() *atom {
	if d.k == 0 && len(d.terms) == 1 && d.terms[0].coef == 1 && len(d.terms[0].atoms) == 1 {
		return d.terms[0].atoms[0]
	}
	return nil
}

// splitBy writes d as c*q + r, moving into q each part that c divides.
func (d Dim) splitBy(c int64) (q, r Dim) {
	q.k = floorDiv(d.k, c)
	r.k = d.k - c*q.k
	for _, t := range d.terms {
		if t.coef%c == 0 {
			t.coef /= c
			q.terms = append(q.terms, t)
		} else {
			r.terms = append(r.terms, t)
		}
	}
	return q, r
}

// exactDiv returns d/e where e is a single term that divides each term of d,
// or where d is a numeric multiple of e.
func (d Dim) exactDiv(e Dim) (Dim, bool) {
	if c, ok := e.Int(); ok {
		if c == 0 {
			return Dim{}, false
		}
		if c == 1 {
			return d, true
		}
		_, r := d.splitBy(max(c, -c))
		if !r.IsConst(0) {
			return Dim{}, false
		}
		q, _ := d.splitBy(max(c, -c))
		if c < 0 {
			q = q.Neg()
		}
		return q, true
	}
	if d.Equal(e) {
		return Const(1), true
	}
	if e.k != 0 || len(e.terms) != 1 {
		return divByPoly(d, e)
	}
	if d.k != 0 {
		return Dim{}, false
	}
	var out Dim
	for _, t := range d.terms {
		q, ok := divTerm(t, e.terms[0])
		if !ok {
			return Dim{}, false
		}
		out = out.Add(q)
	}
	return out, true
}

// divByPoly divides d by a polynomial of several terms, by repeated division
// of leading terms; it succeeds only without a remainder.
func divByPoly(d, e Dim) (Dim, bool) {
	lead := leading(e)
	var q Dim
	for range 32 { // more steps than any real shape needs
		if d.IsConst(0) {
			return q, true
		}
		if d.Static() {
			return Dim{}, false
		}
		t, ok := divTerm(leading(d), lead)
		if !ok {
			return Dim{}, false
		}
		q, d = q.Add(t), d.Sub(t.Mul(e))
	}
	return Dim{}, false
}

// leading returns the term of the highest degree, the first by key of these.
func leading(d Dim) term {
	best := d.terms[0]
	for _, t := range d.terms[1:] {
		if len(t.atoms) > len(best.atoms) {
			best = t
		}
	}
	return best
}

func divTerm(t, by term) (Dim, bool) {
	if t.coef%by.coef != 0 {
		return Dim{}, false
	}
	atoms := slices.Clone(t.atoms)
	for _, a := range by.atoms {
		i := slices.IndexFunc(atoms, func(b *atom) bool { return a.key == b.key })
		if i < 0 {
			return Dim{}, false
		}
		atoms = slices.Delete(atoms, i, i+1)
	}
	coef := t.coef / by.coef
	if len(atoms) == 0 {
		return Const(coef), true
	}
	return Dim{terms: []term{{coef: coef, atoms: atoms, key: atomsKey(atoms)}}}, true
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func mulOverflows(a, b int64) bool {
	hi, lo := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	return hi != 0 || lo > 1<<63-1
}

// String prints d in the form that [ParseDim] reads: "N", "2*N+1", "((N+1)/2)".
func (d Dim) String() string {
	if len(d.terms) == 0 {
		return strconv.FormatInt(d.k, 10)
	}
	var b strings.Builder
	for i, t := range d.terms {
		switch {
		case t.coef == 1 && i > 0:
			b.WriteByte('+')
		case t.coef == -1:
			b.WriteByte('-')
		case t.coef != 1:
			if i > 0 && t.coef > 0 {
				b.WriteByte('+')
			}
			b.WriteString(strconv.FormatInt(t.coef, 10) + "*")
		}
		b.WriteString(t.key)
	}
	if d.k != 0 {
		fmt.Fprintf(&b, "%+d", d.k)
	}
	return b.String()
}

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
	}, dimOp)
}

func dimOp(op byte, a, b Dim) Dim {
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
			err = fmt.Errorf("dim "+d.String()+": "+format, args...)
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
			if s := a + b; (s > a) == (b > 0) {
				return s
			}
		case '*':
			if !mulOverflows(a, b) {
				return a * b
			}
		case '<':
			return min(a, b)
		case '>':
			return max(a, b)
		default:
			if b == 0 {
				return fail("division by zero")
			}
			if q := floorDiv(a, b); op == '/' {
				return q
			} else {
				return a - b*q
			}
		}
		return fail("overflow of int64")
	})
	return v, err
}

// Linear writes d as coef*sym + rest, where neither coef nor rest contains
// sym. It reports false where d is not of that form.
func (d Dim) Linear(sym string) (coef, rest Dim, ok bool) {
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
	set := map[string]bool{}
	d.Syms(set)
	return set[sym]
}
