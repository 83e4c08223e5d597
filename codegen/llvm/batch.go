package llvm

import (
	"errors"
	"fmt"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Batch collects kernels of one target in one module: starting opt and llc
// costs as much as compiling a small kernel.
type Batch struct {
	target  Target
	m       *llvm.Module
	decls   map[string]*llvm.Func
	kernels []string
	insts   int
	full    bool // a kernel keeps much in registers
}

// NewBatch returns an empty batch.
func NewBatch(target Target) *Batch {
	b := &Batch{target: target, m: llvm.NewModule(), decls: map[string]*llvm.Func{}}
	b.m.TargetTriple = target.Triple
	return b
}

// Add emits k under its name, which no other kernel of the batch has. See Emit
// for what k is and for the error, which leaves the batch without k.
func (b *Batch) Add(k *kernel.Kernel) error {
	e := &emitter{
		k: k, target: b.target, m: b.m, bufs: map[*kernel.Buffer]*memory{},
		decls: b.decls, fails: map[int]*llvm.Block{},
		natural: map[string]bool{}, safes: map[string]value.Value{},
		tiles: map[*kernel.Buffer]int{}, held: map[int64]heldTile{}, vars: map[string]val{},
		places: map[string]*kernel.Expr{}, unrolled: map[string]ir.Dim{},
		scopes: []map[string]val{{}},
	}
	if _, err := Scratch(k); err != nil {
		return err
	}
	metadata := len(b.m.MetadataDefs)
	e.function()
	if len(e.errs) > 0 {
		b.m.MetadataDefs = b.m.MetadataDefs[:metadata]
		b.remove(e.f)
		return fmt.Errorf("kernel %s: llvm: %w", k.Name, errors.Join(e.errs...))
	}
	b.kernels = append(b.kernels, k.Name)
	b.full = b.full || !hoists(k, b.target)
	for _, block := range e.f.Blocks {
		b.insts += len(block.Insts)
	}
	return nil
}

// remove drops a function; intrinsics that it declared may stay.
func (b *Batch) remove(f *llvm.Func) {
	for i := range b.m.Funcs {
		if b.m.Funcs[i] == f {
			b.m.Funcs = append(b.m.Funcs[:i], b.m.Funcs[i+1:]...)
			return
		}
	}
}

// Len is the number of instructions, a measure of the time to compile them.
func (b *Batch) Len() int { return b.insts }

// Module returns the batch as a module for Compile.
func (b *Batch) Module(name string) Module {
	return Module{Name: name, Text: b.m.String(), Kernels: b.kernels, Hoist: !b.full}
}

// hoists reports whether k leaves registers for constants in its loops: local
// buffers, which are in registers, are a quarter of them at most.
func hoists(k *kernel.Kernel, t Target) bool {
	bytes := int64(0)
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if a, ok := s.(*kernel.Alloc); ok && a.Buf.Space == kernel.Local {
			n, _ := a.Buf.Size.Int()
			bytes += n * int64(a.Buf.DType.Size())
		}
	})
	return bytes <= int64(t.Vector) // 8 registers of Vector/8 bytes
}

var (
	i8p = types.NewPointer(types.I8)
	i64 = types.I64
)
