package tensor

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Tracing: an ordinary Go function is run once with symbolic arguments, and
// what it does is a graph.

// tracer is one run of a traced function.
type tracer struct {
	born   uint64 // storages with a smaller number are from outside
	err    *Error // the first
	checks []check
	// symbols counts the extents that depend on data; binders are the nodes
	// that give them their value.
	symbols int
	binders map[string]*node
}

// check is a condition on extents that has to hold when the graph runs.
type check struct {
	pos  ir.Pos
	attr *ir.CheckAttr
}

var tensorType = reflect.TypeFor[Tensor]()

// slot is a tensor inside an argument or result.
type slot struct {
	name string // path from the argument's name: "p.W1"
	spec string // the tag, or what was given for the argument
	init string // the tag "init"
	t    *Tensor
}

// slots lists the tensors in v, which must be settable, in the order of
// declaration.
func slots(v reflect.Value, name, spec string, out *[]slot) error {
	switch {
	case v.Type() == tensorType:
		*out = append(*out, slot{name: name, spec: spec, t: v.Addr().Interface().(*Tensor)})
		return nil
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return slots(v.Elem(), name, spec, out)
	case v.Kind() == reflect.Array || v.Kind() == reflect.Slice:
		return listSlots(v, name, spec, out)
	case v.Kind() == reflect.Struct:
		return structSlots(v, name, spec, out)
	}
	return fmt.Errorf("%s is a %v: want a Tensor, or a struct, array or slice of these", name,
		v.Type())
}

// listSlots is slots of the elements of an array or slice. A slice that is nil
// is made as long as the specification says.
func listSlots(v reflect.Value, name, spec string, out *[]slot) error {
	specs, err := SplitSpec(spec)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if specs != nil && v.Kind() == reflect.Slice && v.IsNil() {
		v.Set(reflect.MakeSlice(v.Type(), len(specs), len(specs)))
	}
	if specs != nil && len(specs) != v.Len() {
		return fmt.Errorf("%s has %d elements, its type %q %d", name, v.Len(), spec, len(specs))
	}
	for i := range v.Len() {
		elem := spec
		if specs != nil {
			elem = specs[i]
		}
		if err := slots(v.Index(i), join2(name, strconv.Itoa(i)), elem, out); err != nil {
			return err
		}
	}
	return nil
}

// maxList bounds the number of elements that a specification asks for.
const maxList = 1 << 16

// SplitSpec returns the types of the elements of an array or slice: "[3]f32[N]"
// is three of f32[N], "f32[N,4];f32[4]" one of each; nil for the type of a
// single tensor, which is then that of each element.
func SplitSpec(spec string) ([]string, error) {
	spec = strings.TrimSpace(spec)
	if !strings.HasPrefix(spec, "[") {
		if !strings.Contains(spec, ";") {
			return nil, nil
		}
		return strings.Split(spec, ";"), nil
	}
	count, elem, closed := strings.Cut(spec[1:], "]")
	n, err := strconv.Atoi(count)
	if !closed || err != nil || n < 0 || n > maxList {
		return nil, fmt.Errorf("type %q: want a number of elements, such as [3]f32[N]", spec)
	}
	specs := make([]string, n)
	for i := range specs {
		specs[i] = elem
	}
	return specs, nil
}

func structSlots(v reflect.Value, name, spec string, out *[]slot) error {
	env, err := parseBindings(spec)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag, tagged := f.Tag.Lookup("tcc")
		if tag == "-" {
			continue
		}
		if !f.IsExported() {
			if tagged || f.Type == tensorType {
				return fmt.Errorf("field %s.%s is not exported: export it, or tag it `tcc:\"-\"`", name, f.Name)
			}
			continue
		}
		if tag, err = bindTag(tag, env); err != nil {
			return fmt.Errorf("%s.%s: %w", name, f.Name, err)
		}
		from := len(*out)
		if err := slots(v.Field(i), join2(name, f.Name), tag, out); err != nil {
			return err
		}
		if init, ok := f.Tag.Lookup("init"); ok {
			for k := range (*out)[from:] {
				(*out)[from+k].init = init
			}
		}
	}
	return nil
}

func join2(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

// ParseType reads a tensor's type as tags and directives have it: "f32[N,784]",
// where names are dynamic extents; no brackets are a scalar's.
func ParseType(text string) (ir.Type, error) {
	name, dims, bracket := strings.Cut(strings.TrimSpace(text), "[")
	d, ok := ir.ParseDType(name)
	if !ok || !ir.Computable.Has(d) {
		return ir.Type{}, fmt.Errorf("type %q: no element type %q, want one such as f32[N,784]", text,
			name)
	}
	t := ir.T(d)
	if !bracket {
		return t, nil
	}
	dims, closed := strings.CutSuffix(dims, "]")
	if !closed {
		return ir.Type{}, fmt.Errorf("type %q: no closing bracket", text)
	}
	if strings.TrimSpace(dims) == "" {
		return t, nil
	}
	for _, s := range strings.Split(dims, ",") {
		dim, err := ir.ParseDim(strings.TrimSpace(s))
		if err != nil {
			return ir.Type{}, fmt.Errorf("type %q: %w", text, err)
		}
		if k, ok := dim.Int(); ok && k < 0 {
			return ir.Type{}, fmt.Errorf("type %q: extent %d", text, k)
		}
		t.Shape = append(t.Shape, dim)
	}
	return t, nil
}

// signature is a function whose arguments and results are made of tensors.
type signature struct {
	fn    reflect.Value
	specs []string
	name  string
	made  []reflect.Value // what fn returned when it was recorded, but an error
}

func newSignature(fn any, specs []string) (*signature, error) {
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Func || v.IsNil() {
		return nil, fmt.Errorf("%T is not a function", fn)
	}
	t := v.Type()
	if t.IsVariadic() || t.NumIn() != len(specs) {
		return nil, fmt.Errorf("%v with %d argument specifications %q: want one an argument, "+
			"such as x=f32[N,4], or a name for a struct whose fields are tagged", t, len(specs), specs)
	}
	if t.NumOut() == 0 {
		return nil, fmt.Errorf("%v has no result", t)
	}
	return &signature{fn: v, specs: specs, name: functionName(v)}, nil
}

// arguments makes new arguments and lists their tensors.
func (s *signature) arguments() ([]reflect.Value, []slot, error) {
	var args []reflect.Value
	var all []slot
	for i, spec := range s.specs {
		v := reflect.New(s.fn.Type().In(i)).Elem()
		name, typ, _ := strings.Cut(spec, "=")
		if err := slots(v, strings.TrimSpace(name), typ, &all); err != nil {
			return nil, nil, err
		}
		args = append(args, v)
	}
	return args, all, nil
}

// Trace runs fn, a function of tensors and of structs and arrays of them, with
// symbolic arguments and returns what it computes as a graph. There is one
// specification an argument: "x=f32[N,784]" for a Tensor, a name for a struct,
// whose fields say their types by tags such as `tcc:"f32[784,128]"`; the tag of
// a field that is a struct gives values to the names in its tensors' types, as
// in `tcc:"In=784,Out=128"`. Slices
// have as many elements as [SplitSpec] finds. Named extents are dynamic. Results
// are tensors, structs, arrays or slices of them, and an error as the last.
// Parameters are named by argument and field ("p.W1"), results by field, or y0,
// y1, ...
//
// fn has copies of its arguments: what it writes to them stays inside. Other
// tensors that it uses become constants, with the values they have now. The
// first error of any operation that depends on an argument is returned.
func Trace(fn any, specs ...string) (*ir.Graph, error) {
	s, err := newSignature(fn, specs)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return s.graph()
}

// graph is trace with the function's name in errors.
func (s *signature) graph() (*ir.Graph, error) {
	g, err := s.trace()
	if err != nil && !sameTrace(err) {
		err = fmt.Errorf("trace: %s: %w", s.name, err)
	}
	return g, err
}

func (s *signature) trace() (*ir.Graph, error) {
	args, in, err := s.arguments()
	if err != nil {
		return nil, err
	}
	tr := &tracer{born: lastSeq.Load()}
	e := &emitter{g: ir.NewGraph(s.name), values: map[*node]*ir.Value{}, consts: true}
	for _, a := range in {
		t, err := ParseType(a.spec)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		n := newNode(ir.OpParam, &ir.ParamAttr{Name: a.name}, t, ir.Pos{})
		n.tr = tr
		*a.t = fresh(n)
		e.values[n] = e.g.Param(a.name, t, ir.Pos{})
	}
	out, err := s.results(s.fn.Call(args))
	if err != nil {
		return nil, err
	}
	if tr.err != nil {
		return nil, tr.err
	}
	return e.finish(tr, out)
}

// results lists the tensors of results; an error as the last is taken off.
func (s *signature) results(res []reflect.Value) ([]slot, error) {
	var out []slot
	if n := len(res) - 1; res[n].Type() == reflect.TypeFor[error]() {
		if err, _ := res[n].Interface().(error); err != nil {
			return nil, err
		}
		res = res[:n]
	}
	s.made = res
	for i, r := range res {
		v := unshared(r)
		name := ""
		if r.Type() == tensorType {
			name = fmt.Sprint("y", i)
		} else if len(res) > 1 {
			name = fmt.Sprint("r", i)
		}
		if err := slots(v, name, "", &out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unshared returns a settable copy of v, which holds tensors, that shares no
// memory with it.
func unshared(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch {
	case v.Type() == tensorType:
	case v.Kind() == reflect.Pointer && !v.IsNil():
		out.Set(unshared(v.Elem()).Addr())
	case v.Kind() == reflect.Slice && !v.IsNil():
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		fallthrough
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(unshared(v.Index(i)))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(unshared(v.Field(i)))
			}
		}
	}
	return out
}

// finish emits what the results depend on.
func (e *emitter) finish(tr *tracer, out []slot) (*ir.Graph, error) {
	c := &call{name: "trace"}
	var roots []*node
	var names []string
	for _, r := range out {
		n := c.in(*r.t)
		if n == nil {
			return nil, c.err
		}
		roots, names = append(roots, n), append(names, r.name)
	}
	e.bound = func(d ir.Dim) bool {
		return !slices.ContainsFunc(d.SymNames(), func(s string) bool {
			return tr.binders[s] != nil && e.values[tr.binders[s]] == nil
		})
	}
	e.checks = slices.Clone(tr.checks)
	if err := e.check(); err != nil {
		return nil, err
	}
	e.known = func(n *node) bool { return n.tr == nil && n.data.Load() != nil }
	evalMu.Lock()
	defer evalMu.Unlock()
	results, err := e.emit(tr.withBinders(roots))
	if err != nil {
		return nil, err
	}
	e.g.SetResults(names, results[:len(roots)]...)
	return e.g, nil
}

// check emits the conditions on extents that have a value by now.
func (e *emitter) check() error {
	var later []check
	for _, k := range e.checks {
		if !e.bound(k.attr.X) || !e.bound(k.attr.Y) {
			later = append(later, k)
		} else if _, err := e.g.New(k.pos, ir.OpCheck, k.attr); err != nil {
			return err
		}
	}
	e.checks = later
	return nil
}

// functionName is the last part of a function's name, as a graph has it.
func functionName(v reflect.Value) string {
	name := funcFor(v.Pointer())
	name = name[strings.LastIndexByte(name, '/')+1:]
	if _, after, ok := strings.Cut(name, "."); ok {
		name = after
	}
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, strings.TrimSuffix(name, "-fm"))
}

// Params returns the indices of those parameters of a traced graph that come
// from the argument of the given name: what to differentiate by.
func Params(g *ir.Graph, arg string) []int {
	var out []int
	for i, p := range g.Params {
		if name := p.ParamName(); name == arg || strings.HasPrefix(name, arg+".") {
			out = append(out, i)
		}
	}
	return slices.Clip(out)
}
