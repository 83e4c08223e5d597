package passes

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// viewProgram records random writes through views of views, as a front end
// does: each write goes back to the base step by step.
type viewProgram struct {
	rng   *rand.Rand
	g     *ir.Graph
	base  *ir.Value
	fresh int64 // next element to be written
}

// path is the way from the base to a view: moves with their attributes.
type path []viewMove

type viewMove struct {
	op   ir.Op
	attr ir.Attr
}

func (p *viewProgram) must(op ir.Op, attr ir.Attr, args ...*ir.Value) *ir.Value {
	return p.g.Must(ir.Pos{}, op, attr, args...)
}

// read applies a path to the base.
func (p *viewProgram) read(w path) *ir.Value {
	v := p.base
	for _, m := range w {
		v = p.must(m.op, m.attr, v)
	}
	return v
}

// put is x with val in the place of the view w of it.
func (p *viewProgram) put(x *ir.Value, w path, val *ir.Value) *ir.Value {
	if len(w) == 0 {
		return val
	}
	inner := p.put(p.must(w[0].op, w[0].attr, x), w[1:], val)
	switch a := w[0].attr.(type) {
	case *ir.SliceAttr:
		return p.must(ir.OpUpdateSlice, a, x, inner)
	case *ir.PermAttr:
		inv := make([]int, len(a.Perm))
		for i, q := range a.Perm {
			inv[q] = i
		}
		return p.must(ir.OpTranspose, &ir.PermAttr{Perm: inv}, inner)
	}
	return p.must(ir.OpReshape, &ir.ShapeAttr{Shape: x.Type.Shape}, inner)
}

// extend adds a random move to a path that ends in a value of type t.
func (p *viewProgram) extend(w path, t ir.Type) path {
	n := t.Rank()
	switch k := p.rng.IntN(4); {
	case k == 0 && n > 1:
		perm := p.rng.Perm(n)
		return append(w, viewMove{ir.OpTranspose, &ir.PermAttr{Perm: perm}})
	case k == 1:
		at := p.rng.IntN(n + 1)
		s := append(append(t.Shape[:at:at].Clone(), ir.Const(1)), t.Shape[at:]...)
		return append(w, viewMove{ir.OpReshape, &ir.ShapeAttr{Shape: s}})
	}
	a := &ir.SliceAttr{}
	for _, d := range t.Shape {
		k, _ := d.Int()
		start := p.rng.Int64N(k)
		step, room := 1+p.rng.Int64N(2), k-start
		if p.rng.IntN(3) == 0 {
			step, room = -step, start+1
		}
		most := (room + max(step, -step) - 1) / max(step, -step)
		a.Start = append(a.Start, ir.Const(start))
		a.Step = append(a.Step, step)
		a.Shape = append(a.Shape, ir.Const(1+p.rng.Int64N(most)))
	}
	return append(w, viewMove{ir.OpSlice, a})
}

func (p *viewProgram) randomPath() path {
	var w path
	for range 1 + p.rng.IntN(3) {
		w = p.extend(w, p.read(w).Type)
	}
	return w
}

// newElements is a constant of elements that occur nowhere else.
func (p *viewProgram) newElements(t ir.Type) *ir.Value {
	shape, _ := t.Shape.Ints()
	n, _ := t.Shape.Size().Int()
	data := make([]int64, n)
	for i := range data {
		p.fresh++
		data[i] = p.fresh
	}
	return p.must(ir.OpConst, &ir.ConstAttr{Value: ir.NewLiteral(ir.I64, shape, data)})
}

// TestFunctionalizeRandom compares random programs of reads and writes through
// views before and after the pass: all are moves, so results agree exactly.
func TestFunctionalizeRandom(t *testing.T) {
	for seed := range uint64(300) {
		p := &viewProgram{rng: rand.New(rand.NewPCG(seed, 7)), g: ir.NewGraph("f"), fresh: 1000}
		x := p.g.Param("x", ir.T(ir.I64, ir.Const(4), ir.Const(5)), ir.Pos{})
		p.base = x
		var results []*ir.Value
		for range 5 {
			if p.rng.IntN(2) == 0 {
				results = append(results, p.read(p.randomPath()))
			}
			w := p.randomPath()
			p.base = p.put(p.base, w, p.newElements(p.read(w).Type))
		}
		results = append(results, p.base)
		p.g.SetResults(make([]string, len(results)), results...)
		out, err := functionalize(nil, p.g)
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, p.g)
		}
		data := make([]int64, 20)
		for i := range data {
			data[i] = int64(i)
		}
		in := []*interp.Tensor{interp.FromSlice(ir.I64, []int64{4, 5}, data)}
		want, err := interp.Run(p.g, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.Run(out, in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s\n%v\nbecame\n%v", seed, diff, p.g, out)
		}
	}
}
