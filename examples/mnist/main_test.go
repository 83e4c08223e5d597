package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/frontend/tensor"
)

const dataDir = "../../../shared/corpora/data/mnist"

func needs(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(dataDir); err != nil {
		t.Skipf("no data: %v", err)
	}
	if err := use("native"); err != nil {
		t.Skip(err)
	}
}

// weights trains and returns all parameters.
func weights(t *testing.T, o options) [][]float32 {
	t.Helper()
	o.data, o.out, o.seed = dataDir, io.Discard, 1
	m, _, err := fit(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := tensor.Fields(m)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, f := range fields {
		data, err := tensor.Data[float32](*f.T)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// TestSameBits trains a few steps by one thread, by three, and with a stop in
// between: the weights are the same to the bit.
func TestSameBits(t *testing.T) {
	needs(t)
	const steps = 6
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := weights(t, options{steps: steps})
	runtime.GOMAXPROCS(3)
	if diff := cmp.Diff(one, weights(t, options{steps: steps})); diff != "" {
		t.Errorf("three threads differ from one:\n%.500s", diff)
	}
	file := filepath.Join(t.TempDir(), "state.safetensors")
	weights(t, options{steps: steps, stopAfter: 4, checkpoint: file})
	if diff := cmp.Diff(one, weights(t, options{steps: steps, resume: file})); diff != "" {
		t.Errorf("a run that was resumed differs:\n%.500s", diff)
	}
}

// TestStop has a run that is stopped: it saves and says so.
func TestStop(t *testing.T) {
	needs(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	file := filepath.Join(t.TempDir(), "state.safetensors")
	_, _, err := fit(ctx, options{data: dataDir, steps: 3, seed: 1, checkpoint: file})
	if !errors.Is(err, train.ErrStopped) {
		t.Errorf("error %v, want %v", err, train.ErrStopped)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// TestStepAllocatesNothing measures steps of the whole training.
func TestStepAllocatesNothing(t *testing.T) {
	needs(t)
	s, _, err := begin(options{seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	run, err := tensor.NewStep(step(10), s, newBatch(batchSize).tensors())
	if err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(5, func() {
		if err := run.Run(); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

// TestAccuracy trains to the end; it takes a minute.
func TestAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training")
	}
	needs(t)
	_, acc, err := fit(context.Background(), options{data: dataDir, steps: defaultSteps, seed: 1,
		out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("accuracy %.4f", acc)
	if acc < 0.983 {
		t.Errorf("accuracy %.4f on the test images, want 0.983", acc)
	}
}
