package autodiff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

func TestRulesAreTotal(t *testing.T) {
	for _, op := range ir.Ops() {
		_, have := rules[op]
		_, excused := missing[op]
		if have == excused {
			t.Errorf("%v: in rules: %v, in missing: %v; want exactly one", op, have, excused)
		}
	}
}

// gradCase is a graph of f64 parameters with elements in [lo, hi).
type gradCase struct {
	op     ir.Op
	name   string
	params [][]int64
	lo, hi float64
	build  func(b *back, p []*ir.Value) *ir.Value
	// once says that the gradient is not differentiated again: a second
	// difference would step over kinks, or cost too much.
	once bool
}

func (c *gradCase) graph(t *testing.T) *ir.Graph {
	t.Helper()
	g := ir.NewGraph("f")
	b := &back{g: g}
	var params []*ir.Value
	for i, s := range c.params {
		params = append(params, g.Param(fmt.Sprintf("p%d", i), ir.Of(ir.F64, ir.Dims(s...)), ir.Pos{}))
	}
	defer func() {
		if f, ok := recover().(failure); ok {
			t.Fatal(f.err)
		}
	}()
	g.SetResults([]string{"y"}, c.build(b, params))
	return g
}

// TestFiniteDifferences compares each rule with central differences in
// float64, and the rules that the gradient consists of with those of the
// gradient. The step 1e-5 leaves an error of about 1e-9 for values of order 1;
// the tolerance is 1e-6 of the largest gradient.
func TestFiniteDifferences(t *testing.T) {
	covered := map[ir.Op]bool{}
	for _, c := range gradCases() {
		covered[c.op] = true
		t.Run(c.op.String()+"/"+c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(len(c.name))))
			g := c.graph(t)
			vjp := checkGradient(t, rng, g, c.lo, c.hi)
			if !c.once && !t.Failed() {
				vjp = checkGradient(t, rng, vjp, c.lo, c.hi)
			}
			if err := ir.Verify(vjp); err != nil {
				t.Error(err)
			}
		})
	}
	for op := range rules {
		if !covered[op] {
			t.Errorf("no case for the rule of %v", op)
		}
	}
}

// TestViews repeats the finite differences with parameters that are views:
// slices with steps, transposed, and stretched along axes.
func TestViews(t *testing.T) {
	for _, c := range gradCases() {
		if c.op == ir.OpCumProd || c.op == ir.OpProd {
			continue // of equal elements these are powers, whose differences are coarse
		}
		t.Run(c.op.String()+"/"+c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(len(c.name))))
			build, inner := c.build, c.params
			outer := make([][]int64, len(inner))
			views := make([]func(b *back, x *ir.Value) *ir.Value, len(inner))
			for i, s := range inner {
				outer[i], views[i] = randomView(rng, s, c.stretches())
			}
			c.params = outer
			c.build = func(b *back, p []*ir.Value) *ir.Value {
				args := make([]*ir.Value, len(p))
				for i, x := range p {
					args[i] = views[i](b, x)
				}
				return build(b, args)
			}
			checkGradient(t, rng, c.graph(t), c.lo, c.hi)
		})
	}
}

// stretches reports whether equal elements are no kink of the operation.
func (c *gradCase) stretches() bool {
	switch c.op {
	case ir.OpReduceMax, ir.OpReduceMin, ir.OpWindowMax, ir.OpMax, ir.OpMin, ir.OpSelect, ir.OpCumMax,
		ir.OpScatterAlong, ir.OpScatterND:
		return false
	}
	return true
}

// randomView returns a shape, and the moves that make a tensor of shape s of
// one of it.
func randomView(rng *rand.Rand, s []int64, stretch bool) (
	[]int64, func(*back, *ir.Value) *ir.Value,
) {
	n := len(s)
	perm := rng.Perm(n)
	from := make([]int64, n)
	cut := at(make([]int64, n), make([]int64, n), make([]int64, n))
	for i, p := range perm {
		step := int64(1 + rng.IntN(2))
		first, k := int64(rng.IntN(2)), s[p]
		if stretch && rng.IntN(4) == 0 {
			k = 1
		}
		from[i] = first + (k-1)*step + 1
		if k == 0 {
			from[i] = first
		}
		cut.Start[i], cut.Step[i], cut.Shape[i] = ir.Const(first), step, ir.Const(k)
		if rng.IntN(2) == 0 && k > 0 { // backwards
			cut.Start[i], cut.Step[i] = ir.Const(first+(k-1)*step), -step
		}
	}
	return from, func(b *back, x *ir.Value) *ir.Value {
		x = b.transpose(b.slice(x, cut), inverse(perm))
		return b.broadcast(x, ir.Dims(s...), count(0, n))
	}
}

// checkGradient compares VJP(g) with differences, for one random direction a
// result, and returns VJP(g).
func checkGradient(t *testing.T, rng *rand.Rand, g *ir.Graph, lo, hi float64) *ir.Graph {
	t.Helper()
	var wrt []int
	inputs := make([]*interp.Tensor, len(g.Params))
	for i, p := range g.Params {
		wrt = append(wrt, i)
		inputs[i] = randomTensor(rng, p.Type, lo, hi)
	}
	vjp, err := VJP(g, wrt)
	if err != nil {
		t.Fatal(err)
	}
	var cots []*interp.Tensor
	for _, r := range g.Results {
		cots = append(cots, randomTensor(rng, r.Type, 0.5, 1.5))
	}
	all := append(append([]*interp.Tensor{}, inputs...), cots...)
	grads := run(t, vjp, all)[len(g.Results):]
	along := func() float64 { // <cots, g(inputs)>
		sum := 0.0
		for i, r := range run(t, g, inputs) {
			u := interp.Elements[float64](cots[i])
			for j, y := range interp.Elements[float64](r) {
				sum += u[j] * y
			}
		}
		return sum
	}
	const h = 1e-5
	for i, in := range inputs {
		x := interp.Elements[float64](in)
		got := interp.Elements[float64](grads[i])
		for k := range sample(rng, len(x)) {
			old := x[k]
			x[k] = old + h
			up := along()
			x[k] = old - h
			want := (up - along()) / (2 * h)
			x[k] = old
			if !(math.Abs(got[k]-want) <= 1e-6*(1+math.Abs(want))) {
				t.Errorf("%s: d/d%s[%d] = %g, differences give %g", g.Name, g.Params[i].ParamName(), k,
					got[k], want)
			}
		}
	}
	return vjp
}

// sample picks at most 12 of n elements.
func sample(rng *rand.Rand, n int) map[int]bool {
	picked := map[int]bool{}
	for _, k := range rng.Perm(n)[:min(n, 12)] {
		picked[k] = true
	}
	return picked
}

func randomTensor(rng *rand.Rand, typ ir.Type, lo, hi float64) *interp.Tensor {
	shape, _ := typ.Shape.Ints()
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	data := make([]float64, n)
	for i := range data {
		data[i] = lo
		if hi > lo {
			data[i] += rng.Float64() * (hi - lo)
		}
	}
	return interp.FromSlice(ir.F64, shape, data)
}

func run(t *testing.T, g *ir.Graph, inputs []*interp.Tensor) []*interp.Tensor {
	t.Helper()
	out, err := interp.Run(g, inputs)
	if err != nil {
		t.Fatalf("%s: %v", g.Name, err)
	}
	return out
}

// TestBarrierStops has a constant for gradients.
func TestBarrierStops(t *testing.T) {
	g := ir.NewGraph("f")
	b := &back{g: g}
	x := g.Param("x", ir.T(ir.F64), ir.Pos{})
	g.SetResults([]string{"y"}, b.mul(x, b.op(ir.OpBarrier, &ir.BarrierAttr{Stop: true}, x)))
	d, err := Grad(g, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	in := []*interp.Tensor{interp.FromSlice(ir.F64, nil, []float64{3})}
	if got := interp.Elements[float64](run(t, d, in)[0])[0]; got != 3 {
		t.Errorf("gradient %g, want 3: the second factor is a constant", got)
	}
}

// TestSymbolicShapes differentiates with dynamic extents and runs at two sizes.
func TestSymbolicShapes(t *testing.T) {
	g := ir.NewGraph("f")
	b := &back{g: g}
	n := ir.Sym("N")
	x := g.Param("x", ir.T(ir.F64, n, ir.Const(6)), ir.Pos{})
	w := g.Param("w", ir.T(ir.F64, ir.Const(6), ir.Const(3)), ir.Pos{})
	h := b.op(ir.OpDot, &ir.DotAttr{LContract: []int{1}, RContract: []int{0}}, x, w)
	h = b.slice(b.op(ir.OpTanh, nil, h), &ir.SliceAttr{Start: ir.Shape{n.AddConst(-1), ir.Const(0)},
		Step: []int64{-1, 2}, Shape: ir.Shape{n, ir.Const(2)}})
	g.SetResults([]string{"y"}, b.sum(b.reshape(h, ir.Shape{n.MulConst(2)}), []int{0}))
	d, err := Grad(g, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int64{1, 4} {
		in := []*interp.Tensor{randomTensor(rng, ir.T(ir.F64, ir.Const(n), ir.Const(6)), -1, 1),
			randomTensor(rng, w.Type, -1, 1)}
		out := run(t, d, in)
		if got := out[0].Shape; got[0] != n || got[1] != 6 {
			t.Errorf("N=%d: gradient of shape %v", n, got)
		}
	}
}

func TestErrors(t *testing.T) {
	g := ir.NewGraph("f")
	x := g.Param("x", ir.T(ir.F32, ir.Const(2)), ir.Pos{})
	g.Param("i", ir.T(ir.I64, ir.Const(2)), ir.Pos{})
	bits := g.Must(ir.Pos{File: "f.go", Line: 7}, ir.OpScatterAlong, &ir.ScatterAttr{Reduce: "mul"},
		x, g.Params[1], x)
	g.SetResults([]string{"y"}, bits)
	for _, c := range []struct {
		name string
		call func() (*ir.Graph, error)
		want string
	}{
		{"integer", func() (*ir.Graph, error) { return VJP(g, []int{1}) },
			`f: vjp: parameter "i" is i64[2], which has no gradient: want a floating-point type`},
		{"twice", func() (*ir.Graph, error) { return VJP(g, []int{0, 0}) },
			"f: vjp: parameters [0 0] are not distinct within the graph's 2"},
		{"not scalar", func() (*ir.Graph, error) { return Grad(g, []int{0}) },
			"f: grad: the first result is f32[2], want a floating-point scalar: " +
				"reduce it by Sum or Mean, or use VJP"},
		{"no rule", func() (*ir.Graph, error) { return VJP(g, []int{0}) },
			`f.go:7: gradient: scatteralong: reduction "mul" has no gradient: want none, add, min or max`},
	} {
		_, err := c.call()
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v\nwant %s", c.name, err, c.want)
		}
	}
}
