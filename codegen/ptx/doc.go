// Package ptx writes scheduled kernels as PTX, the assembly text of NVIDIA's
// GPUs: the same trees that codegen/llvm makes CPU code of, with loops bound to
// the axes of a grid and a block (codegen/schedule.GPU).
//
// # Calling convention
//
// A kernel is an entry of its own name. Its parameters are, in order: the
// address of each buffer (u64, global memory), the value of each dim (s64),
// and, if the kernel has a fail statement, the address of an s32 that the
// greatest status is written to; the caller sets it to 0 before. [LaunchOf]
// tells the grid and the block to launch it with.
//
// Elements lie in memory as on the CPU: bool is a byte, 0 or 1; f16 and bf16
// are 2 bytes.
//
// # Text
//
// Registers are assigned once, but for loop variables, local buffers and what
// guarded loads give. A value that is there already is not computed again.
// Floating point is IEEE: roundings are written out, so that the assembler does
// not contract a product and a sum, nothing flushes subnormals, and max and min
// give NaN for NaN. What stands beside loops over the threads of a block is
// executed by all threads, and stores in it by the first; bar.sync stands where
// a thread may read or write what another wrote or read before.
package ptx
