package llvm

import (
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	llvm "github.com/llir/llvm/ir"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Statements.

// block emits a body; scratch and common memory that it allocates is free after it.
func (e *emitter) block(body []kernel.Stmt) {
	top, common, tileTop := e.top, e.commonTop, e.tileTop
	for _, s := range body {
		e.memo, e.stmt, e.rare = map[*kernel.Expr]val{}, s, nil
		switch s := s.(type) {
		case *kernel.Loop:
			e.loop(s)
		case *kernel.Store:
			clear(e.held)
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
			e.call(s)
		}
	}
	e.top, e.commonTop, e.tileTop = top, common, tileTop
}

// let binds a name. Integers stay polynomials, so that what is linear in the
// lane is seen to be.
func (e *emitter) let(s *kernel.Let) {
	if s.Value.Kind == kernel.KIndex {
		e.unrolled[s.Var] = e.fold(s.Value.Index)
		return
	}
	e.vars[s.Var] = e.expr(s.Value)
	if isPlace(s.Value) {
		e.places[s.Var] = s.Value
	}
}

// scoped emits code that does not always run, or runs several times: what it
// computes is forgotten at its end.
func (e *emitter) scoped(f func()) {
	e.scopes = append(e.scopes, map[string]val{})
	f()
	e.scopes = e.scopes[:len(e.scopes)-1]
}

func (e *emitter) loop(l *kernel.Loop) {
	extent, static := e.fold(l.Extent).Int()
	switch {
	case (l.Bind == kernel.Parallel || l.Bind == kernel.Steps) && !e.tasks:
		e.taskLoop(l)
	case static && extent <= 0:
	case l.Bind == kernel.Unroll || static && extent == 1:
		e.unroll(l, extent, static)
	case l.Bind == kernel.Vector:
		e.vectorLoop(l, extent, static)
	case l.Bind == kernel.Serial:
		if s := e.linesOf(l); s != nil {
			e.lined(l, s)
			return
		}
		e.serial(l)
	case l.Bind == kernel.Parallel:
		e.errorf("loop %s: a nest of parallel loops inside or behind another", l.Var)
	default:
		e.errorf("loop %s: bound to an axis of a GPU, which %s has not", l.Var, e.target.Level)
	}
}

func (e *emitter) unroll(l *kernel.Loop, extent int64, static bool) {
	if !static {
		e.errorf("loop %s: unrolled %v times, wanted a number", l.Var, l.Extent)
		return
	}
	outer, values := e.turn, map[*kernel.Expr][]val{}
	for i := range extent {
		e.unrolled[l.Var] = ir.Const(i)
		e.turn = turn{l, i, extent, values}
		if binds(l.Body) {
			e.scoped(func() { e.block(l.Body) })
		} else {
			e.block(l.Body)
		}
	}
	delete(e.unrolled, l.Var)
	e.turn = outer
}

// binds reports whether body gives names meanings of its own, by which the
// texts of integers in several copies of it differ.
func binds(body []kernel.Stmt) bool {
	found := false
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		switch s.(type) {
		case *kernel.Let, *kernel.Alloc, *kernel.Loop:
			found = true
		}
	})
	return found
}

func (e *emitter) vectorLoop(l *kernel.Loop, extent int64, static bool) {
	if !static || e.lane != "" {
		e.errorf("loop %s: a vector loop has a number of lanes and no vector loop inside;"+
			" it has %v and is inside %q", l.Var, l.Extent, e.lane)
		return
	}
	e.lane, e.width = l.Var, int(extent)
	e.bind(l.Var, val{e.iota(i64), true})
	e.scoped(func() { e.block(l.Body) })
	e.lane, e.width = "", 0
}

// serial emits a loop with its test at the end.
func (e *emitter) serial(l *kernel.Loop) {
	extent := e.index(l.Extent)
	if extent.vec {
		e.errorf("loop %s: its extent %v differs between lanes", l.Var, l.Extent)
		return
	}
	lo := constant.NewInt(i64, 0)
	skip := !e.runs[l]
	if n, ok := e.fold(l.Extent).Int(); ok && n > 0 {
		skip = false
	}
	outer := e.along
	e.along = l
	e.counted(lo, extent.Value, skip, func(i value.Value) {
		e.bind(l.Var, val{Value: i})
		e.block(l.Body)
	})
	e.along = outer
}

// counted emits for i = lo; i < hi; i++; with skip it may run no time at all.
func (e *emitter) counted(lo, hi value.Value, skip bool, body func(i value.Value)) {
	pre, head, exit := e.cur, e.f.NewBlock(""), e.f.NewBlock("")
	if skip {
		pre.NewCondBr(pre.NewICmp(enum.IPredSLT, lo, hi), head, exit)
	} else {
		pre.NewBr(head)
	}
	e.cur = head
	i := head.NewPhi(llvm.NewIncoming(lo, pre))
	e.scoped(func() { body(i) })
	next := e.cur.NewAdd(i, constant.NewInt(i64, 1))
	next.OverflowFlags = []enum.OverflowFlag{enum.OverflowFlagNSW, enum.OverflowFlagNUW}
	e.cur.NewCondBr(e.cur.NewICmp(enum.IPredSLT, next, hi), head, exit)
	i.Incs = append(i.Incs, llvm.NewIncoming(next, e.cur))
	e.cur = exit
}

// taskLoop emits the nest of parallel loops that begins with l as one loop
// over the tasks lo..hi, whose number is the flattened index of the nest.
func (e *emitter) taskLoop(l *kernel.Loop) {
	lo, hi := val{Value: e.f.Params[2]}, val{Value: e.f.Params[3]}
	if n := kernel.TasksAhead(e.k); !n.IsConst(0) {
		ahead := e.index(n)
		if l != last(e.k.Body) {
			hi = e.arith('<', hi, ahead)
			defer func() { e.tasks = false }()
		} else {
			lo = e.arith('>', e.arith('-', lo, ahead), e.index(ir.Const(0)))
			hi = e.arith('-', hi, ahead)
		}
	}
	e.tasks = true
	nest := []*kernel.Loop{l}
	for len(l.Body) == 1 && l.Bind == kernel.Parallel {
		inner, ok := l.Body[0].(*kernel.Loop)
		if !ok || inner.Bind != kernel.Parallel {
			break
		}
		nest, l = append(nest, inner), inner
	}
	extents := make([]val, len(nest))
	for i, p := range nest[1:] {
		extents[i+1] = e.index(p.Extent)
	}
	e.counted(lo.Value, hi.Value, true, func(t value.Value) {
		for i := len(nest) - 1; i > 0; i-- {
			// Inside the loop there are tasks, so no extent is zero.
			e.bind(nest[i].Var, val{Value: e.cur.NewURem(t, extents[i].Value)})
			t = e.cur.NewUDiv(t, extents[i].Value)
		}
		e.bind(nest[0].Var, val{Value: t})
		e.block(l.Body)
	})
}

// last is the loop that ends body, nil if that ends otherwise.
func last(body []kernel.Stmt) *kernel.Loop {
	l, _ := body[len(body)-1].(*kernel.Loop)
	return l
}

// branch emits an If: a jump where all lanes agree, else masks.
func (e *emitter) branch(s *kernel.If) {
	cond := e.expr(s.Cond)
	if c, ok := cond.Value.(*constant.Int); ok && !cond.vec {
		if c.X.Sign() != 0 {
			e.scoped(func() { e.block(s.Then) })
		} else {
			e.scoped(func() { e.block(s.Else) })
		}
		return
	}
	if cond.vec {
		outer := e.mask
		e.scoped(func() { e.masked(outer, cond, s.Then) })
		if len(s.Else) > 0 {
			e.scoped(func() { e.masked(outer, e.not(cond), s.Else) })
		}
		e.mask = outer
		return
	}
	then, exit := e.f.NewBlock(""), e.f.NewBlock("")
	other := exit
	if len(s.Else) > 0 {
		other = e.f.NewBlock("")
	}
	e.cur.NewCondBr(cond.Value, then, other)
	e.cur = then
	e.scoped(func() { e.block(s.Then) })
	e.cur.NewBr(exit)
	if other != exit {
		e.cur = other
		e.scoped(func() { e.block(s.Else) })
		e.cur.NewBr(exit)
	}
	e.cur = exit
}

// masked emits body where outer and cond hold.
func (e *emitter) masked(outer *val, cond val, body []kernel.Stmt) {
	if outer != nil {
		cond = e.and(*outer, cond)
	}
	e.mask = &cond
	e.block(body)
}

func (e *emitter) fail(s *kernel.Fail) {
	cond := e.expr(s.Cond)
	if e.mask != nil {
		cond = e.and(*e.mask, cond)
	}
	out, ok := e.fails[s.Status]
	if !ok {
		out = e.f.NewBlock("")
		out.NewRet(constant.NewInt(types.I32, int64(s.Status)))
		e.fails[s.Status] = out
	}
	next := e.f.NewBlock("")
	e.cur.NewCondBr(e.any(cond), out, next)
	e.cur = next
}

// alloc makes a scratch or local buffer.
func (e *emitter) alloc(b *kernel.Buffer) {
	elem := stored(b.DType)
	if b.Of != nil {
		of := e.memory(b.Of)
		base := e.address(b.Of, e.fold(b.At))
		e.bufs[b] = &memory{base: base, elem: elem, local: of.local, meta: of.meta}
		return
	}
	space := b.Space
	if space == kernel.Registers && e.target.Emulated != "" {
		space = kernel.Local
	}
	switch space {
	case kernel.Registers:
		e.allocTiles(b)
	case kernel.Scratch:
		off := e.index(e.top)
		p := e.cur.NewGetElementPtr(types.I8, e.scratch, off.Value)
		e.bufs[b] = &memory{base: e.cur.NewBitCast(p, types.NewPointer(elem)), elem: elem,
			meta: e.scratchMeta}
		e.top = e.top.Add(kernel.ScratchBytes(b.Size, b.DType))
	case kernel.Common:
		p := e.cur.NewGetElementPtr(types.I8, e.common, e.index(e.commonTop).Value)
		e.bufs[b] = &memory{base: e.cur.NewBitCast(p, types.NewPointer(elem)), elem: elem,
			meta: e.commonMeta}
		e.commonTop = e.commonTop.Add(kernel.ScratchBytes(b.Size, b.DType))
	case kernel.Local:
		n, ok := e.fold(b.Size).Int()
		if !ok || n > maxLocal {
			e.errorf("alloc %s: local buffer of %v elements, wanted a number up to %d; use scratch",
				b.Name, b.Size, maxLocal)
			n = 1
		}
		if e.lane != "" {
			elem = types.NewVector(uint64(e.width), elem)
		}
		a := e.entry.NewAlloca(types.NewArray(uint64(max(n, 1)), elem))
		a.Align = 64
		e.forget(a, max(n, 1)*int64(b.DType.Size())*int64(max(e.width, 1)))
		e.bufs[b] = &memory{
			base: e.entry.NewBitCast(a, types.NewPointer(elem)), elem: elem, local: true,
			lanes: e.lane != "",
		}
	default:
		e.errorf("alloc %s: memory of a GPU block, which %s has not", b.Name, e.target.Level)
	}
}

// forget says that memory has no contents from here on: else those of the last
// time that a buffer was allocated would be kept for where a mask is false.
func (e *emitter) forget(p value.Value, bytes int64) {
	e.intrinsic("llvm.memset.p0.i64", types.Void, e.cur.NewBitCast(p, i8p), constant.NewUndef(types.I8),
		constant.NewInt(i64, bytes), constant.False)
}

// maxLocal bounds the elements of a local buffer: what is not kept in
// registers lies on the stack, which is small.
const maxLocal = 2048
