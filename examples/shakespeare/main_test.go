package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
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

func run(t *testing.T, o options) (float64, string) {
	t.Helper()
	o.data, o.out, o.seed = dataFile, io.Discard, 1
	loss, text, err := fit(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return loss, text
}

// TestResume stops and goes on: the loss and the text are the same.
func TestResume(t *testing.T) {
	needs(t)
	const steps, write = 12, 40
	loss, text := run(t, options{steps: steps, every: steps, write: write})
	file := filepath.Join(t.TempDir(), "state.safetensors")
	run(t, options{steps: steps, stopAfter: 5, every: steps, checkpoint: file})
	loss2, text2 := run(t, options{steps: steps, every: steps, write: write, resume: file})
	if loss != loss2 || text != text2 {
		t.Errorf("loss %v and %q, after a resume %v and %q", loss, text, loss2, text2)
	}
	if len(text) != write {
		t.Errorf("%d characters, want %d", len(text), write)
	}
}

// TestLearns trains to the end if asked to; it takes several minutes.
func TestLearns(t *testing.T) {
	if os.Getenv("TCC_TRAIN") == "" {
		t.Skip("a whole training: set TCC_TRAIN=1")
	}
	needs(t)
	if loss, _ := run(t, options{steps: 1500, every: 1500}); loss > 1.9 {
		t.Errorf("validation loss %.3f, want 1.9", loss)
	}
}
