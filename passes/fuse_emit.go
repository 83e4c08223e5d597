package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// export finds the members of gr that others read, and those that bind a
// symbol, which a kernel has nothing else to do for.
func (f *fuser) export(gr *group) {
	gr.exported = nil
	for _, v := range gr.members {
		if f.isRes[v.ID] || len(v.Binds()) > 0 || f.readOutside(gr, v) {
			gr.exported = append(gr.exported, v)
		}
	}
}

func (f *fuser) readOutside(gr *group, v *ir.Value) bool {
	for _, w := range f.users[v.ID] {
		switch f.place[w.ID] {
		case atTop:
			return true
		case isFree:
			if f.isRes[w.ID] || f.roots[w.ID] || f.readOutside(gr, w) {
				return true
			}
		case inGroup:
			if f.group[w.ID] != gr {
				return true
			}
		}
	}
	return false
}

// emitter builds the graph of regions.
type emitter struct {
	*fuser
	out     *ir.Graph
	done    map[*ir.Value]*ir.Value // values of the old graph that lie in memory
	emitted map[*group]bool
	checks  []*ir.Value // not yet emitted
	defs    map[string]*ir.Value
	err     error
}

// emit appends values in their old order, a region at the place of its last
// member; whatever a value needs comes before it. Checks come as early as
// their symbols are known, so that no kernel runs on extents that do not fit.
func (f *fuser) emit() (*ir.Graph, error) {
	e := &emitter{fuser: f, out: ir.NewGraph(f.g.Name), done: map[*ir.Value]*ir.Value{},
		emitted: map[*group]bool{}, defs: symbolDefs(f.g)}
	for _, v := range f.g.Values {
		if v.Op == ir.OpParam {
			e.done[v] = e.out.Param(v.ParamName(), v.Type, v.Pos)
		}
		if v.Op == ir.OpCheck {
			e.checks = append(e.checks, v)
		}
	}
	e.flushChecks()
	for _, v := range f.g.Values {
		gr := f.group[v.ID]
		switch {
		case f.place[v.ID] == atTop && v.Op != ir.OpConst && v.Op != ir.OpCheck:
			e.memory(v)
		case gr != nil && gr.members[len(gr.members)-1] == v:
			e.region(gr)
		}
	}
	results := make([]*ir.Value, len(f.g.Results))
	for i, r := range f.g.Results {
		results[i] = e.memory(r)
	}
	e.out.SetResults(f.g.ResultNames, results...)
	return e.out, e.err
}

// memory returns the value of the new graph that holds v.
func (e *emitter) memory(v *ir.Value) *ir.Value {
	if nv, ok := e.done[v]; ok || e.err != nil {
		return nv
	}
	if gr := e.group[v.ID]; gr != nil {
		e.region(gr)
		return e.done[v]
	}
	for _, p := range e.preds[v.ID] {
		if !slices.Contains(v.Args, p) {
			e.memory(p)
		}
	}
	args := make([]*ir.Value, len(v.Args))
	for i, a := range v.Args {
		args[i] = e.memory(a)
	}
	if e.err != nil {
		return nil
	}
	nv := e.add(v, args)
	e.done[v] = nv
	if len(v.Binds()) > 0 {
		e.flushChecks()
	}
	return nv
}

func (e *emitter) add(v *ir.Value, args []*ir.Value) *ir.Value {
	nv, err := e.out.New(v.Pos, v.Op, v.Attr, args...)
	if err != nil && e.err == nil {
		e.err = err
	}
	return nv
}

// flushChecks emits the checks whose symbols are known.
func (e *emitter) flushChecks() {
	e.checks = slices.DeleteFunc(e.checks, func(c *ir.Value) bool {
		for _, s := range valueSyms(c) {
			if d := e.defs[s]; d != nil && e.done[d] == nil {
				return false
			}
		}
		e.done[c] = e.add(c, nil)
		return true
	})
}

// regionBuilder makes the body of one region.
type regionBuilder struct {
	*emitter
	gr     *group
	args   []*ir.Value // of the region, in the new graph
	inputs []*ir.Value // the same, in the old graph
	body   *ir.Graph
	repl   map[*ir.Value]*ir.Value
}

func (e *emitter) region(gr *group) {
	if e.emitted[gr] || e.err != nil {
		return
	}
	e.emitted[gr] = true
	e.export(gr)
	if len(gr.exported) == 0 {
		return
	}
	b := &regionBuilder{emitter: e, gr: gr, body: ir.NewGraph(gr.kind),
		repl: map[*ir.Value]*ir.Value{}}
	seen := map[*ir.Value]bool{}
	for _, v := range gr.exported {
		b.collect(v, seen)
	}
	for i, v := range b.inputs {
		b.repl[v] = b.body.Param(regionParam(i), v.Type, ir.Pos{})
		b.args = append(b.args, e.memory(v))
	}
	results := make([]*ir.Value, len(gr.exported))
	for i, v := range gr.exported {
		results[i] = b.clone(v)
	}
	if e.err != nil {
		return
	}
	b.body.SetResults(nil, results...)
	e.append(gr, b)
}

// append adds the region and the values that take its results apart.
func (e *emitter) append(gr *group, b *regionBuilder) {
	pos := gr.members[len(gr.members)-1].Pos
	nv, err := e.out.New(pos, ir.OpFuse, &ir.FuseAttr{Body: b.body, Kind: gr.kind}, b.args...)
	if err != nil {
		e.err = err
		return
	}
	for i, v := range gr.exported {
		e.done[v] = nv
		if len(gr.exported) > 1 {
			e.done[v] = e.out.Must(v.Pos, ir.OpGet, &ir.IndexAttr{Index: i}, nv)
		}
	}
}

func regionParam(i int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	if i < len(letters) {
		return letters[i : i+1]
	}
	return letters[i/26-1:i/26] + letters[i%26:i%26+1]
}

// outside reports whether the region reads v from memory: what other kernels
// or the top level compute, and reshapes of that, which are views.
func (b *regionBuilder) outside(v *ir.Value) bool {
	for v.Op.Is(ir.Views) && b.place[v.ID] == isFree {
		v = v.Args[0]
	}
	if v.Op == ir.OpConst {
		l := v.Attr.(*ir.ConstAttr).Value
		return !l.Splat && l.Size() != 1
	}
	return b.place[v.ID] == atTop || b.place[v.ID] == inGroup && b.group[v.ID] != b.gr
}

// collect lists the inputs of the region in the order of first use and emits
// what defines its symbols.
func (b *regionBuilder) collect(v *ir.Value, seen map[*ir.Value]bool) {
	if seen[v] {
		return
	}
	seen[v] = true
	if b.outside(v) {
		b.inputs = append(b.inputs, v)
		return
	}
	for _, p := range b.preds[v.ID] {
		if !slices.Contains(v.Args, p) {
			b.memory(p)
		}
	}
	for _, a := range v.Args {
		b.collect(a, seen)
	}
}

// clone copies v and what it needs into the body.
func (b *regionBuilder) clone(v *ir.Value) *ir.Value {
	if nv, ok := b.repl[v]; ok || b.err != nil {
		return nv
	}
	args := make([]*ir.Value, len(v.Args))
	for i, a := range v.Args {
		args[i] = b.clone(a)
	}
	if b.err != nil {
		return nil
	}
	nv, err := b.body.New(v.Pos, v.Op, v.Attr, args...)
	if err != nil {
		b.err = err
	}
	b.repl[v] = nv
	return nv
}
