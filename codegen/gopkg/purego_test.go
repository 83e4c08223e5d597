package gopkg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/passes"
	"github.com/tensorcc/tcc/runtime"
)

// TestPureGo compares the kernels in Go with the interpreter on random graphs:
// a batch of them becomes one program, which runs all. TCC_PUREGO=N tries N
// graphs (40, or 8 with -short), TCC_PUREGO_SEED=S another sequence, and
// TCC_PUREGO_KEEP=DIR leaves the programs there.
func TestPureGo(t *testing.T) {
	const batchSize = 50
	n := number(t, "TCC_PUREGO", 40)
	if testing.Short() {
		n = min(n, 8)
	}
	seed := uint64(number(t, "TCC_PUREGO_SEED", 1)) << 32
	for first := 0; first < n; first += batchSize {
		b := &batch{dir: t.TempDir(), files: Files{}}
		if keep := os.Getenv("TCC_PUREGO_KEEP"); keep != "" {
			b.dir = filepath.Join(keep, strconv.Itoa(first))
		}
		for i := first; i < min(first+batchSize, n); i++ {
			b.add(t, irtest.Generate(irtest.Config{Seed: seed + uint64(i), MaxElems: 512, Allow: native}))
		}
		b.run(t)
	}
}

// native leaves out the element types that are only read from models, and fused
// regions, which passes make for the back ends.
func native(op ir.Op, d ir.DType) bool {
	_, ok := runtime.ParseDType(d.String())
	return ok && d != ir.String && op != ir.OpFuse
}

func number(t *testing.T, env string, missing int) int {
	text := os.Getenv(env)
	if text == "" {
		return missing
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", env, err)
	}
	return n
}

// batch is a module with a package for each graph and a program that runs all.
type batch struct {
	dir   string
	files Files
	cases []*irtest.Case
	want  [][][]*ir.Literal // by case and input set
}

// add compiles a case. Where the compiler says that it cannot, so does the log.
func (b *batch) add(t *testing.T, c *irtest.Case) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("seed %#x: panic: %v\n%s%v", c.Seed, r, debug.Stack(), c.Graph)
		}
	}()
	a, err := codegen.Compile(context.Background(), c.Graph, codegen.Options{
		Levels: []string{runtime.LevelGeneric}, Passes: passes.Options{Check: true}})
	if err != nil {
		t.Errorf("seed %#x: %v\n%v", c.Seed, err, c.Graph)
		return
	}
	k := len(b.cases)
	pkg := fmt.Sprintf("g%d", k)
	g := &generator{a: a, o: Options{Package: pkg, Runtime: "batch/internal/rt"}, files: Files{}}
	for _, step := range []func() error{g.weights, g.generic, g.program} {
		if err := step(); err != nil {
			t.Errorf("seed %#x: %v\n%v", c.Seed, err, c.Graph)
			return
		}
	}
	embed, import_ := "", ""
	if g.files[weightsFile] != nil {
		embed, import_ = "//go:embed weights.bin", "import _ \"embed\""
	}
	g.files["open.go"] = fmt.Appendf(nil, openText, header, pkg, import_, embed)
	for name, text := range g.files {
		b.files[pkg+"/"+name] = text
	}
	var want [][]*ir.Literal
	for set, in := range c.Inputs {
		out, err := interpret(c.Graph, in)
		if err != nil {
			t.Errorf("seed %#x: interpreter: %v\n%v", c.Seed, err, c.Graph)
			return
		}
		want = append(want, out)
		b.files[fmt.Sprintf("data/%d/%d/set", k, set)] = nil // there may be no inputs
		for i, l := range in {
			b.files[fmt.Sprintf("data/%d/%d/in%d.npy", k, set, i)] = npy(t, l)
		}
	}
	b.cases, b.want = append(b.cases, c), append(b.want, want)
}

const openText = `%spackage %s

import rt "batch/internal/rt"
%s

%s
var weights []byte

// Open makes the model ready.
func Open() (*rt.Model, error) { return rt.New(program(), weights, rt.WithThreads(1)) }
`

const mainText = `package main

import (
	"fmt"
	"os"
	"path/filepath"

	"batch/internal/rt"
%s)

func main() {
	for i, open := range []func() (*rt.Model, error){
%s	} {
		sets, err := filepath.Glob(fmt.Sprintf("data/%%d/*", i))
		if err != nil {
			panic(err)
		}
		for _, dir := range sets {
			if err := run(open, dir); err != nil {
				if err := os.WriteFile(dir+"/error", []byte(err.Error()), 0o644); err != nil {
					panic(err)
				}
			}
		}
	}
}

func run(open func() (*rt.Model, error), dir string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %%v", r)
		}
	}()
	m, err := open()
	if err != nil {
		return err
	}
	in := make([]*rt.Tensor, len(m.Program().Inputs))
	for i := range in {
		if in[i], err = rt.ReadNPYFile(fmt.Sprintf("%%s/in%%d.npy", dir, i)); err != nil {
			return err
		}
	}
	out, err := m.Run(in)
	if err != nil {
		return err
	}
	for i, t := range out {
		if err := rt.WriteNPYFile(fmt.Sprintf("%%s/out%%d.npy", dir, i), t); err != nil {
			return err
		}
	}
	return nil
}
`

// run builds and runs the program, then compares its results.
func (b *batch) run(t *testing.T) {
	t.Helper()
	copied := &generator{o: Options{Package: "batch", ImportPath: "batch"}, files: b.files}
	if err := copied.runtime(); err != nil {
		t.Fatal(err)
	}
	var imports, opens strings.Builder
	for i := range b.cases {
		fmt.Fprintf(&imports, "\t\"batch/g%d\"\n", i)
		fmt.Fprintf(&opens, "\t\tg%d.Open,\n", i)
	}
	b.files["main.go"] = fmt.Appendf(nil, mainText, imports.String(), opens.String())
	b.files.AddModule("batch")
	if err := b.files.Write(b.dir); err != nil {
		t.Fatal(err)
	}
	goRun(t, b.dir, nil, "build", "-tags", "purego", "-o", "batch.exe", ".")
	cmd := exec.Command("./batch.exe")
	cmd.Dir = b.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, c := range b.cases {
		for set := range c.Inputs {
			if err := b.compare(i, set); err != nil {
				t.Errorf("seed %#x: input set %d: %v\n%s", c.Seed, set, err, c.Graph)
			}
		}
	}
}

func (b *batch) compare(i, set int) error {
	dir := filepath.Join(b.dir, fmt.Sprintf("data/%d/%d", i, set))
	if text, err := os.ReadFile(filepath.Join(dir, "error")); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s", text)
	}
	got := make([]*ir.Literal, len(b.want[i][set]))
	for k, w := range b.want[i][set] {
		x, err := runtime.ReadNPYFile(filepath.Join(dir, fmt.Sprintf("out%d.npy", k)))
		if err != nil {
			return err
		}
		data, err := x.Bytes()
		if err != nil {
			return err
		}
		shape := make([]int64, x.Rank())
		for a, d := range x.Shape() {
			shape[a] = int64(d)
		}
		got[k] = &ir.Literal{DType: w.DType, Shape: shape, Data: data}
		if x.DType().String() != w.DType.String() {
			return fmt.Errorf("result %d: is %v, want %v", k, x, w.DType)
		}
	}
	return b.cases[i].Compare(got, b.want[i][set])
}

// interpret is the meaning of a graph.
func interpret(g *ir.Graph, in []*ir.Literal) ([]*ir.Literal, error) {
	args := make([]*interp.Tensor, len(in))
	for i, l := range in {
		args[i] = &interp.Tensor{DType: l.DType, Shape: l.Shape, Data: l.Data}
	}
	res, err := (&interp.Config{}).Run(context.Background(), g, args)
	if err != nil {
		return nil, err
	}
	out := make([]*ir.Literal, len(res))
	for i, r := range res {
		out[i] = &ir.Literal{DType: r.DType, Shape: r.Shape, Data: r.Data}
	}
	return out, nil
}

// npy is a literal as a file.
func npy(t *testing.T, l *ir.Literal) []byte {
	t.Helper()
	d, ok := runtime.ParseDType(l.DType.String())
	if !ok {
		t.Fatalf("no runtime type for %v", l.DType)
	}
	shape := make([]int, len(l.Shape))
	for i, k := range l.Shape {
		shape[i] = int(k)
	}
	x, err := runtime.NewTensor(d, shape...)
	if err != nil {
		t.Fatal(err)
	}
	data, err := x.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if l.Splat {
		t.Fatal("an input is a splat")
	}
	copy(data, l.Data)
	var b bytes.Buffer
	if err := runtime.WriteNPY(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// goRun runs the go command in a module of generated files.
func goRun(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
