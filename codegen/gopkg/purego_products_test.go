package gopkg

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
)

// pureProducts are larger than those of random graphs: columns are packed, for all tasks
// or for each, and blocks have rests.
var pureProducts = []struct {
	text string
	s    int64 // value of the symbol
}{
	{`
	v0 = param <f32[70,33]> {x}
	v1 = param <f32[33,50]> {y}
	v2 = dot <f32[70,50]> v0 v1 {lcontract=[1] rcontract=[0]}
	return v2`, 0},
	{`
	v0 = param <f32[33,65]> {x}
	v1 = param <f32[31,33]> {y}
	v2 = dot <f32[65,31]> v0 v1 {lcontract=[0] rcontract=[1]}
	v3 = param <f32[31]> {z}
	v4 = broadcast <f32[65,31]> v3 {shape=[65,31] axes=[1]}
	v5 = add <f32[65,31]> v2 v4
	v6 = tanh <f32[65,31]> v5
	return v6`, 0},
	{`
	v0 = param <f32[2,S,40]> {x}
	v1 = param <f32[2,40,17]> {y}
	v2 = dot <f32[2,S,17]> v0 v1 {lbatch=[0] rbatch=[0] lcontract=[2] rcontract=[1]}
	return v2`, 19},
	{`
	v0 = param <f32[5,S]> {x}
	v1 = param <f32[S,29]> {y}
	v2 = dot <f32[5,29]> v0 v1 {lcontract=[1] rcontract=[0]}
	return v2`, 0},
	{`
	v0 = param <f32[5,70]> {x}
	v1 = param <f32[70,50]> {y}
	v2 = dot <f32[5,50]> v0 v1 {lcontract=[1] rcontract=[0]}
	v3 = abs <f32[5,50]> v2
	return v3`, 0},
	{`
	v0 = param <f32[1,130]> {x}
	v1 = param <f32[130,50]> {y}
	v2 = dot <f32[1,50]> v0 v1 {lcontract=[1] rcontract=[0]}
	return v2`, 0},
	{`
	v0 = param <f64[66,30]> {x}
	v1 = param <f64[30,22]> {y}
	v2 = dot <f64[66,22]> v0 v1 {lcontract=[1] rcontract=[0]}
	return v2`, 0},
	{`
	v0 = param <f32[1,9,13,11]> {x}
	v1 = param <f32[20,9,3,3]> {y}
	v2 = conv <f32[1,20,13,6]> v0 v1 {stride=[1 2] ATTRS lo=[1 1] hi=[1 1]}
	return v2`, 0},
	{`
	v0 = param <f32[1,24,12,12]> {x}
	v1 = param <f32[33,24,1,1]> {y}
	v2 = conv <f32[1,33,12,12]> v0 v1 {stride=[1 1] ATTRS lo=[0 0] hi=[0 0]}
	return v2`, 0},
}

// TestPureGoProducts compares products in Go with the interpreter.
func TestPureGoProducts(t *testing.T) {
	b := &batch{dir: t.TempDir(), files: Files{}}
	r := rand.New(rand.NewPCG(5, 9))
	for _, p := range pureProducts {
		text := strings.ReplaceAll(p.text, "ATTRS", "dilation=[1 1] indilation=[1 1] groups=1")
		g, err := ir.Parse("product", "graph f"+text+"\n")
		if err != nil {
			t.Fatal(err)
		}
		const digits = 1e-6 // sums are of float64
		c := &irtest.Case{Graph: g, Bounds: slices.Repeat([]irtest.Bound{{Rel: digits, Abs: digits}},
			len(g.Values))}
		var in []*ir.Literal
		for _, v := range g.Params {
			in = append(in, normal(t, r, v.Type, map[string]int64{"S": p.s}))
		}
		c.Inputs = append(c.Inputs, in)
		b.add(t, c)
	}
	b.run(t)
}

// normal is a literal of type of normally distributed elements.
func normal(t *testing.T, r *rand.Rand, of ir.Type, env map[string]int64) *ir.Literal {
	t.Helper()
	l, n := &ir.Literal{DType: of.DType}, int64(1)
	for _, d := range of.Shape {
		k, err := d.Eval(env)
		if err != nil {
			t.Fatal(err)
		}
		l.Shape, n = append(l.Shape, k), n*k
	}
	for range n {
		x := r.NormFloat64()
		if of.DType == ir.F64 {
			l.Data = binary.LittleEndian.AppendUint64(l.Data, math.Float64bits(x))
		} else {
			l.Data = binary.LittleEndian.AppendUint32(l.Data, math.Float32bits(float32(x)))
		}
	}
	return l
}
