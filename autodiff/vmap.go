package autodiff

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Vmap returns g mapped over a new axis 0 of extent n of the parameters in
// mapped: what g computes of one example, the result computes of n of them.
// Each result has the new axis, too, also one that depends on no mapped
// parameter. What does not depend on them is computed once.
func Vmap(g *ir.Graph, mapped []int, n ir.Dim) (*ir.Graph, error) {
	on := make([]bool, len(g.Params))
	for i, p := range mapped {
		if p < 0 || p >= len(on) || on[p] {
			return nil, fmt.Errorf("%s: vmap: parameters %v are not distinct within the graph's %d",
				g.Name, mapped, len(on))
		}
		on[mapped[i]] = true
	}
	out, _, err := mapGraph(g, on, n, func(int, bool) bool { return true })
	return out, err
}

// mapping is one run of Vmap over a graph.
type mapping struct {
	*back
	n   ir.Dim
	val []*ir.Value // by ID in the source: the value in the new graph
	on  [][]bool    // by ID in the source: whether each result has the new axis
	// parts are the results of operations with several, where they were
	// taken apart.
	parts map[*ir.Value][]*ir.Value
}

// mapRule makes of v, an operation of the source, one of args, of which those
// that are on have the new axis; it says which results have it. At least one
// is on.
type mapRule func(m *mapping, v *ir.Value, args []*ir.Value, on []bool) (*ir.Value, []bool)

// mapGraph maps g, whose parameters have the new axis where on says so; want
// is asked for each result, given whether it has the axis, if it shall.
func mapGraph(g *ir.Graph, on []bool, n ir.Dim, want func(i int, has bool) bool) (out *ir.Graph,
	has []bool, err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			out, err = nil, f.err
		default:
			panic(f)
		}
	}()
	out = ir.NewGraph(g.Name + "_vmap")
	m := &mapping{back: &back{g: out, what: "vmap"}, n: n, val: make([]*ir.Value, len(g.Values)),
		on: make([][]bool, len(g.Values)), parts: map[*ir.Value][]*ir.Value{}}
	params := 0
	for _, v := range g.Values {
		m.pos = v.Pos
		if v.Op != ir.OpParam {
			m.step(v)
			continue
		}
		t := v.Type
		if on[params] {
			t.Shape = m.wide(t.Shape)
		}
		m.val[v.ID], m.on[v.ID] = out.Param(v.ParamName(), t, v.Pos), []bool{on[params]}
		params++
	}
	results := make([]*ir.Value, len(g.Results))
	has = make([]bool, len(g.Results))
	for i, r := range g.Results {
		results[i], has[i] = m.val[r.ID], m.on[r.ID][0]
		if want(i, has[i]) && !has[i] {
			results[i], has[i] = m.stretched(results[i]), true
		}
	}
	out.SetResults(g.ResultNames, results...)
	return out, has, nil
}

// step maps one operation.
func (m *mapping) step(v *ir.Value) {
	args, on := make([]*ir.Value, len(v.Args)), make([]bool, len(v.Args))
	if v.Op == ir.OpGet {
		at, from := v.Attr.(*ir.IndexAttr).Index, v.Args[0]
		if res := m.parts[from]; res != nil {
			m.val[v.ID] = res[at]
		} else {
			m.val[v.ID] = m.op(ir.OpGet, v.Attr, m.val[from.ID])
		}
		m.on[v.ID] = m.on[from.ID][at : at+1]
		return
	}
	for i, a := range v.Args {
		args[i], on[i] = m.val[a.ID], m.on[a.ID][0]
	}
	if !slices.Contains(on, true) {
		m.val[v.ID] = m.op(v.Op, v.Attr, args...)
		m.on[v.ID] = make([]bool, len(v.ResultTypes()))
		return
	}
	r, ok := mapRules[v.Op]
	if !ok {
		m.fail("%v cannot be mapped: %s", v.Op, unmapped[v.Op])
	}
	m.val[v.ID], m.on[v.ID] = r(m, v, args, on)
}

// wide is s behind the new axis.
func (m *mapping) wide(s ir.Shape) ir.Shape { return append(ir.Shape{m.n}, s...) }

// stretched gives x the new axis by repeating it.
func (m *mapping) stretched(x *ir.Value) *ir.Value {
	return m.broadcast(x, m.wide(x.Type.Shape), count(1, x.Type.Rank()))
}

// all gives all args the new axis.
func (m *mapping) all(args []*ir.Value, on []bool) []*ir.Value {
	out := slices.Clone(args)
	for i := range out {
		if !on[i] {
			out[i] = m.stretched(out[i])
		}
	}
	return out
}

// toFront moves axis from of x to the front.
func (m *mapping) toFront(x *ir.Value, from int) *ir.Value {
	return m.transpose(x, moveAxis(x.Type.Rank(), from, 0))
}

// looped runs v once an example, which is right for every operation: a scan
// whose body is v.
func looped(m *mapping, v *ir.Value, args []*ir.Value, on []bool) (*ir.Value, []bool) {
	body := ir.NewGraph("each")
	inner := &back{g: body, pos: m.pos, what: "vmap"}
	loop := &ir.LoopAttr{Body: body, Length: m.n}
	var order []*ir.Value
	params := make([]*ir.Value, len(args))
	for _, mapped := range []bool{true, false} {
		for i, a := range args {
			if on[i] == mapped {
				order = append(order, a)
				params[i] = body.Param(fmt.Sprint("x", i), v.Args[i].Type, m.pos)
			}
		}
		if mapped {
			loop.Xs = len(order)
		}
	}
	res := inner.results(inner.op(v.Op, v.Attr, params...))
	body.SetResults(nil, res...)
	return m.op(ir.OpScan, loop, order...), yes(len(res))
}

func yes(n int) []bool { return slices.Repeat([]bool{true}, n) }
