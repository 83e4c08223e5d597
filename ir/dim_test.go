package ir

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestDimCanonical(t *testing.T) {
	n, h, w, c := Sym("N"), Sym("H"), Sym("W"), Sym("C")
	for _, tc := range []struct {
		d    Dim
		want string
	}{
		{n.Add(n), "2*N"},
		{n.Sub(n), "0"},
		{n.CeilDiv(Const(2)), "((N+1)/2)"},
		{n.MulConst(2).AddConst(1).CeilDiv(Const(2)), "N+1"},
		{n.MulConst(4).CeilDiv(Const(2)), "2*N"},
		{h.Mul(w).Mul(c).FloorDiv(h.Mul(w)), "C"},
		{n.Mul(h).Add(n.Mul(w)).FloorDiv(h.Add(w)), "N"},
		{n.AddConst(1).Mul(n.AddConst(-1)), "N*N-1"},
		{n.FloorDiv(Const(2)).FloorDiv(Const(3)), "(N/6)"},
		{n.MulConst(2).AddConst(5).FloorDiv(Const(2)), "N+2"},
		{n.MulConst(6).AddConst(5).Mod(Const(3)), "2"},
		{n.MulConst(4).Add(h).Mod(Const(4)), "(H%4)"},
		{n.Max(n.AddConst(1)), "N+1"},
		{h.Max(w), "max(H,W)"},
		{w.Max(h), "max(H,W)"},
		{Const(-5).Min(Const(math.MaxInt64)), "-5"},
		{Const(math.MinInt64).Max(Const(5)), "5"},
		{Const(-7).FloorDiv(Const(2)), "-4"},
		{Const(7).FloorDiv(Const(-2)), "-4"},
		{Const(7).Mod(Const(-2)), "-1"},
		{Const(math.MaxInt64).AddConst(1), "overflow"},
		{Const(math.MinInt64).Neg(), "overflow"},
		{n.MulConst(1 << 40).MulConst(1 << 40), "overflow"},
	} {
		if got := tc.d.String(); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
		back, err := ParseDim(tc.d.String())
		if err != nil || !back.Equal(tc.d) {
			t.Errorf("ParseDim(%v) = %v, %v", tc.d, back, err)
		}
	}
}

// randomDim makes an expression and, beside it, its meaning.
func randomDim(r *rand.Rand, depth int) (Dim, func(map[string]int64) (int64, bool)) {
	if depth == 0 || r.IntN(5) == 0 {
		if r.IntN(2) == 0 {
			k := r.Int64N(13) - 5
			return Const(k), func(map[string]int64) (int64, bool) { return k, true }
		}
		name := string("NHW"[r.IntN(3)])
		return Sym(name), func(env map[string]int64) (int64, bool) { return env[name], true }
	}
	a, fa := randomDim(r, depth-1)
	b, fb := randomDim(r, depth-1)
	op := "+*/%<>"[r.IntN(6)]
	return DimOp(op, a, b), func(env map[string]int64) (int64, bool) {
		x, okx := fa(env)
		y, oky := fb(env)
		if !okx || !oky || max(x, -x, y, -y) > 1<<30 || y == 0 && (op == '/' || op == '%') {
			return 0, false
		}
		switch op {
		case '+':
			return x + y, true
		case '*':
			return x * y, true
		case '/':
			return int64(math.Floor(float64(x) / float64(y))), true
		case '%':
			return x - y*int64(math.Floor(float64(x)/float64(y))), true
		case '<':
			return min(x, y), true
		}
		return max(x, y), true
	}
}

// TestDimLaws compares the canonical form with the expression it was made of.
func TestDimLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for range 20000 {
		d, meaning := randomDim(r, 3)
		back, err := ParseDim(d.String())
		if err == nil && !back.Equal(d) {
			t.Fatalf("ParseDim(%v) = %v", d, back)
		}
		env := map[string]int64{"N": r.Int64N(20) - 3, "H": r.Int64N(9), "W": r.Int64N(50)}
		want, ok := meaning(env)
		got, err := d.Eval(env)
		if !ok || err != nil {
			continue // a division by zero may cancel
		}
		tried++
		if got != want {
			t.Fatalf("%v with %v = %d, want %d", d, env, got, want)
		}
	}
	if tried < 10000 {
		t.Errorf("only %d expressions had a value", tried)
	}
}

func TestDimEvalErrors(t *testing.T) {
	n := Sym("N")
	for _, d := range []Dim{
		n.FloorDiv(Const(0)), Const(1).Mod(n), Sym("M"), n.AddConst(math.MaxInt64).AddConst(1),
		n.AddConst(-1).MulConst(math.MaxInt64).AddConst(-2),
		n.AddConst(math.MinInt64 + 1).AddConst(-1).FloorDiv(n.AddConst(-1)),
	} {
		if v, err := d.Eval(map[string]int64{"N": 0}); err == nil {
			t.Errorf("%v = %d, want an error", d, v)
		} else if want := "dim " + d.String() + ": "; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %q, want one that begins with %q", err, want)
		}
	}
}

func FuzzParseDim(f *testing.F) {
	for _, s := range []string{"N", "2*N+1", "((N+1)/2)", "max(H,W)-1", "-9223372036854775808",
		"(N*M+3)%4", "overflow", "min(N,2*(M/3))*N"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDim(s)
		if err != nil {
			return
		}
		back, err := ParseDim(d.String())
		if err == nil && !back.Equal(d) {
			t.Fatalf("ParseDim(%q) = %v, parsed again %v", s, d, back)
		}
	})
}
