package schedule

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
}

// Targets has the targets by the names of CPU levels.
var Targets = map[string]Target{
	"amx": {Name: "amx", Base: "avx512-bf16", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8},
	"avx512-bf16": {Name: "avx512-bf16", Base: "avx512-vnni", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8},
	"avx512-vnni": {Name: "avx512-vnni", Base: "x86-64-v4", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8},
	"x86-64-v4": {Name: "x86-64-v4", Vector: 64, Rows: 14, Cols: 2, Accs: 28,
		L1: 32 << 10, L2: 1 << 20, Chains: 8},
	"x86-64-v3": {Name: "x86-64-v3", Vector: 32, Rows: 6, Cols: 2, Accs: 12,
		L1: 32 << 10, L2: 512 << 10, Chains: 8},
	"arm64": {Name: "arm64", Vector: 16, Rows: 8, Cols: 2, Accs: 24,
		L1: 32 << 10, L2: 512 << 10, Chains: 8},
	"generic": {Name: "generic", L1: 32 << 10, L2: 256 << 10, Chains: 1},
}
