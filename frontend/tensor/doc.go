// Package tensor is the Go DSL: tensors with the semantics of NumPy's arrays
// and PyTorch's tensors, that describe programs rather than run them.
//
// A [Tensor] is lazy: operations record what is to be computed, and reading a
// value ([Data], [Item], printing) computes it through the [Evaluator], which
// is the interpreter unless a compiler has been registered. Inside a function
// that [Trace] or [Jit] runs, the tensors that are its arguments are symbolic,
// with extents that may be names, and the operations become an ir.Graph.
//
// # Views and writes
//
// A tensor is a place in a storage, and a storage is a sequence of values: the
// recorded graph has no writes. A basic index, Transpose, Reshape of what lies
// contiguously, Expand are views, which remember the way from the storage to
// them. A write through a view makes the next value of the storage, by going
// that way back (an updateslice for a slice), so that the base and all
// overlapping views see it, as they would if it had been done in place; what
// was computed before keeps the value that it read.
//
// # Errors
//
// Nothing panics but functions named Must. A tensor that could not be made
// carries the error, and so does everything made of it: look at it once, at
// the end, with [Tensor.Err] or the error of Data, Trace and the like. Errors
// begin with the file and line of the call in the user's code.
//
// # Types
//
// Promotion is NumPy 2's (NEP 50). Go's int, float64 and bool, which are what
// untyped constants become, are weak scalars: they take the type of the tensor
// they meet as far as their kind allows. Other Go numbers are strong.
//
// The package depends on ir, ir/interp and autodiff, and knows no compiler.
package tensor
