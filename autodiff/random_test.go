package autodiff

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
)

// TestRandomGraphs differentiates random graphs over all operations, types,
// broadcasts and dynamic extents, forwards, backwards and twice, and runs what
// it gets: each result has the type of what it is the gradient of. (That the
// values are right is what finite differences of each rule show.)
func TestRandomGraphs(t *testing.T) {
	done := 0
	for seed := range seeds(400) {
		c := irtest.Generate(irtest.Config{Seed: seed})
		var wrt []int
		for i, p := range c.Graph.Params {
			if p.Type.DType.IsFloat() {
				wrt = append(wrt, i)
			}
		}
		if len(wrt) == 0 {
			continue
		}
		vjp, err := VJP(c.Graph, wrt)
		if refused(err) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, c.Graph)
		}
		done++
		runRandom(t, seed, c, vjp)
		jvp, err := JVP(c.Graph, wrt)
		if refused(err) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: JVP: %v\n%v", seed, err, c.Graph)
		}
		runRandom(t, seed, c, jvp)
	}
	t.Logf("%d graphs have a gradient", done)
	if done < 100 {
		t.Errorf("only %d graphs have a gradient", done)
	}
}

// TestRandomAdjoint checks <u, Jv> = <J'u, v> on random graphs of float64: the
// JVP is derived from the VJP of the VJP, so that a rule that is not the transpose
// of its own transpose shows. TCC_AUTODIFF_GRAPHS says how many graphs are to be
// compared: those whose derivative is finite and not zero.
func TestRandomAdjoint(t *testing.T) {
	allow := func(op ir.Op, d ir.DType) bool {
		return op != ir.OpFuse && (!d.IsFloat() || d == ir.F64)
	}
	want, checked := number("TCC_AUTODIFF_GRAPHS", 200), uint64(0)
	first := number("TCC_AUTODIFF_SEED", 0)
	seed := first
	for ; checked < want && seed < first+10*want && !t.Failed(); seed++ {
		c := irtest.Generate(irtest.Config{Seed: seed, Allow: allow, Static: true})
		var wrt []int
		for i, p := range c.Graph.Params {
			if p.Type.DType == ir.F64 {
				wrt = append(wrt, i)
			}
		}
		if len(wrt) == 0 {
			continue
		}
		vjp, err := VJP(c.Graph, wrt)
		if refused(err) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		jvp, err := JVP(c.Graph, wrt)
		if refused(err) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if adjoint(t, c, vjp, jvp) {
			checked++
		}
	}
	t.Logf("%d graphs compared, of %d", checked, seed-first)
	if checked < want {
		t.Errorf("only %d graphs have derivatives that can be compared, want %d", checked, want)
	}
}

// adjoint compares the two products on c's first inputs, or where these have no
// finite derivative on small positive numbers, of which most functions have one.
// It reports whether they could be compared.
func adjoint(t *testing.T, c *irtest.Case, vjp, jvp *ir.Graph) bool {
	t.Helper()
	rng := rand.New(rand.NewPCG(c.Seed, 5))
	random := func(params []*ir.Value) (out []*interp.Tensor) {
		for _, p := range params {
			out = append(out, randomTensor(rng, p.Type, -1, 1))
		}
		return out
	}
	n, k := len(c.Graph.Params), len(c.Graph.Results)
	u, v := random(vjp.Params[n:]), random(jvp.Params[n:])
	var in, mild []*interp.Tensor
	for i, l := range c.Inputs[0] {
		x, err := interp.FromLiteral(l)
		if err != nil {
			t.Fatal(err)
		}
		in, mild = append(in, x), append(mild, x)
		if p := c.Graph.Params[i]; p.Type.DType == ir.F64 {
			mild[i] = randomTensor(rng, p.Type, 0.1, 0.9)
		}
	}
	for _, in := range [][]*interp.Tensor{in, mild} {
		ju := run(t, vjp, append(in[:n:n], u...))[k:]
		jv := run(t, jvp, append(in[:n:n], v...))[k:]
		a, b := inner(u, jv), inner(ju, v)
		size := inner(magnitudes(u), magnitudes(jv)) + inner(magnitudes(ju), magnitudes(v))
		if !(math.Abs(a-b) <= 1e-9*(1+size)) && !math.IsNaN(size) && !math.IsInf(size, 0) {
			t.Errorf("seed %d: <u, Jv> = %g, <J'u, v> = %g\n%v", c.Seed, a, b, c.Graph)
		}
		if size > 0 && !math.IsInf(size, 0) {
			return true
		}
	}
	return false
}

func magnitudes(xs []*interp.Tensor) []*interp.Tensor {
	var out []*interp.Tensor
	for _, x := range xs {
		data := slices.Clone(interp.Elements[float64](x))
		for i := range data {
			data[i] = math.Abs(data[i])
		}
		out = append(out, interp.FromSlice(ir.F64, x.Shape, data))
	}
	return out
}

// refused reports whether err is one of those that say what has no gradient.
func refused(err error) bool {
	if err == nil {
		return false
	}
	for _, known := range []string{"has no gradient", "have no gradient"} {
		if strings.Contains(err.Error(), known) {
			return true
		}
	}
	return false
}

// runRandom runs the derivative d of c's graph on c's inputs and random
// cotangents or tangents.
func runRandom(t *testing.T, seed uint64, c *irtest.Case, d *ir.Graph) {
	t.Helper()
	if err := ir.Verify(d); err != nil {
		t.Fatalf("seed %d: %v\n%v", seed, err, c.Graph)
	}
	rng := rand.New(rand.NewPCG(seed, 9))
	for _, in := range c.Inputs {
		var all []*interp.Tensor
		for _, l := range in {
			x, err := interp.FromLiteral(l)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, x)
		}
		env := symbols(c.Graph, in)
		for _, p := range d.Params[len(all):] {
			shape := make(ir.Shape, p.Type.Rank())
			for i, e := range p.Type.Shape {
				k, err := e.Eval(env)
				if err != nil {
					return // an extent that only the run knows
				}
				shape[i] = ir.Const(k)
			}
			x := randomTensor(rng, ir.Of(ir.F64, shape), -1, 1)
			all = append(all, castTensor(t, x, p.Type.DType))
		}
		if _, err := interp.Run(d, all); err != nil {
			t.Fatalf("seed %d: %v\n%v\nof\n%v", seed, err, d, c.Graph)
		}
	}
}

// symbols are the extents that the parameters of g have in a run.
func symbols(g *ir.Graph, in []*ir.Literal) map[string]int64 {
	env := map[string]int64{}
	for i, p := range g.Params {
		for j, e := range p.Type.Shape {
			if names := e.SymNames(); len(names) == 1 && e.Equal(ir.Sym(names[0])) {
				env[names[0]] = in[i].Shape[j]
			}
		}
	}
	return env
}

func castTensor(t *testing.T, x *interp.Tensor, d ir.DType) *interp.Tensor {
	g := ir.NewGraph("cast")
	b := &back{g: g}
	g.SetResults(nil, b.cast(g.Param("x", ir.Of(ir.F64, ir.Dims(x.Shape...)), ir.Pos{}), d))
	return run(t, g, []*interp.Tensor{x})[0]
}
