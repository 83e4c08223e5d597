package gosrc

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"github.com/tensorcc/tcc/frontend/gosrc/internal/record"
	"github.com/tensorcc/tcc/ir"
)

// Target says where the API of a package's functions goes and what stands
// behind it.
type Target struct {
	Package string // name of the package that the API is part of
	Path    string // its import path
	Runtime string // import path of tcc's runtime
	// Apart says that it is another package than that of the functions:
	// everything is exported.
	Apart bool
	// Fields names the fields of the Inputs and Outputs of a compiled
	// function's package after the parameters and results of its graph.
	Fields func(names []string) []string
	Stamp  string // what made it
}

// APIFile and TestFile are the names of the files, ImplDir the folder with a
// package for each function, named by [Func.Impl].
const (
	APIFile  = "zz_tcc.go"
	TestFile = "zz_tcc_test.go"
	ImplDir  = "internal/tcc"
)

// Impl is the name of the package that has f's machine code: lower case.
func (f *Func) Impl() string {
	name := strings.ToLower(strings.ReplaceAll(f.Ident, "_", ""))
	if !token.IsIdentifier(name) || name == "main" || name == "fmt" || name == "log" {
		name += "f"
	}
	return name
}

//go:embed templates/*.tmpl
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*.tmpl"))

// API returns the files of the typed API: of the functions' graphs or, before
// they are recorded, of their signatures alone; its functions then return
// errors.
func (p *Package) API(t Target) (map[string][]byte, error) {
	w := &writer{p: p, t: t, mirrors: map[string]*mirror{}}
	data := &apiData{Target: t, Source: p.Path, Stub: p.Funcs[0].Graph == nil}
	for _, f := range p.Funcs {
		d, err := w.function(f)
		if err != nil {
			return nil, err
		}
		data.Funcs = append(data.Funcs, d)
	}
	data.Structs, data.Scalars = w.order, w.scalars
	files := map[string][]byte{}
	for name, tmpl := range map[string]string{APIFile: "api.tmpl", TestFile: "test.tmpl"} {
		if data.Stub && name == TestFile {
			continue
		}
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, tmpl, data); err != nil {
			return nil, fmt.Errorf("BUG: gosrc: %s: %w", name, err)
		}
		text, err := format.Source(b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("BUG: gosrc: %s: %w\n%s", name, err, b.Bytes())
		}
		files[name] = text
	}
	return files, nil
}

// apiData is what the templates see.
type apiData struct {
	Target
	Source  string
	Stub    bool
	Scalars bool
	Structs []*mirror
	Funcs   []*funcData
}

// Dir is the import path below which the functions' packages are.
func (d *apiData) Dir() string { return d.Path + "/" + ImplDir }

// funcData is a function for the templates.
type funcData struct {
	Name, Type, New, Out string
	Upper                string // Type, exported
	Impl                 string
	Doc                  []string
	Params               []string // "x *tccrt.Tensor"
	Args                 string   // "p, x"
	Fields               []field  // of the outputs
	Types                string   // of the results
	Before, After        []string // statements around the call
	In, Lines            []string // the fields of the implementation's Inputs and Outputs
	Ins, Outs            []leaf
	ArgDocs, ResultDocs  []string // "x f32[N,784]"
	Locals               []string // declarations of the arguments in tests
	State, NewState      string   // the type of an optimizer's state and what makes it
	Zeroed               []string // its tensors: "{tccrt.F32, []int{784, 128}},"
	Set, Zeros           []string // statements that make them of recorded inputs, and of zeros
}

type field struct{ Name, Type, Doc string }

// leaf is a tensor inside an argument or a result.
type leaf struct {
	Path  string // recorded: p.W1
	Expr  string // Go: p.W1
	Field string // in the implementation's Inputs or Outputs
	Elem  string // Go type, of a plain value
}

// mirror is the run-time form of a struct of tensors.
type mirror struct {
	Name, Of string
	Fields   []field
}

// writer collects the mirrors while functions are described.
type writer struct {
	p       *Package
	t       Target
	mirrors map[string]*mirror
	order   []*mirror
	scalars bool
}

const tensorExpr = "*tccrt.Tensor"

// typeExpr is the run-time form of a type.
func (w *writer) typeExpr(t types.Type) string {
	if IsTensor(t) {
		return tensorExpr
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return "*" + w.typeExpr(u.Elem())
	case *types.Slice:
		return "[]" + w.typeExpr(u.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", u.Len(), w.typeExpr(u.Elem()))
	case *types.Struct:
		return w.structExpr(t, u)
	}
	panic(fmt.Sprintf("BUG: gosrc: type %v", t)) // checkType has seen it
}

func (w *writer) structExpr(t types.Type, s *types.Struct) string {
	n, named := types.Unalias(t).(*types.Named)
	if !named {
		var b strings.Builder
		b.WriteString("struct {")
		for _, f := range fieldsOf(s) {
			fmt.Fprintf(&b, "%s %s;", f.Name(), w.typeExpr(f.Type()))
		}
		return b.String() + "}"
	}
	key := types.TypeString(t, nil)
	if m := w.mirrors[key]; m != nil {
		return m.Name
	}
	m := &mirror{Name: w.unique(w.visible(mirrorName(n)) + "Tensors"),
		Of: types.TypeString(t, w.p.qualifier)}
	w.mirrors[key] = m
	w.order = append(w.order, m)
	for i := range s.NumFields() {
		f := s.Field(i)
		if tag := structTag(s.Tag(i)); f.Exported() && tag != "-" {
			m.Fields = append(m.Fields, field{f.Name(), w.typeExpr(f.Type()), tag})
		}
	}
	return m.Name
}

// mirrorName puts the name of a type and those of its type arguments together.
func mirrorName(n *types.Named) string {
	name := n.Obj().Name()
	for a := range n.TypeArgs().Types() {
		if arg, ok := types.Unalias(a).(*types.Named); ok {
			name += upper(mirrorName(arg))
		}
	}
	return name
}

func (w *writer) unique(name string) string {
	for n, k := name, 2; ; k++ {
		if !slices.ContainsFunc(w.order, func(m *mirror) bool { return m.Name == n }) {
			return n
		}
		n = fmt.Sprintf("%s_%d", name, k)
	}
}

// visible is a name in the API, exported if that is a package apart.
func (w *writer) visible(name string) string {
	if w.t.Apart {
		return upper(name)
	}
	return name
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func structTag(tag string) string { return reflect.StructTag(tag).Get("tcc") }

// locals are names that the methods around the arguments use.
var locals = strings.Fields("c ctx out in got err nil len make new error string context fmt " +
	"errors log testing t direct want run")

// argName is the name of an argument in the API's methods.
func argName(name string) string {
	for slices.Contains(locals, name) || token.IsKeyword(name) || strings.HasPrefix(name, "tcc") {
		name += "_"
	}
	return name
}

// function describes f for the templates.
func (w *writer) function(f *Func) (*funcData, error) {
	ident := w.visible(f.Ident)
	d := &funcData{Name: f.Name, Type: ident + "Compiled", Out: ident + "Outputs", Impl: f.Impl(),
		Upper: upper(ident) + "Compiled", New: "New" + upper(ident) + "Compiled"}
	if !token.IsExported(ident) {
		d.New = "n" + d.New[1:]
	}
	for line := range strings.Lines(strings.TrimSpace(f.Doc)) {
		d.Doc = append(d.Doc, strings.TrimSpace(line))
	}
	x := w.walker(f, d)
	if err := x.arguments(); err != nil {
		return nil, err
	}
	x.outputs()
	if f.Graph == nil {
		return d, nil
	}
	return d, x.describe()
}

// describe lists the types of arguments and results for the documentation.
func (x *walker) describe() error {
	g := x.f.Graph
	for _, p := range g.Params {
		x.d.ArgDocs = append(x.d.ArgDocs, p.ParamName()+"\t"+p.Type.String())
	}
	for i, r := range g.Results {
		if x.f.state != "" && strings.HasPrefix(g.ResultNames[i], record.Next) {
			continue // an argument
		}
		x.d.ResultDocs = append(x.d.ResultDocs, g.ResultNames[i]+"\t"+r.Type.String())
	}
	if len(x.d.Ins) != len(g.Params) || len(x.d.Outs) != len(g.Results) {
		return fmt.Errorf("BUG: gosrc: %s: %d of %d arguments, %d of %d results found", x.f.Name,
			len(x.d.Ins), len(g.Params), len(x.d.Outs), len(g.Results))
	}
	return nil
}

// goElems are the Go types of elements.
var goElems = map[ir.DType]string{ir.Bool: "bool", ir.I8: "int8", ir.I16: "int16", ir.I32: "int32",
	ir.I64: "int64", ir.U8: "uint8", ir.U16: "uint16", ir.U32: "uint32", ir.U64: "uint64",
	ir.F16: "tccrt.Float16", ir.BF16: "tccrt.BFloat16", ir.F32: "float32", ir.F64: "float64"}

// quote is a Go string.
func quote(s string) string { return strconv.Quote(s) }
