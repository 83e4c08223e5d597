package gopkg

import (
	"bytes"
	"context"
	"debug/elf"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// sample is a graph with a dynamic extent, a scalar input, weights, kernels of
// several kinds, names that are no identifiers, and a result of integers.
func sample() *ir.Graph {
	g := ir.NewGraph("sample")
	n := ir.Sym("N")
	op := func(o ir.Op, a ir.Attr, args ...*ir.Value) *ir.Value {
		return g.Must(ir.Pos{Node: "node " + o.String()}, o, a, args...)
	}
	x := g.Param("input:0", ir.T(ir.F32, n, ir.Const(37)), ir.Pos{})
	k := g.Param("sr", ir.T(ir.I64), ir.Pos{})
	data := make([]byte, 37*19*4)
	for i := range data {
		data[i] = byte(i*i>>3) & 0x3f
	}
	w := op(ir.OpConst, &ir.ConstAttr{
		Value: &ir.Literal{DType: ir.F32, Shape: []int64{37, 19}, Data: data}})
	dot := op(ir.OpDot, &ir.DotAttr{LContract: []int{1}, RContract: []int{0}}, x, w)
	across := func(v *ir.Value) *ir.Value {
		return op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: dot.Type.Shape, Axes: []int{0}}, v)
	}
	row := &ir.AxesAttr{Axes: []int{1}}
	e := op(ir.OpExp, nil, op(ir.OpSub, nil, dot, across(op(ir.OpReduceMax, row, dot))))
	soft := op(ir.OpDiv, nil, e, across(op(ir.OpSum, row, e)))
	all := op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: ir.Shape{n}}, k)
	ids := op(ir.OpAdd, nil, op(ir.OpArgMax, &ir.AxisAttr{Axis: 1}, soft), all)
	g.SetResults([]string{"onnx::Soft_1", "0"}, soft, ids)
	return g
}

// compiled compiles sample for all levels, and records two cases.
func compiled(t *testing.T) (*codegen.Artifact, []Case) {
	t.Helper()
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
	g := sample()
	levels := []string{runtime.LevelGeneric}
	for _, t := range llvm.Targets {
		levels = append(levels, t.Level)
	}
	a, err := codegen.Compile(context.Background(), g, codegen.Options{Levels: levels})
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	for _, n := range []int64{5, 64} {
		x := make([]float32, n*37)
		for i := range x {
			x[i] = float32(i%11) - 5
		}
		in := []*runtime.Tensor{runtime.MustFrom(x, int(n), 37), runtime.Scalar(int64(16000))}
		cases = append(cases, Case{in, interpreted(t, g, in)})
	}
	return a, cases
}

func interpreted(t *testing.T, g *ir.Graph, in []*runtime.Tensor) []*runtime.Tensor {
	t.Helper()
	lits := make([]*ir.Literal, len(in))
	for i, x := range in {
		data, err := x.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		lits[i] = &ir.Literal{DType: g.Params[i].Type.DType, Shape: dims64(x.Shape()), Data: data}
	}
	res, err := interpret(g, lits)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*runtime.Tensor, len(res))
	for i, l := range res {
		if out[i], err = runtime.ReadNPY(bytes.NewReader(npy(t, l))); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func dims64(s []int) []int64 {
	out := make([]int64, len(s))
	for i, d := range s {
		out[i] = int64(d)
	}
	return out
}

func samplePackage(t *testing.T, o Options) Files {
	t.Helper()
	a, cases := compiled(t)
	o.Package, o.Name, o.ImportPath, o.Cases = "sample", "sample", "example.com/m/sample", cases
	o.RTol, o.ATol, o.Stamp = 1e-4, 1e-6, "a test"
	f, err := Generate(a, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// module writes files as a package of a new module and returns its folder.
func module(t *testing.T, f Files) string {
	t.Helper()
	dir := t.TempDir()
	m := Files{}
	m.AddModule("example.com/m")
	if err := m.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(filepath.Join(dir, "sample")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// goOnly is an environment whose PATH has Go and nothing of LLVM.
func goOnly(t *testing.T) []string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command on PATH")
	}
	bin := t.TempDir()
	if err := os.Symlink(goTool, filepath.Join(bin, "go")); err != nil {
		t.Skip(err)
	}
	return []string{"PATH=" + bin, "TCC_LLVM="}
}

func TestPackage(t *testing.T) {
	dir := module(t, samplePackage(t, Options{}))
	env := goOnly(t)
	goRun(t, dir, env, "vet", "./...")
	goRun(t, dir, env, "test", "-count=1", "./...")
	goRun(t, dir, env, "test", "-count=1", "-tags", "purego", "./...")
	if testing.Short() {
		return
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Log("race detector not tried: no gcc")
	} else {
		goRun(t, dir, []string{"CGO_ENABLED=1"}, "test", "-race", "-count=1", "./...")
	}
	for _, target := range []string{
		"linux/arm64", "windows/amd64", "darwin/arm64", "linux/riscv64", "js/wasm", "linux/386",
	} {
		goos, arch, _ := strings.Cut(target, "/")
		goRun(t, dir, append(env, "GOOS="+goos, "GOARCH="+arch), "vet", "./...")
	}
}

// TestPackageUnderQemu runs the package's tests on other architectures.
func TestPackageUnderQemu(t *testing.T) {
	if testing.Short() || goruntime.GOOS != "linux" {
		t.Skip("long, and for Linux: qemu-user runs programs of other architectures there")
	}
	for arch, name := range map[string]string{"arm64": "qemu-aarch64", "riscv64": "qemu-riscv64"} {
		qemu, err := exec.LookPath(name)
		if err != nil {
			t.Logf("%s not tried: no %s: install qemu-user", arch, name)
			continue
		}
		goRun(t, module(t, samplePackage(t, Options{})), append(goOnly(t), "GOARCH="+arch),
			"test", "-short", "-exec", qemu, "./...")
	}
}

func TestSharedRuntime(t *testing.T) {
	f := samplePackage(t, Options{Runtime: RuntimePath})
	for name := range f {
		if strings.HasPrefix(name, "internal/") {
			t.Errorf("%s: wanted no copy of the runtime", name)
		}
	}
	dir := module(t, f)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	goRun(t, dir, nil, "mod", "edit", "-require", Module+"@v0.0.0", "-replace", Module+"="+root)
	sum, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644); err != nil {
		t.Fatal(err)
	}
	goRun(t, dir, nil, "test", "-count=1", "./...")
}

func TestWeightsBeside(t *testing.T) {
	f := samplePackage(t, Options{WeightsBeside: true})
	dir := module(t, f)
	goRun(t, dir, nil, "vet", "./...")
	goRun(t, dir, nil, "test", "-count=1", "./...")
	file := filepath.Join(dir, "sample", weightsFile)
	w := bytes.Clone(f[weightsFile])
	w[len(w)-1] ^= 1
	if err := os.WriteFile(file, w, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-count=1", "./...")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if want := "belongs to another build"; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("with the weights of another build: %v: wanted %q:\n%s", err, want, out)
	}
}

func TestDeterministic(t *testing.T) {
	a, b := samplePackage(t, Options{}), samplePackage(t, Options{})
	if !maps.EqualFunc(a, b, bytes.Equal) {
		for _, name := range a.Names() {
			if !bytes.Equal(a[name], b[name]) {
				t.Errorf("%s differs between two generations", name)
			}
		}
		t.Errorf("files %v and %v", a.Names(), b.Names())
	}
}

func TestWriteReplacesItsOwnFilesAlone(t *testing.T) {
	dir := t.TempDir()
	ours := []byte(header + "package p\n")
	first := Files{"model.go": ours, "old.go": ours, "testdata/case1/in_X.npy": {1}}
	if err := first.WriteOwning(dir, PackageOwns); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine.go"), []byte("package p\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	second := Files{"model.go": []byte(header + "package q\n")}
	if err := second.WriteOwning(dir, PackageOwns); err != nil {
		t.Fatal(err)
	}
	o := Options{Name: "p", WeightsBeside: true}
	if err := (Files{weightsFile: {1}}).WriteWeights(filepath.Join(dir, "exe"), o); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, name := range []string{"model.go", o.WeightsName(), "old.go", "mine.go", "testdata/case1/in_X.npy"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			left = append(left, name)
		}
	}
	if want := []string{"model.go", o.WeightsName(), "mine.go"}; !slices.Equal(left, want) {
		t.Errorf("left %v, wanted %v", left, want)
	}
	if err := (Files{"mine.go": []byte(header)}).Write(dir); err == nil {
		t.Error("a file of the user's was replaced")
	}
}

func TestExecutable(t *testing.T) {
	a, cases := compiled(t)
	dir := t.TempDir()
	var builds [2][]byte
	exe := filepath.Join(dir, "sample")
	for i := range builds {
		f, err := Generate(a, Options{Package: "main", Name: "sample", ImportPath: "tccbuild"})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Build(context.Background(), "tccbuild", exe); err != nil {
			t.Fatal(err)
		}
		if builds[i], err = os.ReadFile(exe); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(builds[0], builds[1]) {
		t.Error("two builds differ")
	}
	if bytes.Contains(builds[0], []byte(dir)) || bytes.Contains(builds[0], []byte("tcc-build-")) {
		t.Error("the executable holds paths of its build")
	}
	if f, err := elf.NewFile(bytes.NewReader(builds[0])); err == nil {
		if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
			t.Error("the executable is not static")
		}
	}
	if err := runtime.WriteNPYFile(filepath.Join(dir, "x.npy"), cases[0].Inputs[0]); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-input", "input:0=x.npy", "-input", "sr=16000", "-output-dir", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := runtime.ReadNPYFile(filepath.Join(dir, "0.npy"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Text() != cases[0].Outputs[1].Text() {
		t.Errorf("output 0 is %v, wanted %v", got.Text(), cases[0].Outputs[1].Text())
	}
	out, err := exec.Command(exe, "-describe").Output()
	want := "input\tinput:0\tf32[N,37]\ninput\tsr\ti64[]\n" +
		"output\tonnx::Soft_1\tf32[N,19]\noutput\t0\ti64[N]\n"
	if err != nil || string(out) != want {
		t.Errorf("-describe: %v, %q, wanted %q", err, out, want)
	}
}
