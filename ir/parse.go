package ir

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// maxNesting bounds the depth of regions in regions.
const maxNesting = 32

// Parse reads a graph from the text form, infers its types, compares them
// with the types the text gives, and verifies it. file is used in errors, and
// as the position of values whose line has none; with an empty file these
// have no position, so that Parse("", Print(g)) equals g. The text may be
// untrusted.
func Parse(file, text string) (*Graph, error) {
	g, err := parseText(file, text)
	if err != nil {
		return nil, err
	}
	if err = Verify(g); err != nil && file != "" {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return g, err
}

// parseText is Parse without the verifier.
func parseText(file, text string) (*Graph, error) {
	p := &parser{file: file, lines: strings.Split(text, "\n")}
	g, err := p.graph("", 0)
	if err == nil && p.next() != nil {
		err = fmt.Errorf("%.40q after the end of the graph", p.lines[p.line-1])
	}
	if err != nil {
		if file == "" {
			file = "line "
		} else {
			file += ":"
		}
		return nil, fmt.Errorf("%s%d: %w", file, p.line, err)
	}
	return g, nil
}

type parser struct {
	file  string
	lines []string
	line  int // number of the current line, from 1
}

// next moves to the next line that is neither empty nor a comment; nil at the
// end.
func (p *parser) next() *scanner {
	for p.line < len(p.lines) {
		s := &scanner{text: strings.TrimSuffix(p.lines[p.line], "\r")}
		p.line++
		if c := s.peek(); c != 0 && c != '#' {
			return s
		}
	}
	return nil
}

// graph reads a graph whose first line starts with label.
func (p *parser) graph(label string, depth int) (*Graph, error) {
	s := p.next()
	if s == nil {
		return nil, fmt.Errorf("the text ends, want %sgraph NAME", label)
	}
	if label != "" && s.word() != label || s.word() != "graph" {
		return nil, fmt.Errorf("want %q", strings.TrimSpace(label+" graph NAME"))
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("regions nested deeper than %d", maxNesting)
	}
	g := NewGraph(s.wordOrQuoted())
	s.end()
	if s.err != nil {
		return nil, s.err
	}
	names := map[string]*Value{}
	for {
		s := p.next()
		if s == nil {
			return nil, fmt.Errorf("the text ends, want return in graph %s", g.Name)
		}
		name := s.word()
		if name == "return" {
			return g, results(s, g, names)
		}
		if err := p.value(s, g, name, names, depth); err != nil {
			return nil, err
		}
	}
}

// end checks that the line is over but for a comment.
func (s *scanner) end() {
	if r := s.rest(); r != "" && r[0] != '#' {
		s.fail("unexpected %.40q", r)
	}
}

func results(s *scanner, g *Graph, names map[string]*Value) error {
	var resultNames []string
	var rs []*Value
	for s.err == nil && s.peek() != 0 && s.peek() != '#' {
		w := s.wordOrQuoted()
		if s.eat('=') {
			resultNames = append(resultNames, w)
			w = s.word()
		}
		v, ok := names[w]
		if !ok {
			s.fail("no value %q", w)
		}
		rs = append(rs, v)
	}
	g.SetResults(resultNames, rs...)
	return s.err
}

// value reads "name = op <type> args {attr} # pos" and the regions below.
func (p *parser) value(s *scanner, g *Graph, name string, names map[string]*Value,
	depth int) error {
	if name == "" || !s.eat('=') {
		return fmt.Errorf("want NAME = OP or return")
	}
	if names[name] != nil {
		return fmt.Errorf("second value %s", name)
	}
	opName := s.word()
	op, ok := ParseOp(opName)
	if !ok {
		return fmt.Errorf("unknown operation %q", opName)
	}
	var typ Type
	typed := s.eat('<')
	if typed {
		if typ = s.typ(); !s.eat('>') {
			s.fail("want '>'")
		}
	}
	var args []*Value
	for s.err == nil && plain(s.peek()) {
		w := s.word()
		if names[w] == nil {
			s.fail("no value %q", w)
		}
		args = append(args, names[w])
	}
	if s.err == nil && !typed && (op == OpParam || op == OpConst) {
		s.fail("%s needs a type", opName)
	}
	attr := parseAttr(s, op.Info().Attr, typ)
	pos := p.pos(s)
	if s.err != nil {
		return s.err
	}
	if err := p.regions(attr, depth); err != nil {
		return err
	}
	if op == OpParam {
		if len(args) > 0 {
			return fmt.Errorf("param has no arguments")
		}
		names[name] = g.Param(attr.(*ParamAttr).Name, typ, pos)
		return nil
	}
	v, err := g.New(pos, op, attr, args...)
	if err == nil && typed && !v.Type.Equal(typ) {
		err = fmt.Errorf("%s: the type is %v, the text says %v", opName, v.Type, typ)
	}
	names[name] = v
	return err
}

// pos reads the comment at the end of a line. A comment that is not of the
// form of a position is only a comment.
func (p *parser) pos(s *scanner) Pos {
	line := p.line
	defaultPos := func() Pos {
		if p.file == "" {
			return Pos{}
		}
		return Pos{File: p.file, Line: line}
	}
	s.end()
	if s.err != nil || !s.eat('#') {
		return defaultPos()
	}
	c := scanner{text: s.rest()}
	pos := Pos{}
	if q, ok := c.quoted(); ok {
		pos.File = q
	} else if c.peek() != '@' {
		pos.File, _, _ = strings.Cut(c.word(), ":")
		c.pos = len(c.text) - len(strings.TrimPrefix(c.text, pos.File))
	}
	if c.eat(':') {
		n, err := strconv.Atoi(c.word())
		if pos.Line = n; err != nil || n <= 0 {
			return defaultPos()
		}
	}
	if c.eat('@') {
		pos.Node = c.wordOrQuoted()
	}
	if c.end(); c.err != nil || pos == (Pos{}) || c.rest() != "" {
		return defaultPos()
	}
	return pos
}

// regions reads the graphs that are fields of attr.
func (p *parser) regions(attr Attr, depth int) error {
	for _, name := range regionNames(attr) {
		g, err := p.graph(name, depth+1)
		if err != nil {
			return err
		}
		v := reflect.ValueOf(attr).Elem()
		for i := range v.NumField() {
			if strings.ToLower(v.Type().Field(i).Name) == name {
				v.Field(i).Set(reflect.ValueOf(g))
			}
		}
	}
	return nil
}

// regionNames returns the names of the fields of a that are graphs, in the
// order of [Value.Regions].
func regionNames(a Attr) []string {
	if a == nil {
		return nil
	}
	var names []string
	t := reflect.TypeOf(a).Elem()
	for i := range t.NumField() {
		if t.Field(i).Type == graphType {
			names = append(names, strings.ToLower(t.Field(i).Name))
		}
	}
	return names
}
