package onnx

var attentionRows = []row{}
