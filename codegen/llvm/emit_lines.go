package llvm

import (
	"slices"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Lines. Where a result is written around the caches, its rows need not begin at
// multiples of a vector, as those of odd extents do not. A loop that writes a vector
// of each of some rows in an iteration, and the next one in the next, then puts
// lines of memory together from both. The lines that rows begin and end in are
// written in part.

// lines are those of the results that a loop writes so.
type lines struct {
	v     string
	at    map[*kernel.Store]ir.Dim // the number of the vector that is kept of a store
	kept  int64                    // vectors that are kept from one iteration to the next
	room  value.Value              // memory for them
	phase phase
}

// phase is which iterations of the loop are being emitted.
type phase uint8

const (
	firstLine phase = iota // the first one
	laterLine              // those after it
	lastLine               // what the last one has left
)

// lineVector is the bits of a vector where lines are put together. mostKept bounds the
// vectors that are kept, which lie in scratch memory where they are more than inFrame.
// mostLocals bounds what else lies in the frame, and fewest are the iterations from
// which on it pays.
const (
	lineVector = 512
	mostKept   = 1040
	inFrame    = 16
	mostLocals = 4 << 10
	fewest     = 8
)

// linesOf finds what loop l writes in lines, nil if that is nothing. What an iteration
// writes is then written in the next one: iterations are independent, and nothing else
// in the loop writes the same result at once.
func (e *emitter) linesOf(l *kernel.Loop) *lines {
	if !e.stream || e.lines != nil || e.lane != "" || e.mask != nil || e.target.Vector != lineVector {
		return nil
	}
	most, bounded := upper(e.fold(l.Extent))
	if !l.Indep || bounded && most < fewest {
		return nil
	}
	s := &lines{v: l.Var, at: map[*kernel.Store]ir.Dim{}}
	lets, sums := map[string]bool{}, false
	kernel.WalkStmts(l.Body, func(st kernel.Stmt) {
		switch st := st.(type) {
		case *kernel.Let:
			lets[st.Var] = true
		case *kernel.Loop:
			sums = sums || !st.Indep && st.Bind == kernel.Serial && carries(st.Body)
		}
	})
	e.findLines(s, l.Body, lets, ir.Const(0), 1)
	if len(s.at) == 0 || sums || s.kept > mostKept || locals(e.k.Body) > mostLocals ||
		s.mixed(l.Body) {

		return nil
	}
	return s
}

// mixed reports whether a result of s is also written otherwise in body.
func (s *lines) mixed(body []kernel.Stmt) bool {
	other := map[*kernel.Buffer]bool{}
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		switch st := st.(type) {
		case *kernel.Store:
			if _, ok := s.at[st]; !ok {
				other[st.Buf] = true
			}
		case *kernel.Call:
			for _, t := range st.Tiles {
				other[t.Buf] = true
			}
		}
	})
	for st := range s.at {
		if other[st.Buf] {
			return true
		}
	}
	return false
}

// locals is the bytes that body has on the stack, if they do not stay in registers.
func locals(body []kernel.Stmt) int64 {
	bytes := int64(0)
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		if a, ok := st.(*kernel.Alloc); ok && a.Buf.Space == kernel.Local {
			n, _ := a.Buf.Size.Int()
			bytes += n * int64(a.Buf.DType.Size())
		}
	})
	return bytes
}

// carries reports whether iterations of a loop with this body leave something for the
// next ones, but in scratch memory.
func carries(body []kernel.Stmt) bool {
	own, stored, out := map[*kernel.Buffer]bool{}, map[*kernel.Buffer]bool{}, false
	kernel.WalkStmts(body, func(st kernel.Stmt) {
		switch st := st.(type) {
		case *kernel.Alloc:
			own[st.Buf] = true
		case *kernel.Store:
			stored[st.Buf] = !own[st.Buf] && st.Buf.Space != kernel.Scratch
			out = out || stored[st.Buf] && st.Buf.Space != kernel.Global
		case *kernel.Call:
			for i, t := range st.Tiles {
				out = out || st.Instr.Params[i].Out && !own[t.Buf]
			}
		}
	})
	kernel.WalkExprs(body, func(e *kernel.Expr) {
		out = out || e.Kind == kernel.KLoad && stored[e.Buf]
	})
	return out
}

// findLines collects stores in body, of which number at of n is being executed in an
// iteration; lets may differ from one iteration to the next. What is under a condition
// may be left out in one of them, and is no line.
func (e *emitter) findLines(s *lines, body []kernel.Stmt, lets map[string]bool, at ir.Dim,
	n int64) {

	depends := func(d ir.Dim) bool {
		return slices.ContainsFunc(d.SymNames(), func(x string) bool { return x == s.v || lets[x] })
	}
	for _, st := range body {
		l, ok := st.(*kernel.Loop)
		if !ok {
			continue
		}
		extent := e.fold(l.Extent)
		most, bounded := upper(extent)
		switch {
		case !bounded || depends(extent):
		case l.Bind == kernel.Vector:
			for _, st := range l.Body {
				st, ok := st.(*kernel.Store)
				if ok && e.isLine(st, l.Var, most, s.v, depends) {
					s.at[st] = at.AddConst(s.kept)
					s.kept += n
				}
			}
		default:
			e.findLines(s, l.Body, lets, at.MulConst(most).Add(ir.Sym(l.Var)), n*most)
		}
	}
}

// isLine reports whether st, w lanes of loop lane, writes in iterations of loop v
// what follows each other, and not at multiples of a vector.
func (e *emitter) isLine(st *kernel.Store, lane string, w int64, v string,
	depends func(ir.Dim) bool) bool {

	size := st.Buf.DType.Size()
	one, first, ok := e.fold(st.Index).Linear(lane)
	step, rest, linear := first.Linear(v)
	return st.Buf.Stream && st.Buf.Out && size >= 2 && int(w)*size*8 == e.target.Vector &&
		ok && linear && one.IsConst(1) && step.IsConst(w) && !depends(rest) &&
		!rest.Mod(ir.Const(w)).IsConst(0)
}

// upper is the most that d may be, as far as numbers in it bound it.
func upper(d ir.Dim) (int64, bool) {
	type bound struct {
		n  int64
		ok bool
	}
	b := ir.Walk(d, func(k int64) bound { return bound{k, true} },
		func(string) bound { return bound{} },
		func(op byte, a, b bound) bound {
			switch {
			case op == '<' && a.ok && b.ok:
				return bound{min(a.n, b.n), true}
			case op == '<' && a.ok:
				return a
			case op == '<':
				return b
			case op == '/' && a.ok && b.ok && b.n > 0:
				return bound{a.n / b.n, true}
			}
			return bound{}
		})
	return b.n, b.ok && b.n > 0
}

// lined emits loop l, whose stores s has.
func (e *emitter) lined(l *kernel.Loop, s *lines) {
	extent := e.index(l.Extent).Value
	zero, one := constant.NewInt(i64, 0), constant.NewInt(i64, 1)
	e.lines = s
	top := e.top
	s.room = e.room(s.kept * int64(e.target.Vector/8))
	emit := func(p phase, lo, hi value.Value, body []kernel.Stmt) {
		s.phase = p
		e.counted(lo, hi, true, func(i value.Value) {
			e.bind(l.Var, val{Value: i})
			e.block(body)
		})
	}
	emit(firstLine, zero, e.intrinsic("llvm.smin.i64", i64, extent, one), l.Body)
	emit(laterLine, one, extent, l.Body)
	last := e.intrinsic("llvm.smax.i64", i64, e.cur.NewSub(extent, one), zero)
	emit(lastLine, last, extent, s.only(l.Body))
	e.lines, e.top = nil, top
}

// room is memory for what a loop keeps: in the frame, where LLVM sees that it may lie
// in registers, or in scratch memory. Such loops do not nest.
func (e *emitter) room(bytes int64) value.Value {
	if most := int64(inFrame * e.target.Vector / 8); bytes <= most {
		if e.kept == nil {
			e.kept = e.entry.NewAlloca(types.NewArray(uint64(most), types.I8))
			e.kept.Align = llvm.Align(e.target.Vector / 8)
		}
		return e.kept
	}
	p := e.cur.NewGetElementPtr(types.I8, e.scratch, e.index(e.top).Value)
	e.top = e.top.AddConst(bytes)
	return p
}

// only leaves of body the stores of lines and the loops around them.
func (s *lines) only(body []kernel.Stmt) []kernel.Stmt {
	var out []kernel.Stmt
	for _, st := range body {
		switch st := st.(type) {
		case *kernel.Loop:
			l := *st
			if l.Body = s.only(st.Body); len(l.Body) > 0 {
				out = append(out, &l)
			}
		case *kernel.Store:
			if _, ok := s.at[st]; ok {
				out = append(out, st)
			}
		}
	}
	return out
}

// line emits store st of v, one of a loop's lines; there is no v after the last
// iteration.
func (e *emitter) line(st *kernel.Store, v val) {
	s, m, w := e.lines, e.memory(st.Buf), int64(e.width)
	_, first, _ := e.stride(e.fold(st.Index))
	at := e.folded(first).Value
	past := e.cur.NewAnd(at, constant.NewInt(i64, w-1)) // where the row is in its lines
	begin := value.Value(e.cur.NewSub(at, past))
	kept := e.keptAt(st)
	t := e.vectorType(m.elem)
	old := e.cur.NewLoad(t, kept)
	old.Align = llvm.Align(e.target.Vector / 8)
	var a, b value.Value = old, v.Value
	switch s.phase {
	case firstLine:
		a = b
	case lastLine:
		b = a
		begin = e.cur.NewAdd(begin, constant.NewInt(i64, w))
	}
	if s.phase != lastLine {
		keep := e.cur.NewStore(v.Value, kept)
		keep.Align = llvm.Align(e.target.Vector / 8)
	}
	whole := e.behind(a, b, past, st.Buf.DType.Size())
	p := e.cur.NewBitCast(e.cur.NewGetElementPtr(m.elem, m.base, begin), types.NewPointer(t))
	if s.phase == laterLine {
		e.putStream(m, p, val{whole, true})
		return
	}
	pred := enum.IPredUGE
	if s.phase == lastLine {
		pred = enum.IPredULT
	}
	mask := e.cur.NewICmp(pred, e.iota(i64), e.widen(val{Value: past}, true).Value)
	c := e.intrinsic("llvm.masked.store."+suffix(t)+".p0", types.Void, whole, p,
		constant.NewInt(types.I32, int64(st.Buf.DType.Size())), mask)
	c.Metadata = m.meta
}

// keptAt is where the vector of store st is kept.
func (e *emitter) keptAt(st *kernel.Store) value.Value {
	t := e.vectorType(e.memory(st.Buf).elem)
	room := e.cur.NewBitCast(e.lines.room, types.NewPointer(t))
	return e.cur.NewGetElementPtr(t, room, e.index(e.lines.at[st]).Value)
}

// behind is the vector that ends past lanes, fewer than it has, before b does: the
// last ones of a and the first ones of b.
func (e *emitter) behind(a, b, past value.Value, size int) value.Value {
	elem := types.NewInt(uint64(8 * size))
	t := e.vectorType(elem)
	n := e.cur.NewSub(constant.NewInt(i64, int64(e.width)), past)
	var lane value.Value = n
	if size < 8 {
		lane = e.cur.NewTrunc(n, elem)
	}
	pick := e.cur.NewAdd(e.iota(elem), e.widen(val{Value: lane}, true).Value)
	name := map[int]string{2: "hi", 4: "d", 8: "q"}[size]
	v := e.intrinsic("llvm.x86.avx512.vpermi2var."+name+".512", t,
		e.cur.NewBitCast(a, t), pick, e.cur.NewBitCast(b, t))
	return e.cur.NewBitCast(v, a.Type())
}
