package main

import (
	"io"
	"os"
	"testing"
)

func TestLearns(t *testing.T) {
	const file = "../../../shared/corpora/data/penguins/penguins.csv"
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no data: %v", err)
	}
	acc, err := learn(file, 200, 1, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if acc < 0.95 {
		t.Errorf("accuracy %.3f, want 0.95", acc)
	}
}
