package kernel

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// This file counts what a naive tree computes and moves: the least that any schedule of it does.

// Work is what one run of a kernel takes at least.
type Work struct {
	Float32 float64 // operations on floating-point numbers of up to 32 bits; an fma is two
	Float64 float64 // on those of 64 bits
	Int     float64 // on integers
	Read    float64 // bytes of global buffers, each counted once
	Written float64
}

// Count returns the work of k, a naive tree, for the values dims of its integer parameters.
//
// An expression counts once for each value of the loop variables that it depends on, so that a
// fused prologue is not counted again for every use. Of a condition both branches count. Elements
// of a buffer count once however often they are used; where an index depends on data, every access
// counts, up to the size of the buffer.
func Count(k *Kernel, dims []int64) (Work, error) {
	if len(dims) != len(k.Dims) {
		return Work{}, fmt.Errorf("kernel %s: %d dims, wanted %d", k.Name, len(dims), len(k.Dims))
	}
	c := &counter{env: map[string]int64{}, vars: map[string]loopSet{}, at: map[accessKey]float64{}}
	for i, d := range k.Dims {
		c.env[d] = dims[i]
	}
	c.body(k.Body)
	for _, b := range k.Params {
		c.traffic(b)
	}
	if c.err != nil {
		return Work{}, fmt.Errorf("kernel %s: %w", k.Name, c.err)
	}
	return c.work, nil
}

// loopSet is a set of the loops around a place: bit i is counter.loops[i].
type loopSet uint64

type accessKey struct {
	buf   *Buffer
	index string
	write bool
}

type counter struct {
	work  Work
	env   map[string]int64   // values of dims
	loops []loopCount        // around the current place
	vars  map[string]loopSet // what loop and let variables depend on
	at    map[accessKey]float64
	err   error
}

type loopCount struct {
	name string
	n    int64
}

func (c *counter) body(body []Stmt) {
	for _, s := range body {
		switch s := s.(type) {
		case *Loop:
			c.loop(s)
		case *If:
			c.value(s.Cond)
			c.body(s.Then)
			c.body(s.Else)
		case *Let:
			c.vars[s.Var] = c.value(s.Value)
		case *Store:
			c.value(s.Value)
			c.access(s.Buf, s.Index, c.all(), true)
		case *Fail:
			c.value(s.Cond)
		case *Call:
			c.err = cmp.Or(c.err, fmt.Errorf("instruction %s: work is that of naive trees", s.Instr.Name))
		}
	}
}

func (c *counter) loop(l *Loop) {
	const most = 64
	if len(c.loops) == most {
		c.err = cmp.Or(c.err, fmt.Errorf("more than %d loops around loop %s", most, l.Var))
		return
	}
	n := c.eval(l.Extent)
	outer := c.set(l.Extent)
	c.vars[l.Var] = outer | 1<<len(c.loops)
	c.loops = append(c.loops, loopCount{l.Var, max(n, 0)})
	c.body(l.Body)
	c.loops = c.loops[:len(c.loops)-1]
}

// eval is the value of d, the largest where it depends on loops that count up.
func (c *counter) eval(d ir.Dim) int64 {
	env := c.env
	if !d.Static() && c.set(d) != 0 {
		env = maps.Clone(c.env)
		for _, l := range c.loops {
			env[l.name] = l.n - 1
		}
	}
	n, err := d.Eval(env)
	c.err = cmp.Or(c.err, err)
	return n
}

func (c *counter) all() loopSet { return 1<<len(c.loops) - 1 }

// set is the loops that d depends on.
func (c *counter) set(d ir.Dim) loopSet {
	var s loopSet
	for _, name := range d.SymNames() {
		s |= c.vars[name]
	}
	return s
}

// times is how many values the loops of s have together.
func (c *counter) times(s loopSet) float64 {
	n := 1.0
	for i, l := range c.loops {
		if s&(1<<i) != 0 {
			n *= float64(l.n)
		} else if l.n == 0 {
			return 0
		}
	}
	return n
}

// value counts what e computes, and returns the loops that it depends on.
func (c *counter) value(e *Expr) loopSet {
	memo := map[*Expr]loopSet{}
	var walk func(*Expr) loopSet
	walk = func(e *Expr) loopSet {
		if s, ok := memo[e]; ok {
			return s
		}
		var s loopSet
		for _, a := range e.Args {
			s |= walk(a)
		}
		switch e.Kind {
		case KVar:
			s |= c.vars[e.Var]
		case KIndex:
			s |= c.set(e.Index)
		case KLoad:
			s |= c.set(e.Index)
			if e.Buf.Space != Global || e.Buf.Out {
				s = c.all() // contents change
			}
			c.access(e.Buf, e.Index, s, false)
		case KOp:
			c.operation(e, c.times(s))
		}
		memo[e] = s
		return s
	}
	return walk(e)
}

func (c *counter) operation(e *Expr, times float64) {
	d := e.Args[0].DType
	switch {
	case e.Op == ir.OpCast || e.Op == ir.OpBitcast || e.Op == ir.OpSelect || d == ir.Bool:
		return
	case e.Op == ir.OpFMA:
		times *= 2
	}
	switch {
	case d == ir.F64:
		c.work.Float64 += times
	case d.IsFloat():
		c.work.Float32 += times
	default:
		c.work.Int += times
	}
}

// access counts the elements of a buffer that one access touches.
func (c *counter) access(b *Buffer, index ir.Dim, s loopSet, write bool) {
	b, at := b.Root()
	if b.Space != Global {
		return
	}
	index = index.Add(at)
	n := c.times(s & (c.set(index) | c.data(index, s)))
	if d, ok := c.distinct(index); ok {
		n = min(n, d)
	}
	key := accessKey{b, index.String(), write}
	c.at[key] = max(c.at[key], n)
}

// data is s where the index depends on more than loops.
func (c *counter) data(index ir.Dim, s loopSet) loopSet {
	for _, name := range index.SymNames() {
		if _, dim := c.env[name]; !dim && !slices.ContainsFunc(c.loops, func(l loopCount) bool {
			return l.name == name
		}) {
			return s
		}
	}
	return 0
}

// distinct is how many values an index has that is linear in the loops: axes whose strides are
// within what finer axes cover overlap, as those of windows do.
func (c *counter) distinct(index ir.Dim) (float64, bool) {
	type axis struct{ stride, n int64 }
	var axes []axis
	rest := index
	for _, l := range c.loops {
		coef, r, ok := rest.Linear(l.name)
		if !ok {
			return 0, false
		}
		if rest = r; coef.IsConst(0) || l.n <= 1 {
			continue
		}
		stride, err := coef.Eval(c.env)
		if err != nil {
			return 0, false
		}
		if stride != 0 {
			axes = append(axes, axis{max(stride, -stride), l.n})
		}
	}
	if _, err := rest.Eval(c.env); err != nil {
		return 0, false
	}
	slices.SortFunc(axes, func(a, b axis) int { return cmp.Compare(a.stride, b.stride) })
	total, run := 1.0, axis{1, 1} // run: the axis that finer ones have become
	for _, a := range axes {
		if a.stride%run.stride == 0 && a.stride/run.stride <= run.n {
			run.n += a.stride / run.stride * (a.n - 1)
			continue
		}
		total *= float64(run.n)
		run = a
	}
	return total * float64(run.n), true
}

// traffic adds the bytes of a parameter.
func (c *counter) traffic(b *Buffer) {
	var read, written float64
	for key, n := range c.at {
		switch {
		case key.buf != b:
		case key.write:
			written += n
		default:
			read += n
		}
	}
	size := float64(max(c.eval(b.Size), 0))
	bytes := float64(b.DType.Size())
	c.work.Read += bytes * min(read, size)
	c.work.Written += bytes * min(written, size)
}
