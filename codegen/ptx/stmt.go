package ptx

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Statements of a thread.

func (e *emitter) block(body []kernel.Stmt) {
	for _, s := range body {
		e.stmt(s)
	}
}

func (e *emitter) stmt(s kernel.Stmt) {
	e.memo = map[*kernel.Expr]val{}
	switch s := s.(type) {
	case *kernel.Loop:
		e.loop(s)
	case *kernel.Store:
		e.store(s)
	case *kernel.Let:
		e.let(s)
	case *kernel.If:
		e.branch(s)
	case *kernel.Alloc:
		e.alloc(s.Buf)
	case *kernel.Fail:
		e.fail(s)
	case *kernel.Call:
		e.errorf("call %s: PTX has no text for this instruction", s.Instr.Name)
	}
}

// let binds a name. Integers stay polynomials.
func (e *emitter) let(s *kernel.Let) {
	if s.Value.Kind == kernel.KIndex {
		e.exact[s.Var] = e.fold(s.Value.Index)
		return
	}
	e.vars[s.Var] = e.value(s.Value)
}

func (e *emitter) loop(l *kernel.Loop) {
	n, static := e.fold(l.Extent).Int()
	switch {
	case l.Bind == kernel.Parallel:
		e.errorf("loop %s: bound to the tasks of a CPU; schedule the kernel for a GPU", l.Var)
	case l.Bind >= kernel.GridX:
		e.errorf("loop %s: %v loop inside other statements", l.Var, l.Bind)
	case static && n <= 0:
	case l.Bind != kernel.Serial || static && n == 1:
		if !static {
			e.errorf("loop %s: copied out %v times, wanted a number", l.Var, l.Extent)
			return
		}
		for i := range n {
			e.exact[l.Var] = ir.Const(i)
			e.block(l.Body)
		}
		delete(e.exact, l.Var)
	default:
		e.serial(l, n)
	}
}

// serial emits a loop of n iterations, of an unknown number if n is 0, with its
// test at the end.
func (e *emitter) serial(l *kernel.Loop, n int64) {
	end := e.index(e.fold(l.Extent))
	head, exit := e.label(), ""
	i := e.reg(b64)
	e.line("mov.b64 %s, 0", i)
	if n == 0 {
		exit = e.label()
		e.line("@%s bra %s", e.pure(pred, "setp.le.s64", end, "0"), exit)
	}
	e.forgetWritten(l.Body)
	e.place(head)
	e.vars[l.Var], e.natural[l.Var] = i, true
	e.scoped(func() {
		e.block(l.Body)
		e.line("add.s64 %s, %s, 1", i, i)
		again := e.reg(pred)
		e.line("setp.lt.s64 %s, %s, %s", again, i, end)
		e.line("@%s bra %s", again, head)
	})
	if exit != "" {
		e.place(exit)
	}
}

func (e *emitter) branch(s *kernel.If) {
	cond := e.expr(s.Cond)
	switch cond {
	case "0":
		e.block(s.Else)
		return
	case "1":
		e.block(s.Then)
		return
	}
	end := e.label()
	if len(s.Else) == 0 {
		e.line("@!%s bra %s", cond, end)
		e.scoped(func() { e.block(s.Then) })
		e.place(end)
		return
	}
	other := e.label()
	e.line("@!%s bra %s", cond, other)
	e.scoped(func() { e.block(s.Then) })
	e.line("bra %s", end)
	e.place(other)
	e.scoped(func() { e.block(s.Else) })
	e.place(end)
}

// fail ends the thread; other threads go on, which barriers would not allow.
func (e *emitter) fail(s *kernel.Fail) {
	cond := e.expr(s.Cond)
	if cond == "0" {
		return
	}
	next := e.label()
	if cond != "1" {
		e.line("@!%s bra %s", cond, next)
	}
	e.scoped(func() {
		p := e.pure(b64, "cvta.to.global.u64", e.pure(b64, "ld.param.u64",
			val(fmt.Sprintf("[%s]", e.param("status.")))))
		e.line("red.global.max.s32 [%s], %d", p, s.Status)
		e.line("ret")
	})
	e.place(next)
}
