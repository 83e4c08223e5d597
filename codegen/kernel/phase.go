package kernel

import (
	"maps"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Phase moves the first n statements in the body of loop v, which all tasks execute
// for the iterations that they have, ahead of the kernel: they become a nest of
// parallel loops of its own, over those loops around them by which they differ, and
// are done once for all tasks before these begin. What the rest of the body reads of
// the buffers that they allocate is then in common buffers, with an element for each
// of these iterations.
//
// It is legal where the statements read nothing but inputs, write nothing but their own
// buffers, which the rest does not write, and run at all: the other loops around have
// numbers as extents. The kernel has one nest of parallel loops.
func (k *Kernel) Phase(v string, n int) error {
	p, err := k.find("phase", v)
	if err != nil {
		return err
	}
	if n < 1 || n >= len(p.loop.Body) {
		return refuse("phase", v, "%d of its %d statements cannot move", n, len(p.loop.Body))
	}
	x := &phase{k: k, v: v, first: p.loop.Body[:n], rest: p.loop.Body[n:], at: ir.Const(0)}
	if err := x.around(p); err != nil {
		return err
	}
	if err := x.closed(); err != nil {
		return err
	}
	if err := x.memory(); err != nil {
		return err
	}
	if err := x.room(); err != nil {
		return err
	}
	k.Body = append(x.allocs, x.nest(), x.loops[0])
	p.loop.Body = x.moved(x.rest)
	return nil
}

// phase is the state of Phase.
type phase struct {
	k           *Kernel
	v           string
	first, rest []Stmt
	loops       []*Loop // around, outermost first
	over        []*Loop // of these, by which the first statements differ
	common      map[*Buffer]*Buffer
	allocs      []Stmt
	at          ir.Dim // of an iteration, in units of a buffer's size
	size        ir.Dim // iterations
}

// around finds the loops.
func (x *phase) around(p *place) error {
	for _, e := range p.path {
		l, ok := e.stmt.(*Loop)
		if !ok {
			return refuse("phase", x.v, "it runs under a condition")
		}
		x.loops = append(x.loops, l)
	}
	x.loops = append(x.loops, p.loop)
	if len(x.k.Body) != 1 || x.loops[0].Bind != Parallel {
		return refuse("phase", x.v, "it is not in tasks, or there are others already")
	}
	return nil
}

// closed finds the loops by which the statements differ, and checks that they depend on
// nothing else from outside.
func (x *phase) closed() error {
	inside, used := collect(x.first).vars, map[string]bool{}
	note := func(d ir.Dim) {
		for _, s := range d.SymNames() {
			used[s] = used[s] || !inside[s] && !slices.Contains(x.k.Dims, s)
		}
	}
	WalkDims(x.first, note)
	for _, l := range slices.Backward(x.loops) {
		switch {
		case used[l.Var]:
			note(l.Extent)
			x.over = append([]*Loop{l}, x.over...)
		default:
			if n, ok := l.Extent.Int(); !ok || n < 1 {
				return refuse("phase", x.v, "%s may have no iteration: its extent is %v", l.Var, l.Extent)
			}
		}
		delete(used, l.Var)
	}
	for _, s := range slices.Sorted(maps.Keys(used)) {
		if used[s] {
			return refuse("phase", x.v, "it depends on %s, which is no loop around it", s)
		}
	}
	var err error
	WalkExprs(x.first, func(e *Expr) {
		if e.Kind == KVar && !inside[e.Var] {
			err = refuse("phase", x.v, "it depends on %s, which is bound outside", e.Var)
		}
	})
	return err
}

// memory checks what the statements read and write, and finds the buffers that become
// common.
func (x *phase) memory() error {
	own, uses, err := map[*Buffer]bool{}, touched(x.rest), error(nil)
	WalkStmts(x.first, func(s Stmt) {
		switch s := s.(type) {
		case *Alloc:
			own[s.Buf] = true
		case *Fail:
			err = refuse("phase", x.v, "it may end the kernel")
		}
	})
	for b, write := range touched(x.first) {
		root, _ := b.Root()
		if !own[root] && (write || root.Space != Global || root.Out) {
			err = refuse("phase", x.v, "it touches %s, which is not an input", b.Name)
		}
	}
	x.common = map[*Buffer]*Buffer{}
	for _, s := range x.first {
		a, ok := s.(*Alloc)
		if !ok {
			continue
		}
		write, used := uses[a.Buf]
		switch {
		case write:
			err = refuse("phase", x.v, "%s is written behind it", a.Buf.Name)
		case used && (a.Buf.Of != nil || a.Buf.Space != Scratch && a.Buf.Space != Local):
			err = refuse("phase", x.v, "%s is %v, or a part of a buffer", a.Buf.Name, a.Buf.Space)
		case used:
			x.common[a.Buf] = nil
		}
	}
	if len(x.common) == 0 && err == nil {
		err = refuse("phase", x.v, "nothing that it computes is used")
	}
	return err
}

// touched has the buffers that body uses, and whether it writes them.
func touched(body []Stmt) map[*Buffer]bool {
	out := map[*Buffer]bool{}
	note := func(b *Buffer, write bool) { out[b] = out[b] || write }
	WalkStmts(body, func(s Stmt) {
		switch s := s.(type) {
		case *Store:
			note(s.Buf, true)
		case *Call:
			for i, t := range s.Tiles {
				note(t.Buf, s.Instr.Params[i].Out)
			}
		case *Alloc:
			if s.Buf.Of != nil {
				note(s.Buf.Of, true) // by another name
			}
		}
	})
	WalkExprs(body, func(e *Expr) {
		if e.Kind == KLoad {
			note(e.Buf, false)
		}
	})
	return out
}

// room makes the common buffers.
func (x *phase) room() error {
	x.size = ir.Const(1)
	for _, l := range slices.Backward(x.over) {
		most := l.Extent
		if n, _, ok := minConst(most); ok {
			most = ir.Const(n)
		}
		x.at, x.size = x.at.Add(ir.Sym(l.Var).Mul(x.size)), x.size.Mul(most)
	}
	for _, s := range x.first {
		a, ok := s.(*Alloc)
		if !ok {
			continue
		}
		if _, ok := x.common[a.Buf]; !ok {
			continue
		}
		b := *a.Buf
		b.Space, b.Size = Common, b.Size.Mul(x.size)
		for _, s := range b.Size.SymNames() {
			if !slices.Contains(x.k.Dims, s) {
				return refuse("phase", x.v, "the size %v of %s is not known before the call", b.Size, b.Name)
			}
		}
		x.common[a.Buf] = &b
		x.allocs = append(x.allocs, &Alloc{Buf: &b})
	}
	return nil
}

// moved is body with the common buffers.
func (x *phase) moved(body []Stmt) []Stmt {
	shift := map[*Buffer]ir.Dim{}
	for old, b := range x.common {
		shift[b] = x.at.Mul(old.Size)
	}
	return (&subst{bufs: x.common, index: func(b *Buffer, d ir.Dim) ir.Dim {
		if s, ok := shift[b]; ok {
			return d.Add(s)
		}
		return d
	}}).body(body)
}

// nest is the loops around the first statements. Where the extent of one depends on
// another, it is serial, with those inside it.
func (x *phase) nest() *Loop {
	var own []Stmt
	for _, s := range x.first {
		if a, ok := s.(*Alloc); !ok || x.common[a.Buf] == nil {
			own = append(own, s)
		}
	}
	names := map[string]string{}
	for _, l := range x.over {
		names[l.Var] = x.k.fresh(l.Var + ".a")
	}
	rename := &subst{names: names}
	body, serial := rename.body(x.moved(own)), len(x.over)
	for i, l := range x.over {
		if slices.ContainsFunc(x.over, func(o *Loop) bool { return l.Extent.Has(o.Var) }) {
			serial = min(serial, i)
		}
	}
	for i, l := range slices.Backward(x.over) {
		out := &Loop{Var: names[l.Var], Extent: rename.d(l.Extent), Bind: Parallel, Body: body,
			Indep: true}
		if i >= serial {
			out.Bind = Serial
		}
		body = []Stmt{out}
	}
	if serial > 0 && len(x.over) > 0 {
		return body[0].(*Loop)
	}
	return &Loop{Var: x.k.fresh("ahead"), Extent: ir.Const(1), Bind: Parallel, Body: body, Indep: true}
}

// CommonSize is how many bytes of memory the tasks of k share: its common buffers, one
// after the other, aligned as scratch buffers are.
func CommonSize(k *Kernel) ir.Dim {
	n := ir.Const(0)
	for _, s := range k.Body {
		if a, ok := s.(*Alloc); ok && a.Buf.Space == Common {
			n = n.Add(ScratchBytes(a.Buf.Size, a.Buf.DType))
		}
	}
	return n
}

// TasksAhead is how many tasks of k, the first ones, are done before the others begin.
func TasksAhead(k *Kernel) ir.Dim {
	if nests := nestsOf(k); len(nests) > 1 {
		return tasksOf(nests[:1])
	}
	return ir.Const(0)
}

// nestsOf are the nests that k has beside common buffers, each as a body.
func nestsOf(k *Kernel) [][]Stmt {
	var out [][]Stmt
	for i, s := range k.Body {
		if a, ok := s.(*Alloc); !ok || a.Buf.Space != Common {
			out = append(out, k.Body[i:i+1])
		}
	}
	if len(out) == len(k.Body) {
		return [][]Stmt{k.Body}
	}
	return out
}

// phases notes the common buffers, and checks the body that allocates them.
func (v *verifier) phases() {
	for _, s := range v.k.Body {
		if a, ok := s.(*Alloc); ok && a.Buf.Space == Common {
			if v.common == nil {
				v.common = map[*Buffer]bool{}
			}
			v.common[a.Buf] = true
		}
	}
	if v.common == nil {
		return
	}
	nests := nestsOf(v.k)
	for _, n := range nests {
		if l, ok := n[0].(*Loop); !ok || l.Bind != Parallel {
			v.fail("k15", "there is more than two nests of parallel loops beside common buffers")
		}
	}
	if len(nests) != 2 {
		v.fail("k15", "%d nests beside common buffers, want 2", len(nests))
		return
	}
	for b, write := range touched(nests[1]) {
		if write && v.common[b] {
			v.fail("k15", "common buffer %s is written behind the first nest", b.Name)
		}
	}
}
