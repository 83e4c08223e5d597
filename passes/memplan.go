package passes

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// MemoryPlan says where the values that kernels write lie in the arena of a
// call. Values that are written to results of the graph have no place, nor
// have those whose size depends on symbols that are bound while it runs: their
// memory is made then.
type MemoryPlan struct {
	offsets map[slot]ir.Dim
	total   ir.Dim
	buffers []*buffer
	parts   map[slot]part
	written map[*ir.Value][]bool
}

// slot is result i of a value.
type slot struct {
	v *ir.Value
	i int
}

// buffer is a range of the arena for the time from birth to death, inclusive,
// in steps of the plan. In-place operations make several values one buffer.
type buffer struct {
	slots        []slot
	bytes        ir.Dim
	size         ir.Dim // bytes rounded up to the alignment
	birth, death int
	offset       ir.Dim
}

// arenaAlign is the alignment of values in the arena: a cache line, and the
// widest vector.
const arenaAlign = 64

// Place returns the offset in bytes of result i of v, false where it is not in
// the arena, or a part of something else: see [MemoryPlan.Within]. The first results
// of a scan, its carries, have a place of twice their size, rounded up to the
// alignment: a half for the value that a step reads and one for the value that it
// writes.
func (m *MemoryPlan) Place(v *ir.Value, i int) (ir.Dim, bool) {
	d, ok := m.offsets[slot{v, i}]
	return d, ok
}

// Total is the size of the arena in bytes.
func (m *MemoryPlan) Total() ir.Dim { return m.total }

// Peak returns, for given values of the symbols, the size of the arena and
// the largest sum of the sizes that are needed at one time, below which no
// plan can go.
func (m *MemoryPlan) Peak(env map[string]int64) (arena, bound int64, err error) {
	if arena, err = m.total.Eval(env); err != nil {
		return 0, 0, err
	}
	live, err := m.live(env)
	if err == nil && len(live) > 0 {
		bound = slices.Max(live)
	}
	return arena, bound, err
}

// live is the sum of the sizes that are needed at each step of the plan.
func (m *MemoryPlan) live(env map[string]int64) ([]int64, error) {
	steps := 0
	for _, b := range m.buffers {
		steps = max(steps, b.death+1)
	}
	live := make([]int64, steps)
	for _, b := range m.buffers {
		n, err := b.size.Eval(env)
		if err != nil {
			return nil, err
		}
		for t := b.birth; t <= b.death; t++ {
			live[t] += n
		}
	}
	return live, nil
}

// Held is a range of the arena that is needed when most is.
type Held struct {
	Value        *ir.Value // that is written there first
	Result       int       // of the value
	Bytes        int64
	Birth, Death int // steps of the plan, both inclusive
}

// AtPeak returns, for given values of the symbols, the step of the plan at which
// most memory is needed, the first if there are several, and what is needed
// there, the largest first.
func (m *MemoryPlan) AtPeak(env map[string]int64) (step int, held []Held, err error) {
	live, err := m.live(env)
	if err != nil || len(live) == 0 {
		return 0, nil, err
	}
	step = slices.Index(live, slices.Max(live))
	for _, b := range m.buffers {
		if b.birth > step || b.death < step {
			continue
		}
		n, err := b.size.Eval(env)
		if err != nil {
			return 0, nil, err
		}
		held = append(held, Held{b.slots[0].v, b.slots[0].i, n, b.birth, b.death})
	}
	slices.SortStableFunc(held, func(a, b Held) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return step, held, nil
}

// PlanMemory plans the arena of g, the result of all passes, with the bodies
// of its ifs and scans.
func PlanMemory(g *ir.Graph) *MemoryPlan {
	l := &liveness{of: map[slot]*buffer{}, root: map[*ir.Value]slot{}, late: map[string]bool{}}
	l.lateSyms(g)
	p := &placer{life: l, parts: map[slot]part{}, written: map[*ir.Value][]bool{}}
	p.graph(g, false)
	l.parts = p.parts
	l.graph(g, slices.Repeat([]bool{true}, len(g.Results)))
	l.shareInPlace()
	m := &MemoryPlan{offsets: map[slot]ir.Dim{}, parts: p.parts, written: p.written}
	for _, b := range l.order {
		if len(b.slots) > 0 {
			m.buffers = append(m.buffers, b)
		}
	}
	m.total = assignOffsets(m.buffers)
	for _, b := range m.buffers {
		for _, s := range b.slots {
			m.offsets[s] = b.offset
		}
	}
	return m
}

// liveness walks a graph in the order of its steps.
type liveness struct {
	now    int
	of     map[slot]*buffer
	order  []*buffer
	root   map[*ir.Value]slot // what a value is a view of
	late   map[string]bool
	parts  map[slot]part
	shares []sharing // where a kernel may write over what it reads
}

type sharing struct {
	v   *ir.Value
	arg int
	at  int
}

func (l *liveness) lateSyms(g *ir.Graph) {
	for _, v := range g.Values {
		for _, s := range v.Binds() {
			l.late[s] = true
		}
		if v.Op != ir.OpFuse {
			for _, r := range v.Regions() {
				l.lateSyms(r)
			}
		}
	}
}

// view returns the slot that holds v.
func (l *liveness) view(v *ir.Value) slot {
	if s, ok := l.root[v]; ok {
		return s
	}
	switch v.Op {
	case ir.OpReshape, ir.OpBarrier, ir.OpBind:
		return l.view(v.Args[0])
	case ir.OpGet:
		return slot{v.Args[0], v.Attr.(*ir.IndexAttr).Index}
	}
	return slot{v, 0}
}

// use keeps what holds v until time t.
func (l *liveness) use(v *ir.Value, t int) {
	if b := l.of[l.view(v)]; b != nil {
		b.death = max(b.death, t)
	}
}

// born makes the buffer of result i of v unless its size is not known before
// the run.
func (l *liveness) born(v *ir.Value, i int, size ir.Dim) {
	for _, s := range size.SymNames() {
		if l.late[s] {
			return
		}
	}
	b := &buffer{slots: []slot{{v, i}}, bytes: size, size: alignUp(size), birth: l.now, death: l.now}
	l.of[slot{v, i}] = b
	l.order = append(l.order, b)
}

func alignUp(d ir.Dim) ir.Dim { return d.CeilDiv(ir.Const(arenaAlign)).MulConst(arenaAlign) }

func tensorBytes(t ir.Type) ir.Dim { return t.Shape.Size().MulConst(int64(t.DType.Size())) }

// graph walks g; direct says which results have memory of their own, so that
// kernels write to it.
func (l *liveness) graph(g *ir.Graph, direct []bool) {
	elsewhere := map[slot]bool{}
	for i, r := range g.Results {
		if s := l.view(r); direct[i] && (s.v.Op == ir.OpFuse || s.v.Op == ir.OpIf) && l.of[s] == nil {
			elsewhere[s] = true
		}
	}
	for _, v := range g.Values {
		switch v.Op {
		case ir.OpFuse:
			l.launch(v, elsewhere)
		case ir.OpIf:
			l.branches(v, elsewhere)
		case ir.OpScan:
			l.scan(v)
		case ir.OpBind:
			l.now++
			l.use(v.Args[0], l.now)
		}
	}
	l.now++
	for _, r := range g.Results {
		l.use(r, l.now)
	}
}

func (l *liveness) results(v *ir.Value, elsewhere map[slot]bool) {
	for i, t := range v.ResultTypes() {
		s, home := slot{v, i}, slot{v, i}
		if p, ok := l.parts[s]; ok {
			home, t = p.of, p.of.v.Type
		}
		if elsewhere[home] {
			continue
		}
		if l.of[home] == nil {
			l.born(home.v, home.i, tensorBytes(t))
		}
		if l.of[s] = l.of[home]; l.of[s] != nil {
			l.of[s].death = max(l.of[s].death, l.now)
		}
	}
}

func (l *liveness) launch(v *ir.Value, elsewhere map[slot]bool) {
	l.now++
	l.results(v, elsewhere)
	for i, a := range v.Args {
		l.use(a, l.now)
		if v.Type.DType != ir.Tuple && inPlace(v.Attr.(*ir.FuseAttr), i) {
			l.shares = append(l.shares, sharing{v, i, l.now})
		}
	}
}

// branches walks an if: one branch after the other, as only one of them runs.
// Its results live from before the branches on.
func (l *liveness) branches(v *ir.Value, elsewhere map[slot]bool) {
	a := v.Attr.(*ir.IfAttr)
	l.now++
	l.results(v, elsewhere)
	for i, body := range []*ir.Graph{a.Then, a.Else} {
		for j, p := range body.Params {
			l.root[p] = l.view(v.Args[j+1])
		}
		dims := [2]ir.Shape{a.ThenDims, a.ElseDims}[i]
		l.graph(body, slices.Repeat([]bool{!definesAny(body, dims)}, len(body.Results)))
	}
	l.now++
	for _, x := range v.Args {
		l.use(x, l.now)
	}
	for i := range v.ResultTypes() {
		if b := l.of[slot{v, i}]; b != nil {
			b.death = max(b.death, l.now)
		}
	}
}

// definesAny reports whether body, or a body in it, defines a symbol of dims:
// the sizes of the results are then not known before it has run.
func definesAny(body *ir.Graph, dims ir.Shape) bool {
	inner := &liveness{late: map[string]bool{}}
	inner.lateSyms(body)
	for _, d := range dims {
		for _, s := range d.SymNames() {
			if inner.late[s] {
				return true
			}
		}
	}
	return false
}

// scan walks a body once: what it computes is needed within a step, what it
// reads from outside until the end.
func (l *liveness) scan(v *ir.Value) {
	a := v.Attr.(*ir.LoopAttr)
	l.now++
	for i, t := range v.ResultTypes() {
		size := tensorBytes(t)
		if i < a.Carry {
			size = alignUp(size).MulConst(2)
		}
		l.born(v, i, size)
	}
	for i, p := range a.Body.Params {
		if l.root[p] = l.view(v.Args[i]); i < a.Carry {
			l.root[p] = slot{v, i}
			l.use(v.Args[i], l.now) // copied before the first step
		}
	}
	l.graph(a.Body, slices.Repeat([]bool{true}, len(a.Body.Results)))
	l.now++
	for _, x := range v.Args[a.Carry:] {
		l.use(x, l.now)
	}
	for i := range v.ResultTypes() {
		if b := l.of[slot{v, i}]; b != nil {
			b.death = max(b.death, l.now)
		}
	}
}

// inPlace reports whether the kernel of a region may write its result over
// argument i, given that their sizes agree: it is a loop with one result that
// reads the argument at the element that it writes and nowhere else.
func inPlace(a *ir.FuseAttr, i int) bool {
	if a.Kind != "loop" || len(a.Body.Results) != 1 {
		return false
	}
	p, r := a.Body.Params[i], a.Body.Results[0]
	if p.Type.DType.Size() != r.Type.DType.Size() || !p.Type.Shape.Size().Equal(r.Type.Shape.Size()) {
		return false
	}
	same := map[*ir.Value]bool{} // values computed at the element that is written
	var mark func(v *ir.Value)
	mark = func(v *ir.Value) {
		if same[v] {
			return
		}
		same[v] = true
		if v.Op.Is(ir.Elementwise) || v.Op == ir.OpReshape {
			for _, x := range v.Args {
				mark(x)
			}
		}
	}
	mark(r)
	for _, v := range a.Body.Values {
		if same[v] && (v.Op.Is(ir.Elementwise) || v.Op == ir.OpReshape) {
			continue // reads its arguments at the same element
		}
		for _, x := range v.Args {
			// a value that is also computed elsewhere reads p elsewhere too
			if x == p || same[x] && x.Op != ir.OpParam && x.Op != ir.OpConst {
				return false
			}
		}
	}
	return true
}

// shareInPlace makes results and arguments one buffer where the argument is
// read for the last time.
func (l *liveness) shareInPlace() {
	for _, s := range l.shares {
		from, to := l.view(s.v.Args[s.arg]), slot{s.v, 0}
		if l.parts[from].of.v != nil || l.parts[to].of.v != nil {
			continue
		}
		x, y := l.of[from], l.of[to]
		if x == nil || y == nil || x == y || x.death != s.at || y.birth != s.at || !x.size.Equal(y.size) {
			continue
		}
		if l.readTwice(s, x) {
			continue
		}
		x.death = y.death
		x.slots = append(x.slots, y.slots...)
		for _, z := range y.slots {
			l.of[z] = x
		}
		y.slots = nil
	}
}

// readTwice reports whether the kernel reads the buffer x through another
// argument as well.
func (l *liveness) readTwice(s sharing, x *buffer) bool {
	for i, a := range s.v.Args {
		if i != s.arg && l.of[l.view(a)] == x {
			return true
		}
	}
	return false
}

// check reports buffers that live at one time and share bytes, for given
// values of the symbols. It is for tests.
func (m *MemoryPlan) check(env map[string]int64) error {
	for i, a := range m.buffers {
		alo, err := a.offset.Eval(env)
		if err != nil {
			return err
		}
		an, _ := a.size.Eval(env)
		for _, b := range m.buffers[:i] {
			if !a.overlaps(b) {
				continue
			}
			blo, _ := b.offset.Eval(env)
			if bn, _ := b.size.Eval(env); alo < blo+bn && blo < alo+an {
				return fmt.Errorf("%v at %d and %v at %d overlap", a.slots[0].v, alo, b.slots[0].v, blo)
			}
		}
	}
	return nil
}
