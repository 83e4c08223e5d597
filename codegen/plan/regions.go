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
	trip, err := b.slots.int(a.Length)
	if err != nil {
		return nil, err
	}
	t := b.slots.loopSymbol()
	l := &scanner{b: b, v: v, a: a, t: ir.Sym(t), at: ir.Sym(t)}
	if a.Reverse {
		l.at = a.Length.AddConst(-1).Sub(l.t)
	}
	for _, f := range []func() error{l.carries, l.slices, l.stacked, l.invariant} {
		if err := f(); err != nil {
			return nil, err
		}
	}
	body, err := b.graph(a.Body, l.outs)
	if err != nil {
		return nil, err
	}
	b.bufs[v] = l.results
	return append(l.before, &runtime.Loop{Symbol: b.slots.symbol(t), Trip: trip, Body: body}), nil
}

// scanner is the state of planning one scan.
type scanner struct {
	b       *builder
	v       *ir.Value
	a       *ir.LoopAttr
	t, at   ir.Dim // step, and the index of its slices
	before  []runtime.Step
	outs    []int // of the body's results
	results []int // of the scan
}

// slice is the part of buffer buf that begins at offset, relative to it.
func (l *scanner) slice(buf int, offset, size ir.Dim) (int, error) {
	x := l.b.p.Buffers[buf]
	off, err := l.b.slots.int(offset)
	if err != nil {
		return 0, err
	}
	if x.Offset = l.b.slots.sum(x.Offset, off); err != nil {
		return 0, err
	}
	x.Size, err = l.b.slots.int(size)
	part := l.b.buffer(x)
	l.b.parts[part] = true
	return part, err
}

func (l *scanner) carries() error {
	for i := range l.a.Carry {
		size := bytesOf(l.a.Body.Params[i].Type)
		half := size.AddConst(63).FloorDiv(ir.Const(64)).MulConst(64)
		both, err := l.b.slots.int(half.MulConst(2))
		if err != nil {
			return err
		}
		block, steps, err := l.b.memory(l.v, i, both)
		if err != nil {
			return err
		}
		l.before = append(l.before, steps...)
		parity := func(t ir.Dim) ir.Dim { return t.Mod(ir.Const(2)).Mul(half) }
		var at [4]int
		for j, off := range []ir.Dim{ir.Const(0), parity(l.t), parity(l.t.AddConst(1)), parity(l.a.Length)} {
			if at[j], err = l.slice(block, off, size); err != nil {
				return err
			}
		}
		bytes, err := l.b.slots.int(size)
		if err != nil {
			return err
		}
		l.before = append(l.before, &runtime.Copy{Dst: at[0], Src: l.b.bufs[l.v.Args[i]][0], Size: bytes})
		l.b.bufs[l.a.Body.Params[i]] = []int{at[1]}
		l.outs, l.results = append(l.outs, at[2]), append(l.results, at[3])
	}
	return nil
}

func (l *scanner) slices() error {
	for i := l.a.Carry; i < l.a.Carry+l.a.Xs; i++ {
		p := l.a.Body.Params[i]
		size := bytesOf(p.Type)
		buf, err := l.slice(l.b.bufs[l.v.Args[i]][0], l.at.Mul(size), size)
		if err != nil {
			return err
		}
		l.b.bufs[p] = []int{buf}
	}
	return nil
}

func (l *scanner) stacked() error {
	ts := l.v.ResultTypes()
	for i := l.a.Carry; i < len(ts); i++ {
		buf, steps, err := l.b.place(l.v, i, ts[i])
		if err != nil {
			return err
		}
		l.before = append(l.before, steps...)
		size := bytesOf(l.a.Body.Results[i].Type)
		part, err := l.slice(buf, l.at.Mul(size), size)
		if err != nil {
			return err
		}
		l.outs, l.results = append(l.outs, part), append(l.results, buf)
	}
	return nil
}

func (l *scanner) invariant() error {
	for i := l.a.Carry + l.a.Xs; i < len(l.v.Args); i++ {
		l.b.bufs[l.a.Body.Params[i]] = l.b.bufs[l.v.Args[i]]
	}
	return nil
}
