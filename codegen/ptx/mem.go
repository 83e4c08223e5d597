package ptx

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Loads, stores and buffers.

// memType is the type of an element of d in ld and st.
func memType(d ir.DType) string {
	switch {
	case d == ir.Bool:
		return "u8"
	case classOf(d) == b16:
		return "b16"
	case d.IsFloat():
		return typeOf(d)
	}
	sign := "u"
	if signed(d) {
		sign = "s"
	}
	return fmt.Sprintf("%s%d", sign, 8*d.Size())
}

func (e *emitter) load(x *kernel.Expr) val {
	if !e.known(x.DType, "load") {
		return e.reg(classOf(x.DType))
	}
	d := e.fold(x.Index)
	if len(x.Args) == 2 {
		return e.loadIf(x, d)
	}
	m := e.memory(x.Buf)
	at := ""
	if m.regs == nil {
		at = e.address(x.Buf, d)
	} else if at = d.String(); !e.inside(x.Buf, d) {
		return e.reg(classOf(x.DType))
	}
	for _, s := range e.scopes {
		if v, ok := s.loads[x.Buf][at]; ok {
			return v
		}
	}
	v := e.fetch(x.Buf, m, d, at)
	top := e.scopes[len(e.scopes)-1].loads
	if top[x.Buf] == nil {
		top[x.Buf] = map[string]val{}
	}
	top[x.Buf][at] = v
	return v
}

// inside checks the index into a buffer that is kept in registers.
func (e *emitter) inside(b *kernel.Buffer, d ir.Dim) bool {
	n, ok := d.Int()
	if !ok || n < 0 || n >= int64(len(e.memory(b).regs)) {
		e.errorf("%s[%v]: not an element of its %d registers", b.Name, d, len(e.memory(b).regs))
		return false
	}
	return true
}

// fetch reads an element into a new register.
func (e *emitter) fetch(b *kernel.Buffer, m *memory, d ir.Dim, at string) val {
	c := classOf(b.DType)
	if m.regs != nil {
		n, _ := d.Int()
		v := e.reg(c)
		e.line("mov.%s %s, %s", classes[c].typ, v, m.regs[n])
		return v
	}
	v := e.reg(storedClass(b.DType))
	e.line("%s %s, %s", loadOp(b, m), v, at)
	return e.fromStored(b.DType, v)
}

func loadOp(b *kernel.Buffer, m *memory) string {
	cache := ""
	if b.Const && b.Space == kernel.Global {
		cache = ".nc" // nothing writes it
	}
	return fmt.Sprintf("ld.%s%s.%s", m.space, cache, memType(b.DType))
}

// storedClass is the class of registers that elements are loaded to.
func storedClass(d ir.DType) class {
	if d == ir.Bool {
		return b32
	}
	return classOf(d)
}

func (e *emitter) fromStored(d ir.DType, v val) val {
	if d == ir.Bool {
		return e.pure(pred, "setp.ne.u32", v, "0")
	}
	return v
}

// loadIf emits a load under a predicate, to a register that has the other
// value before.
func (e *emitter) loadIf(x *kernel.Expr, d ir.Dim) val {
	mask, other := e.expr(x.Args[0]), e.expr(x.Args[1])
	switch mask {
	case "0":
		return other
	case "1":
		return e.load(kernel.Load(x.Buf, x.Index))
	}
	m := e.memory(x.Buf)
	c := storedClass(x.DType)
	v := e.reg(c)
	if x.DType == ir.Bool {
		other = e.choose(ir.U32, e.inReg(pred, other), "1", "0")
	}
	if m.regs != nil && !e.inside(x.Buf, d) {
		return v
	}
	e.line("mov.%s %s, %s", classes[c].typ, v, other)
	if m.regs != nil {
		n, _ := d.Int()
		from := m.regs[n]
		if x.DType == ir.Bool {
			from = e.choose(ir.U32, from, "1", "0")
		}
		e.line("@%s mov.%s %s, %s", mask, classes[c].typ, v, from)
	} else {
		e.line("@%s %s %s, %s", mask, loadOp(x.Buf, m), v, e.address(x.Buf, d))
	}
	return e.fromStored(x.DType, v)
}

func (e *emitter) store(s *kernel.Store) {
	d := e.fold(s.Index)
	v := e.value(s.Value)
	m := e.memory(s.Buf)
	defer e.forget(s.Buf)
	if m.regs != nil {
		if e.inside(s.Buf, d) {
			n, _ := d.Int()
			e.line("mov.%s %s, %s", bitsOf(s.Buf.DType), m.regs[n], v)
		}
		return
	}
	at := e.address(s.Buf, d)
	if s.Buf.DType == ir.Bool {
		v = e.choose(ir.U32, v, "1", "0")
	}
	guard := ""
	if e.uniform && e.many && s.Buf.Space != kernel.Local {
		guard = "@" + string(e.leader()) + " "
	}
	e.line("%sst.%s.%s %s, %s", guard, m.space, memType(s.Buf.DType), at, v)
}

// forget drops what was loaded from b, which changes.
func (e *emitter) forget(b *kernel.Buffer) {
	for _, s := range e.scopes {
		delete(s.loads, b)
	}
}

// forgetWritten drops what was loaded from buffers that body writes.
func (e *emitter) forgetWritten(body []kernel.Stmt) {
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		if st, ok := s.(*kernel.Store); ok {
			e.forget(st.Buf)
		}
	})
}

// maxRegs bounds the elements of a local buffer that is kept in registers.
const maxRegs = 64

// maxLocal bounds the elements of a local buffer.
const maxLocal = 4096

// alloc makes a local or shared buffer.
func (e *emitter) alloc(b *kernel.Buffer) {
	n, ok := e.fold(b.Size).Int()
	switch {
	case b.Space == kernel.Scratch:
		e.errorf("alloc %s: scratch is memory of a worker, which a GPU has not; use local or shared", b.Name)
		n = 1
	case !ok || n > maxLocal && b.Space == kernel.Local:
		e.errorf("alloc %s: %v elements, wanted a number up to %d", b.Name, b.Size, maxLocal)
		n = 1
	case b.Space == kernel.Local && n <= maxRegs && e.fixed(b):
		m := &memory{}
		for range n {
			m.regs = append(m.regs, e.reg(classOf(b.DType)))
		}
		e.bufs[b] = m
		return
	}
	space := b.Space.String()
	name := space + "$" + symbol(b.Name)
	for e.symbols[name] {
		name += "$"
	}
	e.symbols[name] = true
	e.decls = append(e.decls, fmt.Sprintf(".%s .align %d .b8 %s[%d]", space, sharedAlign, name,
		max(n, 1)*int64(b.DType.Size())))
	e.bufs[b] = &memory{space: space, base: e.pure(b64, "mov.u64", val(name))}
}

// fixed reports whether all indices into b are numbers once loops are unrolled.
func (e *emitter) fixed(b *kernel.Buffer) bool {
	unrolled := map[string]bool{}
	kernel.WalkStmts(e.k.Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok && (l.Bind == kernel.Unroll || l.Bind == kernel.Vector) {
			unrolled[l.Var] = true
		}
	})
	fixed := true
	see := func(x *kernel.Buffer, d ir.Dim) {
		for _, s := range d.SymNames() {
			fixed = fixed && (x != b || unrolled[s])
		}
	}
	kernel.WalkStmts(e.k.Body, func(s kernel.Stmt) {
		if st, ok := s.(*kernel.Store); ok {
			see(st.Buf, st.Index)
		}
	})
	kernel.WalkExprs(e.k.Body, func(x *kernel.Expr) {
		if x.Kind == kernel.KLoad {
			see(x.Buf, x.Index)
		}
	})
	return fixed
}
