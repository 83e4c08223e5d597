package passes

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// fixable takes 3 elements of x in a branch.
const fixable = `graph f
	v0 = param <bool[]> {c}
	v1 = param <f32[N]> {x}
	v2 = if <f32[3]> v0 v1
			then graph t
				v0 = param <f32[N]> {p}
				v1 = slice <f32[3]> v0 {start=[0] step=[1] shape=[3]}
				return v1
			else graph e
				v0 = param <f32[N]> {p}
				v1 = neg <f32[N]> v0
				v2 = slice <f32[3]> v1 {start=[0] step=[1] shape=[3]}
				return v2
	return y=v2
`

func TestFix(t *testing.T) {
	g := mustParse(t, "f.tir", fixable)
	out, err := Fix(g, map[string]int64{"N": 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(out); err != nil {
		t.Error(err)
	}
	then := out.Values[2].Attr.(*ir.IfAttr).Then
	for _, v := range []*ir.Value{out.Params[1], then.Params[0]} {
		if got := v.Type.String(); got != "f32[5]" {
			t.Errorf("%v: f32[N] becomes %s, want f32[5]", v.Line(), got)
		}
	}
	for _, c := range []struct {
		dim  string
		n    int64
		want string
	}{
		{"N", 2, "f.tir:7: slice: c3: axis 0: element 2 of an extent of 2: " +
			"the model does not work with these fixed extents"},
		{"M", 2, "dim M: the inputs have no such dynamic extent, wanted one of N"},
	} {
		if _, err := Fix(g, map[string]int64{c.dim: c.n}); err == nil || err.Error() != c.want {
			t.Errorf("%s=%d: error %v\nwant %s", c.dim, c.n, err, c.want)
		}
	}
}
