package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/runtime"
)

// The model that examples/mnist has trained and exported, and handwriting that
// it has not seen.
const (
	digitsModel = "testdata/digits/digits.onnx"
	handwriting = "../shared/corpora/data/mnist/test-images-idx3-ubyte.gz"
)

// readDigits compiles the model and shows it a few images.
func (d *demo) readDigits() error {
	exe, err := d.build(digitsModel, "digits")
	if err != nil {
		return err
	}
	const n, side = 6, 28
	dims, images, err := train.ReadIDX(handwriting)
	if err != nil {
		return err
	}
	if len(dims) != 3 || dims[0] < n || dims[1] != side || dims[2] != side {
		return fmt.Errorf("%s: images %v", handwriting, dims)
	}
	x := make([]float32, n*side*side)
	for i := range x {
		x[i] = float32(images[i]) / 255
	}
	in := map[string]*runtime.Tensor{"image": runtime.MustFrom(x, n, 1, side, side)}
	probs, err := d.call(exe, in, "Probs", true)
	if err != nil {
		return err
	}
	fmt.Println("\n./digits, handwriting and what it reads:")
	for y := 3; y < side-3; y += 2 {
		var line strings.Builder
		for i := range n {
			for c := 3; c < side-3; c++ {
				v := max(x[i*side*side+y*side+c], x[i*side*side+(y+1)*side+c])
				line.WriteByte(" .:+#"[int(v*4.99)])
			}
		}
		fmt.Println(line.String())
	}
	for i := range n {
		best := 0
		for k := range 10 {
			if runtime.At[float32](probs, i, k) > runtime.At[float32](probs, i, best) {
				best = k
			}
		}
		fmt.Printf("%11d %3.0f %%     ", best, 100*runtime.At[float32](probs, i, best))
	}
	fmt.Println()
	return nil
}

// hasDigits reports whether the handwriting is there.
func hasDigits() bool {
	found, err := filepath.Glob(handwriting)
	return err == nil && len(found) == 1
}
