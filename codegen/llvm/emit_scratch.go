package llvm

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Scratch returns the bytes of scratch memory that k needs, over its dims.
// Buffers whose scopes do not overlap share memory.
func Scratch(k *kernel.Kernel) (ir.Dim, error) {
	need := scratchOf(k.Body)
	for _, s := range need.SymNames() {
		if !slices.Contains(k.Dims, s) {
			return ir.Dim{}, fmt.Errorf("kernel %s: llvm: scratch of %v bytes depends on %s, which "+
				"is not known before the call; allocate an upper bound", k.Name, need, s)
		}
	}
	return need, nil
}

func scratchOf(body []kernel.Stmt) ir.Dim {
	var top, most ir.Dim
	for _, s := range body {
		var inner ir.Dim
		switch s := s.(type) {
		case *kernel.Alloc:
			if s.Buf.Space == kernel.Scratch {
				top = top.Add(scratchBytes(s.Buf))
				most = most.Max(top)
			}
		case *kernel.Loop:
			inner = scratchOf(s.Body)
		case *kernel.If:
			inner = scratchOf(s.Then).Max(scratchOf(s.Else))
		}
		most = most.Max(top.Add(inner))
	}
	return most
}
