package passes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// TestRulesAreSound makes a graph that each rule matches, applies the rule,
// and compares the bits of both sides on random inputs, NaN, infinities and -0
// among them. Rules of class ulp may differ by 2 ulp; those of class real are
// shown to be real: some input tells their sides apart.
func TestRulesAreSound(t *testing.T) {
	for _, r := range canonRules.Rules {
		t.Run(r.Name, func(t *testing.T) {
			matched, most := 0, 0.0
			for _, d := range []ir.DType{ir.F32, ir.F16, ir.I32, ir.U8, ir.Bool} {
				for seed := range uint64(4) {
					in := instantiate(r, d, seed)
					if in == nil {
						continue
					}
					out, fired := applyRule(r, in)
					if !fired {
						continue
					}
					matched++
					worst := compareSides(t, in, out, seed)
					most = max(most, worst)
					switch {
					case r.Class == rewrite.Exact && worst != 0:
						t.Errorf("%v: sides differ by %v ulp:\n%v\n%v", d, worst, in, out)
					case r.Class == rewrite.ULP && worst > 2:
						t.Errorf("%v: sides differ by %v ulp", d, worst)
					}
				}
			}
			if matched == 0 {
				t.Errorf("no instance of the rule fires: %s", r.Text)
			}
			// div-const is tried with powers of two, for which it is exact.
			if r.Class == rewrite.Real && most == 0 && r.Name != "div-const" {
				t.Errorf("no input tells the sides apart: is the rule exact?")
			}
		})
	}
}

// applyRule applies one rule to the result of g, and reports whether it fired.
func applyRule(r *rewrite.Rule, g *ir.Graph) (*ir.Graph, bool) {
	fired := false
	out, err := g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		nv, err := out.New(v.Pos, v.Op, v.Attr, args...)
		if err != nil || v != g.Results[0] {
			return nv, err
		}
		to, by := canonRules.Apply(out, nv, func(x *rewrite.Rule) bool { return x == r })
		if by == nil {
			return nv, nil
		}
		fired = true
		return to, nil
	})
	if err != nil {
		panic(err)
	}
	return out, fired
}

// maker builds a graph from a pattern.
type maker struct {
	g    *ir.Graph
	r    *rand.Rand
	d    ir.DType
	vars map[string]*ir.Value
}

// instantiate returns a graph that has the form of the rule's pattern with
// elements of type d, or nil where the types do not fit.
func instantiate(r *rewrite.Rule, d ir.DType, seed uint64) *ir.Graph {
	m := &maker{g: ir.NewGraph("rule"), r: rand.New(rand.NewPCG(seed, 1)), d: d,
		vars: map[string]*ir.Value{}}
	shape := []ir.Shape{ir.Dims(3, 5), ir.Dims(1, 4), ir.Dims(2, 1, 7), ir.Dims(6, 2)}[seed]
	v := m.make(r.From, ir.Of(d, shape))
	if v == nil {
		return nil
	}
	m.g.SetResults(nil, v)
	return m.g
}

// make builds e; an elementwise operation has arguments of type t.
func (m *maker) make(e *rewrite.Expr, t ir.Type) *ir.Value {
	switch e.Kind {
	case rewrite.Var:
		if v := m.vars[e.Name]; v != nil {
			return v
		}
		v := m.variable(e.Name, t)
		m.vars[e.Name] = v
		return v
	case rewrite.Number:
		return rewrite.Number64(m.g, ir.Pos{}, t, e.Num)
	}
	var args []*ir.Value
	for i, a := range e.Args {
		want := t
		switch {
		case e.Op == ir.OpSelect && i == 0:
			want = t.With(ir.Bool)
		case e.Op.Is(ir.Compares):
			want = t.With(m.d)
		case e.Op == ir.OpPad && i == 1:
			want = ir.T(t.DType)
		}
		v := m.make(a, want)
		if v == nil {
			return nil
		}
		args = append(args, v)
	}
	attr, ok := m.attr(e.Op, args[0].Type)
	if !ok {
		return nil
	}
	v, err := m.g.New(ir.Pos{}, e.Op, attr, args...)
	if err != nil {
		return nil
	}
	return v
}

// variable is a parameter, or a power of two for the constants of rules, which
// are called c.
func (m *maker) variable(name string, t ir.Type) *ir.Value {
	if name == "c" && t.DType != ir.Bool {
		return rewrite.Number64(m.g, ir.Pos{}, t, math.Ldexp(1, m.r.IntN(5)-2))
	}
	return m.g.Param(name, t, ir.Pos{})
}

// attr makes an attribute for op on a value of type t, at times a trivial one.
func (m *maker) attr(op ir.Op, t ir.Type) (ir.Attr, bool) {
	s, trivial := t.Shape, m.r.IntN(2) == 0
	switch op {
	case ir.OpCast:
		all := []ir.DType{ir.F32, ir.F16, ir.F64, ir.I32, ir.I64, ir.U8, ir.I8, ir.Bool}
		if trivial {
			return &ir.DTypeAttr{DType: m.d}, true
		}
		return &ir.DTypeAttr{DType: all[m.r.IntN(len(all))]}, true
	case ir.OpBitcast:
		same := map[ir.DType]ir.DType{ir.F32: ir.I32, ir.I32: ir.F32, ir.F16: ir.U16, ir.U16: ir.F16,
			ir.U8: ir.I8, ir.I8: ir.U8}
		if trivial || same[t.DType] == 0 {
			return &ir.DTypeAttr{DType: t.DType}, true
		}
		return &ir.DTypeAttr{DType: same[t.DType]}, true
	case ir.OpReshape:
		if trivial {
			return &ir.ShapeAttr{Shape: s}, true
		}
		return &ir.ShapeAttr{Shape: ir.Shape{s.Size(), ir.Const(1)}}, true
	case ir.OpTranspose:
		perm := m.r.Perm(len(s))
		if trivial {
			for i := range perm {
				perm[i] = i
			}
		}
		return &ir.PermAttr{Perm: perm}, true
	case ir.OpConcat:
		return &ir.AxisAttr{Axis: m.r.IntN(len(s))}, true
	}
	return m.shapeAttr(op, s, trivial)
}

func (m *maker) shapeAttr(op ir.Op, s ir.Shape, trivial bool) (ir.Attr, bool) {
	switch op {
	case ir.OpBroadcast:
		a := &ir.BroadcastAttr{Shape: s.Clone()}
		for i := range s {
			a.Axes = append(a.Axes, i)
			if !trivial {
				a.Axes[i]++
			}
		}
		if !trivial {
			a.Shape = append(ir.Dims(int64(1+m.r.IntN(2))), s...)
		}
		return a, true
	case ir.OpSlice:
		a := &ir.SliceAttr{}
		for _, d := range s {
			n, _ := d.Int()
			start, step := int64(0), int64(1)
			if !trivial {
				start, step = m.r.Int64N(n), []int64{1, 2, -1}[m.r.IntN(3)]
			}
			count := (n-1-start)/max(step, 1) + 1
			if step < 0 {
				count = start + 1
			}
			a.Start, a.Step = append(a.Start, ir.Const(start)), append(a.Step, step)
			a.Shape = append(a.Shape, ir.Const(count))
		}
		return a, true
	case ir.OpPad:
		zero := make([]int64, len(s))
		return &ir.PadAttr{Lo: ir.Dims(zero...), Hi: ir.Dims(zero...)}, true
	}
	return nil, true
}

// compareSides returns the largest difference of the results in units in the
// last place; for anything but floats, 1 where bits differ. NaN equals NaN.
func compareSides(t *testing.T, a, b *ir.Graph, seed uint64) float64 {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	var in []*interp.Tensor
	for _, p := range a.Params {
		shape, _ := p.Type.Shape.Ints()
		in = append(in, hostileTensor(t, r, p.Type.DType, shape))
	}
	want, err := interp.Run(a, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.Run(b, in)
	if err != nil {
		t.Fatal(err)
	}
	return ulps(want[0], got[0])
}

// hostileTensor has random elements with special values among them.
func hostileTensor(t *testing.T, r *rand.Rand, d ir.DType, shape []int64) *interp.Tensor {
	t.Helper()
	x := randomTensor(t, r, d, shape)
	if d != ir.F32 && d != ir.F16 {
		for i := range x.Data {
			if x.Data[i] = byte(r.IntN(256)); d == ir.Bool {
				x.Data[i] &= 1
			}
		}
		return x
	}
	special := map[ir.DType][]uint32{
		ir.F32: {1 << 31, 0, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x7f7fffff, 0x3f800000},
		ir.F16: {1 << 15, 0, 0x7c00, 0xfc00, 0x7e00, 1, 0x7bff, 0x3c00},
	}[d]
	size := d.Size()
	for i := 0; i < len(x.Data); i += size {
		if r.IntN(3) == 0 {
			u := special[r.IntN(len(special))]
			for j := range size {
				x.Data[i+j] = byte(u >> (8 * j))
			}
		}
	}
	return x
}

func ulps(a, b *interp.Tensor) float64 {
	if fmt.Sprint(a) != fmt.Sprint(b) {
		return math.Inf(1)
	}
	if a.DType != ir.F32 {
		return halfUlps(a, b)
	}
	x, y := ir.Elements[float32](a.Literal()), ir.Elements[float32](b.Literal())
	worst := 0.0
	for i := range x {
		p, q := math.Float32bits(x[i]), math.Float32bits(y[i])
		if p != q && !(x[i] != x[i] && y[i] != y[i]) {
			worst = max(worst, math.Abs(ordered(p)-ordered(q)))
		}
	}
	return worst
}

// ordered numbers the floats in order; -0 comes just before 0.
func ordered(bits uint32) float64 {
	if bits>>31 != 0 {
		return -float64(bits&(1<<31-1)) - 1
	}
	return float64(bits)
}

func halfUlps(a, b *interp.Tensor) float64 {
	size := a.DType.Size()
	worst := 0.0
	for i := 0; i < len(a.Data); i += size {
		p, q := a.Data[i:i+size], b.Data[i:i+size]
		if string(p) == string(q) {
			continue
		}
		if a.DType == ir.F16 {
			u, v := uint16(p[0])|uint16(p[1])<<8, uint16(q[0])|uint16(q[1])<<8
			if u&0x7fff > 0x7c00 && v&0x7fff > 0x7c00 {
				continue
			}
			worst = max(worst, math.Abs(float64(u)-float64(v)))
			continue
		}
		worst = max(worst, 1)
	}
	return worst
}
