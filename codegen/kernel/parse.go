package kernel

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Parse reads the form that [Kernel.String] prints. Loads of one element in a
// statement are one expression.
func Parse(text string) (k *Kernel, err error) {
	p := &parser{bufs: map[string]*Buffer{}, vars: map[string]ir.DType{}, shared: map[string]*Expr{},
		loads: map[string]*Expr{}}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case syntaxError:
			k, err = nil, fmt.Errorf("kernel:%d: %s", p.line, string(r))
		default:
			panic(r)
		}
	}()
	p.lines = strings.Split(text, "\n")
	return p.kernel(), nil
}

type syntaxError string

type parser struct {
	lines  []string
	line   int // number of the line being read, from 1
	rest   string
	bufs   map[string]*Buffer
	vars   map[string]ir.DType // bound by let
	shared map[string]*Expr
	loads  map[string]*Expr // of the statement being read, by their text
}

func (p *parser) fail(format string, args ...any) {
	panic(syntaxError(fmt.Sprintf(format, args...)))
}

// next takes the next line that is not empty if it has the given depth.
func (p *parser) next(depth int) bool {
	for p.line < len(p.lines) && strings.TrimSpace(p.lines[p.line]) == "" {
		p.line++
	}
	if p.line == len(p.lines) {
		return false
	}
	l := p.lines[p.line]
	t := strings.TrimLeft(l, "\t")
	if len(l)-len(t) < depth {
		return false
	}
	p.line++
	if len(l)-len(t) > depth {
		p.fail("indented by %d, want %d", len(l)-len(t), depth)
	}
	p.rest = strings.TrimRight(t, " ")
	return true
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " ") }

// accept takes tok if it comes next.
func (p *parser) accept(tok string) bool {
	p.space()
	if strings.HasPrefix(p.rest, tok) {
		p.rest = p.rest[len(tok):]
		return true
	}
	return false
}

func (p *parser) expect(tok string) {
	if !p.accept(tok) {
		p.fail("found %q, want %q", p.rest, tok)
	}
}

var wordRE = regexp.MustCompile(`^[A-Za-z_%][A-Za-z0-9_.]*`)

func (p *parser) word() string {
	p.space()
	w := wordRE.FindString(p.rest)
	if w == "" {
		p.fail("found %q, want a name", p.rest)
	}
	p.rest = p.rest[len(w):]
	return w
}

// keyword takes w if it is the next word.
func (p *parser) keyword(w string) bool {
	p.space()
	if wordRE.FindString(p.rest) != w {
		return false
	}
	p.rest = p.rest[len(w):]
	return true
}

func (p *parser) kernel() *Kernel {
	if !p.next(0) {
		p.fail("no kernel")
	}
	p.expect("kernel")
	k := &Kernel{Name: p.word()}
	p.expect("(")
	for !p.accept(")") {
		if len(k.Params) > 0 {
			p.expect(",")
		}
		k.Params = append(k.Params, p.buffer())
	}
	if p.accept("dims(") {
		for !p.accept(")") {
			if len(k.Dims) > 0 {
				p.expect(",")
			}
			k.Dims = append(k.Dims, p.word())
		}
	}
	k.Body = p.body(1)
	if p.next(0) {
		p.fail("found %q after the kernel", p.rest)
	}
	return k
}

func (p *parser) buffer() *Buffer {
	b := &Buffer{Name: p.word()}
	d, ok := ir.ParseDType(p.word())
	if !ok {
		p.fail("buffer %s: unknown element type", b.Name)
	}
	b.DType = d
	p.expect("[")
	b.Size = p.dim()
	p.expect("]")
	for s := Scratch; s <= Common; s++ {
		if p.keyword(s.String()) {
			b.Space = s
		}
	}
	b.In, b.Out, b.Const = p.keyword("in"), p.keyword("out"), p.keyword("const")
	b.Stream = p.keyword("stream")
	if p.keyword("ahead") {
		p.expect("[")
		b.Ahead, _ = p.dim().Int()
		p.expect("]")
	}
	if p.keyword("of") {
		name := p.word()
		if b.Of = p.bufs[name]; b.Of == nil {
			p.fail("unknown buffer %s", name)
		}
		p.expect("[")
		b.At = p.dim()
		p.expect("]")
	}
	p.bufs[b.Name] = b
	return b
}

func (p *parser) body(depth int) []Stmt {
	var out []Stmt
	for p.next(depth) {
		if strings.HasPrefix(p.rest, "%") {
			name := p.word()
			p.expect("=")
			p.shared[name] = p.expr()
			p.end()
			continue
		}
		if p.keyword("else") {
			f, ok := last(out).(*If)
			if !ok {
				p.fail("else without if")
			}
			f.Else = p.body(depth + 1)
			continue
		}
		out = append(out, p.stmt(depth))
	}
	return out
}

func last(s []Stmt) Stmt {
	if len(s) == 0 {
		return nil
	}
	return s[len(s)-1]
}

func (p *parser) end() {
	if p.space(); p.rest != "" {
		p.fail("found %q, want the end of the line", p.rest)
	}
}

// done is end for a statement with expressions.
func (p *parser) done() {
	p.end()
	clear(p.loads)
}

func (p *parser) stmt(depth int) Stmt {
	for b := Serial; b <= BlockZ; b++ {
		if p.keyword(b.String()) {
			return p.loop(b, depth)
		}
	}
	switch {
	case p.keyword("let"):
		v := p.word()
		p.expect("=")
		e := p.expr()
		p.done()
		p.vars[v] = e.DType
		return &Let{Var: v, Value: e}
	case p.keyword("if"):
		c := p.expr()
		p.done()
		return &If{Cond: c, Then: p.body(depth + 1)}
	case p.keyword("alloc"):
		b := p.buffer()
		p.done()
		return &Alloc{Buf: b}
	case p.keyword("fail"):
		d := p.dim()
		status, _ := d.Int()
		c := p.expr()
		p.done()
		return &Fail{Cond: c, Status: int(status)}
	case p.keyword("call"):
		return p.call()
	}
	name := p.word()
	b := p.bufs[name]
	if b == nil {
		p.fail("unknown buffer %s", name)
	}
	p.expect("[")
	at := p.dim()
	p.expect("]")
	p.expect("=")
	s := &Store{Buf: b, Index: at, Value: p.expr()}
	p.done()
	return s
}

func (p *parser) loop(b Bind, depth int) Stmt {
	l := &Loop{Var: p.word(), Bind: b}
	p.expect("<")
	l.Extent = p.dim()
	l.Indep = p.keyword("indep") || b != Serial && b != Unroll && b != Steps
	p.end()
	l.Body = p.body(depth + 1)
	return l
}

func (p *parser) call() Stmt {
	name := p.word()
	c := &Call{Instr: Instrs[name]}
	if c.Instr == nil {
		p.fail("unknown instruction %s", name)
	}
	p.expect("(")
	for !p.accept(")") {
		if len(c.Tiles) > 0 {
			p.expect(",")
		}
		t := Tile{Buf: p.bufs[p.word()]}
		p.expect("[")
		t.Index = p.dim()
		for sep := ";"; p.accept(sep); sep = "," {
			t.Strides = append(t.Strides, p.dim())
		}
		p.expect("]")
		c.Tiles = append(c.Tiles, t)
	}
	p.end()
	return c
}

// dim reads an integer expression.
func (p *parser) dim() ir.Dim {
	out := p.term(p.accept("-"))
	for {
		p.space()
		switch {
		case p.accept("+"):
			out = out.Add(p.term(p.accept("-")))
		case strings.HasPrefix(p.rest, "-"):
			p.rest = p.rest[1:]
			out = out.Add(p.term(true))
		default:
			return out
		}
	}
}

// term reads a product, negated if neg: a leading minus belongs to the number, so that the
// smallest integer can be read.
func (p *parser) term(neg bool) ir.Dim {
	out := p.factor(neg)
	for {
		switch {
		case p.accept("*"):
			out = out.Mul(p.factor(false))
		case p.accept("/"):
			out = out.FloorDiv(p.factor(false))
		case p.accept("%"):
			out = out.Mod(p.factor(false))
		default:
			return out
		}
	}
}

var numberRE = regexp.MustCompile(`^[0-9]+`)

func (p *parser) factor(neg bool) ir.Dim {
	p.space()
	if n := numberRE.FindString(p.rest); n != "" {
		p.rest = p.rest[len(n):]
		if neg {
			n = "-" + n
		}
		v, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			p.fail("number %s is too large", n)
		}
		return ir.Const(v)
	}
	if neg {
		return p.factor(false).Neg()
	}
	if p.accept("(") {
		d := p.dim()
		p.expect(")")
		return d
	}
	w := p.word()
	if w == "min" || w == "max" {
		p.expect("(")
		a := p.dim()
		p.expect(",")
		b := p.dim()
		p.expect(")")
		if w == "min" {
			return a.Min(b)
		}
		return a.Max(b)
	}
	if !ir.IsSymName(w) {
		p.fail("found %q, want an integer expression", w)
	}
	return ir.Sym(w)
}

var (
	hexRE   = regexp.MustCompile(`^0x([0-9a-f]+):([a-z0-9]+)`)
	constRE = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)` +
		`((?:i|u|f|bf)[0-9]+(?:e[0-9]m[0-9])?)\b`)
	callRE = regexp.MustCompile(`^([a-z][a-z0-9_.]*)\(`)
	loadRE = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.]*)\[`)
	nameRE = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.]*)\s*([,)\]:]|$)`)
)

func (p *parser) expr() *Expr {
	p.space()
	if strings.HasPrefix(p.rest, "%") {
		e := p.shared[p.word()]
		if e == nil {
			p.fail("unknown shared expression")
		}
		return e
	}
	if p.keyword("true") {
		return ConstExpr(ir.Bool, 1)
	}
	if p.keyword("false") {
		return ConstExpr(ir.Bool, 0)
	}
	if e := p.constant(); e != nil {
		return e
	}
	// min and max are operations here: the integer forms are inside index(…)
	if m := callRE.FindStringSubmatch(p.rest); m != nil {
		p.rest = p.rest[len(m[0]):]
		return p.operation(m[1])
	}
	if m := loadRE.FindStringSubmatch(p.rest); m != nil {
		return p.load(m)
	}
	if m := nameRE.FindStringSubmatch(p.rest); m != nil {
		if d, ok := p.vars[m[1]]; ok {
			p.rest = p.rest[len(m[1]):]
			return VarExpr(m[1], d)
		}
	}
	return IndexExpr(p.dim())
}

func (p *parser) load(m []string) *Expr {
	b := p.bufs[m[1]]
	if b == nil {
		p.fail("unknown buffer %s", m[1])
	}
	p.rest = p.rest[len(m[0]):]
	from := p.rest
	at := p.dim()
	if p.accept("|") {
		mask := p.expr()
		p.expect(":")
		e := LoadIf(b, at, mask, p.expr())
		p.expect("]")
		return e
	}
	p.expect("]")
	name := m[0] + from[:len(from)-len(p.rest)]
	if p.loads[name] == nil {
		p.loads[name] = Load(b, at)
	}
	return p.loads[name]
}

func (p *parser) operation(name string) *Expr {
	if name == "index" {
		d := p.dim()
		p.expect(")")
		return IndexExpr(d)
	}
	var args []*Expr
	for !p.accept(")") {
		if len(args) > 0 {
			p.expect(",")
		}
		args = append(args, p.expr())
	}
	if len(args) == 0 {
		p.fail("%s without arguments", name)
	}
	if d, ok := ir.ParseDType(name); ok {
		return &Expr{Kind: KOp, Op: ir.OpCast, DType: d, Args: args[:1]}
	}
	if t, ok := strings.CutPrefix(name, "bits."); ok {
		if d, ok := ir.ParseDType(t); ok {
			return BitcastExpr(d, args[0])
		}
	}
	op, ok := ir.ParseOp(name)
	if !ok {
		p.fail("unknown operation %s", name)
	}
	return OpExpr(op, args...)
}

// constant reads a typed constant, nil where there is none.
func (p *parser) constant() *Expr {
	if m := hexRE.FindStringSubmatch(p.rest); m != nil {
		bits, err := strconv.ParseUint(m[1], 16, 64)
		d, ok := ir.ParseDType(m[2])
		if err != nil || !ok {
			p.fail("bad constant %s", m[0])
		}
		p.rest = p.rest[len(m[0]):]
		return ConstExpr(d, bits)
	}
	m := constRE.FindStringSubmatch(p.rest)
	if m == nil {
		return nil
	}
	d, ok := ir.ParseDType(m[2])
	if !ok {
		p.fail("unknown type %s", m[2])
	}
	p.rest = p.rest[len(m[0]):]
	var bits uint64
	var err error
	switch {
	case d.IsSigned():
		var v int64
		v, err = strconv.ParseInt(m[1], 10, 64)
		bits = uint64(v)
	case d.IsUnsigned():
		bits, err = strconv.ParseUint(m[1], 10, 64)
	default:
		var v float64
		v, err = strconv.ParseFloat(m[1], d.Bits())
		bits = math.Float64bits(v)
		if d == ir.F32 {
			bits = uint64(math.Float32bits(float32(v)))
		}
	}
	if err != nil {
		p.fail("bad constant %s", m[0])
	}
	return ConstExpr(d, bits)
}
