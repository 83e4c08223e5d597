// Mnist trains a small convolutional network on handwritten digits: loss,
// gradient and update are one compiled step.
//
//	go run ./examples/mnist [-data DIR] [-checkpoint FILE] [-curve curve.svg] [-onnx digits.onnx]
//
// Ctrl-C saves a checkpoint, from which -resume goes on with the same bits as if
// it had not been stopped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/frontend/nn/train/curve"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/native"
)

// Model tells digits.
type Model struct {
	Conv1 nn.Conv2d `tcc:"In=1,Out=16,K=5"`
	Conv2 nn.Conv2d `tcc:"In=16,Out=32,K=3"`
	Inner nn.Linear `tcc:"In=1568,Out=64"`
	Head  nn.Linear `tcc:"In=64,Out=10"`
}

// Logits are the unnormalized log-probabilities of the ten digits, of images of
// shape (N, 1, 28, 28), black 0 and white 1.
func (m Model) Logits(x tensor.Tensor) tensor.Tensor {
	x = m.Conv1.Apply(x, tensor.Padding(2)).Relu().MaxPool2d([]int{2, 2})
	x = m.Conv2.Apply(x, tensor.Padding(1)).Relu().MaxPool2d([]int{2, 2})
	return m.Head.Apply(m.Inner.Apply(x.Reshape(-1, 1568)).Relu())
}

// State is all that a step changes.
type State struct {
	Model Model
	Opt   nn.OptState
}

// Batch is what a step looks at.
type Batch struct{ X, Label tensor.Tensor }

// Report is what a step tells.
type Report struct{ Loss, Accuracy tensor.Tensor }

const (
	batchSize    = 64
	defaultSteps = 2500
)

// optimizer and schedule of all steps.
var optimizer = nn.AdamW(2e-3, 1e-2)

// step is one step of training.
func step(steps int) func(State, Batch) (State, Report, error) {
	rate := nn.OneCycle(optimizer.LR, 0.3, steps)
	return func(s State, b Batch) (State, Report, error) {
		var logits tensor.Tensor
		loss, grads, err := tensor.ValueAndGrad(func(m Model) tensor.Tensor {
			logits = m.Logits(b.X)
			return nn.CrossEntropy(logits, b.Label)
		}, s.Model)
		if err != nil {
			return s, Report{}, err
		}
		err = nn.Update(optimizer, &s.Model, &grads, &s.Opt, rate)
		return s, Report{loss, nn.Accuracy(logits, b.Label)}, err
	}
}

// options are what a run is told.
type options struct {
	data, checkpoint, resume, curve, metrics string
	steps, stopAfter                         int
	seed                                     uint64
	out                                      io.Writer
}

// fit trains, and returns the model and its accuracy on the test images.
func fit(ctx context.Context, o options) (*Model, float64, error) {
	digits, err := readDigits(o.data, "train")
	if err != nil {
		return nil, 0, err
	}
	s, first, err := begin(o)
	if err != nil {
		return nil, 0, err
	}
	buf := newBatch(batchSize)
	run, err := tensor.NewStep(step(o.steps), s, buf.tensors())
	if err != nil {
		return nil, 0, err
	}
	sampler := &train.Sampler{N: digits.n, Batch: batchSize, Seed: o.seed}
	ahead := train.Prefetch(first, []*batch{newBatch(batchSize), newBatch(batchSize)},
		func(i int, b *batch) error {
			digits.augmented(train.Rand(o.seed, i), sampler.Pick(i), b)
			return nil
		})
	defer ahead.Close()
	loop := &train.Loop{Steps: o.steps, Every: 125, Examples: batchSize, Out: o.out, CSV: o.metrics}
	if o.checkpoint != "" {
		loop.Save = func(i int) error { s := run.State(); return train.Save(o.checkpoint, &s, i) }
	}
	if o.stopAfter > 0 {
		loop.Steps = o.stopAfter
	}
	err = loop.Run(ctx, first, func(i int, report bool) ([]train.Metric, error) {
		next, err := ahead.Next()
		if err != nil {
			return nil, err
		}
		buf.copyFrom(next)
		if err := run.RunContext(ctx); err != nil || !report {
			return nil, err
		}
		return metrics(run.Out())
	})
	if err != nil {
		return nil, 0, err
	}
	if o.curve != "" {
		if err := curve.Plot(o.curve, "MNIST", loop.Curve); err != nil {
			return nil, 0, err
		}
	}
	m := run.State().Model
	acc, err := accuracy(m, o.data)
	return &m, acc, err
}

// begin returns the state to start with, and the number of steps it has behind.
func begin(o options) (State, int, error) {
	var s State
	if err := nn.Init(&s.Model, tensor.NewKey(o.seed)); err != nil {
		return s, 0, err
	}
	var err error
	if s.Opt, err = nn.NewOptState(optimizer, &s.Model); err != nil || o.resume == "" {
		return s, 0, err
	}
	first, err := train.Load(o.resume, &s)
	return s, first, err
}

func metrics(r Report) ([]train.Metric, error) {
	loss, err := tensor.Item[float64](r.Loss)
	if err != nil {
		return nil, err
	}
	acc, err := tensor.Item[float64](r.Accuracy)
	return []train.Metric{{Name: "loss", Value: loss}, {Name: "accuracy", Value: acc}}, err
}

// accuracy is the share of the test images that m tells right.
func accuracy(m Model, dir string) (float64, error) {
	d, err := readDigits(dir, "test")
	if err != nil {
		return 0, err
	}
	b := newBatch(d.n)
	d.plain(b)
	return tensor.Item[float64](nn.Accuracy(m.Logits(b.tensors().X), b.tensors().Label))
}

// use picks what evaluates tensors.
func use(backend string) error {
	switch backend {
	case "":
		return nil // package native has registered itself if it can
	case "native":
		return native.Use()
	case "interp":
		tensor.SetEvaluator(tensor.Interpreter())
		return nil
	}
	return fmt.Errorf("backend %q: want native or interp", backend)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mnist: ")
	o := options{out: os.Stderr}
	flag.StringVar(&o.data, "data", "../shared/corpora/data/mnist", "`directory` of the idx files")
	flag.StringVar(&o.checkpoint, "checkpoint", "", "`file` that the state is saved to")
	flag.StringVar(&o.resume, "resume", "", "checkpoint `file` to go on from")
	flag.StringVar(&o.curve, "curve", "", "`file` of the curves, .svg or .png")
	flag.StringVar(&o.metrics, "metrics", "", "`file` of the metrics, comma-separated")
	flag.IntVar(&o.steps, "steps", defaultSteps, "number of steps, 125 to an epoch")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of weights, order and augmentation")
	backend := flag.String("backend", "", "`name` of what evaluates: native or interp")
	model := flag.String("onnx", "", "`file` that the trained model is exported to")
	flag.Parse()
	if err := use(*backend); err != nil {
		log.Fatal(err)
	}
	m, acc, err := fit(context.Background(), o)
	if errors.Is(err, train.ErrStopped) {
		log.Fatalf("%v; go on by -resume %s", err, o.checkpoint)
	}
	if err == nil && *model != "" {
		err = export(*m, *model)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accuracy %.4f on the test images (evaluated by %s)\n", acc, tensor.Backend())
}
