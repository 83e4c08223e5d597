package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

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

// trained trains and returns the whole state as a checkpoint has it.
func trained(t *testing.T, o options) []byte {
	t.Helper()
	o.data, o.out, o.seed = dataDir, io.Discard, 1
	o.checkpoint = filepath.Join(t.TempDir(), "state.safetensors")
	if _, _, err := fit(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	state, err := os.ReadFile(o.checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestSameBits trains by one thread, by two and five, and with a stop in between:
// parameters and optimizer state are the same to the bit. TCC_STEPS says how many
// steps.
func TestSameBits(t *testing.T) {
	needs(t)
	steps := 6
	if n, err := strconv.Atoi(os.Getenv("TCC_STEPS")); err == nil {
		steps = n
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := trained(t, options{steps: steps})
	for _, threads := range []int{2, 5} {
		runtime.GOMAXPROCS(threads)
		if !bytes.Equal(one, trained(t, options{steps: steps})) {
			t.Errorf("%d threads differ from one", threads)
		}
	}
	file := filepath.Join(t.TempDir(), "half.safetensors")
	half := trained(t, options{steps: steps, stopAfter: steps / 2})
	if err := os.WriteFile(file, half, 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, trained(t, options{steps: steps, resume: file})) {
		t.Error("a run that was resumed differs")
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
