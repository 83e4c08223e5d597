// Package purego prints kernels as Go functions, for architectures that tcc
// has no code generator for and for builds with the tag purego.
//
// Unrolled loops are copied out and small local buffers become variables, which Go keeps
// in registers; an innermost loop reads and writes slices of as many elements as it has
// iterations, so that bounds are checked ahead of it.
//
// A function has the arguments and the meaning of the machine code. Floating-
// point products are converted explicitly, which keeps the Go compiler from
// fusing what the tree does not fuse; fma of f32 is computed in float64.
package purego
