package main

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/runtime"
)

// edges writes a network that computes the strength of edges (Sobel's
// gradients), compiles it and runs it on a drawing of two sizes.
func (d *demo) edges() error {
	path := filepath.Join(d.dir, "edges.onnx")
	if err := onnxpb.WriteFile(path, edgeModel()); err != nil {
		return err
	}
	exe, err := d.build(path, "edges")
	if err != nil {
		return err
	}
	for _, size := range []int{72, 96} {
		image := drawing(size, 2*size)
		fmt.Printf("\n%s\n", picture(image))
		out, err := d.call(exe, map[string]*runtime.Tensor{"image": image}, "edges", true)
		if err != nil {
			return err
		}
		fmt.Printf("./edges:\n%s\n", picture(out))
	}
	return nil
}

// edgeModel is sqrt(gx² + gy²) of the two gradients of a [1,1,H,W] image.
func edgeModel() *onnxpb.ModelProto {
	sobel := []float32{-1, 0, 1, -2, 0, 2, -1, 0, 1, -1, -2, -1, 0, 0, 0, 1, 2, 1}
	data := make([]byte, 0, 4*len(sobel))
	for _, v := range sobel {
		b := math.Float32bits(v)
		data = append(data, byte(b), byte(b>>8), byte(b>>16), byte(b>>24))
	}
	node := func(op, out string, attrs []*onnxpb.AttributeProto, in ...string) *onnxpb.NodeProto {
		return &onnxpb.NodeProto{
			OpType: op, Name: out, Input: in, Output: []string{out}, Attribute: attrs}
	}
	ints := func(name string, v ...int64) *onnxpb.AttributeProto {
		return &onnxpb.AttributeProto{Name: name, Type: onnxpb.AttrInts, Ints: v}
	}
	keep := &onnxpb.AttributeProto{Name: "keepdims", Type: onnxpb.AttrInt, I: 1}
	weights := &onnxpb.TensorProto{Name: "sobel",
		DataType: onnxpb.Float, Dims: []int64{2, 1, 3, 3}, RawData: data}
	return &onnxpb.ModelProto{
		IRVersion: 8, ProducerName: "tcc demo",
		OpsetImport: []*onnxpb.OperatorSetIDProto{{Version: 17}},
		Graph: &onnxpb.GraphProto{
			Name: "edges",
			Node: []*onnxpb.NodeProto{
				node("Conv", "gradients", []*onnxpb.AttributeProto{ints("pads", 1, 1, 1, 1)},
					"image", "sobel"),
				node("ReduceL2", "edges", []*onnxpb.AttributeProto{ints("axes", 1), keep}, "gradients"),
			},
			Initializer: []*onnxpb.TensorProto{weights},
			Input:       []*onnxpb.ValueInfoProto{port("image")},
			Output:      []*onnxpb.ValueInfoProto{port("edges")},
		},
	}
}

// port declares a float image of any size.
func port(name string) *onnxpb.ValueInfoProto {
	dim := func(n string) *onnxpb.Dimension { return &onnxpb.Dimension{Param: n} }
	one := &onnxpb.Dimension{Value: 1, HasValue: true}
	shape := &onnxpb.TensorShapeProto{Dim: []*onnxpb.Dimension{one, one, dim("height"), dim("width")}}
	return &onnxpb.ValueInfoProto{Name: name, Type: &onnxpb.TypeProto{
		Tensor: &onnxpb.TensorType{ElemType: onnxpb.Float, Shape: shape}}}
}

// drawing is a bright disc with a dark square in it.
func drawing(h, w int) *runtime.Tensor {
	data := make([]float32, h*w)
	for i := range data {
		y, x := float64(i/w)/float64(h)-0.5, float64(i%w)/float64(w)-0.5
		switch {
		case math.Abs(x) < 0.12 && math.Abs(y) < 0.2:
			data[i] = 0.1
		case x*x+y*y < 0.16:
			data[i] = 0.9
		}
	}
	return runtime.MustFrom(data, 1, 1, h, w)
}
