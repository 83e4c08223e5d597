// Package plan makes the launch plan of a fused graph: it gives each value its
// memory, lowers each fused region to a kernel and writes the steps in order.
// The result is a runtime.Program whose kernels have trees and no code yet,
// the trees, and the list of the constants that make up the weights.
package plan
