package tensor

import (
	"sync/atomic"

	"github.com/tensorcc/tcc/ir"
)

// node is one recorded operation with one result. Nodes form a directed
// acyclic graph by args and never change, but for data and args (below), which
// change only under the evaluation lock.
type node struct {
	seq  uint64 // order of recording: arguments come before their users
	op   ir.Op
	attr ir.Attr
	typ  ir.Type
	pos  ir.Pos
	tr   *tracer // the traced function that it belongs to, if any

	// args are dropped when the value is known and no gradient can ask for
	// them, so that the past of a long computation is freed.
	args []*node
	// data is the value where it is known: leaves and what was evaluated.
	data atomic.Pointer[ir.Literal]
	// shared says that data is memory which the user can write to.
	shared bool
	// uses counts the nodes that were recorded with this one as argument.
	uses atomic.Int32
	// grads says that a gradient may have to pass: the node depends on a
	// tensor that requires one. leaf is that tensor's storage where the
	// node is its value.
	grads bool
	leaf  *storage
	// custom is the rule by which gradients pass, if it is not that of op.
	custom *custom
}

var lastSeq atomic.Uint64

func newNode(op ir.Op, attr ir.Attr, typ ir.Type, pos ir.Pos, args ...*node) *node {
	n := &node{seq: lastSeq.Add(1), op: op, attr: attr, typ: typ, pos: pos, args: args}
	for _, a := range args {
		a.uses.Add(1)
		n.grads = n.grads || a.grads
		if a.tr != nil {
			n.tr = a.tr
		}
	}
	return n
}

// constNode is a constant that stays one in the graph.
func constNode(l *ir.Literal, pos ir.Pos) *node {
	n := newNode(ir.OpConst, &ir.ConstAttr{Value: l}, l.Type(), pos)
	n.data.Store(l)
	return n
}

// leafNode is data that becomes a parameter of the graphs it is evaluated in,
// so that the graph is the same for other data.
func leafNode(l *ir.Literal, pos ir.Pos) *node {
	n := newNode(ir.OpParam, nil, l.Type(), pos)
	n.data.Store(l)
	return n
}

// reach returns the nodes that the roots depend on, in order of recording. The
// walk does not go beyond those for which stop holds, which are included.
func reach(roots []*node, stop func(*node) bool) []*node {
	return walk(roots, func(n *node) []*node {
		if stop(n) {
			return nil
		}
		return n.args
	})
}

// walk returns the roots and what is reached from them by next, in order of
// recording.
func walk(roots []*node, next func(*node) []*node) []*node {
	seen := map[*node]bool{}
	var found []*node
	todo := append([]*node{}, roots...)
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		found = append(found, n)
		todo = append(todo, next(n)...)
	}
	sortBySeq(found)
	return found
}
