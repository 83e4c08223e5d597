package main

import (
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
	if err := run(&b); err != nil {
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
