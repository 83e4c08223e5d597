package onnx

import "errors"

// ErrNotConstant is in errors about integers that an operator needs at compile
// time but that the model computes or takes as an input. Options.Fixed can
// help.
var ErrNotConstant = errors.New("want constants")
