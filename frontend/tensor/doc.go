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
// Comments on functions name the errors that are their own. Common to all of
// them are: an argument that carries an error or is the zero Tensor; an operand
// that is neither a Tensor, a number nor a nested slice of numbers; an axis out
// of range, or named twice; shapes that do not broadcast; an element type on
// which the operation does not compute, such as Neg of bool or And of floats.
//
// # Shapes
//
// Functions of one tensor that say nothing else give its shape. Those of two
// broadcast their operands as NumPy does: axes count from the last, an extent
// of 1 is stretched. Axes that are arguments may be negative. Reductions drop
// the axes that they are given, all if none; those of [Tensor.Keep] keep them
// with extent 1. Tensors without axes and with extents of 0 are like others.
//
// In a traced function extents are numbers or expressions of names, such as
// 2*N+1. What has to hold for them and is not known is checked when the
// function runs, with the line of the call in the error.
//
// # Types
//
// Promotion is NumPy 2's (NEP 50). Go's int, float64 and bool, which are what
// untyped constants become, are weak scalars: they take the type of the tensor
// they meet as far as their kind allows. Other Go numbers are strong.
//
// Moves (views, indexing, sorting, concatenation) keep the element type.
// Arithmetic gives the promoted one, in which integers wrap around. Comparisons,
// tests and logical operations give [Bool]. Functions of real numbers (Exp, Sin,
// Softmax, activations) keep floating-point types and compute integers and
// bools of up to 8 bits in [F16], of 16 in [F32], of more in [F64]. Sums and
// products of integers are in [I64] or [U64]; means and variances of them in
// [F64]. Means, variances, norms and normalizations of [F16] and [BF16] compute
// in [F32], as NumPy's and PyTorch's do, and are rounded once. Indices and counts
// are [I64]; as arguments they are of any integer type.
//
// The package depends on ir, ir/interp and autodiff, and knows no compiler.
package tensor
