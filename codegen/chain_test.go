package codegen

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/runtime"
)

// chainOf is the text of a depthwise convolution with a bias and a limit, a
// pointwise one that reads it, and what may be behind that. Between the two lie
// more bytes than stay near.
func chainOf(r *rand.Rand, batch string) string {
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	c, o := pick(3, 5, 16, 24, 33), pick(1, 3, 8, 24, 37)
	kh, sh, dh := pick(1, 2, 3, 5), pick(1, 1, 2), pick(1, 2)
	kw, sw, dw := pick(2, 3), pick(1, 1, 2, 3), pick(1, 1, 3)
	top, bottom, left, right := pick(0, 1, 2), pick(0, 1, 2), pick(0, 1), pick(0, 1, 3)
	oh := pick(7, 16, 31, 90, 200)
	ow := (1<<18/c + oh) / oh
	h, w := (oh-1)*sh+(kh-1)*dh+1-top-bottom, (ow-1)*sw+(kw-1)*dw+1-left-right
	if h < 1 || w < 1 {
		return chainOf(r, batch)
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "\t"+format+"\n", args...) }
	mid := fmt.Sprintf("%s,%d,%d,%d", batch, c, oh, ow)
	out := fmt.Sprintf("%s,%d,%d,%d", batch, o, oh, ow)
	line("v0 = param <f32[%s,%d,%d,%d]> {x}", batch, c, h, w)
	line("v1 = param <f32[%d,1,%d,%d]> {w}", c, kh, kw)
	line("v2 = param <f32[%d]> {b}", c)
	line("v3 = param <f32[%d,%d,1,1]> {u}", o, c)
	line("v4 = param <f32[%s]> {r}", out)
	line("v5 = conv <f32[%s]> v0 v1 {stride=[%d %d] dilation=[%d %d] indilation=[1 1] lo=[%d,%d] "+
		"hi=[%d,%d] groups=%d}", mid, sh, sw, dh, dw, top, left, bottom, right, c)
	line("v6 = broadcast <f32[%s]> v2 {shape=[%s] axes=[1]}", mid, mid)
	line("v7 = add <f32[%s]> v5 v6", mid)
	line("v8 = const <f32[]> {0.25}")
	line("v9 = broadcast <f32[%s]> v8 {shape=[%s]}", mid, mid)
	line("v10 = max <f32[%s]> v7 v9", mid)
	line("v11 = conv <f32[%s]> v10 v3 {stride=[1 1] dilation=[1 1] indilation=[1 1] lo=[0,0] "+
		"hi=[0,0] groups=1}", out)
	result := 11
	if r.IntN(2) == 0 {
		line("v12 = add <f32[%s]> v11 v4", out)
		line("v13 = tanh <f32[%s]> v12", out)
		result = 13
	}
	line("return v%d", result)
	return "graph f\n" + b.String()
}

// TestChain compares depthwise convolutions that are computed for the pointwise
// ones that read them with the interpreter, at all levels, and checks that there
// is one kernel for both, with the same bits on any number of threads.
func TestChain(t *testing.T) {
	n := 24
	if testing.Short() {
		n = 6
	}
	levels := nativeLevels(t)
	for seed := range uint64(n) {
		batch := []string{"1", "N", "2"}[seed%3]
		text := chainOf(rand.New(rand.NewPCG(seed, 1)), batch)
		g, err := ir.Parse("f", text)
		if err != nil {
			t.Fatal(err)
		}
		c := &irtest.Case{Seed: seed, Graph: g, Bounds: make([]irtest.Bound, len(g.Values))}
		for i := range c.Bounds {
			c.Bounds[i] = irtest.Bound{Abs: 1e-4}
		}
		c.Inputs = append(c.Inputs, smallInputs(g, map[string]int64{"N": 1 + int64(seed%2)}))
		want, err := wanted(c)
		if err != nil {
			t.Fatal(err)
		}
		s := newSubject(c, levels)
		if err := compileAll([]*subject{s}, levels); err != nil || s.err != nil {
			t.Fatal(text, err, s.err)
		}
		if n := regionsOf(s.a.Graph, "chain"); n != 1 {
			t.Errorf("%d chains, want 1:\n%s", n, ir.Print(s.a.Graph))
		}
		for _, level := range levels {
			if err := guard(func() error { return s.run(level, want) }); err != nil {
				t.Errorf("%s: %v\n%s", level, err, text)
			}
		}
		sameBits(t, s, levels[0])
	}
}

// sameBits checks that a case has the same results for 1, 2 and 5 threads.
func sameBits(t *testing.T, s *subject, level string) {
	t.Helper()
	var first []byte
	for _, threads := range []int{1, 2, 5} {
		m, err := s.load(level, runtime.WithThreads(threads))
		if err != nil {
			t.Fatal(err)
		}
		out, err := runModel(m, s.c.Inputs[0], false)
		m.Close()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out[0].Data
		} else if !bytes.Equal(first, out[0].Data) {
			t.Errorf("%s: other bits on %d threads than on one", level, threads)
		}
	}
}

// regionsOf counts the regions of a kind.
func regionsOf(g *ir.Graph, kind string) int {
	n := 0
	for _, v := range g.Values {
		if a, ok := v.Attr.(*ir.FuseAttr); ok && a.Kind == kind {
			n++
		}
	}
	return n
}
