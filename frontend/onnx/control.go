package onnx

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// Control flow: operators with graphs.

var controlRows = []row{
	{"If", 1, 1, 1, ifOp},
	{"Loop", 1, 2, -1, loop},
	{"Scan", 9, 1, -1, scanOp},
}

// ifOp takes a branch whose condition is known, and else makes an ir.OpIf. An
// ir.OpIf needs branches whose results have the same ranks. Where they do not,
// and the condition is one on extents, the model can mean one of them alone
// (exporters write a squeeze of an extent that may be 1 in this way): see
// assume.
func ifOp(n *node) []*tensor {
	then, els := n.graph("then_branch"), n.graph("else_branch")
	cond := n.onlyElement(0)
	if cond.elems == nil {
		out, err := n.branches(cond, then, els)
		if err != nil {
			n.fail("%w; the condition is computed when the model runs, %w", err, ErrNotConstant)
		}
		return out
	}
	e := cond.elems[0]
	if k, ok := e.d.Int(); ok {
		if k != 0 {
			return n.inline(then)
		}
		return n.inline(els)
	}
	if _, chosen := n.im.choices[n.name]; !chosen {
		before := len(n.im.errs)
		out, err := n.branches(cond, then, els)
		if err == nil {
			return out
		}
		n.im.errs = n.im.errs[:before]
	}
	if n.assume(e) {
		return n.inline(then)
	}
	return n.inline(els)
}

// assume decides a condition on extents that cannot be decided, and lets the
// model check when it runs that it was right. Which way it decides is the
// importer's choice for this node, see importer.choices.
func (n *node) assume(e elem) bool {
	take, chosen := n.im.choices[n.name]
	if !chosen {
		take = true
		n.im.choices[n.name] = take
		n.im.assumed = append(n.im.assumed, n.name)
	}
	const what = "the model was compiled for the branch of an If where this holds"
	switch {
	case e.eq != nil && take:
		n.checkRel(e.eq[0], e.eq[1], "==", what)
	case take:
		n.checkRel(ir.Const(1), e.d, "<=", what)
	default:
		n.checkRel(e.d, ir.Const(0), "<=", what)
	}
	return take
}

// branches makes an ir.OpIf.
func (n *node) branches(cond *tensor, then, els *onnxpb.GraphProto) (out []*tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*nodeError)
			if !ok {
				panic(r)
			}
			err = e.err
		}
	}()
	caught := n.capture(nil, then, els)
	thenBody, elseBody := n.region(then, caught), n.region(els, caught)
	a := &ir.IfAttr{Then: thenBody.g, Else: elseBody.g}
	n.joinShapes(a, thenBody, elseBody)
	thenBody.seal()
	elseBody.seal()
	args := append([]*ir.Value{n.value(cond)}, caught.values...)
	return tensors(n.get(n.op(ir.OpIf, a, args...))), nil
}

func tensors(vs []*ir.Value) []*tensor {
	out := make([]*tensor, len(vs))
	for i, v := range vs {
		out[i] = computed(v)
	}
	return out
}

// inline imports a graph as if its nodes stood in n's place.
func (n *node) inline(g *onnxpb.GraphProto) []*tensor {
	out, err := n.im.graph(n.s.inner(), g)
	if err != nil {
		n.fail("%s: %w", g.Name, err)
	}
	return out
}

// captured are the tensors that bodies use from the scopes around them. Those
// that are computed become arguments of the region, in order.
type captured struct {
	names  []string
	tensor map[string]*tensor
	values []*ir.Value // of the tensors that are computed
	index  map[string]int
}

// capture finds what graphs use from outside. formals are the names of a
// graph's own inputs.
func (n *node) capture(formals []string, graphs ...*onnxpb.GraphProto) *captured {
	c := &captured{tensor: map[string]*tensor{}, index: map[string]int{}}
	for _, g := range graphs {
		bound := map[string]bool{}
		for _, f := range formals {
			bound[f] = true
		}
		c.graph(n, g, bound)
	}
	return c
}

// graph adds what g uses and does not make; bound are the names made so far.
func (c *captured) graph(n *node, g *onnxpb.GraphProto, bound map[string]bool) {
	inner := map[string]bool{}
	for name := range bound {
		inner[name] = true
	}
	for _, in := range g.Input {
		inner[in.Name] = true
	}
	for _, t := range g.Initializer {
		inner[t.Name] = true
	}
	for _, p := range g.Node {
		for _, name := range p.Input {
			c.use(n, name, inner)
		}
		for _, a := range p.Attribute {
			for _, sub := range append([]*onnxpb.GraphProto{a.G}, a.Graphs...) {
				if sub != nil {
					c.graph(n, sub, inner)
				}
			}
		}
		for _, name := range p.Output {
			inner[name] = true
		}
	}
	for _, o := range g.Output {
		c.use(n, o.Name, inner)
	}
}

func (c *captured) use(n *node, name string, inner map[string]bool) {
	if name == "" || inner[name] || c.tensor[name] != nil {
		return
	}
	t := n.s.lookup(name)
	if t == nil {
		return // importing the node that uses it reports it
	}
	c.names, c.tensor[name] = append(c.names, name), t
	if t.elems == nil && t.lit == nil && !t.bad && t != missing {
		c.index[name] = len(c.values)
		c.values = append(c.values, n.value(t))
	}
}

// enter makes the captured tensors known in the scope s of a region and
// appends the parameters that stand for those that are computed.
func (c *captured) enter(s *scope) {
	for _, name := range c.names {
		t := *c.tensor[name]
		if i, ok := c.index[name]; ok {
			t.val = s.g.Param(name, c.values[i].Type, ir.Pos{Node: name})
		} else {
			t.val = nil // it is made again from its elements
		}
		if c.tensor[name] == missing {
			s.names[name] = missing
			continue
		}
		s.names[name] = &t
	}
}

// body is a graph that becomes a region of ir.
type body struct {
	s       *scope
	g       *ir.Graph
	results []*ir.Value
}

// region imports the branch g.
func (n *node) region(g *onnxpb.GraphProto, c *captured) *body {
	b := n.newBody(g)
	c.enter(b.s)
	b.run(n, g)
	return b
}

func (n *node) newBody(g *onnxpb.GraphProto) *body {
	b := &body{g: ir.NewGraph(graphName(g.Name))}
	b.s = n.s.region(b.g)
	return b
}

// in is n for operations that are appended to the body.
func (b *body) in(n *node) *node {
	inner := *n
	inner.s = b.s
	return &inner
}

// run imports the nodes of g into the body.
func (b *body) run(n *node, g *onnxpb.GraphProto) {
	before := len(n.im.errs)
	out, err := n.im.graph(b.s, g)
	if err != nil {
		n.fail("%s: %w", g.Name, err)
	}
	if len(n.im.errs) > before {
		n.fail("%s could not be imported", g.Name)
	}
	for _, t := range out {
		b.results = append(b.results, b.in(n).value(t))
	}
}

func (b *body) seal() { b.g.SetResults(nil, b.results...) }

// joinShapes gives the results of both branches one type: where extents
// differ, that of the result is a symbol with a value from either branch.
func (n *node) joinShapes(a *ir.IfAttr, then, els *body) {
	if len(then.results) != len(els.results) {
		n.fail("then_branch has %d outputs, else_branch %d", len(then.results), len(els.results))
	}
	for i, t := range then.results {
		x, y := t.Type, els.results[i].Type
		if x.DType != y.DType || x.Rank() != y.Rank() {
			n.fail("output %d is %v in then_branch and %v in else_branch, want one element type and rank",
				i, x, y)
		}
		for j, d := range x.Shape {
			if e := y.Shape[j]; !d.Equal(e) && !joined(a, d, e) {
				a.Syms = append(a.Syms, n.im.syms.unique(fmt.Sprintf("%s.%d.%d", n.name, i, j)))
				a.ThenDims, a.ElseDims = append(a.ThenDims, d), append(a.ElseDims, e)
			}
		}
	}
}

// joined reports whether a has a symbol for the pair of extents d and e.
func joined(a *ir.IfAttr, d, e ir.Dim) bool {
	for i := range a.Syms {
		if a.ThenDims[i].Equal(d) && a.ElseDims[i].Equal(e) {
			return true
		}
	}
	return false
}

// loop imports a Loop whose number of steps is an expression and whose
// condition stays true: a scan over nothing but the step's number.
func loop(n *node) []*tensor {
	g := n.graph("body")
	if !n.has(0) {
		n.lacks("a loop without a trip count is not supported")
	}
	if n.has(1) {
		if e := n.in[1].elems; len(e) != 1 || !e[0].d.IsConst(1) {
			n.lacks("a loop whose condition is computed is not supported")
		}
	}
	trips := n.intsOf(0)
	if len(trips) != 1 {
		n.fail("trip count has %d elements, want 1", len(trips))
	}
	if !keepsGoing(g) {
		n.lacks("a loop whose body computes its condition is not supported")
	}
	carry := len(n.p.Input) - 2
	if len(g.Input) != carry+2 || len(g.Output) < carry+1 {
		n.fail("body has %d inputs and %d outputs for %d carried values",
			len(g.Input), len(g.Output), carry)
	}
	l := &loopBody{g: g, length: greater(trips[0], ir.Const(0))}
	for i := range carry {
		if !n.has(2 + i) {
			n.fail("initial value %d is missing", i)
		}
		l.carry = append(l.carry, n.arg(2+i))
		l.carryNames = append(l.carryNames, g.Input[2+i].Name)
	}
	l.xs = []*ir.Value{n.iota(l.length)}
	l.xNames = []string{g.Input[0].Name}
	l.known = map[string]*tensor{g.Input[1].Name: known(ir.Bool, ir.Shape{}, []elem{truth(true)})[0]}
	l.skip = 1
	return n.scan(l)
}

// keepsGoing reports whether the condition that the body g of a loop returns
// is the one it was given.
func keepsGoing(g *onnxpb.GraphProto) bool {
	if len(g.Input) < 2 || len(g.Output) < 1 {
		return false
	}
	name := g.Output[0].Name
	for i := len(g.Node) - 1; i >= 0; i-- {
		p := g.Node[i]
		if len(p.Output) == 1 && p.Output[0] == name {
			if p.OpType == "Identity" && len(p.Input) == 1 {
				name = p.Input[0]
				continue
			}
			return p.OpType == "Constant" && constantTrue(p)
		}
	}
	for _, t := range g.Initializer {
		if t.Name == name {
			lit, err := initializer(t)
			return err == nil && len(lit.elems) == 1 && lit.elems[0].d.IsConst(1)
		}
	}
	return name == g.Input[1].Name
}

func constantTrue(p *onnxpb.NodeProto) bool {
	for _, a := range p.Attribute {
		if a.Name == "value" && a.T != nil {
			t, err := initializer(a.T)
			return err == nil && len(t.elems) == 1 && t.elems[0].d.IsConst(1)
		}
	}
	return false
}

// loopBody is a loop before it becomes an ir.OpScan.
type loopBody struct {
	g                  *onnxpb.GraphProto
	length             ir.Dim
	carry, xs          []*ir.Value
	carryNames, xNames []string
	known              map[string]*tensor // inputs of the body that are constants
	skip               int                // leading outputs of the body that are no results
}

// scan makes the operation; the carried types must not change.
func (n *node) scan(l *loopBody) []*tensor {
	formals := append(append([]string{}, l.carryNames...), l.xNames...)
	for name := range l.known {
		formals = append(formals, name)
	}
	c := n.capture(formals, l.g)
	b := n.newBody(l.g)
	for i, v := range l.carry {
		b.s.names[l.carryNames[i]] = computed(b.g.Param(l.carryNames[i], v.Type, n.pos))
	}
	for i, v := range l.xs {
		t := ir.Of(v.Type.DType, v.Type.Shape[1:])
		b.s.names[l.xNames[i]] = computed(b.g.Param(l.xNames[i], t, n.pos))
	}
	c.enter(b.s)
	for name, t := range l.known {
		b.s.names[name] = t
	}
	b.run(n, l.g)
	b.results = b.results[l.skip:]
	for i, v := range l.carry {
		if r := b.results[i]; r.Type.DType == v.Type.DType && r.Type.Rank() == v.Type.Rank() {
			b.results[i] = b.in(n).broadcast(r, v.Type.Shape) // checks extents
		}
	}
	for i, r := range b.results {
		n.knownOutside(b, r.Type.Shape, i)
	}
	b.seal()
	a := &ir.LoopAttr{Body: b.g, Carry: len(l.carry), Xs: len(l.xs), Length: l.length}
	args := append(append(append([]*ir.Value{}, l.carry...), l.xs...), c.values...)
	return tensors(n.get(n.op(ir.OpScan, a, args...)))
}

// knownOutside makes sure that result i of a loop has a shape that does not
// depend on what the body b computes.
func (n *node) knownOutside(b *body, s ir.Shape, i int) {
	for _, d := range b.s.bound {
		sym := d.SymNames()[0]
		for _, x := range s {
			if slices.Contains(x.SymNames(), sym) {
				n.lacks("output %d has the shape %v, which the body computes; this is not supported", i, s)
			}
		}
	}
}

// scanOp imports Scan with all sequences along axis 0 and in one direction;
// others are transposed and turned around before and after.
func scanOp(n *node) []*tensor {
	g := n.graph("body")
	xs := int(n.int("num_scan_inputs", 0))
	carry := len(n.in) - xs
	if xs < 1 || carry < 0 || len(g.Input) != len(n.in) || len(g.Output) < carry {
		n.fail("%d scan inputs of %d, body has %d inputs and %d outputs",
			xs, len(n.in), len(g.Input), len(g.Output))
	}
	l := &loopBody{g: g}
	inAxes, inDirs := n.ints("scan_input_axes"), n.ints("scan_input_directions")
	outAxes, outDirs := n.ints("scan_output_axes"), n.ints("scan_output_directions")
	for i := range n.in {
		if !n.has(i) {
			n.fail("input %d is missing", i)
		}
		v := n.arg(i)
		if i < carry {
			l.carry, l.carryNames = append(l.carry, v), append(l.carryNames, g.Input[i].Name)
			continue
		}
		v = n.toFront(v, entry(inAxes, i-carry))
		if entry(inDirs, i-carry) == 1 {
			v = n.reverse(v, 0)
		}
		l.xs, l.xNames = append(l.xs, v), append(l.xNames, g.Input[i].Name)
	}
	l.length = l.xs[0].Type.Shape[0]
	for i, v := range l.xs {
		n.check(v.Type.Shape[0], l.length, fmt.Sprintf("length of scan input %d", i))
		l.xs[i] = n.view(v, append(ir.Shape{l.length}, v.Type.Shape[1:]...))
	}
	out := n.scan(l)
	for i := carry; i < len(out); i++ {
		v := out[i].val
		if entry(outDirs, i-carry) == 1 {
			v = n.reverse(v, 0)
		}
		out[i] = computed(n.fromFront(v, entry(outAxes, i-carry)))
	}
	return out
}

func entry(list []int64, i int) int64 {
	if i < len(list) {
		return list[i]
	}
	return 0
}

// toFront moves an axis to the front, fromFront back.
func (n *node) toFront(v *ir.Value, axis int64) *ir.Value {
	a := n.axis(axis, v.Type.Rank())
	perm := []int{a}
	for i := range v.Type.Rank() {
		if i != a {
			perm = append(perm, i)
		}
	}
	return n.transpose(v, perm...)
}

func (n *node) fromFront(v *ir.Value, axis int64) *ir.Value {
	a := n.axis(axis, v.Type.Rank())
	var perm []int
	for i := 1; i < v.Type.Rank(); i++ {
		perm = append(perm, i)
	}
	perm = append(perm[:a], append([]int{0}, perm[a:]...)...)
	return n.transpose(v, perm...)
}
