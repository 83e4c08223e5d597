package ir

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Dim is an extent of a shape, or any integer computed from extents: a
// polynomial with integer coefficients over atoms, where an atom is a named
// symbol or a floor division, remainder, minimum or maximum of two Dims. It is
// kept in canonical form, so that Equal decides equality of polynomials. A Dim
// is immutable; the zero Dim is the number 0. Where a coefficient would leave
// int64, or the expression grows beyond what any shape needs, the result is
// the symbol "overflow", which nothing binds: evaluation, [Graph.New] and the
// verifier refuse it.
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
	return name != "" && name != "max" && name != "min" && name != overflow
}

// overflow is the symbol that stands for what does not fit into int64 or into
// the bounds below, which keep the work on dims of untrusted models small.
const (
	overflow    = "overflow"
	maxDimTerms = 512
	maxAtomKey  = 4096
)

func overflowed() Dim {
	return atomDim(&atom{kind: symAtom, sym: overflow, key: overflow})
}

// Overflows reports whether the computation of d left int64.
func (d Dim) Overflows() bool { return !d.Static() && slices.Contains(d.SymNames(), overflow) }

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
	k, ok := addInt(d.k, e.k)
	if !ok {
		return overflowed()
	}
	if len(e.terms) == 0 {
		return Dim{k: k, terms: d.terms}
	}
	out := Dim{k: k, terms: make([]term, 0, len(d.terms)+len(e.terms))}
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
			if t.coef, ok = addInt(t.coef, e.terms[j].coef); !ok {
				return overflowed()
			}
			if t.coef != 0 {
				out.terms = append(out.terms, t)
			}
			i, j = i+1, j+1
		}
	}
	if len(out.terms) > maxDimTerms {
		return overflowed()
	}
	return out
}

// AddConst returns d+k.
func (d Dim) AddConst(k int64) Dim { return d.Add(Const(k)) }

// Neg returns -d.
func (d Dim) Neg() Dim { return d.MulConst(-1) }

// Sub returns d-e.
func (d Dim) Sub(e Dim) Dim { return d.Add(e.Neg()) }

// MulConst returns k*d.
func (d Dim) MulConst(k int64) Dim {
	if k == 0 {
		return Dim{}
	}
	c, ok := mulInt(d.k, k)
	out := Dim{k: c, terms: slices.Clone(d.terms)}
	for i := range out.terms {
		t, fits := mulInt(out.terms[i].coef, k)
		out.terms[i].coef, ok = t, ok && fits
	}
	if !ok {
		return overflowed()
	}
	return out
}

// Mul returns d*e.
func (d Dim) Mul(e Dim) Dim {
	if k, ok := e.Int(); ok {
		return d.MulConst(k)
	}
	if len(d.terms)*len(e.terms) > maxDimTerms {
		return overflowed()
	}
	out := e.MulConst(d.k)
	for _, s := range d.terms {
		out = out.Add(Dim{terms: []term{s}}.MulConst(e.k))
		for _, t := range e.terms {
			out = out.Add(mulTerms(s, t))
		}
	}
	return out
}

func mulTerms(s, t term) Dim {
	coef, ok := mulInt(s.coef, t.coef)
	if !ok {
		return overflowed()
	}
	atoms := slices.Concat(s.atoms, t.atoms)
	slices.SortStableFunc(atoms, func(a, b *atom) int { return strings.Compare(a.key, b.key) })
	key := atomsKey(atoms)
	if len(key) > maxAtomKey {
		return overflowed()
	}
	return Dim{terms: []term{{coef: coef, atoms: atoms, key: key}}}
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
	if ok && c != 0 && d.Static() {
		return Const(floorDiv(d.k, c)) // -2^63/-1 is an exact division
	}
	if ok && c > 0 {
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
	if c, ok := e.Int(); ok && c != 0 && d.Static() {
		return Const(floorMod(d.k, c))
	} else if ok && c > 0 {
		if q, r := d.splitBy(c); !q.IsConst(0) {
			return r.Mod(e)
		}
	}
	return newAtom(modAtom, d, e)
}

// Max returns the larger of d and e.
func (d Dim) Max(e Dim) Dim {
	if c, ok := d.compare(e); ok {
		if c >= 0 {
			return d
		}
		return e
	}
	return commAtom(maxAtom, d, e)
}

// Min returns the smaller of d and e.
func (d Dim) Min(e Dim) Dim {
	if c, ok := d.compare(e); ok {
		if c <= 0 {
			return d
		}
		return e
	}
	return commAtom(minAtom, d, e)
}

// compare returns the order of d and e, as [cmp.Compare] does, where they differ by a number.
func (d Dim) compare(e Dim) (order int, ok bool) {
	if d.Static() && e.Static() {
		return cmp.Compare(d.k, e.k), true // their difference may leave int64
	}
	diff, ok := d.Sub(e).Int()
	return cmp.Compare(diff, 0), ok
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
	if len(a.key) > maxAtomKey {
		return overflowed()
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
		if c == math.MinInt64 {
			return Dim{}, d.IsConst(0)
		}
		q, r := d.splitBy(max(c, -c))
		if c < 0 {
			q = q.Neg()
		}
		return q, r.IsConst(0)
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
	if t.coef%by.coef != 0 || by.coef == -1 && t.coef == math.MinInt64 {
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

// floorMod returns the remainder with the sign of b, which fits int64 even
// where the quotient does not.
func floorMod(a, b int64) int64 {
	r := a % b
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r
}

func addInt(a, b int64) (int64, bool) {
	s := a + b
	return s, b == 0 || (s > a) == (b > 0)
}

func mulInt(a, b int64) (int64, bool) { return a * b, !mulOverflows(a, b) }

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
