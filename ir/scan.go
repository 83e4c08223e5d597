package ir

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// scanner reads the tokens of one line of the text form. The first error
// sticks and ends the line.
type scanner struct {
	text string
	pos  int
	err  error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
	s.pos = len(s.text)
}

// rest skips blanks and returns what is left.
func (s *scanner) rest() string {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t') {
		s.pos++
	}
	return s.text[s.pos:]
}

// peek returns the next byte that is not a blank, 0 at the end.
func (s *scanner) peek() byte {
	if r := s.rest(); r != "" {
		return r[0]
	}
	return 0
}

// eat skips c if it comes next.
func (s *scanner) eat(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// plain reports whether c can stand in an unquoted word.
func plain(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || strings.IndexByte("._-+:/$", c) >= 0
}

// word reads a possibly empty run of plain bytes.
func (s *scanner) word() string {
	r := s.rest()
	n := 0
	for n < len(r) && plain(r[n]) {
		n++
	}
	s.pos += n
	return r[:n]
}

// wordOrQuoted prints x as [scanner.wordOrQuoted] reads it.
func wordOrQuoted(x string) string {
	for i := range len(x) {
		if !plain(x[i]) {
			return strconv.Quote(x)
		}
	}
	if x == "" {
		return `""`
	}
	return x
}

func (s *scanner) quoted() (string, bool) {
	r := s.rest()
	if r == "" || r[0] != '"' {
		return "", false
	}
	q, err := strconv.QuotedPrefix(r)
	if err != nil {
		s.fail("bad string %.40s", r)
		return "", false
	}
	s.pos += len(q)
	x, err := strconv.Unquote(q)
	if err != nil {
		s.fail("bad string %.40s", q)
	}
	return x, err == nil
}

func (s *scanner) wordOrQuoted() string {
	if x, ok := s.quoted(); ok {
		return x
	}
	x := s.word()
	if x == "" {
		s.fail("want a word or a string before %.20q", s.rest())
	}
	return x
}

// fieldName reads "name=" if that comes next.
func (s *scanner) fieldName() (string, bool) {
	r := s.rest()
	n := 0
	for n < len(r) && isLetter(r[n]) {
		n++
	}
	if n == 0 || n == len(r) || r[n] != '=' {
		return "", false
	}
	s.pos += n + 1
	return r[:n], true
}

func (s *scanner) int() int64 {
	w := s.word()
	v, err := strconv.ParseInt(w, 10, 64)
	if err != nil {
		s.fail("want an integer, have %q", w)
	}
	return v
}

func (s *scanner) bool() bool {
	w := s.word()
	if w != "true" && w != "false" {
		s.fail("want true or false, have %q", w)
	}
	return w == "true"
}

func (s *scanner) dtype() DType {
	w := s.word()
	d, ok := ParseDType(w)
	if !ok {
		s.fail("unknown element type %q", w)
	}
	return d
}

// dim reads an expression, which ends at a blank, a comma or a bracket that
// is not inside parentheses.
func (s *scanner) dim() Dim {
	r := s.rest()
	n, depth := 0, 0
	for n < len(r) && (depth > 0 || strings.IndexByte(" \t,]}>", r[n]) < 0) {
		switch r[n] {
		case '(':
			depth++
		case ')':
			depth--
		}
		n++
	}
	d, err := ParseDim(r[:n])
	s.pos += n
	if err != nil {
		s.fail("%v", err)
	}
	return d
}

// b64 reads "b64:" and base64 data.
func (s *scanner) b64() ([]byte, bool) {
	r, ok := strings.CutPrefix(s.rest(), "b64:")
	if !ok {
		return nil, false
	}
	n := strings.IndexAny(r, "} \t")
	if n < 0 {
		n = len(r)
	}
	data, err := base64.StdEncoding.Strict().DecodeString(r[:n])
	s.pos += len("b64:") + n
	if err != nil {
		s.fail("bad base64 data: %v", err)
	}
	return data, true
}

// maxRank is the largest rank of a tensor, that of NumPy.
const maxRank = 64

// shape reads "[2,N]".
func (s *scanner) shape() Shape {
	shape := Shape{}
	if !s.eat('[') {
		s.fail("want '[' before %.20q", s.rest())
	}
	for s.err == nil && !s.eat(']') {
		shape = append(shape, s.dim())
		s.eat(',')
		if len(shape) > maxRank {
			s.fail("rank above %d", maxRank)
		}
	}
	return shape
}

// typ reads "f32[2,N]" or "(f32[2], i64[])"; a tuple has no tuples in it.
func (s *scanner) typ() Type {
	if !s.eat('(') {
		return Of(s.dtype(), s.shape())
	}
	t := Type{DType: Tuple}
	for s.err == nil && !s.eat(')') {
		t.Elems = append(t.Elems, Of(s.dtype(), s.shape()))
		s.eat(',')
	}
	return t
}
