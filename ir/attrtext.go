package ir

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

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
		fmt.Fprintf(b, "%v%v%v", x.DType, x.Shape, x.Splat)
		if len(x.Data) > 1<<10 {
			fmt.Fprintf(b, "@%p", &x.Data[0])
		} else {
			b.Write(x.Data)
		}
		for _, s := range x.Strings {
			b.WriteString(strconv.Quote(s))
		}
	default:
		fmt.Fprint(b, x)
	}
}
