package ir

import (
	"math"
	"slices"
	"strings"
	"testing"
)

const exampleText = `graph example
	v0 = param <f32[N,4]> {x}                        # model.tir:3
	v1 = param <bool[]> {"a b"}                      # @Relu:0
	v2 = const <f32[4]> {[1 -0 nan nan:0x7fc00001]}  # "a:b":7 @"x y"
	v3 = const <f16[2,3]> {0.099975586}
	v4 = const <i64[0]> {[]}
	v5 = const <string[2]> {["a" "b \" \xff"]}
	v6 = broadcast <f32[N,4]> v2 {shape=[N,4] axes=[1]}
	v7 = add <f32[N,4]> v0 v6
	v8 = sum <f32[N]> v7 {[1]}
	v9 = dot <f32[N,N]> v0 v7 {lcontract=[1] rcontract=[1]}
	v10 = argsort <i64[N]> v8 {axis=0 desc=true}
	v11 = if <(f32[K,4], i64[])> v1 v7 {syms=[K] thendims=[((N+1)/2)] elsedims=[1]}
			then graph t
				v0 = param <f32[N,4]> {p}
				v1 = slice <f32[((N+1)/2),4]> v0 {start=[0,0] step=[2 1] shape=[((N+1)/2),4]}
				v2 = const <i64[]> {-9223372036854775808}
				return v1 v2
			else graph e
				v0 = param <f32[N,4]> {p}
				v1 = const <f32[1,4]> {0.5}
				v2 = const <i64[]> {2}
				return v1 v2
	v12 = get <f32[K,4]> v11 {0}
	v13 = reshape <f32[max(2*K,K),2,2]> v12 {[max(2*K,K),2,2]}
	return y=v12 "z z"=v9 v=v10 s=v5
`

func mustParse(t *testing.T, text string) *Graph {
	t.Helper()
	g, err := Parse("", text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestParsePrint(t *testing.T) {
	text := strings.Replace(exampleText, "argsort <i64[N]> v8 {axis=0 desc=true}",
		"argsort <i64[N]> v8 {desc=true}", 1)
	g := mustParse(t, exampleText)
	once := Print(g)
	want := strings.Split(text, "\n")
	for i, line := range strings.Split(once, "\n") {
		if !slices.Equal(strings.Fields(line), strings.Fields(want[i])) {
			t.Errorf("line %d:\n%s\nwant\n%s", i, line, want[i])
		}
	}
	h := mustParse(t, once)
	if twice := Print(h); once != twice {
		t.Errorf("printed again:\n%s\nfirst:\n%s", twice, once)
	}
	for i, v := range g.Values {
		if w := h.Values[i]; v.Pos != w.Pos || !v.Type.Equal(w.Type) {
			t.Errorf("%v has position %v, parsed again %v", v, v.Pos, w.Pos)
		}
	}
	if p := g.Values[2].Pos; p != (Pos{File: "a:b", Line: 7, Node: "x y"}) {
		t.Errorf("position %+v", p)
	}
	data := Elements[uint32](g.Values[2].Attr.(*ConstAttr).Value)
	if data[1] != 1<<31 || data[2] != 0x7fc00000 || data[3] != 0x7fc00001 {
		t.Errorf("data %#x", data)
	}
}

// TestLiteralText prints and parses constants of all types and many bits.
func TestLiteralText(t *testing.T) {
	for d := Bool; d < String; d++ {
		for _, n := range []int{0, 1, 2, 7, inlineElements, inlineElements + 1, 300} {
			for _, splat := range []bool{false, true} {
				l := &Literal{DType: d, Shape: []int64{int64(n)}, Splat: splat && n != 1}
				if l.Splat {
					l.Shape = []int64{3, 2}
				}
				lo, hi, bounded := byteRange(d)
				for i := range max(n, 1) * d.Size() {
					c := byte(i*i*37 + i>>3)
					if bounded {
						c = byte(lo + i%(hi-lo+1))
					}
					if i < n*d.Size() && (!l.Splat || i < d.Size()) {
						l.Data = append(l.Data, c)
					}
				}
				if l.Splat && n == 0 {
					continue
				}
				g := NewGraph("g")
				g.SetResults(nil, g.Must(Pos{}, OpConst, &ConstAttr{Value: l}))
				m := mustParse(t, Print(g)).Values[0].Attr.(*ConstAttr).Value
				if m.DType != d || string(m.Data) != string(l.Data) || m.Splat != l.Splat {
					t.Errorf("%v: %+v, want %+v\n%s", d, m, l, Print(g))
				}
			}
		}
	}
	for _, v := range []float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324, 0.1, 1e300} {
		l := NewLiteral(F64, nil, []float64{v})
		s := l.elementTexts()[0]
		if bits, err := parseElement(F64, s); err != nil || bits != math.Float64bits(v) {
			t.Errorf("%v prints as %s, read as %v", v, s, math.Float64frombits(bits))
		}
	}
}

func TestElide(t *testing.T) {
	g := NewGraph("g")
	short := NewLiteral(I32, []int64{20}, make([]int32, 20))
	long := NewLiteral(F32, []int64{1000}, make([]float32, 1000))
	g.SetResults(nil, g.Must(Pos{}, OpConst, &ConstAttr{Value: short}),
		g.Must(Pos{}, OpConst, &ConstAttr{Value: long}))
	want := `graph g
	v0 = const <i32[20]> {[0 0 0 0 0 0 0 0 ...]}
	v1 = const <f32[1000]> {... 4000 bytes}
	return v0 v1
`
	if got := g.String(); got != want {
		t.Errorf("got\n%s", got)
	}
	if _, err := Parse("", g.String()); err == nil {
		t.Error("elided text parses")
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "the text ends"},
		{"graph", "want a word"},
		{"graph g\n", "want return"},
		{"graph g\n\treturn v0\n", `line 2: no value "v0"`},
		{"graph g\n\tv0 = foo\n", `line 2: unknown operation "foo"`},
		{"graph g\n\tv0 = invalid\n", "unknown operation"},
		{"graph g\n\tv0 = param {x}\n", "param needs a type"},
		{"graph g\n\tv0 = param <f32[2] {x}\n", "want '>'"},
		{"graph g\n\tv0 = param <f32[-1]> {x}\n\treturn\n", "g4: param: c0"},
		{"graph g\n\tv0 = param <f33[2]> {x}\n", "unknown element type"},
		{"graph g\n\tv0 = const <f32[2]> {[1 2 3]}\n", "12 bytes for 2 elements"},
		{"graph g\n\tv0 = const <f32[2]>\n", "attribute {value} missing"},
		{"graph g\n\tv0 = const <u8[2]> {[1 256]}\n", `"256" is not an element of u8`},
		{"graph g\n\tv0 = const <u8[3037000500,3037000500,2]> {1}\n", "overflows int64"},
		{"graph g\n\tv0 = param <f32[2]> {x}\n\tv0 = neg v0\n", "line 3: second value v0"},
		{"graph g\n\tv0 = param <f32[2]> {x}\n\tv1 = neg v0 v0\n", "neg: c0: 2 arguments, want 1"},
		{"graph g\n\tv0 = param <f32[2]> {x}\n\tv1 = neg <f64[2]> v0\n",
			"the type is f32[2], the text says f64[2]"},
		{"graph g\n\tv0 = param <f32[2]> {x}\n\tv1 = sum v0 {[0] [0]}\n", "no such field, or twice"},
		{"graph g\n\tv0 = param <f32[2]> {x}\n\tv1 = fuse v0 {kind=loop}\n\treturn v1\n",
			`want "body graph NAME"`},
		{"graph g\n\treturn\nx\n", "after the end"},
		{"graph g\n\tv0 = param <f32[N/0]> {x}\n\treturn\n", "g7: symbol N of (N/0) is not bound"},
	} {
		_, err := Parse("", tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q\n\terror %v\n\twant %s", tc.text, err, tc.want)
		}
	}
	_, err := Parse("m.tir", "graph g\n\tv0 = foo\n")
	if err == nil || !strings.HasPrefix(err.Error(), "m.tir:2: ") {
		t.Errorf("error %v", err)
	}
	deep := strings.Repeat("graph g\nv0 = fuse {kind=a}\nbody ", 100)
	if _, err := Parse("", deep); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("error %.200v", err)
	}
}

func TestParsePositions(t *testing.T) {
	g, err := Parse("m.tir", "graph g\n\n# comment line\n\tv0 = param <f32[]> {x}\n"+
		"\tv1 = neg v0 # made by hand\n\tv2 = abs v1 # a.go:4\n\treturn v2\n")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Pos{
		{File: "m.tir", Line: 4}, {File: "m.tir", Line: 5}, {File: "a.go", Line: 4},
	} {
		if got := g.Values[i].Pos; got != want {
			t.Errorf("%v: %v, want %v", g.Values[i], got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(exampleText)
	for _, op := range Ops() {
		f.Add("graph g\n\tv0 = param <f32[4,N]> {x}\n\tv1 = " + op.String() + " v0 {[0]}\n\treturn v1\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := Parse("", text)
		if err != nil {
			return
		}
		once := Print(g)
		h, err := Parse("", once)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice := Print(h); once != twice {
			t.Fatalf("first:\n%s\nagain:\n%s", once, twice)
		}
	})
}
