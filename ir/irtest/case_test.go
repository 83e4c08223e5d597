package irtest_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
)

// TestShuffle runs shuffled graphs: they verify and compute the same.
func TestShuffle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for seed := range uint64(300) {
		c := irtest.Generate(irtest.Config{Seed: seed})
		shuffled := func(g *ir.Graph, in []*ir.Literal) ([]*ir.Literal, error) {
			s := irtest.Shuffle(g, r)
			if err := ir.Verify(s); err != nil {
				return nil, err
			}
			return interpret(s, in)
		}
		if err := c.Check(interpret, shuffled); err != nil {
			t.Fatalf("%v\n%v", err, c.Graph)
		}
	}
}

// TestAllow generates graphs over f32 and a few operations.
func TestAllow(t *testing.T) {
	few := map[ir.Op]bool{ir.OpAdd: true, ir.OpSum: true, ir.OpBroadcast: true, ir.OpParam: true,
		ir.OpConst: true}
	for seed := range uint64(200) {
		c := irtest.Generate(irtest.Config{Seed: seed, Static: true, Flat: true,
			Allow: func(op ir.Op, d ir.DType) bool { return few[op] && d == ir.F32 }})
		for _, v := range c.Graph.Values {
			if !few[v.Op] || v.Type.DType != ir.F32 || !v.Type.Shape.Static() {
				t.Fatalf("seed %d: %s", seed, v.Line())
			}
		}
	}
}

// wrongSub runs g with each f32 sub replaced by add, in regions too.
func wrongSub(g *ir.Graph, in []*ir.Literal) ([]*ir.Literal, error) {
	h, err := g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		if v.Op == ir.OpSub && v.Type.DType == ir.F32 {
			return out.New(v.Pos, ir.OpAdd, nil, args...)
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	return interpret(h, in)
}

// TestShrink finds the wrong operation in large graphs and leaves only it.
func TestShrink(t *testing.T) {
	found := 0
	for seed := uint64(0); found < 10 && seed < 2000; seed++ {
		c := irtest.Generate(irtest.Config{Seed: seed, Size: 25})
		fails := func(c *irtest.Case) bool { return c.Check(interpret, wrongSub) != nil }
		if !fails(c) {
			continue
		}
		found++
		small := irtest.Shrink(c, interpret, fails, 300)
		if n := len(small.Graph.Values); n > 4 || !strings.Contains(ir.Print(small.Graph), "sub <f32") {
			t.Errorf("seed %d shrinks to\n%v", seed, small.Graph)
		}
		back, err := irtest.ParseCase(small.Format())
		if err != nil || !fails(back) {
			t.Errorf("seed %d: error %v\n%s", seed, err, small.Format())
		}
	}
	if found < 10 {
		t.Errorf("%d wrong graphs", found)
	}
}

// TestPrintGenerated prints and parses random graphs.
func TestPrintGenerated(t *testing.T) {
	for seed := range uint64(300) {
		c := irtest.Generate(irtest.Config{Seed: seed, Size: 20})
		once := ir.Print(c.Graph)
		g, err := ir.Parse("", once)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, once)
		}
		if twice := ir.Print(g); twice != once {
			t.Fatalf("seed %d:\n%s\nprinted again\n%s", seed, once, twice)
		}
	}
}

func TestCompareLiterals(t *testing.T) {
	nan, zero := ir.SplatLiteral(ir.F32, []int64{2}, uint32(0x7fc00000)), uint32(1<<31)
	lit := func(bits ...uint32) *ir.Literal {
		return ir.NewLiteral(ir.F32,
			[]int64{int64(len(bits))}, bits)
	}
	one := uint32(0x3f800000)
	for _, c := range []struct {
		got, want *ir.Literal
		b         irtest.Bound
		err       string
	}{
		{nan, lit(0x7fc00001, 0xffc00000), irtest.Bound{}, ""},
		{lit(0), lit(zero), irtest.Bound{}, "element [0] is 0 (0x0), want -0"},
		{lit(0), lit(zero), irtest.Bound{Rel: 1e-7}, ""},
		{lit(one), lit(one + 3), irtest.Bound{}, "allowed difference 0"},
		{lit(one), lit(one + 3), irtest.Bound{Abs: 1e-6}, ""},
		{lit(one, one), lit(one), irtest.Bound{}, "is f32[2], want f32[1]"},
		{lit(0x7f800000), lit(0x7f7fffff), irtest.Bound{Rel: 1e-6}, ""},
		{lit(0x7f800000), lit(one), irtest.Bound{Rel: 1e-6}, "+Inf"},
		{lit(0x7f800000), lit(0x7fc00000), irtest.Bound{Rel: 1e-6}, "NaN"},
	} {
		err := irtest.CompareLiterals(c.got, c.want, c.b)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("error %v, want %q", err, c.err)
		}
	}
}
