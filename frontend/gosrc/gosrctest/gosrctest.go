// Package gosrctest makes modules of users for tests: modules outside this one
// that require it. Only tests import it.
package gosrctest

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"
)

// Name is the path of the modules.
const Name = "example.com/m"

// Archive writes the files of a txtar archive as a module that requires the
// checkout at root, and returns its folder.
func Archive(t testing.TB, root, archive string) string {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range a.Files {
		files[f.Name] = f.Data
	}
	return Module(t, root, files)
}

// Module writes files, by their slash-separated paths, as a module that requires
// the checkout at root, and returns its folder.
func Module(t testing.TB, root string, files map[string][]byte) string {
	t.Helper()
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(abs, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, text []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		write(name, text)
	}
	write("go.sum", sum)
	write("go.mod", []byte("module "+Name+"\n\ngo 1.26\n\nrequire github.com/tensorcc/tcc v0.0.0\n\n"+
		"require golang.org/x/sys v0.46.0\n\nreplace github.com/tensorcc/tcc => "+abs+"\n"))
	return dir
}
