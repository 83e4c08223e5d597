package llvm

import (
	"fmt"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Loads and stores.

func (e *emitter) load(x *kernel.Expr) val {
	d := e.fold(x.Index)
	var mask *val
	other := val{Value: zeroOf(register(x.DType))}
	if len(x.Args) == 2 {
		m := e.expr(x.Args[0])
		mask, other = &m, e.expr(x.Args[1])
		if c, ok := m.Value.(*constant.Int); ok && !m.vec {
			if c.X.Sign() == 0 {
				return other
			}
			mask = nil
		}
	}
	m := e.memory(x.Buf)
	if e.mask != nil && !m.local && (mask == nil || mask.vec || e.varies(d)) {
		mask = e.both(e.mask, mask)
	}
	if m.lanes {
		return e.loadLanes(x, d, mask, other)
	}
	stride, first, ok := e.stride(d)
	switch {
	case ok && stride == 0:
		return e.loadScalar(x, d, mask, other)
	case ok && stride == 1:
		return e.loadVector(x, first, mask, other)
	case ok && mask == nil && max(stride, -stride) <= min(mostStride, int64(e.width)):
		return e.loadStrided(x, first, stride)
	}
	return e.gather(x, d, mask, other)
}

func (e *emitter) both(a, b *val) *val {
	if b == nil {
		return a
	}
	v := e.and(*a, *b)
	return &v
}

// loadLanes loads from a buffer that has an element for each lane.
func (e *emitter) loadLanes(x *kernel.Expr, d ir.Dim, mask *val, other val) val {
	if e.varies(d) {
		e.errorf("load %s[%v]: the index into a buffer of a lane differs between lanes",
			x.Buf.Name, x.Index)
		return val{e.zero(x.DType, true), true}
	}
	l := e.cur.NewLoad(e.memory(x.Buf).elem, e.address(x.Buf, d))
	v := e.fromStored(val{l, true}, x.DType)
	if mask != nil {
		v = e.choose(*mask, v, other)
	}
	return v
}

func (e *emitter) loadScalar(x *kernel.Expr, d ir.Dim, mask *val, other val) val {
	m := e.memory(x.Buf)
	p := e.address(x.Buf, d)
	if mask != nil {
		p = e.safe(e.any(*mask), p, m.elem)
	}
	l := e.cur.NewLoad(m.elem, p)
	l.Metadata = m.meta
	v := e.fromStored(val{Value: l}, x.DType)
	if mask != nil && len(x.Args) == 2 {
		v = e.choose(*mask, v, other)
	}
	return v
}

// safe returns p where cond holds, else the address of something harmless: a
// choice of addresses costs less than a jump, and keeps code straight.
func (e *emitter) safe(cond, p value.Value, elem types.Type) value.Value {
	a, ok := e.safes[elem.String()]
	if !ok {
		room := e.entry.NewAlloca(elem)
		room.Align = 64
		e.entry.NewStore(zeroOf(elem), room)
		a = room
		e.safes[elem.String()] = a
	}
	return e.cur.NewSelect(cond, p, a)
}

// vectorType is a vector of one element a lane.
func (e *emitter) vectorType(elem types.Type) *types.VectorType {
	return types.NewVector(uint64(e.width), elem)
}

func (e *emitter) loadVector(x *kernel.Expr, first ir.Dim, mask *val, other val) val {
	m := e.memory(x.Buf)
	t := e.vectorType(m.elem)
	var p value.Value = e.address(x.Buf, first)
	p = e.cur.NewBitCast(p, types.NewPointer(t))
	size := x.DType.Size()
	if mask != nil && mask.vec {
		if e.passes(x.Buf, first) && e.repeats {
			e.ask(x.Buf, first, p)
		}
		pass := e.toStored(e.widen(other, true), x.DType)
		v := e.maskedLoad(m, e.address(x.Buf, first), mask.Value, pass.Value, e.width)
		return e.fromStored(val{v, true}, x.DType)
	}
	if mask != nil {
		p = e.safe(mask.Value, p, t)
	} else if n := x.Buf.Ahead * int64(size); n > 0 {
		e.prefetch(p, n, secondCache)
	} else if e.passes(x.Buf, first) {
		e.ask(x.Buf, first, p)
	} else if e.stream && x.Buf.Stream {
		e.askPlace(x, first, p)
	}
	l := e.cur.NewLoad(t, p)
	l.Align, l.Metadata = llvm.Align(size), m.meta
	v := e.fromStored(val{l, true}, x.DType)
	if mask != nil {
		v = e.choose(*mask, v, other)
	}
	return v
}

// maskedLoad loads n lanes, a register at a time: llc 19 makes wrong code of
// wider masked loads where it knows that one part's mask is false (the part
// gets what the part before it loaded, not its other value).
func (e *emitter) maskedLoad(m *memory, p, mask, pass value.Value, n int) value.Value {
	size := bytesOf(m.elem)
	if n*size*8 > e.target.Vector && n%2 == 0 {
		h := n / 2
		q := e.cur.NewGetElementPtr(m.elem, p, constant.NewInt(i64, int64(h)))
		lo := e.maskedLoad(m, p, e.part(mask, mask, 0, h), e.part(pass, pass, 0, h), h)
		hi := e.maskedLoad(m, q, e.part(mask, mask, h, h), e.part(pass, pass, h, h), h)
		return e.part(lo, hi, 0, n)
	}
	t := types.NewVector(uint64(n), m.elem)
	c := e.intrinsic("llvm.masked.load."+suffix(t)+".p0", t,
		e.cur.NewBitCast(p, types.NewPointer(t)), constant.NewInt(types.I32, int64(size)), mask, pass)
	c.Metadata = m.meta
	return c
}

// part is n lanes of a and b, one after the other, from lane from on.
func (e *emitter) part(a, b value.Value, from, n int) value.Value {
	return e.shuffle(a, b, n, func(i int) int { return from + i })
}

// bytesOf is the bytes of an element as stored.
func bytesOf(t types.Type) int {
	switch t := t.(type) {
	case *types.IntType:
		return int(t.BitSize / 8)
	case *types.FloatType:
		return map[types.FloatKind]int{types.FloatKindHalf: 2, types.FloatKindFloat: 4,
			types.FloatKindDouble: 8}[t.Kind]
	}
	panic("BUG: llvm: no element: " + t.String())
}

// gather loads lanes from anywhere.
func (e *emitter) gather(x *kernel.Expr, d ir.Dim, mask *val, other val) val {
	m := e.memory(x.Buf)
	t := e.vectorType(m.elem)
	stride, first, ok := e.stride(d)
	size := int64(x.DType.Size())
	if mask == nil && !ok {
		if v, ok := e.gatherPlaces(x, d); ok {
			return v
		}
	}
	if mask == nil && (ok || !e.target.Gather || size < 4) {
		var v value.Value = constant.NewUndef(t)
		var idx val
		if !ok {
			idx = e.folded(d)
		}
		for i := range int64(e.width) {
			var p value.Value
			lane := constant.NewInt(types.I32, i)
			if ok {
				p = e.address(x.Buf, first.AddConst(i*stride))
			} else {
				p = e.cur.NewGetElementPtr(m.elem, m.base, e.cur.NewExtractElement(idx.Value, lane))
			}
			l := e.cur.NewLoad(m.elem, p)
			l.Metadata = m.meta
			v = e.cur.NewInsertElement(v, l, lane)
		}
		return e.fromStored(val{v, true}, x.DType)
	}
	ps := e.addresses(x.Buf, d)
	active := e.allLanes(mask)
	pass := e.toStored(e.widen(other, true), x.DType)
	c := e.intrinsic(fmt.Sprintf("llvm.masked.gather.%s.v%dp0", suffix(t), e.width), t,
		ps, constant.NewInt(types.I32, size), active, pass.Value)
	c.Metadata = m.meta
	return e.fromStored(val{c, true}, x.DType)
}

// allLanes is mask as a vector, all true for nil.
func (e *emitter) allLanes(mask *val) value.Value {
	if mask == nil {
		return e.widen(val{Value: constant.True}, true).Value
	}
	return e.widen(*mask, true).Value
}

func (e *emitter) store(s *kernel.Store) {
	line := false
	if e.lines != nil {
		if _, line = e.lines.at[s]; line && e.lines.phase == lastLine {
			e.line(s, val{})
			return
		}
	}
	v := e.expr(s.Value)
	d := e.fold(s.Index)
	m := e.memory(s.Buf)
	if s.Value.DType != s.Buf.DType {
		e.errorf("store %s[%v]: value is %v, buffer is %v", s.Buf.Name, s.Index, s.Value.DType,
			s.Buf.DType)
		return
	}
	stride, first, ok := e.stride(d)
	switch {
	case line:
		e.line(s, e.toStored(e.widen(v, true), s.Buf.DType))
	case m.lanes && !e.varies(d):
		e.put(m, e.address(s.Buf, d), e.toStored(e.widen(v, true), s.Buf.DType), 0)
	case m.lanes:
		e.errorf("store %s[%v]: the index into a buffer of a lane differs between lanes",
			s.Buf.Name, s.Index)
	case ok && stride == 0:
		e.storeScalar(s, d, v)
	case ok && stride == 1:
		e.storeVector(s, first, v)
	case !ok && e.storeStretches(s, d, v):
	default:
		e.scatter(s, d, v)
	}
}

// put stores v at p; in local memory a mask merges it with what is there.
func (e *emitter) put(m *memory, p value.Value, v val, align int) {
	if e.mask != nil && m.local {
		old := e.cur.NewLoad(v.Type(), p)
		old.Align = llvm.Align(align)
		v = e.choose(*e.mask, v, val{old, v.vec})
	}
	st := e.cur.NewStore(v.Value, p)
	st.Align, st.Metadata = llvm.Align(align), m.meta
}

func (e *emitter) storeScalar(s *kernel.Store, d ir.Dim, v val) {
	if v.vec || e.mask != nil {
		e.errorf("store %s[%v]: lanes of loop %s store different values, or masked ones, in one "+
			"element; give each lane an element of its own", s.Buf.Name, s.Index, e.lane)
		return
	}
	e.put(e.memory(s.Buf), e.address(s.Buf, d), e.toStored(v, s.Buf.DType), 0)
}

func (e *emitter) storeVector(s *kernel.Store, first ir.Dim, v val) {
	m := e.memory(s.Buf)
	v = e.toStored(e.widen(v, true), s.Buf.DType)
	p := e.cur.NewBitCast(e.address(s.Buf, first), types.NewPointer(v.Type()))
	size := s.Buf.DType.Size()
	if e.stream && e.streams(s.Buf, first) {
		e.putStream(m, p, v)
		return
	}
	if e.mask == nil || m.local {
		if s.Buf.Ahead != 0 {
			e.prefetch(p, s.Buf.Ahead*int64(size), secondCache)
		}
		e.put(m, p, v, size)
		return
	}
	e.putMasked(s.Buf, p, v, e.mask.Value)
}

// putMasked stores the lanes of the vector v that are in mask at p, as b stores them.
func (e *emitter) putMasked(b *kernel.Buffer, p value.Value, v val, mask value.Value) {
	c := e.intrinsic("llvm.masked.store."+suffix(v.Type())+".p0", types.Void,
		v.Value, p, constant.NewInt(types.I32, int64(b.DType.Size())), mask)
	c.Metadata = e.memory(b).meta
}

func (e *emitter) scatter(s *kernel.Store, d ir.Dim, v val) {
	m := e.memory(s.Buf)
	v = e.toStored(e.widen(v, true), s.Buf.DType)
	size := int64(s.Buf.DType.Size())
	stride, first, ok := e.stride(d)
	if e.mask == nil && (ok || !e.target.Gather || size < 4) {
		var idx val
		if !ok {
			idx = e.folded(d)
		}
		for i := range int64(e.width) {
			var p value.Value
			lane := constant.NewInt(types.I32, i)
			if ok {
				p = e.address(s.Buf, first.AddConst(i*stride))
			} else {
				p = e.cur.NewGetElementPtr(m.elem, m.base, e.cur.NewExtractElement(idx.Value, lane))
			}
			st := e.cur.NewStore(e.cur.NewExtractElement(v.Value, lane), p)
			st.Metadata = m.meta
		}
		return
	}
	c := e.intrinsic(fmt.Sprintf("llvm.masked.scatter.%s.v%dp0", suffix(v.Type()), e.width),
		types.Void, v.Value, e.addresses(s.Buf, d), constant.NewInt(types.I32, size),
		e.allLanes(e.mask))
	c.Metadata = m.meta
}

// any reports whether a condition holds in some lane.
func (e *emitter) any(c val) value.Value {
	if !c.vec {
		return c.Value
	}
	t := types.NewInt(uint64(e.width))
	return e.cur.NewICmp(enum.IPredNE, e.cur.NewBitCast(c.Value, t), constant.NewInt(t, 0))
}
