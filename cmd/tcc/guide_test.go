package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/llvm"
)

// TestGuide does what docs/guide.md says, in an empty folder: it writes its
// files, runs its commands, and compares what they print. The module comes from
// this checkout, the data from the corpora, and there are fewer steps.
func TestGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a network")
	}
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(root, "../shared/corpora/data/mnist")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("no data: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs/guide.md"))
	if err != nil {
		t.Fatal(err)
	}
	g := &guide{t: t, root: root, dir: t.TempDir(), data: data}
	files, commands := 0, 0
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		if m[2] == "go" {
			g.write(m[1], m[3])
			files++
		} else {
			commands += g.console(m[3])
		}
	}
	if files != 4 || commands != 10 {
		t.Errorf("%d files and %d commands: is the form of the page another?", files, commands)
	}
}

// fence finds a block of code; of one of Go, the name of the file ends the line
// before it.
var fence = regexp.MustCompile("(?:`([^`\n]+)`:\n\n)?```(go|console)\n((?s:.*?))```")

type guide struct {
	t               *testing.T
	root, dir, data string
}

func (g *guide) write(file, text string) {
	g.t.Helper()
	if file == "" {
		g.t.Fatalf("a file without a name:\n%s", text)
	}
	path := filepath.Join(g.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		g.t.Fatal(err)
	}
}

// console runs the commands of a block and returns how many there are.
func (g *guide) console(block string) int {
	blocks := strings.Split("\n"+block, "\n$ ")[1:]
	for _, b := range blocks {
		command, want, _ := strings.Cut(b, "\n")
		out := g.run(command)
		if want = strings.TrimSpace(want); want == "" {
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), `\.\.\.`, `(?s:.*)`)
		if !regexp.MustCompile(pattern).MatchString(out) {
			g.t.Errorf("$ %s\n%s\nwant\n%s", command, out, want)
		}
	}
	return len(blocks)
}

// run runs a command of the page, as it works without a network.
func (g *guide) run(command string) string {
	g.t.Helper()
	switch {
	case command == "mkdir digits && cd digits":
		command = "ln -s " + g.data + " data"
	case command == "go get github.com/tensorcc/tcc":
		command = "go mod edit -require=github.com/tensorcc/tcc@v0.0.0 " +
			"-replace=github.com/tensorcc/tcc=" + g.root + " && cp " + g.root + "/go.sum ."
	case command == "go install github.com/tensorcc/tcc/cmd/tcc":
		command = "go build -o bin/tcc github.com/tensorcc/tcc/cmd/tcc"
	case command == "go run ./train":
		command = "go run ./train -steps 100"
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off",
		"PATH="+filepath.Join(g.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("$ %s\n%s%v", command, out, err)
	}
	return string(out)
}
