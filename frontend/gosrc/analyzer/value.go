package analyzer

import (
	"go/ast"
	"go/constant"
	"go/types"
	"math"
	"reflect"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// value is what is known of a Go value: a reflect.Value (numbers, strings,
// bools, tensors and what tcc's packages return), or one of the types below.
type value any

type (
	// unknown is any value of its type.
	unknown struct{}
	// null is nil of any type.
	null struct{}
	// object is a struct or an array, or what a slice or pointer refers to.
	object struct {
		elems []value
		// shared says that pointers or slices may lead to it, gen when it was
		// last known as a whole: see interp.havoc.
		shared bool
		gen    int
	}
	slice struct {
		o      *object
		lo, hi int
	}
	// pointer points to a variable, or to an element of an object.
	pointer struct {
		c *cell
		o *object
		i int
	}
	closure struct {
		unit *unit
		lit  *ast.FuncLit
		vars map[types.Object]*cell
	}
	// tuple are several results.
	tuple []value
)

// cell is a variable. One whose address is taken counts as memory.
type cell struct {
	v         value
	addressed bool
	gen       int
}

var tensorType = reflect.TypeFor[tensor.Tensor]()

// basics are the Go types of basic kinds.
var basics = map[types.BasicKind]reflect.Type{
	types.Bool: reflect.TypeFor[bool](), types.Int: reflect.TypeFor[int](),
	types.Int8:  reflect.TypeFor[int8](),
	types.Int16: reflect.TypeFor[int16](), types.Int32: reflect.TypeFor[int32](),
	types.Int64: reflect.TypeFor[int64](), types.Uint: reflect.TypeFor[uint](),
	types.Uint8: reflect.TypeFor[uint8](), types.Uint16: reflect.TypeFor[uint16](),
	types.Uint32: reflect.TypeFor[uint32](), types.Uint64: reflect.TypeFor[uint64](),
	types.Float32: reflect.TypeFor[float32](), types.Float64: reflect.TypeFor[float64](),
	types.String: reflect.TypeFor[string](), types.UntypedBool: reflect.TypeFor[bool](),
	types.UntypedInt: reflect.TypeFor[int](), types.UntypedRune: reflect.TypeFor[rune](),
	types.UntypedFloat: reflect.TypeFor[float64](), types.UntypedString: reflect.TypeFor[string](),
}

// named are the types of tcc's packages that users write, by name.
var named = map[string]reflect.Type{
	tensorPath + ".Tensor":             tensorType,
	tensorPath + ".InterpolateMode":    reflect.TypeFor[tensor.InterpolateMode](),
	tensorPath + ".PadMode":            reflect.TypeFor[tensor.PadMode](),
	"github.com/tensorcc/tcc/ir.DType": reflect.TypeFor[ir.DType](),
	"github.com/tensorcc/tcc/ir.Dim":   reflect.TypeFor[ir.Dim](),
	"github.com/tensorcc/tcc/ir.Shape": reflect.TypeFor[ir.Shape](),
	"github.com/tensorcc/tcc/ir.Type":  reflect.TypeFor[ir.Type](),
}

// reflectType is the Go type in this process that is t, nil if there is none.
func reflectType(t types.Type) reflect.Type {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return basics[t.Kind()]
	case *types.Named:
		if t.Obj().Pkg() == nil {
			return nil
		}
		return named[t.Obj().Pkg().Path()+"."+t.Obj().Name()]
	case *types.Slice:
		if e := reflectType(t.Elem()); e != nil {
			return reflect.SliceOf(e)
		}
	case *types.Array:
		if e := reflectType(t.Elem()); e != nil {
			return reflect.ArrayOf(int(t.Len()), e)
		}
	case *types.Interface:
		if t.Empty() {
			return reflect.TypeFor[any]()
		}
	}
	return nil
}

// fromConstant is a constant as a value of type t.
func fromConstant(c constant.Value, t types.Type) value {
	if _, any := types.Unalias(t).(*types.TypeParam); any {
		return unknown{}
	}
	b, ok := t.Underlying().(*types.Basic)
	if !ok {
		if _, iface := t.Underlying().(*types.Interface); !iface {
			return unknown{}
		}
		b = types.Typ[map[constant.Kind]types.BasicKind{constant.Bool: types.Bool,
			constant.Int:   types.Int,
			constant.Float: types.Float64, constant.String: types.String}[c.Kind()]]
	}
	rt := basics[b.Kind()]
	if n := reflectType(t); n != nil && n.Kind() != reflect.Interface {
		rt = n
	}
	if rt == nil {
		return unknown{}
	}
	v := reflect.New(rt).Elem()
	switch {
	case v.Kind() == reflect.Bool && c.Kind() == constant.Bool:
		v.SetBool(constant.BoolVal(c))
	case v.Kind() == reflect.String && c.Kind() == constant.String:
		v.SetString(constant.StringVal(c))
	case v.CanInt():
		x, exact := constant.Int64Val(constant.ToInt(c))
		if !exact || v.OverflowInt(x) {
			return unknown{}
		}
		v.SetInt(x)
	case v.CanUint():
		x, exact := constant.Uint64Val(constant.ToInt(c))
		if !exact || v.OverflowUint(x) {
			return unknown{}
		}
		v.SetUint(x)
	case v.CanFloat():
		x, _ := constant.Float64Val(constant.ToFloat(c))
		v.SetFloat(x)
	default:
		return unknown{}
	}
	return v
}

// toConstant is the inverse of fromConstant, nil if there is no constant.
func toConstant(x value) constant.Value {
	v, ok := x.(reflect.Value)
	switch {
	case !ok || v.CanFloat() && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)):
		return nil
	case v.Kind() == reflect.Bool:
		return constant.MakeBool(v.Bool())
	case v.Kind() == reflect.String:
		return constant.MakeString(v.String())
	case v.CanInt():
		return constant.MakeInt64(v.Int())
	case v.CanUint():
		return constant.MakeUint64(v.Uint())
	case v.CanFloat():
		return constant.MakeFloat64(v.Float())
	}
	return nil
}

// toReflect makes v a Go value of type t, if it is known as far as that needs.
func (in *interp) toReflect(v value, t reflect.Type) (reflect.Value, bool) {
	switch v := v.(type) {
	case reflect.Value:
		if v.Type().AssignableTo(t) {
			return v, true
		}
		if v.Kind() == reflect.Interface && !v.IsNil() {
			return in.toReflect(v.Elem(), t)
		}
		if v.Type().ConvertibleTo(t) && (v.Kind() == t.Kind()) {
			return v.Convert(t), true
		}
	case null:
		switch t.Kind() {
		case reflect.Interface, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Func:
			return reflect.Zero(t), true
		}
	case slice:
		return in.sliceToReflect(v, t)
	}
	return reflect.Value{}, false
}

// sliceToReflect makes a slice one of type t; of the type of its elements,
// where t is an interface.
func (in *interp) sliceToReflect(v slice, t reflect.Type) (reflect.Value, bool) {
	if t.Kind() == reflect.Interface && v.hi > v.lo {
		if first, ok := in.load(v.o, v.lo).(reflect.Value); ok {
			t = reflect.SliceOf(first.Type())
		} else if inner, ok := in.load(v.o, v.lo).(slice); ok {
			if first, ok := in.sliceToReflect(inner, t); ok {
				t = reflect.SliceOf(first.Type())
			}
		}
	}
	if t.Kind() != reflect.Slice {
		return reflect.Value{}, false
	}
	out := reflect.MakeSlice(t, v.hi-v.lo, v.hi-v.lo)
	for i := v.lo; i < v.hi; i++ {
		e, ok := in.toReflect(in.load(v.o, i), t.Elem())
		if !ok {
			return out, false
		}
		out.Index(i - v.lo).Set(e)
	}
	return out, true
}

// zero is the zero value of t.
func (in *interp) zero(t types.Type) value {
	if _, any := types.Unalias(t).(*types.TypeParam); any {
		return unknown{}
	}
	if rt := reflectType(t); rt != nil && rt.Kind() != reflect.Slice && rt.Kind() != reflect.Array &&
		rt.Kind() != reflect.Interface {
		return reflect.Zero(rt)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if rt := basics[u.Kind()]; rt != nil {
			return reflect.Zero(rt)
		}
	case *types.Struct:
		o := in.newObject(u.NumFields())
		for i := range o.elems {
			o.elems[i] = in.zero(u.Field(i).Type())
		}
		return o
	case *types.Array:
		if u.Len() > maxElems {
			return unknown{}
		}
		o := in.newObject(int(u.Len()))
		for i := range o.elems {
			o.elems[i] = in.zero(u.Elem())
		}
		return o
	case *types.Slice:
		return slice{}
	case *types.Pointer, *types.Map, *types.Interface, *types.Signature, *types.Chan:
		return null{}
	}
	return unknown{}
}

// maxElems bounds the arrays that are interpreted.
const maxElems = 1 << 16

func (in *interp) newObject(n int) *object {
	in.steps += n / 16 // filling it takes time, too
	return &object{elems: make([]value, n), gen: in.gen}
}

// newSlice makes a slice of n elements.
func (in *interp) newSlice(n int) slice {
	o := in.newObject(n)
	o.shared = true
	return slice{o, 0, n}
}

// share makes v what a pointer refers to.
func (in *interp) share(v value) value {
	if o, ok := v.(*object); ok && !o.shared {
		o.shared, o.gen = true, in.gen
	}
	return v
}

// variable makes a variable that has an address.
func (in *interp) variable(v value) pointer {
	return pointer{c: &cell{v: in.share(v), addressed: true, gen: in.gen}}
}

// clone copies what assignment copies: structs and arrays.
func (in *interp) clone(v value) value {
	o, ok := v.(*object)
	if !ok {
		return v
	}
	c := in.newObject(len(o.elems))
	for i := range o.elems {
		c.elems[i] = in.clone(in.load(o, i))
	}
	return c
}

// load reads an element. What was in memory before a call or a branch that may
// have changed it is not known.
func (in *interp) load(o *object, i int) value {
	if o.shared && o.gen < in.valid || i < 0 || i >= len(o.elems) {
		return unknown{}
	}
	if inner, ok := o.elems[i].(*object); ok && o.shared && !inner.shared {
		inner.shared, inner.gen = true, o.gen
	}
	return o.elems[i]
}

func (in *interp) store(o *object, i int, v value) {
	if o.shared && o.gen < in.valid {
		for k := range o.elems {
			o.elems[k] = unknown{}
		}
		o.gen = in.gen
	}
	if i >= 0 && i < len(o.elems) {
		o.elems[i] = v
	}
}

func (in *interp) read(c *cell) value {
	if c.addressed && c.gen < in.valid {
		return unknown{}
	}
	return c.v
}

func (in *interp) write(c *cell, v value) {
	if c.v, c.gen = in.clone(v), in.gen; c.addressed {
		in.share(c.v)
	}
}

// havoc forgets all memory: what pointers and slices refer to.
func (in *interp) havoc() {
	in.gen++
	in.valid = in.gen
}
