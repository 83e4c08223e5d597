package gopkg

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/runtime"
)

// port is an input or output as the templates see it.
type port struct {
	Index  int
	Field  string // Go identifier, see Identifier
	Var    string // the same, unexported
	Name   string // quoted
	Type   string // such as f32[N,3]
	Elem   string // Go type of an element
	DType  string // the runtime's constant
	Scalar bool   // an input of rank 0, which is a plain Go value
	Shape  string // dims of the first recorded case, comma separated
	Len    string // their product
	Value  string // of a scalar in the first recorded case, a Go expression
	Result string // type and dims in the first recorded case
}

// elems has the Go types of elements, as the generated package names them.
var elems = map[runtime.DType]string{
	runtime.Bool: "bool", runtime.I8: "int8", runtime.I16: "int16", runtime.I32: "int32",
	runtime.I64: "int64",
	runtime.U8:  "uint8", runtime.U16: "uint16", runtime.U32: "uint32", runtime.U64: "uint64",
	runtime.F16: "Float16", runtime.BF16: "BFloat16", runtime.F32: "float32", runtime.F64: "float64",
	runtime.String: "string",
}

// ports names the inputs and outputs.
func (g *generator) ports() {
	p := g.a.Plan.Program
	g.inputs, g.outputs = g.portsOf(p.Inputs, true), g.portsOf(p.Outputs, false)
	if len(g.o.Cases) == 0 {
		return
	}
	c := g.o.Cases[0]
	for i := range g.inputs {
		g.inputs[i].record(c.Inputs[i])
	}
	for i := range g.outputs {
		g.outputs[i].record(c.Outputs[i])
	}
}

func (g *generator) portsOf(ports []runtime.Port, in bool) []port {
	names := make([]string, len(ports))
	for i := range ports {
		names[i] = ports[i].Name
	}
	fields := identifiers(names)
	vars := locals(fields, g.o.Package)
	out := make([]port, len(ports))
	for i := range ports {
		p := &ports[i]
		out[i] = port{Index: i, Field: fields[i], Var: vars[i], Name: strconv.Quote(p.Name),
			Type: oneLine(g.a.Plan.Program.PortString(p)), Elem: elems[p.DType],
			DType:  dtypeName(p.DType),
			Scalar: in && len(p.Dims) == 0}
	}
	return out
}

// record notes the dims and, of a scalar, the value of a recorded tensor.
func (p *port) record(t *runtime.Tensor) {
	dims := make([]string, t.Rank())
	for i, d := range t.Shape() {
		dims[i] = strconv.Itoa(d)
	}
	p.Shape, p.Len, p.Result = strings.Join(dims, ", "), strings.Join(dims, "*"), t.String()
	if p.Len == "" {
		p.Len = "1"
	}
	if p.Scalar {
		p.Value = scalarText(t)
	}
}

// scalarText is the value of a tensor of rank 0 as a Go expression; the zero
// value where there is no short one.
func scalarText(t *runtime.Tensor) string {
	text := t.Text()
	text = text[strings.LastIndexByte(text, ' ')+1:]
	switch t.DType() {
	case runtime.String:
		return `""`
	case runtime.Bool:
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil || strings.ContainsAny(text, "INn") ||
		t.DType() == runtime.F16 || t.DType() == runtime.BF16 {
		return "0"
	}
	return text
}

// api writes the file that users read: or main, for an executable.
func (g *generator) api() error {
	p := g.a.Plan.Program
	var dims []string
	for _, s := range p.Symbols {
		if s.Input >= 0 {
			dims = append(dims, s.Name)
		}
	}
	slices.Sort(dims)
	data := map[string]any{
		"Package": g.o.Package, "Runtime": g.rtImport(), "Name": strconv.Quote(g.o.Name),
		"Stamp":  oneLine(g.o.Stamp),
		"Inputs": g.inputs, "Outputs": g.outputs, "Dims": strings.Join(slices.Compact(dims), ", "),
		"Weights": p.WeightBytes > 0, "Beside": g.o.WeightsBeside && p.WeightBytes > 0,
		"DTypes": dtypes(), "File": g.o.WeightsName(),
	}
	if g.o.WeightsBeside && p.WeightBytes > 0 {
		sum := g.files[weightsFile][p.WeightBytes:]
		data["Sum"] = fmt.Sprintf("%x", sum)
	}
	if g.o.Package == "main" {
		return g.expand("main.go", "main", data)
	}
	return g.expand("model.go", "model", data)
}

func dtypes() []string {
	var names []string
	for d := runtime.Bool; d <= runtime.String; d++ {
		names = append(names, dtypeName(d))
	}
	return names
}

// WeightsName is the name of the weights' file beside a program.
func (o Options) WeightsName() string { return runtime.FileName(o.Name) + ".weights" }

// tests writes the generated tests, the recorded tensors and the example.
func (g *generator) tests() error {
	if g.o.Package == "main" {
		return nil
	}
	for i, c := range g.o.Cases {
		if err := g.record(i, "in", g.inputs, c.Inputs); err != nil {
			return err
		}
		if err := g.record(i, "out", g.outputs, c.Outputs); err != nil {
			return err
		}
	}
	data := map[string]any{
		"Package": g.o.Package, "Import": strconv.Quote(g.o.ImportPath), "Runtime": g.rtImport(),
		"Inputs": g.inputs, "Outputs": g.outputs,
		"Cases": len(g.o.Cases), "RTol": g.o.RTol, "ATol": g.o.ATol, "Fixed": !g.lateOutputs(),
		"Tensors": slices.ContainsFunc(g.inputs, func(p port) bool { return !p.Scalar }),
	}
	if len(g.o.Cases) == 0 {
		return nil
	}
	for _, name := range []string{"model_test", "example_test", "bench_test"} {
		if err := g.expand(name+".go", name, data); err != nil {
			return err
		}
	}
	return nil
}

// caseDir is the folder of a recorded case, less its number.
const caseDir = "testdata/case"

// record adds the files of one side of a case.
func (g *generator) record(n int, side string, ports []port, ts []*runtime.Tensor) error {
	for i, t := range ts {
		var b strings.Builder
		if err := runtime.WriteNPY(&b, t); err != nil {
			return fmt.Errorf("recorded case %d: %s %s: %w", n, side, ports[i].Name, err)
		}
		path := fmt.Sprintf("%s%d/%s_%s.npy", caseDir, n, side, ports[i].Field)
		g.files[path] = []byte(b.String())
	}
	return nil
}

// lateOutputs reports whether the dims of an output depend on values of inputs.
func (g *generator) lateOutputs() bool {
	p := g.a.Plan.Program
	late := make([]bool, len(p.Exprs))
	uses := func(x runtime.Int) bool { return x < 0 && late[^x] }
	for i, e := range p.Exprs {
		switch e.Op {
		case runtime.OpConst:
		case runtime.OpSym:
			late[i] = p.Symbols[e.A].Input < 0
		default:
			late[i] = uses(e.A) || uses(e.B) || uses(e.C)
		}
	}
	return slices.ContainsFunc(p.Outputs, func(o runtime.Port) bool {
		return slices.ContainsFunc(o.Dims, uses)
	})
}
