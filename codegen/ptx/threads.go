package ptx

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Statements of a block: loops over its threads, what stands between them, and
// barriers.

// touch is an access to memory that threads share.
type touch struct {
	buf   *kernel.Buffer
	write bool
	own   bool // each thread has an element of its own: the one of its number
}

// threads emits statements that all threads of a block execute.
func (e *emitter) threads(body []kernel.Stmt) {
	for _, s := range body {
		l, ok := s.(*kernel.Loop)
		if !ok {
			e.together(s)
			continue
		}
		if axis, ok := gridAxis(l.Bind); ok {
			wide := e.pure(b64, "cvt.u64.u32", e.special("ctaid", axis))
			e.vars[l.Var], e.natural[l.Var] = wide, true
			e.threads(l.Body)
		} else if _, ok := blockAxis(l.Bind); ok {
			e.share(l)
		} else {
			e.together(s)
		}
	}
}

// together emits a statement that all threads execute alike; the first stores.
func (e *emitter) together(s kernel.Stmt) {
	body := []kernel.Stmt{s}
	touches := e.touches(body, "")
	if l, ok := s.(*kernel.Loop); ok && e.many && conflict(touches, touches) {
		e.errorf("loop %s: its iterations exchange values by memory without a loop over threads", l.Var)
	}
	e.synchronize(touches)
	e.uniform = true
	e.stmt(s)
	e.uniform = false
}

// share emits a perfect nest of loops over the threads of the block.
func (e *emitter) share(l *kernel.Loop) {
	extents := [3]int64{1, 1, 1}
	own := ""
	if l.Bind == kernel.BlockX {
		own = l.Var
	}
	for {
		axis, _ := blockAxis(l.Bind)
		extents[axis], _ = l.Extent.Int()
		wide := e.pure(b64, "cvt.u64.u32", e.special("tid", axis))
		e.vars[l.Var], e.natural[l.Var] = wide, true
		in, ok := nested(l)
		if !ok {
			break
		}
		l, own = in, ""
	}
	e.synchronize(e.touches(l.Body, own))
	active := val("")
	for axis, n := range extents {
		if n == e.launch.Block[axis] {
			continue
		}
		p := e.pure(pred, "setp.lt.u32", e.special("tid", axis), val(fmt.Sprint(n)))
		if active != "" {
			p = e.pure(pred, "and.pred", active, p)
		}
		active = p
	}
	end := ""
	if active != "" {
		end = e.label()
		e.line("@!%s bra %s", active, end)
	}
	e.scoped(func() { e.block(l.Body) })
	if end != "" {
		e.place(end)
	}
}

// nested returns the loop over another axis of the block that is the whole body
// of l.
func nested(l *kernel.Loop) (*kernel.Loop, bool) {
	if len(l.Body) != 1 {
		return nil, false
	}
	in, ok := l.Body[0].(*kernel.Loop)
	if !ok {
		return nil, false
	}
	_, ok = blockAxis(in.Bind)
	return in, ok
}

// touches lists the accesses in body to memory that threads share; own is the
// loop over all threads around, if there is but one.
func (e *emitter) touches(body []kernel.Stmt, own string) []touch {
	var out []touch
	see := func(b *kernel.Buffer, d ir.Dim, write bool) {
		if b.Space == kernel.Local || b.Const {
			return
		}
		out = append(out, touch{b, write, own != "" && b.Space == kernel.Shared && d.Equal(ir.Sym(own))})
	}
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		if st, ok := s.(*kernel.Store); ok {
			see(st.Buf, st.Index, true)
		}
	})
	kernel.WalkExprs(body, func(x *kernel.Expr) {
		if x.Kind == kernel.KLoad {
			see(x.Buf, x.Index, false)
		}
	})
	return out
}

// conflict reports whether one of a and one of b may be the same element, one
// of them written, by different threads. Parameters may be the same memory.
func conflict(a, b []touch) bool {
	for _, x := range a {
		for _, y := range b {
			same := x.buf == y.buf || x.buf.Space == kernel.Global && y.buf.Space == kernel.Global
			if same && (x.write || y.write) && !(x.own && y.own) {
				return true
			}
		}
	}
	return false
}

// synchronize puts a barrier where what comes next must not overtake what other
// threads did since the last one.
func (e *emitter) synchronize(next []touch) {
	if !e.many {
		return // one thread
	}
	if conflict(e.pending, next) {
		e.line("bar.sync 0")
		if e.fails {
			e.errorf("fail: a thread of a block that has barriers cannot end before the others")
		}
		e.pending = nil
		for _, s := range e.scopes {
			for b := range s.loads {
				if e.memory(b).regs == nil {
					delete(s.loads, b)
				}
			}
		}
	}
	e.pending = append(e.pending, next...)
}
