package analyzer

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"reflect"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// interp interprets one function. It ends, by a panic of type stop, at the
// first operation that fails and at everything that it cannot follow.
type interp struct {
	*program
	*unit // of the function that is being interpreted
	// site is the innermost call in the package that is checked, user that
	// outside of the DSL's packages, which gosrc's errors name.
	site   *ast.CallExpr
	user   place
	failed *fault
	steps  int
	depth  int
	// Memory made before gen valid is not known any more.
	gen, valid int
	// escaped says that foreign code has had memory or a closure: it may change
	// them in any later call.
	escaped bool
}

// place is a call in a unit.
type place struct {
	unit *unit
	call *ast.CallExpr
}

// fault is an operation that fails: the call of it, and where the
// interpretation was.
type fault struct {
	place
	user place
	site *ast.CallExpr
	err  *tensor.Error
}

type stop struct{}

const (
	maxSteps = 200_000
	maxDepth = 50
)

// frame is a call of a function.
type frame struct {
	vars    map[types.Object]*cell
	results []*cell // named results
	ret     value   // what was returned
}

// flow says how a statement ended.
type flow int

const (
	next flow = iota
	broke
	continued
	returned
)

// start interprets decl, of the package that is checked.
func (in *interp) start(decl *ast.FuncDecl, args []value) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(stop); !ok {
				panic(r)
			}
		}
	}()
	in.enter(in.own, decl, args)
}

// enter calls a function of a unit for arguments, a receiver being the first.
// Where it cannot be followed to its end, nothing is known of what it does.
func (in *interp) enter(u *unit, decl *ast.FuncDecl, args []value) (v value) {
	fields := []*ast.Field{}
	if decl.Recv != nil {
		fields = append(fields, decl.Recv.List...)
	}
	fields = append(fields, decl.Type.Params.List...)
	defer in.within(u)()
	defer func() {
		if r := recover(); r == nil {
			return
		} else if _, ok := r.(stop); !ok || in.failed != nil || in.steps > maxSteps {
			panic(r)
		}
		in.escaped = true
		in.havoc()
		v = unknown{}
	}()
	return in.invoke(fields, decl.Type.Results, decl.Body, map[types.Object]*cell{}, args)
}

// within makes u the unit; what it returns makes it the one before.
func (in *interp) within(u *unit) func() {
	before := in.unit
	in.unit = u
	return func() { in.unit = before }
}

// closure calls a closure.
func (in *interp) closure(c closure, args []value) value {
	defer in.within(c.unit)()
	return in.invoke(c.lit.Type.Params.List, c.lit.Type.Results, c.lit.Body, c.vars, args)
}

// invoke runs a body with vars around it.
func (in *interp) invoke(params []*ast.Field, results *ast.FieldList, body *ast.BlockStmt,
	vars map[types.Object]*cell, args []value) value {
	if in.depth++; in.depth > maxDepth {
		panic(stop{})
	}
	defer func() { in.depth-- }()
	f := &frame{vars: vars}
	for _, p := range params {
		for _, name := range p.Names {
			if len(args) == 0 {
				panic(stop{})
			}
			in.define(f, name, args[0])
			args = args[1:]
		}
		if len(p.Names) == 0 {
			args = args[1:]
		}
	}
	if results != nil {
		for _, r := range results.List {
			for _, name := range r.Names {
				in.define(f, name, in.zero(in.typeOf(r.Type)))
				f.results = append(f.results, f.vars[in.info.Defs[name]])
			}
		}
	}
	in.block(f, body.List)
	return f.ret
}

func (in *interp) typeOf(e ast.Expr) types.Type {
	if t := in.info.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

// define makes a new variable.
func (in *interp) define(f *frame, name *ast.Ident, v value) {
	if obj := in.info.Defs[name]; obj != nil {
		c := &cell{}
		in.write(c, v)
		f.vars[obj] = c
	}
}

func (in *interp) block(f *frame, list []ast.Stmt) flow {
	for _, s := range list {
		if fl := in.stmt(f, s); fl != next {
			return fl
		}
	}
	return next
}

// step counts what takes time.
func (in *interp) step() {
	if in.steps++; in.steps > maxSteps {
		panic(stop{})
	}
}

func (in *interp) stmt(f *frame, s ast.Stmt) flow {
	in.step()
	switch s := s.(type) {
	case *ast.EmptyStmt:
	case *ast.ExprStmt:
		in.expr(f, s.X)
	case *ast.AssignStmt:
		in.assign(f, s)
	case *ast.IncDecStmt:
		op := map[token.Token]token.Token{token.INC: token.ADD, token.DEC: token.SUB}[s.Tok]
		one := reflect.ValueOf(1)
		in.set(f, s.X, arith(op, in.expr(f, s.X), one, in.typeOf(s.X)))
	case *ast.DeclStmt:
		in.declare(f, s)
	case *ast.BlockStmt:
		return in.block(f, s.List)
	case *ast.IfStmt:
		return in.branch(f, s)
	case *ast.ForStmt:
		return in.loop(f, s)
	case *ast.RangeStmt:
		return in.rangeLoop(f, s)
	case *ast.SwitchStmt:
		return in.choose(f, s)
	case *ast.TypeSwitchStmt:
		in.skip(f, s)
	case *ast.ReturnStmt:
		in.leave(f, s)
		return returned
	case *ast.BranchStmt:
		if s.Label == nil && s.Tok == token.BREAK {
			return broke
		}
		if s.Label == nil && s.Tok == token.CONTINUE {
			return continued
		}
		panic(stop{})
	default:
		panic(stop{}) // go, defer, select, labels
	}
	return next
}

func (in *interp) declare(f *frame, s *ast.DeclStmt) {
	decl := s.Decl.(*ast.GenDecl)
	if decl.Tok != token.VAR {
		return
	}
	for _, spec := range decl.Specs {
		v := spec.(*ast.ValueSpec)
		switch {
		case len(v.Values) == 0:
			for _, name := range v.Names {
				in.define(f, name, in.zero(in.typeOf(name)))
			}
		case len(v.Values) == len(v.Names):
			for i, name := range v.Names {
				in.define(f, name, in.expr(f, v.Values[i]))
			}
		default:
			for i, x := range in.several(f, v.Values[0], len(v.Names)) {
				in.define(f, v.Names[i], x)
			}
		}
	}
}

// several are the n values of an expression.
func (in *interp) several(f *frame, e ast.Expr, n int) []value {
	if t, ok := in.expr(f, e).(tuple); ok && len(t) == n {
		return t
	}
	out := make([]value, n)
	for i := range out {
		out[i] = unknown{}
	}
	return out
}

func (in *interp) assign(f *frame, s *ast.AssignStmt) {
	if s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
		op := s.Tok - token.ADD_ASSIGN + token.ADD
		v := arith(op, in.expr(f, s.Lhs[0]), in.expr(f, s.Rhs[0]), in.typeOf(s.Lhs[0]))
		in.set(f, s.Lhs[0], v)
		return
	}
	var vs []value
	if len(s.Rhs) == len(s.Lhs) {
		for _, e := range s.Rhs {
			vs = append(vs, in.clone(in.expr(f, e)))
		}
	} else {
		vs = in.several(f, s.Rhs[0], len(s.Lhs))
	}
	for i, e := range s.Lhs {
		if x, ok := e.(*ast.Ident); ok && s.Tok == token.DEFINE && in.info.Defs[x] != nil {
			in.define(f, x, vs[i])
			continue
		}
		in.set(f, e, vs[i])
	}
}

func (in *interp) leave(f *frame, s *ast.ReturnStmt) {
	var vs tuple
	switch {
	case len(s.Results) == 0:
		for _, c := range f.results {
			vs = append(vs, in.read(c))
		}
	case len(s.Results) == 1:
		f.ret = in.clone(in.expr(f, s.Results[0]))
		return
	default:
		for _, e := range s.Results {
			vs = append(vs, in.clone(in.expr(f, e)))
		}
	}
	if f.ret = vs; len(vs) == 1 {
		f.ret = vs[0]
	}
}

// branch follows a condition that is known; else it forgets what the branches
// may change.
func (in *interp) branch(f *frame, s *ast.IfStmt) flow {
	if s.Init != nil {
		in.stmt(f, s.Init)
	}
	switch known, yes := truth(in.expr(f, s.Cond)); {
	case !known:
		in.skip(f, s.Body)
		if s.Else != nil {
			in.skip(f, s.Else)
		}
	case yes:
		return in.block(f, s.Body.List)
	case s.Else != nil:
		return in.stmt(f, s.Else)
	}
	return next
}

func truth(v value) (known, yes bool) {
	b, ok := v.(reflect.Value)
	return ok && b.Kind() == reflect.Bool, ok && b.Kind() == reflect.Bool && b.Bool()
}

func (in *interp) loop(f *frame, s *ast.ForStmt) flow {
	if s.Init != nil {
		in.stmt(f, s.Init)
	}
	for {
		if s.Cond != nil {
			known, yes := truth(in.expr(f, s.Cond))
			if !known {
				in.skip(f, s)
				return next
			}
			if !yes {
				return next
			}
		}
		in.step()
		if fl := in.block(f, s.Body.List); fl == broke {
			return next
		} else if fl == returned {
			return fl
		}
		if s.Post != nil {
			in.stmt(f, s.Post)
		}
	}
}

func (in *interp) rangeLoop(f *frame, s *ast.RangeStmt) flow {
	over := in.expr(f, s.X)
	n, elem := in.elements(over)
	if n < 0 {
		if _, call := in.typeOf(s.X).Underlying().(*types.Signature); call {
			in.foreign([]value{over})
		}
		in.skip(f, s)
		return next
	}
	for i := range n {
		in.step()
		vs := []value{reflect.ValueOf(i), elem(i)}
		for k, e := range []ast.Expr{s.Key, s.Value} {
			switch x, ident := e.(*ast.Ident); {
			case e == nil || ident && x.Name == "_":
			case ident && s.Tok == token.DEFINE:
				in.define(f, x, vs[k])
			default:
				in.set(f, e, vs[k])
			}
		}
		if fl := in.block(f, s.Body.List); fl == broke {
			break
		} else if fl == returned {
			return fl
		}
	}
	return next
}

// elements are what a range statement goes through; -1 if that is not known.
func (in *interp) elements(v value) (int, func(int) value) {
	switch v := v.(type) {
	case slice:
		return v.hi - v.lo, func(i int) value { return in.load(v.o, v.lo+i) }
	case *object:
		return len(v.elems), func(i int) value { return in.load(v, i) }
	case reflect.Value:
		switch {
		case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
			return v.Len(), func(i int) value { return v.Index(i) }
		case v.CanInt() && v.Int() >= 0 && v.Int() < maxSteps:
			return int(v.Int()), func(int) value { return unknown{} }
		}
	}
	return -1, nil
}

// choose follows a switch whose cases are known.
func (in *interp) choose(f *frame, s *ast.SwitchStmt) flow {
	if s.Init != nil {
		in.stmt(f, s.Init)
	}
	var tag value = reflect.ValueOf(true)
	if s.Tag != nil {
		tag = in.expr(f, s.Tag)
	}
	var otherwise *ast.CaseClause
	for _, c := range s.Body.List {
		clause := c.(*ast.CaseClause)
		if clause.List == nil {
			otherwise = clause
		}
		for _, e := range clause.List {
			known, yes := truth(compare(token.EQL, tag, in.expr(f, e)))
			if !known {
				in.skip(f, s)
				return next
			}
			if yes {
				return in.clause(f, clause)
			}
		}
	}
	if otherwise != nil {
		return in.clause(f, otherwise)
	}
	return next
}

func (in *interp) clause(f *frame, c *ast.CaseClause) flow {
	if fl := in.block(f, c.Body); fl != broke {
		return fl
	}
	return next
}

// skip is for a statement that may run or not. The interpretation ends if that
// may leave what is around it: then the rest may not run.
func (in *interp) skip(f *frame, s ast.Stmt) {
	if leaves(s, false, false) {
		panic(stop{})
	}
	in.forget(f, s)
}

// leaves reports whether a statement may go on elsewhere than behind itself;
// breaks and loops say that break and continue stay inside.
func leaves(n ast.Node, breaks, loops bool) bool {
	found := false
	ast.Inspect(n, func(m ast.Node) bool {
		if m == n {
			breaks, loops = breaks || breakable(m), loops || isLoop(m)
		}
		switch m := m.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SelectStmt, *ast.LabeledStmt:
			found = true
		case *ast.BranchStmt:
			stays := m.Label == nil && (m.Tok == token.BREAK && breaks || m.Tok == token.CONTINUE && loops)
			found = found || !stays
		default:
			if m != n && m != nil && breakable(m) {
				found = found || leaves(m, breaks, loops)
				return false
			}
		}
		return !found
	})
	return found
}

func isLoop(n ast.Node) bool {
	switch n.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return false
}

func breakable(n ast.Node) bool {
	switch n.(type) {
	case *ast.SwitchStmt, *ast.TypeSwitchStmt:
		return true
	}
	return isLoop(n)
}

// forget forgets what a statement may change.
func (in *interp) forget(f *frame, s ast.Stmt) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			in.havoc()
			if x, ok := ast.Unparen(n.Fun).(*ast.Ident); ok {
				in.forgetClosure(f, x)
			}
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				if _, plain := e.(*ast.Ident); !plain {
					in.havoc()
				}
			}
		}
		for _, x := range in.changed(n) {
			if c := f.vars[in.info.Uses[x]]; c != nil {
				in.write(c, unknown{})
			}
		}
		return true
	})
}

// forgetClosure forgets what a closure that a variable holds may change.
func (in *interp) forgetClosure(f *frame, x *ast.Ident) {
	c := f.vars[in.info.Uses[x]]
	if c == nil {
		return
	}
	fn, ok := in.read(c).(closure)
	if _, other := in.typeOf(x).Underlying().(*types.Signature); !ok && other {
		panic(stop{}) // it may be any closure
	}
	if ok {
		in.write(c, unknown{}) // it may call itself
		defer in.within(fn.unit)()
		in.forget(&frame{vars: fn.vars}, fn.lit.Body)
	}
}

// capture makes a closure. What it changes counts as memory from here on.
func (in *interp) capture(f *frame, lit *ast.FuncLit) closure {
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		for _, x := range in.changed(n) {
			if c := f.vars[in.info.Uses[x]]; c != nil {
				in.expose(c)
			}
		}
		return true
	})
	return closure{in.unit, lit, maps.Clone(f.vars)}
}

// expose makes a variable one that more than its name leads to.
func (in *interp) expose(c *cell) {
	if !c.addressed {
		c.addressed, c.gen = true, in.gen
		in.share(c.v)
	}
}
