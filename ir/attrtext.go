package ir

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// The text form of attributes follows from their fields. An attribute with a
// single field prints as that field: "{[0 1]}"; others as "{axis=1 desc=true}",
// fields with the zero value left out, names in lower case. Fields that are
// graphs are no part of the braces: the printer puts them below the line.

// writeAttr prints a in braces, or nothing if all its fields are zero.
func writeAttr(b *strings.Builder, a Attr, elide bool) {
	v := reflect.ValueOf(a).Elem()
	n := dataFields(v.Type())
	var parts []string
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Type() == graphType || n > 1 && isZero(f) {
			continue
		}
		var p strings.Builder
		if n > 1 {
			p.WriteString(strings.ToLower(v.Type().Field(i).Name) + "=")
		}
		writeField(&p, f.Interface(), elide)
		parts = append(parts, p.String())
	}
	if len(parts) > 0 {
		b.WriteString(" {" + strings.Join(parts, " ") + "}")
	}
}

var (
	graphType   = reflect.TypeFor[*Graph]()
	literalType = reflect.TypeFor[*Literal]()
)

// dataFields counts the fields of an attribute kind that are not graphs.
func dataFields(t reflect.Type) int {
	n := 0
	for i := range t.NumField() {
		if t.Field(i).Type != graphType {
			n++
		}
	}
	return n
}

func isZero(f reflect.Value) bool {
	if f.Kind() == reflect.Slice {
		return f.Len() == 0
	}
	if d, ok := f.Interface().(Dim); ok {
		return d.IsConst(0)
	}
	return f.IsZero()
}

func writeField(b *strings.Builder, x any, elide bool) {
	switch x := x.(type) {
	case string:
		b.WriteString(wordOrQuoted(x))
	case []string:
		words := make([]string, len(x))
		for i, w := range x {
			words[i] = wordOrQuoted(w)
		}
		b.WriteString("[" + strings.Join(words, " ") + "]")
	case *Literal:
		if x != nil {
			writeLiteral(b, x, elide)
		}
	default:
		fmt.Fprint(b, x)
	}
}

// parseAttr reads the attribute of an operation whose row has the attribute
// kind t; typ is the declared type of the value, which literals need.
func parseAttr(s *scanner, t reflect.Type, typ Type) Attr {
	if t == nil {
		if s.eat('{') {
			s.fail("the operation has no attribute")
		}
		return nil
	}
	p := reflect.New(t.Elem())
	v := p.Elem()
	n := dataFields(v.Type())
	seen := make([]bool, v.NumField())
	if s.eat('{') {
		for s.err == nil && !s.eat('}') {
			i := s.field(v.Type(), n == 1)
			if i < 0 || seen[i] {
				s.fail("no such field, or twice, in %v", v.Type().Name())
				break
			}
			seen[i] = true
			parseField(s, v.Field(i), typ)
		}
	}
	for i := range seen {
		if s.err == nil && !seen[i] && n == 1 && v.Field(i).Type() != graphType {
			s.fail("attribute {%s} missing", strings.ToLower(v.Type().Field(i).Name))
		}
	}
	return p.Interface().(Attr)
}

// field reads "name=" and returns the field's index, -1 if there is none. The
// name may be left out where there is only one.
func (s *scanner) field(t reflect.Type, only bool) int {
	name, named := s.fieldName()
	for i := range t.NumField() {
		if t.Field(i).Type == graphType {
			continue
		}
		if named && strings.ToLower(t.Field(i).Name) == name || !named && only {
			return i
		}
	}
	return -1
}

func parseField(s *scanner, f reflect.Value, typ Type) {
	switch f.Interface().(type) {
	case int, int64:
		f.SetInt(s.int())
	case bool:
		f.SetBool(s.bool())
	case string:
		f.SetString(s.wordOrQuoted())
	case DType:
		f.Set(reflect.ValueOf(s.dtype()))
	case Dim:
		f.Set(reflect.ValueOf(s.dim()))
	case *Literal:
		f.Set(reflect.ValueOf(parseLiteral(s, typ)))
	default:
		if f.Kind() != reflect.Slice {
			panic("BUG: ir: attribute field of type " + f.Type().String())
		}
		if !s.eat('[') {
			s.fail("want '['")
		}
		for s.err == nil && !s.eat(']') {
			e := reflect.New(f.Type().Elem()).Elem()
			parseField(s, e, typ)
			f.Set(reflect.Append(f, e))
			s.eat(',')
		}
	}
}

// writeAttrKey writes what tells attributes of one kind apart: the fields one
// after the other. Small literals count by content, large ones by address;
// graphs by address.
func writeAttrKey(b *strings.Builder, a Attr) {
	v := reflect.ValueOf(a).Elem()
	for i := range v.NumField() {
		if i > 0 {
			b.WriteByte(';')
		}
		writeFieldKey(b, v.Field(i).Interface())
	}
}

func writeFieldKey(b *strings.Builder, x any) {
	switch x := x.(type) {
	case int:
		b.WriteString(strconv.Itoa(x))
	case string:
		b.WriteString(strconv.Quote(x))
	case Shape:
		b.WriteString(x.String())
	case *Graph:
		fmt.Fprintf(b, "%p", x)
	case *Literal:
		// A lone element is the same constant whether it is called a splat.
		fmt.Fprintf(b, "%v%v%v", x.DType, x.Shape, x.Splat && x.Size() != 1)
		switch {
		case x.Fill != nil:
			fmt.Fprintf(b, "@%p", x)
		case len(x.Data) > 1<<10:
			fmt.Fprintf(b, "@%p", &x.Data[0])
		default:
			b.Write(x.Data)
		}
		for _, s := range x.Strings {
			b.WriteString(strconv.Quote(s))
		}
	default:
		fmt.Fprint(b, x)
	}
}
