package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// order moves regions forward, to where what they read has been computed, if
// that frees more memory than it takes: the update of a weight directly behind
// its gradient, not after those of all layers. The order stays where the arena
// would not be smaller.
func order(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	o := newOrderer(g)
	joins := func(v *ir.Value) bool { return v.Op == ir.OpFuse && len(o.needs[v.ID]) > 1 }
	if !slices.ContainsFunc(g.Values, joins) {
		return g, nil
	}
	out := o.run()
	if o.moved == 0 || guessSize(PlanMemory(out).Total()) >= guessSize(PlanMemory(g).Total()) {
		return g, nil
	}
	return out, nil
}

// orderer places the values of g in out. Views have no place: they are made for
// the first that reads them.
type orderer struct {
	g, out  *ir.Graph
	life    *liveness // what views are of
	repl    []*ir.Value
	defs    map[string]*ir.Value
	needs   [][]*ir.Value // by ID: the values that are not views and have to come before
	feeds   [][]*ir.Value // by ID: the values whose needs it is among
	lacking []int         // by ID: how many needs have no place yet
	readers map[slot]int  // that have no place yet; the results of g count as one
	direct  map[slot]bool // results of g
	ready   []*ir.Value   // regions that lack nothing, by ID
	moved   int
}

func newOrderer(g *ir.Graph) *orderer {
	n := len(g.Values)
	o := &orderer{g: g, out: ir.NewGraph(g.Name), life: &liveness{root: map[*ir.Value]slot{}},
		repl: make([]*ir.Value, n), defs: symbolDefs(g),
		needs: make([][]*ir.Value, n), feeds: make([][]*ir.Value, n), lacking: make([]int, n),
		readers: map[slot]int{}, direct: map[slot]bool{}}
	for _, v := range g.Values {
		o.needs[v.ID] = o.needsOf(v)
		if isView(v) {
			continue
		}
		o.lacking[v.ID] = len(o.needs[v.ID])
		for _, x := range o.needs[v.ID] {
			o.feeds[x.ID] = append(o.feeds[x.ID], v)
		}
		for _, s := range o.reads(v) {
			o.readers[s]++
		}
	}
	for _, r := range g.Results {
		s := o.life.view(r)
		o.readers[s]++
		o.direct[s] = true
	}
	return o
}

func isView(v *ir.Value) bool {
	return v.Op == ir.OpReshape || v.Op == ir.OpBarrier || v.Op == ir.OpGet
}

// needsOf lists what v needs once each; args come before v, so that their lists
// are known.
func (o *orderer) needsOf(v *ir.Value) []*ir.Value {
	var list []*ir.Value
	add := func(x *ir.Value) {
		if !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	for _, a := range v.Args {
		if !isView(a) {
			add(a)
			continue
		}
		for _, x := range o.needs[a.ID] {
			add(x)
		}
	}
	for _, s := range valueSyms(v) {
		if d := o.defs[s]; d != nil && d != v {
			add(d)
		}
	}
	return list
}

// reads lists the memory that v reads.
func (o *orderer) reads(v *ir.Value) []slot {
	var list []slot
	for _, a := range v.Args {
		if s := o.life.view(a); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func (o *orderer) run() *ir.Graph {
	for _, v := range o.g.Values {
		if v.Op == ir.OpParam {
			o.repl[v.ID] = o.out.Param(v.ParamName(), v.Type, v.Pos)
			o.placed(v)
		}
	}
	for _, v := range o.g.Values {
		if isView(v) || o.repl[v.ID] != nil {
			continue
		}
		o.place(v)
		for i := 0; i < len(o.ready); i++ {
			if x := o.ready[i]; x.ID > v.ID && o.frees(x) {
				o.place(x)
				o.moved++
				i = -1 // others may now free more
			}
		}
	}
	results := make([]*ir.Value, len(o.g.Results))
	for i, r := range o.g.Results {
		results[i] = o.value(r)
	}
	o.out.SetResults(o.g.ResultNames, results...)
	return o.out
}

// value is v in the new graph, which has what it needs.
func (o *orderer) value(v *ir.Value) *ir.Value {
	if o.repl[v.ID] == nil {
		args := make([]*ir.Value, len(v.Args))
		for i, a := range v.Args {
			args[i] = o.value(a)
		}
		o.repl[v.ID] = o.out.Must(v.Pos, v.Op, v.Attr, args...)
	}
	return o.repl[v.ID]
}

func (o *orderer) place(v *ir.Value) {
	o.value(v)
	for _, s := range o.reads(v) {
		o.readers[s]--
	}
	o.ready = slices.DeleteFunc(o.ready, func(x *ir.Value) bool { return x == v })
	o.placed(v)
}

// placed has those that needed v ready.
func (o *orderer) placed(v *ir.Value) {
	for _, x := range o.feeds[v.ID] {
		if o.lacking[x.ID]--; o.lacking[x.ID] == 0 && x.Op == ir.OpFuse {
			i, _ := slices.BinarySearchFunc(o.ready, x.ID,
				func(y *ir.Value, id int) int { return y.ID - id })
			o.ready = slices.Insert(o.ready, i, x)
		}
	}
}

// frees reports whether v gives back more memory than it takes: its share of
// what it reads, where others have yet to read that. Scalars take none: others
// wait for them. A result that may take the memory of a parameter has to wait
// for the parameter's other readers.
func (o *orderer) frees(v *ir.Value) bool {
	var given, taken float64
	types := v.ResultTypes()
	for _, s := range o.reads(v) {
		switch {
		case s.v.Op == ir.OpParam:
			for i, t := range types {
				if o.direct[slot{v, i}] && t.Equal(s.v.Type) && o.readers[s] > 1 {
					return false
				}
			}
		case s.v.Op != ir.OpConst && !o.direct[s]:
			given += float64(guessSize(tensorBytes(s.v.ResultTypes()[s.i]))) / float64(o.readers[s])
		}
	}
	for i, t := range types {
		if n := guessSize(tensorBytes(t)); n > arenaAlign && !o.direct[slot{v, i}] {
			taken += float64(n)
		}
	}
	return given > taken || taken == 0
}
