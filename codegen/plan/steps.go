package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/lower"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// A loop with short steps, as those of recurrent cells are, is one kernel: what its steps launch
// one after the other stands in a loop over the steps. To set up a step and to launch its two or
// three kernels takes 0.2 µs, as long as a cell of 16 takes to compute (AMD EPYC, 2026-11-26). It
// is done where no thread would help with any of the launches, so that nothing is lost.

// oneKernel returns the launch that does all steps of the loop, nil if there is none, and the
// condition under which it does, 1 or 0.
func (l *scanner) oneKernel() (runtime.Step, ir.Dim, error) {
	m := &stepper{scanner: l, roots: map[root]*kernel.Buffer{}, of: map[*ir.Value][]*kernel.Buffer{},
		when: ir.Const(1), cost: ir.Const(0)}
	if ok, err := m.parts(); !ok || err != nil {
		return nil, ir.Dim{}, err
	}
	k, err := m.compose()
	if err != nil {
		return nil, ir.Dim{}, err
	}
	return m.launch(k)
}

// stepper is the state of making one kernel of a loop.
type stepper struct {
	*scanner
	params []root // that are parameters
	roots  map[root]*kernel.Buffer
	own    []*kernel.Buffer // parts of parameters, and scratch memory
	of     map[*ir.Value][]*kernel.Buffer
	inner  []inner
	names  []string // of operations
	pos    []ir.Pos
	when   ir.Dim
	cost   ir.Dim // ns of a step
}

// root is a buffer of the program; one without elements may be of several types.
type root struct {
	buf int
	d   ir.DType
}

// inner is a kernel of the loop with what stands for its parameters.
type inner struct {
	tree *kernel.Kernel
	bufs []*kernel.Buffer
}

// parts lowers the body; it reports false where the loop stays as it is.
func (m *stepper) parts() (bool, error) {
	for _, v := range m.a.Body.Values {
		if v.Op != ir.OpParam && v.Op != ir.OpConst && v.Op != ir.OpGet && v.Op != ir.OpFuse &&
			!v.Op.Is(ir.Views) {
			return false, nil
		}
		if known, err := m.known(v); !known || err != nil {
			return false, err
		}
	}
	for i, p := range m.a.Body.Params {
		m.of[p] = []*kernel.Buffer{m.place(m.in[i], p.Type)}
	}
	var outs []*kernel.Buffer
	for i, r := range m.a.Body.Results {
		outs = append(outs, m.place(m.out[i], r.Type))
	}
	direct := m.direct(outs)
	for _, v := range m.a.Body.Values {
		var err error
		switch v.Op {
		case ir.OpParam:
		case ir.OpConst:
			if _, err = m.b.constant(v); err == nil {
				b := m.buffer(m.b.bufs[v][0], v.Type.DType, v.Type.Shape.Size())
				m.of[v] = []*kernel.Buffer{b}
			}
		case ir.OpGet:
			m.of[v] = m.of[v.Args[0]][v.Attr.(*ir.IndexAttr).Index:][:1]
		case ir.OpFuse:
			err = m.region(v, direct)
		default:
			m.of[v] = m.of[v.Args[0]]
		}
		if err != nil || m.when.IsConst(0) {
			return false, err
		}
	}
	for i, r := range m.a.Body.Results {
		if from := m.of[r][0]; from != outs[i] {
			m.add(copying(r.Type), from, outs[i])
		}
	}
	return len(m.inner) > 0, nil
}

// known reports whether all that is to be checked of v is known, and its size before the loop.
func (m *stepper) known(v *ir.Value) (bool, error) {
	checks := len(m.b.p.Checks)
	defer func() { m.b.p.Checks = m.b.p.Checks[:checks] }()
	values := []*ir.Value{v}
	if a, ok := v.Attr.(*ir.FuseAttr); ok {
		values = a.Body.Values
	}
	m.b.depth++
	defer func() { m.b.depth-- }()
	for _, v := range values {
		s, err := m.b.valueBounds(v)
		if err != nil || len(s) > 0 || v.Op == ir.OpNonZero {
			return false, err
		}
	}
	return true, nil
}

// direct has the buffers of results that are where the loop wants them.
func (m *stepper) direct(outs []*kernel.Buffer) map[*ir.Value]map[int]*kernel.Buffer {
	out := map[*ir.Value]map[int]*kernel.Buffer{}
	for i, r := range m.a.Body.Results {
		root, k := producer(r)
		if root.Op != ir.OpFuse || out[root][k] != nil {
			continue
		}
		if out[root] == nil {
			out[root] = map[int]*kernel.Buffer{}
		}
		out[root][k] = outs[i]
	}
	return out
}

// buffer is the program's buffer i, of n elements, as a parameter of the kernel.
func (m *stepper) buffer(i int, d ir.DType, n ir.Dim) *kernel.Buffer {
	r := root{i, d}
	b, ok := m.roots[r]
	if !ok {
		b = &kernel.Buffer{Name: fmt.Sprintf("m%d", len(m.params)), DType: d, Size: n}
		m.roots[r], m.params = b, append(m.params, r)
	}
	return b
}

// place is the part p, a tensor of type t.
func (m *stepper) place(p part, t ir.Type) *kernel.Buffer {
	of := m.buffer(p.of, t.DType, p.size)
	if p.at.IsConst(0) && p.size.Equal(t.Shape.Size()) {
		return of
	}
	b := m.alloc(t)
	b.Space, b.Of, b.At = of.Space, of, p.at
	return b
}

// alloc is memory for a tensor of type t.
func (m *stepper) alloc(t ir.Type) *kernel.Buffer {
	b := &kernel.Buffer{Name: fmt.Sprintf("v%d", len(m.own)), DType: t.DType, Size: t.Shape.Size(),
		Space: kernel.Scratch}
	m.own = append(m.own, b)
	return b
}

// region lowers a fused region, whose results are scratch memory unless they are wanted elsewhere.
func (m *stepper) region(v *ir.Value, direct map[*ir.Value]map[int]*kernel.Buffer) error {
	a := v.Attr.(*ir.FuseAttr)
	res, err := lower.Region("k", a.Kind, a.Body, lower.Places{}) // all is in one piece
	if err != nil {
		return err
	}
	var bufs []*kernel.Buffer
	for _, i := range res.Args {
		bufs = append(bufs, m.of[v.Args[i]][0])
	}
	for i, t := range v.ResultTypes() {
		b := direct[v][i]
		if b == nil {
			b = m.alloc(t)
		}
		m.of[v] = append(m.of[v], b)
	}
	cost := Cost(res.Kernel)
	m.when = m.when.Mul(less(cost, runtime.SplitCost))
	m.cost = m.cost.Add(cost)
	m.names = append(m.names, kernelName(a.Kind, a.Body))
	m.add(res.Kernel, append(bufs, m.of[v]...)...)
	return nil
}

// less is 1 where 0 <= d < n, else 0.
func less(d ir.Dim, n int64) ir.Dim {
	return ir.Const(n).Sub(d).Max(ir.Const(0)).Min(ir.Const(1))
}

// add appends a kernel.
func (m *stepper) add(tree *kernel.Kernel, bufs ...*kernel.Buffer) {
	for i, b := range tree.Params {
		bufs[i].In, bufs[i].Out = bufs[i].In || b.In, bufs[i].Out || b.Out
	}
	m.inner = append(m.inner, inner{tree, bufs})
	m.pos = append(m.pos, tree.Pos...)
}

// copying is a kernel that copies a tensor.
func copying(t ir.Type) *kernel.Kernel {
	n := t.Shape.Size()
	from := &kernel.Buffer{Name: "from", DType: t.DType, Size: n, In: true}
	to := &kernel.Buffer{Name: "to", DType: t.DType, Size: n, Out: true}
	i := ir.Sym("i")
	return &kernel.Kernel{Name: "copy", Params: []*kernel.Buffer{from, to}, Body: []kernel.Stmt{
		&kernel.Loop{Var: "i", Extent: n, Indep: true, Body: []kernel.Stmt{
			&kernel.Store{Buf: to, Index: i, Value: kernel.Load(from, i)}}}}}
}

// compose makes the loop over the steps.
func (m *stepper) compose() (*kernel.Kernel, error) {
	loop := &kernel.Loop{Var: m.t.String(), Extent: m.a.Length, Bind: kernel.Steps}
	k := &kernel.Kernel{Name: "steps", Body: []kernel.Stmt{loop}, Pos: m.pos}
	for _, b := range m.own {
		if b.Of != nil {
			b.Of.In, b.Of.Out = b.Of.In || b.In, b.Of.Out || b.Out
		}
		if b.In || b.Out {
			loop.Body = append(loop.Body, &kernel.Alloc{Buf: b})
		}
	}
	used := func(r root) bool { return m.roots[r].In || m.roots[r].Out }
	m.params = slices.DeleteFunc(m.params, func(r root) bool { return !used(r) })
	for _, r := range m.params {
		k.Params = append(k.Params, m.roots[r])
	}
	for _, in := range m.inner { // whose variables get other names than these
		k.Dims = append(k.Dims, in.tree.Dims...)
	}
	for i, in := range m.inner {
		part := fmt.Sprintf("part%d", i)
		loop.Body = append(loop.Body, &kernel.Loop{Var: part, Extent: ir.Const(1), Indep: true})
		if err := k.SetInner(part, in.tree, in.bufs); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// launch makes the step of the program that runs k.
func (m *stepper) launch(k *kernel.Kernel) (runtime.Step, ir.Dim, error) {
	tree, dims := opaque(k)
	cost, err := m.b.slots.int(m.cost.Mul(m.a.Length))
	if err != nil {
		return nil, ir.Dim{}, err
	}
	const most = 2 // regions that give the kernel its name
	name := "steps_" + strings.Join(m.names[:min(len(m.names), most)], "_")
	out := &runtime.Launch{Kernel: m.b.kernel(version{tree, dims, m.when}, name),
		Cost: cost, Ordered: true}
	for _, r := range m.params {
		out.Bufs = append(out.Bufs, r.buf)
	}
	for i, b := range tree.Params {
		if b.Out {
			out.Writes = append(out.Writes, i)
		}
	}
	for _, dim := range dims {
		d, err := m.b.slots.int(dim)
		if err != nil {
			return nil, ir.Dim{}, err
		}
		out.Dims = append(out.Dims, d)
	}
	return out, m.when, nil
}
