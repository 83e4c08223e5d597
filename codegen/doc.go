// Package codegen compiles graphs: it runs the passes, plans the launches,
// schedules each kernel for each CPU level and has LLVM make machine code of
// it. The result, an Artifact, is loaded into this process or written as a Go
// package by codegen/gopkg.
package codegen
