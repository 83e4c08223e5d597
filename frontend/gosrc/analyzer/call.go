package analyzer

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// call evaluates a call.
func (in *interp) call(f *frame, e *ast.CallExpr) value {
	defer in.visit(e)()
	if tv := in.info.Types[e.Fun]; tv.IsType() {
		return in.convert(in.expr(f, e.Args[0]), tv.Type)
	} else if tv.IsBuiltin() {
		return in.builtin(f, e)
	}
	fun := ast.Unparen(e.Fun)
	switch x := fun.(type) { // instantiations
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	switch x := fun.(type) {
	case *ast.SelectorExpr:
		if sel := in.info.Selections[x]; sel != nil && sel.Kind() == types.MethodVal {
			return in.method(f, e, x, sel)
		}
		if fn, ok := in.info.Uses[x.Sel].(*types.Func); ok {
			return in.named(f, e, fn)
		}
	case *ast.Ident:
		if fn, ok := in.info.Uses[x].(*types.Func); ok {
			return in.named(f, e, fn)
		}
	}
	if c, ok := in.expr(f, fun).(closure); ok && e.Ellipsis == 0 && !variadic(in.typeOf(fun)) {
		return in.closure(c, in.args(f, e))
	}
	// Any closure may be called.
	return in.foreign(append(in.args(f, e), unknown{}))
}

// visit notes where the interpretation is; what it returns notes where it was.
func (in *interp) visit(e *ast.CallExpr) func() {
	site, user := in.site, in.user
	if in.unit == in.own {
		in.site = e
	}
	if !slices.Contains(dsl, in.unit.pkg.Path()) {
		in.user = place{in.unit, e}
	}
	return func() { in.site, in.user = site, user }
}

func variadic(t types.Type) bool {
	s, ok := t.Underlying().(*types.Signature)
	return ok && s.Variadic()
}

// args evaluates the arguments of a call; a call with several results may
// stand for them.
func (in *interp) args(f *frame, e *ast.CallExpr) []value {
	var out []value
	for _, a := range e.Args {
		v := in.expr(f, a)
		if t, ok := v.(tuple); ok && len(e.Args) == 1 {
			return t
		}
		out = append(out, v)
	}
	return out
}

// named calls a function of a package.
func (in *interp) named(f *frame, e *ast.CallExpr, fn *types.Func) value {
	args := in.args(f, e)
	if u, decl := in.declared(fn); decl != nil {
		return in.body(e, u, decl, fn, nil, args)
	}
	if fn.Pkg() == nil {
		return in.foreign(args)
	}
	path := fn.Pkg().Path() + "." + fn.Name()
	switch c := args0(args).(type) {
	case closure:
		if path == tensorPath+".NoGrad" {
			return in.closure(c, nil)
		}
	case reflect.Value:
		if path == tensorPath+".GradOf" && len(args) == 2 { // gradients have the types of the tensors
			return tuple{in.clone(in.deref(args[1])), null{}}
		}
	}
	if g, ok := functions[path]; ok {
		return in.reflect(e, reflect.ValueOf(g), args)
	}
	return in.foreign(args)
}

func args0(args []value) value {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// body calls a function whose syntax is there.
func (in *interp) body(e *ast.CallExpr, u *unit, decl *ast.FuncDecl, fn *types.Func, recv []value,
	args []value) value {
	sig := fn.Signature()
	if sig.Variadic() && e.Ellipsis == 0 {
		n := sig.Params().Len() - 1
		if len(args) < n {
			return in.foreign(args)
		}
		rest := in.newSlice(len(args) - n)
		copy(rest.o.elems, args[n:])
		args = append(append([]value{}, args[:n]...), rest)
	}
	return in.enter(u, decl, append(recv, args...))
}

// method calls a method: one whose syntax is there, or of values of tcc's.
func (in *interp) method(f *frame, e *ast.CallExpr, x *ast.SelectorExpr,
	sel *types.Selection) value {
	fn := sel.Obj().(*types.Func)
	recv := in.expr(f, x.X)
	args := in.args(f, e)
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		recv = in.field(recv, i)
	}
	if u, decl := in.declared(fn); decl != nil {
		_, wants := fn.Signature().Recv().Type().(*types.Pointer)
		p, has := recv.(pointer)
		switch {
		case !wants && has:
			recv = in.deref(p)
		case wants && !has:
			if recv = in.address(f, x.X); len(sel.Index()) > 1 {
				recv = unknown{}
			}
		}
		if isUnknown(recv) && wants {
			return in.foreign(append(args, recv))
		}
		return in.body(e, u, decl, fn, []value{in.clone(recv)}, args)
	}
	if p, ok := recv.(pointer); ok {
		recv = in.deref(p)
	}
	r, ok := recv.(reflect.Value)
	if !ok || !ours(r.Type()) || r.Type() == tensorType && unmodelled[fn.Name()] != "" {
		return in.foreign(append(args, recv))
	}
	m := r.MethodByName(fn.Name())
	if !m.IsValid() {
		return in.foreign(args)
	}
	return in.reflect(e, m, args)
}

// ours reports whether a type's methods may be called: those of tcc's own
// packages, which depend on nothing but their arguments.
func ours(t reflect.Type) bool {
	return strings.HasPrefix(t.PkgPath(), "github.com/tensorcc/tcc/ir") || t.PkgPath() == tensorPath
}

// reflect calls a function of tcc. If it fails, so does the user's function.
func (in *interp) reflect(e *ast.CallExpr, fn reflect.Value, args []value) value {
	t := fn.Type()
	var given []reflect.Value
	for i, a := range args {
		var want reflect.Type
		switch {
		case t.IsVariadic() && i >= t.NumIn()-1 && e.Ellipsis == 0:
			want = t.In(t.NumIn() - 1).Elem()
		case i < t.NumIn():
			want = t.In(i)
		default:
			return in.foreign(args)
		}
		v, ok := in.toReflect(a, want)
		if !ok {
			return in.foreign(args)
		}
		given = append(given, v)
	}
	defer func() {
		if r := recover(); r != nil {
			panic(stop{}) // of the function called, as it would when it is recorded, or of results
		}
	}()
	if e.Ellipsis != 0 {
		return in.results(e, fn.CallSlice(given))
	}
	return in.results(e, fn.Call(given))
}

// results takes over what a function of tcc returned.
func (in *interp) results(e *ast.CallExpr, out []reflect.Value) value {
	var vs tuple
	for _, v := range out {
		in.inspect(e, v)
		switch {
		case v.Kind() == reflect.Interface && v.IsNil():
			vs = append(vs, null{})
		case v.Kind() == reflect.Interface:
			vs = append(vs, unknown{})
		case v.Kind() == reflect.Slice && v.Type().Elem() == tensorType:
			s := in.newSlice(v.Len())
			for i := range v.Len() {
				s.o.elems[i] = v.Index(i)
			}
			vs = append(vs, s)
		default:
			vs = append(vs, v)
		}
	}
	if len(vs) == 1 {
		return vs[0]
	}
	return vs
}

// inspect ends the interpretation if a tensor carries an error: every operand
// was a tensor without one.
func (in *interp) inspect(e *ast.CallExpr, v reflect.Value) {
	switch {
	case v.Type() == tensorType:
		if err := v.Interface().(tensor.Tensor).Err(); err != nil {
			in.failed = &fault{place: place{in.unit, e}, user: in.user, site: in.site}
			errors.As(err, &in.failed.err)
			panic(stop{})
		}
	case v.Kind() == reflect.Slice && v.Type().Elem() == tensorType:
		for i := range v.Len() {
			in.inspect(e, v.Index(i))
		}
	}
}

// foreign is a call of which nothing is known: it may change all memory that
// it can reach, and call what it is given.
func (in *interp) foreign(args []value) value {
	for _, a := range args {
		switch a := a.(type) {
		case closure, slice, pointer, unknown:
			in.escaped = true
		case *object:
			in.foreign(a.elems)
		}
	}
	if in.escaped {
		in.havoc()
	}
	return unknown{}
}

func (in *interp) convert(v value, t types.Type) value {
	if c := toConstant(v); c != nil {
		b, ok := t.Underlying().(*types.Basic)
		if !ok {
			return unknown{}
		}
		integer, exact := b.Info()&types.IsInteger != 0, c.Kind() == constant.Int
		if integer != exact && (integer || b.Info()&types.IsFloat == 0) {
			return unknown{} // truncation, or to a string
		}
		return fromConstant(c, t)
	}
	if r, ok := v.(reflect.Value); ok && reflectType(t) != r.Type() {
		return unknown{}
	}
	return v
}

func (in *interp) builtin(f *frame, e *ast.CallExpr) value {
	name := ast.Unparen(e.Fun).(*ast.Ident).Name
	switch name {
	case "len":
		v := in.expr(f, e.Args[0])
		if n, _ := in.elements(v); n >= 0 && isList(in.typeOf(e.Args[0])) {
			return reflect.ValueOf(n)
		}
		return unknown{}
	case "append":
		return in.append(f, e)
	case "make":
		return in.make(f, e)
	case "new":
		return in.variable(in.zero(in.typeOf(e.Args[0])))
	case "panic":
		panic(stop{})
	}
	for _, a := range e.Args {
		in.expr(f, a)
	}
	if name == "copy" || name == "clear" || name == "delete" {
		in.havoc()
	}
	return unknown{}
}

func isList(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Slice, *types.Array:
		return true
	}
	return false
}

// append makes a new array always: that another slice would see the element is
// then not known, as it depends on the capacity.
func (in *interp) append(f *frame, e *ast.CallExpr) value {
	args := in.args(f, e)
	s, ok := args[0].(slice)
	args = args[1:]
	if e.Ellipsis != 0 {
		more, known := args[0].(slice)
		if !known {
			return unknown{}
		}
		args = nil
		for i := more.lo; i < more.hi; i++ {
			args = append(args, in.load(more.o, i))
		}
	}
	if !ok || s.hi-s.lo+len(args) > maxElems {
		return unknown{}
	}
	out := in.newSlice(s.hi - s.lo + len(args))
	for i := s.lo; i < s.hi; i++ {
		out.o.elems[i-s.lo] = in.load(s.o, i)
	}
	for i, a := range args {
		out.o.elems[s.hi-s.lo+i] = in.clone(a)
	}
	if s.o != nil {
		for i := s.hi; i < len(s.o.elems); i++ {
			in.store(s.o, i, unknown{})
		}
	}
	return out
}

func (in *interp) make(f *frame, e *ast.CallExpr) value {
	s, ok := in.typeOf(e).Underlying().(*types.Slice)
	if !ok || len(e.Args) < 2 {
		return unknown{}
	}
	c := toConstant(in.expr(f, e.Args[1]))
	if c == nil || c.Kind() != constant.Int {
		return unknown{}
	}
	n, _ := constant.Int64Val(c)
	if n < 0 || n > maxElems {
		return unknown{}
	}
	out := in.newSlice(int(n))
	for i := range out.o.elems {
		out.o.elems[i] = in.zero(s.Elem())
	}
	return out
}
