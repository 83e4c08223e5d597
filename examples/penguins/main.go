// Penguins trains a small network to tell three species of penguins by their
// measures, from a table of comma-separated values.
//
//	go run ./examples/penguins [-data penguins.csv] [-steps 200]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/frontend/tensor"
	_ "github.com/tensorcc/tcc/frontend/tensor/native" // machine code where LLVM is found
)

// Model is a network with one hidden layer.
type Model struct {
	Hidden nn.Linear `tcc:"In=4,Out=16"`
	Out    nn.Linear `tcc:"In=16,Out=3"`
}

// Logits are those of the species.
func (m Model) Logits(x tensor.Tensor) tensor.Tensor {
	return m.Out.Apply(m.Hidden.Apply(x).Tanh())
}

// State is all that a step changes.
type State struct {
	Model Model
	Opt   nn.OptState
}

// Data is measures and species.
type Data struct{ X, Label tensor.Tensor }

var optimizer = nn.Adam{LR: 0.02}

func step(s State, d Data) (State, tensor.Tensor, error) {
	loss, grads, err := tensor.ValueAndGrad(func(m Model) tensor.Tensor {
		return nn.CrossEntropy(m.Logits(d.X), d.Label)
	}, s.Model)
	if err != nil {
		return s, loss, err
	}
	err = nn.Update(optimizer, &s.Model, &grads, &s.Opt, nil)
	return s, loss, err
}

// read returns the rows of the table, a fifth of them, picked by seed, apart.
func read(file string, seed uint64) (fit, test Data, err error) {
	t, err := train.ReadCSV(file, train.Complete)
	if err != nil {
		return fit, test, fmt.Errorf("%w: name the file of the Palmer penguins by -data", err)
	}
	x, err := t.Numbers(true, "Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)",
		"Body Mass (g)")
	if err != nil {
		return fit, test, err
	}
	label, _, err := t.Classes("Species")
	if err != nil {
		return fit, test, err
	}
	order := train.Rand(seed, 0).Perm(t.Len())
	pick := func(rows []int) Data {
		all := Data{tensor.FromSlice(x, t.Len(), 4), tensor.FromSlice(label)}
		return Data{all.X.Index(rows), all.Label.Index(rows)}
	}
	cut := t.Len() / 5
	return pick(order[cut:]), pick(order[:cut]), nil
}

// learn trains and returns the share of penguins held back that are told right.
func learn(file string, steps int, seed uint64, out io.Writer) (float64, error) {
	fit, test, err := read(file, seed)
	if err != nil {
		return 0, err
	}
	var s State
	if err := nn.Init(&s.Model, tensor.NewKey(seed)); err != nil {
		return 0, err
	}
	if s.Opt, err = nn.NewOptState(optimizer, &s.Model); err != nil {
		return 0, err
	}
	run, err := tensor.NewStep(step, s, fit)
	if err != nil {
		return 0, err
	}
	loop := &train.Loop{Steps: steps, Every: 50, Out: out}
	err = loop.Run(context.Background(), 0, func(_ int, report bool) ([]train.Metric, error) {
		if err := run.Run(); err != nil || !report {
			return nil, err
		}
		loss, err := tensor.Item[float64](run.Out())
		return []train.Metric{{Name: "loss", Value: loss}}, err
	})
	if err != nil {
		return 0, err
	}
	return tensor.Item[float64](nn.Accuracy(run.State().Model.Logits(test.X), test.Label))
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("penguins: ")
	data := flag.String("data", "../shared/corpora/data/penguins/penguins.csv", "`file` of the table")
	steps := flag.Int("steps", 200, "number of steps")
	seed := flag.Uint64("seed", 1, "seed of the weights and of the split")
	flag.Parse()
	acc, err := learn(*data, *steps, *seed, os.Stdout)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accuracy %.3f on the penguins held back (evaluated by %s)\n", acc, tensor.Backend())
}
