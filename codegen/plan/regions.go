package plan

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// branch writes an if: both branches write their results to the same buffers.
func (b *builder) branch(v *ir.Value) ([]runtime.Step, error) {
	a := v.Attr.(*ir.IfAttr)
	var steps []runtime.Step
	var outs []int
	for i, t := range v.ResultTypes() {
		buf, s, err := b.place(v, i, t)
		if err != nil {
			return nil, err
		}
		outs = append(outs, buf)
		if !b.lateBuffer(buf) {
			steps = append(steps, s...) // others are made inside the branches
		}
	}
	b.bufs[v] = outs
	s := &runtime.If{Cond: b.bufs[v.Args[0]][0]}
	var err error
	if s.Then, err = b.branchSteps(v, a.Then, a, a.ThenDims, outs); err != nil {
		return nil, err
	}
	if s.Else, err = b.branchSteps(v, a.Else, a, a.ElseDims, outs); err != nil {
		return nil, err
	}
	return append(steps, s), nil
}

// branchSteps writes one branch. The symbols that the if defines are bound
// first where the branch itself does not have to run to know them; results
// then go to their places directly. Otherwise they are copied at the end.
func (b *builder) branchSteps(v *ir.Value, g *ir.Graph, a *ir.IfAttr, dims ir.Shape, outs []int,
) ([]runtime.Step, error) {
	for i, p := range g.Params {
		b.bufs[p] = b.bufs[v.Args[i+1]]
	}
	binds := make([]runtime.Step, len(a.Syms))
	inner := map[string]bool{}
	defined(g, inner)
	early := true
	for i, sym := range a.Syms {
		x, err := b.slots.int(dims[i])
		if err != nil {
			return nil, err
		}
		binds[i] = &runtime.BindSlot{Symbol: b.slots.symbol(sym), Value: x}
		early = early && !slices.ContainsFunc(dims[i].SymNames(), func(s string) bool { return inner[s] })
	}
	if early {
		steps, err := b.graph(g, outs)
		return append(binds, steps...), err
	}
	steps, err := b.graph(g, slices.Repeat([]int{-1}, len(outs)))
	if err != nil {
		return nil, err
	}
	steps = append(steps, binds...)
	for i, r := range g.Results {
		s, err := b.deliver(r, outs[i])
		if err != nil {
			return nil, err
		}
		steps = append(steps, s...)
	}
	return steps, nil
}

// defined collects the symbols that the values of g define.
func defined(g *ir.Graph, set map[string]bool) {
	for _, v := range g.Values {
		switch a := v.Attr.(type) {
		case *ir.BindAttr:
			set[a.Sym] = true
		case *ir.IfAttr:
			for _, s := range a.Syms {
				set[s] = true
			}
		}
		for _, r := range v.Regions() {
			defined(r, set)
		}
	}
}

// scan writes a loop. Each carry has two halves of a block and alternates
// between them; slices of the stacked arguments and results are buffers whose
// offset depends on the step.
func (b *builder) scan(v *ir.Value) ([]runtime.Step, error) {
	a := v.Attr.(*ir.LoopAttr)
	t := b.slots.loopSymbol()
	l := &scanner{b: b, v: v, a: a, t: ir.Sym(t), at: ir.Sym(t)}
	if a.Reverse {
		l.at = a.Length.AddConst(-1).Sub(l.t)
	}
	if err := l.carries(); err != nil {
		return nil, err
	}
	l.slices()
	if err := l.stacked(); err != nil {
		return nil, err
	}
	one, when, err := l.oneKernel()
	if err != nil {
		return nil, err
	}
	if one != nil {
		l.steps = append(l.steps, one)
	}
	if b.bufs[v] = l.results; one == nil || !when.IsConst(1) {
		err = l.loop(t, a.Length.Mul(ir.Const(1).Sub(when)))
	}
	return l.steps, err
}

// scanner is the state of planning one scan.
type scanner struct {
	b       *builder
	v       *ir.Value
	a       *ir.LoopAttr
	t, at   ir.Dim // step, and the index of its slices
	steps   []runtime.Step
	in, out []part // of the body's parameters and results
	results []int  // of the scan
}

// part is where a tensor lies in a buffer that has size elements: from element at on.
type part struct {
	of       int
	size, at ir.Dim
}

// loop writes a loop of trip steps, each of which launches its kernels.
func (l *scanner) loop(t string, trip ir.Dim) error {
	l.b.slots.declare(t, -1, 0)
	n, err := l.b.slots.int(trip)
	if err != nil {
		return err
	}
	var outs []int
	for i, p := range l.a.Body.Params {
		buf := l.in[i].of
		if i < l.a.Carry+l.a.Xs {
			if buf, err = l.slice(l.in[i], p.Type); err != nil {
				return err
			}
		}
		l.b.bufs[p] = []int{buf}
	}
	for i, r := range l.a.Body.Results {
		buf, err := l.slice(l.out[i], r.Type)
		if err != nil {
			return err
		}
		outs = append(outs, buf)
	}
	body, err := l.b.graph(l.a.Body, outs)
	l.steps = append(l.steps, &runtime.Loop{Symbol: l.b.slots.symbol(t), Trip: n, Body: body})
	return err
}

// slice is the buffer of the part p, a tensor of type t.
func (l *scanner) slice(p part, t ir.Type) (int, error) {
	buf, err := l.b.slice(p.of, p.at.MulConst(int64(t.DType.Size())), bytesOf(t))
	l.b.parts[buf] = true
	return buf, err
}

func (l *scanner) carries() error {
	for i := range l.a.Carry {
		t := l.a.Body.Params[i].Type
		line := int64(weightAlign / t.DType.Size())
		half := t.Shape.Size().CeilDiv(ir.Const(line)).MulConst(line)
		both, err := l.b.slots.int(half.MulConst(2 * int64(t.DType.Size())))
		if err != nil {
			return err
		}
		block, steps, err := l.b.memory(l.v, i, both)
		if err != nil {
			return err
		}
		parity := func(t ir.Dim) part {
			return part{block, half.MulConst(2), t.Mod(ir.Const(2)).Mul(half)}
		}
		first, err := l.slice(parity(ir.Const(0)), t)
		if err != nil {
			return err
		}
		last, err := l.slice(parity(l.a.Length), t)
		if err != nil {
			return err
		}
		bytes, err := l.b.slots.int(bytesOf(t))
		if err != nil {
			return err
		}
		steps = append(steps, &runtime.Copy{Dst: first, Src: l.b.bufs[l.v.Args[i]][0], Size: bytes})
		l.steps = append(l.steps, steps...)
		l.in, l.out = append(l.in, parity(l.t)), append(l.out, parity(l.t.AddConst(1)))
		l.results = append(l.results, last)
	}
	return nil
}

// slices finds the arguments of which a step gets a slice, or all.
func (l *scanner) slices() {
	for i, arg := range l.v.Args[l.a.Carry:] {
		p := part{l.b.bufs[arg][0], arg.Type.Shape.Size(), ir.Const(0)}
		if i < l.a.Xs {
			p.at = l.at.Mul(l.a.Body.Params[l.a.Carry+i].Type.Shape.Size())
		}
		l.in = append(l.in, p)
	}
}

func (l *scanner) stacked() error {
	ts := l.v.ResultTypes()
	for i := l.a.Carry; i < len(ts); i++ {
		buf, steps, err := l.b.place(l.v, i, ts[i])
		if err != nil {
			return err
		}
		n := l.a.Body.Results[i].Type.Shape.Size()
		l.steps, l.results = append(l.steps, steps...), append(l.results, buf)
		l.out = append(l.out, part{buf, ts[i].Shape.Size(), l.at.Mul(n)})
	}
	return nil
}
