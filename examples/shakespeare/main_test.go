package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor/native"
)

const dataFile = "../../../shared/corpora/data/tinyshakespeare/input.txt"

func needs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles three programs")
	}
	if _, err := os.Stat(dataFile); err != nil {
		t.Skipf("no data: %v", err)
	}
	if err := native.Use(); err != nil {
		t.Skip(err)
	}
}

// result is what a run ends with.
type result struct {
	loss  float64
	text  string
	state []byte // as a checkpoint has it
}

func run(t *testing.T, o options) *result {
	t.Helper()
	o.data, o.out, o.seed = dataFile, io.Discard, 1
	o.checkpoint = filepath.Join(t.TempDir(), "state.safetensors")
	r := &result{}
	var err error
	if r.loss, r.text, err = fit(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if r.state, err = os.ReadFile(o.checkpoint); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSameBits trains by one thread, by two and five, and with a stop in between:
// parameters and optimizer state, the loss and the text are the same to the bit.
// TCC_STEPS says how many steps.
func TestSameBits(t *testing.T) {
	needs(t)
	const write = 40
	steps := 6
	if n, err := strconv.Atoi(os.Getenv("TCC_STEPS")); err == nil {
		steps = n
	}
	o := options{steps: steps, every: steps, write: write}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := run(t, o)
	same := func(what string, got *result) {
		t.Helper()
		if got.loss != one.loss || got.text != one.text || !bytes.Equal(got.state, one.state) {
			t.Errorf("%s: loss %v and %q, by one thread %v and %q; the same state: %v", what, got.loss,
				got.text, one.loss, one.text, bytes.Equal(got.state, one.state))
		}
	}
	for _, threads := range []int{2, 5} {
		runtime.GOMAXPROCS(threads)
		same(strconv.Itoa(threads)+" threads", run(t, o))
	}
	half := o
	half.stopAfter = steps / 2
	o.resume = filepath.Join(t.TempDir(), "half.safetensors")
	if err := os.WriteFile(o.resume, run(t, half).state, 0o600); err != nil {
		t.Fatal(err)
	}
	same("a resumed run", run(t, o))
	if len(one.text) != write {
		t.Errorf("%d characters, want %d", len(one.text), write)
	}
}

// TestLearns trains to the end if asked to; it takes several minutes.
func TestLearns(t *testing.T) {
	if os.Getenv("TCC_TRAIN") == "" {
		t.Skip("a whole training: set TCC_TRAIN=1")
	}
	needs(t)
	if r := run(t, options{steps: 1500, every: 1500}); r.loss > 1.9 {
		t.Errorf("validation loss %.3f, want 1.9", r.loss)
	}
}
