package main

import (
	"os"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// export writes m as an ONNX model of any number of images: image to the
// probabilities of the digits.
func export(m Model, file string) error {
	g, err := tensor.Trace(func(image tensor.Tensor) struct{ Probs tensor.Tensor } {
		return struct{ Probs tensor.Tensor }{m.Logits(image).Softmax(-1)}
	}, "image=f32[N,1,28,28]")
	if err != nil {
		return err
	}
	g.Name = "digits"
	data, err := onnx.Export(g)
	if err != nil {
		return err
	}
	return os.WriteFile(file, onnxpb.Encode(data), 0o644)
}
