// Package onnx turns ONNX models into graphs of ir, and graphs back into
// models. It depends on ir and on onnxpb, the file layer below it.
//
// [Load] opens a model file, [Import] translates a decoded one. Operators are
// translated to the primitive operations of ir by the table importers, one row
// for each operator and version whose meaning differs (optable.go).
//
// # Shapes
//
// The shapes of the model's inputs are trusted as declarations: a named dim
// becomes the ir symbol of that name, a dim without a name becomes the symbol
// INPUT.AXIS ([SymName] says how names are spelled). All other declared shapes
// are ignored: shapes follow from the operators.
//
// Integers computed from shapes are followed as expressions over the symbols
// (see elem), beside or in place of the values of the graph. So the arithmetic
// that exporters write around Reshape, Slice, Expand and their like vanishes
// here, whatever the sizes turn out to be. Where such an operator needs an
// integer that only running the model gives, its value is bound to a new
// symbol (ir.OpBind). Where two extents must be equal and are not known to be,
// an ir.OpCheck says so at run time. In particular two extents that neither
// are known equal nor known to be 1 are taken to be equal when they meet in a
// broadcast.
//
// # Errors
//
// All operators that the table lacks are named at once, with their nodes; so
// are the nodes that cannot be imported, each with the reason. What depends on
// such a node is passed over in silence. Import functions report errors by
// panicking with *nodeError, which importNode recovers: it keeps the
// translation of an operator readable as the few lines of arithmetic that it
// is.
//
// # Conditions
//
// A branch of an If whose condition is known is imported in the node's place.
// Where the condition is one on extents that cannot be decided, and the
// branches do not fit together (exporters write a squeeze that may be none in
// this way), one is taken and the model checks when it runs that it was right;
// see assume.
//
// # Export
//
// [Export] is the way back, for tests, for small reproductions of a fault and
// for models written in Go: it expresses the primitive operations of a graph in
// those of ONNX, extents computed at run time included.
package onnx
