package llvm

import (
	"slices"
	"strings"

	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	llvm "github.com/llir/llvm/ir"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Instructions of AMX, in the form that names registers. A kernel that uses
// tiles configures them when it begins and releases them when it returns: a
// goroutine may go on in another thread between calls.

const (
	tileBytes = 1024
	tileRegs  = 8
)

// tileRows has the emitters of instructions by the first word of their names.
var tileRows = map[string]func(e *emitter, c *kernel.Call){
	"tilezero": func(e *emitter, c *kernel.Call) {
		r := e.register(c, 0)
		delete(e.held, r.X.Int64())
		e.intrinsic("llvm.x86.tilezero", types.Void, r)
	},
	"tileload": func(e *emitter, c *kernel.Call) {
		r := e.register(c, 1)
		if !e.holds(r, c) {
			p, stride := e.tileRows(c, 0)
			e.intrinsic("llvm.x86.tileloadd64", types.Void, r, p, stride)
		}
	},
	"tilestore": func(e *emitter, c *kernel.Call) {
		clear(e.held)
		p, stride := e.tileRows(c, 1)
		e.intrinsic("llvm.x86.tilestored64", types.Void, e.register(c, 0), p, stride)
	},
	"tdpbf16ps": tileProduct,
	"tdpbssd":   tileProduct, "tdpbsud": tileProduct, "tdpbusd": tileProduct, "tdpbuud": tileProduct,
}

func tileProduct(e *emitter, c *kernel.Call) {
	r := e.register(c, 2)
	delete(e.held, r.X.Int64())
	e.intrinsic("llvm.x86."+c.Instr.Name, types.Void, r, e.register(c, 0), e.register(c, 1))
}

// heldTile is a tile of memory and the block at whose end a register has it.
type heldTile struct {
	from  kernel.Tile
	block *llvm.Block
}

// holds reports whether register r has already what c loads, since the last
// store and in straight code, and notes that it will.
func (e *emitter) holds(r *constant.Int, c *kernel.Call) bool {
	t := c.Tiles[0]
	from := kernel.Tile{Buf: t.Buf, Index: e.fold(t.Index), Strides: []ir.Dim{e.fold(t.Strides[0])}}
	h, ok := e.held[r.X.Int64()]
	if ok && h.block == e.cur && h.from.Buf == t.Buf && h.from.Index.Equal(from.Index) &&
		h.from.Strides[0].Equal(from.Strides[0]) {
		return true
	}
	e.held[r.X.Int64()] = heldTile{from, e.cur}
	return false
}

func tileRow(name string) func(e *emitter, c *kernel.Call) {
	word, _, _ := strings.Cut(name, ".")
	return tileRows[word]
}

// allocTiles gives the buffer registers until the end of the body.
func (e *emitter) allocTiles(b *kernel.Buffer) {
	n, ok := e.fold(b.Size).Int()
	n *= int64(b.DType.Size())
	if !ok || n%tileBytes != 0 || e.tileTop+int(n/tileBytes) > tileRegs {
		e.errorf("alloc %s: %v elements in registers, with %d in use; there are %d tiles of %d bytes",
			b.Name, b.Size, e.tileTop, tileRegs, tileBytes)
		return
	}
	e.tiles[b] = e.tileTop
	e.tileTop += int(n / tileBytes)
	e.configure = true
}

// register is the number of the register that tile i of c is.
func (e *emitter) register(c *kernel.Call, i int) *constant.Int {
	t := &c.Tiles[i]
	first, ok := e.tiles[t.Buf]
	at, static := e.fold(t.Index).Int()
	at *= int64(t.Buf.DType.Size())
	if !ok || !static || at%tileBytes != 0 || !t.Dense(c.Instr.Shapes[i]) {
		e.errorf("call %s: tile %d, %s[%v] with strides %v, is not one register", c.Instr.Name, i,
			t.Buf.Name, t.Index, t.Strides)
	}
	return constant.NewInt(types.I8, int64(first)+at/tileBytes)
}

// tileRows is the address of tile i of c in memory and the bytes between rows.
func (e *emitter) tileRows(c *kernel.Call, i int) (p, stride value.Value) {
	t := &c.Tiles[i]
	if !t.Strides[1].IsConst(1) {
		e.errorf("call %s: columns of %s are %v apart, want 1", c.Instr.Name, t.Buf.Name, t.Strides[1])
	}
	p = e.cur.NewBitCast(e.address(t.Buf, e.fold(t.Index)), i8p)
	return p, e.index(t.Strides[0].MulConst(int64(t.Buf.DType.Size()))).Value
}

// early moves each load of a tile up to where its register was used last, past
// what does not write memory, so that it
// waits for no products but those.
func early(b *llvm.Block) {
	for i, inst := range b.Insts {
		if load, ok := inst.(*llvm.InstCall); ok && calls(load, "llvm.x86.tileloadd64") {
			raise(b.Insts[:i+1], load.Args[0].(*constant.Int))
		}
	}
}

// raise moves the last of insts, with the addresses that it needs, up to behind the
// last use of register r.
func raise(insts []llvm.Instruction, r *constant.Int) {
	at := len(insts) - 1
	var moved []llvm.Instruction
	needed := map[value.Value]bool{}
	take := func(x llvm.Instruction) {
		moved = append([]llvm.Instruction{x}, moved...)
		for _, v := range x.(interface{ Operands() []*value.Value }).Operands() {
			needed[*v] = true
		}
	}
	take(insts[at])
	for ; at > 0; at-- {
		x := insts[at-1]
		if v, ok := x.(value.Value); ok && needed[v] {
			take(x)
			continue
		}
		if !mayFollow(x, r) {
			break
		}
	}
	var rest []llvm.Instruction
	for _, x := range insts[at:] {
		if !slices.Contains(moved, x) {
			rest = append(rest, x)
		}
	}
	copy(insts[at:], append(moved, rest...))
}

// mayFollow reports whether x may come to stand behind a load to register r.
func mayFollow(x llvm.Instruction, r *constant.Int) bool {
	switch x := x.(type) {
	case *llvm.InstStore, *llvm.InstFence:
		return false
	case *llvm.InstCall:
		uses := slices.ContainsFunc(x.Args, func(a value.Value) bool {
			c, ok := a.(*constant.Int)
			return ok && c.Typ.Equal(r.Typ) && c.X.Cmp(r.X) == 0
		})
		return !uses && (calls(x, "llvm.prefetch") || calls(x, "llvm.x86.td"))
	}
	return true
}

// calls reports whether the function that c calls has a name that begins so.
func calls(c *llvm.InstCall, name string) bool {
	f, ok := c.Callee.(*llvm.Func)
	return ok && strings.HasPrefix(f.Name(), name)
}

// configureTiles makes all registers tiles of 16 rows of 64 bytes.
func (e *emitter) configureTiles() {
	const rows, palette = 16, 1
	room := e.entry.NewAlloca(types.NewArray(64, types.I8))
	room.Align = 64
	config := make([]constant.Constant, 64)
	for i := range config {
		k := int64(0)
		switch {
		case i == 0:
			k = palette
		case i >= 16 && i < 16+2*tileRegs && i%2 == 0:
			k = 64 // bytes of a row
		case i >= 48 && i < 48+tileRegs:
			k = rows
		}
		config[i] = constant.NewInt(types.I8, k)
	}
	e.entry.NewStore(constant.NewArray(nil, config...), room)
	p := e.entry.NewBitCast(room, i8p)
	saved := e.cur
	e.cur = e.entry
	e.intrinsic("llvm.x86.ldtilecfg", types.Void, p)
	for _, b := range e.f.Blocks {
		if _, ok := b.Term.(*llvm.TermRet); ok {
			e.cur = b
			e.intrinsic("llvm.x86.tilerelease", types.Void)
		}
	}
	e.cur = saved
}
