package ir

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Verify checks the invariants of g and of its regions and joins all errors
// it finds, each "graph NAME: gN: what is wrong" and the lines around the
// value. The invariants:
//
//	g1  values are numbered by their index
//	g2  arguments are values of the same graph that come before
//	g3  types are what the type rules say
//	g4  parameters are the param values in order, of tensor type, with
//	    distinct names at the top level
//	g5  results are tensors of the graph, and all are named or none
//	g6  regions satisfy the invariants
//	g7  symbols in types and attributes are bound before: by a parameter, a
//	    bind, a nonzero, an if, or outside of the region
//	g8  a symbol is bound once
//	g9  equal values without effect are one value
//	g10 the data of constants fits their types
func Verify(g *Graph) error {
	v := verifier{g: g, bound: map[string]bool{}, top: true}
	v.graph()
	return errors.Join(v.errs...)
}

type verifier struct {
	g      *Graph
	prefix string          // where g is inside of other graphs
	bound  map[string]bool // symbols that are bound
	top    bool
	errs   []error
}

// fail records an error about v, which may be nil, with the lines around it.
func (f *verifier) fail(label int, v *Value, format string, args ...any) {
	msg := fmt.Sprintf("%sgraph %s: g%d: ", f.prefix, f.g.Name, label)
	if v != nil && v.Pos != (Pos{}) {
		msg += v.Pos.String() + ": "
	}
	msg += fmt.Sprintf(format, args...)
	if i := slices.Index(f.g.Values, v); v != nil && i >= 0 {
		for j := max(i-2, 0); j <= min(i+2, len(f.g.Values)-1); j++ {
			mark := "   "
			if j == i {
				mark = " > "
			}
			if f.g.Values[j] != nil {
				msg += "\n\t" + mark + f.g.Values[j].Line()
			}
		}
	}
	f.errs = append(f.errs, errors.New(msg))
}

func (f *verifier) graph() {
	for i, v := range f.g.Values {
		if v == nil {
			f.fail(1, nil, "value %d is nil", i)
			return
		}
		if v.ID != i {
			f.fail(1, v, "value %d has ID %d", i, v.ID)
			return // what follows indexes by ID
		}
	}
	f.params()
	keys := map[string]*Value{}
	for _, v := range f.g.Values {
		ok := f.args(v) && f.types(v)
		f.regions(v, ok)
		if !ok {
			continue
		}
		f.symbols(v)
		if v.Op.Is(Effect) || v.Op == OpParam {
			continue
		}
		key := internKey(v)
		if old := keys[key]; old != nil {
			f.fail(9, v, "%v equals %v", v, old)
		}
		keys[key] = v
	}
	f.results()
}

func (f *verifier) has(v *Value) bool {
	return v != nil && v.ID >= 0 && v.ID < len(f.g.Values) && f.g.Values[v.ID] == v
}

func (f *verifier) params() {
	var params []*Value
	names := map[string]bool{}
	for _, v := range f.g.Values {
		if v.Op != OpParam {
			continue
		}
		params = append(params, v)
		a, ok := v.Attr.(*ParamAttr)
		if !ok || a == nil {
			f.fail(4, v, "a parameter without a name")
			continue
		}
		if f.top && (a.Name == "" || names[a.Name]) {
			f.fail(4, v, "second parameter with the name %q, or none", a.Name)
		}
		names[a.Name] = true
		if !OpParam.Info().Types.Has(v.Type.DType) || v.Type.Elems != nil {
			f.fail(4, v, "a parameter of type %v", v.Type)
		} else if err := checkExtents(v.Type); err != nil {
			f.fail(4, v, "param: %v", err)
		}
		if f.top {
			f.bindExtents(v.Type.Shape)
		}
	}
	for _, v := range params {
		f.known(v, v.Type.Shape)
	}
	if !slices.Equal(params, f.g.Params) {
		f.fail(4, nil, "%d parameters are declared, %d values are param, or in another order",
			len(f.g.Params), len(params))
	}
}

// bindExtents binds the symbols that are an extent by themselves: from these
// their value is read.
func (f *verifier) bindExtents(s Shape) {
	for _, d := range s {
		if a := d.onlyAtom(); a != nil && a.kind == symAtom && a.sym != overflow {
			f.bound[a.sym] = true
		}
	}
}

func (f *verifier) results() {
	for i, r := range f.g.Results {
		if !f.has(r) {
			f.fail(5, nil, "result %d is not a value of the graph", i)
		} else if r.Type.DType == Tuple {
			f.fail(5, r, "result %d is a tuple", i)
		}
	}
	n := len(f.g.ResultNames)
	if n != 0 && n != len(f.g.Results) {
		f.fail(5, nil, "%d result names for %d results", n, len(f.g.Results))
	}
	names := map[string]bool{}
	for _, name := range f.g.ResultNames {
		if names[name] {
			f.fail(5, nil, "two results have the name %q", name)
		}
		names[name] = true
	}
}

// args reports whether the arguments of v are there.
func (f *verifier) args(v *Value) bool {
	for i, a := range v.Args {
		if !f.has(a) || a.ID >= v.ID {
			f.fail(2, v, "argument %d of %v is not an earlier value of the graph", i, v)
			return false
		}
	}
	return true
}

// types recomputes the type of v.
func (f *verifier) types(v *Value) bool {
	if v.Op == OpInvalid || v.Op >= numOps {
		f.fail(3, v, "%v has no operation", v)
		return false
	}
	if v.Op == OpParam {
		return v.Attr != nil && len(v.Args) == 0
	}
	t, err := inferType(v.Op, v.Attr, v.Args)
	if err != nil {
		f.fail(3, v, "%v", err)
		return false
	}
	if !t.Equal(v.Type) {
		f.fail(3, v, "the type of %v is %v, it says %v", v, t, v.Type)
		return false
	}
	if a, ok := v.Attr.(*ConstAttr); ok {
		if err := a.Value.check(); err != nil {
			f.fail(10, v, "const: %v", err)
		}
	}
	return true
}

// regions verifies the bodies of v, whose type is right if typed.
func (f *verifier) regions(v *Value, typed bool) {
	for i, r := range v.Regions() {
		if r == nil {
			continue // the types say so
		}
		in := verifier{g: r, bound: maps.Clone(f.bound),
			prefix: fmt.Sprintf("%sgraph %s: %v: g6: %s: ", f.prefix, f.g.Name, v, regionNames(v.Attr)[i])}
		in.graph()
		if a, ok := v.Attr.(*IfAttr); ok && typed {
			in.known(nil, slices.Concat(a.ThenDims, a.ElseDims)[i*len(a.Syms):][:len(a.Syms)])
		}
		f.errs = append(f.errs, in.errs...)
	}
}

// symbols checks that the symbols which v uses are bound, and binds those
// that it defines.
func (f *verifier) symbols(v *Value) {
	for _, name := range v.Binds() {
		if f.bound[name] {
			f.fail(8, v, "%v binds %s, which is bound before", v, name)
		}
		f.bound[name] = true
	}
	for _, t := range v.ResultTypes() {
		f.known(v, t.Shape)
	}
	if v.Attr == nil || v.Op == OpIf {
		return // the extents of an if are known inside its regions
	}
	a := reflect.ValueOf(v.Attr).Elem()
	for i := range a.NumField() {
		switch x := a.Field(i).Interface().(type) {
		case Shape:
			f.known(v, x)
		case Dim:
			f.known(v, Shape{x})
		}
	}
}

func (f *verifier) known(v *Value, s Shape) {
	for _, d := range s {
		for _, name := range d.SymNames() {
			if !f.bound[name] {
				f.fail(7, v, "symbol %s of %v is not bound", name, d)
				return
			}
		}
	}
}

// Binds returns the symbols that v gives a value: what uses them comes after
// v, and v must stay while they are used, even if its result is not. The body
// of a fuse runs once and as if in place: what it binds, the fuse binds.
func (v *Value) Binds() []string {
	switch a := v.Attr.(type) {
	case *BindAttr:
		return []string{a.Sym}
	case *IfAttr:
		return a.Syms
	case *FuseAttr:
		var names []string
		for _, w := range a.Body.Values {
			names = append(names, w.Binds()...)
		}
		return names
	case *DimsAttr:
		if v.Op == OpNonZero && a.Dims[0].onlyAtom() != nil && a.Dims[0].onlyAtom().kind == symAtom {
			return a.Dims[0].SymNames()
		}
	}
	return nil
}

// checkExtents refuses tensor types that no tensor can have.
func checkExtents(t Type) error {
	if len(t.Shape) > maxRank {
		return fmt.Errorf("c0: rank %d, at most %d", len(t.Shape), maxRank)
	}
	n, fits := max(int64(t.DType.Size()), 1), true
	for _, d := range t.Shape {
		k, static := d.Int()
		if static && k < 0 {
			return fmt.Errorf("c0: %v has a negative extent", t)
		}
		if static && k > 1 {
			n, fits = mulInt(n, k)
		}
		if !fits || d.Overflows() {
			return fmt.Errorf("c0: %.200v overflows int64", t)
		}
	}
	for _, e := range t.Elems {
		if e.DType == Tuple {
			return errors.New("c0: a tuple in a tuple")
		}
		if err := checkExtents(e); err != nil {
			return err
		}
	}
	return nil
}

// noNils refuses attributes whose literals or graphs are missing.
func noNils(a Attr) error {
	v := reflect.ValueOf(a)
	if v.IsNil() {
		return errors.New("c0: nil attribute")
	}
	v = v.Elem()
	for i := range v.NumField() {
		t := v.Field(i).Type()
		if (t == graphType || t == literalType) && v.Field(i).IsNil() {
			return fmt.Errorf("c0: attribute without %s", strings.ToLower(v.Type().Field(i).Name))
		}
	}
	return nil
}
