// Package autodiff derives gradients: it turns a graph into the graph of its
// vector-Jacobian or Jacobian-vector product. What it makes is an ordinary
// graph, so that gradients of gradients, fusion and memory planning need
// nothing of their own.
//
// The table of rules in rules.go says, for each operation, what reaches its
// arguments of the cotangent of its result; vjp.go walks a graph backwards
// with it. It depends on ir alone and comes before all passes: operations that
// passes make (fuse) have no gradient. vmap.go maps graphs over a new axis, by
// a table of the same kind.
//
// # Conventions
//
// At kinks and ties the gradients are those of PyTorch: abs, sign and the
// roundings have gradient 0 at 0; max and min of equal arguments give half to
// each; reducemax and reducemin share among all elements that attain the
// extremum (amax, not max); windowmax gives all to the first element of the
// window in row-major order; pow with exponent 0 has gradient 0. A gradient
// that is known to be zero does not exist in the graph; only where a result
// asks for it is it filled in.
package autodiff
