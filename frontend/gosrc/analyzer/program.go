package analyzer

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"github.com/tensorcc/tcc/frontend/gosrc"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// unit is a package with its syntax: what is interpreted at once.
type unit struct {
	pkg   *types.Package
	info  *types.Info
	fset  *token.FileSet
	decls map[string]*ast.FuncDecl // by full name
	// vars are package variables that nothing but their declaration sets.
	vars map[types.Object]ast.Expr
}

func newUnit(fset *token.FileSet, files []*ast.File, pkg *types.Package, info *types.Info) *unit {
	u := &unit{pkg: pkg, info: info, fset: fset, decls: map[string]*ast.FuncDecl{},
		vars: map[types.Object]ast.Expr{}}
	for _, file := range files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if fn, ok := info.Defs[decl.Name].(*types.Func); ok && decl.Body != nil {
					u.decls[fn.FullName()] = decl
				}
			case *ast.GenDecl:
				u.variables(decl)
			}
		}
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			for _, x := range u.changed(n) {
				delete(u.vars, info.Uses[x])
			}
			return true
		})
	}
	return u
}

// variables notes unexported variables with a value each.
func (u *unit) variables(decl *ast.GenDecl) {
	if decl.Tok != token.VAR {
		return
	}
	for _, spec := range decl.Specs {
		v := spec.(*ast.ValueSpec)
		for i, name := range v.Names {
			fixed := len(v.Values) == len(v.Names) && !name.IsExported() && name.Name != "_"
			if fixed && plain(u.info.TypeOf(name)) {
				u.vars[u.info.Defs[name]] = v.Values[i]
			}
		}
	}
}

// plain reports whether values of type t change only by assignment to a whole
// variable.
func plain(t types.Type) bool {
	if t == nil || gosrc.IsTensor(t) {
		return t != nil
	}
	switch t.Underlying().(type) {
	case *types.Basic, *types.Signature:
		return true
	}
	return false
}

// changed are the variables that a statement or expression sets, itself or by
// taking their address, as calls of methods with pointer receivers do.
func (u *unit) changed(n ast.Node) []*ast.Ident {
	var out []*ast.Ident
	add := func(e ast.Expr) {
		if x := root(e); x != nil {
			out = append(out, x)
		}
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, e := range n.Lhs {
			add(e)
		}
	case *ast.IncDecStmt:
		add(n.X)
	case *ast.RangeStmt:
		add(n.Key)
		add(n.Value)
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			add(n.X)
		}
	case *ast.SliceExpr:
		if t := u.info.TypeOf(n.X); t != nil {
			if _, array := t.Underlying().(*types.Array); array {
				add(n.X)
			}
		}
	case *ast.SelectorExpr:
		sel := u.info.Selections[n]
		if sel == nil || sel.Kind() != types.MethodVal {
			break
		}
		if _, byPointer := sel.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer); byPointer {
			add(n.X)
		}
	}
	return out
}

// root is the variable that an expression is a part of.
func root(e ast.Expr) *ast.Ident {
	for e != nil {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		default:
			return nil
		}
	}
	return nil
}

// leaf is a tensor among the arguments.
type leaf struct {
	spec string
	set  func(reflect.Value)
}

// arguments makes symbolic arguments of f, and lists the tensors in them.
func (in *interp) arguments(f *gosrc.Func) ([]leaf, []value) {
	given := f.Args()
	args := make([]value, len(given))
	var leaves []leaf
	for i, a := range given {
		if a.Baked {
			args[i] = unknown{}
			continue
		}
		in.argument(a.Type, a.Spec, func(v value) { args[i] = v }, &leaves)
	}
	return leaves, args
}

func (in *interp) argument(t types.Type, spec string, set func(value), leaves *[]leaf) {
	if gosrc.IsTensor(t) {
		set(unknown{})
		if _, err := tensor.ParseType(spec); err == nil {
			*leaves = append(*leaves, leaf{spec, func(v reflect.Value) { set(v) }})
		}
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		p := in.variable(unknown{})
		in.argument(u.Elem(), spec, func(v value) { p.c.v = in.share(v) }, leaves)
		set(p)
	case *types.Struct:
		o := in.newObject(u.NumFields())
		for i := range o.elems {
			tag := reflect.StructTag(u.Tag(i)).Get("tcc")
			if !u.Field(i).Exported() || tag == "-" {
				o.elems[i] = in.zero(u.Field(i).Type())
				continue
			}
			bound, err := tensor.BindSpec(tag, spec)
			if err != nil {
				o.elems[i] = unknown{}
				continue
			}
			tag = bound
			in.argument(u.Field(i).Type(), tag, func(v value) { o.elems[i] = v }, leaves)
		}
		set(o)
	case *types.Slice:
		o := in.list(u.Elem(), -1, spec, leaves)
		if o == nil {
			set(unknown{})
			return
		}
		in.share(o)
		set(slice{o, 0, len(o.elems)})
	case *types.Array:
		o := in.list(u.Elem(), int(u.Len()), spec, leaves)
		if o == nil {
			set(unknown{})
			return
		}
		set(o)
	default:
		set(unknown{})
	}
}

// list is the elements of a slice, or of an array of n.
func (in *interp) list(elem types.Type, n int, spec string, leaves *[]leaf) *object {
	specs, err := tensor.SplitSpec(spec)
	switch {
	case err != nil, n > maxElems, specs == nil && n < 0, specs != nil && n >= 0 && n != len(specs):
		return nil
	case n < 0:
		n = len(specs)
	}
	o := in.newObject(n)
	for i := range o.elems {
		one := strings.TrimSpace(spec)
		if specs != nil {
			one = specs[i]
		}
		in.argument(elem, one, func(v value) { o.elems[i] = v }, leaves)
	}
	return o
}
