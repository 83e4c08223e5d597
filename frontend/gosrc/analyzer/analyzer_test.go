package analyzer_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/tensorcc/tcc/frontend/gosrc/analyzer"
	"github.com/tensorcc/tcc/frontend/gosrc/gosrctest"
)

// TestAnalyzer runs on packages with comments that say what is reported; the
// suggested fixes give a.go.golden.
func TestAnalyzer(t *testing.T) {
	dir := module(t)
	analysistest.RunWithSuggestedFixes(t, dir, analyzer.Analyzer, "./a", "./b")
}

// module is one with the sources: analysistest loads them as a user's.
func module(t *testing.T) string {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"a/a.go", "a/a.go.golden", "b/b.go"} {
		text, err := os.ReadFile(filepath.Join("testdata", "src", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	return gosrctest.Module(t, "../../..", files)
}
