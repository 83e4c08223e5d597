package kernel

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// String prints k in the form that [Parse] reads.
func (k *Kernel) String() string {
	p := &printer{lets: map[string]bool{}}
	WalkStmts(k.Body, func(s Stmt) {
		if l, ok := s.(*Let); ok {
			p.lets[l.Var] = true
		}
	})
	fmt.Fprintf(&p.b, "kernel %s(", k.Name)
	for i, b := range k.Params {
		if i > 0 {
			p.b.WriteString(", ")
		}
		p.b.WriteString(bufText(b))
	}
	p.b.WriteString(")")
	if len(k.Dims) > 0 {
		fmt.Fprintf(&p.b, " dims(%s)", strings.Join(k.Dims, ", "))
	}
	p.b.WriteByte('\n')
	p.body(k.Body, 1)
	return p.b.String()
}

var spaceNames = [...]string{Global: "global", Scratch: "scratch", Local: "local", Shared: "shared",
	Registers: "registers", Common: "common"}

var bindNames = [...]string{Serial: "serial", Parallel: "parallel", Unroll: "unroll",
	Vector: "vector", Steps: "steps", GridX: "grid.x", GridY: "grid.y", GridZ: "grid.z",
	BlockX: "block.x", BlockY: "block.y", BlockZ: "block.z"}

// String returns the name of the binding in the text form.
func (b Bind) String() string { return bindNames[b] }

// String returns the name of the space in the text form.
func (s Space) String() string { return spaceNames[s] }

func bufText(b *Buffer) string {
	t := fmt.Sprintf("%s %v[%v]", b.Name, b.DType, b.Size)
	if b.Space != Global {
		t += " " + b.Space.String()
	}
	for _, f := range []struct {
		set  bool
		name string
	}{{b.In, "in"}, {b.Out, "out"}, {b.Const, "const"}, {b.Stream, "stream"}} {
		if f.set {
			t += " " + f.name
		}
	}
	if b.Ahead != 0 {
		t += fmt.Sprintf(" ahead[%d]", b.Ahead)
	}
	if b.Of != nil {
		t += fmt.Sprintf(" of %s[%v]", b.Of.Name, b.At)
	}
	return t
}

// printer writes statements; shared subexpressions of a statement get lines
// of their own before it, "%1 = …".
type printer struct {
	b      strings.Builder
	lets   map[string]bool
	shared map[*Expr]string
	n      int
	whole  bool // what is shared is written out where it is used
}

func (p *printer) line(depth int, format string, args ...any) {
	p.b.WriteString(strings.Repeat("\t", depth))
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

func (p *printer) body(body []Stmt, depth int) {
	for _, s := range body {
		p.stmt(s, depth)
	}
}

func (p *printer) stmt(s Stmt, depth int) {
	switch s := s.(type) {
	case *Loop:
		indep := ""
		if s.Indep && (s.Bind == Serial || s.Bind == Unroll) {
			indep = " indep"
		}
		p.line(depth, "%v %s < %v%s", s.Bind, s.Var, s.Extent, indep)
		p.body(s.Body, depth+1)
	case *Store:
		v := p.expr(s.Value, depth)
		p.line(depth, "%s[%v] = %s", s.Buf.Name, s.Index, v)
	case *Let:
		v := p.expr(s.Value, depth)
		p.line(depth, "let %s = %s", s.Var, v)
	case *If:
		c := p.expr(s.Cond, depth)
		p.line(depth, "if %s", c)
		p.body(s.Then, depth+1)
		if len(s.Else) > 0 {
			p.line(depth, "else")
			p.body(s.Else, depth+1)
		}
	case *Alloc:
		p.line(depth, "alloc %s", bufText(s.Buf))
	case *Fail:
		c := p.expr(s.Cond, depth)
		p.line(depth, "fail %d %s", s.Status, c)
	case *Call:
		p.line(depth, "call %s(%s)", s.Instr.Name, tilesText(s.Tiles))
	}
}

func tilesText(tiles []Tile) string {
	var out []string
	for _, t := range tiles {
		text := fmt.Sprintf("%s[%v", t.Buf.Name, t.Index)
		for i, d := range t.Strides {
			sep := ", "
			if i == 0 {
				sep = "; "
			}
			text += sep + d.String()
		}
		out = append(out, text+"]")
	}
	return strings.Join(out, ", ")
}

// expr returns the text of e, after lines for what it shares.
func (p *printer) expr(e *Expr, depth int) string {
	uses := map[*Expr]int{}
	var order []*Expr
	var count func(*Expr)
	count = func(e *Expr) {
		if uses[e]++; uses[e] > 1 {
			return
		}
		for _, a := range e.Args {
			count(a)
		}
		order = append(order, e)
	}
	count(e)
	p.shared = map[*Expr]string{}
	for _, s := range order {
		if p.whole {
			break
		}
		if uses[s] > 1 && len(s.Args) > 0 {
			text := p.text(s)
			p.n++
			name := "%" + strconv.Itoa(p.n)
			p.line(depth, "%s = %s", name, text)
			p.shared[s] = name
		}
	}
	return p.text(e)
}

func (p *printer) text(e *Expr) string {
	if name, ok := p.shared[e]; ok {
		return name
	}
	switch e.Kind {
	case KConst:
		return constText(e.DType, e.Bits)
	case KIndex:
		t := e.Index.String()
		if p.lets[t] || strings.HasPrefix(t, "min(") || strings.HasPrefix(t, "max(") {
			return "index(" + t + ")"
		}
		return t
	case KVar:
		return e.Var
	case KLoad:
		if len(e.Args) == 2 {
			return fmt.Sprintf("%s[%v | %s : %s]", e.Buf.Name, e.Index, p.text(e.Args[0]), p.text(e.Args[1]))
		}
		return fmt.Sprintf("%s[%v]", e.Buf.Name, e.Index)
	}
	name := e.Op.String()
	switch e.Op {
	case ir.OpCast:
		name = e.DType.String()
	case ir.OpBitcast:
		name = "bits." + e.DType.String()
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = p.text(a)
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// constText prints a constant with its type: 1.5f32, -3i64, true; floats that
// decimal digits do not give back are printed as bits, 0x7fc00000:f32.
func constText(d ir.DType, bits uint64) string {
	hex := fmt.Sprintf("0x%x:%v", bits, d)
	var v float64
	switch {
	case d == ir.Bool:
		return strconv.FormatBool(bits != 0)
	case d.IsSigned():
		return strconv.FormatInt(int64(bits), 10) + d.String()
	case d.IsUnsigned():
		return strconv.FormatUint(bits, 10) + d.String()
	case d == ir.F32:
		v = float64(math.Float32frombits(uint32(bits)))
	case d == ir.F64:
		v = math.Float64frombits(bits)
	default:
		return hex
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return hex
	}
	t := strconv.FormatFloat(v, 'g', -1, d.Bits())
	if !strings.ContainsAny(t, ".e") {
		t += ".0"
	}
	return t + d.String()
}
