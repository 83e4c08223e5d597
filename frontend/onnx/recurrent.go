package onnx

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// LSTM, GRU and RNN: the products of all inputs with the weights at once,
// then a scan over time with the products of the state. A direction is a scan
// of its own.

var recurrentRows = []row{
	{"GRU", 7, 3, 6, gru},
	{"LSTM", 7, 3, 8, lstm},
	{"RNN", 7, 3, 6, rnn},
}

// recurrent is a recurrent operator: its input and the directions.
type recurrent struct {
	n          *node
	gates      int
	hidden     int64
	x          *ir.Value // [time, batch, input]
	time       ir.Dim
	batch      ir.Dim
	lens       *ir.Value // i64[batch], or nil
	directions []direction
	clip       float64 // 0: none
	batchFirst bool
}

// direction has the weights of one direction.
type direction struct {
	reverse    bool
	w, r       *ir.Value // [gates*hidden, input], [gates*hidden, hidden]
	wb, rb     *ir.Value // [gates*hidden], or nil
	peephole   *ir.Value // [3*hidden], or nil
	state      []*ir.Value
	activation []func(x *ir.Value, n *node) *ir.Value
}

// recurrent reads what the operators have in common. states are the inputs
// that hold initial states; acts the default activations of a direction.
func (n *node) recurrent(gates int, states []int, acts ...string) *recurrent {
	c := &recurrent{n: n, gates: gates, hidden: n.int("hidden_size", 0),
		batchFirst: n.flag("layout", false)}
	c.x = n.arg(0)
	if c.x.Type.Rank() != 3 || n.typ(1).Rank() != 3 || n.typ(2).Rank() != 3 {
		n.fail("input %v, W %v, R %v, want rank 3", n.typ(0), n.typ(1), n.typ(2))
	}
	if c.batchFirst {
		c.x = n.transpose(c.x, 1, 0, 2)
	}
	if c.hidden == 0 {
		c.hidden, _ = n.typ(2).Shape[2].Int()
	}
	if c.hidden < 1 || c.hidden > 1<<24 {
		n.fail("hidden_size is %d", c.hidden)
	}
	c.time, c.batch = c.x.Type.Shape[0], c.x.Type.Shape[1]
	if n.has(4) {
		c.lens = n.reshape(n.cast(n.arg(4), ir.I64), ir.Shape{c.batch})
	}
	c.clip = n.float("clip", 0)
	count := 1
	dir := n.choice("direction", "forward", "reverse", "bidirectional")
	if dir == "bidirectional" {
		count = 2
	}
	functions := n.activationList(acts, count)
	for i := range count {
		d := c.direction(i, count, states)
		d.reverse = dir == "reverse" || i == 1
		d.activation = functions[i*len(acts) : (i+1)*len(acts)]
		c.directions = append(c.directions, d)
	}
	return c
}

// direction reads the weights of direction i of count.
func (c *recurrent) direction(i, count int, states []int) direction {
	n, rows := c.n, int64(c.gates)*c.hidden
	part := func(input int, shape ir.Shape) *ir.Value {
		v := n.arg(input)
		whole := append(ir.Dims(int64(count)), shape...)
		if v.Type.Rank() != len(whole) {
			n.fail("input %d is %v, want shape %v", input, v.Type, whole)
		}
		for j, d := range v.Type.Shape {
			n.check(d, whole[j], fmt.Sprintf("input %d is %v: axis %d", input, v.Type, j))
		}
		v = n.take(n.view(v, whole), 0, ir.Const(int64(i)), ir.Const(1))
		return n.view(v, shape)
	}
	h := ir.Const(c.hidden)
	d := direction{
		w: part(1, ir.Shape{ir.Const(rows), c.x.Type.Shape[2]}),
		r: part(2, ir.Shape{ir.Const(rows), h}),
	}
	if n.has(3) {
		b := part(3, ir.Dims(2*rows))
		d.wb = n.take(b, 0, ir.Const(0), ir.Const(rows))
		d.rb = n.take(b, 0, ir.Const(rows), ir.Const(rows))
	}
	if len(states) == 2 && n.has(7) {
		d.peephole = part(7, ir.Dims(3*c.hidden))
	}
	shape := ir.Shape{c.batch, h}
	for _, s := range states {
		switch {
		case !n.has(s):
			d.state = append(d.state, n.full(c.x.Type.DType, shape, 0))
		case c.batchFirst: // [batch, directions, hidden]
			v := n.arg(s)
			if v.Type.Rank() != 3 {
				n.fail("input %d is %v, want rank 3", s, v.Type)
			}
			v = n.take(v, 1, ir.Const(int64(i)), ir.Const(1))
			d.state = append(d.state, n.reshape(v, shape))
		default:
			d.state = append(d.state, part(s, shape))
		}
	}
	return d
}

// activationList returns the activations of count directions.
func (n *node) activationList(defaults []string, count int) []func(*ir.Value, *node) *ir.Value {
	var names []string
	if a := n.attr("activations", 8); a != nil {
		for _, s := range a.Strings {
			names = append(names, string(s))
		}
	} else {
		for range count {
			names = append(names, defaults...)
		}
	}
	if len(names) != count*len(defaults) {
		n.fail("%d activations, want %d", len(names), count*len(defaults))
	}
	alpha, beta := n.floatList("activation_alpha"), n.floatList("activation_beta")
	var out []func(*ir.Value, *node) *ir.Value
	for _, name := range names {
		f, ok := activations[name]
		if !ok {
			n.lacks("activation %q is not supported", name)
		}
		a, b := float64(f.alpha), float64(f.beta)
		// The lists have entries for the functions that take parameters.
		if takesParam(name, 0) && len(alpha) > 0 {
			a, alpha = alpha[0], alpha[1:]
		}
		if takesParam(name, 1) && len(beta) > 0 {
			b, beta = beta[0], beta[1:]
		}
		out = append(out, func(x *ir.Value, n *node) *ir.Value { return f.f(n, x, a, b) })
	}
	return out
}

func takesParam(name string, i int) bool {
	return name == "ScaledTanh" || activations[name].attrs[i] != ""
}

func (n *node) floatList(name string) []float64 {
	a := n.attr(name, 6)
	if a == nil {
		return nil
	}
	out := make([]float64, len(a.Floats))
	for i, f := range a.Floats {
		out[i] = float64(f)
	}
	return out
}

// cell computes the new state in a step; n appends to the body.
type cell func(n *node, c *recurrent, d *direction, in *stepInputs) []*ir.Value

// stepInputs are the values that a step computes from.
type stepInputs struct {
	xw              *ir.Value   // products of the inputs, with their bias
	state           []*ir.Value // of the step before
	r, rb, peephole *ir.Value   // weights of the state; rb and peephole may be nil
}

// run scans each direction and returns the outputs Y, Y_h and further states.
func (c *recurrent) run(f cell) []*tensor {
	n := c.n
	var ys []*ir.Value
	last := make([][]*ir.Value, len(c.directions[0].state))
	for i := range c.directions {
		y, states := c.scan(&c.directions[i], f)
		ys = append(ys, n.unsqueeze(y, 1))
		for j, s := range states {
			last[j] = append(last[j], n.unsqueeze(s, 0))
		}
	}
	y := n.concat(1, ys...) // [time, directions, batch, hidden]
	if c.batchFirst {
		y = n.transpose(y, 2, 0, 1, 3)
	}
	out := []*tensor{computed(y)}
	for _, l := range last {
		v := n.concat(0, l...)
		if c.batchFirst {
			v = n.transpose(v, 1, 0, 2)
		}
		out = append(out, computed(v))
	}
	return out
}

// scan makes the ir.OpScan of a direction: carried are the states, and the
// products of the inputs and, with lengths, the step's number are the slices.
func (c *recurrent) scan(d *direction, f cell) (y *ir.Value, states []*ir.Value) {
	n := c.n
	xw := n.op(ir.OpDot, &ir.DotAttr{LContract: []int{2}, RContract: []int{1}}, c.x, d.w)
	if d.wb != nil {
		xw = n.elementwise(ir.OpAdd, xw, d.wb)
	}
	xs := []*ir.Value{xw}
	if c.lens != nil {
		xs = append(xs, n.iota(c.time))
	}
	rest := []*ir.Value{d.r, d.rb, d.peephole, c.lens}
	b := &body{g: ir.NewGraph("step")}
	b.s = n.s.region(b.g)
	in := b.in(n)
	param := func(name string, t ir.Type) *ir.Value { return b.g.Param(name, t, n.pos) }
	var old []*ir.Value
	for i, s := range d.state {
		old = append(old, param(fmt.Sprintf("state%d", i), s.Type))
	}
	var slices []*ir.Value
	for i, v := range xs {
		slices = append(slices, param(fmt.Sprintf("x%d", i), ir.Of(v.Type.DType, v.Type.Shape[1:])))
	}
	args := append(append([]*ir.Value{}, d.state...), xs...)
	inner := make([]*ir.Value, len(rest))
	for i, v := range rest {
		if v != nil {
			inner[i] = param([]string{"r", "rb", "peephole", "lens"}[i], v.Type)
			args = append(args, v)
		}
	}
	next := f(in, c, d, &stepInputs{slices[0], old, inner[0], inner[1], inner[2]})
	out := next[0]
	if c.lens != nil {
		out = in.hold(next, old, slices[1], inner[3])
	}
	b.results = append(append([]*ir.Value{}, next...), out)
	b.seal()
	a := &ir.LoopAttr{Body: b.g, Carry: len(d.state), Xs: len(xs), Length: c.time, Reverse: d.reverse}
	res := n.get(n.op(ir.OpScan, a, args...))
	return res[len(res)-1], res[:len(res)-1]
}

// hold keeps the old state of sequences that are over at step t and returns
// what such a step puts out: zeros.
func (n *node) hold(next, old []*ir.Value, t, lens *ir.Value) *ir.Value {
	live := n.unsqueeze(n.apply(ir.OpLt, n.broadcast(t, lens.Type.Shape), lens), 1)
	live = n.broadcast(live, next[0].Type.Shape)
	out := n.apply(ir.OpSelect, live, next[0], n.like(next[0], 0))
	for i := range next {
		next[i] = n.apply(ir.OpSelect, live, next[i], old[i])
	}
	return out
}

// gate is columns [i*hidden, (i+1)*hidden) of v.
func (c *recurrent) gate(n *node, v *ir.Value, i int) *ir.Value {
	return n.take(v, v.Type.Rank()-1, ir.Const(int64(i)*c.hidden), ir.Const(c.hidden))
}

// product is x times the transpose of w.
func (n *node) product(x, w *ir.Value) *ir.Value {
	return n.op(ir.OpDot, &ir.DotAttr{LContract: []int{1}, RContract: []int{1}}, x, w)
}

// limit clips the argument of an activation.
func (c *recurrent) limit(n *node, x *ir.Value) *ir.Value {
	if c.clip == 0 {
		return x
	}
	return n.with(ir.OpMin, n.with(ir.OpMax, x, -c.clip), c.clip)
}

// call applies activation i of d.
func (c *recurrent) call(n *node, d *direction, i int, x *ir.Value) *ir.Value {
	return d.activation[i](c.limit(n, x), n)
}

func rnn(n *node) []*tensor {
	return n.recurrent(1, []int{5}, "Tanh").run(
		func(n *node, c *recurrent, d *direction, in *stepInputs) []*ir.Value {
			v := n.apply(ir.OpAdd, in.xw, n.product(in.state[0], in.r))
			return []*ir.Value{c.call(n, d, 0, n.plus(v, in.rb))}
		})
}

// plus adds a bias that may be nil.
func (n *node) plus(v, bias *ir.Value) *ir.Value {
	if bias == nil {
		return v
	}
	return n.elementwise(ir.OpAdd, v, bias)
}

func lstm(n *node) []*tensor {
	c := n.recurrent(4, []int{5, 6}, "Sigmoid", "Tanh", "Tanh")
	coupled := n.flag("input_forget", false)
	return c.run(func(n *node, c *recurrent, d *direction, in *stepInputs) []*ir.Value {
		// The gates in order: i, o, f, c; the peepholes: i, o, f.
		v := n.plus(n.apply(ir.OpAdd, in.xw, n.product(in.state[0], in.r)), in.rb)
		gate := func(i int, cell *ir.Value) *ir.Value {
			x := c.gate(n, v, i)
			if in.peephole != nil && cell != nil {
				x = n.apply(ir.OpAdd, x, n.elementwise(ir.OpMul, cell, c.gate(n, in.peephole, i)))
			}
			return x
		}
		old := in.state[1]
		i := c.call(n, d, 0, gate(0, old))
		f := n.apply(ir.OpSub, n.like(i, 1), i)
		if !coupled {
			f = c.call(n, d, 0, gate(2, old))
		}
		g := c.call(n, d, 1, gate(3, nil))
		next := n.apply(ir.OpAdd, n.apply(ir.OpMul, f, old), n.apply(ir.OpMul, i, g))
		o := c.call(n, d, 0, gate(1, next))
		h := n.apply(ir.OpMul, o, c.call(n, d, 2, next))
		return []*ir.Value{h, next}
	})
}

func gru(n *node) []*tensor {
	c := n.recurrent(3, []int{5}, "Sigmoid", "Tanh")
	after := n.flag("linear_before_reset", false)
	return c.run(func(n *node, c *recurrent, d *direction, in *stepInputs) []*ir.Value {
		h := in.state[0]
		// rows has the products with the gates from i on, in order z, r, h.
		rows := func(h *ir.Value, i, count int64) *ir.Value {
			start, size := ir.Const(i*c.hidden), ir.Const(count*c.hidden)
			v := n.product(h, n.take(in.r, 0, start, size))
			if in.rb != nil {
				v = n.plus(v, n.take(in.rb, 0, start, size))
			}
			return v
		}
		gates := int64(2)
		if after {
			gates = 3
		}
		hr := rows(h, 0, gates)
		gate := func(i int) *ir.Value {
			return c.call(n, d, 0, n.apply(ir.OpAdd, c.gate(n, in.xw, i), c.gate(n, hr, i)))
		}
		z, reset := gate(0), gate(1)
		var rec *ir.Value
		if after {
			rec = n.apply(ir.OpMul, reset, c.gate(n, hr, 2))
		} else {
			rec = rows(n.apply(ir.OpMul, reset, h), 2, 1)
		}
		cand := c.call(n, d, 1, n.apply(ir.OpAdd, c.gate(n, in.xw, 2), rec))
		// (1-z)*cand + z*h
		fresh := n.apply(ir.OpMul, n.apply(ir.OpSub, n.like(z, 1), z), cand)
		return []*ir.Value{n.apply(ir.OpAdd, fresh, n.apply(ir.OpMul, z, h))}
	})
}
