// Shakespeare trains a small transformer on the characters of plays, and writes
// text of its own.
//
//	go run ./examples/shakespeare [-data input.txt] [-checkpoint FILE] [-write 500]
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

const (
	window    = 64 // characters that a prediction sees
	batchSize = 24
	alphabet  = 65
)

// Model predicts the next character.
type Model struct {
	Chars  nn.Embedding           `tcc:"N=65,D=128"`
	Places nn.Embedding           `tcc:"N=64,D=128"`
	Blocks [4]nn.TransformerBlock `tcc:"D=128,F=128,M=512"`
	Norm   nn.LayerNorm           `tcc:"D=128"`
	Head   nn.Projection          `tcc:"In=128,Out=65"`
}

// Logits are those of the characters behind each of ids, of shape (N, window).
func (m Model) Logits(ids tensor.Tensor) tensor.Tensor {
	x := m.Chars.Apply(ids).Add(m.Places.W)
	for _, b := range m.Blocks {
		x = b.Apply(x, nn.AttentionConfig{Heads: 4, Causal: true})
	}
	return m.Head.Apply(m.Norm.Apply(x))
}

// Loss is the mean of what each character that comes costs, in nats.
func (m Model) Loss(b Batch) tensor.Tensor { return nn.CrossEntropy(m.Logits(b.IDs), b.Next) }

// State is all that a step changes.
type State struct {
	Model Model
	Opt   nn.OptState
}

// Batch is pieces of text, and the same one character later.
type Batch struct{ IDs, Next tensor.Tensor }

var optimizer = nn.Adam{LR: 2e-3, Beta2: 0.99, WeightDecay: 0.1, Decoupled: true}

func step(steps int) func(State, Batch) (State, tensor.Tensor, error) {
	rate := nn.Warmup(100, nn.Cosine(optimizer.LR, optimizer.LR/10, steps))
	return func(s State, b Batch) (State, tensor.Tensor, error) {
		loss, grads, err := tensor.ValueAndGrad(func(m Model) tensor.Tensor { return m.Loss(b) }, s.Model)
		if err != nil {
			return s, loss, err
		}
		if _, err := nn.ClipNorm(&grads, 1); err != nil {
			return s, loss, err
		}
		err = nn.Update(optimizer, &s.Model, &grads, &s.Opt, rate)
		return s, loss, err
	}
}

// options are what a run is told.
type options struct {
	data, checkpoint, resume, curve, metrics string
	steps, stopAfter, every, write           int
	seed                                     uint64
	out                                      io.Writer
}

// fit trains, writes text, and returns the loss on text that was held back.
func fit(ctx context.Context, o options) (loss float64, text string, err error) {
	corpus, err := readCorpus(o.data)
	if err != nil {
		return 0, "", err
	}
	var s State
	if err := nn.Init(&s.Model, tensor.NewKey(o.seed)); err != nil {
		return 0, "", err
	}
	if s.Opt, err = nn.NewOptState(optimizer, &s.Model); err != nil {
		return 0, "", err
	}
	first := 0
	if o.resume != "" {
		if first, err = train.Load(o.resume, &s); err != nil {
			return 0, "", err
		}
	}
	buf := newBatch()
	run, err := tensor.NewStep(step(o.steps), s, buf.tensors())
	if err != nil {
		return 0, "", err
	}
	valid, err := newValidation(run.State().Model, corpus)
	if err != nil {
		return 0, "", err
	}
	ahead := train.Prefetch(first, []*batch{newBatch(), newBatch()}, func(i int, b *batch) error {
		b.fill(train.Rand(o.seed, i), corpus.train)
		return nil
	})
	defer ahead.Close()
	loop := &train.Loop{Steps: o.steps, Every: o.every, Examples: batchSize * window, Out: o.out,
		CSV: o.metrics}
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
		copy(buf.ids, next.ids)
		copy(buf.next, next.next)
		if err := run.RunContext(ctx); err != nil || !report {
			return nil, err
		}
		l, err := tensor.Item[float64](run.Out())
		if err != nil {
			return nil, err
		}
		loss, err = valid.loss()
		return []train.Metric{{Name: "train", Value: l}, {Name: "validation", Value: loss}}, err
	})
	if err != nil {
		return 0, "", err
	}
	if o.curve != "" {
		if err := curve.Plot(o.curve, "Shakespeare, nats a character", loop.Curve); err != nil {
			return 0, "", err
		}
	}
	text, err = generate(run.State().Model, corpus, o.seed, o.write)
	return loss, text, err
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("shakespeare: ")
	o := options{out: os.Stderr}
	flag.StringVar(&o.data, "data", "../shared/corpora/data/tinyshakespeare/input.txt",
		"`file` of text")
	flag.StringVar(&o.checkpoint, "checkpoint", "", "`file` that the state is saved to")
	flag.StringVar(&o.resume, "resume", "", "checkpoint `file` to go on from")
	flag.StringVar(&o.curve, "curve", "", "`file` of the curves, .svg or .png")
	flag.StringVar(&o.metrics, "metrics", "", "`file` of the metrics, comma-separated")
	flag.IntVar(&o.steps, "steps", 1500, "number of steps")
	flag.IntVar(&o.every, "every", 100, "steps between reports")
	flag.IntVar(&o.write, "write", 500, "characters to write in the end")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of weights, pieces and what is written")
	flag.Parse()
	if err := native.Use(); err != nil {
		log.Fatal(err)
	}
	loss, text, err := fit(context.Background(), o)
	if errors.Is(err, train.ErrStopped) {
		log.Fatalf("%v; go on by -resume %s", err, o.checkpoint)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n\nvalidation loss %.3f nats a character (evaluated by %s)\n", text, loss,
		tensor.Backend())
}
