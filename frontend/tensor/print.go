package tensor

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Printing, in the form of NumPy: columns aligned, large tensors summarized.

const (
	printAll   = 1000 // elements up to which all are printed
	edgeItems  = 3    // elements at each end of an axis that is summarized
	lineWidth  = 75
	printDigit = 8 // digits after the point
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
	p := &printer{shape: l.Shape, at: elementPrinter(l, fmt.FormatString(f, verb), verb)}
	if l.Size() > printAll {
		p.summary = true
	}
	if verb != 'v' && verb != 's' {
		return p.text("")
	}
	return "tensor(" + p.text("tensor(") + ", " + l.DType.String() + ", cpu)"
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
type element struct{ left, right string }

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
	p.measure(0, 0)
	var b strings.Builder
	p.write(&b, 0, 0, len(prefix))
	return b.String()
}

// measure finds the widths of the columns.
func (p *printer) measure(axis int, offset int64) {
	if axis == len(p.shape) {
		e := p.at(offset)
		p.left, p.right = max(p.left, len(e.left)), max(p.right, len(e.right))
		return
	}
	for _, i := range p.visited(axis) {
		if i >= 0 {
			p.measure(axis+1, offset*p.shape[axis]+i)
		}
	}
}

func (p *printer) write(b *strings.Builder, axis int, offset int64, indent int) {
	if axis == len(p.shape) {
		e := p.at(offset)
		fmt.Fprintf(b, "%*s%-*s", p.left, e.left, p.right, e.right)
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
		case column+2+width > lineWidth:
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

// elementPrinter returns what prints element i of l.
func elementPrinter(l *ir.Literal, format string, verb rune) func(i int64) element {
	num := numberAt(l)
	plain := verb == 'v' || verb == 's'
	switch {
	case l.DType == Bool && plain:
		return func(i int64) element { return element{left: strconv.FormatBool(num(i).(uint64) != 0)} }
	case plain && l.DType.IsFloat():
		return floatPrinter(l, num)
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
		F16:  func() func(int64) any { return reader(l, func(x uint16) any { return float64(ir.F16Value(x)) }) },
		BF16: func() func(int64) any { return reader(l, func(x uint16) any { return float64(ir.BF16Value(x)) }) },
		F32:  func() func(int64) any { return reader(l, func(x float32) any { return float64(x) }) },
		F64:  func() func(int64) any { return reader(l, func(x float64) any { return x }) },
	}
	return read[l.DType]()
}

func reader[E ir.Element](l *ir.Literal, f func(E) any) func(i int64) any {
	es := ir.Elements[E](l)
	return func(i int64) any {
		if l.Splat {
			i = 0
		}
		return f(es[i])
	}
}

// floatPrinter prints floats as NumPy does: the shortest digits that identify
// the number, at most eight after the point; in scientific form where the
// numbers are very large, very small or far apart.
func floatPrinter(l *ir.Literal, num func(i int64) any) func(i int64) element {
	bits := 64
	if l.DType != F64 {
		bits = 32
	}
	n := l.Size()
	if l.Splat {
		n = min(n, 1)
	}
	lo, hi := math.Inf(1), 0.0
	for i := range n {
		if x := math.Abs(num(i).(float64)); x > 0 && !math.IsInf(x, 0) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	verb := byte('f')
	if hi >= 1e8 || hi > 0 && (lo < 1e-4 || hi/lo > 1000) {
		verb = 'e'
	}
	return func(i int64) element { return floatElement(num(i).(float64), verb, bits) }
}

func floatElement(x float64, verb byte, bits int) element {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return element{left: strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+"))}
	}
	s := strconv.FormatFloat(x, verb, -1, bits)
	mantissa, exp, _ := strings.Cut(s, "e")
	left, right, _ := strings.Cut(mantissa, ".")
	if len(right) > printDigit {
		s = strconv.FormatFloat(x, verb, printDigit, bits)
		mantissa, exp, _ = strings.Cut(s, "e")
		left, right, _ = strings.Cut(mantissa, ".")
		right = strings.TrimRight(right, "0")
	}
	e := element{left: left + ".", right: right}
	if verb == 'e' {
		e.right += "e" + exp
	}
	return e
}
