package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// exportOpset is the operator set of exported models, whose IR version is
// exportIR.
const (
	exportOpset = 21
	exportIR    = 10
)

// exporter is the state of an export.
type exporter struct {
	out   *onnxpb.GraphProto // of the graph or region at hand
	names map[*ir.Value][]string
	taken map[string]bool
	// syms has, for each symbol known so far, a tensor i64[1] of its value;
	// dims and consts what was made already in the graph at hand.
	syms, dims, consts map[string]string
	// symNodes are the shape nodes of the main graph, made on demand.
	count int
}

// Export translates a graph to a model. The conditions of ir.OpCheck have no
// counterpart in ONNX and are left out: runtimes check shapes themselves.
// Operations that ONNX cannot express are an error that names all of them.
func Export(g *ir.Graph) (*onnxpb.ModelProto, error) {
	e := &exporter{out: &onnxpb.GraphProto{Name: g.Name}, names: map[*ir.Value][]string{},
		taken: map[string]bool{}, syms: map[string]string{}, dims: map[string]string{},
		consts: map[string]string{}}
	for _, name := range g.ResultNames {
		e.taken[name] = true
	}
	for _, p := range g.Params {
		e.taken[p.ParamName()] = true
		e.names[p] = []string{p.ParamName()}
		e.out.Input = append(e.out.Input, valueInfo(p.ParamName(), p.Type))
	}
	for _, p := range g.Params {
		e.learn(p.Type.Shape, p.ParamName())
	}
	if err := e.values(g); err != nil {
		return nil, err
	}
	for i, r := range g.Results {
		name := "result" + strconv.Itoa(i)
		if i < len(g.ResultNames) {
			name = g.ResultNames[i]
		}
		e.out.Node = append(e.out.Node, &onnxpb.NodeProto{OpType: "Identity",
			Input: []string{e.names[r][0]}, Output: []string{name}})
		e.out.Output = append(e.out.Output, valueInfo(name, r.Type))
	}
	return &onnxpb.ModelProto{IRVersion: exportIR, ProducerName: "tcc", Graph: e.out,
		OpsetImport: []*onnxpb.OperatorSetIDProto{{Version: exportOpset}}}, nil
}

// onnxTypes maps the element types of ir to those of ONNX.
var onnxTypes = func() map[ir.DType]onnxpb.DataType {
	m := map[ir.DType]onnxpb.DataType{}
	for k, v := range dtypes {
		m[v] = k
	}
	return m
}()

func valueInfo(name string, t ir.Type) *onnxpb.ValueInfoProto {
	shape := &onnxpb.TensorShapeProto{}
	for _, d := range t.Shape {
		dim := &onnxpb.Dimension{Param: d.String()}
		if k, ok := d.Int(); ok {
			dim = &onnxpb.Dimension{HasValue: true, Value: k}
		} else if !ir.IsSymName(dim.Param) {
			dim.Param = ""
		}
		shape.Dim = append(shape.Dim, dim)
	}
	tensor := &onnxpb.TensorType{ElemType: onnxTypes[t.DType], Shape: shape}
	return &onnxpb.ValueInfoProto{Name: name, Type: &onnxpb.TypeProto{Tensor: tensor}}
}

// values exports the values of g into the graph at hand.
func (e *exporter) values(g *ir.Graph) error {
	var errs []error
	failed := map[ir.Op]bool{}
	for _, v := range g.Values {
		if v.Op == ir.OpParam || len(errs) > 0 && e.dependsOnMissing(v) {
			continue
		}
		f, ok := exporters[v.Op]
		if !ok {
			if !failed[v.Op] {
				failed[v.Op] = true
				errs = append(errs, fmt.Errorf("%v: %v: ONNX has no such operation", v.Pos, v.Op))
			}
			continue
		}
		names, err := f(e, v)
		if err != nil {
			errs = append(errs, fmt.Errorf("%v: %v: %w", v.Pos, v.Op, err))
			continue
		}
		e.names[v] = names
	}
	return errors.Join(errs...)
}

func (e *exporter) dependsOnMissing(v *ir.Value) bool {
	return slices.ContainsFunc(v.Args, func(a *ir.Value) bool { return e.names[a] == nil })
}

// fresh returns an unused name.
func (e *exporter) fresh(base string) string {
	for {
		e.count++
		name := strings.ToLower(base) + "_" + strconv.Itoa(e.count)
		if !e.taken[name] {
			e.taken[name] = true
			return name
		}
	}
}

// arg is the name of argument i of v.
func (e *exporter) arg(v *ir.Value, i int) string { return e.names[v.Args[i]][0] }

// args are the names of all arguments of v.
func (e *exporter) args(v *ir.Value) []string {
	out := make([]string, len(v.Args))
	for i := range v.Args {
		out[i] = e.arg(v, i)
	}
	return out
}

// attrs are attributes of a node: name, value, name, value.
type attrs []any

// node appends a node with one output and returns its name.
func (e *exporter) node(op string, a attrs, in ...string) string {
	return e.nodes(op, 1, a, in...)[0]
}

func (e *exporter) nodes(op string, outputs int, a attrs, in ...string) []string {
	p := &onnxpb.NodeProto{OpType: op, Input: in}
	for range outputs {
		p.Output = append(p.Output, e.fresh(op))
	}
	p.Name = "node_" + p.Output[0]
	for i := 0; i < len(a); i += 2 {
		p.Attribute = append(p.Attribute, attribute(a[i].(string), a[i+1]))
	}
	e.out.Node = append(e.out.Node, p)
	return p.Output
}

func attribute(name string, value any) *onnxpb.AttributeProto {
	p := &onnxpb.AttributeProto{Name: name}
	switch x := value.(type) {
	case int:
		p.Type, p.I = onnxpb.AttrInt, int64(x)
	case int64:
		p.Type, p.I = onnxpb.AttrInt, x
	case float32:
		p.Type, p.F = onnxpb.AttrFloat, x
	case string:
		p.Type, p.S = onnxpb.AttrString, []byte(x)
	case []int64:
		p.Type, p.Ints = onnxpb.AttrInts, x
	case *onnxpb.GraphProto:
		p.Type, p.G = onnxpb.AttrGraph, x
	default:
		panic(fmt.Sprintf("BUG: onnx: attribute %s of type %T", name, value))
	}
	return p
}

// literal adds a constant.
func (e *exporter) literal(l *ir.Literal) string {
	data, dims := l.Data, l.Shape
	if l.Splat && l.Size() != 1 {
		data, dims = l.Data, nil
	}
	t := &onnxpb.Tensor{Type: onnxTypes[l.DType], Dims: dims, Data: data, Strings: l.Strings}
	p := t.Proto()
	key := ""
	if len(p.RawData) <= 64 {
		key = fmt.Sprint(p.DataType, p.Dims, p.RawData, p.StringData, l.Shape)
		if name, ok := e.consts[key]; ok {
			return name
		}
	}
	p.Name = e.fresh("const")
	e.out.Initializer = append(e.out.Initializer, p)
	name := p.Name
	if l.Splat && l.Size() != 1 {
		name = e.node("Expand", nil, name, e.ints(l.Shape...))
	}
	if key != "" {
		e.consts[key] = name
	}
	return name
}

// ints is a constant i64 vector.
func (e *exporter) ints(list ...int64) string {
	return e.literal(ir.NewLiteral(ir.I64, []int64{int64(len(list))}, list))
}

// number is the scalar constant x.
func (e *exporter) number(d ir.DType, x float64) string { return e.literal(splat(d, x)) }

// learn makes the symbols of a shape known: extent i is that of axis i of the
// tensor called name.
func (e *exporter) learn(s ir.Shape, name string) {
	for i, d := range s {
		sym := d.String()
		if ir.IsSymName(sym) && e.syms[sym] == "" {
			e.syms[sym] = e.node("Shape", attrs{"start", i, "end", i + 1}, name)
		}
	}
}

// dimOps are the operators for the operations of ir.Walk.
var dimOps = map[byte]string{'+': "Add", '*': "Mul", '/': "Div", '%': "Mod", '<': "Min", '>': "Max"}

// dim is the expression d as i64[1].
func (e *exporter) dim(d ir.Dim) (string, error) {
	if name, ok := e.dims[d.String()]; ok {
		return name, nil
	}
	var err error
	type part struct {
		name string
		r    interval
	}
	top := ir.Walk(d,
		func(k int64) part { return part{e.ints(k), interval{k, k}} },
		func(sym string) part {
			if e.syms[sym] == "" && err == nil {
				err = fmt.Errorf("no tensor has the extent %s", sym)
			}
			return part{e.syms[sym], interval{0, posInf}}
		},
		func(op byte, a, b part) part {
			r := combine(op, a.r, b.r)
			switch {
			case op == '/' && (a.r.lo < 0 || b.r.lo <= 0): // Div truncates
				rest := e.node("Sub", nil, a.name, e.node("Mod", nil, a.name, b.name))
				return part{e.node("Div", nil, rest, b.name), r}
			default:
				return part{e.node(dimOps[op], nil, a.name, b.name), r}
			}
		})
	name := top.name
	if err == nil {
		e.dims[d.String()] = name
	}
	return name, err
}

// shape is a list of expressions as an i64 vector.
func (e *exporter) shape(s ir.Shape) (string, error) {
	if list, ok := s.Ints(); ok {
		return e.ints(list...), nil
	}
	parts := make([]string, len(s))
	for i, d := range s {
		var err error
		if parts[i], err = e.dim(d); err != nil {
			return "", err
		}
	}
	return e.node("Concat", attrs{"axis", 0}, parts...), nil
}

// reshape gives the tensor called name another shape.
func (e *exporter) reshape(name string, s ir.Shape) (string, error) {
	shape, err := e.shape(s)
	return e.node("Reshape", attrs{"allowzero", 1}, name, shape), err
}

// region exports the body of a control operation as a graph of its own, which
// sees all names made so far. The names of its parameters must be known.
func (e *exporter) region(g *ir.Graph) (*onnxpb.GraphProto, error) {
	in := *e
	in.out = &onnxpb.GraphProto{Name: g.Name}
	in.syms, in.dims, in.consts = clone(e.syms), clone(e.dims), clone(e.consts)
	err := in.values(g)
	e.count = in.count
	if err != nil {
		return nil, err
	}
	for _, r := range g.Results {
		name := in.node("Identity", nil, in.names[r][0])
		in.out.Output = append(in.out.Output, valueInfo(name, r.Type))
	}
	e.count = in.count
	return in.out, nil
}

func clone(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
