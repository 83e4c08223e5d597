package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// corpus is a text, of which the last tenth is held back.
type corpus struct {
	*train.Text
	train, valid []int64
}

func readCorpus(file string) (*corpus, error) {
	t, err := train.ReadText(file)
	if err != nil {
		return nil, fmt.Errorf("%w: name a file of text by -data", err)
	}
	if len(t.Alphabet) > alphabet || len(t.IDs) < 20*(window+1) {
		return nil, fmt.Errorf("%s: %d characters of %d kinds, want at least %d of at most %d", file,
			len(t.IDs), len(t.Alphabet), 20*(window+1), alphabet)
	}
	cut := len(t.IDs) * 9 / 10
	return &corpus{t, t.IDs[:cut], t.IDs[cut:]}, nil
}

// batch is the memory of a batch's tensors.
type batch struct{ ids, next []int64 }

func newBatch() *batch {
	return &batch{make([]int64, batchSize*window), make([]int64, batchSize*window)}
}

func (b *batch) tensors() Batch {
	return Batch{tensor.FromSlice(b.ids, batchSize, window),
		tensor.FromSlice(b.next, batchSize, window)}
}

// put writes the piece of text from at on to line i.
func (b *batch) put(i int, text []int64, at int) {
	copy(b.ids[i*window:][:window], text[at:])
	copy(b.next[i*window:][:window], text[at+1:])
}

// fill writes pieces from random places.
func (b *batch) fill(rng *rand.Rand, text []int64) {
	for i := range batchSize {
		b.put(i, text, rng.IntN(len(text)-window))
	}
}

// reader is a compiled function of a model, which is read anew in each run, and
// a batch.
type reader = tensor.Step[[0]tensor.Tensor, input, tensor.Tensor]

type input struct {
	Model Model
	Batch Batch
}

func newReader(f func(Model, Batch) tensor.Tensor, m Model, b Batch) (*reader, error) {
	return tensor.NewStep(func(s [0]tensor.Tensor, in input) ([0]tensor.Tensor, tensor.Tensor, error) {
		return s, f(in.Model, in.Batch), nil
	}, [0]tensor.Tensor{}, input{m, b})
}

// validation computes the loss on the text that was held back, all of it but
// what fills no batch.
type validation struct {
	text []int64
	b    *batch
	run  *reader
}

func newValidation(m Model, c *corpus) (*validation, error) {
	v := &validation{text: c.valid, b: newBatch()}
	var err error
	v.run, err = newReader(Model.Loss, m, v.b.tensors())
	return v, err
}

func (v *validation) loss() (float64, error) {
	sum, n := 0.0, 0
	for at := 0; at+batchSize*window < len(v.text); at += batchSize * window {
		for i := range batchSize {
			v.b.put(i, v.text, at+i*window)
		}
		if err := v.run.Run(); err != nil {
			return 0, err
		}
		l, err := tensor.Item[float64](v.run.Out())
		if err != nil {
			return 0, err
		}
		sum, n = sum+l, n+1
	}
	return sum / float64(n), nil
}

// generate writes n characters, each drawn with the model's probability.
func generate(m Model, c *corpus, seed uint64, n int) (string, error) {
	ids := make([]int64, window)
	b := Batch{tensor.FromSlice(ids, 1, window), tensor.FromSlice(ids, 1, window)}
	run, err := newReader(func(m Model, b Batch) tensor.Tensor {
		return m.Logits(b.IDs).Softmax(-1)
	}, m, b)
	if err != nil {
		return "", err
	}
	rng := train.Rand(seed, -1)
	start, err := c.Encode("\n")
	if err != nil {
		return "", err
	}
	text := start
	for len(text) <= n {
		seen := text[max(0, len(text)-window):]
		copy(ids, seen)
		if err := run.Run(); err != nil {
			return "", err
		}
		probs, err := tensor.Data[float32](run.Out())
		if err != nil {
			return "", err
		}
		text = append(text, draw(rng, probs[(len(seen)-1)*alphabet:][:len(c.Alphabet)]))
	}
	return c.Decode(text[1:]), nil
}

// draw returns i with probability probs[i].
func draw(rng *rand.Rand, probs []float32) int64 {
	u := rng.Float64()
	for i, p := range probs {
		if u -= float64(p); u < 0 {
			return int64(i)
		}
	}
	return int64(len(probs) - 1)
}
