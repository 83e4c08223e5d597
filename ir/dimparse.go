package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDimDepth bounds the nesting of parsed expressions.
const maxDimDepth = 64

// ParseDim reads what [Dim.String] prints and, more generally, expressions of
// integers, symbols, + - * / (floor) %, min(a,b), max(a,b) and parentheses.
// The text may be untrusted.
func ParseDim(text string) (Dim, error) {
	p := dimParser{text: text}
	d := p.sum(0)
	if p.err == nil && p.rest() != "" {
		p.fail("unexpected %q", p.rest())
	}
	if p.err != nil {
		return Dim{}, fmt.Errorf("dim %q: %w", text, p.err)
	}
	return d, nil
}

type dimParser struct {
	text string
	pos  int
	err  error
}

func (p *dimParser) rest() string {
	p.pos += len(p.text[p.pos:]) - len(strings.TrimLeft(p.text[p.pos:], " "))
	return p.text[p.pos:]
}

func (p *dimParser) fail(format string, args ...any) Dim {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.pos = len(p.text)
	return Dim{}
}

// eat skips one of the given bytes and returns it, or 0.
func (p *dimParser) eat(set string) byte {
	if r := p.rest(); r != "" && strings.IndexByte(set, r[0]) >= 0 {
		p.pos++
		return r[0]
	}
	return 0
}

func (p *dimParser) sum(depth int) Dim {
	if depth > maxDimDepth {
		return p.fail("nested deeper than %d", maxDimDepth)
	}
	var d Dim
	if p.eat("-") != 0 {
		d = p.product(depth, true)
	} else {
		d = p.product(depth, false)
	}
	for {
		op := p.eat("+-")
		if op == 0 {
			return d
		}
		d = d.Add(p.product(depth, op == '-'))
	}
}

// product parses a product, negated if neg: a leading minus belongs to the
// number, so that the smallest integer can be read.
func (p *dimParser) product(depth int, neg bool) Dim {
	d := p.factor(depth, neg)
	for {
		op := p.eat("*/%")
		if op == 0 {
			return d
		}
		e := p.factor(depth, false)
		d = DimOp(op, d, e)
	}
}

func (p *dimParser) factor(depth int, neg bool) Dim {
	r := p.rest()
	end := 0
	for end < len(r) && (isLetter(r[end]) || '0' <= r[end] && r[end] <= '9' || r[end] == '.') {
		end++
	}
	word := r[:end]
	p.pos += end
	switch {
	case word == "" && p.eat("(") != 0:
		return p.closed(p.sum(depth+1), neg)
	case word == "":
		return p.fail("want a number, a name or '(' before %q", r)
	case '0' <= word[0] && word[0] <= '9':
		if neg {
			word = "-" + word
		}
		k, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return p.fail("bad number %s", word)
		}
		return Const(k)
	case word == "min" || word == "max":
		return p.minMax(word, depth, neg)
	case word == overflow:
		return overflowed()
	case !IsSymName(word):
		return p.fail("bad symbol %q", word)
	}
	return negIf(Sym(word), neg)
}

func (p *dimParser) minMax(word string, depth int, neg bool) Dim {
	if p.eat("(") == 0 {
		return p.fail("want '(' after %s", word)
	}
	a := p.sum(depth + 1)
	if p.eat(",") == 0 {
		return p.fail("want two operands of %s", word)
	}
	b := p.sum(depth + 1)
	op := byte('<')
	if word == "max" {
		op = '>'
	}
	return p.closed(DimOp(op, a, b), neg)
}

func (p *dimParser) closed(d Dim, neg bool) Dim {
	if p.eat(")") == 0 {
		return p.fail("want ')'")
	}
	return negIf(d, neg)
}

func negIf(d Dim, neg bool) Dim {
	if neg {
		return d.Neg()
	}
	return d
}

func isLetter(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
