package ir

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The text form of literals: "[1 -0 nan inf]" lists elements, a bare element
// is the literal's only one or fills its shape, "b64:..." is the data.

// inlineElements is how many elements are listed; more are printed as base64.
const inlineElements = 32

// writeLiteral prints l; elide > 0 shortens data that would not be listed,
// which cannot be read back.
func writeLiteral(b *strings.Builder, l *Literal, elide bool) {
	elems := l.elementTexts()
	switch {
	case elems == nil && elide && l.Fill != nil:
		fmt.Fprintf(b, "... %d bytes", l.Size()*int64(l.DType.Size()))
	case elems == nil && elide:
		fmt.Fprintf(b, "... %d bytes", len(l.Data))
	case elems == nil:
		b.WriteString("b64:")
		b.WriteString(base64.StdEncoding.EncodeToString(l.Bytes()))
	case len(elems) == 1 && (l.Splat || l.Size() == 1):
		b.WriteString(elems[0])
	case elide && len(elems) > inlineElements/2:
		fmt.Fprintf(b, "[%s ...]", strings.Join(elems[:8], " "))
	default:
		b.WriteString("[" + strings.Join(elems, " ") + "]")
	}
}

// elementTexts returns the stored elements as text, or nil where they are to
// be printed as bytes: there are many, in no order yet, or they are not valid elements.
func (l *Literal) elementTexts() []string {
	if l.DType == String {
		out := make([]string, len(l.Strings))
		for i, s := range l.Strings {
			out[i] = strconv.Quote(s)
		}
		return out
	}
	size := l.DType.Size()
	if l.Fill != nil || size == 0 || len(l.Data)%size != 0 || len(l.Data)/size > inlineElements ||
		l.check() != nil {
		return nil
	}
	out := make([]string, len(l.Data)/size)
	for i := range out {
		out[i] = elementText(l.DType, loadBits(l.Data[i*size:][:size]))
	}
	return out
}

// check reports what is wrong with the data of l.
func (l *Literal) check() error {
	n, size, ok := int64(1), int64(l.DType.Size()), true
	for _, d := range l.Shape {
		if d < 0 {
			return fmt.Errorf("extent %d", d)
		}
		if n, ok = mulInt(n, d); !ok {
			return fmt.Errorf("shape %v overflows int64", l.Shape)
		}
	}
	if l.Splat {
		n = 1
	}
	if l.DType == String {
		if int64(len(l.Strings)) != n || l.Data != nil {
			return fmt.Errorf("%d strings, want %d", len(l.Strings), n)
		}
		return nil
	}
	if !Storable.Has(l.DType) || l.Strings != nil {
		return fmt.Errorf("no literals of %v", l.DType)
	}
	if l.Fill != nil {
		if l.Data != nil || l.Splat {
			return fmt.Errorf("%d bytes beside a function that writes them", len(l.Data))
		}
		return nil
	}
	if want, ok := mulInt(n, size); !ok || int64(len(l.Data)) != want {
		return fmt.Errorf("%d bytes for %d elements of %v", len(l.Data), n, l.DType)
	}
	lo, hi, bounded := byteRange(l.DType)
	if !bounded {
		return nil
	}
	for i, c := range l.Data {
		if v := int(int8(c)); v < lo || v > hi {
			return fmt.Errorf("element %d of %v is %d", i, l.DType, v)
		}
	}
	return nil
}

// byteRange returns the values that a byte may have in types that do not use
// all of it.
func byteRange(d DType) (lo, hi int, bounded bool) {
	switch d {
	case Bool:
		return 0, 1, true
	case I4:
		return -8, 7, true
	case U4:
		return 0, 15, true
	}
	return 0, 0, false
}

func loadBits(b []byte) uint64 {
	var v uint64
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return v
}

// elementText prints the element with the given bits so that parseElement
// gives these bits back. NaNs other than the usual one carry their bits.
func elementText(d DType, bits uint64) string {
	switch {
	case d == Bool:
		return strconv.FormatBool(bits != 0)
	case d.IsUnsigned() || d == U4:
		return strconv.FormatUint(bits, 10)
	case d.IsSigned() || d == I4:
		shift := 64 - 8*d.Size()
		return strconv.FormatInt(int64(bits<<shift)>>shift, 10)
	}
	v := floatValue(d, bits)
	switch {
	case v != v && bits == quietNaN(d):
		return "nan"
	case v != v:
		return fmt.Sprintf("nan:%#x", bits)
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+"))
	case d == F64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 32)
}

func floatValue(d DType, bits uint64) float64 {
	switch d {
	case F64:
		return math.Float64frombits(bits)
	case F32:
		return float64(math.Float32frombits(uint32(bits)))
	}
	return d.format().decode(uint16(bits))
}

func quietNaN(d DType) uint64 {
	switch d {
	case F64:
		return 0x7ff8 << 48
	case F32:
		return 0x7fc0 << 16
	}
	return uint64(d.format().nan())
}

// parseElement returns the bits of an element of type d.
func parseElement(d DType, s string) (uint64, error) {
	bits := d.Bits()
	switch {
	case d == Bool:
		switch s {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
	case d.IsUnsigned() || d == U4:
		if v, err := strconv.ParseUint(s, 10, bits); err == nil {
			return v, nil
		}
	case d.IsSigned() || d == I4:
		if v, err := strconv.ParseInt(s, 10, bits); err == nil {
			return uint64(v), nil
		}
	case Storable.Has(d):
		if v, ok := parseFloatElement(d, s); ok {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%q is not an element of %v", s, d)
}

func parseFloatElement(d DType, s string) (uint64, bool) {
	if s == "nan" {
		return quietNaN(d), true
	}
	if hex, ok := strings.CutPrefix(s, "nan:"); ok {
		v, err := strconv.ParseUint(hex, 0, 8*d.Size())
		f := 0.0
		if err == nil {
			f = floatValue(d, v)
		}
		return v, err == nil && f != f
	}
	width := 64
	if d == F32 {
		width = 32
	}
	v, err := strconv.ParseFloat(s, width)
	if err != nil || v != v {
		return 0, false
	}
	switch d {
	case F64:
		return math.Float64bits(v), true
	case F32:
		return uint64(math.Float32bits(float32(v))), true
	}
	return uint64(d.format().encode(v)), true
}

// parseLiteral reads what writeLiteral prints, for a constant of type t.
func parseLiteral(s *scanner, t Type) *Literal {
	shape, static := t.Shape.Ints()
	if !static || t.DType != String && !Storable.Has(t.DType) {
		s.fail("a constant's type is %v, want a static tensor", t)
		return nil
	}
	l := &Literal{DType: t.DType, Shape: shape}
	if s.eat('[') {
		for s.err == nil && !s.eat(']') {
			l.parseOne(s)
		}
	} else if data, ok := s.b64(); ok {
		l.Data = data
		if n, fits := l.bytes(); !fits || n != int64(len(data)) {
			l.Splat = int64(len(data)) == int64(t.DType.Size())
		}
	} else {
		l.parseOne(s)
		l.Splat = t.Shape.Size().k != 1 || !t.Shape.Size().Static()
	}
	if s.err == nil {
		if err := l.check(); err != nil {
			s.fail("constant of %v: %v", t, err)
		}
	}
	return l
}

// bytes returns the size of the data of l when it is not a splat.
func (l *Literal) bytes() (int64, bool) {
	n, fits := int64(l.DType.Size()), true
	for _, d := range l.Shape {
		if n, fits = mulInt(n, d); !fits {
			return 0, false
		}
	}
	return n, true
}

func (l *Literal) parseOne(s *scanner) {
	if l.DType == String {
		if str, ok := s.quoted(); ok {
			l.Strings = append(l.Strings, str)
		} else {
			s.fail("want a quoted string")
		}
		return
	}
	bits, err := parseElement(l.DType, s.word())
	if err != nil {
		s.fail("%v", err)
		return
	}
	for i := range l.DType.Size() {
		l.Data = append(l.Data, byte(bits>>(8*i)))
	}
}
