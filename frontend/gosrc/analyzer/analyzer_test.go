package analyzer_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/tensorcc/tcc/frontend/gosrc/analyzer"
)

// TestAnalyzer runs on packages with comments that say what is reported; the
// suggested fixes give a.go.golden.
func TestAnalyzer(t *testing.T) {
	dir := module(t)
	analysistest.RunWithSuggestedFixes(t, dir, analyzer.Analyzer, "./a", "./b")
}

// module copies the sources into a module that requires this one: analysistest
// loads them as a user's.
func module(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/src")); err != nil {
		t.Fatal(err)
	}
	mod := "module example.com/m\n\ngo 1.26\n\nrequire github.com/tensorcc/tcc v0.0.0\n\n" +
		"require golang.org/x/sys v0.46.0\n\nreplace github.com/tensorcc/tcc => " + root + "\n"
	for name, text := range map[string]string{"go.mod": mod, "go.sum": string(sum)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
