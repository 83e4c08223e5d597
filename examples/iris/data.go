package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// dataset is the table of irises: four lengths each and the species' number.
type dataset struct {
	x     []float32
	label []int64
}

// samples are part of a dataset as tensors.
type samples struct{ x, label tensor.Tensor }

// readIris reads a table with a header; columns are scaled to mean 0 and
// standard deviation 1.
func readIris(file string) (*dataset, error) {
	t, err := train.ReadCSV(file, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: name the file of Fisher's irises by -data", err)
	}
	if len(t.Names) != 5 || t.Len() <= 30 {
		return nil, fmt.Errorf("%s: columns %q and %d rows, want four numbers and a species, and more "+
			"than 30", file, t.Names, t.Len())
	}
	d := &dataset{}
	if d.x, err = t.Numbers(true, t.Names[:4]...); err != nil {
		return nil, err
	}
	d.label, _, err = t.Classes(t.Names[4])
	return d, err
}

// split shuffles and holds back the given number of examples.
func (d *dataset) split(rng *rand.Rand, held int) (train, test samples) {
	order := rng.Perm(len(d.label))
	return d.pick(order[held:]), d.pick(order[:held])
}

func (d *dataset) pick(rows []int) samples {
	var x []float32
	var label []int64
	for _, i := range rows {
		x, label = append(x, d.x[4*i:][:4]...), append(label, d.label[i])
	}
	return samples{tensor.FromSlice(x, len(rows), 4), tensor.FromSlice(label)}
}
