// Package gosrc compiles Go functions: it finds those that carry a directive,
// has them recorded as graphs, and writes the typed API of what was compiled.
//
//	//tcc:compile x=f32[N,784]
//	func Predict(p Params, x tensor.Tensor) tensor.Tensor
//
// # Directives
//
// A directive stands in the comment above a function or method, which may be
// unexported. It has these words, separated by spaces:
//
//	x=f32[N,784]     the type of the argument x; names are dynamic extents
//	xs=[3]f32[N]     x is a slice of three tensors, or an array
//	xs=f32[4];f32[2] a slice of two, of different types
//	bake=p           p is a constant: the package's variable of that name, or what
//	                 its function of that name returns
//	bake=heads=8     heads is a constant: any Go expression without spaces outside
//	                 of brackets and quotes; arguments that are no tensors have to be
//	grad=p           gradients of the first result, a scalar, by the tensors in p
//	                 are results, too; grad=p,x of several arguments
//	optimizer=opt    with grad=p: the tensors in p are replaced, where they are, by a
//	                 step of the nn.Optimizer that the expression gives: a variable,
//	                 a function without arguments, or nn.AdamW(1e-3,1e-2)
//	inplace=s        the result of the type of argument s takes its memory, where the
//	                 caller gives the same tensors for both: nothing is copied
//	N=1..64          the dynamic extent N has these values alone; N=8 fixes it
//
// Arguments and results are tensors, or structs, pointers to structs, arrays
// and slices of these; fields say their types in tags such as `tcc:"f32[784,128]"`,
// with the grammar of the directive. Fields tagged "-" and unexported ones are
// left out. The last result may be an error. A method's receiver is its first
// argument. A file that is for recording alone carries the build tag tcc.
//
// # Recording
//
// The function is not parsed but run, once, with symbolic arguments: generics,
// helpers of other packages, loops and closures work as they do in Go. [Package.Record]
// builds a program of the user's package for it, in which overlays stand in for
// what is not yet generated. That runs the package's initialization, and not its
// main.
//
// # What is written
//
// For Predict, [Package.API] writes into zz_tcc.go a type PredictCompiled with
// the methods Run, RunContext, RunInto and RunIntoContext, a constructor
// NewPredictCompiled, and a struct PredictOutputs; for the struct Params a
// ParamsTensors whose fields are tensors of tcc's runtime. They are exported
// where the function is. An argument of rank 0 is a plain Go value. Nothing of
// it refers to package tensor. With an optimizer, PredictCompiled takes its state
// as a last argument, a PredictOptState, which NewPredictOptState makes; there are
// no results for gradients, parameters and state.
package gosrc
