// Iris trains a small network on Fisher's irises: a function written in Go is
// recorded once, with its gradient and the optimizer's step, as one graph that
// is then run a few hundred times.
//
//	go run ./examples/iris [-data iris.csv] [-steps 300] [-backend native|interp]
//
// It runs as machine code where LLVM is found, else by the interpreter.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/native"
)

// Params are the weights of two layers.
type Params struct {
	W1 tensor.Tensor `tcc:"f32[4,16]"`
	B1 tensor.Tensor `tcc:"f32[16]"`
	W2 tensor.Tensor `tcc:"f32[16,3]"`
	B2 tensor.Tensor `tcc:"f32[3]"`
}

// logits are the unnormalized log-probabilities of the three species.
func logits(p Params, x tensor.Tensor) tensor.Tensor {
	h := x.MatMul(p.W1).Add(p.B1).Relu()
	return h.MatMul(p.W2).Add(p.B2)
}

// Predict returns the probabilities of the species.
func Predict(p Params, x tensor.Tensor) tensor.Tensor { return logits(p, x).Softmax(-1) }

// Loss is what training makes small.
func Loss(p Params, x, label tensor.Tensor) tensor.Tensor {
	return nn.CrossEntropy(logits(p, x), label)
}

// State is all that a step changes.
type State struct {
	P   Params
	Opt nn.AdamState[Params]
}

// Step is one step of training: loss, gradient and update.
func Step(s State, x, label tensor.Tensor) (State, tensor.Tensor, error) {
	loss := Loss(s.P, x, label)
	grads, err := tensor.GradOf(loss, &s.P)
	if err != nil {
		return s, loss, err
	}
	err = nn.AdamUpdate(nn.Adam{LR: 0.02}, &s.P, grads, &s.Opt)
	return s, loss, err
}

// initial returns random weights, uniform within the bounds of Glorot and
// Bengio (2010), and zero biases.
func initial(rng *rand.Rand) Params {
	weights := func(in, out int) tensor.Tensor {
		limit := math.Sqrt(6 / float64(in+out))
		w := make([]float32, in*out)
		for i := range w {
			w[i] = float32((2*rng.Float64() - 1) * limit)
		}
		return tensor.FromSlice(w, in, out)
	}
	return Params{W1: weights(4, 16), B1: tensor.Zeros(tensor.F32, 16),
		W2: weights(16, 3), B2: tensor.Zeros(tensor.F32, 3)}
}

// report is what training ends with.
type report struct {
	Params   Params
	Accuracy float64 // on the examples held back
}

// learn runs steps on all training examples at once.
func learn(d *dataset, steps int, seed uint64, out io.Writer) (*report, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	trainSet, testSet := d.split(rng, 30)
	step, err := tensor.Jit(Step, "s", "x=f32[N,4]", "label=i64[N]")
	if err != nil {
		return nil, err
	}
	s := State{P: initial(rng)}
	if s.Opt, err = nn.NewAdamState(s.P); err != nil {
		return nil, err
	}
	for i := range steps {
		var loss tensor.Tensor
		if s, loss, err = step(s, trainSet.x, trainSet.label); err != nil {
			return nil, err
		}
		if i%50 == 0 || i == steps-1 {
			l, err := tensor.Item[float32](loss)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(out, "step %3d  loss %.4f\n", i, l)
		}
	}
	acc, err := accuracy(s.P, testSet)
	if err != nil {
		return nil, err
	}
	return &report{Params: s.P, Accuracy: acc}, nil
}

// accuracy is the share of the examples whose most probable species is right.
func accuracy(p Params, s samples) (float64, error) {
	predict, err := tensor.Jit(Predict, "p", "x=f32[N,4]")
	if err != nil {
		return 0, err
	}
	right := predict(p, s.x).ArgMax(-1).Eq(s.label)
	return tensor.Item[float64](right.Mean())
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
	log.SetPrefix("iris: ")
	data := flag.String("data", "../shared/corpora/data/iris/iris.csv",
		"the data, as comma-separated `file`")
	steps := flag.Int("steps", 300, "number of steps")
	seed := flag.Uint64("seed", 1, "seed of the weights and of the split")
	backend := flag.String("backend", "",
		"`name` of what evaluates: native or interp; empty: the best there is")
	flag.Parse()
	if err := use(*backend); err != nil {
		log.Fatal(err)
	}
	d, err := readIris(*data)
	if err != nil {
		log.Fatal(err)
	}
	r, err := learn(d, *steps, *seed, os.Stdout)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accuracy %.3f on 30 examples held back (evaluated by %s)\n", r.Accuracy,
		tensor.Backend())
}
