// Package kernel is the level between tensor graphs and machine code, the same
// for all targets: a kernel is a tree of loops over buffers whose bodies are
// scalar expressions and stores.
//
// codegen/lower makes one naive, obviously right kernel of each fused region.
// codegen/schedule then rewrites it by the primitives of this package, each of
// which refuses what it cannot prove legal. The back ends codegen/llvm,
// codegen/ptx and codegen/purego print the scheduled tree. [Run] executes a
// tree at any stage; it is the meaning of this level.
//
// # The tree
//
// A [Kernel] has global buffers as parameters and, as integer parameters, the
// symbolic extents it uses. All index arithmetic is ir.Dim, a polynomial in
// canonical form: its symbols are the extents, the variables of the loops
// around, and the integer variables that a [Let] binds. A buffer is addressed
// by one flat index, in elements; so equal addresses are equal polynomials,
// and the coefficient of a loop variable is the stride of an access.
//
// Scalar expressions use the elementwise operations of the ir op table, with
// the same meaning; f16 and bf16 are loaded, stored and cast, and computed in
// f32.
//
// # Loops
//
// A loop runs its variable from 0 to Extent-1. What a loop is bound to says
// how it is executed, never what it computes:
//
//	serial    one after the other
//	parallel  iterations are tasks, run in any order on any thread; parallel
//	          loops are the outermost ones, nested perfectly; behind buffers in
//	          common, which all tasks share, there are two such nests, of which
//	          the first fills these and is done before the second begins
//	unroll    copied out; the extent is a number
//	vector    lanes of one vector operation; the extent is a number, the body
//	          has no loop but unrolled ones, iterations are independent;
//	          a condition on the lane becomes a mask
//	steps     iterations are tasks, run in order by one thread; the loop is
//	          the outermost one and depends on what it did before
//	grid      iterations are blocks of a GPU, run in any order; loops over
//	          the grid are the outermost ones, nested perfectly
//	block     iterations are threads of a block; see below
//
// # Blocks
//
// In a grid's loops, or in a kernel without any, stand loops over the threads
// of a block, beside each other and beside other statements. One is finished
// before what follows begins: between them the threads wait for each other,
// which needs no statement. As iterations are independent, executing them one
// after the other has the same result. What stands outside of loops over the
// threads is executed by all of them alike; each has its own copy of a local
// buffer, and one of them stores to other buffers. Loops over threads
// exchange values by shared buffers.
//
// A loop that is marked indep has iterations that do not depend on each other.
// [MarkIndep] proves it on the naive tree, where indices are simple; primitives
// keep it, so that what they make of the loops need not be proven again.
//
// # Steps
//
// A loop over steps has allocations, and loops with one iteration each of which
// has the body of a kernel. [Kernel.Inner] is such a kernel, to be scheduled as if it
// were alone, and [Kernel.SetInner] puts it back. What the kernels read and write are
// parts of the parameters, by the step, or scratch memory. The parts of a chain, which
// computes lines and reads them at once, are such loops in a task.
//
// # Primitives
//
// Split, Cut, Specialize, Version, Fuse, Reorder, Fission, Join, Sink and Hoist
// change the shape of nests; Bind says how loops run; ExpandDim, Stage, Spill, Keep and
// Place give values places of their own, Recompute takes one away; Delay writes results an
// iteration later, Advance and Overlap read and fill buffers an iteration early; Lift takes
// out of a loop what does not depend on it; Unguard computes beyond an edge what nothing reads;
// Ask, Ahead and Stream say which memory comes next, and which only passes;
// Loosen has a maximum take no notice of NaN where that cannot be seen, Below has
// exponentials of differences from it show that they are not above 1;
// Phase has what tasks do alike done once for all of them; SplitReduction and
// FoldAhead make partial accumulators, Block and BlockInside block an accumulation
// around the loops over its results; Narrow and SplitProduct change the types that
// are computed in; Replace puts an instruction in place of the nest that it
// executes. Each proves that it is legal by [Facts], what is known of the
// integers at a place, or refuses with the reason and leaves the tree as it was.
//
// # Instructions
//
// An [Instr] has operands, which are tiles of buffers, and its meaning as a body
// over them, to the bit: [Run], proofs and targets that lack it take that. Where
// operands are registers of a matrix unit, buffers in the space registers stand
// for them. [Instrs] has the table.
//
// # Text
//
//	kernel add(x f32[N] in, y f32[N] out) dims(N)
//		parallel i < ((N+1023)/1024)
//			serial j < 64
//				vector l < 16
//					if lt(1024*i+16*j+l, N)
//						y[1024*i+16*j+l] = add(x[1024*i+16*j+l], 1.0f32)
package kernel
