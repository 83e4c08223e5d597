package kernel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Verify checks what every stage must keep and returns all that is wrong:
//
//	k1  names of dims, variables and buffers are unique and well formed
//	k2  symbols of integer expressions are in scope: dims, variables of loops
//	    around, i64 lets before
//	k3  buffers are declared before use and in scope
//	k4  stores go to buffers that are written: outputs or the kernel's own,
//	    and store their element type
//	k5  expressions have the argument types that their operation wants
//	k6  parallel loops, those over steps, and those over a grid, are outermost and nested
//	    perfectly; only these and other axes of the block are around an axis
//	    of a block, whose extent is a number
//	k7  a vector loop has a number as extent, is independent and has no loop
//	    inside but unrolled ones
//	k8  the extent of an unrolled loop is a number
//	k9  local and shared buffers and registers have a number as size
//	k10 loads are of buffers that are read: inputs, outputs or the kernel's own
//	k11 tiles fit their instruction
//	k12 conditions are bool
//	k13 shared buffers are allocated outside of the loops over a block's
//	    threads; a local buffer from outside is not written inside
//	k14 registers are touched by instructions alone
//	k15 a common buffer is allocated by the kernel's body, which has then two nests
//	    of parallel loops and nothing else: the second does not write the buffer
func Verify(k *Kernel) error {
	v := &verifier{k: k, names: map[string]bool{}, syms: map[string]bool{}, vars: map[string]ir.DType{},
		bufs: map[*Buffer]bool{}, thread: map[*Buffer]bool{}, seen: map[*Expr]bool{}}
	for _, d := range k.Dims {
		v.define(d)
		v.syms[d] = true
	}
	for _, p := range k.Params {
		v.define(p.Name)
		v.bufs[p] = true
		v.dim(p.Size, "size of "+p.Name)
		if p.Space != Global {
			v.fail("k3", "parameter %s is %v, want global", p.Name, p.Space)
		}
	}
	v.phases()
	v.body(k.Body, level{outer: true, axes: true})
	return errors.Join(v.errs...)
}

type verifier struct {
	k     *Kernel
	errs  []error
	names map[string]bool
	syms  map[string]bool
	vars  map[string]ir.DType
	bufs  map[*Buffer]bool
	// thread has the buffers that each thread of a block allocates.
	thread map[*Buffer]bool
	seen   map[*Expr]bool
	common map[*Buffer]bool // common buffers, nil if there are none
}

// level is the loops around a statement.
type level struct {
	outer  bool // only parallel loops around, each alone in its body
	axes   bool // only loops over a grid or a block around
	block  bool // inside a loop over a block's threads
	vector bool // inside a vector loop
}

func (v *verifier) fail(label, format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf("kernel %s: %s: %s", v.k.Name, label, fmt.Sprintf(format, args...)))
}

func (v *verifier) define(name string) {
	if !ir.IsSymName(name) {
		v.fail("k1", "%q is not a name", name)
	}
	if v.names[name] {
		v.fail("k1", "%s is defined twice", name)
	}
	v.names[name] = true
}

func (v *verifier) dim(d ir.Dim, what string) {
	for _, s := range d.SymNames() {
		if !v.syms[s] {
			v.fail("k2", "%s: symbol %s of %v is not in scope", what, s, d)
		}
	}
}

func (v *verifier) body(body []Stmt, l level) {
	var undo []func()
	for _, s := range body {
		switch s := s.(type) {
		case *Loop:
			inner := l
			inner.outer = l.outer && (len(body) == 1 || v.common != nil && &body[0] == &v.k.Body[0])
			v.loop(s, inner)
		case *Alloc:
			undo = append(undo, v.alloc(s.Buf, l))
		case *Let:
			undo = append(undo, v.let(s))
		default:
			v.stmt(s, level{vector: l.vector, block: l.block})
		}
	}
	for _, f := range undo {
		f()
	}
}

func (v *verifier) loop(s *Loop, l level) {
	v.define(s.Var)
	v.dim(s.Extent, "loop "+s.Var)
	n, static := s.Extent.Int()
	switch s.Bind {
	case Serial:
		l.outer = false
	case Steps:
		if !l.outer {
			v.fail("k6", "loop %s over steps is not outermost and alone", s.Var)
		}
		l.outer, l.axes = false, false
	case Unroll:
		l.outer = false
		if !static || n > 1<<10 {
			v.fail("k8", "unrolled loop %s has extent %v, want a number up to 1024", s.Var, s.Extent)
		}
	case Vector:
		l.outer = false
		if !static || n < 1 || n > 1<<10 {
			v.fail("k7", "vector loop %s has extent %v, want a number up to 1024", s.Var, s.Extent)
		}
		if !s.Indep {
			v.fail("k7", "iterations of vector loop %s are not known to be independent", s.Var)
		}
	case BlockX, BlockY, BlockZ:
		l.outer = false
		if !l.axes || !static || n < 1 || n > maxBlock {
			v.fail("k6", "%v loop %s with extent %v: want a number up to %d, and only loops over the "+
				"grid and the block around", s.Bind, s.Var, s.Extent, maxBlock)
		}
		if !s.Indep {
			v.fail("k6", "iterations of %v loop %s are not known to be independent", s.Bind, s.Var)
		}
	default:
		if !l.outer {
			v.fail("k6", "%v loop %s is not outermost and alone", s.Bind, s.Var)
		}
		if !s.Indep {
			v.fail("k6", "iterations of %v loop %s are not known to be independent", s.Bind, s.Var)
		}
	}
	if l.vector && s.Bind != Unroll {
		v.fail("k7", "%v loop %s is inside a vector loop", s.Bind, s.Var)
	}
	l.vector = l.vector || s.Bind == Vector
	l.block, l.axes = l.block || blockAxis(s.Bind), l.axes && gpuAxis(s.Bind)
	v.syms[s.Var] = true
	v.body(s.Body, l)
	delete(v.syms, s.Var)
}

func (v *verifier) alloc(b *Buffer, l level) (undo func()) {
	v.define(b.Name)
	v.dim(b.Size, "size of "+b.Name)
	if b.Of != nil {
		v.part(b)
	} else if b.Space == Global {
		v.fail("k3", "alloc of %s, which is global", b.Name)
	}
	if (b.Space == Local || b.Space == Shared || b.Space == Registers) && !b.Size.Static() {
		v.fail("k9", "%v buffer %s has size %v, want a number", b.Space, b.Name, b.Size)
	}
	if b.Space == Shared && l.block {
		v.fail("k13", "shared buffer %s is allocated by each thread", b.Name)
	}
	if b.Space == Common && !v.common[b] {
		v.fail("k15", "common buffer %s is allocated inside the kernel's body", b.Name)
	}
	v.bufs[b] = true
	if l.block {
		v.thread[b] = true
	}
	return func() { delete(v.bufs, b) }
}

// part checks a buffer that is a part of another.
func (v *verifier) part(b *Buffer) {
	v.dim(b.At, "place of "+b.Name)
	switch of := b.Of; {
	case !v.bufs[of]:
		v.fail("k3", "%s is a part of %s, which is not in scope", b.Name, of.Name)
	case of.DType != b.DType || of.Space != b.Space:
		v.fail("k3", "%s, %v in %v, is a part of %s, %v in %v", b.Name, b.DType, b.Space, of.Name,
			of.DType, of.Space)
	case b.Out && !of.Out || b.In && !of.In && !of.Out:
		v.fail("k4", "%s is read or written, as a part of %s, which is not", b.Name, of.Name)
	}
}

func (v *verifier) let(s *Let) (undo func()) {
	v.expr(s.Value)
	v.define(s.Var)
	v.vars[s.Var] = s.Value.DType
	if s.Value.DType == ir.I64 {
		v.syms[s.Var] = true
	}
	return func() { delete(v.syms, s.Var); delete(v.vars, s.Var); clear(v.seen) }
}

func (v *verifier) stmt(s Stmt, l level) {
	switch s := s.(type) {
	case *Store:
		v.dim(s.Index, "store to "+s.Buf.Name)
		v.expr(s.Value)
		if !v.bufs[s.Buf] {
			v.fail("k3", "store to %s, which is not in scope", s.Buf.Name)
		}
		if s.Buf.Space == Local && l.block && !v.thread[s.Buf] {
			v.fail("k13", "store to local buffer %s, which all threads of the block have", s.Buf.Name)
		}
		if s.Buf.Space == Registers {
			v.fail("k14", "store to %s, which is in registers", s.Buf.Name)
		}
		if s.Buf.Space == Global && !s.Buf.Out {
			v.fail("k4", "store to %s, which is not an output", s.Buf.Name)
		}
		if s.Value.DType != s.Buf.DType {
			v.fail("k4", "store of %v to %s, which holds %v", s.Value.DType, s.Buf.Name, s.Buf.DType)
		}
	case *If:
		v.cond(s.Cond, "if")
		v.body(s.Then, l)
		v.body(s.Else, l)
	case *Fail:
		v.cond(s.Cond, "fail")
		if s.Status == 0 {
			v.fail("k12", "fail with status 0")
		}
	case *Call:
		v.call(s)
	}
}

func (v *verifier) cond(e *Expr, what string) {
	v.expr(e)
	if e.DType != ir.Bool {
		v.fail("k12", "condition of %s is %v, want bool", what, e.DType)
	}
}

func (v *verifier) call(c *Call) {
	if len(c.Tiles) != len(c.Instr.Params) {
		v.fail("k11", "call %s: %d tiles, want %d", c.Instr.Name, len(c.Tiles), len(c.Instr.Params))
		return
	}
	for i, t := range c.Tiles {
		if !v.bufs[t.Buf] {
			v.fail("k3", "call %s: %s is not in scope", c.Instr.Name, t.Buf.Name)
		}
		v.dim(t.Index, "tile of "+t.Buf.Name)
		if t.Buf.DType != c.Instr.Params[i].DType || len(t.Strides) != len(c.Instr.Shapes[i]) {
			v.fail("k11", "call %s: tile %d of %s does not fit", c.Instr.Name, i, t.Buf.Name)
		}
		if (t.Buf.Space == Registers) != (c.Instr.Params[i].Space == Registers) {
			v.fail("k11", "call %s: tile %d of %s is in %v", c.Instr.Name, i, t.Buf.Name, t.Buf.Space)
		}
	}
}

func (v *verifier) expr(e *Expr) {
	if v.seen[e] {
		return
	}
	v.seen[e] = true
	for _, a := range e.Args {
		v.expr(a)
	}
	switch e.Kind {
	case KIndex:
		v.dim(e.Index, "expression")
		if e.DType != ir.I64 {
			v.fail("k5", "integer expression %v is %v, want i64", e.Index, e.DType)
		}
	case KVar:
		if d, ok := v.vars[e.Var]; !ok {
			v.fail("k2", "variable %s is not in scope", e.Var)
		} else if d != e.DType {
			v.fail("k5", "variable %s is %v, used as %v", e.Var, d, e.DType)
		}
	case KLoad:
		v.load(e)
	case KOp:
		if e.Op.Is(ir.Views) {
			v.fail("k5", "%v: a view, which lowering looks through", e.Op)
		} else if msg := wrongTypes(e); msg != "" {
			v.fail("k5", "%v: %s", e.Op, msg)
		}
	}
}

func (v *verifier) load(e *Expr) {
	v.dim(e.Index, "load of "+e.Buf.Name)
	if !v.bufs[e.Buf] {
		v.fail("k3", "load of %s, which is not in scope", e.Buf.Name)
	}
	if e.Buf.Space == Registers {
		v.fail("k14", "load of %s, which is in registers", e.Buf.Name)
	}
	if e.Buf.Space == Global && !e.Buf.In && !e.Buf.Out {
		v.fail("k10", "load of %s, which is neither input nor output", e.Buf.Name)
	}
	if e.DType != e.Buf.DType {
		v.fail("k5", "load of %v from %s, which holds %v", e.DType, e.Buf.Name, e.Buf.DType)
	}
	if len(e.Args) == 2 && (e.Args[0].DType != ir.Bool || e.Args[1].DType != e.DType) {
		v.fail("k5", "load of %s: mask %v and other %v, want bool and %v", e.Buf.Name,
			e.Args[0].DType, e.Args[1].DType, e.DType)
	}
}

// wrongTypes says what is wrong with the types of an operation, "" if nothing.
func wrongTypes(e *Expr) string {
	info := e.Op.Info()
	if !e.Op.Is(ir.Elementwise) {
		return "is not elementwise"
	}
	if len(e.Args) != info.Args {
		return fmt.Sprintf("%d arguments, want %d", len(e.Args), info.Args)
	}
	first := e.Args[0].DType
	if !info.Types.Has(first) {
		return fmt.Sprintf("is not for %v", first)
	}
	same := e.Args
	want := first
	switch {
	case e.Op == ir.OpCast:
		return ""
	case e.Op == ir.OpBitcast:
		if first.Bits() != e.DType.Bits() {
			return fmt.Sprintf("from %v to %v, which has another size", first, e.DType)
		}
		return ""
	case e.Op == ir.OpSelect:
		same, want = e.Args[1:], e.Args[1].DType
	case e.Op.Is(ir.Compares):
		want = ir.Bool
	}
	if slices.ContainsFunc(same, func(a *Expr) bool { return a.DType != same[0].DType }) {
		return "arguments differ in type"
	}
	if e.DType != want {
		return fmt.Sprintf("result is %v, want %v", e.DType, want)
	}
	return ""
}
