package onnx

import (
	"fmt"
	"strings"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// node is a node of the model while it is imported.
type node struct {
	im      *importer
	s       *scope
	p       *onnxpb.NodeProto
	name    string // for errors and positions
	pos     ir.Pos
	version int64 // of the operator set
	in      []*tensor
	attrs   map[string]*onnxpb.AttributeProto
	read    map[string]bool // attributes that the import function asked for
}

// nodeError is what an import function panics with; importNode recovers it.
type nodeError struct{ err error }

// fail ends the import of n with an error.
func (n *node) fail(format string, args ...any) {
	panic(&nodeError{fmt.Errorf(format, args...)})
}

// lacks ends the import of n with an error that says what is not supported.
func (n *node) lacks(format string, args ...any) {
	panic(&nodeError{lacking(format, args...)})
}

// nodeName is how errors call a node: by its name, or by its first output
// where it has none.
func nodeName(p *onnxpb.NodeProto, index int) string {
	if p.Name != "" {
		return p.Name
	}
	for _, o := range p.Output {
		if o != "" {
			return o
		}
	}
	return fmt.Sprintf("%s#%d", p.OpType, index)
}

// importNode imports the node p and enters its outputs into s.
func (im *importer) importNode(s *scope, p *onnxpb.NodeProto, index int) {
	n := &node{im: im, s: s, p: p, name: nodeName(p, index), version: s.opsets[domainOf(p.Domain)],
		attrs: map[string]*onnxpb.AttributeProto{}, read: map[string]bool{}}
	n.pos = ir.Pos{Node: n.name}
	out, err := n.run()
	if err != nil {
		im.errs = append(im.errs, fmt.Errorf("%s: %s: %w", n.name, opName(p), err))
	}
	for i, name := range p.Output {
		switch {
		case name == "":
		case i < len(out) && out[i] != nil:
			s.names[name] = out[i]
		default:
			if err == nil && i >= len(out) {
				err = lacking("%s: %s: output %d is not supported", n.name, opName(p), i)
				im.errs = append(im.errs, err)
			}
			s.names[name] = &tensor{bad: true}
		}
	}
}

// run imports n. Its results are missing where an input is bad.
func (n *node) run() (out []*tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*nodeError)
			if !ok {
				panic(r)
			}
			err = e.err
		}
	}()
	if n.im.nodes++; n.im.nodes > maxNodes {
		n.fail("the model has over %d nodes, functions expanded", maxNodes)
	}
	bad := n.inputs()
	n.attributes()
	if bad {
		return make([]*tensor, len(n.p.Output)), nil
	}
	if f := n.im.function(n.p); f != nil {
		return n.call(f), nil
	}
	row := lookup(n.p.Domain, n.p.OpType, n.version)
	if row == nil {
		n.lacks("operator is not supported in version %d", n.version)
	}
	if len(n.in) < row.minIn || row.maxIn >= 0 && len(n.in) > row.maxIn {
		n.fail("%d inputs, want %s", len(n.in), countRange(row.minIn, row.maxIn))
	}
	for i := range row.minIn {
		if n.in[i] == nil {
			n.fail("input %d is missing", i)
		}
	}
	out = row.run(n)
	for name := range n.attrs {
		if !n.read[name] {
			n.fail("attribute %q is not known", name)
		}
	}
	return out, nil
}

func countRange(lo, hi int) string {
	switch {
	case hi < 0:
		return fmt.Sprintf("%d or more", lo)
	case lo == hi:
		return fmt.Sprint(lo)
	}
	return fmt.Sprintf("%d to %d", lo, hi)
}

// inputs looks up the inputs of n; bad is whether one could not be imported.
// Trailing inputs that are left out are dropped.
func (n *node) inputs() (bad bool) {
	for _, name := range n.p.Input {
		if name == "" {
			n.in = append(n.in, nil)
			continue
		}
		t := n.s.lookup(name)
		if t == nil {
			n.fail("input %q: no node before makes it", name)
		}
		if t == missing {
			t = nil
		} else if t.bad {
			bad = true
		}
		n.in = append(n.in, t)
	}
	for len(n.in) > 0 && n.in[len(n.in)-1] == nil {
		n.in = n.in[:len(n.in)-1]
	}
	return bad
}

// attributes indexes the attributes of n, with references into the call
// around resolved.
func (n *node) attributes() {
	for _, a := range n.p.Attribute {
		name := a.Name
		if a.RefAttrName != "" {
			if n.s.call == nil {
				n.fail("attribute %q refers to %q outside of a function", name, a.RefAttrName)
			}
			ref := n.s.call.attrs[a.RefAttrName]
			if ref == nil {
				continue // left out by the call: the operator's default holds
			}
			a = ref
		}
		if n.attrs[name] != nil {
			n.fail("attribute %q is there twice", name)
		}
		n.attrs[name] = a
	}
}

// has reports whether input i is there.
func (n *node) has(i int) bool { return i < len(n.in) && n.in[i] != nil }

// attr returns the attribute name of the wanted type, nil if it is not there.
func (n *node) attr(name string, want onnxpb.AttributeType) *onnxpb.AttributeProto {
	n.read[name] = true
	a := n.attrs[name]
	if a != nil && a.Type != want && a.Type != onnxpb.AttrUndefined {
		n.fail("attribute %q has type %d, want %d", name, a.Type, want)
	}
	return a
}

// ignore says that attributes are known and do not matter.
func (n *node) ignore(names ...string) {
	for _, name := range names {
		n.read[name] = true
	}
}

func (n *node) int(name string, def int64) int64 {
	if a := n.attr(name, onnxpb.AttrInt); a != nil {
		return a.I
	}
	return def
}

// flag is an integer attribute that is 0 or 1.
func (n *node) flag(name string, def bool) bool {
	a := n.attr(name, onnxpb.AttrInt)
	if a == nil {
		return def
	}
	if a.I != 0 && a.I != 1 {
		n.fail("attribute %q is %d, want 0 or 1", name, a.I)
	}
	return a.I == 1
}

func (n *node) float(name string, def float32) float64 {
	if a := n.attr(name, onnxpb.AttrFloat); a != nil {
		return float64(a.F)
	}
	return float64(def)
}

func (n *node) str(name, def string) string {
	if a := n.attr(name, onnxpb.AttrString); a != nil {
		return string(a.S)
	}
	return def
}

// choice is a string attribute with one of the given values; the first is the
// default.
func (n *node) choice(name string, values ...string) string {
	s := n.str(name, values[0])
	for _, v := range values {
		if s == v {
			return s
		}
	}
	n.fail("attribute %q is %q, want one of %s", name, s, strings.Join(values, ", "))
	return ""
}

// ints returns a list attribute, nil if it is not there.
func (n *node) ints(name string) []int64 {
	if a := n.attr(name, onnxpb.AttrInts); a != nil {
		return append([]int64{}, a.Ints...)
	}
	return nil
}

// dtype is an attribute that names an element type.
func (n *node) dtype(name string, def onnxpb.DataType) ir.DType {
	code := onnxpb.DataType(n.int(name, int64(def)))
	d, ok := dtypes[code]
	if !ok || d == ir.String {
		n.fail("attribute %q: %w", name, unsupportedType(code))
	}
	return d
}

// graph is an attribute that must be there.
func (n *node) graph(name string) *onnxpb.GraphProto {
	a := n.attr(name, onnxpb.AttrGraph)
	if a == nil || a.G == nil {
		n.fail("attribute %q is missing", name)
	}
	return a.G
}

// axis returns a non-negative axis for one that may count from the end.
func (n *node) axis(a int64, rank int) int {
	if a < -int64(rank) || a >= int64(rank) {
		n.fail("axis %d is out of range for rank %d", a, rank)
	}
	if a < 0 {
		a += int64(rank)
	}
	return int(a)
}

// axes returns non-negative axes, each once.
func (n *node) axes(list []int64, rank int) []int {
	seen := make([]bool, rank)
	out := make([]int, len(list))
	for i, a := range list {
		out[i] = n.axis(a, rank)
		if seen[out[i]] {
			n.fail("axis %d is listed twice", a)
		}
		seen[out[i]] = true
	}
	return out
}
