// Package runtime is what compiled programs link with: host tensors and views, the launch plan,
// the arena and call states, a worker pool, and the trampoline that calls machine code.
//
// It imports nothing of the compiler (the standard library and golang.org/x/sys only) and is one
// flat package, because it is copied into generated packages as an internal folder.
//
// # The launch plan
//
// A Program is what the compiler makes of a model. It is plain data, the same in process and as
// a Go literal in a generated package:
//
//   - Symbols are the dynamic dims; each is read from an axis of an input, or bound late by a step.
//   - Exprs compute integers from symbols. The value of Exprs[i] is called slot i.
//   - An Int is a number known when compiling (n >= 0) or a slot (^i, negative). All sizes,
//     offsets, task counts and kernel dims are Ints.
//   - Buffers are ranges of memory: in an input, an output, the weights, the arena, or late memory
//     whose size depends on symbols that are bound late.
//   - Kernels have a Variant for each CPU level: machine code or a Go function.
//   - Steps run in order: Launch, If, Bind, BindSlot, Alloc, Verify, Copy.
//
// As an example, y = relu(x) for a vector of N elements, written to the output directly:
//
//	&Program{
//		Inputs:  []Port{{Name: "x", DType: F32, Dims: []Int{^0}}},
//		Outputs: []Port{{Name: "y", DType: F32, Dims: []Int{^0}}},
//		Symbols: []Symbol{{Name: "N", Input: 0, Axis: 0}},
//		Exprs:   []Expr{{Op: OpSym, A: 0}, {Op: OpMul, A: ^0, B: 4}},
//		Buffers: []Buffer{{Kind: InInput, Index: 0, Size: ^1}, {Kind: InOutput, Index: 0, Size: ^1}},
//		Kernels: []Kernel{{Name: "relu", Variants: []Variant{{Level: "generic", Go: relu, Tasks: 1}}}},
//		Steps:   []Step{&Launch{Kernel: 0, Bufs: []int{0, 1}, Writes: []int{1}, Dims: []Int{^0}}},
//	}
//
// # Calls
//
// New prepares a Model; Run and its forms are safe for many goroutines. Each call in flight has a
// state of its own (slots, pointer tables, arena) from a free list, so that a steady-state RunInto
// allocates nothing. A launch whose estimated cost is small runs on the caller's goroutine; others
// are cut into chunks of tasks, smaller the fewer are left, which the caller and the workers take
// in turn. Tasks are independent of one another, so results have the same bits for any number of
// threads.
package runtime
