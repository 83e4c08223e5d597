// Command step writes a step of training, loss, gradient and update of AdamW, as
// a graph in text form, for bench/torch/train.py to compare with PyTorch's.
//
//	go run ./bench/torch/step -model cnn|transformer > step.tir
package main

import (
	"flag"
	"fmt"
	"log"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// batch is what a step looks at.
type batch struct{ X, Label tensor.Tensor }

// cnn is the network of examples/mnist.
type cnn struct {
	Conv1 nn.Conv2d `tcc:"In=1,Out=16,K=5"`
	Conv2 nn.Conv2d `tcc:"In=16,Out=32,K=3"`
	Inner nn.Linear `tcc:"In=1568,Out=64"`
	Head  nn.Linear `tcc:"In=64,Out=10"`
}

func (m cnn) loss(b batch) tensor.Tensor {
	x := m.Conv1.Apply(b.X, tensor.Padding(2)).Relu().MaxPool2d([]int{2, 2})
	x = m.Conv2.Apply(x, tensor.Padding(1)).Relu().MaxPool2d([]int{2, 2})
	return nn.CrossEntropy(m.Head.Apply(m.Inner.Apply(x.Reshape(-1, 1568)).Relu()), b.Label)
}

// transformer has width 256, 4 layers of 4 heads, and 128 characters of context.
type transformer struct {
	Chars  nn.Embedding           `tcc:"N=65,D=256"`
	Places nn.Embedding           `tcc:"N=128,D=256"`
	Blocks [4]nn.TransformerBlock `tcc:"D=256,F=256,M=1024"`
	Norm   nn.LayerNorm           `tcc:"D=256"`
	Head   nn.Projection          `tcc:"In=256,Out=65"`
}

func (m transformer) loss(b batch) tensor.Tensor {
	x := m.Chars.Apply(b.X).Add(m.Places.W)
	for _, block := range m.Blocks {
		x = block.Apply(x, nn.AttentionConfig{Heads: 4, Causal: true})
	}
	return nn.CrossEntropy(m.Head.Apply(m.Norm.Apply(x)), b.Label)
}

type state[M any] struct {
	Model M
	Opt   nn.OptState
}

// graph records the step of a model.
func graph[M any](loss func(M, batch) tensor.Tensor, b batch) (*ir.Graph, error) {
	optimizer := nn.AdamW(1e-3, 1e-2)
	var s state[M]
	if err := nn.Init(&s.Model, tensor.NewKey(1)); err != nil {
		return nil, err
	}
	var err error
	if s.Opt, err = nn.NewOptState(optimizer, &s.Model); err != nil {
		return nil, err
	}
	run, err := tensor.NewStep(func(s state[M], b batch) (state[M], tensor.Tensor, error) {
		l, grads, err := tensor.ValueAndGrad(func(m M) tensor.Tensor { return loss(m, b) }, s.Model)
		if err != nil {
			return s, l, err
		}
		return s, l, nn.Update(optimizer, &s.Model, &grads, &s.Opt, nil)
	}, s, b)
	if err != nil {
		return nil, err
	}
	return run.Graph, nil
}

func main() {
	log.SetFlags(0)
	model := flag.String("model", "cnn", "`name`: cnn or transformer")
	flag.Parse()
	var g *ir.Graph
	var err error
	switch *model {
	case "cnn":
		g, err = graph(cnn.loss, batch{tensor.Zeros(tensor.F32, 64, 1, 28, 28), tensor.Zeros(tensor.I64, 64)})
	case "transformer":
		ids := tensor.Zeros(tensor.I64, 16, 128)
		g, err = graph(transformer.loss, batch{ids, ids})
	default:
		log.Fatalf("model %q: want cnn or transformer", *model)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(ir.Print(g))
}
