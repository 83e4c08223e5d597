package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Einsum: the operands are multiplied one after the other, each product being
// one ir.OpDot.

var einsumRows = []row{{"Einsum", 12, 1, -1, einsum}}

// term is an operand with a label for each axis. The axes that an ellipsis
// stands for have the labels -1, -2, ... counted from the end.
type term struct {
	v      *ir.Value
	labels []rune
}

func einsum(n *node) []*tensor {
	n.sameTypes()
	eq := strings.ReplaceAll(n.str("equation", ""), " ", "")
	left, right, explicit := strings.Cut(eq, "->")
	parts := strings.Split(left, ",")
	if len(parts) != len(n.in) {
		n.fail("equation %q has %d operands, the node %d inputs", eq, len(parts), len(n.in))
	}
	terms := make([]term, len(parts))
	count := map[rune]int{}
	for i, p := range parts {
		terms[i] = n.diagonal(term{n.arg(i), n.labels(p, n.typ(i).Rank())})
		for _, l := range n.labels(p, n.typ(i).Rank()) {
			count[l]++
		}
	}
	out := implicitLabels(count)
	if explicit {
		out = n.outputLabels(right, count)
	}
	acc := terms[0]
	for i, t := range terms[1:] {
		acc = n.multiply(acc, t, func(l rune) bool {
			return slices.Contains(out, l) || slices.ContainsFunc(terms[i+2:], func(t term) bool {
				return slices.Contains(t.labels, l)
			})
		})
	}
	acc = n.sumOut(acc, func(l rune) bool { return slices.Contains(out, l) })
	perm := make([]int, len(out))
	for i, l := range out {
		if perm[i] = slices.Index(acc.labels, l); perm[i] < 0 {
			n.fail("equation %q: an output label is on no input", eq)
		}
	}
	if len(perm) != len(acc.labels) {
		n.fail("equation %q: a label is twice in the output", eq)
	}
	return result(n.transpose(acc.v, perm...))
}

// labels returns the label of each axis of an operand.
func (n *node) labels(p string, rank int) []rune {
	before, after, dots := strings.Cut(p, "...")
	for _, r := range before + after {
		if !('A' <= r && r <= 'Z' || 'a' <= r && r <= 'z') {
			n.fail("equation: %q is not a label", string(r))
		}
	}
	out := []rune(before)
	if dots {
		for i := rank - len(before) - len(after); i > 0; i-- {
			out = append(out, rune(-i))
		}
	}
	out = append(out, []rune(after)...)
	if len(out) != rank {
		n.fail("equation: %q for rank %d", p, rank)
	}
	return out
}

// implicitLabels are those of an output that is not given: the ellipsis, then
// the labels that are there once, sorted.
func implicitLabels(count map[rune]int) []rune {
	var out []rune
	for l, k := range count {
		if l < 0 || k == 1 {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	return out
}

func (n *node) outputLabels(right string, count map[rune]int) []rune {
	rank := len(strings.ReplaceAll(right, "...", ""))
	for l := range count {
		if l < 0 && strings.Contains(right, "...") {
			rank++
		}
	}
	return n.labels(right, rank)
}

// diagonal takes the diagonal of axes with one label.
func (n *node) diagonal(t term) term {
	for i := 0; i < len(t.labels); i++ {
		j := slices.Index(t.labels[:i], t.labels[i])
		if j < 0 {
			continue
		}
		s := t.v.Type.Shape
		n.check(s[i], s[j], "axes with one label")
		rank := len(s)
		same := n.elementwise(ir.OpEq, n.place(n.iota(s[i]), rank, i), n.place(n.iota(s[j]), rank, j))
		zero := n.full(t.v.Type.DType, ir.Shape{}, 0)
		t.v = n.reduce(ir.OpSum, n.elementwise(ir.OpSelect, same, t.v, zero), false, i)
		t.labels = slices.Delete(slices.Clone(t.labels), i, i+1)
		i--
	}
	return t
}

// sumOut sums over the axes whose labels are not to be kept.
func (n *node) sumOut(t term, keep func(rune) bool) term {
	var axes []int
	var labels []rune
	for i, l := range t.labels {
		if keep(l) {
			labels = append(labels, l)
		} else {
			axes = append(axes, i)
		}
	}
	if axes == nil {
		return t
	}
	return term{n.reduce(ir.OpSum, t.v, false, axes...), labels}
}

// multiply multiplies a and b; labels that both have are contracted unless
// they are to be kept.
func (n *node) multiply(a, b term, keep func(rune) bool) term {
	a = n.sumOut(a, func(l rune) bool { return keep(l) || slices.Contains(b.labels, l) })
	b = n.sumOut(b, func(l rune) bool { return keep(l) || slices.Contains(a.labels, l) })
	a, b = n.sameExtents(a, b)
	d := &ir.DotAttr{}
	var labels []rune
	for i, l := range a.labels {
		j := slices.Index(b.labels, l)
		switch {
		case j < 0:
		case keep(l):
			d.LBatch, d.RBatch = append(d.LBatch, i), append(d.RBatch, j)
			labels = append(labels, l)
		default:
			d.LContract, d.RContract = append(d.LContract, i), append(d.RContract, j)
		}
	}
	for _, l := range a.labels {
		if !slices.Contains(b.labels, l) {
			labels = append(labels, l)
		}
	}
	for _, l := range b.labels {
		if !slices.Contains(a.labels, l) {
			labels = append(labels, l)
		}
	}
	return term{n.op(ir.OpDot, d, a.v, b.v), labels}
}

// sameExtents stretches axes of extent 1, and checks the others, so that
// axes with one label have one extent.
func (n *node) sameExtents(a, b term) (term, term) {
	x, y := a.v.Type.Shape.Clone(), b.v.Type.Shape.Clone()
	for i, l := range a.labels {
		j := slices.Index(b.labels, l)
		if j < 0 {
			continue
		}
		if x[i].IsConst(1) || y[j].Static() && !y[j].IsConst(1) {
			x[i] = y[j]
		} else {
			y[j] = x[i]
		}
		if !a.v.Type.Shape[i].IsConst(1) && !b.v.Type.Shape[j].IsConst(1) {
			n.check(a.v.Type.Shape[i], b.v.Type.Shape[j], fmt.Sprintf("axes labelled %q", string(l)))
		}
	}
	a.v, b.v = n.broadcast(a.v, x), n.broadcast(b.v, y)
	return a, b
}
