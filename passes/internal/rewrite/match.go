package rewrite

import (
	"fmt"
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Match is a pattern that has matched: what its variables stand for.
type Match struct {
	Out   *ir.Graph // where replacements are built
	Root  *ir.Value // the value that is replaced
	vars  []binding
	attrs []attrBinding
}

type binding struct {
	name string
	v    *ir.Value
}

type attrBinding struct {
	name string
	a    ir.Attr
}

// Arg is an argument of a named function: a value, an attribute or a number.
type Arg struct {
	V   *ir.Value
	A   ir.Attr
	Num float64
}

// Apply tries the rules on v, a value of out, and returns the value that
// takes its place and the rule, or nil. allow says which rules may fire.
func (s *Set) Apply(out *ir.Graph, v *ir.Value, allow func(*Rule) bool) (*ir.Value, *Rule) {
	for _, r := range s.byOp[v.Op] {
		if !allow(r) {
			continue
		}
		m := &Match{Out: out, Root: v}
		if !m.match(r.From, v) || !s.holds(m, r) {
			continue
		}
		nv := s.build(m, r.To, v)
		if nv == nil {
			continue
		}
		if !nv.Type.Equal(v.Type) {
			panic(fmt.Sprintf("BUG: rule %s makes %v of %v", r.Name, nv.Type, v.Type))
		}
		if nv != v {
			return nv, r
		}
	}
	return nil, nil
}

func (s *Set) holds(m *Match, r *Rule) bool {
	for _, c := range r.Conds {
		if !s.funcs.Conds[c.Name](m, m.args(c.Args)) {
			return false
		}
	}
	return true
}

func (m *Match) match(e *Expr, v *ir.Value) bool {
	switch e.Kind {
	case Var:
		for _, b := range m.vars {
			if b.name == e.Name {
				return b.v == v
			}
		}
		m.vars = append(m.vars, binding{e.Name, v})
		return true
	case Number:
		x, ok := SplatValue(v)
		return ok && (x == e.Num && math.Signbit(x) == math.Signbit(e.Num))
	}
	if v.Op != e.Op || len(v.Args) != len(e.Args) {
		return false
	}
	if e.Attr != nil {
		m.attrs = append(m.attrs, attrBinding{e.Attr.Name, v.Attr})
	}
	nv, na := len(m.vars), len(m.attrs)
	if m.matchArgs(e.Args, v.Args) {
		return true
	}
	m.vars, m.attrs = m.vars[:nv], m.attrs[:na]
	return e.Op.Is(ir.Commutes) && m.matchArgs(e.Args, []*ir.Value{v.Args[1], v.Args[0]})
}

func (m *Match) matchArgs(es []*Expr, vs []*ir.Value) bool {
	for i, e := range es {
		if !m.match(e, vs[i]) {
			return false
		}
	}
	return true
}

func (m *Match) args(es []*Expr) []Arg {
	out := make([]Arg, len(es))
	for i, e := range es {
		switch e.Kind {
		case Var:
			out[i].V = m.v(e.Name)
		case Attr:
			out[i].A = m.a(e.Name)
		case Number:
			out[i].Num = e.Num
		default:
			panic("BUG: rewrite: argument " + e.Name + " of a function is not a variable")
		}
	}
	return out
}

func (m *Match) v(name string) *ir.Value {
	i := slices.IndexFunc(m.vars, func(b binding) bool { return b.name == name })
	return m.vars[i].v
}

func (m *Match) a(name string) ir.Attr {
	i := slices.IndexFunc(m.attrs, func(b attrBinding) bool { return b.name == name })
	return m.attrs[i].a
}

// build makes the replacement e; like is the value whose type a number takes.
// It returns nil where a function declines.
func (s *Set) build(m *Match, e *Expr, like *ir.Value) *ir.Value {
	switch e.Kind {
	case Var:
		return m.v(e.Name)
	case Number:
		return Number64(m.Out, m.Root.Pos, like.Type, e.Num)
	case Call:
		return s.funcs.Values[e.Name](m, m.args(e.Args))
	}
	args := make([]*ir.Value, len(e.Args))
	for i, a := range e.Args {
		if a.Kind != Number {
			if args[i] = s.build(m, a, like); args[i] == nil {
				return nil
			}
			like = args[i]
		}
	}
	for i, a := range e.Args {
		if a.Kind == Number {
			args[i] = s.build(m, a, like)
		}
	}
	var attr ir.Attr
	switch {
	case e.Attr == nil:
	case e.Attr.Kind == Attr:
		attr = m.a(e.Attr.Name)
	default:
		if attr = s.funcs.Attrs[e.Attr.Name](m, m.args(e.Attr.Args)); attr == nil {
			return nil
		}
	}
	return m.Out.Must(m.Root.Pos, e.Op, attr, args...)
}
