package passes

import (
	_ "embed"
	"slices"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

//go:embed canon.rules
var canonText string

// canonRules is parsed once; a bad rule is a fault of the compiler.
var canonRules = func() *rewrite.Set {
	s, err := rewrite.Parse("canon.rules", canonText, canonFuncs())
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return s
}()

// goRule is a rule that needs more than the text form says: loops over
// arguments or axes. It returns nil where it does not apply.
type goRule struct {
	name  string
	class rewrite.Class
	apply func(out *ir.Graph, v *ir.Value) *ir.Value
}

// canon folds constants and applies the rules until nothing changes.
func canon(c *Context, g *ir.Graph) (*ir.Graph, error) {
	const most = 16 // sweeps; each sees what the one before made inside of replacements
	for range most {
		s := newSweep(c)
		s.rules = canonRules
		out, err := s.run(g)
		if err != nil {
			return nil, err
		}
		if out, err = dce(c, out); err != nil {
			return nil, err
		}
		g = out
		if s.changes == 0 {
			break
		}
	}
	return g, nil
}

// sweep rebuilds a graph once, simplifying each value as it is appended.
type sweep struct {
	c       *Context
	out     *ir.Graph
	rules   *rewrite.Set // nil: fold constants only
	changes int
	subst   map[string]ir.Dim         // symbols whose value has become known
	tuples  map[*ir.Value][]*ir.Value // results of inlined operations, by old value
	dims    map[*ir.Value]ir.Shape    // integers known as expressions, by new value
}

func newSweep(c *Context) *sweep {
	return &sweep{c: c, subst: map[string]ir.Dim{}, tuples: map[*ir.Value][]*ir.Value{},
		dims: map[*ir.Value]ir.Shape{}}
}

func (s *sweep) run(g *ir.Graph) (*ir.Graph, error) {
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		s.out = out
		attr, err := substAttr(v.Attr, s.subst)
		if err != nil {
			return nil, err
		}
		if f := structural[v.Op]; f != nil {
			nv, err := f(s, v, attr, args)
			if nv != nil || err != nil {
				return nv, err
			}
		}
		nv, err := out.New(v.Pos, v.Op, attr, args...)
		if err != nil {
			return nil, err
		}
		return s.simplify(nv), nil
	})
}

// simplify replaces v until no rule fires.
func (s *sweep) simplify(v *ir.Value) *ir.Value {
	const most = 32
	for range most {
		nv, rule := s.step(v)
		if nv == nil || nv == v {
			break
		}
		if s.c.Fired != nil {
			s.c.Fired(rule, v)
		}
		s.changes++
		v = nv
	}
	return v
}

func (s *sweep) step(v *ir.Value) (*ir.Value, string) {
	if nv := s.fold(v); nv != nil && nv != v {
		return nv, "fold"
	}
	if s.rules == nil {
		return nil, ""
	}
	if nv, r := s.rules.Apply(s.out, v, s.allowed); nv != nil {
		return nv, r.Name
	}
	for _, r := range goRules[v.Op] {
		if !s.c.allows(r.name, r.class) {
			continue
		}
		if nv := r.apply(s.out, v); nv != nil && nv != v {
			return nv, r.name
		}
	}
	return nil, ""
}

func (s *sweep) allowed(r *rewrite.Rule) bool { return s.c.allows(r.Name, r.Class) }

// allows reports whether a rule may fire: those of class real only with
// relaxed arithmetic, and none that is named in Skip as rule:NAME.
func (c *Context) allows(name string, class rewrite.Class) bool {
	return (class != rewrite.Real || c.Relaxed) && !slices.Contains(c.Skip, "rule:"+name)
}
