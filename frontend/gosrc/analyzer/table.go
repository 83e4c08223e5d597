package analyzer

import "github.com/tensorcc/tcc/frontend/gosrc"

const tensorPath = gosrc.TensorPath

// unmodelled are the methods of tensors, by name, and the functions of tcc's
// packages, by import path and name, that make tensors and are not called, with
// the reason. All others are: a method by its name, a function by the table in
// functions.go.
var unmodelled = map[string]string{
	"Apply_":   "calls the function that it is given",
	"Backward": "runs what was recorded outside of the function",
	"ZeroGrad": "changes a tensor outside of the function",
	"Grad":     "is of tensors outside of the function",
	"Format":   "prints",
	"String":   "prints, which wants values",

	tensorPath + ".Hessian":      "calls the function that it is given",
	tensorPath + ".Jacobian":     "calls the function that it is given",
	tensorPath + ".SetEvaluator": "changes what evaluates",
	tensorPath + ".Interpreter":  "is for SetEvaluator",
}
