package kernel

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Block moves the outermost loops of an accumulation out of the nest around it,
// so that a block of it is done for all iterations of the nest before the next
// block is begun: what a block reads then fits a cache. Order names the loops
// of the nest, which are perfectly nested in any order, and red the loops to
// move, the outermost of the accumulation first. Between blocks, what the
// accumulators hold is kept in a scratch buffer with an element for each
// iteration of the nest, those of the last loop of order side by side.
//
// The innermost body of the nest sets its accumulators, which are local scalars,
// then runs the accumulation, then the rest. Copies of the nest before and after
// the blocks do the first and the last; the maps have the names of their
// variables. Block is legal where the iterations of the nest are independent and
// the accumulation writes nothing but the accumulators; each of them sees its
// operands in the same order as before, so that results stay the same to the bit.
func (k *Kernel) Block(order, red []string, name string) (set, rest map[string]string, err error) {
	p, x, err := k.blocking(order, red, name)
	if err != nil {
		return nil, nil, err
	}
	p.replace(simplifyBody(x.build(), p.facts())...)
	return x.before, x.after, nil
}

// BlockInside is Block, but the innermost body of the nest keeps what sets the
// accumulators and what follows, under conditions, for the first and for the last
// block: no pass over the partial results is added. The accumulation has an
// iteration at least.
func (k *Kernel) BlockInside(order, red []string, name string) error {
	p, x, err := k.blocking(order, red, name)
	if err != nil {
		return err
	}
	for _, l := range x.red {
		if n, ok := l.Extent.Int(); !ok || n < 1 {
			return refuse("block", l.Var, "it may have no iteration: its extent is %v", l.Extent)
		}
	}
	p.replace(simplifyBody(x.inside(), p.facts())...)
	return nil
}

// blocking checks what Block does and takes the nest apart.
func (k *Kernel) blocking(order, red []string, name string) (*place, *blocking, error) {
	nest, err := k.nestOf(order)
	if err != nil {
		return nil, nil, err
	}
	p, err := k.find("block", nest[0])
	if err != nil {
		return nil, nil, err
	}
	if len(red) == 0 {
		return nil, nil, refuse("block", nest[0], "no loop to move")
	}
	x := &blocking{k: k, v: red[0], part: map[*Buffer]*Buffer{}}
	for _, v := range nest {
		l := k.Loop(v)
		if l.Bind != Serial || !l.Indep {
			return nil, nil, refuse("block", v, "its iterations are not known to be independent")
		}
		x.nest = append(x.nest, l)
	}
	if err := x.body(innermost(x.nest).Body); err != nil {
		return nil, nil, err
	}
	if err := x.moved(red); err != nil {
		return nil, nil, err
	}
	return p, x, x.room(order, name)
}

func innermost(loops []*Loop) *Loop { return loops[len(loops)-1] }

// blocking is the state of Block.
type blocking struct {
	k             *Kernel
	v             string
	nest          []*Loop
	allocs        []*Alloc // the accumulators
	set           []Stmt   // sets them
	red           []*Loop
	rest          []Stmt
	part          map[*Buffer]*Buffer // of accumulators: the partial results
	at            ir.Dim              // where they lie
	parts         []Stmt              // allocates them
	load, save    []Stmt
	before, after map[string]string
}

// body takes apart the innermost body of the nest.
func (x *blocking) body(body []Stmt) error {
	accs := map[*Buffer]bool{}
	for i, s := range body {
		switch s := s.(type) {
		case *Alloc:
			if s.Buf.Space != Local || !s.Buf.Size.IsConst(1) {
				return refuse("block", x.v, "%s is not a local scalar", s.Buf.Name)
			}
			x.allocs, accs[s.Buf] = append(x.allocs, s), true
			continue
		case *Store:
			if !accs[s.Buf] {
				return refuse("block", x.v, "%s is stored before it", s.Buf.Name)
			}
			x.set = append(x.set, s)
			continue
		case *Loop:
			if s.Var != x.v {
				break
			}
			x.red, x.rest = []*Loop{s}, body[i+1:]
			acc := collect(s.Body)
			for b := range acc.writes() {
				if !accs[b] {
					return refuse("block", x.v, "it writes %s beside the accumulators", b.Name)
				}
			}
			if !acc.known {
				return refuse("block", x.v, "an instruction hides what it writes")
			}
			return nil
		}
		return refuse("block", x.v, "it does not follow the start of its accumulators")
	}
	return refuse("block", x.v, "it is not in the innermost body of the nest")
}

// moved finds the loops to move and checks that they can stand outside.
func (x *blocking) moved(red []string) error {
	for _, v := range red[1:] {
		in, ok := innermost(x.red).only()
		if !ok || in.Var != v {
			return refuse("block", v, "it is not the whole body of %s", innermost(x.red).Var)
		}
		x.red = append(x.red, in)
	}
	for _, l := range x.red {
		if l.Bind != Serial {
			return refuse("block", l.Var, "it is %v", l.Bind)
		}
		for _, o := range slices.Concat(x.nest, x.red) {
			if l.Extent.Has(o.Var) {
				return refuse("block", l.Var, "its extent %v depends on %s", l.Extent, o.Var)
			}
		}
	}
	return nil
}

// room makes the buffers of partial results and the statements that fill and
// read them.
func (x *blocking) room(order []string, name string) error {
	size := ir.Const(1)
	for _, v := range slices.Backward(order) {
		e := x.k.Loop(v).Extent
		if n, _, ok := minConst(e); ok {
			e = ir.Const(n)
		}
		if !e.Static() {
			return refuse("block", v, "its extent %v is not bounded by a number", e)
		}
		x.at, size = x.at.Add(ir.Sym(v).Mul(size)), size.Mul(e)
	}
	used := x.k.Names()
	for _, a := range x.allocs {
		b := &Buffer{Name: unused(name, used), DType: a.Buf.DType, Size: size, Space: Scratch}
		x.part[a.Buf] = b
		x.parts = append(x.parts, &Alloc{Buf: b})
		x.load = append(x.load, &Store{Buf: a.Buf, Value: Load(b, x.at)})
		x.save = append(x.save, &Store{Buf: b, Index: x.at, Value: Load(a.Buf, ir.Const(0))})
	}
	return nil
}

// build makes the three nests.
func (x *blocking) build() []Stmt {
	out := x.parts
	var nest []Stmt
	nest, x.before = x.k.copyBody(x.around(x.direct(x.set)))
	out = append(out, nest...)
	var body []Stmt
	for _, a := range x.allocs {
		body = append(body, a)
	}
	out = append(out, x.blocks(slices.Concat(body, x.load, innermost(x.red).Body, x.save))...)
	nest, x.after = x.k.copyAlso(x.around(x.direct(x.rest)), x.before)
	return append(out, nest...)
}

// inside makes the nest of BlockInside.
func (x *blocking) inside() []Stmt {
	first, end := ConstExpr(ir.Bool, 1), ConstExpr(ir.Bool, 1)
	for _, l := range x.red {
		v := IndexExpr(ir.Sym(l.Var))
		first = OpExpr(ir.OpAnd, first, OpExpr(ir.OpLe, v, IndexExpr(ir.Const(0))))
		end = OpExpr(ir.OpAnd, end, OpExpr(ir.OpLe, IndexExpr(l.Extent.AddConst(-1)), v))
	}
	var body []Stmt
	for _, a := range x.allocs {
		body = append(body, a)
	}
	body = append(body, &If{Cond: first, Then: x.set, Else: x.load})
	body = append(body, innermost(x.red).Body...)
	body = append(body, &If{Cond: end, Then: x.rest, Else: x.save})
	return append(x.parts, x.blocks(body)...)
}

// blocks is the nest around body, in the loops that are moved.
func (x *blocking) blocks(body []Stmt) []Stmt {
	body = x.around(body)
	for _, l := range slices.Backward(x.red) {
		body = []Stmt{&Loop{Var: l.Var, Extent: l.Extent, Body: body}}
	}
	return body
}

// direct is body with the partial results in place of the accumulators.
func (x *blocking) direct(body []Stmt) []Stmt {
	return (&subst{bufs: x.part, index: func(b *Buffer, d ir.Dim) ir.Dim {
		for _, p := range x.part {
			if b == p {
				return x.at
			}
		}
		return d
	}}).body(body)
}

// around is the nest around body.
func (x *blocking) around(body []Stmt) []Stmt {
	for _, l := range slices.Backward(x.nest) {
		c := *l
		c.Body = body
		body = []Stmt{&c}
	}
	return body
}
