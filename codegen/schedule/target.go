package schedule

import "github.com/tensorcc/tcc/codegen/kernel"

// Target is what schedules depend on: tile sizes come from here, never from
// the machine at hand.
type Target struct {
	Name   string
	Vector int // bytes of a vector register; 0: scalar code only
	// Rows x Cols vectors of accumulators is the register block of products:
	// as many as leave registers for the operands.
	Rows, Cols int
	Accs       int // most accumulators of any shape
	L1, L2     int // bytes of cache that a core has to itself
	Chains     int // independent vector operations that hide the latency of one
	// Base is the level that this one only adds instructions to: a kernel
	// without any of them is the same there. Empty: none.
	Base string
	// Stream is from how many bytes on a buffer does not stay in the caches; 0:
	// any does. It is more than a core has of the last cache.
	Stream int64
}

// Targets has the targets by the names of CPU levels.
var Targets = map[string]Target{
	"amx": {Name: "amx", Base: "avx512-bf16", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8, Stream: 8 << 20},
	"avx512-bf16": {Name: "avx512-bf16", Base: "avx512-vnni", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8, Stream: 8 << 20},
	"avx512-vnni": {Name: "avx512-vnni", Base: "x86-64-v4", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8, Stream: 8 << 20},
	"x86-64-v4": {Name: "x86-64-v4", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8, Stream: 8 << 20},
	"x86-64-v3": {Name: "x86-64-v3", Vector: 32, Rows: 6, Cols: 2, Accs: 12,
		L1: 32 << 10, L2: 512 << 10, Chains: 8, Stream: 8 << 20},
	"arm64": {Name: "arm64", Vector: 16, Rows: 8, Cols: 2, Accs: 24,
		L1: 32 << 10, L2: 512 << 10, Chains: 8},
	"generic": {Name: "generic", L1: 32 << 10, L2: 256 << 10, Chains: 1},
}

// stream marks the buffers of k that are larger than the caches.
func (t Target) stream(k *kernel.Kernel) {
	for _, b := range k.Params {
		n, ok := b.Size.Int()
		if t.Stream > 0 && ok && n*int64(b.DType.Size()) >= t.Stream && b.Out != b.In && !b.Const {
			if err := k.Stream(b.Name); err != nil {
				panic("BUG: " + err.Error())
			}
		}
	}
}
