package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"

	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/frontend/tensor"
)

const side, pixels = 28, 28 * 28

// digits are images of bytes and what they show.
type digits struct {
	n      int
	images []byte
	labels []byte
}

func readDigits(dir, part string) (*digits, error) {
	dims, images, err := train.ReadIDX(filepath.Join(dir, part+"-images-idx3-ubyte.gz"))
	if err != nil {
		return nil, fmt.Errorf("%w: name the folder of MNIST's files by -data", err)
	}
	_, labels, err := train.ReadIDX(filepath.Join(dir, part+"-labels-idx1-ubyte.gz"))
	if err != nil {
		return nil, err
	}
	if len(dims) != 3 || dims[1] != side || dims[2] != side || dims[0] != len(labels) {
		return nil, fmt.Errorf("%s: images %v and %d labels, want images of %d by %d pixels", dir, dims,
			len(labels), side, side)
	}
	return &digits{n: dims[0], images: images, labels: labels}, nil
}

// batch is the memory of a batch's tensors.
type batch struct {
	x     []float32
	label []int64
}

func newBatch(n int) *batch {
	return &batch{x: make([]float32, n*pixels), label: make([]int64, n)}
}

func (b *batch) tensors() Batch {
	return Batch{tensor.FromSlice(b.x, len(b.label), 1, side, side), tensor.FromSlice(b.label)}
}

func (b *batch) copyFrom(o *batch) {
	copy(b.x, o.x)
	copy(b.label, o.label)
}

// plain writes the first images to b as they are.
func (d *digits) plain(b *batch) {
	for i := range b.label {
		b.label[i] = int64(d.labels[i])
		for p := range pixels {
			b.x[i*pixels+p] = float32(d.images[i*pixels+p]) / 255
		}
	}
}

// augmented writes the images of the given numbers to b, each a little turned,
// scaled and moved.
func (d *digits) augmented(rng *rand.Rand, pick []int, b *batch) {
	for i, k := range pick {
		b.label[i] = int64(d.labels[k])
		angle, scale := 0.2*rng.NormFloat64()/2, math.Exp(0.1*rng.NormFloat64()/1.5)
		dx, dy := 2*(2*rng.Float64()-1), 2*(2*rng.Float64()-1)
		sin, cos := math.Sincos(angle)
		warp(d.images[k*pixels:][:pixels], b.x[i*pixels:][:pixels],
			[6]float64{cos / scale, sin / scale, dx, -sin / scale, cos / scale, dy})
	}
}

// warp samples src, between its pixels, at the places that the affine map m
// gives for those of dst, about the middle.
func warp(src []byte, dst []float32, m [6]float64) {
	const middle = (side - 1) / 2.0
	at := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= side || y >= side {
			return 0
		}
		return float64(src[y*side+x])
	}
	for p := range dst {
		u, v := float64(p%side)-middle, float64(p/side)-middle
		x, y := m[0]*u+m[1]*v+m[2]+middle, m[3]*u+m[4]*v+m[5]+middle
		fx, fy := math.Floor(x), math.Floor(y)
		i, j, a, c := int(fx), int(fy), x-fx, y-fy
		top := at(i, j)*(1-a) + at(i+1, j)*a
		bottom := at(i, j+1)*(1-a) + at(i+1, j+1)*a
		dst[p] = float32((top*(1-c) + bottom*c) / 255)
	}
}
