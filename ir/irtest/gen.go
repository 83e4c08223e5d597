package irtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Config says what [Generate] makes. The zero Config makes small graphs over
// everything.
type Config struct {
	Seed uint64
	// Size is about the number of operations, 12 if 0.
	Size int
	// MaxElems bounds the elements of a tensor, 4096 if 0.
	MaxElems int64
	// Allow restricts the operations and the element types they work on and
	// return; nil allows all.
	Allow func(op ir.Op, d ir.DType) bool
	// Static leaves out symbolic extents; with them there are two input
	// sets of different sizes.
	Static bool
	// Flat leaves out regions.
	Flat bool
}

// Case is a graph with inputs: each set binds the symbols to other extents.
type Case struct {
	Seed   uint64
	Graph  *ir.Graph
	Inputs [][]*ir.Literal
	// Bounds has the allowed error of each value of Graph, by ID.
	Bounds []Bound
}

// Generate makes a random well-typed graph, which is verified, and inputs on
// which it runs without an error. The same Config gives the same case.
func Generate(c Config) *Case {
	if c.Size == 0 {
		c.Size = 12
	}
	if c.MaxElems == 0 {
		c.MaxElems = 4096
	}
	b := &gen{Config: c, r: rand.New(rand.NewPCG(c.Seed, 0x7463)), g: ir.NewGraph("fuzz"),
		top: true, syms: &symbols{late: map[string]bool{}, envs: []map[string]int64{{}}}}
	if !c.Static && b.chance(2) {
		b.syms.envs = append(b.syms.envs, map[string]int64{})
	}
	b.inputs = make([][]*ir.Literal, len(b.syms.envs))
	b.kind = []profile{tame, tame, wild}[b.r.IntN(3)]
	b.fill(c.Size)
	if d, ok := b.dtype(ir.OpParam, ir.Storable); ok && len(b.g.Values) == 0 {
		b.fresh(ir.Of(d, b.shape()))
	}
	b.results()
	if err := ir.Verify(b.g); err != nil {
		panic(fmt.Sprintf("BUG: irtest: seed %d: %v\n%v", c.Seed, err, b.g))
	}
	return &Case{Seed: c.Seed, Graph: b.g, Inputs: b.inputs, Bounds: b.bounds}
}

// symbols are the symbols of a graph and its regions, with their values in
// each input set.
type symbols struct {
	names []string // of parameters, then those bound by values
	late  map[string]bool
	envs  []map[string]int64
}

// gen is the state of one graph under construction.
type gen struct {
	Config
	r      *rand.Rand
	g      *ir.Graph
	top    bool
	kind   profile // of float inputs
	syms   *symbols
	inputs [][]*ir.Literal // by input set; only at the top
	bounds []Bound         // by ID
	used   []int           // by ID, times used as an argument
}

func (b *gen) chance(n int) bool { return b.r.IntN(n) == 0 }

func (b *gen) allowed(op ir.Op, d ir.DType) bool { return b.Allow == nil || b.Allow(op, d) }

// fill appends about n operations.
func (b *gen) fill(n int) {
	ops := b.ops()
	for range n * 4 {
		if len(b.g.Values)-len(b.g.Params) >= n || len(ops) == 0 {
			return
		}
		b.step(ops[b.r.IntN(len(ops))])
	}
}

// ops returns the operations to choose from.
func (b *gen) ops() []ir.Op {
	var ops []ir.Op
	for _, op := range ir.Ops() {
		_, have := makers[op]
		if !have && !op.Is(ir.Elementwise) || !b.top && op.Is(ir.Effect) ||
			(b.Flat || !b.top) && op.Is(ir.Region) || !b.top && op == ir.OpNonZero {
			continue
		}
		if !slices.ContainsFunc(allDTypes, func(d ir.DType) bool { return b.allowed(op, d) }) {
			continue
		}
		ops = append(ops, op)
		if have {
			ops = append(ops, op) // elementwise operations are many
		}
	}
	return ops
}

var allDTypes = func() (ds []ir.DType) {
	for d := ir.Bool; d < ir.String; d++ {
		ds = append(ds, d)
	}
	return ds
}()

// step tries to append op; it may append nothing.
func (b *gen) step(op ir.Op) {
	if make, ok := makers[op]; ok {
		make(b, op)
		return
	}
	elementwise(b, op)
}

// emit appends an operation and notes its bound. Operations that would be too
// large are left out.
func (b *gen) emit(bound Bound, op ir.Op, attr ir.Attr, args ...*ir.Value) *ir.Value {
	for _, a := range args {
		b.used[a.ID]++
	}
	v, err := b.g.New(ir.Pos{}, op, attr, args...)
	if err != nil {
		panic(fmt.Sprintf("BUG: irtest: seed %d: %v\n%v", b.Seed, err, b.g))
	}
	return b.note(v, bound)
}

func (b *gen) note(v *ir.Value, bound Bound) *ir.Value {
	if v.ID == len(b.bounds) {
		if v.Type.DType.IsInt() || v.Type.DType == ir.Bool {
			bound = Bound{raw: true, clean: true}
		}
		b.bounds, b.used = append(b.bounds, bound), append(b.used, 0)
	}
	return v
}

func (b *gen) bound(v *ir.Value) Bound { return b.bounds[v.ID] }

func (b *gen) boundsOf(args []*ir.Value) []Bound {
	out := make([]Bound, len(args))
	for i, a := range args {
		out[i] = b.bound(a)
	}
	return out
}

// eval returns the values of d in all input sets.
func (b *gen) eval(d ir.Dim) []int64 {
	out := make([]int64, len(b.syms.envs))
	for i, env := range b.syms.envs {
		v, err := d.Eval(env)
		if err != nil {
			panic("BUG: irtest: " + err.Error())
		}
		out[i] = v
	}
	return out
}

// minOf and maxOf return the extremes of d over the input sets.
func (b *gen) minOf(d ir.Dim) int64 { return slices.Min(b.eval(d)) }
func (b *gen) maxOf(d ir.Dim) int64 { return slices.Max(b.eval(d)) }

// elems returns the number of elements, the largest over the input sets.
func (b *gen) elems(s ir.Shape) int64 {
	best := int64(0)
	for i := range b.syms.envs {
		n := int64(1)
		for _, d := range s {
			k := b.eval(d)[i]
			if k < 0 {
				return math.MaxInt64
			}
			n = min(n*k, 1<<40)
		}
		best = max(best, n)
	}
	return best
}

// fits reports whether a tensor of this shape is small enough and has no
// negative extents.
func (b *gen) fits(s ir.Shape) bool {
	return len(s) <= 6 && b.elems(s) <= b.MaxElems && !slices.ContainsFunc(s, func(d ir.Dim) bool {
		k, static := d.Int()
		return d.Overflows() || static && k < 0 || b.minOf(d) < 0
	})
}

// concrete returns the extents of s in input set i.
func (b *gen) concrete(s ir.Shape, i int) []int64 {
	out := make([]int64, len(s))
	for j, d := range s {
		out[j] = b.eval(d)[i]
	}
	return out
}

var extents = []int64{0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 100}

// extent returns a random extent, at times a symbol or an expression.
func (b *gen) extent() ir.Dim {
	small := func() int64 { return extents[max(1, b.r.IntN(len(extents)))] }
	if b.Static || !b.chance(3) {
		if b.chance(40) {
			return ir.Const(0)
		}
		return ir.Const(small())
	}
	if len(b.syms.names)-len(b.syms.late) < 3 && (len(b.syms.names) == 0 || b.chance(3)) && b.top {
		name := b.newSym()
		for i := range b.syms.envs {
			b.syms.envs[i][name] = small()
			if b.chance(25) {
				b.syms.envs[i][name] = 0
			}
		}
		if d, ok := b.dtype(ir.OpParam, ir.Storable); ok {
			b.input(ir.T(d, ir.Sym(name)), b.kind, 0, []int64{1}) // binds it
		} else {
			panic("BUG: irtest: Allow forbids parameters of every type")
		}
	}
	if len(b.syms.names) == 0 {
		return ir.Const(small())
	}
	return ir.Sym(b.syms.names[b.r.IntN(len(b.syms.names))])
}

func (b *gen) newSym() string {
	name := fmt.Sprintf("N%d", len(b.syms.names))
	b.syms.names = append(b.syms.names, name)
	return name
}

// shape returns a random shape that fits.
func (b *gen) shape() ir.Shape {
	s := ir.Shape{}
	for range []int{0, 1, 1, 2, 2, 2, 3, 3, 4}[b.r.IntN(9)] {
		if d := b.extent(); b.fits(append(s.Clone(), d)) {
			s = append(s, d)
		} else {
			s = append(s, ir.Const(1))
		}
	}
	return s
}

// results declares as results the values that nothing uses, and some others.
func (b *gen) results() {
	var rs []*ir.Value
	for _, v := range b.g.Values {
		if v.Type.DType != ir.Tuple && v.Op != ir.OpParam && v.Op != ir.OpCheck &&
			(b.used[v.ID] == 0 || b.chance(8)) {
			rs = append(rs, v)
		}
	}
	if len(rs) == 0 {
		rs = b.g.Values[len(b.g.Values)-1:]
	}
	names := make([]string, len(rs))
	for i := range rs {
		names[i] = fmt.Sprintf("r%d", i)
	}
	b.g.SetResults(names, rs...)
}
