package rewrite

import (
	"math"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// TestParseErrors: a bad rule is reported with file, line and what is wrong.
func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"a exact (add x 0) => x", "want name class: pattern => replacement"},
		{"a sure: (add x 0) => x", `class "sure"`},
		{"a exact: (plus x 0) => x", `no operation "plus"`},
		{"a exact: (add x 0) => y", "y is not in the pattern"},
		{"a exact: (add x 0)", `"", want "=>"`},
		{"a exact: (add x 0) => x if (odd x)", `no condition "odd"`},
		{"a exact: (add x 0) => [f x]", `no function "f"`},
		{"a exact: x => x", "not an operation"},
		{"a exact: (neg x) => x\na exact: (abs x) => x", "f.rules:2: rule a: is there twice"},
	} {
		_, err := Parse("f.rules", tc.text, Funcs{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: error %v, want one with %q", tc.text, err, tc.want)
		}
	}
}

// TestNumbers: constants are encoded exactly or not at all, and read back.
func TestNumbers(t *testing.T) {
	for _, tc := range []struct {
		d  ir.DType
		x  float64
		ok bool
	}{
		{ir.F32, 0.5, true}, {ir.F32, 0.1, false}, {ir.F16, 65504, true}, {ir.F16, 65505, false},
		{ir.F16, 0x1p-24, true}, {ir.BF16, 3, true}, {ir.BF16, 257, false}, {ir.I8, -128, true},
		{ir.I8, 128, false}, {ir.U8, 255, true}, {ir.I32, 0.5, false}, {ir.Bool, 1, true},
		{ir.F64, 0.1, true}, {ir.F16, math.Inf(-1), true}, {ir.F32, math.Copysign(0, -1), true},
		{ir.I32, math.Copysign(0, -1), false},
	} {
		g := ir.NewGraph("g")
		v := Number64(g, ir.Pos{}, ir.T(tc.d, ir.Sym("N"), ir.Const(3)), tc.x)
		if (v != nil) != tc.ok {
			t.Errorf("%v as %v: %v, want encoded: %v", tc.x, tc.d, v, tc.ok)
			continue
		}
		if v == nil {
			continue
		}
		if x, ok := SplatValue(v); !ok || x != tc.x || math.Signbit(x) != math.Signbit(tc.x) {
			t.Errorf("%v as %v reads back as %v", tc.x, tc.d, x)
		}
	}
}
