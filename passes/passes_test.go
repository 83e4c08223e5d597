package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

func TestPipelineOrder(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range pipeline {
		if seen[p.Name] || p.Name == "" || p.Run == nil {
			t.Errorf("pass %q: is there twice, or has no name or function", p.Name)
		}
		for _, a := range p.After {
			if !seen[a] {
				t.Errorf("pass %s comes before %s", p.Name, a)
			}
		}
		if first, _, _ := strings.Cut(p.Doc, " "); first == "" || !strings.HasSuffix(p.Doc, ".") {
			t.Errorf("pass %s: Doc %q is not a sentence", p.Name, p.Doc)
		}
		if p.Makes != "" && factChecks[p.Makes] == nil {
			t.Errorf("pass %s makes %s, which nothing checks", p.Name, p.Makes)
		}
		seen[p.Name] = true
	}
}

func TestOptions(t *testing.T) {
	g := mustParse(t, "g", "graph g\n\tv0 = param <f32[4]> {x}\n\treturn v0\n")
	for _, o := range []Options{
		{Skip: []string{"nopass"}}, {StopAfter: "nopass"}, {Skip: []string{"fuse"}},
	} {
		if _, err := Run(g, o); err == nil {
			t.Errorf("Run with %+v: no error", o)
		}
	}
	var dumped []string
	dump := func(pass string, _ *ir.Graph) { dumped = append(dumped, pass) }
	_, err := Run(g, Options{StopAfter: "canon", Dump: dump})
	want := []string{"start", "dce", "functionalize", "expand", "turn", "fold", "sinkconst", "canon"}
	if err != nil || !cmp.Equal(dumped, want) {
		t.Errorf("dumped %v, %v; want %v", dumped, err, want)
	}
}

func mustParse(t *testing.T, file, text string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// golden is an archive below testdata/passes: the comment says what happens
// and which passes run.
type golden struct {
	path    string
	ar      *txtar.Archive
	run     []string
	relaxed bool
	fired   []string
	never   []string
}

// TestGoldens runs the archives. TCC_UPDATE=1 rewrites their out sections.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("../testdata/passes/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "../testdata/passes/"), ".txtar")
		t.Run(name, func(t *testing.T) { runGolden(t, path) })
	}
}

func runGolden(t *testing.T, path string) {
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gd := &golden{path: path, ar: ar}
	for _, line := range strings.Split(string(ar.Comment), "\n") {
		key, rest, _ := strings.Cut(line, ":")
		switch key {
		case "run":
			gd.run = strings.Split(strings.TrimSpace(rest), ", ")
		case "fp":
			gd.relaxed = true
		case "fired":
			gd.fired = strings.Fields(rest)
		case "not-fired":
			gd.never = strings.Fields(rest)
		}
	}
	in := mustParse(t, "", section(ar, "in"))
	if err := ir.Verify(in); err != nil {
		t.Fatalf("input: %v", err)
	}
	got, fired := gd.apply(t, in)
	compareRuns(t, in, got)
	for _, r := range gd.fired {
		if !slices.Contains(fired, r) {
			t.Errorf("rule %s has not fired; these have: %v", r, fired)
		}
	}
	for _, r := range gd.never {
		if slices.Contains(fired, r) {
			t.Errorf("rule %s has fired", r)
		}
	}
	text := ir.Print(got)
	if os.Getenv("TCC_UPDATE") != "" {
		setSection(ar, "out", text)
		if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(section(ar, "out"), text); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// apply runs the passes that the archive names, on a shuffled graph as well.
func (gd *golden) apply(t *testing.T, g *ir.Graph) (*ir.Graph, []string) {
	t.Helper()
	var fired []string
	c := &Context{Options{Relaxed: gd.relaxed,
		Fired: func(rule string, _ *ir.Value) { fired = append(fired, rule) }}}
	for _, name := range gd.run {
		i := slices.IndexFunc(pipeline, func(p Pass) bool { return p.Name == name })
		if i < 0 {
			t.Fatalf("no pass %q", name)
		}
		c.Check = true
		if shuffled, err := c.apply(&pipeline[i], g); err != nil {
			t.Fatalf("%s, shuffled: %v", name, err)
		} else if err := ir.Verify(shuffled); err != nil {
			t.Fatalf("after %s, shuffled: %v", name, err)
		}
		c.Check = false
		out, err := c.apply(&pipeline[i], g)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := ir.Verify(out); err != nil {
			t.Fatalf("after %s: %v\n%v", name, err, out)
		}
		if f := pipeline[i].Makes; f != "" {
			if err := factChecks[f](out); err != nil {
				t.Fatalf("after %s: %v", name, err)
			}
		}
		g = out
	}
	return g, fired
}

func section(ar *txtar.Archive, name string) string {
	for _, f := range ar.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func setSection(ar *txtar.Archive, name, text string) {
	for i, f := range ar.Files {
		if f.Name == name {
			ar.Files[i].Data = []byte(text)
			return
		}
	}
	ar.Files = append(ar.Files, txtar.File{Name: name, Data: []byte(text)})
}

// compareRuns interprets both graphs on the same random inputs.
func compareRuns(t *testing.T, a, b *ir.Graph) {
	t.Helper()
	for seed := range uint64(2) {
		in := randomInputs(t, a, seed)
		want, err := interp.Run(a, in)
		if err != nil {
			t.Fatalf("running the input: %v", err)
		}
		got, err := interp.Run(b, in)
		if err != nil {
			t.Fatalf("running the output: %v\n%v", err, b)
		}
		for i := range want {
			if err := closeTo(want[i], got[i], 1e-5); err != nil {
				t.Errorf("result %d differs: %v", i, err)
			}
		}
	}
}

// randomInputs makes inputs; symbols are 3 to 6.
func randomInputs(t *testing.T, g *ir.Graph, seed uint64) []*interp.Tensor {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	env := map[string]int64{}
	var out []*interp.Tensor
	for _, p := range g.Params {
		for _, d := range p.Type.Shape {
			for _, s := range d.SymNames() {
				if env[s] == 0 {
					env[s] = int64(3 + r.IntN(4))
				}
			}
		}
		shape := make([]int64, p.Type.Rank())
		for i, d := range p.Type.Shape {
			var err error
			if shape[i], err = d.Eval(env); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, randomTensor(t, r, p.Type.DType, shape))
	}
	return out
}

func randomTensor(t *testing.T, r *rand.Rand, d ir.DType, shape []int64) *interp.Tensor {
	t.Helper()
	x, err := interp.New(ir.F64, shape)
	if err != nil {
		t.Fatal(err)
	}
	vals := ir.Elements[float64](x.Literal())
	for i := range vals {
		vals[i] = r.NormFloat64()
		if d.IsInt() || d == ir.Bool {
			vals[i] = float64(r.IntN(2))
		}
	}
	g := ir.NewGraph("cast")
	p := g.Param("x", ir.Of(ir.F64, ir.Dims(shape...)), ir.Pos{})
	v := g.Must(ir.Pos{}, ir.OpCast, &ir.DTypeAttr{DType: d}, p)
	res, err := interp.Eval(v, []*interp.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	return res[0]
}

// closeTo compares floats with a tolerance relative to the largest element,
// everything else exactly.
func closeTo(want, got *interp.Tensor, tol float64) error {
	if want.DType != got.DType || !slices.Equal(want.Shape, got.Shape) {
		return fmt.Errorf("is %v, want %v", got, want)
	}
	if want.DType != ir.F32 {
		if !slices.Equal(want.Data, got.Data) {
			return fmt.Errorf("data differs")
		}
		return nil
	}
	w, g := ir.Elements[float32](want.Literal()), ir.Elements[float32](got.Literal())
	var most float64
	for _, x := range w {
		if a := math.Abs(float64(x)); !math.IsInf(a, 0) && a > most {
			most = a
		}
	}
	for i := range w {
		x, y := float64(w[i]), float64(g[i])
		if !(math.Abs(x-y) <= tol*most || x == y || math.IsNaN(x) && math.IsNaN(y)) {
			return fmt.Errorf("element %d is %v, want %v", i, y, x)
		}
	}
	return nil
}
