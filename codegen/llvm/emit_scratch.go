package llvm

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Scratch returns the bytes of scratch memory that k needs, over its dims: for its
// buffers, and for what is kept of lines where it may put some together.
func Scratch(k *kernel.Kernel) (ir.Dim, error) {
	need := kernel.ScratchSize(k)
	if slices.ContainsFunc(k.Params, func(b *kernel.Buffer) bool { return b.Stream && b.Out }) {
		need = need.AddConst(mostKept * lineVector / 8)
	}
	for _, s := range need.SymNames() {
		if !slices.Contains(k.Dims, s) {
			return ir.Dim{}, fmt.Errorf("kernel %s: llvm: scratch of %v bytes depends on %s, which "+
				"is not known before the call; allocate an upper bound", k.Name, need, s)
		}
	}
	return need, nil
}
