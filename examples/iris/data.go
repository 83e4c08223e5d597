package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// dataset is the table of irises: four lengths each and the species' number.
type dataset struct {
	x     [][4]float32
	label []int64
}

// samples are part of a dataset as tensors.
type samples struct{ x, label tensor.Tensor }

var species = map[string]int64{"setosa": 0, "versicolor": 1, "virginica": 2}

// readIris reads a table with a header; columns are scaled to mean 0 and
// standard deviation 1.
func readIris(file string) (*dataset, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%w: name the file of Fisher's irises by -data", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	d := &dataset{}
	for i, row := range rows[min(1, len(rows)):] {
		var x [4]float32
		label, ok := species[row[len(row)-1]]
		if len(row) != 5 || !ok {
			return nil, fmt.Errorf("%s:%d: %q, want four numbers and a species", file, i+2, row)
		}
		for j := range x {
			v, err := strconv.ParseFloat(row[j], 32)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, i+2, err)
			}
			x[j] = float32(v)
		}
		d.x, d.label = append(d.x, x), append(d.label, label)
	}
	if len(d.x) <= 30 {
		return nil, fmt.Errorf("%s: %d examples, want more than 30", file, len(d.x))
	}
	d.standardize()
	return d, nil
}

func (d *dataset) standardize() {
	n := float64(len(d.x))
	for j := range 4 {
		sum, squares := 0.0, 0.0
		for _, x := range d.x {
			sum += float64(x[j])
			squares += float64(x[j]) * float64(x[j])
		}
		mean := sum / n
		dev := math.Sqrt(squares/n - mean*mean)
		for i := range d.x {
			d.x[i][j] = float32((float64(d.x[i][j]) - mean) / dev)
		}
	}
}

// split shuffles and holds back the given number of examples.
func (d *dataset) split(rng *rand.Rand, held int) (train, test samples) {
	order := rng.Perm(len(d.x))
	return d.pick(order[held:]), d.pick(order[:held])
}

func (d *dataset) pick(rows []int) samples {
	var x []float32
	var label []int64
	for _, i := range rows {
		x, label = append(x, d.x[i][:]...), append(label, d.label[i])
	}
	return samples{tensor.FromSlice(x, len(rows), 4), tensor.FromSlice(label)}
}
