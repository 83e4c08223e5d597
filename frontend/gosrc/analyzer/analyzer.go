// Package analyzer finds errors of shape and type in //tcc:compile functions
// while they are edited:
//
//	go vet -vettool=$(which tcc) ./...
//
// [Analyzer] interprets such a function on symbolic tensors of the types that
// its directive gives, and calls package tensor itself for every operation, so
// that it says what tcc gen would say, at the same line. It follows calls into
// packages that use the DSL, such as frontend/nn, whose syntax is their fact; an
// error there is reported at the call that leads to it, with its place. What it
// does not know it does not judge: code that may not run (behind a condition
// that is not known, in a loop of an unknown length, behind a possible return),
// values of other functions, and what becomes of them. An error that it reports
// would stop tcc gen; that it reports none says little.
package analyzer

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/tensorcc/tcc/frontend/gosrc"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// Analyzer reports errors of shape and element type in //tcc:compile functions.
var Analyzer = &analysis.Analyzer{
	Name: "tcc",
	Doc: "report errors of shape and element type in functions that tcc compiles\n\n" +
		"A function with a //tcc:compile directive is interpreted on symbolic tensors; the first\n" +
		"operation that cannot work is reported as tcc gen would report it.",
	URL:       "https://github.com/tensorcc/tcc",
	Run:       run,
	FactTypes: []analysis.Fact{new(syntax)},
}

func run(pass *analysis.Pass) (any, error) {
	known := imported(pass)
	if !concerns(pass, known) {
		return nil, nil
	}
	if err := export(pass, known); err != nil {
		return nil, err
	}
	p, err := gosrc.Inspect(pass.Fset, pass.Files, pass.Pkg, pass.TypesInfo)
	for _, e := range flatten(err) {
		var at *gosrc.Error
		if errors.As(e, &at) {
			pass.Reportf(lineStart(pass, at.Pos), "%s: %s", at.Op, at.Msg)
		}
	}
	prog := newProgram(pass, known)
	for _, f := range p.Funcs {
		if d := prog.check(f); d != nil {
			pass.Report(*d)
		}
	}
	return nil, nil
}

func flatten(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range j.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

// lineStart is the place of a position of which file and line are known.
func lineStart(pass *analysis.Pass, at token.Position) token.Pos {
	for _, f := range pass.Files {
		if tf := pass.Fset.File(f.Pos()); tf.Name() == at.Filename && at.Line <= tf.LineCount() {
			return tf.LineStart(at.Line)
		}
	}
	return token.NoPos
}

// check interprets f; the diagnostic is nil if nothing is certainly wrong.
func (p *program) check(f *gosrc.Func) *analysis.Diagnostic {
	var specs []string
	in := make([]reflect.Type, 0, len(f.Args()))
	run := &interp{program: p, unit: p.own}
	leaves, args := run.arguments(f)
	for i, l := range leaves {
		in = append(in, tensorType)
		specs = append(specs, fmt.Sprintf("a%d=%s", i, l.spec))
	}
	traced := reflect.MakeFunc(reflect.FuncOf(in, []reflect.Type{tensorType}, false),
		func(ts []reflect.Value) []reflect.Value {
			for i, l := range leaves {
				l.set(ts[i])
			}
			run.start(f.Decl, args)
			return []reflect.Value{reflect.ValueOf(tensor.Of(0))}
		})
	_, err := tensor.Trace(traced.Interface(), specs...)
	var e *tensor.Error
	if run.failed == nil || !errors.As(err, &e) || e != run.failed.err {
		return nil // an operation on constants, whose result may not be used
	}
	at := run.failed.site
	d := &analysis.Diagnostic{Pos: callPos(at), End: at.End(), Message: e.Op + ": " + e.Msg}
	if u := run.failed.user; u.unit != p.own {
		in := u.unit.fset.Position(callPos(u.call))
		d.Message += fmt.Sprintf(" (%s, %s:%d)", u.unit.pkg.Path(), filepath.Base(in.Filename), in.Line)
	}
	if run.failed.call == at {
		if fix := suggest(at, e.Msg); fix != nil {
			d.SuggestedFixes = []analysis.SuggestedFix{*fix}
		}
	}
	return d
}

// callPos is where Go's traces place a call: the name that is called.
func callPos(call *ast.CallExpr) token.Pos {
	if s, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		return s.Sel.Pos()
	}
	return call.Pos()
}

var unsqueeze = regexp.MustCompile(`shapes \(([^)]*)\) and \(([^)]*)\) do not broadcast.*` +
	`; the (first|second) would fit as [^:]*: use Unsqueeze\((\d+)\)$`)

// suggest returns the fix that the message names, if one operand has fewer axes
// and is a tensor to which a call can be appended. Of two with as many axes
// either may be meant.
func suggest(call *ast.CallExpr, msg string) *analysis.SuggestedFix {
	m := unsqueeze.FindStringSubmatch(msg)
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if m == nil || !ok || len(call.Args) != 1 {
		return nil
	}
	operand, fewer, more := sel.X, m[1], m[2]
	if m[3] == "second" {
		operand, fewer, more = call.Args[0], m[2], m[1]
	}
	if strings.Count(fewer, ",") >= strings.Count(more, ",") {
		return nil
	}
	switch operand.(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.CallExpr, *ast.IndexExpr, *ast.ParenExpr:
	default:
		return nil
	}
	axis, err := strconv.Atoi(m[4])
	if err != nil {
		return nil
	}
	text := fmt.Sprintf(".Unsqueeze(%d)", axis)
	return &analysis.SuggestedFix{Message: "add " + text,
		TextEdits: []analysis.TextEdit{{Pos: operand.End(), End: operand.End(), NewText: []byte(text)}}}
}
