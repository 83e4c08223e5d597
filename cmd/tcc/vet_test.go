package main

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/gosrc/gosrctest"
)

var vetLine = regexp.MustCompile(`^(\S+\.go):(\d+):\d+: (.*?)( \((\S+), (\S+\.go):(\d+)\))?$`)

// TestVetAgrees compares what go vet says of functions whose faults show in helpers of other
// packages with what tcc gen says of them: everything that is reported stops gen, with the same
// words, at the same place. Of functions without a fault it says nothing.
func TestVetAgrees(t *testing.T) {
	files := map[string][]byte{}
	root := os.DirFS("../../frontend/gosrc/analyzer/testdata/src")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".go" {
			files[name], err = fs.ReadFile(root, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir, env := gosrctest.Module(t, "../..", files), withTCC(t)
	for _, c := range []struct {
		pkg    string
		faults int
	}{{"./c", strings.Count(string(files["c/c.go"]), "// want `")}, {"./d", 0}} {
		args := vetArgs(env)
		args[len(args)-1] = c.pkg
		said, err := tool(t, dir, env, "go", args...)
		if (err != nil) != (c.faults > 0) {
			t.Errorf("go vet %s: %v:\n%s", c.pkg, err, said)
		}
		var gen string
		if c.faults > 0 {
			if gen, err = tool(t, dir, env, "tcc", "gen", c.pkg); err == nil {
				t.Errorf("tcc gen %s finds nothing", c.pkg)
			}
		}
		n := 0
		for line := range strings.Lines(said) {
			m := vetLine.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				continue
			}
			n++
			at := m[1] + ":" + m[2]
			if m[4] != "" { // the place in the helper
				at = path.Join(path.Base(m[5]), m[6]) + ":" + m[7]
			}
			if want := at + ": " + m[3] + "\n"; !strings.Contains(gen, want) {
				t.Errorf("go vet says %stcc gen does not say %sbut\n%s", line, want, gen)
			}
		}
		if n != c.faults {
			t.Errorf("go vet %s: %d faults, want %d:\n%s", c.pkg, n, c.faults, said)
		}
	}
}
