package ir

import "reflect"

// Syms adds to set the symbols that v needs: those of its type and attribute,
// and those of its regions, where symbols that a region itself binds count
// too.
func (v *Value) Syms(set map[string]bool) {
	for _, t := range v.ResultTypes() {
		for _, d := range t.Shape {
			d.Syms(set)
		}
	}
	if v.Attr == nil {
		return
	}
	a := reflect.ValueOf(v.Attr).Elem()
	for i := range a.NumField() {
		switch x := a.Field(i).Interface().(type) {
		case Shape:
			for _, d := range x {
				d.Syms(set)
			}
		case Dim:
			x.Syms(set)
		case *Graph:
			for _, w := range x.Values {
				w.Syms(set)
			}
		}
	}
}
