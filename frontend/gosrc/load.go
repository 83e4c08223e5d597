package gosrc

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// Tag is the build tag that holds while packages are loaded and recorded.
const Tag = "tcc"

// TensorPath is the import path of the DSL.
const TensorPath = "github.com/tensorcc/tcc/frontend/tensor"

// Package is a Go package with functions to compile.
type Package struct {
	Path, Name string
	Dir        string // absolute
	Funcs      []*Func

	pkg *packages.Package
}

// Func is a function with a directive.
type Func struct {
	Name  string // Predict; Params.Predict for a method
	Ident string // Predict, ParamsPredict: what the names of the API begin with
	Doc   string // its comment, without directives
	Pos   token.Position
	// Graph is what it computes, after [Package.Record]: the gradients that
	// were asked for follow the results.
	Graph *ir.Graph
	// Extents has what the directive says of dynamic extents: "N=1..64".
	Extents []string
	// InPlace has each result of Graph that replaces a parameter, and that
	// parameter: of a function with an optimizer, and as the directive says.
	InPlace [][2]int

	Decl    *ast.FuncDecl
	dir     *directive
	args    []*arg
	results []*result
	call    string // expression of the function, receivers included
	state   string // name of the argument that is the optimizer's state; empty: none
	imports []string
}

// arg is an argument of a function.
type arg struct {
	name  string
	typ   types.Type
	spec  string // as tensor.Trace has it, after the name
	baked bool
	value string // expression of a baked argument
}

// result is a result but for an error at the end.
type result struct {
	name string // empty if the source does not say
	typ  types.Type
}

// replacing is the index of the result of a's type, -1 if there is none.
func (f *Func) replacing(a *arg) int {
	return slices.IndexFunc(f.results, func(r *result) bool { return types.Identical(r.typ, a.typ) })
}

// path is what the names of the tensors of result i begin with.
func (f *Func) path(i int) string {
	switch {
	case IsTensor(f.results[i].typ):
		return fmt.Sprint("y", i)
	case len(f.results) > 1:
		return fmt.Sprint("r", i)
	}
	return ""
}

// replaced pairs the tensors of results with those of the arguments that the
// directive says they replace.
func (f *Func) replaced() [][2]int {
	var pairs [][2]int
	for _, name := range f.dir.inPlace {
		i := slices.IndexFunc(f.args, func(a *arg) bool { return a.name == name })
		path := f.path(f.replacing(f.args[i]))
		for _, p := range tensor.Params(f.Graph, name) {
			rest := strings.TrimPrefix(f.Graph.Params[p].ParamName(), name)
			if r := slices.Index(f.Graph.ResultNames, strings.TrimPrefix(path+rest, ".")); r >= 0 {
				pairs = append(pairs, [2]int{r, p})
			}
		}
	}
	return pairs
}

// StateParams are the parameters of Graph that are the state of an optimizer: all
// zeros before the first step.
func (f *Func) StateParams() []int {
	if f.state == "" {
		return nil
	}
	return tensor.Params(f.Graph, f.state)
}

// Arg is an argument of a function, a method's receiver being the first.
type Arg struct {
	Name  string
	Type  types.Type
	Spec  string // its type as the directive has it; empty for structs
	Baked bool
}

// Args returns the arguments in order.
func (f *Func) Args() []Arg {
	var out []Arg
	for _, a := range f.args {
		out = append(out, Arg{a.name, a.typ, a.spec, a.baked})
	}
	return out
}

const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles |
	packages.NeedImports | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax |
	packages.NeedTypesInfo | packages.NeedModule

// Load finds the functions to compile in the packages that match the patterns,
// as the go command has them, from the folder dir. That a package does not
// compile, for want of what is yet to be generated, is no error. Packages
// without such functions are left out.
func Load(ctx context.Context, dir string, patterns ...string) ([]*Package, error) {
	cfg := &packages.Config{Context: ctx, Mode: loadMode, Dir: dir,
		BuildFlags: []string{"-tags=" + Tag}}
	found, err := packages.Load(cfg, patterns...)
	if err != nil {
		return nil, fmt.Errorf("gosrc: %w", err)
	}
	var out []*Package
	var errs []error
	for _, p := range found {
		for _, e := range p.Errors {
			if e.Kind == packages.ParseError || e.Kind == packages.ListError && len(p.Syntax) == 0 {
				errs = append(errs, errors.New(strings.TrimPrefix(e.Error(), "-: ")))
			}
		}
		one, err := newPackage(p)
		errs = append(errs, err)
		if err == nil && len(one.Funcs) > 0 {
			out = append(out, one)
		}
	}
	return out, errors.Join(errs...)
}

// Inspect finds the functions to compile in a package whose syntax and types
// are there already.
func Inspect(fset *token.FileSet, files []*ast.File, pkg *types.Package,
	info *types.Info) (*Package, error) {
	return newPackage(&packages.Package{PkgPath: pkg.Path(), Name: pkg.Name(), Fset: fset,
		Syntax: files, Types: pkg, TypesInfo: info})
}

func newPackage(p *packages.Package) (*Package, error) {
	out := &Package{Path: p.PkgPath, Name: p.Name, pkg: p}
	if len(p.GoFiles) > 0 {
		out.Dir = filepath.Dir(p.GoFiles[0])
	}
	var errs []error
	for _, file := range p.Syntax {
		above := map[*ast.Comment]bool{}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			f, err := out.function(file, fn, above)
			errs = append(errs, err)
			if f != nil && err == nil {
				out.Funcs = append(out.Funcs, f)
			}
		}
		errs = append(errs, out.stray(file, above))
	}
	return out, errors.Join(append(errs, out.distinct())...)
}

// stray finds directives that belong to no function.
func (p *Package) stray(file *ast.File, above map[*ast.Comment]bool) error {
	var errs []error
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//tcc:") && !above[c] {
				errs = append(errs, &Error{Pos: p.position(c.Pos()), Op: "tcc",
					Msg: fmt.Sprintf("%s belongs to no function: want %s in the comment right above one",
						strings.Fields(c.Text)[0], prefix)})
			}
		}
	}
	return errors.Join(errs...)
}

func (p *Package) position(pos token.Pos) token.Position { return p.pkg.Fset.Position(pos) }

// function returns the function if it has a directive, and notes the comments
// that it saw.
func (p *Package) function(file *ast.File, fn *ast.FuncDecl, above map[*ast.Comment]bool) (*Func,
	error) {
	d, err := findDirective(p.pkg.Fset, fn, above)
	if d == nil || err != nil {
		return nil, err
	}
	obj, ok := p.pkg.TypesInfo.Defs[fn.Name].(*types.Func)
	if !ok {
		return nil, d.errorf("function %s has no type", fn.Name.Name)
	}
	sig := obj.Signature()
	f := &Func{Decl: fn, Name: fn.Name.Name, Doc: fn.Doc.Text(),
		Pos: p.position(fn.Name.Pos()), dir: d}
	f.Ident, f.call = f.Name, f.Name
	if r := sig.Recv(); r != nil {
		name := receiver(r.Type())
		if name == nil {
			return nil, d.errorf("%s: the receiver has no name", f.Name)
		}
		f.Name, f.Ident = name.Obj().Name()+"."+f.Name, identJoin(name.Obj().Name(), f.Name)
		f.call = fmt.Sprintf("(%s).%s", types.TypeString(r.Type(), p.qualifier), fn.Name.Name)
		f.args = append(f.args, &arg{name: r.Name(), typ: r.Type()})
	}
	switch {
	case sig.TypeParams().Len() > 0 || sig.RecvTypeParams().Len() > 0:
		return nil, d.errorf("%s has type parameters: compile a function that calls it with types",
			f.Name)
	case sig.Variadic():
		return nil, d.errorf("%s is variadic: give the last argument a slice's type", f.Name)
	}
	for v := range sig.Params().Variables() {
		f.args = append(f.args, &arg{name: v.Name(), typ: v.Type()})
	}
	for v := range sig.Results().Variables() {
		f.results = append(f.results, &result{name: v.Name(), typ: v.Type()})
	}
	if n := len(f.results); n > 0 && types.Identical(f.results[n-1].typ, errorType) {
		f.results = f.results[:n-1]
	}
	return f, p.complete(file, f)
}

var errorType = types.Universe.Lookup("error").Type()

// findDirective returns the directive in the comment of fn, if there is one.
func findDirective(fset *token.FileSet, fn *ast.FuncDecl, above map[*ast.Comment]bool) (*directive,
	error) {
	if fn.Doc == nil {
		return nil, nil
	}
	var d *directive
	for _, c := range fn.Doc.List {
		if !strings.HasPrefix(c.Text, "//tcc:") {
			continue
		}
		above[c] = true
		pos := fset.Position(c.Pos())
		switch rest, ok := strings.CutPrefix(c.Text, prefix); {
		case !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t':
			return nil, &Error{Pos: pos, Op: "tcc",
				Msg: fmt.Sprintf("no directive %s: want %s", strings.Fields(c.Text)[0], prefix)}
		case d != nil:
			return nil, d.errorf("a second directive above %s: one says all", fn.Name.Name)
		}
		var err error
		if d, err = parseDirective(c.Text, pos); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// receiver is the named type of a receiver.
func receiver(t types.Type) *types.Named {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	n, _ := types.Unalias(t).(*types.Named)
	return n
}

// identJoin puts a type's and a method's name together.
func identJoin(typ, method string) string {
	return typ + strings.ToUpper(method[:1]) + method[1:]
}

// complete gives the arguments what the directive says of them.
func (p *Package) complete(file *ast.File, f *Func) error {
	if len(f.results) == 0 {
		return f.dir.errorf("%s has no result but perhaps an error: want a tensor or a struct of tensors",
			f.Name)
	}
	names := map[string]*arg{}
	for _, a := range f.args {
		names[a.name] = a
	}
	for _, a := range f.args {
		if err := p.argument(f, a); err != nil {
			return err
		}
	}
	for _, key := range f.dir.order {
		switch spec := f.dir.specs[key]; {
		case names[key] != nil:
		case ir.IsSymName(key) && spec[0] >= '0' && spec[0] <= '9':
			f.Extents = append(f.Extents, key+"="+spec)
		default:
			return f.dir.errorf("%s has no argument %s", f.Name, key)
		}
	}
	for _, g := range f.dir.grad {
		if a := names[g]; a == nil || a.baked {
			return f.dir.errorf("grad=%s: %s has no such argument at run time", g, f.Name)
		}
	}
	if f.dir.optimizer != "" {
		if len(f.dir.grad) == 0 {
			return f.dir.errorf("optimizer= without grad=: say which arguments it improves")
		}
		for f.state = "opt"; names[f.state] != nil; f.state += "_" {
		}
	}
	for _, name := range f.dir.inPlace {
		if a := names[name]; a == nil || a.baked || f.replacing(a) < 0 {
			return f.dir.errorf("inplace=%s: %s has no such argument with a result of its type", name,
				f.Name)
		}
	}
	for name := range f.dir.bake {
		if names[name] == nil {
			return f.dir.errorf("bake=%s: %s has no such argument", name, f.Name)
		}
	}
	for _, r := range f.results {
		if err := checkType(r.typ, nil); err != nil {
			return f.dir.errorf("result of %s: %v", f.Name, err)
		}
	}
	f.imports = importsOf(file, p.pkg.TypesInfo)
	return nil
}

// argument completes one argument.
func (p *Package) argument(f *Func, a *arg) error {
	if a.value, a.baked = f.dir.bake[a.name]; a.baked {
		if a.value == "" {
			return p.bakedByName(f, a)
		}
		return nil
	}
	if a.name == "" || a.name == "_" {
		return f.dir.errorf("%s has an argument without a name: give it one", f.Name)
	}
	a.spec = f.dir.specs[a.name]
	if err := checkType(a.typ, nil); err != nil {
		return f.dir.errorf("argument %s: %v: say bake=%s=VALUE to make it a constant", a.name, err,
			a.name)
	}
	example := map[bool]string{true: "f32[N,4]", false: "[3]f32[N,4]"}
	switch t := a.typ.Underlying(); {
	case IsTensor(a.typ):
		if a.spec == "" {
			return f.dir.errorf("argument %s has no type: add %[1]s=%s to %s", a.name, example[true], prefix)
		}
		if _, err := tensor.ParseType(a.spec); err != nil {
			return f.dir.errorf("argument %s: %v", a.name, err)
		}
	case isList(t):
		if specs, err := tensor.SplitSpec(a.spec); err != nil {
			return f.dir.errorf("argument %s: %v", a.name, err)
		} else if _, slice := t.(*types.Slice); slice && specs == nil {
			return f.dir.errorf("argument %s is a slice: say how many elements it has and of what type: "+
				"add %[1]s=%s to %s", a.name, example[false], prefix)
		}
	case a.spec != "":
		return f.dir.errorf("argument %s is a struct: its fields say their types in tags", a.name)
	}
	return nil
}

// bakedByName finds the variable or function that bake=NAME means.
func (p *Package) bakedByName(f *Func, a *arg) error {
	obj := p.pkg.Types.Scope().Lookup(a.name)
	a.value = a.name
	switch obj := obj.(type) {
	case *types.Var, *types.Const:
	case *types.Func:
		if obj.Signature().Params().Len() > 0 {
			return f.dir.errorf("bake=%s: function %[1]s wants arguments: say bake=%[1]s=%[1]s(…)", a.name)
		}
		a.value += "()"
	default:
		return f.dir.errorf("bake=%s: the package has no variable and no function of that name: "+
			"say bake=%[1]s=EXPRESSION", a.name)
	}
	return nil
}

func isList(t types.Type) bool {
	switch t.(type) {
	case *types.Slice, *types.Array:
		return true
	}
	return false
}

// IsTensor reports whether t is the DSL's Tensor.
func IsTensor(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Tensor" && n.Obj().Pkg() != nil &&
		n.Obj().Pkg().Path() == TensorPath
}

// checkType reports what in t is neither a tensor nor made of tensors. above
// are the named types around it, which t must not contain again.
func checkType(t types.Type, above []types.Type) error {
	if IsTensor(t) {
		return nil
	}
	if slices.ContainsFunc(above, func(a types.Type) bool { return types.Identical(a, t) }) {
		return fmt.Errorf("%v contains itself", t)
	}
	above = append(above, t)
	switch u := t.Underlying().(type) {
	case *types.Array:
		return checkType(u.Elem(), above)
	case *types.Slice:
		return checkType(u.Elem(), above)
	case *types.Pointer:
		if _, ok := u.Elem().Underlying().(*types.Struct); ok {
			return checkType(u.Elem(), above)
		}
	case *types.Struct:
		for _, f := range fieldsOf(u) {
			if err := checkType(f.Type(), above); err != nil {
				return fmt.Errorf("field %s: %w", f.Name(), err)
			}
		}
		return nil
	}
	return fmt.Errorf("type %v is neither a tensor nor made of tensors",
		types.TypeString(t, func(p *types.Package) string { return p.Name() }))
}

// fieldsOf are the fields that hold tensors.
func fieldsOf(s *types.Struct) []*types.Var {
	var out []*types.Var
	for i := range s.NumFields() {
		f := s.Field(i)
		if tag := structTag(s.Tag(i)); f.Exported() && tag != "-" {
			out = append(out, f)
		}
	}
	return out
}

// distinct checks that the names of the API differ.
func (p *Package) distinct() error {
	seen := map[string]*Func{}
	for _, f := range p.Funcs {
		if g := seen[strings.ToLower(f.Ident)]; g != nil {
			return f.dir.errorf("%s and %s would be compiled under the same name: rename one",
				g.Name, f.Name)
		}
		seen[strings.ToLower(f.Ident)] = f
	}
	return nil
}

// qualifier prints the names of other packages' types.
func (p *Package) qualifier(other *types.Package) string {
	if other == p.pkg.Types {
		return ""
	}
	return other.Name()
}

// relative is a file's path from the working directory, where it is below it.
func relative(file string) string {
	dir, err := os.Getwd()
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return file
}
