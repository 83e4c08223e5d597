package tensor

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers:
// as easy as 1, 2, 3"), a function of a key and a counter. Numbers depend on
// the key alone, and are the same on every back end and machine: what is
// computed of the random bits is integer arithmetic, and IEEE additions,
// multiplications, divisions and square roots.

// Key names a stream of random numbers. The same key gives the same numbers;
// [Key.Split] makes keys whose numbers are independent.
type Key struct {
	key uint64
	n   *node // where it is an argument of a traced function
	err *Error
}

// NewKey returns the key of a seed.
func NewKey(seed uint64) Key { return Key{key: seed} }

// KeyOf returns the key that the scalar t, of integers, holds: in a traced
// function, one that changes with its argument.
func KeyOf(t Tensor) Key {
	c := start("KeyOf")
	n := c.in(t)
	if c.err == nil && (n.typ.Rank() != 0 || !n.typ.DType.IsInt()) {
		c.fail("%v, want a scalar of integers", n.typ)
	}
	if c.err != nil {
		return Key{err: c.err}
	}
	return Key{n: c.cast(n, U64)}
}

// Split returns n new keys, which depend on k alone. Use each key once.
func (k Key) Split(n int) []Key {
	out := make([]Key, n)
	for i := range out {
		out[i] = k.Fold(uint64(i))
	}
	return out
}

// Fold returns the key that belongs to k and a number, such as that of a step.
func (k Key) Fold(i uint64) Key {
	if k.err != nil {
		return k
	}
	if k.n == nil {
		w := philox([4]uint32{uint32(i), uint32(i >> 32)}, k.key^foldKey)
		return Key{key: uint64(w[0]) | uint64(w[1])<<32}
	}
	c := start("Fold")
	own := c.op(ir.OpXor, nil, k.n, c.integer(foldKey, k.n))
	words := c.randomBits(own, ir.Dims(2), c.cast(c.integer(int64(i), k.n), U64))
	if c.err != nil {
		return Key{err: c.err}
	}
	return Key{n: c.reshape(c.join64(words, ir.Dims(1)), ir.Shape{})}
}

// foldKey makes the key whose numbers are the folds of another.
const foldKey = 0x6a09e667f3bcc908 // the first 64 bits of sqrt(2)-1

// philox is one block of the generator.
func philox(ctr [4]uint32, key uint64) [4]uint32 {
	k0, k1 := uint32(key), uint32(key>>32)
	for range 10 {
		a, b := uint64(ctr[0])*0xD2511F53, uint64(ctr[2])*0xCD9E8D57
		ctr = [4]uint32{uint32(b>>32) ^ ctr[1] ^ k0, uint32(b), uint32(a>>32) ^ ctr[3] ^ k1, uint32(a)}
		k0, k1 = k0+0x9E3779B9, k1+0xBB67AE85
	}
	return ctr
}

// randomBits is u32 bits of the generator from a counter on.
func (c *call) randomBits(key *node, s ir.Shape, counter *node) *node {
	return c.op(ir.OpRandomBits, &ir.RandomAttr{Shape: s}, key, counter)
}

// bits is u32 bits of a key.
func (c *call) bits(k Key, s ir.Shape) *node {
	if c.err == nil {
		c.err = k.err
	}
	if c.err != nil {
		return nil
	}
	key := k.n
	if key == nil {
		key = leafNode(ir.NewLiteral(U64, []int64{}, []uint64{k.key}), c.pos)
	} else {
		c.join(key)
	}
	return c.randomBits(key, s, c.number(weak{kind: I64}, U64))
}

// join64 makes u64 of pairs of u32, the lower first.
func (c *call) join64(words *node, s ir.Shape) *node {
	pairs := c.cast(c.reshape(words, append(s.Clone(), ir.Const(2))), U64)
	half := func(i int64) *node {
		if c.err != nil {
			return nil
		}
		a := wholeSlice(pairs.typ.Shape)
		a.Start[len(s)], a.Shape[len(s)] = ir.Const(i), ir.Const(1)
		return c.reshape(c.op(ir.OpSlice, a, pairs), s)
	}
	lo, hi := half(0), half(1)
	return c.or(lo, c.op(ir.OpShl, nil, hi, c.integer(32, hi)))
}

// bits64 is u64 bits of a key.
func (c *call) bits64(k Key, s ir.Shape) *node {
	return c.join64(c.bits(k, append(s.Clone(), ir.Const(2))), s)
}

// unit is f64 from [0, 1): multiples of 2**-53, or with open from (0, 1).
func (c *call) unit(k Key, s ir.Shape, open bool) *node {
	b := c.bits64(k, s)
	x := c.cast(c.op(ir.OpShr, nil, b, c.integer(11, b)), F64)
	if open {
		x = c.add(x, c.con(0.5, x))
	}
	return c.times(0x1p-53, x)
}

// random checks type and shape of random floats.
func random(name string, d DType, shape []int) (*call, ir.Shape) {
	c := start(name)
	dims := c.extents(shape)
	if c.err == nil && !d.IsFloat() {
		c.fail("element type %v, want a floating-point type", d)
	}
	return c, ir.Dims(dims...)
}

// Rand returns numbers from [0, 1), of type d: all that have as many digits
// after the point as d's mantissa are equally probable.
func Rand(k Key, d DType, shape ...int) Tensor {
	c, s := random("Rand", d, shape)
	return c.out(c.uniform(k, d, s))
}

func (c *call) uniform(k Key, d DType, s ir.Shape) *node {
	if c.err != nil || d == F64 {
		return c.unit(k, s, false)
	}
	digits := map[DType]int64{F32: 24, F16: 11, BF16: 8}[d]
	b := c.bits(k, s)
	x := c.cast(c.op(ir.OpShr, nil, b, c.integer(32-digits, b)), d)
	return c.times(math.Ldexp(1, int(-digits)), x)
}

// Uniform returns numbers from [lo, hi), of type d; hi itself only by rounding.
func Uniform(k Key, d DType, lo, hi float64, shape ...int) Tensor {
	c, s := random("Uniform", d, shape)
	x := c.uniform(k, d, s)
	return c.out(c.add(c.times(hi-lo, x), c.con(lo, x)))
}

// Randn returns normally distributed numbers of mean 0 and variance 1, of type
// d: the inverse of the distribution function (Wichura 1988, AS 241) at
// uniform numbers of 53 bits.
func Randn(k Key, d DType, shape ...int) Tensor {
	c, s := random("Randn", d, shape)
	return c.out(c.cast(c.normal(k, s), d))
}

// Normal returns normally distributed numbers of type d.
func Normal(k Key, d DType, mean, std float64, shape ...int) Tensor {
	c, s := random("Normal", d, shape)
	x := c.normal(k, s)
	return c.out(c.cast(c.add(c.times(std, x), c.con(mean, x)), d))
}

func (c *call) normal(k Key, s ir.Shape) *node {
	u := c.unit(k, s, true)
	if c.err != nil {
		return nil
	}
	q := c.sub(u, c.con(0.5, u))
	r := c.sub(c.con(0.180625, q), c.mul(q, q))
	center := c.mul(q, c.div(c.polynomial(as241A, r), c.polynomial(as241B, r)))
	tail := c.op(ir.OpMin, nil, u, c.sub(c.con(1, u), u))
	t := c.sqrt(c.neg(logBaseE.of(c, tail)))
	near := c.sub(t, c.con(1.6, t))
	far := c.sub(t, c.con(5, t))
	out := c.sel(c.op(ir.OpLe, nil, t, c.con(5, t)),
		c.div(c.polynomial(as241C, near), c.polynomial(as241D, near)),
		c.div(c.polynomial(as241E, far), c.polynomial(as241F, far)))
	out = c.sel(c.lt(q, c.con(0, q)), c.neg(out), out)
	return c.sel(c.op(ir.OpLe, nil, c.abs(q), c.con(0.425, q)), center, out)
}

// polynomial is by Horner's rule; coefficients begin with the constant.
func (c *call) polynomial(p []float64, x *node) *node {
	y := c.con(p[len(p)-1], x)
	for _, k := range slices.Backward(p[:len(p)-1]) {
		y = c.add(c.mul(y, x), c.con(k, x))
	}
	return y
}

// The coefficients of AS 241, PPND16: numerators and denominators for the
// center, the tails, the far tails.
var (
	as241A = []float64{3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
		1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
		3.3430575583588128105e+4, 2.5090809287301226727e+3}
	as241B = []float64{1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
		2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
		5.2264952788528545610e+3}
	as241C = []float64{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
		3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
		2.27238449892691845833e-2, 7.74545014278341407640e-4}
	as241D = []float64{1, 2.05319162663775882187e0, 1.67638483018380384940e0,
		6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
		5.47593808499534494600e-4, 1.05075007164441684324e-9}
	as241E = []float64{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
		2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
		2.71155556874348757815e-5, 2.01033439929228813265e-7}
	as241F = []float64{1, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
		1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
		1.42151175831644588870e-7, 2.04426310338993978564e-15}
)

// Randint returns i64 from [lo, hi): remainders of 64 bits, of which some are
// more probable than others by less than (hi-lo)/2**64.
func Randint(k Key, lo, hi int, shape ...int) Tensor {
	c := start("Randint")
	dims := c.extents(shape)
	if c.err == nil && hi <= lo {
		return c.fail("from %d to %d there is nothing", lo, hi)
	}
	b := c.bits64(k, ir.Dims(dims...))
	b = c.op(ir.OpRem, nil, b, c.integer(int64(hi)-int64(lo), b))
	x := c.cast(b, I64)
	return c.out(c.add(x, c.integer(int64(lo), x)))
}

// Permutation returns the integers from 0 to n-1 in random order, as i64.
func Permutation(k Key, n int) Tensor {
	c := start("Permutation")
	s := ir.Dims(c.extents([]int{n})...)
	return c.out(c.op(ir.OpArgSort, &ir.SortAttr{}, c.bits64(k, s)))
}

// Randperm is [Permutation].
func Randperm(k Key, n int) Tensor { return Permutation(k, n) }

// Bernoulli returns whether each of as many independent events has happened
// whose probabilities t, of floats, has; as t's type, 0 or 1.
func (t Tensor) Bernoulli(k Key) Tensor {
	c := start("Bernoulli")
	p := c.in(t)
	if c.err == nil && !p.typ.DType.IsFloat() {
		return c.fail("type %v, want floating-point probabilities", p.typ.DType)
	}
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.cast(c.lt(c.unit(k, p.typ.Shape, false), c.cast(p, F64)), p.typ.DType))
}

// Exponential returns exponentially distributed numbers of the rate given, of
// type d.
func Exponential(k Key, d DType, rate float64, shape ...int) Tensor {
	c, s := random("Exponential", d, shape)
	u := c.unit(k, s, true)
	if c.err != nil {
		return c.bad()
	}
	return c.out(c.cast(c.div(c.neg(logBaseE.of(c, u)), c.con(rate, u)), d))
}

// Dropout returns t with elements set to zero with probability p, and the
// others divided by 1-p.
func (t Tensor) Dropout(k Key, p float64) Tensor {
	c := start("Dropout")
	x := c.float(t)
	if c.err == nil && !(p >= 0 && p < 1) {
		return c.fail("probability %v, want one from 0 to below 1", p)
	}
	if c.err != nil {
		return c.bad()
	}
	u := c.unit(k, x.typ.Shape, false)
	return c.out(c.sel(c.lt(u, c.con(p, u)), c.con(0, x), c.times(1/(1-p), x)))
}

// Multinomial returns n i64 draws along a new last axis, with replacement, of
// the places of the last axis of t, whose probabilities are in proportion to
// t's elements.
func (t Tensor) Multinomial(k Key, n int) Tensor {
	c := start("Multinomial")
	if !c.checks(t) {
		return c.bad()
	}
	if t.Rank() < 1 || n < 0 {
		return c.fail("%d draws of shape %s, want weights along the last axis", n, shapeString(t.Dims()))
	}
	sums := t.Cast(F64).CumSum(-1)
	s := append(t.Dims()[:t.Rank()-1:t.Rank()-1].Clone(), ir.Const(int64(n)))
	u := c.out(c.unit(k, s, false))
	if c.err != nil {
		return c.bad()
	}
	u = u.Mul(sums.Index(Ellipsis, Slice(-1, nil)))
	return c.named(sums.Unsqueeze(-2).Le(u.Unsqueeze(-1)).CountNonzero(-1))
}
