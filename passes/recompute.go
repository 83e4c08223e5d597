package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// The recompute pass chooses between keeping a value in memory until it is used
// again, and computing it again there.
//
// Values have stages: products, convolutions, windows and whatever else is a
// kernel of its own begin one, and what is elementwise or reduced belongs to the
// latest stage of its arguments. A value that a later stage uses has to be
// stored; training stores many, as the gradient of each operation uses its
// arguments. One that is elementwise of others which are stored anyway costs
// less to compute again: what is read is read from memory in either case.
//
// Behind a barrier the same computation is another value, so that the forward
// computation does not store it after all.
const (
	maxRecomputed = 24      // operations that are done again for one value
	barrierBase   = 1 << 20 // of the barriers' numbers, above those of checkpoints
)

// minRecomputed is how many elements of a value are worth the trouble; tests
// lower it.
var minRecomputed int64 = 1 << 14

// How far the pass goes.
const (
	RecomputeAuto      = iota // all the way where a quarter is spared, else what is cheap
	RecomputeCheap            // what costs less than to store it
	RecomputeFunctions        // transcendental functions, too
	RecomputeOperands         // what products read, too: it is stored twice, for a short time
)

// recomputer is a run of the pass over one graph.
type recomputer struct {
	g      *ir.Graph
	stage  []int  // by ID
	stored []bool // by ID: used in a later stage, from memory
	last   []int  // by ID: the last stage that uses it
	pinned []bool // by ID: in memory whatever this pass does
	again  []bool // by ID: computed again by later stages
	copies map[copyKey]*ir.Value
	repl   []*ir.Value // by ID
	out    *ir.Graph
	level  int
	keep   []int // by ID: the last stage that uses the value itself, where others compute it again
}

type copyKey struct {
	v     *ir.Value
	stage int
}

// recompute is the pass. With a bound of memory it goes further, see
// [Options.Memory].
func recompute(c *Context, g *ir.Graph) (*ir.Graph, error) {
	r := newRecomputer(g, max(c.Recompute, RecomputeCheap))
	some := r.choose()
	if c.Recompute == RecomputeAuto {
		most := newRecomputer(g, RecomputeOperands)
		if most.choose() && most.held() <= r.held()-r.held()/4 {
			r, some = most, true
		}
	}
	if !some {
		return g, nil
	}
	out, err := r.rewrite()
	if err != nil {
		return nil, err
	}
	return dce(c, out)
}

func newRecomputer(g *ir.Graph, level int) *recomputer {
	n := len(g.Values)
	r := &recomputer{g: g, stage: make([]int, n), stored: make([]bool, n), last: make([]int, n),
		pinned: make([]bool, n), again: make([]bool, n), copies: map[copyKey]*ir.Value{},
		repl: make([]*ir.Value, n), level: level, keep: make([]int, n)}
	r.findStages()
	copy(r.keep, r.stage)
	r.findStored()
	return r
}

// held is what is kept in memory, in bytes times stages.
func (r *recomputer) held() int64 {
	var n int64
	for _, v := range r.g.Values {
		until := r.last[v.ID]
		switch {
		case v.Op == ir.OpParam || v.Op == ir.OpConst:
			continue
		case r.again[v.ID]:
			until = r.keep[v.ID]
		case !r.stored[v.ID]:
			continue
		}
		n += guessSize(tensorBytes(v.Type)) * int64(until-r.stage[v.ID])
	}
	return n
}

// ownKernel reports whether v begins a stage.
func ownKernel(v *ir.Value) bool {
	return heroOps[v.Op] != "" || singleOps[v.Op] || v.Op.Is(ir.Region)
}

func (r *recomputer) findStages() {
	for _, v := range r.g.Values {
		s := 0
		for _, a := range v.Args {
			s = max(s, r.stage[a.ID])
		}
		if ownKernel(v) {
			s++
		}
		r.stage[v.ID] = s
	}
}

// root looks through moves that cost nothing.
func root(v *ir.Value) *ir.Value {
	for v.Op.Is(ir.Moves) && len(v.Args) == 1 || v.Op == ir.OpBarrier {
		v = v.Args[0]
	}
	return v
}

func (r *recomputer) findStored() {
	for _, u := range r.g.Values {
		if u.Op.Is(ir.Moves) && len(u.Args) == 1 {
			continue // its users count
		}
		pulls := u.Op.Is(ir.Elementwise) || reduceOps[u.Op]
		for _, a := range u.Args {
			x := root(a)
			r.last[x.ID] = max(r.last[x.ID], r.stage[u.ID])
			if r.stage[u.ID] > r.stage[x.ID] {
				r.stored[x.ID] = true
			}
			if !pulls {
				r.stored[x.ID] = true
				if r.level < RecomputeOperands {
					r.pinned[x.ID] = true
				} else if r.keep[x.ID] == r.stage[x.ID] {
					r.keep[x.ID] = r.stage[u.ID] // the first
				}
			}
		}
	}
	for _, v := range r.g.Results {
		x := root(v)
		r.stored[x.ID], r.pinned[x.ID] = true, true
	}
}

// choose decides what is computed again, users before what they use; it reports
// whether anything is.
func (r *recomputer) choose() bool {
	some := false
	lacking := map[*ir.Value][]*ir.Value{} // what would do with one value more
	for _, v := range slices.Backward(r.g.Values) {
		n, static := v.Type.Shape.Size().Int()
		if static && n < minRecomputed || !r.stored[v.ID] || r.pinned[v.ID] ||
			r.last[v.ID] <= r.keep[v.ID] || !r.cheap(v) {
			continue
		}
		e := r.expand(v)
		if e.lacks != nil && e.lacks.Type.DType.Size() <= v.Type.DType.Size() {
			lacking[e.lacks] = append(lacking[e.lacks], v)
		}
		if e.ok && e.lacks == nil {
			r.take(v, e)
			some = true
		}
	}
	for _, x := range slices.Backward(r.g.Values) {
		if len(lacking[x]) < 2 {
			continue // storing it instead of another gains nothing
		}
		for _, v := range lacking[x] {
			r.stored[x.ID] = true
			r.last[x.ID] = max(r.last[x.ID], r.last[v.ID])
			if e := r.expand(v); e.ok && e.lacks == nil {
				r.take(v, e)
				some = true
			}
		}
	}
	return some
}

// take has v computed again.
func (r *recomputer) take(v *ir.Value, e *expansion) {
	for _, x := range e.leaves {
		r.stored[x.ID] = true
		r.last[x.ID] = max(r.last[x.ID], r.last[v.ID])
	}
	r.stored[v.ID], r.again[v.ID] = false, true
}

// cheap reports whether v may be computed again.
func (r *recomputer) cheap(v *ir.Value) bool {
	return v.Op.Is(ir.Elementwise) && v.Op != ir.OpBarrier &&
		(r.level >= RecomputeFunctions || !transcendental[v.Op])
}

// expansion is how a value is computed from what is stored.
type expansion struct {
	v      *ir.Value
	ok     bool        // it can be, at little cost
	lacks  *ir.Value   // the one value that has to be stored for it, nil: none
	leaves []*ir.Value // small values to be stored
	cost   int
}

func (r *recomputer) expand(v *ir.Value) *expansion {
	e := &expansion{v: v, ok: true}
	if r.visit(e, v); !e.ok {
		e.lacks = nil
	}
	return e
}

func (r *recomputer) visit(e *expansion, x *ir.Value) {
	if e.cost++; e.cost > maxRecomputed {
		e.ok = false
	}
	for _, a := range x.Args {
		switch {
		case !e.ok || a.Op == ir.OpParam || a.Op == ir.OpConst || a.Op == ir.OpIota || a.Op == ir.OpDims:
		case r.stored[a.ID] && r.last[a.ID] >= r.last[e.v.ID]: // its life gets no longer
		case a.Op.Is(ir.Moves) && len(a.Args) == 1:
			r.visit(e, a)
		case muchSmaller(a, e.v):
			e.leaves = append(e.leaves, a)
		case r.cheap(a) && !r.stored[a.ID]:
			r.visit(e, a)
		case e.lacks == nil || e.lacks == a:
			e.lacks = a
		default:
			e.ok = false
		}
	}
}

// muchSmaller reports whether storing a costs little beside v.
func muchSmaller(a, v *ir.Value) bool {
	n, ok1 := a.Type.Shape.Size().Int()
	m, ok2 := v.Type.Shape.Size().Int()
	return ok1 && ok2 && n <= m/16 && a.Type.DType != ir.Tuple
}

// rewrite builds the new graph, in which users of later stages have their own
// copies.
func (r *recomputer) rewrite() (*ir.Graph, error) {
	r.out = ir.NewGraph(r.g.Name)
	for _, v := range r.g.Values {
		if v.Op == ir.OpParam {
			r.repl[v.ID] = r.out.Param(v.ParamName(), v.Type, v.Pos)
			continue
		}
		args := make([]*ir.Value, len(v.Args))
		moves := v.Op.Is(ir.Moves) && len(v.Args) == 1 // its users decide
		for i, a := range v.Args {
			args[i] = r.repl[a.ID]
			if x := root(a); !moves && r.again[x.ID] && r.stage[v.ID] > r.keep[x.ID] {
				args[i] = r.copy(a, r.stage[v.ID])
			}
		}
		nv, err := r.out.New(v.Pos, v.Op, v.Attr, args...)
		if err != nil {
			return nil, err
		}
		r.repl[v.ID] = nv
	}
	results := make([]*ir.Value, len(r.g.Results))
	for i, v := range r.g.Results {
		results[i] = r.repl[v.ID]
	}
	r.out.SetResults(r.g.ResultNames, results...)
	return r.out, nil
}

// copy computes v again for users of a stage, from what is stored.
func (r *recomputer) copy(v *ir.Value, stage int) *ir.Value {
	key := copyKey{v, stage}
	if c := r.copies[key]; c != nil {
		return c
	}
	var c *ir.Value
	switch moves := v.Op.Is(ir.Moves) && len(v.Args) == 1; {
	case v.Op == ir.OpConst || v.Op == ir.OpIota || v.Op == ir.OpDims:
		c = r.repl[v.ID]
	case v.Op == ir.OpParam || r.stored[v.ID] && !moves || !moves && !r.cheap(v):
		c = r.out.Must(v.Pos, ir.OpBarrier, &ir.BarrierAttr{ID: barrierBase + stage}, r.repl[v.ID])
	default:
		args := make([]*ir.Value, len(v.Args))
		for i, a := range v.Args {
			args[i] = r.copy(a, stage)
		}
		c = r.out.Must(v.Pos, v.Op, v.Attr, args...)
	}
	r.copies[key] = c
	return c
}
