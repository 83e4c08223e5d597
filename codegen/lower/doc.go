// Package lower makes one naive kernel of each fused region: loops over the
// domain of its results, scalar expressions pulled from the results to the
// parameters through the index maps of broadcasts, slices and reshapes, and a
// loop with an accumulator for each reduction, product or window.
//
// Nothing here is fast; codegen/schedule rewrites the trees. What this package
// decides is the order of the loops: the domain of the results, outermost
// first, then the summed axes in the order in which the second operand of a
// product lies in memory.
package lower
