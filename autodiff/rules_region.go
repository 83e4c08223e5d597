package autodiff

import (
	"github.com/tensorcc/tcc/ir"
)

// The rules of operations with bodies: the bodies are differentiated, and the
// gradient runs them in the same form.

// results takes the results of v apart.
func (b *back) results(v *ir.Value) []*ir.Value {
	if v.Type.DType != ir.Tuple {
		return []*ir.Value{v}
	}
	out := make([]*ir.Value, len(v.Type.Elems))
	for i := range out {
		out[i] = b.op(ir.OpGet, &ir.IndexAttr{Index: i}, v)
	}
	return out
}

// floats lists the parameters of g from a place on that are floating-point
// numbers and whose argument wants a gradient.
func (b *back) floats(g *ir.Graph, args int, all int) []int {
	var wrt []int
	for i, p := range g.Params {
		if p.Type.DType.IsFloat() && (i < all || b.need[args+i]) {
			wrt = append(wrt, i)
		}
	}
	return wrt
}

// pullback returns body's VJP with respect to wrt, the gradients alone.
func (b *back) pullback(body *ir.Graph, wrt []int) *ir.Graph {
	g, err := VJP(body, wrt)
	if err != nil {
		b.fail("%w", err)
	}
	g.SetResults(nil, g.Results[len(body.Results):]...)
	if g, err = prune(g); err != nil {
		b.fail("%w", err)
	}
	return g
}

// cotangents lists those of the floating-point results of v, in the order in
// which pullback's graph has them as parameters.
func (b *back) cotangents(v *ir.Value, dy []*ir.Value) []*ir.Value {
	var out []*ir.Value
	for i, t := range v.ResultTypes() {
		switch {
		case !t.DType.IsFloat():
		case dy[i] != nil:
			out = append(out, dy[i])
		default:
			out = append(out, b.zeros(t))
		}
	}
	return out
}

// ifRule is an if of the gradients of the branches.
func ifRule(b *back, v *ir.Value, dy []*ir.Value) []*ir.Value {
	a := v.Attr.(*ir.IfAttr)
	if len(a.Syms) > 0 {
		b.fail("if: results whose shape differs between the branches have no gradient: " +
			"give both branches results of one shape")
	}
	wrt := b.floats(a.Then, 1, 0)
	out := make([]*ir.Value, len(v.Args))
	if len(wrt) == 0 {
		return out
	}
	args := append(v.Args[:len(v.Args):len(v.Args)], b.cotangents(v, dy)...)
	grads := b.results(b.op(ir.OpIf, &ir.IfAttr{Then: b.pullback(a.Then, wrt),
		Else: b.pullback(a.Else, wrt)}, args...))
	for i, p := range wrt {
		out[1+p] = grads[i]
	}
	return out
}

// scanRule runs the scan once more to keep the carries that come into each
// step, and then the gradient of the body in the opposite order. Its carries
// are the gradients of the carries and the sums of those of the arguments that
// stay the same.
func scanRule(b *back, v *ir.Value, dy []*ir.Value) []*ir.Value {
	a := v.Attr.(*ir.LoopAttr)
	s := &scanBack{b: b, v: v, a: a, wrt: b.floats(a.Body, 0, a.Carry)}
	out := make([]*ir.Value, len(v.Args))
	if len(s.wrt) == 0 {
		return out
	}
	loop, args := s.reverse(dy)
	grads := b.results(b.op(ir.OpScan, loop, args...))
	// The loop's results: gradients of carries and of the rest, then of slices.
	for i, p := range s.order() {
		out[p] = grads[i]
	}
	return out
}

type scanBack struct {
	b   *back
	v   *ir.Value
	a   *ir.LoopAttr
	wrt []int // parameters of the body that get gradients
}

func (s *scanBack) sliced(p int) bool { return p >= s.a.Carry && p < s.a.Carry+s.a.Xs }

// order is wrt in the order of the reverse loop's results: first what it
// carries, then what it stacks.
func (s *scanBack) order() []int {
	var carried, stacked []int
	for _, p := range s.wrt {
		if s.sliced(p) {
			stacked = append(stacked, p)
		} else {
			carried = append(carried, p)
		}
	}
	return append(carried, stacked...)
}

// incoming returns, for each carry, its values at the start of all steps.
func (s *scanBack) incoming() []*ir.Value {
	if s.a.Carry == 0 {
		return nil
	}
	body := ir.NewGraph(s.a.Body.Name + "_carries")
	params := copyParams(body, s.a.Body.Params)
	res, err := body.Inline(s.a.Body, params)
	if err != nil {
		s.b.fail("%w", err)
	}
	body.SetResults(nil, append(res[:s.a.Carry:s.a.Carry], params[:s.a.Carry]...)...)
	if body, err = prune(body); err != nil {
		s.b.fail("%w", err)
	}
	loop := *s.a
	loop.Body = body
	return s.b.results(s.b.op(ir.OpScan, &loop, s.v.Args...))[s.a.Carry:]
}

func copyParams(g *ir.Graph, params []*ir.Value) []*ir.Value {
	out := make([]*ir.Value, len(params))
	for i, p := range params {
		out[i] = param(g, p.ParamName(), p)
	}
	return out
}

// reverse makes the loop of the gradient and its arguments. Its body's
// parameters are: a gradient for each carried one of order; the carries, the
// slices and the cotangents of stacked results of the step; the rest.
func (s *scanBack) reverse(dy []*ir.Value) (*ir.LoopAttr, []*ir.Value) {
	a, b := s.a, s.b
	types := s.v.ResultTypes()
	body := ir.NewGraph(a.Body.Name + "_reverse")
	inner := &back{g: body, pos: b.pos}
	var args []*ir.Value
	accs := map[int]*ir.Value{} // by parameter of a.Body
	for _, p := range s.order() {
		if s.sliced(p) {
			continue
		}
		accs[p] = param(body, "d_"+a.Body.Params[p].ParamName(), a.Body.Params[p])
		if p < a.Carry && dy[p] != nil {
			args = append(args, dy[p])
		} else {
			args = append(args, b.zeros(a.Body.Params[p].Type))
		}
	}
	loop := &ir.LoopAttr{Body: body, Carry: len(accs), Length: a.Length, Reverse: !a.Reverse}
	ins := copyParams(body, a.Body.Params[:a.Carry+a.Xs])
	args = append(append(args, s.incoming()...), s.v.Args[a.Carry:a.Carry+a.Xs]...)
	cots := make([]*ir.Value, len(types))
	for i, r := range a.Body.Results {
		switch {
		case i < a.Carry:
			cots[i] = accs[i]
		case dy[i] != nil:
			cots[i] = param(body, "dy", r)
			args = append(args, dy[i])
		}
	}
	loop.Xs = len(args) - loop.Carry
	ins = append(ins, copyParams(body, a.Body.Params[a.Carry+a.Xs:])...)
	args = append(args, s.v.Args[a.Carry+a.Xs:]...)
	for i, r := range a.Body.Results {
		if !r.Type.DType.IsFloat() {
			continue
		}
		if cots[i] == nil {
			cots[i] = inner.zeros(r.Type)
		}
		ins = append(ins, cots[i])
	}
	grads, err := body.Inline(b.pullback(a.Body, s.wrt), ins)
	if err != nil {
		b.fail("%w", err)
	}
	s.close(inner, grads, accs)
	return loop, args
}

// close declares the results of the reverse body.
func (s *scanBack) close(inner *back, grads []*ir.Value, accs map[int]*ir.Value) {
	byParam := map[int]*ir.Value{}
	for i, p := range s.wrt {
		byParam[p] = grads[i]
	}
	var results []*ir.Value
	for _, p := range s.order() {
		g := byParam[p]
		if p >= s.a.Carry+s.a.Xs {
			g = inner.add(accs[p], g)
		}
		results = append(results, g)
	}
	inner.g.SetResults(nil, results...)
}
