package onnx

import "github.com/tensorcc/tcc/ir"

// scope is the names that nodes of one ONNX graph see, and the ir graph that
// their values go to. A subgraph of the model whose values go to the same ir
// graph (a branch that is always taken, a function's body) has the scope
// around it as parent; one that becomes a region of ir has none, and the names
// that it captures are entered into it.
type scope struct {
	parent *scope
	names  map[string]*tensor
	g      *ir.Graph
	// checks are the conditions that this ir graph checks already.
	checks map[string]bool
	// bound are the symbols that values of this ir graph are bound to.
	bound map[*ir.Value]ir.Dim
	// call is the function call around, to whose attributes those of nodes in
	// the function's body may refer.
	call *node
	// opsets are the versions of the operator sets in force.
	opsets map[string]int64
}

func (s *scope) lookup(name string) *tensor {
	for ; s != nil; s = s.parent {
		if t, ok := s.names[name]; ok {
			return t
		}
	}
	return nil
}

// inner returns a scope within s whose values go to the same ir graph.
func (s *scope) inner() *scope {
	in := *s
	in.parent, in.names = s, map[string]*tensor{}
	return &in
}

// region returns a scope of its own for a body of the ir graph g.
func (s *scope) region(g *ir.Graph) *scope {
	in := *s
	in.parent, in.names, in.g = nil, map[string]*tensor{}, g
	in.checks, in.bound = map[string]bool{}, map[*ir.Value]ir.Dim{}
	return &in
}
