package ptx

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/lower"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/passes"
	"golang.org/x/tools/txtar"
)

// bound is what a kernel may differ from the interpreter by: sums in f32
// against sums in f64, and functions that are right within 2 ulp.
var bound = irtest.Bound{Abs: 2e-5, Rel: 2e-5}

// TestGolden takes graphs through the passes, codegen/lower and the schedule of
// a GPU, executes the scheduled tree beside the interpreter, and compares the
// tree and its PTX with the text kept in testdata; TCC_UPDATE=1 rewrites it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../testdata/codegen/ptx/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) { golden(t, f) })
	}
}

func golden(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a := txtar.Parse(data)
	c := fused(t, string(a.Files[0].Data))
	tree, err := schedule.GPU(c.kernel, schedule.GPUTargets["sm_80"])
	if err != nil {
		t.Fatal(err)
	}
	target, _ := TargetOf("sm_80")
	text, err := Emit(mathfn.Kernel(tree, nil), target)
	if err != nil {
		t.Fatal(err)
	}
	got := &txtar.Archive{Comment: a.Comment, Files: []txtar.File{a.Files[0],
		{Name: "tree", Data: []byte(tree.String())}, {Name: "ptx", Data: []byte(text)}}}
	if os.Getenv("TCC_UPDATE") != "" {
		if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(data), string(txtar.Format(got))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	runs := 0
	for line := range strings.Lines(string(a.Comment)) {
		if rest, ok := strings.CutPrefix(line, "dims:"); ok {
			c.run(t, tree, text, strings.Fields(rest))
			runs++
		}
	}
	if runs == 0 {
		t.Error("no line dims:")
	}
	assemble(t, text, "sm_80")
	assemble(t, text, "sm_90")
	target, _ = TargetOf("sm_90")
	if text, err = Emit(mathfn.Kernel(tree, nil), target); err != nil {
		t.Fatal(err)
	}
	assemble(t, text, "sm_90")
}

// subject is a graph that is one kernel after fusion.
type subject struct {
	graph  *ir.Graph
	kernel *kernel.Kernel
	args   []int // parameters of the graph that the kernel reads
}

// fused compiles the graph up to its kernel, which has its name.
func fused(t *testing.T, text string) *subject {
	t.Helper()
	g, err := ir.Parse("in", text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := passes.Run(g, passes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out.Values {
		if v.Op != ir.OpFuse {
			continue
		}
		a := v.Attr.(*ir.FuseAttr)
		r, err := lower.Region(g.Name, a.Kind, a.Body, lower.Places{})
		if err != nil {
			t.Fatal(err)
		}
		c := &subject{graph: g, kernel: r.Kernel}
		for _, i := range r.Args {
			p := slices.Index(out.Params, v.Args[i])
			if p < 0 || len(v.ResultTypes()) != len(g.Results) {
				t.Fatalf("more than one region:\n%v", out)
			}
			c.args = append(c.args, p)
		}
		return c
	}
	t.Fatalf("no region:\n%v", out)
	return nil
}

// run executes tree, and its PTX, with random inputs and compares with the
// interpreter.
func (c *subject) run(t *testing.T, tree *kernel.Kernel, text string, dims []string) {
	t.Helper()
	env := map[string]int64{}
	for _, d := range dims {
		name, n, _ := strings.Cut(d, "=")
		var v int64
		if _, err := fmt.Sscan(n, &v); err != nil {
			t.Fatal(err)
		}
		env[name] = v
	}
	r := rand.New(rand.NewPCG(1, uint64(len(dims))))
	var inputs []*interp.Tensor
	for _, p := range c.graph.Params {
		in, err := interp.New(p.Type.DType, concrete(t, p.Type.Shape, env))
		if err != nil {
			t.Fatal(err)
		}
		fill(r, in)
		inputs = append(inputs, in)
	}
	want, err := interp.Run(c.graph, inputs)
	if err != nil {
		t.Fatal(err)
	}
	var bufs [][]byte
	for _, p := range c.args {
		bufs = append(bufs, inputs[p].Data)
	}
	for _, w := range want {
		bufs = append(bufs, make([]byte, len(w.Data)))
	}
	var values []int64
	for _, d := range tree.Dims {
		values = append(values, env[d])
	}
	if status, err := kernel.Run(tree, bufs, values); err != nil || status != 0 {
		t.Fatalf("dims %v: status %d, %v\n%v", dims, status, err, tree)
	}
	c.compare(t, fmt.Sprint("tree, dims ", dims), bufs, want)
	for _, b := range bufs[len(c.args):] {
		clear(b)
	}
	l := LaunchOf(tree)
	parseEntry(text).execute(bufs, values, [3]int64(concrete(t, l.Grid[:], env)), l.Block)
	c.compare(t, fmt.Sprint("PTX, dims ", dims), bufs, want)
}

func (c *subject) compare(t *testing.T, what string, bufs [][]byte, want []*interp.Tensor) {
	t.Helper()
	for i, w := range want {
		got := &ir.Literal{DType: w.DType, Shape: w.Shape, Data: bufs[len(c.args)+i]}
		b := bound
		switch {
		case w.DType == ir.F16:
			b.Rel = 1e-3
		case !w.DType.IsFloat():
			b = irtest.Bound{}
		}
		l := &ir.Literal{DType: w.DType, Shape: w.Shape, Data: w.Data}
		if err := irtest.CompareLiterals(got, l, b); err != nil {
			t.Errorf("%s: result %d: %v", what, i, err)
		}
	}
}

func concrete(t *testing.T, s ir.Shape, env map[string]int64) []int64 {
	t.Helper()
	out := make([]int64, len(s))
	for i, d := range s {
		n, err := d.Eval(env)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = n
	}
	return out
}

// fill puts moderate random numbers in x.
func fill(r *rand.Rand, x *interp.Tensor) {
	size := x.DType.Size()
	for i := 0; i < len(x.Data); i += size {
		bits := uint64(r.IntN(9) - 4)
		if x.DType.IsFloat() {
			bits = floatBits(x.DType, r.NormFloat64())
		} else if x.DType == ir.Bool {
			bits &= 1
		}
		for j := range size {
			x.Data[i+j] = byte(bits >> (8 * j))
		}
	}
}
