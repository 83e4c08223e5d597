package ir

import (
	"regexp"
	"strings"
	"testing"
)

// good is a graph that the negative tests spoil.
const good = `graph g
	v0 = param <f32[N,2]> {x}
	v1 = param <f32[N,2]> {y}
	v2 = add <f32[N,2]> v0 v1
	v3 = mul <f32[N,2]> v2 v1
	v4 = const <f32[2]> {[1 2]}
	v5 = fuse <f32[N,2]> v0 {kind=loop}
		body graph b
			v0 = param <f32[N,2]> {p}
			v1 = neg <f32[N,2]> v0
			return v1
	v6 = nonzero <i64[2,K]> v0 {[K]}
	return a=v3 b=v5 c=v6
`

// spoilers break good, keyed by what the verifier says of it then.
var spoilers = map[string]func(g *Graph){
	"g1: value 2 has ID 7":           func(g *Graph) { g.Values[2].ID = 7 },
	"g1: value 3 is nil":             func(g *Graph) { g.Values[3] = nil },
	"g2: argument 1 of v2 is not an": func(g *Graph) { g.Values[2].Args[1] = g.Values[3] },
	"g2: argument 0 of v2 is not an": func(g *Graph) {
		g.Values[2].Args = []*Value{{ID: 0, Type: g.Values[0].Type}, g.Values[1]}
	},
	"g3: the type of v2 is f32[N,2], it says f32[N]": func(g *Graph) {
		g.Values[2].Type = T(F32, Sym("N"))
	},
	"g3: add: c1": func(g *Graph) {
		g.Values[2].Args = []*Value{g.Values[0], g.Values[0]}
		g.Values[0].Type.DType = F64
		g.Values[2].Args[1] = g.Values[1]
	},
	"g3: v2 has no operation":       func(g *Graph) { g.Values[2].Op = numOps },
	"g4: 1 parameters are declared": func(g *Graph) { g.Params = g.Params[:1] },
	`g4: second parameter with the name "x"`: func(g *Graph) {
		g.Values[1].Attr = &ParamAttr{Name: "x"}
	},
	"g4: a parameter of type ()":             func(g *Graph) { g.Values[1].Type = TupleOf() },
	"g5: result 0 is not a value":            func(g *Graph) { g.Results[0] = &Value{ID: 3} },
	"g5: 1 result names for 3 results":       func(g *Graph) { g.ResultNames = []string{"a"} },
	`g5: two results have the name "a"`:      func(g *Graph) { g.ResultNames[1] = "a" },
	"v5: g6: body: graph b: g1: value 1 has": func(g *Graph) { fuseBody(g).Values[1].ID = 0 },
	"v5: g6: body: graph b: g2: argument 0": func(g *Graph) {
		fuseBody(g).Values[1].Args[0] = g.Values[0]
	},
	"v5: g6: body: graph b: g3: the type": func(g *Graph) { fuseBody(g).Values[1].Type = T(F32) },
	"g7: symbol M of M is not bound":      func(g *Graph) { bad(g, Sym("M")) },
	"g7: symbol overflow of overflow":     func(g *Graph) { bad(g, overflowed()) },
	"g7: symbol N of 2*N is not bound":    func(g *Graph) { spoilParams(g) },
	"g8: v6 binds N, which is bound before": func(g *Graph) {
		g.Values[6].Attr = &DimsAttr{Shape{Sym("N")}}
		g.Values[6].Type.Shape[1] = Sym("N")
	},
	"g9: v3 equals v2": func(g *Graph) {
		g.Values[3].Op = OpAdd
		g.Values[3].Args = g.Values[2].Args
	},
	"g10: const: 4 bytes for 2 elements": func(g *Graph) {
		g.Values[4].Attr.(*ConstAttr).Value.Data = make([]byte, 4)
	},
}

// fuseBody is the body of v5.
func fuseBody(g *Graph) *Graph { return g.Values[5].Attr.(*FuseAttr).Body }

func TestVerifyLabels(t *testing.T) {
	seen := map[string]bool{}
	for want, spoil := range spoilers {
		g := mustParse(t, good)
		spoil(g)
		err := Verify(g)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\n\twant %s", err, want)
		}
		for _, label := range regexp.MustCompile(`g[0-9]+:`).FindAllString(want, -1) {
			seen[label] = true
		}
	}
	for _, label := range []string{"g1:", "g2:", "g3:", "g4:", "g5:", "g6:", "g7:", "g8:", "g9:",
		"g10:"} {
		if !seen[label] {
			t.Errorf("no negative test for %s", label)
		}
	}
}

// bad appends dims {d}.
func bad(g *Graph, d Dim) { g.Must(Pos{}, OpDims, &DimsAttr{Shape{d}}) }

// spoilParams leaves no parameter from which N can be read.
func spoilParams(g *Graph) {
	for i := range g.Values {
		g.Values[i].Type.Shape = Shape{Sym("N").MulConst(2), Const(2)}
	}
}

func TestVerifyJoinsAndShowsLines(t *testing.T) {
	g := mustParse(t, good)
	g.Values[2].Type = T(I8)
	g.ResultNames = g.ResultNames[:2]
	err := Verify(g)
	want := `graph g: g3: the type of v2 is f32[N,2], it says i8[]
	   v0 = param <f32[N,2]> {x}
	   v1 = param <f32[N,2]> {y}
	 > v2 = add <i8[]> v0 v1
	   v3 = mul <f32[N,2]> v2 v1
	   v4 = const <f32[2]> {[1 2]}`
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "g5") {
		t.Errorf("error %v\nwant %s", err, want)
	}
}

// TestIfSymbols checks the scope of symbols in branches.
func TestIfSymbols(t *testing.T) {
	text := `graph g
	v0 = param <bool[]> {c}
	v1 = param <f32[N]> {x}
	v2 = if <i64[1,K]> v0 v1 {syms=[K] thendims=[Z] elsedims=[N]}
		then graph t
			v0 = param <f32[N]> {x}
			v1 = nonzero <i64[1,Z]> v0 {[Z]}
			return v1
		else graph e
			v0 = param <f32[N]> {x}
			v1 = iota <i64[1,N]> {dtype=i64 shape=[1,N] axis=1}
			return v1
	v3 = dims <i64[1]> {[K+1]}
	return v2 v3
`
	mustParse(t, text)
	for _, repl := range [][3]string{
		{"{[K+1]}", "{[Z+1]}", "g7: symbol Z of Z+1"},
		{"elsedims=[N]", "elsedims=[N]", ""},
		{"thendims=[Z] elsedims=[N]", "thendims=[Z] elsedims=[M]", "c3"},
	} {
		_, err := Parse("", strings.Replace(text, repl[0], repl[1], 1))
		if repl[2] == "" && err != nil || repl[2] != "" && (err == nil ||
			!strings.Contains(err.Error(), repl[2])) {
			t.Errorf("%s: error %v, want %s", repl[1], err, repl[2])
		}
	}
}
