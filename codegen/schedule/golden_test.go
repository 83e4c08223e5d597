package schedule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/codegen/kernel"
)

// TestGolden compares schedules with testdata: each file has a naive kernel, a
// line of dashes with the target, and the schedule. TCC_UPDATE=1 rewrites the
// schedules.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, rest, ok := strings.Cut(string(data), "-- ")
		name, want, ok2 := strings.Cut(rest, " --\n")
		if !ok || !ok2 {
			t.Errorf("%s: want a line -- TARGET --", file)
			continue
		}
		k, err := kernel.Parse(in)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		out, err := Schedule(k, Targets[name])
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got := out.String()
		if os.Getenv("TCC_UPDATE") != "" {
			if err := os.WriteFile(file, []byte(in+"-- "+name+" --\n"+got), 0o666); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}
