package tensor

import (
	"context"
	enc "encoding/binary"
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Graphs that were evaluated before are recalled: what a program records again
// and again, such as a step of a loop, gets the graph that was made the first
// time, which the evaluator knows by its address.

// maxRecalled bounds the graphs that are kept.
const maxRecalled = 512

// maxConst is the size up to which a constant is part of a fingerprint; a graph
// with larger ones is made anew each time.
const maxConst = 256

var recalled = map[string]*ir.Graph{} // under evalMu

// graphOf returns a graph of the roots, whose inputs are the values of params.
// The graph may be an earlier one of the same computation, recorded at other
// places of the source.
func graphOf(roots []*node) (g *ir.Graph, params []*node, again bool, err error) {
	known := func(n *node) bool { return n.data.Load() != nil }
	nodes := reach(roots, known)
	f := &fingerprint{places: make(map[*node]uint64, len(nodes))}
	key, params := f.of(nodes, roots)
	if old := recalled[key]; old != nil && !f.large {
		return old, params, true, nil
	}
	name := "lazy"
	if f.large {
		name = "once"
	}
	if g, params, err = newGraph(name, roots, known); err != nil || f.large {
		return g, params, false, err
	}
	if len(recalled) >= maxRecalled {
		clear(recalled)
	}
	recalled[key] = g
	return g, params, false, nil
}

// newGraph makes a graph of the roots.
func newGraph(name string, roots []*node, known func(*node) bool) (*ir.Graph, []*node, error) {
	e := &emitter{g: ir.NewGraph(name), values: map[*node]*ir.Value{}, known: known}
	results, err := e.emit(roots)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(results))
	for i := range names {
		names[i] = fmt.Sprint("y", i)
	}
	e.g.SetResults(names, results...)
	return e.g, e.params, nil
}

// run computes the roots. Where a recalled graph fails, the error is found
// again with this computation's own places.
func run(roots []*node) ([]*ir.Literal, error) {
	g, params, again, err := graphOf(roots)
	if err != nil {
		return nil, err
	}
	inputs := make([]*ir.Literal, len(params))
	for i, p := range params {
		inputs[i] = p.data.Load()
	}
	ctx := context.Background()
	out, err := currentEvaluator().Run(ctx, g, inputs)
	if err == nil || !again {
		return out, err
	}
	known := func(n *node) bool { return n.data.Load() != nil }
	if own, _, e := newGraph("once", roots, known); e == nil {
		if _, e := Interpreter().Run(ctx, own, inputs); e != nil {
			err = e
		}
	}
	return nil, err
}

// fingerprint encodes a recorded computation, all but places and values of
// inputs.
type fingerprint struct {
	buf    []byte
	places map[*node]uint64
	large  bool // it is not to be recalled
}

func (f *fingerprint) of(nodes, roots []*node) (string, []*node) {
	var params []*node
	for i, n := range nodes {
		f.places[n] = uint64(i)
		switch {
		case n.data.Load() == nil:
			f.op(n)
		case n.op == ir.OpConst:
			f.constant(n.attr.(*ir.ConstAttr).Value)
		default:
			params = append(params, n)
			f.put(uint64(ir.OpParam), uint64(n.typ.DType))
			f.shape(n.typ.Shape)
		}
	}
	for _, r := range roots {
		f.put(f.places[r])
	}
	return string(f.buf), params
}

func (f *fingerprint) put(xs ...uint64) {
	for _, x := range xs {
		f.buf = enc.AppendUvarint(f.buf, x)
	}
}

func (f *fingerprint) op(n *node) {
	if n.stops() {
		f.put(uint64(ir.OpInvalid), f.places[n.args[0]])
		return
	}
	f.put(uint64(n.op), uint64(len(n.args)))
	for _, a := range n.args {
		f.put(f.places[a])
	}
	f.attr(n.attr)
}

func (f *fingerprint) constant(l *ir.Literal) {
	if len(l.Data) > maxConst {
		f.large = true
		return
	}
	f.put(uint64(ir.OpConst), uint64(l.DType), uint64(len(l.Data)))
	f.shape(ir.Dims(l.Shape...))
	f.buf = append(f.buf, l.Data...)
}

func (f *fingerprint) shape(s ir.Shape) {
	f.put(uint64(len(s)))
	for _, d := range s {
		k, ok := d.Int()
		if !ok {
			f.large = true
		}
		f.put(uint64(k))
	}
}

func (f *fingerprint) ints(xs []int) {
	f.put(uint64(len(xs)))
	for _, x := range xs {
		f.put(uint64(x))
	}
}

func (f *fingerprint) int64s(xs []int64) {
	f.put(uint64(len(xs)))
	for _, x := range xs {
		f.put(uint64(x))
	}
}

func (f *fingerprint) bool(b bool) {
	if b {
		f.buf = append(f.buf, 1)
	} else {
		f.buf = append(f.buf, 0)
	}
}

// attr encodes the attributes of operations that tensors record often; with
// others a graph is not recalled.
func (f *fingerprint) attr(a ir.Attr) {
	switch a := a.(type) {
	case nil:
	case *ir.DTypeAttr:
		f.put(uint64(a.DType))
	case *ir.ShapeAttr:
		f.shape(a.Shape)
	case *ir.BroadcastAttr:
		f.shape(a.Shape)
		f.ints(a.Axes)
	case *ir.PermAttr:
		f.ints(a.Perm)
	case *ir.SliceAttr:
		f.shape(a.Start)
		f.int64s(a.Step)
		f.shape(a.Shape)
	case *ir.PadAttr:
		f.shape(a.Lo)
		f.shape(a.Hi)
	case *ir.AxisAttr:
		f.put(uint64(a.Axis))
	case *ir.AxesAttr:
		f.ints(a.Axes)
	case *ir.CumAttr:
		f.put(uint64(a.Axis))
		f.bool(a.Exclusive)
		f.bool(a.Reverse)
	case *ir.SortAttr:
		f.put(uint64(a.Axis))
		f.bool(a.Desc)
	case *ir.ScatterAttr:
		f.put(uint64(a.Axis), uint64(len(a.Reduce)))
		f.buf = append(f.buf, a.Reduce...)
	case *ir.BatchAttr:
		f.put(uint64(a.Batch))
	case *ir.DotAttr:
		f.ints(a.LBatch)
		f.ints(a.RBatch)
		f.ints(a.LContract)
		f.ints(a.RContract)
	case *ir.IotaAttr:
		f.put(uint64(a.DType), uint64(a.Axis))
		f.shape(a.Shape)
	case *ir.RandomAttr:
		f.shape(a.Shape)
	default:
		f.window(a)
	}
}

func (f *fingerprint) window(a ir.Attr) {
	switch a := a.(type) {
	case *ir.ConvAttr:
		f.int64s(a.Stride)
		f.int64s(a.Dilation)
		f.int64s(a.InDilation)
		f.shape(a.Lo)
		f.shape(a.Hi)
		f.put(uint64(a.Groups))
		f.bool(a.Last)
	case *ir.WindowAttr:
		f.int64s(a.Size)
		f.int64s(a.Stride)
		f.int64s(a.Dilation)
		f.shape(a.Lo)
		f.shape(a.Hi)
	default:
		f.large = true
	}
}
