package passes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
)

// TestRecomputeRandom has the same bits, however far the pass goes.
func TestRecomputeRandom(t *testing.T) {
	defer func(n int64) { minRecomputed = n }(minRecomputed)
	minRecomputed = 1
	changed := 0
	for seed := range uint64(1500) {
		c := irtest.Generate(irtest.Config{Seed: seed, Size: 30})
		for level := RecomputeCheap; level <= RecomputeOperands; level++ {
			out, err := recompute(&Context{Options{Recompute: level}}, c.Graph)
			if err == nil {
				err = ir.Verify(out)
			}
			if err != nil {
				t.Fatalf("seed %d: %v\n%v", seed, err, c.Graph)
			}
			if out == c.Graph {
				continue
			}
			changed++
			for _, in := range c.Inputs {
				if w, g := results(t, c.Graph, in), results(t, out, in); w != g {
					t.Fatalf("seed %d, level %d: results differ\n%v\n%v", seed, level, c.Graph, out)
				}
			}
		}
	}
	if changed < 100 {
		t.Errorf("only %d graphs changed", changed)
	}
}

// TestSplitTails has random graphs whose products have their tails apart, and sums
// of columns what they are sums of.
func TestSplitTails(t *testing.T) {
	defer func(n, k int64) { minSplit, minColumns = n, k }(minSplit, minColumns)
	minSplit, minColumns = 0, 0
	for seed := range uint64(800) {
		c := irtest.Generate(irtest.Config{Seed: seed, Size: 20})
		out, err := Run(c.Graph, Options{Check: true})
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, c.Graph)
		}
		for _, in := range c.Inputs {
			want, got := literals(t, c.Graph, in), literals(t, out, in)
			if want == nil {
				continue
			}
			if err := c.Compare(got, want); err != nil {
				t.Fatalf("seed %d: %v\n%v\n%v", seed, err, c.Graph, out)
			}
		}
	}
}

// literals are the results of g, nil where it fails.
func literals(t *testing.T, g *ir.Graph, in []*ir.Literal) []*ir.Literal {
	var all []*interp.Tensor
	for _, l := range in {
		x, err := interp.FromLiteral(l)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	out, err := interp.Run(g, all)
	if err != nil {
		return nil
	}
	res := []*ir.Literal{}
	for _, x := range out {
		res = append(res, x.Literal())
	}
	return res
}

// results are the bits of all results, or the error.
func results(t *testing.T, g *ir.Graph, in []*ir.Literal) string {
	out := literals(t, g, in)
	if out == nil {
		return "error"
	}
	var b strings.Builder
	for _, x := range out {
		b.Write(x.Data)
	}
	return b.String()
}

// TestMemoryBound goes as far as it takes, and says so where that is not enough.
func TestMemoryBound(t *testing.T) {
	g, err := ir.Parse("training", training)
	if err != nil {
		t.Fatal(err)
	}
	const mb = 1 << 20
	for _, c := range []struct {
		bound int64
		err   string
	}{{4 * mb, ""}, {1 * mb, ""}, {mb / 8, "wanted at most 131072: use a smaller batch"}} {
		out, err := Run(g, Options{Memory: c.bound})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%d bytes: error %v, want %q", c.bound, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d bytes: %v", c.bound, err)
			continue
		}
		if arena, _, err := PlanMemory(out).Peak(nil); err != nil || arena > c.bound {
			t.Errorf("%d bytes of %d: %v", arena, c.bound, err)
		}
	}
	open := strings.ReplaceAll(training, "[256,256]", "[N,256]")
	open = strings.Replace(open, "[N,256]> {w}", "[256,256]> {w}", 1)
	if g, err = ir.Parse("open", open); err != nil {
		t.Fatal(err)
	}
	_, err = Run(g, Options{Memory: 1})
	if want := "what is needed depends on N: give the extents numbers"; err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("without numbers: error %v, want %q", err, want)
	}
}

// training is the shape of a training step: h = x·w, y = gelu-like of h goes on
// to a product, and the gradient uses what y was made of.
const training = `graph f
	v0 = param <f32[256,256]> {x}
	v1 = param <f32[256,256]> {w}
	v2 = dot <f32[256,256]> v0 v1 {lcontract=[1] rcontract=[0]}
	v3 = tanh <f32[256,256]> v2
	v4 = mul <f32[256,256]> v3 v3
	v5 = const <f32[]> {1}
	v6 = broadcast <f32[256,256]> v5 {shape=[256,256]}
	v7 = sub <f32[256,256]> v6 v4
	v8 = add <f32[256,256]> v6 v3
	v9 = mul <f32[256,256]> v3 v8
	v10 = dot <f32[256,256]> v9 v1 {lcontract=[1] rcontract=[0]}
	v11 = dot <f32[256,256]> v10 v1 {lcontract=[1] rcontract=[1]}
	v12 = mul <f32[256,256]> v11 v7
	v13 = mul <f32[256,256]> v11 v8
	v14 = add <f32[256,256]> v12 v13
	return v14
`

// TestRecompute stores one value of the first stage for the last, not two; the
// result has the same bits.
func TestRecompute(t *testing.T) {
	g, err := ir.Parse("training", training)
	if err != nil {
		t.Fatal(err)
	}
	peak := func(skip ...string) (int64, []float32) {
		out, err := Run(g, Options{Skip: skip, Check: true})
		if err != nil {
			t.Fatal(err)
		}
		arena, _, err := PlanMemory(out).Peak(nil)
		if err != nil {
			t.Fatal(err)
		}
		var in []*interp.Tensor
		for k := range 2 {
			data := make([]float32, 1<<16)
			for i := range data {
				data[i] = float32((i*7919+k*31)%257)/2570 - 0.05
			}
			in = append(in, interp.FromSlice(ir.F32, []int64{256, 256}, data))
		}
		res, err := interp.Run(out, in)
		if err != nil {
			t.Fatal(err)
		}
		return arena, interp.Elements[float32](res[0])
	}
	before, want := peak("recompute")
	after, got := peak()
	if after > before-1<<18 {
		t.Errorf("%d bytes, without the pass %d: want 256 KB less", after, before)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("element %d is %v, was %v", i, got[i], want[i])
		}
	}
}

// TestRecomputeAuto goes all the way where that spares much: in the step of a
// deep network, whose activations products read again; not in its first layer
// alone.
func TestRecomputeAuto(t *testing.T) {
	for _, c := range []struct {
		layers int
		far    bool
	}{{6, true}, {1, false}} {
		g, err := ir.Parse("deep", deep(c.layers))
		if err != nil {
			t.Fatal(err)
		}
		arena := func(level int) int64 {
			out, err := Run(g, Options{Recompute: level})
			if err != nil {
				t.Fatal(err)
			}
			return guessSize(PlanMemory(out).Total())
		}
		auto, cheap, most := arena(RecomputeAuto), arena(RecomputeCheap), arena(RecomputeOperands)
		if c.far && (auto != most || auto > cheap-cheap/4) || !c.far && auto != cheap {
			t.Errorf("%d layers: %d bytes; %d with what is cheap, %d at most computed again",
				c.layers, auto, cheap, most)
		}
	}
}

// deep is a step of gradient descent for layers y = h·tanh(h), h = x·w.
func deep(layers int) string {
	var head, b, back strings.Builder
	head.WriteString("graph deep\n\tx0 = param <f32[1024,64]> {x}\n")
	results := ""
	for i := range layers {
		fmt.Fprintf(&head, "\tw%d = param <f32[64,64]> {w%[1]d}\n", i)
		fmt.Fprintf(&b, "\th%d = dot x%[1]d w%[1]d {lcontract=[1] rcontract=[0]}\n", i)
		fmt.Fprintf(&b, "\tt%d = tanh h%[1]d\n\tx%d = mul h%[1]d t%[1]d\n", i, i+1)
		results += fmt.Sprintf(" n%d", i)
	}
	d := fmt.Sprintf("x%d", layers)
	for i := layers - 1; i >= 0; i-- {
		fmt.Fprintf(&back, "\tp%d = mul h%[1]d %s\n\tq%[1]d = mul t%[1]d p%[1]d\n", i, d)
		fmt.Fprintf(&back, "\tr%d = mul q%[1]d t%[1]d\n\te%[1]d = sub p%[1]d r%[1]d\n", i)
		fmt.Fprintf(&back, "\tg%d = dot x%[1]d e%[1]d {lcontract=[0] rcontract=[0]}\n", i)
		fmt.Fprintf(&back, "\tn%d = sub w%[1]d g%[1]d\n", i)
		fmt.Fprintf(&back, "\td%d = dot e%[1]d w%[1]d {lcontract=[1] rcontract=[1]}\n", i)
		d = fmt.Sprintf("d%d", i)
	}
	return head.String() + b.String() + back.String() + "\treturn" + results + "\n"
}
