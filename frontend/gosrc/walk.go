package gosrc

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/frontend/gosrc/internal/record"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// walker finds the tensors in a function's arguments and results and writes the
// statements that move them between the API and the implementation.
type walker struct {
	*writer
	f *Func
	d *funcData
	// index and fields find the parameters (while arguments are walked) or
	// the results of the graph by their recorded names.
	index  map[string]int
	fields []string
}

func (w *writer) walker(f *Func, d *funcData) *walker { return &walker{writer: w, f: f, d: d} }

func (x *walker) names(names []string) {
	x.index = map[string]int{}
	for i, n := range names {
		x.index[n] = i
	}
	x.fields = x.t.Fields(names)
}

// arguments describes the arguments.
func (x *walker) arguments() error {
	if x.f.Graph != nil {
		var names []string
		for _, p := range x.f.Graph.Params {
			names = append(names, p.ParamName())
		}
		x.names(names)
	}
	var args []string
	for _, a := range x.f.args {
		if a.baked {
			continue
		}
		name, typ := argName(a.name), ""
		elem := ""
		if IsTensor(a.typ) {
			t, err := tensor.ParseType(a.spec)
			if err != nil {
				return err
			}
			if t.Rank() == 0 && !x.f.updates(a.name) {
				elem = goElems[t.DType]
			}
		}
		if typ = elem; typ == "" {
			typ = x.typeExpr(a.typ)
		}
		x.d.Params = append(x.d.Params, name+" "+typ)
		x.d.Locals = append(x.d.Locals, "var "+name+" "+typ)
		args = append(args, name)
		if x.f.Graph != nil {
			x.input(a.typ, a.name, name, elem)
		}
	}
	if x.f.state != "" {
		args = append(args, x.optState())
	}
	x.d.Args = strings.Join(args, ", ")
	return nil
}

// updates reports whether the function replaces the tensors of an argument.
func (f *Func) updates(name string) bool {
	return f.dir.optimizer != "" && slices.Contains(f.dir.grad, name)
}

// optState describes the argument that is the optimizer's state.
func (x *walker) optState() string {
	name := argName(x.f.state)
	typ := x.visible(x.f.Ident) + "OptState"
	m := &mirror{Name: x.unique(typ), Of: "what the optimizer of " + x.f.Name + " remembers,",
		Fields: []field{{"Step", tensorExpr, "f32, the steps done so far"},
			{"Memory", "[]" + tensorExpr, "of the tensors that are improved, in turn"}}}
	x.order = append(x.order, m)
	x.d.State, x.d.NewState = m.Name, "New"+upper(m.Name)
	if !token.IsExported(m.Name) {
		x.d.NewState = "n" + x.d.NewState[1:]
	}
	x.d.Params = append(x.d.Params, name+" "+m.Name)
	x.d.Locals = append(x.d.Locals, "var "+name+" "+m.Name)
	if x.f.Graph == nil {
		return name
	}
	x.inputTensor(x.f.state+".Step", name+".Step", "")
	path, expr := x.f.state+".Memory", name+".Memory"
	n := x.count(path)
	x.before("if len(%s) != %d {\nreturn fmt.Errorf(%s, len(%[1]s))\n}", expr, n,
		quote(fmt.Sprintf("%s: %s has %%d elements, want %d: make it by %s", x.f.Name, path, n,
			x.d.NewState)))
	x.set(fmt.Sprintf("%s = make([]%s, %d)", expr, tensorExpr, n))
	for i := range n {
		x.inputTensor(join(path, strconv.Itoa(i)), fmt.Sprintf("%s[%d]", expr, i), "")
		p := x.f.Graph.Params[x.index[join(path, strconv.Itoa(i))]]
		x.d.Zeroed = append(x.d.Zeroed, fmt.Sprintf("{%s, []int{%s}},", runtimeDType(p.Type.DType),
			strings.Join(x.f.example(p.Type.Shape), ", ")))
	}
	return name
}

// input moves what is in expr to the implementation's inputs.
func (x *walker) input(t types.Type, path, expr, elem string) {
	if IsTensor(t) {
		x.inputTensor(path, expr, elem)
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		x.before("if %s == nil {\nreturn errors.New(%s)\n}", expr,
			quote(fmt.Sprintf("%s: %s is nil: give a struct", x.f.Name, path)))
		x.set(fmt.Sprintf("%s = new(%s)", expr, x.typeExpr(u.Elem())))
		x.input(u.Elem(), path, expr, "")
	case *types.Slice:
		n := x.count(path)
		x.before("if len(%s) != %d {\nreturn fmt.Errorf(%s, len(%[1]s))\n}", expr, n,
			quote(fmt.Sprintf("%s: %s has %%d elements, want %d", x.f.Name, path, n)))
		x.set(fmt.Sprintf("%s = make(%s, %d)", expr, x.typeExpr(t), n))
		x.elements(u.Elem(), n, path, expr, x.input)
	case *types.Array:
		x.elements(u.Elem(), int(u.Len()), path, expr, x.input)
	case *types.Struct:
		for _, f := range fieldsOf(u) {
			x.input(f.Type(), join(path, f.Name()), expr+"."+f.Name(), "")
		}
	}
}

// before adds statements that come before the call.
func (x *walker) before(format string, args ...any) {
	x.d.Before = append(x.d.Before, fmt.Sprintf(format, args...))
}

// set adds a statement to those that make arguments.
func (x *walker) set(s string) {
	x.d.Set, x.d.Zeros = append(x.d.Set, s), append(x.d.Zeros, s)
}

func (x *walker) elements(elem types.Type, n int, path, expr string,
	move func(types.Type, string, string, string)) {
	for i := range n {
		move(elem, join(path, strconv.Itoa(i)), fmt.Sprintf("%s[%d]", expr, i), "")
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// count is the number of elements of a slice, by the recorded names.
func (x *walker) count(path string) int {
	n := 0
	for name := range x.index {
		rest := name
		if path != "" {
			var ok bool
			if rest, ok = strings.CutPrefix(name, path+"."); !ok {
				continue
			}
		}
		digits, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(digits); err == nil && i >= n {
			n = i + 1
		}
	}
	return n
}

func (x *walker) inputTensor(path, expr, elem string) {
	i, ok := x.index[path]
	if !ok {
		return
	}
	l := leaf{Path: path, Expr: expr, Field: x.fields[i]}
	typ := x.f.Graph.Params[i].Type
	value := expr
	if typ.Rank() == 0 {
		l.Elem = goElems[typ.DType]
		if elem == "" {
			x.scalars = true
			value = fmt.Sprintf("tccScalar%d", len(x.d.Ins))
			x.before("%s, err := tccScalar[%s](%s, %s)\nif err != nil {\nreturn err\n}", value, l.Elem, expr,
				quote(x.f.Name+": "+path))
		}
	}
	x.d.In = append(x.d.In, fmt.Sprintf("%s: %s,", l.Field, value))
	file := fmt.Sprintf("tccRecorded(t, %s, %s)", quote(x.d.Impl), quote("in_"+l.Field))
	if elem != "" {
		file = fmt.Sprintf("tccrt.At[%s](%s)", elem, file)
	}
	x.d.Set = append(x.d.Set, expr+" = "+file)
	if elem == "" {
		x.d.Zeros = append(x.d.Zeros, fmt.Sprintf(
			"if %s, err = tccrt.NewTensor(%s); err != nil {\nlog.Fatal(err)\n}", expr,
			strings.Join(append([]string{runtimeDType(typ.DType)}, x.f.example(typ.Shape)...), ", ")))
	}
	x.d.Ins = append(x.d.Ins, l)
}

// outputs describes the results, gradients included.
func (x *walker) outputs() {
	if x.f.Graph != nil {
		x.names(x.f.Graph.ResultNames)
	}
	var typeNames []string
	add := func(name string, t types.Type, path, doc string) {
		typ := x.typeExpr(t)
		x.d.Fields = append(x.d.Fields, field{name, typ, doc})
		typeNames = append(typeNames, typ)
		if x.f.Graph != nil {
			x.output(t, path, "out."+name, "")
		}
	}
	taken := map[string]bool{}
	for i, r := range x.f.results {
		name := upper(r.name)
		if !token.IsExported(name) || taken[name] {
			name = "Y" + strconv.Itoa(i)
		}
		taken[name] = true
		add(name, r.typ, x.f.path(i), resultDoc(r, i))
	}
	for _, in := range x.d.Ins {
		if i, ok := x.index[record.Next+in.Path]; ok && x.f.state != "" {
			x.d.Outs = append(x.d.Outs, leaf{Path: in.Path, Expr: in.Expr, Field: x.fields[i]})
			x.d.Lines = append(x.d.Lines, fmt.Sprintf("%s: %s,", x.fields[i], in.Expr))
		}
	}
	for _, name := range x.f.dir.grad {
		if x.f.state != "" {
			break // they go into the update
		}
		i := slices.IndexFunc(x.f.args, func(a *arg) bool { return a.name == name })
		add("Grad"+upper(name), x.f.args[i].typ, "d_"+name, "the gradient by "+name)
	}
	x.d.Types = strings.Join(typeNames, ", ")
}

func resultDoc(r *result, i int) string {
	if r.name != "" && r.name != "_" {
		return "the result " + r.name
	}
	return fmt.Sprintf("result %d", i)
}

// runtimeDType is the runtime's name of an element type.
func runtimeDType(d ir.DType) string {
	if d == ir.Bool {
		return "tccrt.Bool"
	}
	return "tccrt." + strings.ToUpper(d.String())
}

// example are extents of a shape for an example: dynamic ones are the least
// that the directive allows, 1 if it does not say.
func (f *Func) example(s ir.Shape) []string {
	env := map[string]int64{}
	for _, d := range s {
		for _, name := range d.SymNames() {
			env[name] = 1
		}
	}
	for _, e := range f.Extents {
		name, value, _ := strings.Cut(e, "=")
		least, _, _ := strings.Cut(value, "..")
		if n, err := strconv.ParseInt(least, 10, 64); err == nil {
			env[name] = n
		}
	}
	var out []string
	for _, d := range s {
		n, err := d.Eval(env)
		if err != nil {
			n = 1
		}
		out = append(out, strconv.FormatInt(n, 10))
	}
	return out
}

// output moves the implementation's outputs to expr, and what is there before.
func (x *walker) output(t types.Type, path, expr, _ string) {
	if IsTensor(t) {
		if i, ok := x.index[path]; ok {
			field := x.fields[i]
			x.d.Outs = append(x.d.Outs, leaf{Path: path, Expr: expr, Field: field})
			x.d.Lines = append(x.d.Lines, fmt.Sprintf("%s: %s,", field, expr))
			x.d.After = append(x.d.After, fmt.Sprintf("%s = got.%s", expr, field))
		}
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		x.before("if %s == nil {\n%[1]s = new(%[2]s)\n}", expr, x.typeExpr(u.Elem()))
		x.output(u.Elem(), path, expr, "")
	case *types.Slice:
		n := x.count(path)
		x.before("if len(%s) != %d {\n%[1]s = make(%[3]s, %[2]d)\n}", expr, n, x.typeExpr(t))
		x.elements(u.Elem(), n, path, expr, x.output)
	case *types.Array:
		x.elements(u.Elem(), int(u.Len()), path, expr, x.output)
	case *types.Struct:
		for _, f := range fieldsOf(u) {
			x.output(f.Type(), join(path, f.Name()), expr+"."+f.Name(), "")
		}
	}
}
