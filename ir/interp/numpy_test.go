package interp

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/ir"
)

// TestNumPy compares elementwise operations on the edges of every dtype with
// what NumPy gives: integers and moves to the bit; floating-point numbers too,
// but for the two that round a transcendental function.
func TestNumPy(t *testing.T) {
	data, err := os.ReadFile("testdata/numpy.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if f := strings.Split(line, "\t"); !strings.HasPrefix(line, "#") {
			t.Run(f[0]+"/"+f[1]+"/"+f[3], func(t *testing.T) { numpyLine(t, f) })
		}
	}
}

func numpyLine(t *testing.T, f []string) {
	op, ok := ir.ParseOp(f[0])
	if !ok {
		t.Fatalf("no op %s", f[0])
	}
	x := hexTensor(t, f[1], f[2])
	n := x.Shape[0]
	args := []*Tensor{x}
	var attr ir.Attr
	if op == ir.OpCast {
		d, _ := ir.ParseDType(f[3])
		attr = &ir.DTypeAttr{DType: d}
	}
	if op.Info().Args == 2 {
		args = []*Tensor{spread(t, x, []int{0}, n), spread(t, x, []int{1}, n)}
	}
	got, err := runOp(op, attr, args...)
	if err != nil {
		t.Fatal(err)
	}
	want := hexTensor(t, f[3], f[4])
	want.Shape = got[0].Shape
	if bytes.Equal(got[0].Data, want.Data) {
		return
	}
	slack := 0.0
	if op == ir.OpPow || op == ir.OpAtan2 {
		slack = 1e-15
		if x.DType != ir.F64 {
			slack = 2.4e-7
		}
	}
	near := cmp.Comparer(func(x, y float64) bool {
		d := max(x-y, y-x)
		return cmp.Equal(x, y, zeroSigns) || d <= slack*max(x, -x)
	})
	if d := cmp.Diff(want.Float64s(), got[0].Float64s(), near); d != "" {
		t.Errorf("of %v: -NumPy +got\n%s", x.Float64s(), d)
	}
}

// spread broadcasts a vector along the other axis of a square.
func spread(t *testing.T, x *Tensor, axes []int, n int64) *Tensor {
	out, err := runOp(ir.OpBroadcast, &ir.BroadcastAttr{Shape: ir.Dims(n, n), Axes: axes}, x)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func hexTensor(t *testing.T, dtype, data string) *Tensor {
	d, ok := ir.ParseDType(dtype)
	raw, err := hex.DecodeString(data)
	if !ok || err != nil {
		t.Fatalf("bad line: %s %v", dtype, err)
	}
	out := &Tensor{DType: d, Shape: []int64{int64(len(raw) / d.Size())}, Data: raw}
	return out.aligned()
}
