package cache

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestProgram names two builds of a program, with a store that remembers names and without one.
func TestProgram(t *testing.T) {
	if _, err := Program(); err != nil {
		t.Error(err)
	}
	path, old := filepath.Join(t.TempDir(), "p"), time.Now().Add(-time.Hour)
	for _, s := range []*Store{nil, testStore(t, "")} {
		var names []Key
		for i, text := range []string{"first", "first", "other", "third!"} {
			if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
			at := old.Add(time.Duration(i/2) * time.Second)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				k, err := program(path, s)
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, k)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		for i, k := range names {
			if same := i < 4; same != (k == names[0]) || i%2 == 1 && k != names[i-1] {
				t.Errorf("build %d of the program: %x, the first %x", i/2, k, names[0])
			}
		}
	}
	if err := os.WriteFile(path, []byte("new"), 0o700); err != nil {
		t.Fatal(err)
	}
	after := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, after, after); err != nil {
		t.Fatal(err)
	}
	if _, err := program(path, nil); err == nil {
		t.Error("a file that is newer than this process has a name")
	}
}
