package onnx

import (
	"fmt"
	"math"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// Attention and rotary embedding.

var attentionRows = []row{
	{"Attention", 23, 3, 7, attention},
	{"RotaryEmbedding", 23, 3, 4, rotaryEmbedding},
}

// heads makes [batch, heads, sequence, size] of [batch, sequence, heads*size].
func (n *node) heads(v *ir.Value, count int64) *ir.Value {
	s := v.Type.Shape
	size := s[2].FloorDiv(ir.Const(count))
	n.check(size.MulConst(count), s[2], fmt.Sprintf("%v divides into %d heads", s, count))
	return n.transpose(n.view(v, ir.Shape{s[0], s[1], ir.Const(count), size}), 0, 2, 1, 3)
}

// attentionInputs returns Q, K and V in rank 4.
func (n *node) attentionInputs() (q, k, v *ir.Value) {
	qh, kh := n.int("q_num_heads", 0), n.int("kv_num_heads", 0)
	q, k, v = n.arg(0), n.arg(1), n.arg(2)
	rank := q.Type.Rank()
	if k.Type.Rank() != rank || v.Type.Rank() != rank || rank != 3 && rank != 4 {
		n.fail("Q %v, K %v, V %v, want one rank of 3 or 4", q.Type, k.Type, v.Type)
	}
	if rank == 3 {
		if qh < 1 || kh < 1 {
			n.fail("q_num_heads %d, kv_num_heads %d, want positive numbers for rank 3", qh, kh)
		}
		q, k, v = n.heads(q, qh), n.heads(k, kh), n.heads(v, kh)
	}
	return q, k, v
}

func attention(n *node) []*tensor {
	d := n.typ(0).DType
	q, k, v := n.attentionInputs()
	if n.has(4) != n.has(5) {
		n.fail("past_key and past_value are used together")
	}
	past := ir.Const(0)
	if n.has(4) {
		if n.typ(4).Rank() != 4 {
			n.fail("past_key %v, want rank 4", n.typ(4))
		}
		past = n.typ(4).Shape[2]
		k, v = n.append(n.arg(4), k), n.append(n.arg(5), v)
	}
	present := []*tensor{computed(k), computed(v)}
	scale := n.float("scale", 0)
	if n.attrs["scale"] == nil {
		size, ok := q.Type.Shape[3].Int()
		if !ok {
			n.fail("the default scale of a head size of %v", q.Type.Shape[3])
		}
		scale = 1 / math.Sqrt(float64(size))
	}
	root := math.Sqrt(scale)
	rows := n.grouped(q, k)
	score := n.matMul(n.scaled(rows, root), n.transpose(n.scaled(k, root), 0, 1, 3, 2))
	score = n.view(score, append(q.Type.Shape[:3].Clone(), k.Type.Shape[2]))
	shown := []*ir.Value{score}
	// Before the mask, so that what it hides stays hidden.
	if limit := n.float("softcap", 0); limit != 0 {
		score = n.scaled(n.apply(ir.OpTanh, n.with(ir.OpDiv, score, limit)), limit)
	}
	shown = append(shown, score)
	score = n.masked(score, past)
	shown = append(shown, score)
	if p := n.int("softmax_precision", 0); p != 0 {
		score = n.cast(score, n.dtype("softmax_precision", onnxpb.Float))
	}
	weights := n.cast(n.maskedSoftmax(score), d)
	shown = append(shown, weights)
	y := n.matMul(n.view(weights, append(rows.Type.Shape[:3].Clone(), k.Type.Shape[2])), v)
	y = n.view(y, append(q.Type.Shape[:3].Clone(), v.Type.Shape[3]))
	if n.typ(0).Rank() == 3 {
		y = n.transpose(y, 0, 2, 1, 3)
		s := y.Type.Shape
		y = n.view(y, ir.Shape{s[0], s[1], s[2].Mul(s[3])})
	}
	mode := n.int("qk_matmul_output_mode", 0)
	if mode < 0 || mode > 3 {
		n.fail("qk_matmul_output_mode is %d, want 0 to 3", mode)
	}
	return append(append(result(y), present...), computed(n.cast(shown[mode], d)))
}

// maskedSoftmax is softmax along the last axis, but of nothing but -Inf, where
// all keys are hidden, zeros.
func (n *node) maskedSoftmax(v *ir.Value) *ir.Value {
	d := v.Type.DType
	v = n.wide(v)
	top := n.reduce(ir.OpReduceMax, v, true, 3)
	hidden := n.apply(ir.OpAnd, n.apply(ir.OpIsInf, top), n.with(ir.OpLt, top, 0))
	top = n.apply(ir.OpSelect, hidden, n.like(top, 0), top)
	e := n.apply(ir.OpExp, n.elementwise(ir.OpSub, v, top))
	sum := n.reduce(ir.OpSum, e, true, 3)
	sum = n.apply(ir.OpSelect, hidden, n.like(sum, 1), sum)
	return n.cast(n.elementwise(ir.OpDiv, e, sum), d)
}

// append puts the new keys or values behind the past ones.
func (n *node) append(past, v *ir.Value) *ir.Value {
	want := v.Type.Shape.Clone()
	if past.Type.Rank() != 4 {
		n.fail("past state %v, want rank 4", past.Type)
	}
	want[2] = past.Type.Shape[2]
	for i, d := range past.Type.Shape {
		n.check(d, want[i], fmt.Sprintf("past state %v for %v: axis %d", past.Type, v.Type, i))
	}
	return n.concat(2, n.view(past, want), v)
}

// grouped lets the query heads that share a key head follow each other as
// rows of that head: [batch, kv heads, group*sequence, size].
func (n *node) grouped(q, k *ir.Value) *ir.Value {
	qs, ks := q.Type.Shape, k.Type.Shape
	if qs[1].Equal(ks[1]) {
		return q
	}
	if !qs[1].Static() && !ks[1].Static() { // of what is not known, the common case
		n.check(qs[1], ks[1], "query heads and key heads")
		return n.view(q, ir.Shape{qs[0], ks[1], qs[2], qs[3]})
	}
	group, ok := qs[1].FloorDiv(ks[1]).Int()
	if !ok || !ks[1].MulConst(group).Equal(qs[1]) {
		n.fail("%v query heads for %v key heads, want a multiple", qs[1], ks[1])
	}
	return n.view(q, ir.Shape{qs[0], ks[1], qs[2].MulConst(group), qs[3]})
}

// masked adds the mask, the causal one and that of padding to the scores
// [batch, heads, queries, keys]; past keys come before the queries' own.
func (n *node) masked(score *ir.Value, past ir.Dim) *ir.Value {
	s := score.Type.Shape
	low := n.full(score.Type.DType, ir.Shape{}, math.Inf(-1))
	keep := func(mask *ir.Value) { score = n.elementwise(ir.OpSelect, mask, score, low) }
	if n.has(3) {
		mask := n.padMask(n.arg(3), s[3], low)
		if mask.Type.DType == ir.Bool {
			keep(mask)
		} else {
			score = n.elementwise(ir.OpAdd, score, n.cast(mask, score.Type.DType))
		}
	}
	key := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: s[2:], Axis: 1})
	query := n.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: s[2:], Axis: 0})
	switch causal := n.flag("is_causal", false); {
	case causal && n.has(6) && !n.has(4):
		// The queries are the last of the keys that are not padding.
		length := n.place(n.cast(n.arg(6), ir.I64), 4, 0)
		first := n.elementwise(ir.OpSub, length, n.dim(s[2]))
		keep(n.elementwise(ir.OpLe, key, n.elementwise(ir.OpAdd, query, first)))
	case causal:
		keep(n.apply(ir.OpLe, key, n.elementwise(ir.OpAdd, query, n.dim(past))))
	}
	if n.has(6) {
		length := n.place(n.cast(n.arg(6), ir.I64), 4, 0)
		keep(n.elementwise(ir.OpLt, n.place(n.iota(s[3]), 4, 3), length))
	}
	return score
}

// padMask stretches a mask whose last axis is shorter than the keys: what it
// does not cover takes no part.
func (n *node) padMask(mask *ir.Value, keys ir.Dim, low *ir.Value) *ir.Value {
	last := mask.Type.Rank() - 1
	if last < 0 || !mask.Type.Shape[last].Static() || !keys.Static() ||
		mask.Type.Shape[last].Equal(keys) || mask.Type.Shape[last].IsConst(1) {
		return mask
	}
	fill := n.full(ir.Bool, ir.Shape{}, 0)
	if mask.Type.DType != ir.Bool {
		fill = n.cast(low, mask.Type.DType)
	}
	a := &ir.PadAttr{Lo: make(ir.Shape, last+1), Hi: make(ir.Shape, last+1)}
	a.Hi[last] = keys.Sub(mask.Type.Shape[last])
	return n.op(ir.OpPad, a, mask, fill)
}

// rotaryEmbedding rotates pairs of elements of each head by the angles of
// their position.
func rotaryEmbedding(n *node) []*tensor {
	x := n.arg(0)
	rank := x.Type.Rank()
	heads := n.int("num_heads", 0)
	switch {
	case rank == 3 && heads > 0:
		x = n.heads(x, heads)
	case rank != 4:
		n.fail("input %v, want rank 4, or 3 with num_heads", x.Type)
	}
	s := x.Type.Shape // [batch, heads, sequence, size]
	size := ir.Const(n.int("rotary_embedding_dim", 0))
	if size.IsConst(0) {
		size = s[3]
	}
	half := size.FloorDiv(ir.Const(2))
	cos, sin := n.angles(1, half), n.angles(2, half)
	rotated := n.take(x, 3, ir.Const(0), size)
	interleaved := n.flag("interleaved", false)
	var a, b *ir.Value
	if interleaved {
		a, b = n.everySecond(rotated, 0, half), n.everySecond(rotated, 1, half)
	} else {
		a, b = n.take(rotated, 3, ir.Const(0), half), n.take(rotated, 3, half, half)
	}
	mul := func(x, y *ir.Value) *ir.Value { return n.elementwise(ir.OpMul, x, y) }
	re := n.apply(ir.OpSub, mul(a, cos), mul(b, sin))
	im := n.apply(ir.OpAdd, mul(a, sin), mul(b, cos))
	y := n.concat(3, re, im)
	if interleaved {
		y = n.view(n.concat(4, n.unsqueeze(re, 4), n.unsqueeze(im, 4)), rotated.Type.Shape)
	}
	if rest := s[3].Sub(size); !rest.IsConst(0) {
		y = n.concat(3, y, n.take(x, 3, size, rest))
	}
	if rank == 3 {
		y = n.view(n.transpose(y, 0, 2, 1, 3), n.typ(0).Shape)
	}
	return result(y)
}

// everySecond takes half elements of the last axis, from start on.
func (n *node) everySecond(v *ir.Value, start int64, half ir.Dim) *ir.Value {
	a := wholeSlice(v.Type.Shape)
	a.Start[3], a.Step[3], a.Shape[3] = ir.Const(start), 2, half
	return n.op(ir.OpSlice, a, v)
}

// angles returns the cosines or sines of input i for each position, as
// [batch, 1, sequence, half].
func (n *node) angles(i int, half ir.Dim) *ir.Value {
	v := n.arg(i)
	if n.has(3) { // a table of angles by position
		if v.Type.Rank() != 2 {
			n.fail("input %d is %v, want a matrix where positions are given", i, v.Type)
		}
		v = n.op(ir.OpGather, &ir.AxisAttr{}, v, n.indices(3, v.Type.Shape[0]))
	}
	if v.Type.Rank() != 3 {
		n.fail("input %d gives %v, want [batch, sequence, half]", i, v.Type)
	}
	v = n.take(v, 2, ir.Const(0), half)
	return n.unsqueeze(v, 1)
}
