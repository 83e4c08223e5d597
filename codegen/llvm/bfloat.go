package llvm

import "github.com/llir/llvm/ir/types"

// bfloat is LLVM's bfloat, which llir lacks, as operands of intrinsics: values
// of the kernel's bf16 are the bits as integers.
type bfloat struct{}

func (bfloat) String() string          { return "bfloat" }
func (bfloat) LLString() string        { return "bfloat" }
func (bfloat) Name() string            { return "" }
func (bfloat) SetName(string)          {}
func (bfloat) Equal(u types.Type) bool { _, ok := u.(bfloat); return ok }
