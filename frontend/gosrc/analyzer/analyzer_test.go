package analyzer_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/tensorcc/tcc/frontend/gosrc/analyzer"
	"github.com/tensorcc/tcc/frontend/gosrc/gosrctest"
)

// TestAnalyzer runs on packages with comments that say what is reported; the
// suggested fixes give the golden files. Packages a and b are alone, c and d
// call functions of other packages; nothing is reported of b and d.
func TestAnalyzer(t *testing.T) {
	dir := module(t)
	analysistest.RunWithSuggestedFixes(t, dir, analyzer.Analyzer, "./a", "./b", "./c", "./d")
}

// module is one with the sources: analysistest loads them as a user's.
func module(t *testing.T) string {
	t.Helper()
	files := map[string][]byte{}
	root := os.DirFS(filepath.Join("testdata", "src"))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[name], err = fs.ReadFile(root, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return gosrctest.Module(t, "../../..", files)
}
