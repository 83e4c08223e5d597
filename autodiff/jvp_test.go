package autodiff

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// TestJVP checks <u, Jv> = <J'u, v> for each case of the table of rules, and
// that the cotangents of the construction are gone.
func TestJVP(t *testing.T) {
	for _, c := range gradCases() {
		if c.once {
			continue // what is not twice differentiable is not checked so
		}
		t.Run(c.op.String()+"/"+c.name, func(t *testing.T) {
			g := c.graph(t)
			var wrt []int
			for i := range g.Params {
				wrt = append(wrt, i)
			}
			jvp, err := JVP(g, wrt)
			if err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(jvp); err != nil {
				t.Fatal(err)
			}
			vjp, err := VJP(g, wrt)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(3, 4))
			random := func(vs []*ir.Value, lo, hi float64) (out []*interp.Tensor) {
				for _, v := range vs {
					out = append(out, randomTensor(rng, v.Type, lo, hi))
				}
				return out
			}
			in := random(g.Params, c.lo, c.hi)
			v, u := random(g.Params, -1, 1), random(g.Results, -1, 1)
			jv := run(t, jvp, append(in[:len(in):len(in)], v...))[len(g.Results):]
			ju := run(t, vjp, append(in[:len(in):len(in)], u...))[len(g.Results):]
			if a, b := inner(u, jv), inner(ju, v); !(math.Abs(a-b) <= 1e-9*(1+math.Abs(a))) {
				t.Errorf("<u, Jv> = %g, <J'u, v> = %g", a, b)
			}
		})
	}
}

func inner(xs, ys []*interp.Tensor) float64 {
	sum := 0.0
	for i := range xs {
		y := interp.Elements[float64](ys[i])
		for j, x := range interp.Elements[float64](xs[i]) {
			sum += x * y[j]
		}
	}
	return sum
}
