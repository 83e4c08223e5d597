// Package interp is the reference interpreter: the meaning of every operation
// of package ir. It is slow and obvious; every back end is compared with it.
// It imports ir alone.
//
// Arithmetic. An element is widened to float64, int64 or uint64, computed
// there and rounded or truncated once to its dtype when it is stored: sums and
// products of sums therefore accumulate in float64 and round once, and float16
// and bfloat16 round after each operation. For +, -, *, / and sqrt of f32, f16
// and bf16 computing in float64 first gives the same bits as computing in the
// type itself (Figueroa 1995: 53 >= 2*24+2). Transcendental functions are
// those of Go's package math, good to about 1 ulp of float64, replaced in
// floatmath.go where they are worse.
//
// Moves copy bits and never look at them.
package interp
