package gosrc

import (
	"fmt"
	"go/token"
	"strings"
)

const prefix = "//tcc:compile"

// directive is a parsed //tcc:compile line.
type directive struct {
	pos   token.Position
	specs map[string]string // types by argument, and extents by name
	bake  map[string]string // expressions by argument; empty: of the argument's name
	grad  []string
	// optimizer is an expression; empty: there is none.
	optimizer string
	inPlace   []string // arguments that a result replaces
	order     []string // the keys of specs as they were written
}

// parseDirective reads the words of a directive.
func parseDirective(text string, pos token.Position) (*directive, error) {
	d := &directive{pos: pos, specs: map[string]string{}, bake: map[string]string{}}
	words, err := splitWords(strings.TrimPrefix(text, prefix))
	if err != nil {
		return nil, d.errorf("%v", err)
	}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok || value == "" || key == "" {
			return nil, d.errorf("%q: want NAME=TYPE, bake=NAME, grad=NAME, "+
				"optimizer=EXPRESSION, inplace=NAME or EXTENT=LO..HI", w)
		}
		switch key {
		case "grad":
			d.grad = append(d.grad, strings.Split(value, ",")...)
		case "inplace":
			d.inPlace = append(d.inPlace, strings.Split(value, ",")...)
		case "optimizer":
			if d.optimizer != "" {
				return nil, d.errorf("optimizer= stands there twice")
			}
			d.optimizer = value
		case "bake":
			name, expr, _ := strings.Cut(value, "=")
			if _, twice := d.bake[name]; twice {
				return nil, d.errorf("bake=%s stands there twice", name)
			}
			d.bake[name] = expr
		default:
			if _, twice := d.specs[key]; twice {
				return nil, d.errorf("%s= stands there twice", key)
			}
			d.specs[key] = value
			d.order = append(d.order, key)
		}
	}
	return d, nil
}

func (d *directive) errorf(format string, args ...any) error {
	return &Error{Pos: d.pos, Op: "tcc:compile", Msg: fmt.Sprintf(format, args...)}
}

// splitWords separates at spaces outside of brackets and quotes.
func splitWords(s string) ([]string, error) {
	var words []string
	var b strings.Builder
	depth, quote := 0, rune(0)
	for _, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '`' || r == '\'':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case depth == 0 && (r == ' ' || r == '\t' || r == '\r'):
			if b.Len() > 0 {
				words = append(words, b.String())
			}
			b.Reset()
			continue
		}
		b.WriteRune(r)
	}
	if b.Len() > 0 {
		words = append(words, b.String())
	}
	if depth != 0 || quote != 0 {
		return nil, fmt.Errorf("%q: brackets or quotes are not closed", strings.TrimSpace(s))
	}
	return words, nil
}

// Error is a fault in the user's source.
type Error struct {
	Pos token.Position
	Op  string // what was called
	Msg string // what is, what was wanted, what to do
}

// Error returns "file:line: op: message".
func (e *Error) Error() string {
	s := e.Op + ": " + e.Msg
	if e.Pos.Filename == "" {
		return s
	}
	return fmt.Sprintf("%s:%d: %s", relative(e.Pos.Filename), e.Pos.Line, s)
}
