package llvm

import (
	"strings"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Instructions. kernel.Instrs says what they do, instrRows is their text.

// instrRows has the emitter of each instruction.
var instrRows = map[string]func(e *emitter, c *kernel.Call){
	"vpmaddwd.256":  maddPairs(8, "llvm.x86.avx2.pmadd.wd"),
	"vpmaddwd.512":  maddPairs(16, "llvm.x86.avx512.pmaddw.d.512"),
	"vpdpwssd.512":  dotGroups("llvm.x86.avx512.vpdpwssd.512"),
	"vpdpbusd.512":  dotGroups("llvm.x86.avx512.vpdpbusd.512"),
	"vdpbf16ps.512": (*emitter).dotBF16,
}

// instrFamilies has the emitters of instructions that differ by their types.
var instrFamilies = map[string]func(e *emitter, c *kernel.Call){
	"interleave.": (*emitter).interleave,
	"transpose":   (*emitter).transpose,
	"ask.":        (*emitter).askLine,
}

func instrRow(name string) func(e *emitter, c *kernel.Call) {
	for prefix, f := range instrFamilies {
		if strings.HasPrefix(name, prefix) {
			return f
		}
	}
	if f := instrRows[name]; f != nil {
		return f
	}
	return tileRow(name)
}

func (e *emitter) call(c *kernel.Call) {
	f := instrRow(c.Instr.Name)
	if tileRow(c.Instr.Name) == nil {
		clear(e.held)
	}
	switch {
	case e.lane != "":
		e.errorf("call %s: is inside vector loop %s", c.Instr.Name, e.lane)
	case e.target.Emulated != "" && c.Instr.On(e.target.Emulated) && !c.Instr.On(e.target.Level):
		e.emulate(c)
	case f == nil || !c.Instr.On(e.target.Level):
		e.errorf("call %s: %s has no such instruction, %v have; use a schedule without it",
			c.Instr.Name, e.target.Level, c.Instr.Levels)
	default:
		f(e, c)
	}
}

// askLine emits the request for a line.
func (e *emitter) askLine(c *kernel.Call) {
	e.prefetch(e.address(c.Tiles[0].Buf, e.fold(c.Tiles[0].Index)), 0, secondCache)
}

// emulate emits the meaning of an instruction that the target has not.
func (e *emitter) emulate(c *kernel.Call) {
	body, err := e.meaning(c)
	if err != nil {
		e.errorf("%v", err)
		return
	}
	e.scoped(func() { e.block(body) })
}

// meaning is what c does here.
func (e *emitter) meaning(c *kernel.Call) ([]kernel.Stmt, error) {
	folded := &kernel.Call{Instr: c.Instr}
	for _, t := range c.Tiles {
		u := kernel.Tile{Buf: t.Buf, Index: e.fold(t.Index)}
		for _, d := range t.Strides {
			u.Strides = append(u.Strides, e.fold(d))
		}
		folded.Tiles = append(folded.Tiles, u)
	}
	return folded.Inline()
}

// loadTile loads all elements of tile i of c, which follow each other, as one
// value of type t.
func (e *emitter) loadTile(c *kernel.Call, i int, t types.Type) value.Value {
	l := e.cur.NewLoad(t, e.tilePointer(c, i, t))
	l.Align = llvm.Align(c.Tiles[i].Buf.DType.Size())
	l.Metadata = e.memory(c.Tiles[i].Buf).meta
	return l
}

func (e *emitter) storeTile(c *kernel.Call, i int, v value.Value) {
	s := e.cur.NewStore(v, e.tilePointer(c, i, v.Type()))
	s.Align = llvm.Align(c.Tiles[i].Buf.DType.Size())
	s.Metadata = e.memory(c.Tiles[i].Buf).meta
}

func (e *emitter) tilePointer(c *kernel.Call, i int, t types.Type) value.Value {
	tile := &c.Tiles[i]
	if !tile.Dense(c.Instr.Shapes[i]) {
		e.errorf("call %s: the elements of tile %d, of %s with strides %v, do not follow each other",
			c.Instr.Name, i, tile.Buf.Name, tile.Strides)
	}
	return e.cur.NewBitCast(e.address(tile.Buf, e.fold(tile.Index)), types.NewPointer(t))
}

// groups loads the operands of a dot of groups: the group a in each of the n
// lanes of 32 bits, the groups of b, the accumulators c.
func (e *emitter) groups(c *kernel.Call, n int) (x, y, acc value.Value) {
	t := types.NewVector(uint64(n), types.I32)
	one := e.loadTile(c, 0, types.I32)
	first := e.cur.NewInsertElement(constant.NewUndef(t), one, constant.NewInt(types.I32, 0))
	splat := e.cur.NewShuffleVector(first, constant.NewUndef(t), zeroOf(t))
	return splat, e.loadTile(c, 1, t), e.loadTile(c, 2, t)
}

// dotGroups emits an instruction of AVX512_VNNI.
func dotGroups(name string) func(e *emitter, c *kernel.Call) {
	return func(e *emitter, c *kernel.Call) {
		x, y, acc := e.groups(c, 16)
		e.storeTile(c, 2, e.intrinsic(name, acc.Type(), acc, x, y))
	}
}

// dotBF16 emits the instruction of AVX512_BF16.
func (e *emitter) dotBF16(c *kernel.Call) {
	x, y, _ := e.groups(c, 16)
	t := types.NewVector(16, types.Float)
	pairs := types.NewVector(32, bfloat{})
	e.storeTile(c, 2, e.intrinsic("llvm.x86.avx512bf16.dpbf16ps.512", t, e.loadTile(c, 2, t),
		e.cur.NewBitCast(x, pairs), e.cur.NewBitCast(y, pairs)))
}

// maddPairs emits a product of pairs, which adds up the two, and an addition.
func maddPairs(n int, name string) func(e *emitter, c *kernel.Call) {
	return func(e *emitter, c *kernel.Call) {
		x, y, acc := e.groups(c, n)
		pairs := types.NewVector(uint64(2*n), types.I16)
		sum := e.intrinsic(name, acc.Type(), e.cur.NewBitCast(x, pairs), e.cur.NewBitCast(y, pairs))
		e.storeTile(c, 2, e.cur.NewAdd(acc, sum))
	}
}

// orAnd is the table of a | b & c as of vpternlogd. With a shift it puts two upper halves
// into one vector, for which LLVM makes an exchange of lanes of shifts and masks.
const orAnd = 0xf8

// upperHalf is the u32 of which x is the upper half, or nil.
func upperHalf(x *kernel.Expr) *kernel.Expr {
	for x.Kind == kernel.KOp && (x.Op == ir.OpBitcast || x.Op == ir.OpCast && x.DType == ir.U16) {
		x = x.Args[0]
	}
	if x.Kind != kernel.KOp || x.Op != ir.OpShr || x.DType != ir.U32 {
		return nil
	}
	if n := x.Args[1]; n.Kind == kernel.KConst && n.Bits == 16 {
		return x.Args[0]
	}
	return nil
}

// interleave emits, for a row after the other, its elements in lanes of 32 bits,
// each in its part of them.
func (e *emitter) interleave(c *kernel.Call) {
	body, err := e.meaning(c)
	if err != nil {
		e.errorf("%v", err)
		return
	}
	columns := body[0].(*kernel.Loop)
	rows := columns.Body[0].(*kernel.Loop)
	st := rows.Body[0].(*kernel.Store)
	g, w := c.Instr.Shapes[0][0], c.Instr.Shapes[0][1]
	bits := int64(st.Buf.DType.Bits())
	lanes := types.NewVector(uint64(w), types.I32)
	halves := upperHalf(st.Value)
	var all value.Value
	e.lane, e.width = columns.Var, int(w)
	e.bind(e.lane, val{e.iota(i64), true})
	e.scoped(func() {
		for q := range g {
			e.unrolled[rows.Var] = ir.Const(q)
			e.memo = map[*kernel.Expr]val{}
			if halves != nil && q == 1 && w == 16 {
				all = e.intrinsic("llvm.x86.avx512.pternlog.d.512", lanes, all,
					e.widen(e.expr(halves), true).Value, e.intOf(types.I32, -1<<16, true),
					constant.NewInt(types.I32, orAnd))
				break
			}
			var v value.Value = e.cur.NewZExt(e.widen(e.expr(st.Value), true).Value, lanes)
			v = e.cur.NewShl(v, e.intOf(types.I32, q*bits, true))
			if all != nil {
				v = e.cur.NewOr(all, v)
			}
			all = v
		}
	})
	delete(e.unrolled, rows.Var)
	e.lane, e.width = "", 0
	e.storeTile(c, 1, all)
}
