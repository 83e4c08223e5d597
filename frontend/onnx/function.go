package onnx

import (
	"slices"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
)

// funcKey identifies a function of the model.
type funcKey struct{ domain, name, overload string }

func keyOf(p *onnxpb.NodeProto) funcKey {
	return funcKey{domainOf(p.Domain), p.OpType, p.Overload}
}

// function returns the function that p calls, nil if p is an operator. A
// function of the model takes the place of an operator of the same name.
func (im *importer) function(p *onnxpb.NodeProto) *onnxpb.FunctionProto {
	return im.funcs[keyOf(p)]
}

// missing stands for an input of a function that its call leaves out.
var missing = &tensor{}

// call imports the body of f in place of n.
func (n *node) call(f *onnxpb.FunctionProto) []*tensor {
	key := keyOf(n.p)
	if slices.Contains(n.im.calls, key) {
		n.fail("the function calls itself")
	}
	n.im.calls = append(n.im.calls, key)
	defer func() { n.im.calls = n.im.calls[:len(n.im.calls)-1] }()

	opsets, err := opsetsOf(f.OpsetImport)
	if err != nil {
		n.fail("%w", err)
	}
	if len(n.in) > len(f.Input) {
		n.fail("%d inputs, the function has %d", len(n.in), len(f.Input))
	}
	for _, a := range f.AttributeProto {
		if n.attrs[a.Name] == nil {
			n.attrs[a.Name] = a
		}
	}
	s := n.s.inner()
	s.parent, s.call, s.opsets = nil, n, opsets
	for i, name := range f.Input {
		s.names[name] = missing
		if n.has(i) {
			s.names[name] = n.in[i]
		}
	}
	n.im.importNodes(s, f.Node)
	out := make([]*tensor, len(f.Output))
	for i, name := range f.Output {
		if out[i] = s.lookup(name); out[i] == nil {
			n.fail("the function's output %q is not made by a node", name)
		}
	}
	return out
}
