package codegen

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/runtime"
)

// exactly runs a graph at each level and compares bits with the interpreter's.
func exactly(t *testing.T, text string) {
	t.Helper()
	exactlyBelow(t, text, 120)
}

// exactlyBelow is exactly with indices, which are integers, below n.
func exactlyBelow(t *testing.T, text string, n int) {
	t.Helper()
	g, err := ir.Parse("test.tir", text)
	if err != nil {
		t.Fatal(err)
	}
	c := &irtest.Case{Seed: 2, Graph: g, Bounds: make([]irtest.Bound, len(g.Values))}
	rng := rand.New(rand.NewPCG(1, 2))
	var in []*ir.Literal
	for _, p := range g.Params {
		l := &ir.Literal{DType: p.Type.DType}
		for _, d := range p.Type.Shape {
			n, _ := d.Int()
			l.Shape = append(l.Shape, n)
		}
		l.Data = make([]byte, l.Size()*int64(l.DType.Size()))
		for i := range l.Data {
			switch {
			case l.DType == ir.Bool:
				l.Data[i] = byte(rng.IntN(2))
			case !l.DType.IsInt():
				l.Data[i] = byte(rng.IntN(120)) // no NaN, whose bits need not stay
			case i%l.DType.Size() == 0:
				l.Data[i] = byte(rng.IntN(n))
			}
		}
		in = append(in, l)
	}
	c.Inputs = [][]*ir.Literal{in}
	want, err := wanted(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range vectorLevels(t) {
		s := newSubject(c, []string{level})
		if err := compileAll([]*subject{s}, []string{level}); err != nil {
			t.Fatal(err)
		}
		if s.err != nil {
			t.Fatal(s.err)
		}
		if err := s.run(level, want); err != nil {
			t.Errorf("%s: %v\n%s", level, err, text)
		}
	}
}

func TestTranspose(t *testing.T) {
	for _, d := range []string{"bool", "i16", "bf16", "f16", "f32", "i64", "f64"} {
		text, results := "graph f\n", ""
		for i, s := range []string{"64,48", "33,47", "7,16", "5,4", "3,100"} {
			text += fmt.Sprintf("\tv%d = param <%s[%s]> {x%[1]d}\n", i, d, s)
			results += fmt.Sprintf(" v%d", i+5)
		}
		for i := range 5 {
			text += fmt.Sprintf("\tv%d = transpose v%d {[1 0]}\n", i+5, i)
		}
		exactly(t, text+"\treturn"+results+"\n")
	}
	exactly(t, moved("transpose", "5,18,7,20", "{[3 2 1 0]}"))
	exactly(t, moved("transpose", "3,20,17,33", "{[0 2 3 1]}"))
}

func TestGather(t *testing.T) {
	exactly(t, gathered("130,33", "50", 0))
	exactly(t, gathered("130,8", "3,5", 0))
	exactly(t, gathered("5,130", "47", 1))
	exactlyBelow(t, gathered("6,19", "23", 1), 19) // not many columns
	exactlyBelow(t, gathered("9,3", "40", 1), 3)
	exactly(t, strings.ReplaceAll(gathered("40,200", "101", 1), "i64", "i32"))
	for _, d := range []string{"bool", "bf16", "f32", "f64"} { // two rows at a time, or more
		exactly(t, strings.ReplaceAll(gathered("36,130", "239", 1), "f32", d))
		exactly(t, strings.ReplaceAll(gathered("37,130", "239", 1), "f32", d))
	}
	exactly(t, gathered("5,130,3", "2100", 1))
	exactly(t, gathered("130", "7", 0))
	exactly(t, gathered("130,0", "7", 0))
}

// TestStreamed runs kernels whose results are written around the caches, also
// to memory that does not lie at a multiple of a vector.
func TestStreamed(t *testing.T) {
	if n := int64(1928 * 1936 * 4); n < schedule.Targets["x86-64-v4"].Stream {
		t.Fatalf("results of %d bytes are not written around the caches", n)
	}
	exactly(t, moved("transpose", "1928,1936", "{[1 0]}"))
	exactly(t, moved("transpose", "1913,1937", "{[1 0]}"))
	exactly(t, moved("transpose", "2100,1800", "{[1 0]}"))
	exactly(t, moved("transpose", "3,1100,1103", "{[0 2 1]}"))
	exactly(t, moved("transpose", "12,512,640", "{[0 2 1]}"))
	exactly(t, moved("transpose", "2048,1801", "{[1 0]}"))
	exactly(t, strings.ReplaceAll(moved("transpose", "2688,2752", "{[1 0]}"), "f32", "bf16"))
	exactly(t, strings.ReplaceAll(moved("transpose", "2777,2600", "{[1 0]}"), "f32", "bf16"))
	exactly(t, strings.ReplaceAll(moved("transpose", "1301,1403", "{[1 0]}"), "f32", "f64"))
	exactly(t, moved("transpose", "4,520,30,64", "{[0 2 1 3]}"))
	exactly(t, moved("slice", "3791,1003", "{start=[1,1] step=[1,1] shape=[3790,1001]}"))
	exactly(t, gathered("130,64", "58000", 0))
	exactly(t, gathered("58000,64", "58001", 0))
	exactly(t, gathered("4000,1000", "928", 1))
	exactly(t, gathered("4000,1000", "1001", 1))
	for _, level := range vectorLevels(t) {
		m, in := loadText(t, moved("abs", "1928,1937", ""), level, 2)
		const n = 1928 * 1937
		memory := make([]float32, n+64)
		whole, err := m.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := whole[0].Bytes()
		for _, at := range []int{0, 1, 16} {
			out := runtime.MustFrom(memory[at:at+n], 1928, 1937)
			if err := m.RunInto([]*runtime.Tensor{out}, in); err != nil {
				t.Fatal(err)
			}
			if got, _ := out.Bytes(); !bytes.Equal(got, want) {
				t.Errorf("%s: results differ at offset %d", level, at)
			}
		}
		m.Close()
	}
}

// TestStreamedPlaces has places outside of what is gathered from at the end, which
// memory is asked for at before they are checked.
func TestStreamedPlaces(t *testing.T) {
	for _, level := range vectorLevels(t) {
		rows, columns := gathered("58000,64", "58000", 0), gathered("3700,1000", "1000", 1)
		for _, text := range []string{rows, columns} {
			m, in := loadText(t, text, level, 1)
			places, _ := runtime.Slice[int64](in[1])
			for _, bad := range []int64{-1, 58000, math.MinInt64, math.MaxInt64, 1 << 40} {
				places[len(places)-1] = bad
				if _, err := m.Run(in); err == nil {
					t.Errorf("%s: place %d was taken", level, bad)
				}
			}
			m.Close()
		}
	}
}
