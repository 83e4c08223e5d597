package irtest

import (
	"math/rand/v2"

	"github.com/tensorcc/tcc/ir"
)

// Shuffle returns a copy of g with its values in another order that is as
// good: arguments before users, symbols bound before they are used,
// parameters and operations with effects in the order they had.
func Shuffle(g *ir.Graph, r *rand.Rand) *ir.Graph {
	users := make([][]int, len(g.Values))
	waits := make([]int, len(g.Values))
	after := func(v, first int) {
		users[first] = append(users[first], v)
		waits[v]++
	}
	binder := map[string]int{}
	lastParam, lastEffect := -1, -1
	for i, v := range g.Values {
		for _, a := range v.Args {
			after(i, a.ID)
		}
		syms := map[string]bool{}
		v.Syms(syms)
		for _, name := range v.Binds() {
			binder[name] = i
		}
		for s := range syms {
			if at, ok := binder[s]; ok && at != i {
				after(i, at)
			}
		}
		if v.Op == ir.OpParam {
			if lastParam >= 0 {
				after(i, lastParam)
			}
			lastParam = i
		} else if v.Op.Is(ir.Effect) {
			if lastEffect >= 0 {
				after(i, lastEffect)
			}
			lastEffect = i
		}
	}
	var ready []int
	for i, n := range waits {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	order := make([]*ir.Value, 0, len(g.Values))
	for len(ready) > 0 {
		k := r.IntN(len(ready))
		i := ready[k]
		ready[k] = ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		order = append(order, g.Values[i])
		for _, u := range users[i] {
			if waits[u]--; waits[u] == 0 {
				ready = append(ready, u)
			}
		}
	}
	out, _ := rebuild(g, order, g.Results, g.ResultNames, nil)
	return out
}

// rebuild copies the values of g in the given order, which has all that they
// need. Values in cut become parameters. It returns the place of each value of
// g in the copy, nil for those left out.
func rebuild(g *ir.Graph, order, results []*ir.Value, names []string,
	cut map[int]bool) (*ir.Graph, []*ir.Value) {
	out := ir.NewGraph(g.Name)
	repl := make([]*ir.Value, len(g.Values))
	for _, v := range order {
		switch {
		case v.Op == ir.OpParam:
			repl[v.ID] = out.Param(v.ParamName(), v.Type, v.Pos)
			continue
		case cut[v.ID]:
			repl[v.ID] = out.Param("cut"+v.String(), v.Type, v.Pos)
			continue
		}
		args := make([]*ir.Value, len(v.Args))
		for i, a := range v.Args {
			args[i] = repl[a.ID]
		}
		repl[v.ID] = out.Must(v.Pos, v.Op, v.Attr, args...)
	}
	rs := make([]*ir.Value, len(results))
	for i, r := range results {
		rs[i] = repl[r.ID]
	}
	out.SetResults(names, rs...)
	return out, repl
}
