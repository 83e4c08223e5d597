package kernel

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/tensorcc/tcc/ir"
)

// Facts is what is known about the symbols of integer expressions: loop
// variables lie in their range, extents are not negative, conditions around a
// statement hold. It decides inequalities soundly: what [Facts.NonNeg] affirms
// holds for all values; what it does not affirm may hold nevertheless.
//
// Quotients, remainders, minima and maxima are named by fresh symbols, so that
// everything decided is a polynomial in symbols.
type Facts struct {
	facts   []ir.Dim        // each >= 0
	sign    map[string]bool // a symbol that may be negative is here as true
	defs    map[string]def
	names   map[string]string // of a definition: its symbol
	loops   map[string]int    // variables of loops: how deep, the outermost first
	proven  map[string]bool   // answers
	inner   bool              // inner loops are removed first, see order
	budget  int
	samples []*sample
}

// def is a op b.
type def struct {
	op   byte
	a, b ir.Dim
}

// NewFacts knows that symbols are not negative.
func NewFacts() *Facts {
	return &Facts{sign: map[string]bool{}, defs: map[string]def{}, names: map[string]string{},
		loops: map[string]int{}, proven: map[string]bool{}, samples: newSamples()}
}

// Clone returns a copy, to which more can be added.
func (f *Facts) Clone() *Facts {
	c := NewFacts()
	c.facts = append(c.facts, f.facts...)
	c.samples = f.samples
	for k, v := range f.sign {
		c.sign[k] = v
	}
	for k, v := range f.defs {
		c.defs[k] = v
	}
	for k, v := range f.names {
		c.names[k] = v
	}
	for k, v := range f.loops {
		c.loops[k] = v
	}
	return c
}

// Loop adds that 0 <= v < extent, hence that the extent is positive.
func (f *Facts) Loop(v string, extent ir.Dim) {
	extent = f.flat(extent)
	f.loops[v] = len(f.facts) + 1
	f.loopSamples(v, extent)
	f.facts = append(f.facts, extent.AddConst(-1).Sub(ir.Sym(v)))
	if !extent.Static() {
		f.facts = append(f.facts, extent.AddConst(-1))
	}
	clear(f.proven)
}

// Signed says that the symbol may be negative.
func (f *Facts) Signed(sym string) { f.sign[sym] = true }

// Add adds that d >= 0.
func (f *Facts) Add(d ir.Dim) {
	d = f.flat(d)
	f.facts = append(f.facts, d)
	f.keepSamples(d)
	clear(f.proven)
}

// Cond adds that e is holds. What is not a comparison of integers is left out.
func (f *Facts) Cond(e *Expr, holds bool) {
	if e.Kind != KOp {
		return
	}
	switch e.Op {
	case ir.OpNot:
		f.Cond(e.Args[0], !holds)
		return
	case ir.OpAnd, ir.OpOr:
		if (e.Op == ir.OpAnd) == holds {
			f.Cond(e.Args[0], holds)
			f.Cond(e.Args[1], holds)
		}
		return
	}
	if !e.Op.Is(ir.Compares) || len(e.Args) != 2 {
		return
	}
	a, okA := indexOf(e.Args[0])
	b, okB := indexOf(e.Args[1])
	if !okA || !okB {
		return
	}
	op := e.Op
	if !holds {
		op = opposite[op]
	}
	f.compare(op, a, b)
}

var opposite = map[ir.Op]ir.Op{ir.OpLt: ir.OpGe, ir.OpGe: ir.OpLt, ir.OpLe: ir.OpGt,
	ir.OpGt: ir.OpLe, ir.OpEq: ir.OpNe, ir.OpNe: ir.OpEq}

func (f *Facts) compare(op ir.Op, a, b ir.Dim) {
	switch op {
	case ir.OpLt:
		f.Add(b.Sub(a).AddConst(-1))
	case ir.OpLe:
		f.Add(b.Sub(a))
	case ir.OpGt:
		f.Add(a.Sub(b).AddConst(-1))
	case ir.OpGe:
		f.Add(a.Sub(b))
	case ir.OpEq:
		f.Add(a.Sub(b))
		f.Add(b.Sub(a))
	}
}

// indexOf returns the integer that e is.
func indexOf(e *Expr) (ir.Dim, bool) {
	switch {
	case e.Kind == KIndex:
		return e.Index, true
	case e.Kind == KConst && e.DType == ir.I64:
		return ir.Const(int64(e.Bits)), true
	case e.Kind == KVar && e.DType == ir.I64:
		return ir.Sym(e.Var), true
	}
	return ir.Dim{}, false
}

// flat names the quotients, remainders, minima and maxima in d.
func (f *Facts) flat(d ir.Dim) ir.Dim {
	if d.Static() {
		return d
	}
	return ir.Walk(d, ir.Const, ir.Sym, func(op byte, a, b ir.Dim) ir.Dim {
		switch op {
		case '+':
			return a.Add(b)
		case '*':
			return a.Mul(b)
		}
		return ir.Sym(f.define(op, a, b))
	})
}

func (f *Facts) define(op byte, a, b ir.Dim) string {
	key := string(op) + a.String() + ";" + b.String()
	if s, ok := f.names[key]; ok {
		return s
	}
	s := "_" + strconv.Itoa(len(f.names))
	f.names[key] = s
	f.defs[s] = def{op, a, b}
	m := ir.Sym(s)
	add := func(d ir.Dim) { f.facts = append(f.facts, d) }
	nonneg := false
	switch op {
	case '/', '%':
		if !f.nonNeg(b.AddConst(-1)) {
			break
		}
		if op == '%' {
			nonneg = true
			add(b.AddConst(-1).Sub(m))
			if f.nonNeg(a) {
				add(a.Sub(m))
			}
			break
		}
		nonneg = f.nonNeg(a)
		add(a.Sub(b.Mul(m)))
		add(b.Mul(m).Add(b).AddConst(-1).Sub(a))
	case '<':
		nonneg = f.nonNeg(a) && f.nonNeg(b)
		add(a.Sub(m))
		add(b.Sub(m))
	case '>':
		nonneg = f.nonNeg(a) || f.nonNeg(b)
		add(m.Sub(a))
		add(m.Sub(b))
	}
	if !nonneg {
		f.sign[s] = true
	}
	clear(f.proven)
	return s
}

// unflat puts definitions back.
func (f *Facts) unflat(d ir.Dim) ir.Dim {
	return d.Subst(func(s string) (ir.Dim, bool) {
		def, ok := f.defs[s]
		if !ok {
			return ir.Dim{}, false
		}
		return ir.DimOp(def.op, f.unflat(def.a), f.unflat(def.b)), true
	})
}

// NonNeg reports whether d >= 0 follows.
func (f *Facts) NonNeg(d ir.Dim) bool {
	f.budget = 400
	return f.nonNeg(f.flat(d))
}

// Less reports whether a < b follows.
func (f *Facts) Less(a, b ir.Dim) bool { return f.NonNeg(b.Sub(a).AddConst(-1)) }

// InBounds reports whether 0 <= index < size follows.
func (f *Facts) InBounds(index, size ir.Dim) bool {
	return f.NonNeg(index) && f.Less(index, size)
}

func (f *Facts) nonNeg(d ir.Dim) bool {
	if f.obvious(d) || f.boxed(d) {
		return true
	}
	if f.refuted(d) {
		return false
	}
	f.budget = max(f.budget, 50)
	if f.prove(d, 8) {
		return true
	}
	// Either order finds what the other one does not within the budget.
	f.inner, f.budget = true, 100
	defer func() { f.inner = false }()
	return f.prove(d, 8)
}

// prove removes symbols one after the other: where d has a negative multiple
// of a symbol s and a fact is g - c*s >= 0, it is enough that c*d minus that
// multiple of the fact is not negative.
func (f *Facts) prove(d ir.Dim, depth int) bool {
	if f.obvious(d) {
		return true
	}
	if d.Static() || depth == 0 || f.budget <= 0 || largest(d) > 1<<31 {
		return false
	}
	f.budget--
	key := strconv.Itoa(depth) + d.String()
	if f.inner {
		key = "inner " + key
	}
	if ans, ok := f.proven[key]; ok {
		return ans
	}
	f.proven[key] = false // against going round
	ans := f.eliminate(d, depth)
	f.proven[key] = ans
	return ans
}

// obvious reports whether no term of d is negative.
func (f *Facts) obvious(d ir.Dim) bool {
	return ir.Walk(d, func(k int64) bool { return k >= 0 },
		func(s string) bool { return !f.sign[s] },
		func(_ byte, a, b bool) bool { return a && b })
}

// boxed reports whether d, a sum of multiples of loop variables, is not negative whatever
// values in their ranges these have, each by itself.
func (f *Facts) boxed(d ir.Dim) bool {
	for _, s := range d.SymNames() {
		coef, rest, linear := d.Linear(s)
		k, static := coef.Int()
		i := f.loops[s]
		if !linear || !static || i == 0 {
			return false
		}
		if d = rest; k < 0 {
			most, ok := f.facts[i-1].Add(ir.Sym(s)).Int()
			if !ok || -k > 1<<31 || most > 1<<31 {
				return false
			}
			d = rest.AddConst(k * most)
		}
	}
	least, ok := d.Int()
	return ok && least >= 0
}

func (f *Facts) eliminate(d ir.Dim, depth int) bool {
	syms := f.order(d)
	for _, s := range syms { // what holds of a minimum holds of both: nothing is lost
		def, ok := f.defs[s]
		if !ok || def.op != '<' && def.op != '>' {
			continue
		}
		coef, rest, ok := d.Linear(s)
		if ok && (def.op == '<' && f.obvious(coef) || def.op == '>' && f.obvious(coef.Neg())) {
			return f.prove(coef.Mul(def.a).Add(rest), depth-1) &&
				f.prove(coef.Mul(def.b).Add(rest), depth-1)
		}
	}
	// Upper bounds first, then lower bounds, last what needs a proof itself.
	for _, pass := range []func(coef ir.Dim) bool{
		func(coef ir.Dim) bool { return f.obvious(coef.Neg()) },
		f.obvious,
		func(coef ir.Dim) bool {
			return !f.obvious(coef) && !f.obvious(coef.Neg()) && f.prove(coef.Neg(), min(depth-1, 3))
		},
	} {
		for _, s := range syms {
			coef, _, ok := d.Linear(s)
			if !ok || !pass(coef) {
				continue
			}
			if f.bySymbol(d, s, coef, depth) {
				return true
			}
		}
	}
	return false
}

func (f *Facts) bySymbol(d ir.Dim, s string, coef ir.Dim, depth int) bool {
	neg := !f.obvious(coef)
	for i := len(f.facts) - 1; i >= 0; i-- { // what was learned last is closest
		fact := f.facts[i]
		cf, _, ok := fact.Linear(s)
		c, static := cf.Int()
		if !ok || !static || c == 0 || (c < 0) != neg {
			continue
		}
		by := coef
		if n, ok := coef.Int(); ok {
			g := gcd(c, n)
			c, by = c/g, ir.Const(n/g)
		}
		if neg { // -c*d + by*fact, where by <= 0
			by, c = by.Neg(), -c
		}
		if f.prove(reduce(d.MulConst(c).Sub(by.Mul(fact))), depth-1) {
			return true
		}
	}
	return false
}

// gcd is the positive greatest common divisor, at least one of a, b not 0.
func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}

// reduce divides d by what all its factors share: d >= 0 where the quotient,
// its constant rounded down, is.
func reduce(d ir.Dim) ir.Dim {
	k := constTerm(d)
	rest := d.AddConst(-k)
	// a value is a factor, or for a sum what its factors share
	g := ir.Walk(rest, func(c int64) int64 { return c }, func(string) int64 { return 1 },
		func(op byte, a, b int64) int64 {
			if op == '*' {
				return a * b
			}
			return gcd(a, b)
		})
	if g = max(g, -g); g < 2 {
		return d
	}
	return rest.FloorDiv(ir.Const(g)).AddConst(floorDivInt(ir.I64, k, g))
}

func constTerm(d ir.Dim) int64 {
	return ir.Walk(d, func(k int64) int64 { return k }, func(string) int64 { return 0 },
		func(op byte, a, b int64) int64 {
			if op == '+' {
				return a + b
			}
			return 0 // a product with a symbol
		})
}

// largest is a bound of the numbers in a flat d.
func largest(d ir.Dim) int64 {
	return ir.Walk(d, func(k int64) int64 { return max(k, -k) }, func(string) int64 { return 1 },
		func(op byte, a, b int64) int64 {
			if op == '*' {
				return a * b
			}
			return max(a, b)
		})
}

// order lists the symbols of d: defined ones first, then the others by name, or
// with f.inner the variables of loops, inner ones, whose bounds depend on outer
// ones, before these, and last extents.
func (f *Facts) order(d ir.Dim) []string {
	syms := d.SymNames()
	rank := func(s string) int {
		switch _, defined := f.defs[s]; {
		case defined:
			return math.MaxInt
		case f.inner:
			return f.loops[s]
		}
		return 0
	}
	slices.SortStableFunc(syms, func(a, b string) int { return cmp.Compare(rank(b), rank(a)) })
	return syms
}
