package gopkg

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/runtime"
)

// enums has the names of the runtime's constants: plans are to be read.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[runtime.ExprOp](): {"OpConst", "OpSym", "OpAdd", "OpSub", "OpMul", "OpFloorDiv",
		"OpCeilDiv", "OpMod", "OpMin", "OpMax", "OpEq", "OpLess", "OpSelect"},
	reflect.TypeFor[runtime.BufferKind](): {"InInput", "InOutput", "InWeights", "InArena", "InLate"},
	reflect.TypeFor[runtime.Relation]():   {"Equal", "AtMost", "Divisible"},
}

// literalPrinter prints values of the runtime's plan types as Go literals.
type literalPrinter struct {
	b      strings.Builder
	indent int
	note   func(i int, elem any) string // comment of an element of a slice
}

// literal prints v; elements of slices that are structs stand on lines of
// their own, fields with zero values are left out but for enumerations.
func literal(v any) string {
	p := &literalPrinter{note: func(int, any) string { return "" }}
	p.value(reflect.ValueOf(v), false)
	return p.b.String()
}

// programLiteral prints a program. The elements that others refer to by their
// index carry it in a comment.
func programLiteral(prog *runtime.Program) string {
	p := &literalPrinter{note: func(i int, elem any) string {
		switch elem.(type) {
		case runtime.Expr:
			return fmt.Sprintf("^%d: %s", i, oneLine(prog.IntString(^runtime.Int(i))))
		case runtime.Symbol, runtime.Buffer, runtime.Kernel, runtime.Check:
			return strconv.Itoa(i)
		}
		return ""
	}}
	p.value(reflect.ValueOf(*prog), false)
	return p.b.String()
}

func (p *literalPrinter) newline() {
	p.b.WriteByte('\n')
	p.b.WriteString(strings.Repeat("\t", p.indent))
}

// value prints v; elided says that the context gives the type.
func (p *literalPrinter) value(v reflect.Value, elided bool) {
	switch v.Kind() {
	case reflect.Interface:
		p.value(v.Elem(), false)
	case reflect.Pointer:
		p.b.WriteByte('&')
		p.value(v.Elem(), false)
	case reflect.Struct:
		p.fields(v, elided)
	case reflect.Slice:
		p.slice(v)
	case reflect.String:
		p.b.WriteString(strconv.Quote(v.String()))
	case reflect.Bool:
		p.b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int64:
		p.integer(v)
	case reflect.Uint8:
		p.enum(v)
	default:
		panic(fmt.Sprintf("BUG: gopkg: literal of %v", v.Type()))
	}
}

// integer prints slots of a plan as ^n.
func (p *literalPrinter) integer(v reflect.Value) {
	if x := v.Int(); v.Type() == reflect.TypeFor[runtime.Int]() && x < 0 {
		fmt.Fprintf(&p.b, "^%d", ^x)
	} else {
		fmt.Fprint(&p.b, x)
	}
}

func (p *literalPrinter) enum(v reflect.Value) {
	if v.Type() == reflect.TypeFor[runtime.DType]() {
		p.b.WriteString("rt." + dtypeName(runtime.DType(v.Uint())))
		return
	}
	p.b.WriteString("rt." + enums[v.Type()][v.Uint()])
}

// dtypeName is the name of the runtime's constant for d.
func dtypeName(d runtime.DType) string {
	switch d {
	case runtime.Bool:
		return "Bool"
	case runtime.String:
		return "String"
	}
	return strings.ToUpper(d.String())
}

func (p *literalPrinter) typeName(t reflect.Type) string {
	if t.Kind() == reflect.Slice {
		return "[]" + p.typeName(t.Elem())
	}
	if t.PkgPath() != "" {
		return "rt." + t.Name()
	}
	return t.String()
}

func (p *literalPrinter) fields(v reflect.Value, elided bool) {
	if !elided {
		p.b.WriteString(p.typeName(v.Type()))
	}
	lines := v.Type() == reflect.TypeFor[runtime.Program]()
	p.b.WriteByte('{')
	p.indent++
	n := 0
	for i := range v.NumField() {
		f := v.Field(i)
		if _, enum := enums[f.Type()]; f.IsZero() && !enum {
			continue
		}
		if lines {
			p.newline()
		} else if n > 0 {
			p.b.WriteString(", ")
		}
		p.b.WriteString(v.Type().Field(i).Name + ": ")
		p.value(f, false)
		if lines {
			p.b.WriteByte(',')
		}
		n++
	}
	p.indent--
	if lines {
		p.newline()
	}
	p.b.WriteByte('}')
}

func (p *literalPrinter) slice(v reflect.Value) {
	p.b.WriteString(p.typeName(v.Type()) + "{")
	k := v.Type().Elem().Kind()
	lines := k == reflect.Struct || k == reflect.Interface
	p.indent++
	for i := range v.Len() {
		if lines {
			p.newline()
		} else if i > 0 {
			p.b.WriteString(", ")
		}
		p.value(v.Index(i), true)
		if lines {
			p.b.WriteByte(',')
			if s := p.note(i, v.Index(i).Interface()); s != "" {
				p.b.WriteString(" // " + s)
			}
		}
	}
	p.indent--
	if lines && v.Len() > 0 {
		p.newline()
	}
	p.b.WriteByte('}')
}
