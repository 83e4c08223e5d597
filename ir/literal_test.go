package ir

import (
	"slices"
	"strings"
	"testing"
)

// filled is a constant of f32 that has no data before it is asked for.
func filled(shape ...int64) *Literal {
	return &Literal{DType: F32, Shape: shape, Fill: func(dst []byte) {
		for i := range dst {
			dst[i] = byte(i % 64)
		}
	}}
}

func TestFill(t *testing.T) {
	lazy := filled(5, 8)
	own := &Literal{DType: F32, Shape: lazy.Shape, Data: lazy.Bytes()}
	if !slices.Equal(Elements[float32](lazy), Elements[float32](own)) {
		t.Errorf("elements %v, want %v", Elements[float32](lazy), Elements[float32](own))
	}
	graph := func(ls ...*Literal) *Graph {
		g := NewGraph("g")
		vs := make([]*Value, len(ls))
		for i, l := range ls {
			vs[i] = g.Must(Pos{}, OpConst, &ConstAttr{Value: l})
		}
		g.SetResults(nil, vs...)
		return g
	}
	g := graph(lazy)
	if err := Verify(g); err != nil {
		t.Error(err)
	}
	if got, want := Print(g), Print(graph(own)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	var b strings.Builder
	writeLiteral(&b, lazy, true)
	if got, want := b.String(), "... 160 bytes"; got != want {
		t.Errorf("shortened it is %q, want %q", got, want)
	}
	if g := graph(lazy, lazy, filled(5, 8)); g.Results[0] != g.Results[1] || g.Results[1] == g.Results[2] {
		t.Error("a constant is one value, another constant another")
	}
	bad := filled(5, 8)
	bad.Data = own.Data
	if err := Verify(graph(bad)); err == nil {
		t.Error("data beside a function that writes it is no error")
	}
}
