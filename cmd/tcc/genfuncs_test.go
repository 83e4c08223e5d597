package main

import (
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/gopkg"
	"github.com/tensorcc/tcc/frontend/gosrc/gosrctest"
)

// asTCC makes the test binary tcc itself: go generate and go vet start it.
const asTCC = "TCC_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asTCC) != "" {
		main()
	}
	os.Exit(m.Run())
}

// tool runs a command in dir, found by the PATH of env, and returns what it
// printed.
func tool(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	for _, e := range env {
		if list, ok := strings.CutPrefix(e, "PATH="); ok && filepath.Base(name) == name {
			name = filepath.Join(filepath.SplitList(list)[0], name)
			if _, err := os.Stat(name); err != nil {
				name = filepath.Base(name)
			}
		}
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// mustTool is tool for what has to succeed.
func mustTool(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := tool(t, dir, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// withTCC is an environment in which tcc is this binary.
func withTCC(t *testing.T) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(exe, filepath.Join(bin, "tcc")); err != nil {
		t.Skip(err)
	}
	return []string{asTCC + "=1", "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}
}

// withoutLLVM is an environment whose PATH has Go alone.
func withoutLLVM(t *testing.T) []string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command on PATH")
	}
	bin := t.TempDir()
	if err := os.Symlink(goTool, filepath.Join(bin, "go")); err != nil {
		t.Skip(err)
	}
	return []string{"PATH=" + bin, "TCC_LLVM=", "CGO_ENABLED=0"}
}

// TestUserModule is what a user does: go generate, then go build on a machine
// without LLVM, and the program has the right values.
func TestUserModule(t *testing.T) {
	needLLVM(t)
	dir := gosrctest.Archive(t, "../..", "testdata/funcs.txtar")
	env := withTCC(t)
	mustTool(t, dir, env, "go", "generate", "./...")
	plain := withoutLLVM(t)
	mustTool(t, dir, plain, "go", "build", "-o", "m.exe", ".")
	if out := mustTool(t, dir, plain, filepath.Join(dir, "m.exe")); out != "values agree\n" {
		t.Errorf("the program says %q", out)
	}
	if !testing.Short() {
		mustTool(t, dir, env, "tcc", "gen", "-check", "./models")
		mustTool(t, dir, env, "go", vetArgs(env)...)
		mustTool(t, dir, plain, "go", "test", "./...")
		mustTool(t, dir, append(plain, "GOARCH=arm64"), "go", "vet", "./...")
	}
	deps := mustTool(t, dir, plain, "go", "list", "-deps", ".")
	if strings.Contains(deps, gopkg.Module+"/codegen") {
		t.Errorf("the program links code generation:\n%s", deps)
	}
	plantError(t, dir, env)
}

// TestUserStep trains by a compiled step on a machine without LLVM and cgo, with
// its best kernels and with those in Go that every machine has.
func TestUserStep(t *testing.T) {
	needLLVM(t)
	dir := gosrctest.Archive(t, "../..", "testdata/step.txtar")
	plain := withoutLLVM(t)
	for _, cpu := range []string{"native", "generic"} {
		mustTool(t, dir, withTCC(t), "tcc", "gen", "-cpu", cpu, "./models")
		if n := inPlace(t, filepath.Join(dir, "models", "internal", "tcc", "step")); n != 13 {
			t.Errorf("%d results are in place, want 13: four parameters, their means, a counter", n)
		}
		mustTool(t, dir, plain, "go", "build", "-o", "m.exe", ".")
		if out := mustTool(t, dir, plain, filepath.Join(dir, "m.exe")); out != "learned\n" {
			t.Errorf("%s: the program says %q", cpu, out)
		}
	}
}

// inPlace counts the results in the memory of inputs in a generated package.
func inPlace(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(text), "InPlace: ")
	}
	return n
}

// TestUserOptimizer trains by losses with an optimizer=, without LLVM and cgo, with
// machine code and with kernels in Go, and, where it can be run, on arm64.
func TestUserOptimizer(t *testing.T) {
	needLLVM(t)
	data, err := filepath.Abs("../../../shared/corpora/data/iris/iris.csv")
	if _, statErr := os.Stat(data); err != nil || statErr != nil {
		t.Skipf("no data: %v", statErr)
	}
	dir := gosrctest.Archive(t, "../..", "testdata/optimizer.txtar")
	env, plain := withTCC(t), withoutLLVM(t)
	mustTool(t, dir, env, "tcc", "gen", "./models")
	if n := inPlace(t, filepath.Join(dir, "models", "internal", "tcc", "train")); n != 13 {
		t.Errorf("%d results of Train are in place, want 13", n)
	}
	mustTool(t, dir, plain, "go", "vet", "./...")
	mustTool(t, dir, plain, "go", "test", "./...")
	learns := func(env []string, args ...string) {
		t.Helper()
		exe := filepath.Join(dir, "m.exe")
		mustTool(t, dir, env, "go", append(args, "-o", exe, ".")...)
		run := []string{exe, data}
		if slices.Contains(env, "GOARCH=arm64") && goruntime.GOARCH != "arm64" {
			qemu, err := exec.LookPath("qemu-aarch64")
			if err != nil {
				t.Logf("not run on arm64: %v", err)
				return
			}
			run = append([]string{qemu}, run...)
		}
		if out := mustTool(t, dir, env, run[0], run[1:]...); out != "learned\n" {
			t.Errorf("%v: the program says %q", args, out)
		}
	}
	learns(plain, "build")
	learns(plain, "build", "-tags", "purego")
	if !testing.Short() {
		learns(append(slices.Clone(plain), "GOARCH=arm64"), "build")
	}
}

// vetArgs are go vet with tcc of an environment as its tool.
func vetArgs(env []string) []string {
	path := strings.TrimPrefix(env[len(env)-1], "PATH=")
	return []string{"vet", "-vettool=" + filepath.Join(filepath.SplitList(path)[0], "tcc"), "./..."}
}

// TestFunctionForms generates all forms of functions, beside them and apart, and
// runs the tests that come with them.
func TestFunctionForms(t *testing.T) {
	if testing.Short() {
		t.Skip("long: many functions for all levels")
	}
	needLLVM(t)
	dir := gosrctest.Archive(t, "../..", "../../frontend/gosrc/testdata/forms.txtar")
	env := withTCC(t)
	mustTool(t, dir, env, "tcc", "gen", "./...")
	mustTool(t, dir, env, "tcc", "gen", "-o", "apart", "./forms")
	plain := withoutLLVM(t)
	mustTool(t, dir, plain, "go", "vet", "./...")
	mustTool(t, dir, plain, "go", "test", "./...")
	mustTool(t, dir, plain, "go", "run", "./cmd")
	if deps := mustTool(t, dir, plain, "go", "list", "-deps", "./apart"); strings.Contains(deps, gopkg.Module) {
		t.Errorf("a package apart depends on tcc:\n%s", deps)
	}
}

// TestRuntimeBeside puts a copy of the runtime beside functions: before it is there, and again.
func TestRuntimeBeside(t *testing.T) {
	dir := gosrctest.Module(t, "../..", map[string][]byte{"f.go": []byte("package f\n\n" +
		"import \"github.com/tensorcc/tcc/frontend/tensor\"\n\n//tcc:compile x=f32[N]\n" +
		"func Twice(x tensor.Tensor) tensor.Tensor { return x.Add(x) }\n")})
	plain := withoutLLVM(t)
	t.Chdir(dir)
	args := []string{"gen", "-runtime", "copy", "-cpu", "generic"}
	if status, _, stderr := tcc(t, append(args, "-check")...); status != exitFail ||
		!strings.Contains(stderr, "is stale") {
		t.Errorf("before anything is written: exit status %d: %s", status, stderr)
	}
	wantNothing(t, filepath.Join(dir, "rt"))
	for range 2 {
		if status, _, stderr := tcc(t, args...); status != exitOK {
			t.Fatal(stderr)
		}
	}
	mustTool(t, dir, plain, "go", "vet", "./...")
}

// TestGenCheck sees that -check finds what a change has made stale, and writes
// nothing.
func TestGenCheck(t *testing.T) {
	needLLVM(t)
	dir := gosrctest.Module(t, "../..", nil)
	model, out := write(t, "sums.tir", sums), filepath.Join(dir, "sums")
	args := []string{"gen", "-model", model, "-cpu", "generic", "-o", out}
	if status, _, stderr := tcc(t, append(args, "-check")...); status != exitFail {
		t.Errorf("before anything is written: exit status %d: %s", status, stderr)
	}
	if status, _, stderr := tcc(t, args...); status != exitOK {
		t.Fatal(stderr)
	}
	if status, _, stderr := tcc(t, append(args, "-check")...); status != exitOK {
		t.Errorf("after gen: exit status %d: %s", status, stderr)
	}
	old := filepath.Join(out, "kernels_amd64.go")
	if err := os.WriteFile(old, []byte("// Code generated by tcc. DO NOT EDIT.\n\npackage sums\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := tcc(t, append(args, "-check")...)
	if status != exitFail || !strings.Contains(stderr, old+": is stale") {
		t.Errorf("with a file too many: exit status %d: %s", status, stderr)
	}
	if _, err := os.Stat(old); err != nil {
		t.Error("-check removed a file")
	}
}

const (
	plantedLine = "models/models.go:20:"
	plantedText = " MatMul: shapes (N,4) and (8,3) do not fit: " +
		"axis 1 of the first is 4, axis 0 of the second is 8"
	planted = plantedLine + plantedText
)

// plantError makes a shape error in the perceptron.
func plantError(t *testing.T, dir string, env []string) {
	t.Helper()
	path := filepath.Join(dir, "models", "models.go")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(text), "x.MatMul(p.W1)", "x.MatMul(p.W2)", 1)
	if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := tool(t, dir, env, "tcc", "gen", "./models")
	if err == nil || !strings.Contains(out, planted) {
		t.Errorf("tcc gen: %v: wanted %q:\n%s", err, planted, out)
	}
	if out, err = tool(t, dir, env, "go", "generate", "./..."); err == nil ||
		!strings.Contains(out, strings.TrimPrefix(planted, "models/")) {
		t.Errorf("go generate: %v: wanted %q:\n%s", err, planted, out)
	}
	if out, err = tool(t, dir, env, "go", vetArgs(env)...); err == nil ||
		!strings.Contains(out, plantedLine) || !strings.Contains(out, plantedText+"\n") {
		t.Errorf("go vet: %v: wanted %q:\n%s", err, planted, out)
	}
}
