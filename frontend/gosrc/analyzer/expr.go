package analyzer

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
)

// expr evaluates an expression.
func (in *interp) expr(f *frame, e ast.Expr) value {
	if tv, ok := in.info.Types[e]; ok && tv.Value != nil {
		return fromConstant(tv.Value, tv.Type)
	}
	switch e := e.(type) {
	case *ast.Ident:
		return in.ident(f, e)
	case *ast.ParenExpr:
		return in.expr(f, e.X)
	case *ast.SelectorExpr:
		return in.selector(f, e)
	case *ast.CallExpr:
		return in.call(f, e)
	case *ast.IndexExpr:
		return in.index(in.expr(f, e.X), in.expr(f, e.Index))
	case *ast.SliceExpr:
		return in.slicing(f, e)
	case *ast.CompositeLit:
		return in.composite(f, e)
	case *ast.FuncLit:
		return in.capture(f, e)
	case *ast.StarExpr:
		return in.deref(in.expr(f, e.X))
	case *ast.UnaryExpr:
		return in.unary(f, e)
	case *ast.BinaryExpr:
		return in.binary(f, e)
	}
	return unknown{}
}

func (in *interp) ident(f *frame, e *ast.Ident) value {
	obj := in.info.Uses[e]
	if c := f.vars[obj]; c != nil {
		return in.read(c)
	}
	if init := in.vars[obj]; init != nil {
		return in.expr(&frame{vars: map[types.Object]*cell{}}, init)
	}
	if _, ok := obj.(*types.Nil); ok {
		return null{}
	}
	return in.global(obj)
}

// global is a variable of tcc's packages.
func (in *interp) global(obj types.Object) value {
	if v, ok := obj.(*types.Var); ok && v.Pkg() != nil {
		if x, ok := variables[v.Pkg().Path()+"."+v.Name()]; ok {
			return reflect.ValueOf(x)
		}
	}
	return unknown{}
}

// selector is a field, of an embedded struct perhaps, or a name of a package.
func (in *interp) selector(f *frame, e *ast.SelectorExpr) value {
	sel := in.info.Selections[e]
	if sel == nil {
		return in.global(in.info.Uses[e.Sel])
	}
	if sel.Kind() != types.FieldVal { // a method as a value, which may be called anywhere
		in.foreign([]value{in.expr(f, e.X), in.address(f, e.X), unknown{}})
		return unknown{}
	}
	v := in.expr(f, e.X)
	for _, i := range sel.Index() {
		v = in.field(v, i)
	}
	return v
}

func (in *interp) field(v value, i int) value {
	if p, ok := v.(pointer); ok {
		v = in.deref(p)
	}
	switch v := v.(type) {
	case *object:
		return in.load(v, i)
	case reflect.Value:
		if v.Kind() == reflect.Struct && v.Type().Field(i).IsExported() {
			return v.Field(i)
		}
	}
	return unknown{}
}

func (in *interp) deref(v value) value {
	p, ok := v.(pointer)
	switch {
	case !ok:
		return unknown{}
	case p.c != nil:
		return in.read(p.c)
	}
	return in.load(p.o, p.i)
}

func (in *interp) index(v, at value) value {
	c := toConstant(at)
	if c == nil || c.Kind() != constant.Int {
		return unknown{}
	}
	k, _ := constant.Int64Val(c)
	i := int(k)
	if p, ok := v.(pointer); ok {
		v = in.deref(p)
	}
	switch v := v.(type) {
	case slice:
		if i >= 0 && i < v.hi-v.lo {
			return in.load(v.o, v.lo+i)
		}
	case *object:
		return in.load(v, i)
	case reflect.Value:
		if (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && i >= 0 && i < v.Len() {
			return v.Index(i)
		}
	}
	return unknown{}
}

// slicing is x[lo:hi] of a slice.
func (in *interp) slicing(f *frame, e *ast.SliceExpr) value {
	v := in.expr(f, e.X)
	if p, ok := v.(pointer); ok {
		v = in.deref(p)
	}
	if o, array := v.(*object); array {
		in.address(f, e.X)
		in.share(o)
		v = slice{o, 0, len(o.elems)}
	}
	s, ok := v.(slice)
	if !ok || e.Slice3 {
		return unknown{}
	}
	lo, hi := 0, s.hi-s.lo
	for _, end := range []struct {
		e  ast.Expr
		to *int
	}{{e.Low, &lo}, {e.High, &hi}} {
		if end.e == nil {
			continue
		}
		c := toConstant(in.expr(f, end.e))
		if c == nil || c.Kind() != constant.Int {
			return unknown{}
		}
		k, _ := constant.Int64Val(c)
		*end.to = int(k)
	}
	if lo < 0 || hi < lo || hi > s.hi-s.lo {
		return unknown{} // beyond the length, too, where there is capacity
	}
	return slice{s.o, s.lo + lo, s.lo + hi}
}

func (in *interp) composite(f *frame, e *ast.CompositeLit) value {
	t := in.typeOf(e)
	if p, ok := t.Underlying().(*types.Pointer); ok { // an element &T{} written {}
		t = p.Elem()
		return in.variable(in.literal(f, e, t))
	}
	return in.literal(f, e, t)
}

func (in *interp) literal(f *frame, e *ast.CompositeLit, t types.Type) value {
	n, isNamed := types.Unalias(t).(*types.Named)
	if isNamed && reflectType(t) != nil && n.Obj().Pkg() != in.pkg {
		return unknown{}
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		o, ok := in.zero(t).(*object)
		if !ok {
			return unknown{}
		}
		for i, elt := range e.Elts {
			if kv, keyed := elt.(*ast.KeyValueExpr); keyed {
				elt = kv.Value
				for k := range u.NumFields() {
					if u.Field(k).Name() == kv.Key.(*ast.Ident).Name {
						i = k
					}
				}
			}
			o.elems[i] = in.clone(in.expr(f, elt))
		}
		return o
	case *types.Slice:
		if o := in.listed(f, e, u.Elem(), -1); o != nil {
			in.share(o)
			return slice{o, 0, len(o.elems)}
		}
	case *types.Array:
		if o := in.listed(f, e, u.Elem(), int(u.Len())); o != nil {
			return o
		}
	}
	for _, elt := range e.Elts { // of a map: what is called in it may have effects
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			in.expr(f, kv.Value)
		}
	}
	return unknown{}
}

// listed are the elements of an array or slice literal.
func (in *interp) listed(f *frame, e *ast.CompositeLit, elem types.Type, n int) *object {
	if n > maxElems {
		return nil
	}
	o := in.newObject(max(n, 0))
	i := 0
	for _, elt := range e.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			c := toConstant(in.expr(f, kv.Key))
			if c == nil {
				return nil
			}
			k, _ := constant.Int64Val(c)
			i, elt = int(k), kv.Value
		}
		if i < 0 || i > maxElems {
			return nil
		}
		for len(o.elems) <= i {
			o.elems = append(o.elems, in.zero(elem))
		}
		o.elems[i] = in.clone(in.expr(f, elt))
		i++
	}
	for k := range o.elems {
		if o.elems[k] == nil {
			o.elems[k] = in.zero(elem)
		}
	}
	return o
}

func (in *interp) unary(f *frame, e *ast.UnaryExpr) value {
	if e.Op == token.AND {
		return in.address(f, e.X)
	}
	v := in.expr(f, e.X)
	c := toConstant(v)
	if c == nil || e.Op == token.ARROW {
		return unknown{}
	}
	if e.Op == token.XOR && c.Kind() == constant.Int {
		return unknown{}
	}
	return fromConstant(constant.UnaryOp(e.Op, c, 0), in.typeOf(e))
}

// address is &x.
func (in *interp) address(f *frame, e ast.Expr) value {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if c := f.vars[in.info.Uses[e]]; c != nil {
			in.expose(c)
			return pointer{c: c}
		}
	case *ast.CompositeLit:
		return in.variable(in.expr(f, e))
	case *ast.SelectorExpr:
		if sel := in.info.Selections[e]; sel != nil && len(sel.Index()) == 1 {
			if o := in.place(f, e.X); o != nil {
				in.share(o)
				return pointer{o: o, i: sel.Index()[0]}
			}
		}
	}
	return unknown{}
}

// place is the object that an expression denotes, not a copy.
func (in *interp) place(f *frame, e ast.Expr) *object {
	v := in.expr(f, e)
	if p, ok := v.(pointer); ok {
		v = in.deref(p)
	}
	o, _ := v.(*object)
	return o
}

func (in *interp) binary(f *frame, e *ast.BinaryExpr) value {
	x := in.expr(f, e.X)
	if e.Op == token.LAND || e.Op == token.LOR {
		known, yes := truth(x)
		switch {
		case !known:
			if calls(e.Y) {
				in.havoc()
			}
			return unknown{}
		case yes != (e.Op == token.LAND):
			return x
		}
		return in.expr(f, e.Y)
	}
	y := in.expr(f, e.Y)
	switch e.Op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return compare(e.Op, x, y)
	}
	return arith(e.Op, x, y, in.typeOf(e))
}

// calls reports whether an expression calls something.
func calls(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, call := n.(*ast.CallExpr)
		found = found || call
		return true
	})
	return found
}

func compare(op token.Token, x, y value) value {
	_, nx := x.(null)
	_, ny := y.(null)
	if nx || ny {
		same := nx && ny
		if !same && (isUnknown(x) || isUnknown(y)) {
			return unknown{}
		}
		if s, ok := x.(slice); ok && ny {
			same = s.o == nil
		}
		return reflect.ValueOf(same == (op == token.EQL))
	}
	a, b := toConstant(x), toConstant(y)
	if a == nil || b == nil {
		return unknown{}
	}
	if (a.Kind() == constant.Bool || b.Kind() == constant.Bool || a.Kind() == constant.String) &&
		a.Kind() != b.Kind() {
		return unknown{}
	}
	if a.Kind() == constant.Bool && op != token.EQL && op != token.NEQ {
		return unknown{}
	}
	return reflect.ValueOf(constant.Compare(a, op, b))
}

func isUnknown(v value) bool { _, ok := v.(unknown); return ok }

// arith is x op y in type t; unknown where Go's result is not that of exact
// numbers, as after an overflow.
func arith(op token.Token, x, y value, t types.Type) value {
	a, b := toConstant(x), toConstant(y)
	if a == nil || b == nil || a.Kind() == constant.Bool || b.Kind() == constant.Bool ||
		(a.Kind() == constant.String) != (b.Kind() == constant.String) {
		return unknown{}
	}
	basic, ok := t.Underlying().(*types.Basic)
	switch {
	case !ok, a.Kind() == constant.String && op != token.ADD:
		return unknown{}
	case op == token.SHL || op == token.SHR:
		n, exact := constant.Uint64Val(constant.ToInt(b))
		if !exact || n > 64 || a.Kind() != constant.Int {
			return unknown{}
		}
		return fromConstant(constant.Shift(a, op, uint(n)), t)
	case op == token.QUO || op == token.REM:
		if constant.Sign(b) == 0 {
			return unknown{}
		}
		if basic.Info()&types.IsInteger != 0 {
			if op == token.QUO {
				op = token.QUO_ASSIGN // constant's word for the quotient of integers
			}
			a, b = constant.ToInt(a), constant.ToInt(b)
		}
	}
	if basic.Info()&types.IsInteger == 0 && (op == token.AND || op == token.OR || op == token.XOR ||
		op == token.AND_NOT || op == token.REM) {
		return unknown{}
	}
	return fromConstant(constant.BinaryOp(a, op, b), t)
}

// set assigns to an expression.
func (in *interp) set(f *frame, e ast.Expr, v value) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return
		}
		if c := f.vars[in.object(e)]; c != nil {
			in.write(c, v)
		}
		return
	case *ast.SelectorExpr:
		if sel := in.info.Selections[e]; sel != nil && len(sel.Index()) == 1 {
			if o := in.place(f, e.X); o != nil {
				in.store(o, sel.Index()[0], in.clone(v))
				return
			}
		}
	case *ast.IndexExpr:
		if in.setIndex(f, e, v) {
			return
		}
	case *ast.StarExpr:
		if p, ok := in.expr(f, e.X).(pointer); ok && p.c != nil {
			in.write(p.c, v)
			return
		} else if ok {
			in.store(p.o, p.i, in.clone(v))
			return
		}
	}
	if x := root(e); x != nil {
		if c := f.vars[in.object(x)]; c != nil {
			in.write(c, unknown{})
		}
	}
	in.foreign([]value{v}) // it is stored where nothing is known
	in.havoc()
}

func (in *interp) object(e *ast.Ident) types.Object { return in.info.ObjectOf(e) }

func (in *interp) setIndex(f *frame, e *ast.IndexExpr, v value) bool {
	c := toConstant(in.expr(f, e.Index))
	if c == nil || c.Kind() != constant.Int {
		return false
	}
	k, _ := constant.Int64Val(c)
	base := in.expr(f, e.X)
	if p, ok := base.(pointer); ok {
		base = in.deref(p)
	}
	switch b := base.(type) {
	case slice:
		if k >= 0 && int(k) < b.hi-b.lo {
			in.store(b.o, b.lo+int(k), in.clone(v))
			return true
		}
	case *object:
		in.store(b, int(k), in.clone(v))
		return true
	}
	return false
}
