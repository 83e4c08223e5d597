// Package gopkg writes a compiled graph as a Go package or as the source of an
// executable: the launch plan as a Go literal, kernels as assembly data for
// amd64 and arm64 and as Go source for everything else, the weights, an API
// with named inputs and outputs, and its tests. What it writes builds with the
// Go toolchain alone, without cgo, and is a function of the artifact and the
// options: the same bytes each time.
//
// The files of a package:
//
//	model.go               Model, Inputs, Outputs, New, and the runtime's types by name
//	program.go             the launch plan
//	variants_ARCH.go       which form of each kernel runs at which CPU level
//	kernels_ARCH.{s,go}    machine code, one symbol a kernel
//	kernels_generic.go     the kernels in Go, for other architectures and the tag purego
//	weights.bin            the constants
//	internal/rt/           a copy of tcc's runtime, unless a shared one is imported
//	*_test.go, testdata/   tests, Example, benchmarks, recorded results
package gopkg
