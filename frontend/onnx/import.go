package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// Model is an open model file and its graph.
type Model struct {
	// Graph's constants point into the file: it is valid until Close.
	Graph *ir.Graph
	File  *onnxpb.File
}

// Close unmaps the file.
func (m *Model) Close() error { return m.File.Close() }

// Options change how a model is imported.
type Options struct {
	// Fixed makes inputs constants: where an operator needs a number at
	// compile time that the model takes as an input.
	Fixed map[string]*ir.Literal
}

// Load opens the model file at path and imports it.
func Load(path string, opt Options) (*Model, error) {
	f, err := onnxpb.Open(path)
	if err != nil {
		return nil, err
	}
	g, err := Import(f.Model, opt)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return &Model{Graph: g, File: f}, nil
}

// maxNodes bounds the nodes of a model after functions are expanded, whose
// number can grow exponentially with the size of the file.
const maxNodes = 1 << 20

// maxErrors is how many errors of nodes an import collects.
const maxErrors = 20

// importer is the state of an import.
type importer struct {
	opt   Options
	syms  *symNames
	funcs map[funcKey]*onnxpb.FunctionProto
	calls []funcKey // functions being expanded, outermost first
	nodes int
	errs  []error

	// choices has the If nodes whose condition is assumed to hold (true) or
	// not (false), because their branches cannot be joined; assumed has
	// those that this attempt added, in order.
	choices map[string]bool
	assumed []string
}

// maxAttempts bounds how many ways of deciding conditions are tried.
const maxAttempts = 8

// Import translates a model. Constants of the graph share the memory of the
// model's weights.
//
// Where a condition had to be assumed (see assume) and the import then fails,
// the last one is turned around: the model means the branch that the rest of
// it fits to. The error is that of the first attempt.
func Import(m *onnxpb.ModelProto, opt Options) (*ir.Graph, error) {
	if m.Graph == nil {
		return nil, errors.New("the model has no graph")
	}
	choices := map[string]bool{}
	var first error
	for range maxAttempts {
		im := &importer{opt: opt, syms: newSymNames(), choices: choices,
			funcs: map[funcKey]*onnxpb.FunctionProto{}}
		g, err := im.run(m)
		if err == nil {
			return g, nil
		}
		if first == nil {
			first = err
		}
		if len(im.assumed) == 0 {
			break
		}
		choices[im.assumed[len(im.assumed)-1]] = false
	}
	return nil, first
}

// run is one attempt to import m.
func (im *importer) run(m *onnxpb.ModelProto) (*ir.Graph, error) {
	for _, f := range m.Functions {
		im.funcs[funcKey{domainOf(f.Domain), f.Name, f.Overload}] = f
	}
	opsets, err := opsetsOf(m.OpsetImport)
	if err != nil {
		return nil, err
	}
	if err := im.findUnsupported(m.Graph, opsets); err != nil {
		return nil, err
	}
	s := &scope{names: map[string]*tensor{}, g: ir.NewGraph(graphName(m.Graph.Name)),
		checks: map[string]bool{}, bound: map[*ir.Value]ir.Dim{}, opsets: opsets}
	if err := im.inputs(s, m.Graph); err != nil {
		return nil, err
	}
	results, err := im.graph(s, m.Graph)
	if err := errors.Join(append(im.errs, err)...); err != nil {
		return nil, err
	}
	return im.finish(s, m.Graph, results)
}

// graphName is an identifier made of the model's name for its graph.
func graphName(name string) string {
	if name == "" {
		return "model"
	}
	return SymName(name)
}

// opsetsOf returns the operator set versions by domain.
func opsetsOf(imports []*onnxpb.OperatorSetIDProto) (map[string]int64, error) {
	opsets := map[string]int64{}
	for _, o := range imports {
		d := domainOf(o.Domain)
		opsets[d] = max(opsets[d], o.Version)
	}
	if v := opsets[""]; v > maxOpset {
		return nil, lacking("operator set %d is newer than %d, the newest that is known here",
			v, maxOpset)
	}
	return opsets, nil
}

// inputs makes parameters of the model's inputs, and constants of those that
// have an initializer or are fixed.
func (im *importer) inputs(s *scope, g *onnxpb.GraphProto) error {
	initialized := map[string]bool{}
	for _, t := range g.Initializer {
		initialized[t.Name] = true
	}
	// Named dims first: a name that the model gives keeps its spelling.
	for _, in := range g.Input {
		for _, d := range shapeOf(in) {
			if d.Param != "" && !initialized[in.Name] {
				im.syms.named(d.Param)
			}
		}
	}
	var errs []error
	for _, in := range g.Input {
		if initialized[in.Name] {
			continue
		}
		if s.names[in.Name] != nil {
			errs = append(errs, fmt.Errorf("input %q: there are two inputs of this name", in.Name))
			continue
		}
		t, err := im.inputType(in)
		if err != nil {
			errs = append(errs, fmt.Errorf("input %q: %w", in.Name, err))
			continue
		}
		if lit := im.opt.Fixed[in.Name]; lit != nil {
			if !fitsDeclared(lit.Type(), t) {
				errs = append(errs, fmt.Errorf("input %q: fixed to %v, declared %v", in.Name, lit.Type(), t))
			}
			s.names[in.Name] = literalTensor(lit)
			continue
		}
		s.names[in.Name] = &tensor{typ: t, val: s.g.Param(in.Name, t, ir.Pos{Node: in.Name})}
	}
	return errors.Join(errs...)
}

// fitsDeclared reports whether a value of type have can be given for an input
// of the declared type.
func fitsDeclared(have, declared ir.Type) bool {
	if have.DType != declared.DType || have.Rank() != declared.Rank() {
		return false
	}
	for i, d := range declared.Shape {
		if d.Static() && !d.Equal(have.Shape[i]) {
			return false
		}
	}
	return true
}

func shapeOf(in *onnxpb.ValueInfoProto) []*onnxpb.Dimension {
	if in.Type == nil || in.Type.Tensor == nil || in.Type.Tensor.Shape == nil {
		return nil
	}
	return in.Type.Tensor.Shape.Dim
}

// inputType returns the type of an input of the model.
func (im *importer) inputType(in *onnxpb.ValueInfoProto) (ir.Type, error) {
	if in.Type == nil || in.Type.Tensor == nil {
		return ir.Type{}, lacking("not a tensor; only tensors are supported as inputs")
	}
	t := in.Type.Tensor
	d, ok := dtypes[t.ElemType]
	if !ok || d == ir.String {
		return ir.Type{}, unsupportedType(t.ElemType)
	}
	if t.Shape == nil {
		return ir.Type{}, errors.New("its rank is not declared; give it a shape (dims may be names)")
	}
	shape := make(ir.Shape, len(t.Shape.Dim))
	for i, dim := range t.Shape.Dim {
		switch {
		case dim.HasValue && dim.Value >= 0:
			shape[i] = ir.Const(dim.Value)
		case dim.Param != "" && dim.Param != "?":
			shape[i] = im.syms.named(dim.Param)
		default:
			shape[i] = ir.Sym(im.syms.unique(fmt.Sprintf("%s.%d", in.Name, i)))
		}
	}
	return ir.Of(d, shape), checkShape(shape)
}

func unsupportedType(d onnxpb.DataType) error {
	return lacking("elements of type %v are not supported", d)
}

// maxRank bounds the axes of a tensor, as NumPy does.
const maxRank = 64

// checkShape returns an error if a shape has too many axes or its static
// extents multiply to more than can be addressed.
func checkShape(s ir.Shape) error {
	if len(s) > maxRank {
		return fmt.Errorf("a tensor of rank %d, want at most %d", len(s), maxRank)
	}
	var dims []int64
	for _, d := range s {
		if k, ok := d.Int(); ok {
			dims = append(dims, k)
		}
	}
	_, err := onnxpb.NumElems(dims)
	return err
}

// graph imports the initializers and nodes of g into s and returns the
// tensors of its outputs.
func (im *importer) graph(s *scope, g *onnxpb.GraphProto) ([]*tensor, error) {
	if len(g.SparseInitializer) > 0 {
		return nil, lacking("sparse initializers are not supported")
	}
	for _, p := range g.Initializer {
		t, err := initializer(p)
		if err != nil {
			return nil, fmt.Errorf("initializer %q: %w", p.Name, err)
		}
		s.names[p.Name] = t
	}
	im.importNodes(s, g.Node)
	var out []*tensor
	for _, o := range g.Output {
		t := s.lookup(o.Name)
		if t == nil {
			return nil, fmt.Errorf("output %q: no node makes it", o.Name)
		}
		out = append(out, t)
	}
	return out, nil
}

func initializer(p *onnxpb.TensorProto) (*tensor, error) {
	data, err := p.Decode()
	if err != nil {
		return nil, err
	}
	lit, err := Literal(data)
	if err != nil {
		return nil, err
	}
	return literalTensor(lit), checkShape(lit.Type().Shape)
}

// importNodes imports nodes, which stand in an order in which values come before
// their uses, as ONNX asks for.
func (im *importer) importNodes(s *scope, nodes []*onnxpb.NodeProto) {
	for i, p := range nodes {
		if len(im.errs) >= maxErrors {
			return
		}
		im.importNode(s, p, i)
	}
}

// finish declares the results of the graph.
func (im *importer) finish(s *scope, g *onnxpb.GraphProto, results []*tensor) (*ir.Graph, error) {
	var names []string
	var vals []*ir.Value
	for i, t := range results {
		name := g.Output[i].Name
		if slices.Contains(names, name) {
			return nil, fmt.Errorf("output %q: there are two outputs of this name", name)
		}
		n := &node{im: im, s: s, name: name, pos: ir.Pos{Node: name}}
		v, err := n.tryValue(t)
		if err != nil {
			return nil, err
		}
		names, vals = append(names, name), append(vals, v)
	}
	s.g.SetResults(names, vals...)
	return s.g, nil
}
