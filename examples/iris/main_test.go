package main

import (
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestTraining trains twice by each back end: nearly all irises held back are
// told right, and both runs give the same bits.
func TestTraining(t *testing.T) {
	for _, backend := range []string{"interp", "native"} {
		t.Run(backend, func(t *testing.T) {
			if err := use(backend); err != nil {
				t.Skip(err)
			}
			testTraining(t)
		})
	}
}

func testTraining(t *testing.T) {
	const file = "../../../shared/corpora/data/iris/iris.csv"
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no data: %v", err)
	}
	d, err := readIris(file)
	if err != nil {
		t.Fatal(err)
	}
	var weights [2][][]float32
	for i := range weights {
		r, err := learn(d, 300, 1, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if r.Accuracy < 0.95 {
			t.Errorf("accuracy %.3f, want at least 0.95", r.Accuracy)
		}
		for _, p := range []tensor.Tensor{r.Params.W1, r.Params.B1, r.Params.W2, r.Params.B2} {
			weights[i] = append(weights[i], tensor.MustData[float32](p))
		}
	}
	if diff := cmp.Diff(weights[0], weights[1]); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}
