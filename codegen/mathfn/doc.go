// Package mathfn expands transcendental operations of kernel expressions into
// arithmetic, comparisons and bit operations: straight-line code that every
// back end vectorizes, so that codegen/llvm, codegen/ptx and codegen/purego
// share one definition of each function. What a target computes by instructions
// of its own ([Native]) it leaves alone.
//
// Float32 results are within 2 units in the last place of the true value for
// all 2**32 inputs of exp, log, log1p, tanh, erf, sigmoid, sin, cos and tan; float64 ones
// within 2 units (tan 2.1) as far as random tests tell. NaN, infinities, zeros of both
// signs and subnormal numbers are exact. Command ulp beside this package
// measures; docs/perf.md has the figures.
//
// The package stands between codegen/kernel and the back ends.
package mathfn
