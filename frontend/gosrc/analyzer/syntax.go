package analyzer

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// This file makes functions of other packages known: the fact of a package that
// uses the DSL is its syntax and that of such packages that it imports. Whoever
// imports it checks the types again, with what it has: packages that are not
// there, such as most of the standard library, leave what uses them without a
// type, and so unknown.

// dsl are the packages in which package tensor places no error: it names the
// call that its user has written.
var dsl = []string{tensorPath, tensorPath + "/linalg", "github.com/tensorcc/tcc/frontend/nn"}

// syntax is the fact: packages in the order of their paths.
type syntax struct{ Packages []packageFiles }

// packageFiles are those of a package.
type packageFiles struct {
	Path  string
	Files []source
}

type source struct{ Name, Text string }

// AFact makes syntax a fact.
func (*syntax) AFact() {}

// String lists the packages.
func (s *syntax) String() string {
	var paths []string
	for _, p := range s.Packages {
		paths = append(paths, p.Path)
	}
	return "syntax of " + strings.Join(paths, ", ")
}

// maxSyntax bounds the bytes of a package that is made known.
const maxSyntax = 1 << 20

// imported collects the syntax of the packages that the pass's imports.
func imported(pass *analysis.Pass) map[string][]source {
	known := map[string][]source{}
	for _, p := range pass.Pkg.Imports() {
		var s syntax
		if !pass.ImportPackageFact(p, &s) {
			continue
		}
		for _, s := range s.Packages {
			known[s.Path] = s.Files
		}
	}
	return known
}

// concerns reports whether the package uses the DSL, itself or by packages that
// do.
func concerns(pass *analysis.Pass, known map[string][]source) bool {
	for _, imp := range pass.Pkg.Imports() {
		if imp.Path() == tensorPath || known[imp.Path()] != nil {
			return true
		}
	}
	return false
}

// export makes the package known to its importers.
func export(pass *analysis.Pass, known map[string][]source) error {
	all := maps.Clone(known)
	var own []source
	size := 0
	for _, f := range pass.Files {
		name := pass.Fset.File(f.FileStart).Name()
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := pass.ReadFile(name)
		if err != nil {
			return err
		}
		size += len(text)
		own = append(own, source{filepath.Base(name), string(text)})
	}
	if size <= maxSyntax && len(own) > 0 {
		all[pass.Pkg.Path()] = own
	}
	var s syntax
	for _, path := range slices.Sorted(maps.Keys(all)) {
		s.Packages = append(s.Packages, packageFiles{path, all[path]})
	}
	pass.ExportPackageFact(&s)
	return nil
}

// program is what the functions of a package have in common.
type program struct {
	own   *unit
	known map[string][]source
	units map[string]*unit // of known packages as far as they were needed; nil while made
	types map[string]*types.Package
}

func newProgram(pass *analysis.Pass, known map[string][]source) *program {
	p := &program{known: known, units: map[string]*unit{}, types: map[string]*types.Package{},
		own: newUnit(pass.Fset, pass.Files, pass.Pkg, pass.TypesInfo)}
	p.reach(pass.Pkg)
	return p
}

// reach notes the packages that pkg imports.
func (p *program) reach(pkg *types.Package) {
	for _, imp := range pkg.Imports() {
		if p.types[imp.Path()] == nil {
			p.types[imp.Path()] = imp
			p.reach(imp)
		}
	}
}

// declared returns the syntax of a function, nil if that is not known.
func (p *program) declared(fn *types.Func) (*unit, *ast.FuncDecl) {
	fn = fn.Origin()
	if fn.Pkg() == nil {
		return nil, nil
	}
	u := p.own
	if path := fn.Pkg().Path(); path != u.pkg.Path() {
		if u = p.unit(path); u == nil {
			return nil, nil
		}
	}
	return u, u.decls[fn.FullName()]
}

// unit checks the types of a known package.
func (p *program) unit(path string) *unit {
	if u, done := p.units[path]; done {
		return u
	}
	p.units[path] = nil
	fset := token.NewFileSet()
	var files []*ast.File
	for _, s := range p.known[path] {
		f, err := parser.ParseFile(fset, s.Name, s.Text, parser.SkipObjectResolution)
		if err != nil {
			return nil
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: (*imports)(p), Error: func(error) {}}
	pkg, _ := config.Check(path, fset, files, info) // errors are of what is not there
	u := newUnit(fset, files, pkg, info)
	p.units[path] = u
	return u
}

// imports finds packages for those whose types are checked again: known ones,
// so that their types are one, and what the analyzed package imports.
type imports program

// Import returns a package.
func (i *imports) Import(path string) (*types.Package, error) {
	p := (*program)(i)
	switch {
	case path == "unsafe":
		return types.Unsafe, nil
	case path == p.own.pkg.Path():
		return p.own.pkg, nil
	}
	if u := p.unit(path); u != nil {
		return u.pkg, nil
	}
	if pkg := p.types[path]; pkg != nil {
		return pkg, nil
	}
	return nil, errors.New("not there")
}
