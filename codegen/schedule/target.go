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
	Regs       int // registers for them and a step's columns
	// Deep is the bytes of the columns' operand in a block of the accumulation,
	// for the columns of a register block: they stay in the nearest cache.
	Deep   int
	L1, L2 int // bytes of cache that a core has to itself
	L3     int // bytes of a shared cache that a product may count on
	Chains int // independent vector operations that hide the latency of one
	// Base is the level that this one only adds instructions to: a kernel
	// without any of them is the same there. Empty: none.
	Base string
	// What tuning may set for a kernel, see Tunables; 0 leaves it to the cost
	// model: the register block, the multiply-adds of a product's task, the
	// elements of a task, the vectors that a reduction folds into.
	BlockRows, BlockCols, Task, Chunk, Fold int
	// Stream is from how many bytes on a buffer does not stay in the caches; 0:
	// any does. It is more than a core's share of the last cache, which one that
	// works alone has to itself: a network whose next kernels read results of 10 MB
	// ran 3 % slower where these went around it (Zen 4, 2026-11).
	Stream int64
	// MaxNaN says that the maximum that is NaN where an operand is takes one instruction.
	MaxNaN bool
	// ExpBelow says that the exponential of minus a magnitude takes fewer instructions than
	// any other.
	ExpBelow bool
	// Inner says that the kernel is a part of another, so that its tasks are not its own.
	Inner bool
	// Eager makes schedules use instructions also where they do not pay, for tests.
	Eager bool
	// Precision is that of f32 products.
	Precision Precision
}

// avx512 has what the levels with vectors of 512 bits share.
var avx512 = Target{Vector: 64, Rows: 14, Cols: 2, Accs: 28, Regs: 32, Deep: 64 << 10,
	L1: 32 << 10, L2: 1 << 20, L3: 4 << 20, Chains: 8, Stream: 14 << 20}

// above is t as the level name, which adds instructions to base.
func (t Target) above(base, name string) Target {
	t.Name, t.Base = name, base
	return t
}

// Targets has the targets by the names of CPU levels.
var Targets = map[string]Target{
	"amx":         avx512.above("avx512-bf16", "amx"),
	"avx512-bf16": avx512.above("avx512-vnni", "avx512-bf16"),
	"avx512-vnni": avx512.above("x86-64-v4", "avx512-vnni"),
	"x86-64-v4":   avx512.above("", "x86-64-v4"),
	"x86-64-v3": {Name: "x86-64-v3", Vector: 32, Rows: 6, Cols: 2, Accs: 12, Regs: 15,
		Deep: 16 << 10, L1: 32 << 10, L2: 512 << 10, L3: 4 << 20, Chains: 8,
		Stream: 14 << 20, ExpBelow: true},
	"arm64": {Name: "arm64", Vector: 16, Rows: 8, Cols: 2, Accs: 24, Regs: 31,
		Deep: 16 << 10, L1: 32 << 10, L2: 512 << 10, L3: 4 << 20, Chains: 8, MaxNaN: true},
	// Go keeps no more sums in registers of amd64: it computes all products of a step
	// before it adds the first.
	"generic": {Name: "generic", Rows: 2, Cols: 3, Accs: 6, L1: 32 << 10, L2: 256 << 10, Chains: 1},
}

// stream marks the buffers of k that are larger than the caches.
func (t Target) stream(k *kernel.Kernel) {
	for _, b := range k.Params {
		if t.passes(b) {
			if err := k.Stream(b.Name); err != nil {
				panic("BUG: " + err.Error())
			}
		}
	}
}

// passes reports whether parameter b is larger than the caches, and either read
// or written.
func (t Target) passes(b *kernel.Buffer) bool {
	n, ok := b.Size.Int()
	return t.Stream > 0 && ok && n*int64(b.DType.Size()) >= t.Stream && b.Out != b.In && !b.Const
}
