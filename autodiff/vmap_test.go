package autodiff

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
)

func TestMapRulesAreTotal(t *testing.T) {
	for _, op := range ir.Ops() {
		_, have := mapRules[op]
		_, excused := unmapped[op]
		if have == excused {
			t.Errorf("%v: in mapRules: %v, in unmapped: %v; want exactly one", op, have, excused)
		}
	}
}

// TestVmapCases maps each case of the table of derivatives, and its gradient,
// over random subsets of its parameters.
func TestVmapCases(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	for _, c := range gradCases() {
		t.Run(c.op.String()+"/"+c.name, func(t *testing.T) {
			g := c.graph(t)
			var wrt []int
			for i := range g.Params {
				wrt = append(wrt, i)
			}
			vjp, err := VJP(g, wrt)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range []*ir.Graph{g, vjp} {
				sets := make([][]*ir.Literal, 3)
				for i := range sets {
					for _, p := range g.Params {
						sets[i] = append(sets[i], randomTensor(rng, p.Type, c.lo, c.hi).Literal())
					}
				}
				checkVmap(t, &irtest.Case{Graph: g, Inputs: sets}, subset(rng, len(g.Params)), 1e-12)
			}
		})
	}
}

// TestVmapRandom maps random graphs; the bounds of their results hold.
func TestVmapRandom(t *testing.T) {
	done := 0
	for seed := range seeds(600) {
		c := irtest.Generate(irtest.Config{Seed: seed, Static: true})
		rng := rand.New(rand.NewPCG(seed, 3))
		if len(c.Graph.Params) == 0 {
			continue
		}
		c.Inputs = [][]*ir.Literal{c.Inputs[0], rotated(c.Inputs[0], 1), rotated(c.Inputs[0], 2)}
		if checkVmap(t, c, subset(rng, len(c.Graph.Params)), 0); t.Failed() {
			t.Fatalf("seed %d\n%v", seed, c.Graph)
		}
		done++
	}
	if done < 300 {
		t.Errorf("only %d graphs have parameters", done)
	}
}

// rotated are tensors with the elements of others moved by k places.
func rotated(in []*ir.Literal, k int) []*ir.Literal {
	out := make([]*ir.Literal, len(in))
	for i, l := range in {
		own := *l
		if n := l.Size(); !l.Splat && n > 0 {
			at := k % int(n) * len(l.Data) / int(n)
			own.Data = slices.Concat(l.Data[at:], l.Data[:at])
		}
		out[i] = &own
	}
	return out
}

// subset picks at least one of n.
func subset(rng *rand.Rand, n int) []int {
	k := 1 + rng.IntN(n)
	s := rng.Perm(n)[:k]
	slices.Sort(s)
	return s
}

// checkVmap compares the mapped graph with the graph run on one example after
// the other. rel, if not 0, is the bound of all results.
func checkVmap(t *testing.T, c *irtest.Case, mapped []int, rel float64) {
	t.Helper()
	n := int64(len(c.Inputs))
	g, err := Vmap(c.Graph, mapped, ir.Const(n))
	if err != nil {
		if !strings.Contains(err.Error(), "cannot be mapped") {
			t.Fatal(err)
		}
		return
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	in := make([]*interp.Tensor, len(c.Graph.Params))
	each := make([][]*interp.Tensor, n)
	for p := range in {
		var parts []*ir.Literal
		for k := range each {
			l := c.Inputs[0][p]
			if slices.Contains(mapped, p) {
				l = c.Inputs[k][p]
			}
			parts, each[k] = append(parts, l), append(each[k], fromLiteral(t, l))
		}
		in[p] = each[0][p]
		if slices.Contains(mapped, p) {
			in[p] = stack(t, parts)
		}
	}
	want := make([][]*ir.Literal, len(c.Graph.Results))
	for k := range each {
		out, err := interp.Run(c.Graph, each[k])
		if err != nil {
			return // inputs of several sets together need not be good ones
		}
		for i, x := range out {
			want[i] = append(want[i], x.Literal())
		}
	}
	got := run(t, g, in)
	for i, r := range c.Graph.Results {
		bound := irtest.Bound{Rel: rel, Abs: rel}
		if rel == 0 {
			bound = c.Bounds[r.ID]
		}
		err := irtest.CompareLiterals(got[i].Literal(), stack(t, want[i]).Literal(), bound)
		if err != nil {
			t.Errorf("mapped over %v: result %d: %v\n%v\n%v", mapped, i, err, c.Graph, g)
		}
	}
}

func fromLiteral(t *testing.T, l *ir.Literal) *interp.Tensor {
	t.Helper()
	x, err := interp.FromLiteral(l)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// stack puts tensors of one type behind each other along a new axis 0.
func stack(t *testing.T, parts []*ir.Literal) *interp.Tensor {
	t.Helper()
	all := &ir.Literal{DType: parts[0].DType,
		Shape: append([]int64{int64(len(parts))}, parts[0].Shape...)}
	for _, l := range parts {
		data := l.Data
		if l.Splat {
			data = slices.Repeat(l.Data, int(l.Size()))
		}
		all.Data = append(all.Data, data...)
	}
	return fromLiteral(t, all)
}

func TestVmapErrors(t *testing.T) {
	g := ir.NewGraph("f")
	x := g.Param("x", ir.T(ir.F32, ir.Const(2)), ir.Pos{})
	nz := g.Must(ir.Pos{File: "f.go", Line: 3}, ir.OpNonZero,
		&ir.DimsAttr{Dims: ir.Shape{ir.Sym("K")}}, x)
	g.SetResults(nil, nz)
	_, err := Vmap(g, []int{0}, ir.Const(3))
	const want = "f.go:3: vmap: nonzero cannot be mapped: " +
		"its extent differs from example to example: use a mask and Where"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant %s", err, want)
	}
	if _, err := Vmap(g, []int{1}, ir.Const(3)); err == nil {
		t.Error("a parameter that is not there: no error")
	}
}
