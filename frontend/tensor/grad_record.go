package tensor

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/autodiff"
	"github.com/tensorcc/tcc/ir"
)

// How gradients are recorded: the operations between tensors are made a graph,
// which package autodiff differentiates or maps; what it returns is recorded
// again, and what was there before is found in it.

// custom is a computation with a gradient of its own: of the values at, with
// the results ys, each marked by a node that has this as its custom.
type custom struct {
	at, inner, ys []*node
	back          func(c *call, dys []*node) []*node
}

// deps are the nodes from which gradients see n computed.
func (n *node) deps() []*node {
	if n.custom != nil {
		return n.custom.at
	}
	return n.args
}

// variable is n as what gradients are asked for: its users are kept, which
// settle ends.
func (c *call) variable(n *node) *node {
	if c.err != nil {
		return nil
	}
	v := newNode(ir.OpReshape, &ir.ShapeAttr{Shape: n.typ.Shape}, n.typ, c.pos, n)
	v.grads = true
	return v
}

// settle lets go of the past of roots which was kept for the variables' sake.
func settle(roots, variables []*node) {
	if len(variables) == 0 {
		return
	}
	evalMu.Lock()
	defer evalMu.Unlock()
	first := slices.MinFunc(variables, func(a, b *node) int { return int(a.seq) - int(b.seq) })
	for _, n := range reach(roots, func(n *node) bool { return n.seq < first.seq }) {
		if n.seq >= first.seq && n.leaf == nil {
			n.grads = n.grads && slices.ContainsFunc(n.args, func(a *node) bool { return a.grads })
			if !n.grads && n.data.Load() != nil {
				n.args = nil
			}
		}
	}
}

// program is the graph of ys, whose first parameters are xs and the others
// what ys were computed from that does not depend on them.
func program(ys, xs []*node, depends map[*node]bool) (*emitter, error) {
	evalMu.Lock()
	defer evalMu.Unlock()
	e := &emitter{g: ir.NewGraph("loss"), values: map[*node]*ir.Value{}, stops: true}
	for _, x := range xs {
		e.param(x)
	}
	e.known = func(n *node) bool { return e.values[n] != nil || !depends[n] }
	results, err := e.emit(ys)
	if err != nil {
		return nil, err
	}
	e.g.SetResults(nil, results...)
	return e, nil
}

// dependents tells which nodes below ys depend on one of xs, beyond which it
// does not look, nor beyond what gradients take for constants.
func dependents(ys, xs []*node) map[*node]bool {
	return descendants(ys, xs, (*node).stops)
}

func descendants(ys, xs []*node, stop func(*node) bool) map[*node]bool {
	evalMu.Lock()
	defer evalMu.Unlock()
	isX := map[*node]bool{}
	for _, x := range xs {
		isX[x] = true
	}
	next := func(n *node) []*node {
		if isX[n] || stop(n) {
			return nil
		}
		return n.deps()
	}
	depends := map[*node]bool{}
	for _, n := range walk(ys, next) {
		depends[n] = isX[n] ||
			slices.ContainsFunc(next(n), func(a *node) bool { return depends[a] })
	}
	return depends
}

// pullback maps cotangents of ys to those of xs, which are distinct; nil where
// nothing reaches. It can be applied more than once.
type pullback struct {
	ys, xs  []*node
	parts   []*part
	customs []*custom // by decreasing age: users before what they use
}

// part is a computation without custom rules: of one custom's results or xs
// to the results of the whole, or the arguments of another custom.
type part struct {
	e    *emitter
	ys   []*node
	into []*node // the parameters that it gives cotangents
	vjp  *ir.Graph
}

// pullback differentiates ys, floats, with respect to xs.
func (c *call) pullback(ys, xs []*node) *pullback {
	if c.err != nil {
		return nil
	}
	p := &pullback{ys: ys, xs: xs}
	depends := dependents(ys, xs)
	seen := map[*custom]bool{}
	for n, d := range depends {
		if d && n.custom != nil && !slices.Contains(xs, n) && !seen[n.custom] {
			seen[n.custom] = true
			p.customs = append(p.customs, n.custom)
		}
	}
	slices.SortFunc(p.customs, func(a, b *custom) int { return int(b.ys[0].seq) - int(a.ys[0].seq) })
	stops := slices.Clone(xs)
	for _, k := range p.customs {
		stops = append(stops, k.ys...)
	}
	ends := [][]*node{ys}
	for _, k := range p.customs {
		ends = append(ends, floats(k.at))
	}
	for _, end := range ends {
		part, err := newPart(end, stops)
		if err != nil {
			c.fail("%v", err)
			return nil
		}
		p.parts = append(p.parts, part)
	}
	return p
}

// newPart differentiates ends with respect to those of stops that they depend
// on without another between.
func newPart(ends, stops []*node) (*part, error) {
	depends := dependents(ends, stops)
	p := &part{}
	for _, s := range stops {
		if depends[s] && s.typ.DType.IsFloat() {
			p.into = append(p.into, s)
		}
	}
	for _, y := range ends {
		if depends[y] {
			p.ys = append(p.ys, y)
		}
	}
	if len(p.into) == 0 || len(p.ys) == 0 {
		p.ys = nil
		return p, nil
	}
	var err error
	if p.e, err = program(p.ys, p.into, depends); err != nil {
		return nil, err
	}
	p.vjp, err = autodiff.VJP(p.e.g, count(0, len(p.into)))
	return p, err
}

// apply returns the cotangents of xs for those of ys, nil where nothing
// reaches.
func (p *pullback) apply(c *call, dys []*node) []*node {
	cots := map[*node]*node{}
	add := func(n, d *node) {
		switch {
		case c.err != nil || d == nil:
		case cots[n] == nil:
			cots[n] = d
		default:
			cots[n] = c.op(ir.OpAdd, nil, cots[n], d)
		}
	}
	run := func(part *part, of map[*node]*node) {
		if len(part.ys) == 0 || c.err != nil {
			return
		}
		var seeds []*node
		for _, y := range part.ys {
			d := of[y]
			if d == nil {
				d = c.zeros(y.typ)
			}
			seeds = append(seeds, d)
		}
		params := slices.Concat(part.e.params, seeds)
		for i, d := range c.replay(part.vjp, part.e, params)[len(part.ys):] {
			add(part.into[i], d)
		}
	}
	seeds := map[*node]*node{}
	for i, y := range p.ys {
		seeds[y] = c.sum(seeds[y], dys[i])
	}
	run(p.parts[0], seeds)
	for i, k := range p.customs {
		run(p.parts[1+i], k.cotangents(c, cots))
	}
	out := make([]*node, len(p.xs))
	for i, x := range p.xs {
		out[i] = cots[x]
	}
	return out
}

// cotangents are those that the custom rule gives its floating-point
// arguments.
func (k *custom) cotangents(c *call, cots map[*node]*node) map[*node]*node {
	var dys []*node
	some := false
	for _, y := range k.ys {
		d := cots[y]
		some = some || d != nil
		if d == nil && c.err == nil {
			d = c.zeros(y.typ)
		}
		dys = append(dys, d)
	}
	of := map[*node]*node{}
	if !some || c.err != nil {
		return of
	}
	for i, d := range k.back(c, dys) {
		of[k.at[i]] = c.sum(of[k.at[i]], d)
	}
	return of
}

func (c *call) sum(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil || c.err != nil:
		return a
	}
	return c.op(ir.OpAdd, nil, a, b)
}

// zeros are those of a type.
func (c *call) zeros(t ir.Type) *node {
	return c.stretch(c.number(weak{kind: I64}, t.DType), t.Shape)
}

// orZeros puts zeros where no cotangent came.
func (c *call) orZeros(ds, xs []*node) []*node {
	if c.err != nil {
		return nil
	}
	for i, d := range ds {
		if d == nil {
			ds[i] = c.zeros(xs[i].typ)
		}
	}
	return ds
}

// recorded finds the nodes of e's graph by what they compute.
func (e *emitter) recorded() map[string]*node {
	nodes := make([]*node, len(e.g.Values)) // the oldest of each value
	for n, v := range e.values {
		if old := nodes[v.ID]; old == nil || n.seq < old.seq {
			nodes[v.ID] = n
		}
	}
	found := map[string]*node{}
	for _, v := range e.g.Values {
		args := make([]*node, len(v.Args))
		for i, a := range v.Args {
			args[i] = nodes[a.ID]
		}
		if v.Op != ir.OpParam {
			found[replayKey(v.Op, v.Attr, args)] = nodes[v.ID]
		}
	}
	return found
}

// replay records the values of g, made of e's graph, for the given parameters
// and returns what its results became. Values that were there before, those of
// the forward computation, are found again rather than recorded twice.
func (c *call) replay(g *ir.Graph, e *emitter, params []*node) []*node {
	out := make([]*node, len(g.Results))
	if c.err != nil {
		return out
	}
	old := e.recorded()
	nodes := make([]*node, len(g.Values))
	for i, p := range g.Params {
		nodes[p.ID] = params[i]
	}
	for _, v := range g.Values {
		if v.Op == ir.OpParam {
			continue
		}
		args := make([]*node, len(v.Args))
		for i, a := range v.Args {
			args[i] = nodes[a.ID]
		}
		if n := old[replayKey(v.Op, v.Attr, args)]; n != nil {
			nodes[v.ID] = n
			continue
		}
		if v.Op == ir.OpConst {
			nodes[v.ID] = constNode(v.Attr.(*ir.ConstAttr).Value, v.Pos)
			continue
		}
		nodes[v.ID] = c.op(v.Op, v.Attr, args...)
		if c.err != nil {
			return out
		}
		nodes[v.ID].pos = v.Pos
	}
	for i, r := range g.Results {
		out[i] = nodes[r.ID]
	}
	return out
}

// replayKey identifies an operation: attributes by address, since
// differentiation hands on those of the forward computation.
func replayKey(op ir.Op, attr ir.Attr, args []*node) string {
	key := fmt.Sprintf("%d %p", op, attr)
	for _, a := range args {
		key += fmt.Sprintf(" %d", a.seq)
	}
	return key
}
