package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLevels(t *testing.T) {
	for _, c := range []struct {
		flag, arch string
		want       []string
		err        string
	}{
		{flag: "all", want: []string{"amx", "avx512-bf16", "avx512-vnni", "x86-64-v4", "x86-64-v3", "arm64"}},
		{flag: "all", arch: "amd64", want: []string{"amx", "avx512-bf16", "avx512-vnni", "x86-64-v4", "x86-64-v3"}},
		{flag: "all", arch: "arm64", want: []string{"arm64"}},
		{flag: "all", arch: "riscv64"},
		{flag: "x86-64-v3", arch: "amd64", want: []string{"x86-64-v3"}},
		{flag: "x86-64-v3,arm64,x86-64-v3", want: []string{"x86-64-v3", "arm64"}},
		{flag: "generic"},
		{flag: "x86-64-v3", arch: "arm64", err: "is of GOARCH=amd64"},
		{flag: "pentium", err: `level "pentium"`},
		{flag: "native", arch: "riscv64", err: "-cpu native"},
	} {
		got, err := parseLevels(c.flag, c.arch)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s %s: %v, wanted %q", c.flag, c.arch, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.flag, c.arch, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s %s: %s", c.flag, c.arch, d)
		}
	}
}

func TestParseRanges(t *testing.T) {
	d, err := parseRanges([]string{"N=4", "M=1..64", "a b=7"})
	if err != nil {
		t.Fatal(err)
	}
	want := &dimFlags{fixed: map[string]int64{"N": 4, "a_b": 7}, ranges: []dimRange{{"M", 1, 64}}}
	if s := cmp.Diff(want, d, cmp.AllowUnexported(dimFlags{}, dimRange{})); s != "" {
		t.Error(s)
	}
	for _, bad := range []string{"N", "N=", "N=x", "N=-1", "N=4..", "N=4..2", "N=1..2x", "N=4x", "N=..4"} {
		if _, err := parseRanges([]string{bad}); err == nil {
			t.Errorf("-dim %s: no error", bad)
		}
	}
}

const doubling = `graph double
	v0 = param <f32[N]> {x}
	v1 = add <f32[N]> v0 v0
	return y=v1
`

func TestBuildErrors(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "double.tir")
	if err := os.WriteFile(model, []byte(doubling), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want int
	}{
		{"build", exitUsage},
		{"build none.onnx", exitUsage},
		{"build MODEL -buildmode c-shared -weights beside", exitUsage},
		{"build MODEL -buildmode plugin", exitUsage},
		{"build MODEL -target cuda:sm_80", exitFail},
		{"build MODEL -cpu pentium", exitUsage},
		{"build MODEL -dim M=4 -cpu generic -o DIR/x", exitUsage},
		{"build MODEL -cpu generic -o DIR", exitUsage},
		{"gen", exitUsage},
		{"gen -model MODEL -pkg main", exitUsage},
		{"gen -model MODEL -o DIR/p", exitUsage}, // in no module
		{"gen -model MODEL -runtime share", exitUsage},
		{"gen -model MODEL -weights apart", exitUsage},
	} {
		args := strings.NewReplacer("MODEL", model, "DIR", dir).Replace(c.args)
		if got := run(append([]string{"tcc"}, strings.Fields(args)...)); got != c.want {
			t.Errorf("tcc %s: exit status %d, wanted %d", c.args, got, c.want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestGen writes a package of Go alone, with bounded extents.
func TestGen(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"double.tir": doubling, "go.mod": "module example.com/m\n\ngo 1.25\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"tcc", "gen", "-model", filepath.Join(dir, "double.tir"), "-cpu", "generic", "-dim", "N=3..9",
		"-o", filepath.Join(dir, "internal", "double")}
	if got := run(args); got != exitOK {
		t.Fatalf("tcc gen: exit status %d", got)
	}
	pkg := filepath.Join(dir, "internal", "double")
	for file, want := range map[string]string{
		"model.go":           "package double",
		"program.go":         `"compiled for N from 3 to 9"`,
		"example_test.go":    `"example.com/m/internal/double"`,
		"internal/rt/doc.go": "package rt",
	} {
		text, err := os.ReadFile(filepath.Join(pkg, filepath.FromSlash(file)))
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(text), want) {
			t.Errorf("%s: wanted %q in\n%s", file, want, text)
		}
	}
}
