package rewrite

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Class says for which floats a rule holds, see the package comment.
type Class string

// The classes.
const (
	Exact Class = "exact"
	ULP   Class = "ulp"
	Real  Class = "real"
)

// Rule is a parsed rule.
type Rule struct {
	Name  string
	Class Class
	Text  string // the whole line
	From  *Expr
	To    *Expr
	Conds []*Expr
}

// Kind is the kind of an expression of a rule.
type Kind uint8

// The kinds of expressions.
const (
	Var    Kind = iota // Name
	Number             // Num
	Apply              // Op of Args, with attribute Attr
	Call               // the named function or predicate of Args
	Attr               // the attribute variable Name
)

// Expr is a pattern, replacement or condition.
type Expr struct {
	Kind Kind
	Name string
	Num  float64
	Op   ir.Op
	Attr *Expr // nil, Attr or Call
	Args []*Expr
}

// Funcs are the named functions that rules refer to.
type Funcs struct {
	Conds  map[string]func(m *Match, args []Arg) bool
	Attrs  map[string]func(m *Match, args []Arg) ir.Attr
	Values map[string]func(m *Match, args []Arg) *ir.Value
}

// Set is a list of rules, tried in their order.
type Set struct {
	Rules []*Rule
	byOp  map[ir.Op][]*Rule
	funcs Funcs
}

// Parse reads rules. file names the text in errors.
func Parse(file, text string, funcs Funcs) (*Set, error) {
	s := &Set{byOp: map[ir.Op][]*Rule{}, funcs: funcs}
	names := map[string]bool{}
	for i, line := range logicalLines(text) {
		if line == "" {
			continue
		}
		r, err := s.parseRule(line)
		if err == nil && names[r.Name] {
			err = fmt.Errorf("rule %s: is there twice", r.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		names[r.Name] = true
		s.Rules = append(s.Rules, r)
		s.byOp[r.From.Op] = append(s.byOp[r.From.Op], r)
	}
	return s, nil
}

// logicalLines removes comments and joins continuations; line i begins at
// line i of the text, continuation lines are empty.
func logicalLines(text string) []string {
	lines := strings.Split(text, "\n")
	last := 0
	for i, l := range lines {
		l, _, _ = strings.Cut(l, "#")
		cont := strings.TrimLeft(l, " \t") != l
		l = strings.TrimSpace(l)
		lines[i] = l
		if cont && l != "" {
			lines[last] += " " + l
			lines[i] = ""
		} else if l != "" {
			last = i
		}
	}
	return lines
}

func (s *Set) parseRule(line string) (*Rule, error) {
	head, rest, ok := strings.Cut(line, ":")
	words := strings.Fields(head)
	if !ok || len(words) != 2 {
		return nil, fmt.Errorf("%q: want name class: pattern => replacement", line)
	}
	r := &Rule{Name: words[0], Class: Class(words[1]), Text: line}
	if r.Class != Exact && r.Class != ULP && r.Class != Real {
		return nil, fmt.Errorf("rule %s: class %q, want exact, ulp or real", r.Name, r.Class)
	}
	p := &parser{toks: tokens(rest), set: s}
	r.From = p.expr()
	p.want("=>")
	r.To = p.expr()
	if p.peek() == "if" {
		p.next()
		r.Conds = append(r.Conds, p.cond())
		for p.peek() == "," {
			p.next()
			r.Conds = append(r.Conds, p.cond())
		}
	}
	if p.peek() != "" {
		p.fail("%q follows the rule", p.peek())
	}
	if r.From.Kind != Apply {
		p.fail("the pattern is not an operation")
	}
	if p.err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.Name, p.err)
	}
	return r, r.bound()
}

// bound checks that whatever a rule uses, its pattern binds.
func (r *Rule) bound() error {
	have := map[string]bool{}
	var walk func(e *Expr, f func(name string))
	walk = func(e *Expr, f func(name string)) {
		if e == nil {
			return
		}
		switch e.Kind {
		case Var:
			f(e.Name)
		case Attr:
			f("@" + e.Name)
		}
		walk(e.Attr, f)
		for _, a := range e.Args {
			walk(a, f)
		}
	}
	walk(r.From, func(n string) { have[n] = true })
	var err error
	for _, e := range append([]*Expr{r.To}, r.Conds...) {
		walk(e, func(n string) {
			if !have[n] && err == nil {
				err = fmt.Errorf("rule %s: %s is not in the pattern", r.Name, n)
			}
		})
	}
	return err
}

func tokens(s string) []string {
	for _, sep := range []string{"(", ")", "[", "]", ","} {
		s = strings.ReplaceAll(s, sep, " "+sep+" ")
	}
	return strings.Fields(s) // "@[f x]" becomes "@", "[", …
}

type parser struct {
	toks []string
	set  *Set
	err  error
}

func (p *parser) peek() string {
	if len(p.toks) == 0 || p.err != nil {
		return ""
	}
	return p.toks[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.toks = p.toks[1:]
	}
	return t
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *parser) want(t string) {
	if got := p.next(); got != t {
		p.fail("%q, want %q", got, t)
	}
}

func (p *parser) expr() *Expr {
	t := p.next()
	switch {
	case t == "":
		p.fail("the rule ends early")
		return &Expr{}
	case t == "(":
		return p.apply()
	case t == "[":
		return p.call("]")
	case strings.HasPrefix(t, "@"):
		return &Expr{Kind: Attr, Name: t[1:]}
	}
	if x, err := strconv.ParseFloat(t, 64); err == nil && t != "inf" {
		return &Expr{Kind: Number, Num: x, Name: t}
	}
	return &Expr{Kind: Var, Name: t}
}

func (p *parser) apply() *Expr {
	name := p.next()
	op, ok := ir.ParseOp(name)
	if !ok {
		p.fail("no operation %q", name)
	}
	e := &Expr{Kind: Apply, Op: op, Name: name}
	if strings.HasPrefix(p.peek(), "@") {
		t := p.next()
		if t == "@" && p.peek() == "[" {
			p.next()
			e.Attr = p.call("]")
		} else {
			e.Attr = &Expr{Kind: Attr, Name: t[1:]}
		}
	}
	for p.peek() != ")" && p.peek() != "" {
		e.Args = append(e.Args, p.expr())
	}
	p.want(")")
	return e
}

func (p *parser) call(end string) *Expr {
	e := &Expr{Kind: Call, Name: p.next()}
	for p.peek() != end && p.peek() != "" {
		e.Args = append(e.Args, p.expr())
	}
	p.want(end)
	if p.set.funcs.Attrs[e.Name] == nil && p.set.funcs.Values[e.Name] == nil {
		p.fail("no function %q", e.Name)
	}
	return e
}

func (p *parser) cond() *Expr {
	p.want("(")
	e := &Expr{Kind: Call, Name: p.next()}
	for p.peek() != ")" && p.peek() != "" {
		e.Args = append(e.Args, p.expr())
	}
	p.want(")")
	if p.set.funcs.Conds[e.Name] == nil {
		p.fail("no condition %q", e.Name)
	}
	return e
}
