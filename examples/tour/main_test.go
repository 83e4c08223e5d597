package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestTour compares what is printed, but for line numbers, with the text kept
// in testdata; TCC_UPDATE=1 rewrites it.
func TestTour(t *testing.T) {
	defer tensor.SetEvaluator(tensor.SetEvaluator(tensor.Interpreter()))
	var b strings.Builder
	// What NumPy writes of the array that the tour has changed.
	changed, err := os.ReadFile("testdata/changed.npy")
	if err != nil {
		t.Fatal(err)
	}
	saved := func(path string) error {
		got, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(got, changed) {
			t.Error("the file is not the one that NumPy writes")
		}
		return err
	}
	if err := run(&tour{out: &b, saved: saved}); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`main\.go:\d+`).ReplaceAllString(b.String(), "main.go:LINE")
	const file = "testdata/tour.txt"
	if os.Getenv("TCC_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
