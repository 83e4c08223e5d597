package ir

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// Print returns the text form of g, which [Parse] reads back.
func Print(g *Graph) string {
	var b strings.Builder
	g.WriteText(&b, false)
	return b.String()
}

// String returns the text form of g for people: long constants are cut.
func (g *Graph) String() string {
	var b strings.Builder
	g.WriteText(&b, true)
	return b.String()
}

// WriteText writes the text form of g. With elide, long constants are cut,
// and the text cannot be read back.
func (g *Graph) WriteText(w io.Writer, elide bool) error {
	p := printer{w: bufio.NewWriter(w), elide: elide}
	p.graph("", "", g)
	return p.w.Flush()
}

// Line returns the line of v in the text form, without its regions, for
// errors and logs.
func (v *Value) Line() string {
	var b strings.Builder
	writeValue(&b, v, true)
	return b.String()
}

// posColumn is where positions start, if the line is not longer.
const posColumn = 48

type printer struct {
	w     *bufio.Writer
	elide bool
}

func (p *printer) graph(indent, label string, g *Graph) {
	p.w.WriteString(indent + label + "graph " + wordOrQuoted(g.Name) + "\n")
	for _, v := range g.Values {
		var b strings.Builder
		writeValue(&b, v, p.elide)
		p.w.WriteString(indent + "\t" + b.String() + "\n")
		if v == nil {
			continue
		}
		for i, r := range v.Regions() {
			if r != nil {
				p.graph(indent+"\t\t", regionNames(v.Attr)[i]+" ", r)
			}
		}
	}
	p.w.WriteString(indent + "\treturn")
	for i, r := range g.Results {
		p.w.WriteByte(' ')
		if i < len(g.ResultNames) {
			p.w.WriteString(wordOrQuoted(g.ResultNames[i]) + "=")
		}
		p.w.WriteString(valueName(r))
	}
	p.w.WriteByte('\n')
}

func valueName(v *Value) string {
	if v == nil {
		return "nil"
	}
	return v.String()
}

func writeValue(b *strings.Builder, v *Value, elide bool) {
	if v == nil {
		b.WriteString("nil")
		return
	}
	b.WriteString(v.String() + " = " + v.Op.String() + " <" + v.Type.String() + ">")
	for _, a := range v.Args {
		b.WriteString(" " + valueName(a))
	}
	if v.Attr != nil {
		writeAttr(b, v.Attr, elide)
	}
	if v.Pos != (Pos{}) {
		for n := posColumn - b.Len(); n > 0; n-- {
			b.WriteByte(' ')
		}
		b.WriteString(" # " + posText(v.Pos))
	}
}

// posText prints p as "file:line @node", each part only where it is known.
func posText(p Pos) string {
	var parts []string
	if p.File != "" || p.Line > 0 {
		s := p.File
		if s == "" || strings.ContainsAny(s, ":@") || wordOrQuoted(s) != s {
			s = strconv.Quote(s)
		}
		if p.Line > 0 {
			s += ":" + strconv.Itoa(p.Line)
		}
		parts = append(parts, s)
	}
	if p.Node != "" {
		parts = append(parts, "@"+wordOrQuoted(p.Node))
	}
	return strings.Join(parts, " ")
}
