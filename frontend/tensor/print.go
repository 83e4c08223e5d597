package tensor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Printing, in the form of NumPy: columns aligned, large tensors summarized.

const (
	printAll    = 1000 // elements up to which all are printed
	edgeItems   = 3    // elements at each end of an axis that is summarized
	lineWidth   = 75
	printDigits = 8 // after the point
)

// String prints t as NumPy's repr does, with element type and device.
func (t Tensor) String() string { return fmt.Sprintf("%v", t) }

// Format implements fmt.Formatter. %v and %s print as String; a verb for
// numbers, such as %.3f or %d, is applied to the elements; %+v prints the
// recorded graph that computes t.
func (t Tensor) Format(f fmt.State, verb rune) {
	switch {
	case t.Err() != nil:
		fmt.Fprintf(f, "tensor(error: %v)", t.Err())
	case verb == 'v' && f.Flag('+'):
		fmt.Fprint(f, t.graphText())
	case t.value().tr != nil:
		fmt.Fprintf(f, "tensor(%v, symbolic)", t.typ())
	default:
		fmt.Fprint(f, t.print(f, verb))
	}
}

func (t Tensor) graphText() string {
	e := &emitter{g: ir.NewGraph("lazy"), values: map[*node]*ir.Value{}}
	e.known = func(n *node) bool { return n.data.Load() != nil || n.op == ir.OpParam }
	evalMu.Lock()
	defer evalMu.Unlock()
	results, err := e.emit([]*node{t.value()})
	if err != nil {
		return err.Error()
	}
	e.g.SetResults([]string{"y"}, results...)
	return ir.Print(e.g)
}

func (t Tensor) print(f fmt.State, verb rune) string {
	c := start("print")
	l := c.literal(t)
	if c.err != nil {
		return fmt.Sprintf("tensor(error: %v)", c.err)
	}
	p := &printer{shape: l.Shape, summary: l.Size() > printAll}
	p.at = elementPrinter(l, p.offsets(nil, 0, 0), fmt.FormatString(f, verb), verb)
	if verb != 'v' && verb != 's' {
		return p.text("")
	}
	shape := ""
	if len(l.Shape) != 1 && slices.Contains(l.Shape, 0) {
		shape = ", shape=" + shapeString(ir.Dims(l.Shape...))
	}
	return "tensor(" + p.text("tensor(") + shape + ", " + l.DType.String() + ", " +
		t.Device().String() + ")"
}

// printer lays out the elements of one tensor.
type printer struct {
	shape   []int64
	summary bool
	at      func(i int64) element
	left    int // widest part before the point
	right   int // widest part after it
}

// element is a number in two parts, so that points stand below each other.
// A whole has no point and is aligned at the right.
type element struct{ left, right, whole string }

// visited lists the coordinates along an axis that are printed; -1 is the
// ellipsis.
func (p *printer) visited(axis int) []int64 {
	n := p.shape[axis]
	var out []int64
	for i := int64(0); i < n; i++ {
		if p.summary && n > 2*edgeItems && i == edgeItems {
			out = append(out, -1)
			i = n - edgeItems
		}
		out = append(out, i)
	}
	return out
}

func (p *printer) text(prefix string) string {
	if slices.Contains(p.shape, 0) {
		return "[]"
	}
	whole := 0
	for _, i := range p.offsets(nil, 0, 0) {
		e := p.at(i)
		p.left, p.right = max(p.left, len(e.left)), max(p.right, len(e.right))
		whole = max(whole, len(e.whole))
	}
	p.left = max(p.left, whole-p.right)
	var b strings.Builder
	p.write(&b, 0, 0, len(prefix))
	return b.String()
}

// offsets appends those of the elements that are printed.
func (p *printer) offsets(out []int64, axis int, offset int64) []int64 {
	if axis == len(p.shape) {
		return append(out, offset)
	}
	for _, i := range p.visited(axis) {
		if i >= 0 {
			out = p.offsets(out, axis+1, offset*p.shape[axis]+i)
		}
	}
	return out
}

func (p *printer) write(b *strings.Builder, axis int, offset int64, indent int) {
	if axis == len(p.shape) {
		e := p.at(offset)
		if e.whole != "" {
			fmt.Fprintf(b, "%*s", p.left+p.right, e.whole)
		} else {
			fmt.Fprintf(b, "%*s%-*s", p.left, e.left, p.right, e.right)
		}
		return
	}
	b.WriteByte('[')
	last := axis == len(p.shape)-1
	column := indent + 1
	for k, i := range p.visited(axis) {
		width := p.left + p.right
		if i < 0 {
			width = 3
		}
		switch {
		case k == 0:
		case !last:
			b.WriteString("," + strings.Repeat("\n", len(p.shape)-1-axis) + strings.Repeat(" ", indent+1))
		case column+2+width > lineWidth-len(p.shape):
			b.WriteString(",\n" + strings.Repeat(" ", indent+1))
			column = indent + 1
		default:
			b.WriteString(", ")
			column += 2
		}
		column += width
		if i < 0 {
			b.WriteString("...")
		} else {
			p.write(b, axis+1, offset*p.shape[axis]+i, indent+1)
		}
	}
	b.WriteByte(']')
}

// elementPrinter returns what prints element i of l, of which those at the
// offsets are printed.
func elementPrinter(l *ir.Literal, offsets []int64, format string,
	verb rune) func(i int64) element {
	num := numberAt(l)
	plain := verb == 'v' || verb == 's'
	switch {
	case l.DType == Bool && plain:
		width := 5 // as wide as False, but for a scalar
		if len(l.Shape) == 0 {
			width = 4
		}
		return func(i int64) element {
			if num(i).(uint64) != 0 {
				return element{left: " True"[len(" True")-width:]}
			}
			return element{left: "False"}
		}
	case plain && l.DType.IsFloat():
		return floatPrinter(l.DType, offsets, func(i int64) float64 { return num(i).(float64) })
	case plain:
		return func(i int64) element { return element{left: fmt.Sprint(num(i))} }
	}
	return func(i int64) element { return element{left: fmt.Sprintf(format, num(i))} }
}

// numberAt returns what reads element i of l as an int64, uint64 or float64.
func numberAt(l *ir.Literal) func(i int64) any {
	read := map[DType]func() func(i int64) any{
		Bool: func() func(int64) any { return reader(l, func(x uint8) any { return uint64(x) }) },
		I8:   func() func(int64) any { return reader(l, func(x int8) any { return int64(x) }) },
		I16:  func() func(int64) any { return reader(l, func(x int16) any { return int64(x) }) },
		I32:  func() func(int64) any { return reader(l, func(x int32) any { return int64(x) }) },
		I64:  func() func(int64) any { return reader(l, func(x int64) any { return x }) },
		U8:   func() func(int64) any { return reader(l, func(x uint8) any { return uint64(x) }) },
		U16:  func() func(int64) any { return reader(l, func(x uint16) any { return uint64(x) }) },
		U32:  func() func(int64) any { return reader(l, func(x uint32) any { return uint64(x) }) },
		U64:  func() func(int64) any { return reader(l, func(x uint64) any { return x }) },
		F16: func() func(int64) any {
			return reader(l,
				func(x uint16) any { return float64(ir.F16Value(x)) })
		},
		BF16: func() func(int64) any {
			return reader(l,
				func(x uint16) any { return float64(ir.BF16Value(x)) })
		},
		F32: func() func(int64) any { return reader(l, func(x float32) any { return float64(x) }) },
		F64: func() func(int64) any { return reader(l, func(x float64) any { return x }) },
	}
	return read[l.DType]()
}

func reader[E Element](l *ir.Literal, f func(E) any) func(i int64) any {
	es := elements[E](l)
	return func(i int64) any {
		if l.Splat {
			i = 0
		}
		return f(es[i])
	}
}

// floatPrinter prints floats as NumPy does: the shortest digits that identify
// the number, at most eight after the point; in scientific form, with as many
// digits each, where the numbers are very large, very small or far apart.
func floatPrinter(d DType, offsets []int64, num func(i int64) float64) func(i int64) element {
	lo, hi := math.Inf(1), 0.0
	for _, i := range offsets {
		if x := math.Abs(num(i)); x > 0 && !math.IsInf(x, 0) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	if hi < largePrinted[d] && (hi == 0 || lo >= 1e-4 && hi/lo <= 1000) {
		return func(i int64) element { return fixed(num(i), d) }
	}
	digits := 0
	for _, i := range offsets {
		mantissa, _, _ := strings.Cut(shortest(num(i), 'e', d), "e")
		_, right, _ := strings.Cut(mantissa, ".")
		if len(right) > printDigits {
			mantissa, _, _ = strings.Cut(strconv.FormatFloat(num(i), 'e', printDigits, 64), "e")
			_, right, _ = strings.Cut(strings.TrimRight(mantissa, "0"), ".")
		}
		digits = max(digits, len(right))
	}
	return func(i int64) element {
		x := num(i)
		if e, special := notFinite(x); special {
			return e
		}
		s := strconv.FormatFloat(x, 'e', digits, 64)
		left, right, point := strings.Cut(s, ".")
		if !point { // one digit: "1e+10" is "1.e+10"
			left, right, _ = strings.Cut(s, "e")
			right = "e" + right
		}
		return element{left: left + ".", right: right}
	}
}

// largePrinted is from where numbers are printed in scientific form: where
// digits before the point would be more than the type holds, or eight.
var largePrinted = map[DType]float64{F16: 1e3, BF16: 1e3, F32: 1e6, F64: 1e8}

func notFinite(x float64) (element, bool) {
	switch {
	case math.IsNaN(x):
		return element{whole: "nan"}, true
	case math.IsInf(x, 1):
		return element{whole: "inf"}, true
	case math.IsInf(x, -1):
		return element{whole: "-inf"}, true
	}
	return element{}, false
}

// fixed prints x with a point.
func fixed(x float64, d DType) element {
	if e, special := notFinite(x); special {
		return e
	}
	left, right, _ := strings.Cut(shortest(x, 'f', d), ".")
	if len(right) > printDigits {
		left, right, _ = strings.Cut(strconv.FormatFloat(x, 'f', printDigits, 64), ".")
		right = strings.TrimRight(right, "0")
	}
	return element{left: left + ".", right: right}
}

// shortest prints x with the fewest digits that identify it among the numbers
// of type d.
func shortest(x float64, form byte, d DType) string {
	switch d {
	case F64:
		return strconv.FormatFloat(x, form, -1, 64)
	case F32:
		return strconv.FormatFloat(x, form, -1, 32)
	}
	bits := ir.F16Bits
	if d == BF16 {
		bits = ir.BF16Bits
	}
	for digits := 0; digits < 6; digits++ {
		s := strconv.FormatFloat(x, 'e', digits, 64)
		if y, err := strconv.ParseFloat(s, 64); err == nil && bits(y) == bits(x) {
			return strconv.FormatFloat(y, form, -1, 64)
		}
	}
	return strconv.FormatFloat(x, form, -1, 32)
}
