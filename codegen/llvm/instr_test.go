package llvm_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/ir"
)

// calling is a kernel that calls in twice, at different places of its buffers,
// on operands that are parameters or, for those in registers, loaded from and
// stored to them.
func calling(in *kernel.Instr) *kernel.Kernel {
	k := &kernel.Kernel{Name: "k"}
	c := &kernel.Call{Instr: in}
	var before, after []kernel.Stmt
	for i, p := range in.Params {
		n, _ := p.Size.Int()
		b := *p
		b.Space, b.Size, b.In = kernel.Global, ir.Const(2*n+3), true
		k.Params = append(k.Params, &b)
		t := kernel.Tile{Buf: &b, Index: ir.Sym("step").MulConst(n + 3)}
		stride := int64(1)
		for j := len(in.Shapes[i]) - 1; j >= 0; j-- {
			t.Strides = append([]ir.Dim{ir.Const(stride)}, t.Strides...)
			stride *= in.Shapes[i][j]
		}
		if p.Space == kernel.Registers {
			r := *p
			r.Name += "r"
			u := kernel.Tile{Buf: &r, Strides: t.Strides}
			move := func(name string, from, to kernel.Tile) kernel.Stmt {
				return &kernel.Call{Instr: kernel.Instrs["tile"+name+"."+p.DType.String()],
					Tiles: []kernel.Tile{from, to}}
			}
			before = append(before, &kernel.Alloc{Buf: &r})
			if p.In {
				before = append(before, move("load", t, u))
			}
			if p.Out {
				after = append(after, move("store", u, t))
			}
			t = u
		}
		c.Tiles = append(c.Tiles, t)
	}
	body := slices.Concat(before, []kernel.Stmt{c}, after)
	k.Body = []kernel.Stmt{&kernel.Loop{Var: "step", Extent: ir.Const(2), Body: body}}
	return k
}

// TestInstrs is about every row of the table: it has a meaning, text for each
// level that it claims, which LLVM assembles, and where this machine has it,
// it does what its meaning says.
func TestInstrs(t *testing.T) {
	have := allLevels(t)
	tools, err := llvm.Find()
	if err != nil {
		t.Skip(err)
	}
	batches := map[string]*llvm.Batch{}
	for _, name := range slices.Sorted(maps.Keys(kernel.Instrs)) {
		in := kernel.Instrs[name]
		if len(in.Levels) == 0 {
			t.Errorf("%s: no level has it", name)
		}
		k := calling(in)
		if err := kernel.Verify(k); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		run := false
		for _, level := range in.Levels {
			target, ok := llvm.TargetOf(level)
			if !ok {
				t.Errorf("%s: level %s is not known", name, level)
				continue
			}
			if !run && slices.Contains(have, level) {
				run = true
				compare(t, k, level, nil, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
				continue
			}
			if batches[level] == nil {
				batches[level] = llvm.NewBatch(target)
			}
			c := *k
			c.Name = fmt.Sprintf("k%d", batches[level].Len())
			if err := batches[level].Add(&c); err != nil {
				t.Errorf("%s: %s: %v", name, level, err)
			}
		}
		if !run { // its meaning at least, as other instructions
			t.Logf("%s: emulated: %v have it, this machine has %v", name, in.Levels, have)
			target, _ := llvm.TargetOf(have[0])
			compareFor(t, k, target.Emulate(in.Levels[0]), nil, 1, 2, 3, 4)
		}
	}
	for level, b := range batches {
		target, _ := llvm.TargetOf(level)
		mods := []llvm.Module{b.Module(level)}
		if _, _, err := tools.Compile(t.Context(), mods, target, ""); err != nil {
			t.Errorf("%s: %v", level, err)
		}
	}
}

// TestInstrRefused: a level without the instruction says so.
func TestInstrRefused(t *testing.T) {
	k := calling(kernel.Instrs["vpdpbusd.512"])
	target, _ := llvm.TargetOf("x86-64-v4")
	_, err := llvm.Emit(k, target)
	if want := fmt.Sprint(kernel.Instrs["vpdpbusd.512"].Levels); err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("Emit = %v, want an error that names %v", err, want)
	}
}
