package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// Pos is where a value comes from: a Go source line, a node of a model file,
// or both. The zero Pos is unknown.
type Pos struct {
	File string
	Line int
	Node string // name of the model's node
}

// String prints p as "file:line: node", leaving out what is not there.
func (p Pos) String() string {
	s := p.File
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
	}
	if p.Node != "" {
		if s != "" {
			s += ": "
		}
		s += p.Node
	}
	return s
}

// Value is the result of an operation. It never changes after [Graph.New].
type Value struct {
	ID   int // dense in its graph; arguments have smaller IDs
	Op   Op
	Type Type
	Args []*Value
	Attr Attr
	Pos  Pos
}

// String returns the name of v in the text form: "v3".
func (v *Value) String() string { return "v" + strconv.Itoa(v.ID) }

// Graph is a function of tensors: parameters, values in an order in which
// arguments come before their users, and results. It is built by appending;
// passes build a new graph rather than change one.
type Graph struct {
	Name    string
	Params  []*Value
	Values  []*Value
	Results []*Value
	// ResultNames has a name for each result; empty in regions.
	ResultNames []string

	interned map[string]*Value
}

// NewGraph returns an empty graph.
func NewGraph(name string) *Graph {
	return &Graph{Name: name, interned: map[string]*Value{}}
}

// Param appends a parameter.
func (g *Graph) Param(name string, t Type, pos Pos) *Value {
	v := g.append(&Value{Op: OpParam, Type: t, Attr: &ParamAttr{Name: name}, Pos: pos})
	g.Params = append(g.Params, v)
	return v
}

// ParamName returns the name of a parameter.
func (v *Value) ParamName() string { return v.Attr.(*ParamAttr).Name }

// SetResults declares the results; names may be nil in regions.
func (g *Graph) SetResults(names []string, results ...*Value) {
	g.ResultNames, g.Results = names, results
}

// New appends the operation op unless an equal value is there, whose pointer
// it then returns: equal pure values are one. The type is inferred; an error
// is "op: label: what is, what was wanted".
func (g *Graph) New(pos Pos, op Op, attr Attr, args ...*Value) (*Value, error) {
	t, err := inferType(op, attr, args)
	if err != nil {
		return nil, err
	}
	v := &Value{Op: op, Type: t, Args: args, Attr: attr, Pos: pos}
	if op.Is(Effect) {
		return g.append(v), nil
	}
	key := internKey(v)
	if old, ok := g.interned[key]; ok {
		return old, nil
	}
	g.append(v)
	g.interned[key] = v
	return v, nil
}

// Must is New for callers that construct what cannot be ill-typed; an error
// is a fault of the compiler.
func (g *Graph) Must(pos Pos, op Op, attr Attr, args ...*Value) *Value {
	v, err := g.New(pos, op, attr, args...)
	if err != nil {
		panic(fmt.Sprintf("BUG: graph %s: %v: %v", g.Name, pos, err))
	}
	return v
}

func (g *Graph) append(v *Value) *Value {
	v.ID = len(g.Values)
	g.Values = append(g.Values, v)
	return v
}

// internKey identifies what v computes. Types follow from it.
func internKey(v *Value) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(int(v.Op)))
	for _, a := range v.Args {
		b.WriteByte(' ')
		b.WriteString(strconv.Itoa(a.ID))
	}
	if v.Attr != nil {
		b.WriteByte('{')
		writeAttrKey(&b, v.Attr)
	}
	return b.String()
}

// Uses returns, by ID, how often each value of g is an argument or result.
func (g *Graph) Uses() []int {
	uses := make([]int, len(g.Values))
	for _, v := range g.Values {
		for _, a := range v.Args {
			uses[a.ID]++
		}
	}
	for _, r := range g.Results {
		uses[r.ID]++
	}
	return uses
}

// Regions returns the bodies of v: none for most operations.
func (v *Value) Regions() []*Graph {
	switch a := v.Attr.(type) {
	case *IfAttr:
		return []*Graph{a.Then, a.Else}
	case *LoopAttr:
		return []*Graph{a.Body}
	case *FuseAttr:
		return []*Graph{a.Body}
	}
	return nil
}

// ResultTypes returns the types of the results of v one by one.
func (v *Value) ResultTypes() []Type {
	if v.Type.DType == Tuple {
		return v.Type.Elems
	}
	return []Type{v.Type}
}

// Rewrite copies g: f is called for each value in order with its new
// arguments, and returns the value that takes its place in the new graph;
// where it returns nil, the value is copied as it is. Parameters are copied
// before and not shown to f.
func (g *Graph) Rewrite(f func(out *Graph, v *Value, args []*Value) (*Value, error)) (*Graph,
	error) {
	out := NewGraph(g.Name)
	repl := make([]*Value, len(g.Values))
	for _, v := range g.Values {
		if v.Op == OpParam {
			repl[v.ID] = out.Param(v.ParamName(), v.Type, v.Pos)
			continue
		}
		args := make([]*Value, len(v.Args))
		for i, a := range v.Args {
			args[i] = repl[a.ID]
		}
		nv, err := f(out, v, args)
		if err == nil && nv == nil {
			nv, err = out.New(v.Pos, v.Op, v.Attr, args...)
		}
		if err != nil {
			return nil, posError(v.Pos, err)
		}
		repl[v.ID] = nv
	}
	results := make([]*Value, len(g.Results))
	for i, r := range g.Results {
		results[i] = repl[r.ID]
	}
	out.SetResults(g.ResultNames, results...)
	return out, nil
}

// Keep copies g without the values that are not live, by ID. What a live value
// or a result needs must be; parameters stay.
func (g *Graph) Keep(live []bool) (*Graph, error) {
	return g.Rewrite(func(_ *Graph, v *Value, _ []*Value) (*Value, error) {
		if live[v.ID] {
			return nil, nil
		}
		return v, nil // nothing reads it
	})
}

func posError(p Pos, err error) error {
	if s := p.String(); s != "" {
		return fmt.Errorf("%s: %w", s, err)
	}
	return err
}

// Inline appends a copy of the values of body to g, its parameters replaced by
// args, and returns what its results became.
func (g *Graph) Inline(body *Graph, args []*Value) ([]*Value, error) {
	repl := make([]*Value, len(body.Values))
	for i, p := range body.Params {
		repl[p.ID] = args[i]
	}
	for _, v := range body.Values {
		if v.Op == OpParam {
			continue
		}
		in := make([]*Value, len(v.Args))
		for i, a := range v.Args {
			in[i] = repl[a.ID]
		}
		nv, err := g.New(v.Pos, v.Op, v.Attr, in...)
		if err != nil {
			return nil, posError(v.Pos, err)
		}
		repl[v.ID] = nv
	}
	out := make([]*Value, len(body.Results))
	for i, r := range body.Results {
		out[i] = repl[r.ID]
	}
	return out, nil
}
