package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
)

// maxOpset is the newest operator set whose changes the table has.
const maxOpset = 28

// row says how an operator is imported from the version since of its operator
// set on, up to the next row of the same operator. Rows start at the version
// that gave an operator the meaning that its function implements; versions
// that only add element types have no row.
type row struct {
	op           string // with its domain, if it is not ONNX's own
	since        int64
	minIn, maxIn int // number of inputs; -1: any
	run          func(n *node) []*tensor
}

// To add an operator, or a version that changes its meaning: add its row.
var importers = slices.Concat(elementwiseRows, shapeRows, indexRows, reduceRows, nnRows,
	normRows, controlRows, recurrentRows, attentionRows, lossRows, einsumRows, gridRows, signalRows,
	mlRows, legacyRows)

// rows has the rows of each operator, newest first.
var rows map[string][]*row

// init indexes importers. A function cannot do so where rows is declared:
// control operators import the graphs in their attributes, and so refer back
// to rows.
func init() {
	rows = map[string][]*row{}
	for i := range importers {
		r := &importers[i]
		rows[r.op] = append(rows[r.op], r)
	}
	for _, list := range rows {
		slices.SortFunc(list, func(a, b *row) int { return int(b.since - a.since) })
	}
}

// Operators returns the operators that the table has, sorted, each as
// "Add-7": its name and the version that a row starts at.
func Operators() []string {
	out := make([]string, 0, len(importers))
	for _, r := range importers {
		out = append(out, fmt.Sprintf("%s-%d", r.op, r.since))
	}
	slices.Sort(out)
	return out
}

// lookup returns the row of an operator, nil if there is none.
func lookup(domain, op string, version int64) *row {
	if d := domainOf(domain); d != "" {
		op = d + "." + op
	}
	for _, r := range rows[op] {
		if r.since <= version {
			return r
		}
	}
	return nil
}

// domainOf spells ONNX's own domain one way.
func domainOf(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// opName is the operator of p with its domain.
func opName(p *onnxpb.NodeProto) string {
	if d := domainOf(p.Domain); d != "" {
		return d + "." + p.OpType
	}
	return p.OpType
}

// findUnsupported returns an error that names all operators in g and the
// functions it calls that the table lacks, each with its nodes.
func (im *importer) findUnsupported(g *onnxpb.GraphProto, opsets map[string]int64) error {
	f := &finder{im: im, nodes: map[string][]string{}, seen: map[funcKey]bool{}}
	f.walk(g.Node, opsets)
	if len(f.order) == 0 {
		return nil
	}
	parts := make([]string, len(f.order))
	for i, op := range f.order {
		nodes := f.nodes[op]
		what := strings.Join(nodes[:min(len(nodes), 5)], ", ")
		if more := len(nodes) - 5; more > 0 {
			what += fmt.Sprintf(" and %d more", more)
		}
		parts[i] = fmt.Sprintf("%s (%s)", op, what)
	}
	return &UnsupportedError{Ops: f.order, text: "unsupported operators: " + strings.Join(parts, "; ")}
}

// UnsupportedError says that a model has what cannot be imported though it is
// no mistake: operators that the table lacks, or element types and features
// of operators.
type UnsupportedError struct {
	Ops  []string // the operators, with domain and version
	text string
}

func lacking(format string, args ...any) error {
	return &UnsupportedError{text: fmt.Sprintf(format, args...)}
}

// Error says what is lacking; operators with their nodes.
func (e *UnsupportedError) Error() string { return e.text }

// finder collects unsupported operators.
type finder struct {
	im    *importer
	order []string
	nodes map[string][]string
	seen  map[funcKey]bool
}

func (f *finder) walk(nodes []*onnxpb.NodeProto, opsets map[string]int64) {
	for i, p := range nodes {
		if fn := f.im.function(p); fn != nil {
			if k := keyOf(p); !f.seen[k] {
				f.seen[k] = true
				if sets, err := opsetsOf(fn.OpsetImport); err == nil {
					f.walk(fn.Node, sets)
				}
			}
			continue
		}
		version := opsets[domainOf(p.Domain)]
		if lookup(p.Domain, p.OpType, version) == nil {
			op := fmt.Sprintf("%s-%d", opName(p), version)
			if f.nodes[op] == nil {
				f.order = append(f.order, op)
			}
			f.nodes[op] = append(f.nodes[op], nodeName(p, i))
		}
		for _, a := range p.Attribute {
			for _, g := range append([]*onnxpb.GraphProto{a.G}, a.Graphs...) {
				if g != nil {
					f.walk(g.Node, opsets)
				}
			}
		}
	}
}
