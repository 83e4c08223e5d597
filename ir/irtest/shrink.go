package irtest

import (
	"maps"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Shrink returns a small case that still fails, given one that does. It keeps
// one input set and one result, replaces values by parameters that hold what
// ref computes for them, and sets input elements to zero. fails is called at
// most budget times; a case that ref cannot run never replaces another.
func Shrink(c *Case, ref Evaluator, fails func(c *Case) bool, budget int) *Case {
	s := &shrinker{best: c, ref: ref, fails: fails, budget: budget}
	s.oneSet()
	s.oneResult()
	for s.budget > 0 && s.cutArguments() {
	}
	s.inputs()
	return s.best
}

type shrinker struct {
	best   *Case
	ref    Evaluator
	fails  func(*Case) bool
	budget int
}

// try makes c the best case if it fails.
func (s *shrinker) try(c *Case) bool {
	if s.budget <= 0 || c == nil {
		return false
	}
	s.budget--
	for _, in := range c.Inputs {
		if _, err := s.ref(c.Graph, in); err != nil {
			return false
		}
	}
	if !s.fails(c) {
		return false
	}
	s.best = c
	return true
}

func (s *shrinker) oneSet() {
	for _, in := range s.best.Inputs {
		c := *s.best
		c.Inputs = [][]*ir.Literal{in}
		if len(s.best.Inputs) > 1 && s.try(&c) {
			return
		}
	}
}

// oneResult looks for the earliest value that is wrong as the only result, or
// else for a single result that is.
func (s *shrinker) oneResult() {
	for _, v := range s.best.Graph.Values {
		if v.Op != ir.OpParam && v.Op != ir.OpCheck && v.Type.DType != ir.Tuple &&
			s.try(s.slice(v, nil)) {
			return
		}
	}
}

// slice returns the case whose only result is v, with what v needs; values in
// cut become parameters. It is nil where a cut value cannot be computed.
func (s *shrinker) slice(v *ir.Value, cut map[int]bool) *Case {
	g := s.best.Graph
	need := map[int]bool{}
	syms := map[string]bool{}
	var visit func(v *ir.Value)
	visit = func(v *ir.Value) {
		if need[v.ID] {
			return
		}
		need[v.ID] = true
		v.Syms(syms)
		if !cut[v.ID] {
			for _, a := range v.Args {
				visit(a)
			}
		}
	}
	visit(v)
	for range g.Values { // what binds the symbols, and what that needs
		for _, w := range g.Values {
			if slices.ContainsFunc(binds(w), func(n string) bool { return syms[n] }) && !need[w.ID] {
				if w.Op == ir.OpParam && covered(g, need, syms, w) {
					continue
				}
				visit(w)
			}
		}
	}
	var order []*ir.Value
	for _, w := range g.Values {
		if need[w.ID] {
			order = append(order, w)
		}
	}
	return s.assemble(order, v, cut)
}

// binds is Binds with the extents of parameters.
func binds(v *ir.Value) []string {
	if v.Op != ir.OpParam {
		return v.Binds()
	}
	var out []string
	for _, d := range v.Type.Shape {
		if n := d.SymNames(); len(n) == 1 && d.Equal(ir.Sym(n[0])) {
			out = append(out, n[0])
		}
	}
	return out
}

// covered reports whether the needed parameters bind all that w would.
func covered(g *ir.Graph, need map[int]bool, syms map[string]bool, w *ir.Value) bool {
	have := map[string]bool{}
	for _, p := range g.Params {
		if need[p.ID] {
			for _, n := range binds(p) {
				have[n] = true
			}
		}
	}
	return !slices.ContainsFunc(binds(w), func(n string) bool { return syms[n] && !have[n] })
}

// assemble makes the case of the values in order.
func (s *shrinker) assemble(order []*ir.Value, result *ir.Value, cut map[int]bool) *Case {
	g := s.best.Graph
	out, repl := rebuild(g, order, []*ir.Value{result}, []string{"r"}, cut)
	if ir.Verify(out) != nil {
		return nil
	}
	c := &Case{Seed: s.best.Seed, Graph: out, Bounds: make([]Bound, len(out.Values))}
	for i, v := range repl {
		if v != nil {
			c.Bounds[v.ID] = s.best.Bounds[i]
		}
	}
	c.Bounds[out.Results[0].ID] = s.best.Bounds[result.ID]
	for _, in := range s.best.Inputs {
		lits, ok := s.values(in, cut)
		if !ok {
			return nil
		}
		var ins []*ir.Literal
		for _, v := range order {
			if i := slices.Index(g.Params, v); i >= 0 {
				ins = append(ins, in[i])
			} else if cut[v.ID] {
				ins = append(ins, lits[v.ID])
			}
		}
		c.Inputs = append(c.Inputs, ins)
	}
	return c
}

// values computes the values in cut by the reference.
func (s *shrinker) values(in []*ir.Literal, cut map[int]bool) (map[int]*ir.Literal, bool) {
	if len(cut) == 0 {
		return nil, true
	}
	g := s.best.Graph
	ids := slices.Sorted(maps.Keys(cut))
	results := make([]*ir.Value, len(ids))
	for i, id := range ids {
		results[i] = g.Values[id]
	}
	all, _ := rebuild(g, g.Values, results, nil, nil)
	lits, err := s.ref(all, in)
	if err != nil {
		return nil, false
	}
	out := map[int]*ir.Literal{}
	for i, id := range ids {
		out[id] = lits[i]
	}
	return out, true
}

// cutArguments replaces a value by a parameter, the earliest users first so
// that much goes at once; it reports whether it could.
func (s *shrinker) cutArguments() bool {
	g := s.best.Graph
	if len(g.Results) != 1 {
		return false
	}
	for i := len(g.Values) - 2; i >= 0; i-- {
		v := g.Values[i]
		if v.Op == ir.OpParam || v.Op.Is(ir.Effect) || v.Type.DType == ir.Tuple || len(v.Binds()) > 0 {
			continue
		}
		if s.try(s.slice(g.Results[0], map[int]bool{i: true})) {
			return true
		}
	}
	return false
}

// inputs sets halves, quarters, ... of each input to zero.
func (s *shrinker) inputs() {
	if len(s.best.Inputs) != 1 {
		return
	}
	for i := range s.best.Inputs[0] {
		l := s.best.Inputs[0][i]
		size := l.DType.Size()
		if size == 0 || l.Splat {
			continue
		}
		for part := len(l.Data) / size; part > 0; part /= 2 {
			for lo := 0; lo < len(l.Data)/size; lo += part {
				l := s.best.Inputs[0][i]
				z := *l
				z.Data = slices.Clone(l.Data)
				clear(z.Data[lo*size : min(lo+part, len(l.Data)/size)*size])
				if slices.Equal(z.Data, l.Data) {
					continue
				}
				c := *s.best
				c.Inputs = [][]*ir.Literal{slices.Clone(s.best.Inputs[0])}
				c.Inputs[0][i] = &z
				s.try(&c)
			}
		}
	}
}
