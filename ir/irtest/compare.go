package irtest

import (
	"fmt"
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Evaluator runs a graph. It must not keep or change what it is given.
type Evaluator func(g *ir.Graph, inputs []*ir.Literal) ([]*ir.Literal, error)

// Check runs want and got on every input set and reports the first
// difference. That want (the reference) fails is an error too: generated
// cases run.
func (c *Case) Check(want, got Evaluator) error {
	for i, in := range c.Inputs {
		w, err := want(c.Graph, in)
		if err != nil {
			return fmt.Errorf("seed %d: input set %d: reference: %w", c.Seed, i, err)
		}
		h, err := got(c.Graph, in)
		if err == nil {
			err = c.Compare(h, w)
		}
		if err != nil {
			return fmt.Errorf("seed %d: input set %d: %w", c.Seed, i, err)
		}
	}
	return nil
}

// Compare compares results with those of the reference within the bounds of
// the case; the error names the first element that differs.
func (c *Case) Compare(got, want []*ir.Literal) error {
	if len(got) != len(c.Graph.Results) || len(want) != len(got) {
		return fmt.Errorf("%d results, want %d", len(got), len(want))
	}
	for i, r := range c.Graph.Results {
		if err := CompareLiterals(got[i], want[i], c.Bounds[r.ID]); err != nil {
			name := ""
			if i < len(c.Graph.ResultNames) {
				name = " " + c.Graph.ResultNames[i]
			}
			return fmt.Errorf("result %d%s: %s: %w", i, name, r.Line(), err)
		}
	}
	return nil
}

// CompareLiterals compares tensors: dtype, shape, and each element within b.
// NaN agrees with NaN. With the zero Bound other values agree to the bit, so
// that -0 is not +0.
func CompareLiterals(got, want *ir.Literal, b Bound) error {
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("is %v%v, want %v%v", got.DType, got.Shape, want.DType, want.Shape)
	}
	if want.DType == ir.String {
		if i := firstDiff(got.Strings, want.Strings); i >= 0 {
			return fmt.Errorf("element %v is %q, want %q", coord(want.Shape, i), got.Strings[i],
				want.Strings[i])
		}
		return nil
	}
	if n := want.Size() * int64(want.DType.Size()); !got.Splat && int64(len(got.Data)) != n {
		return fmt.Errorf("has %d bytes, want %d", len(got.Data), n)
	}
	for i := range want.Size() {
		g, w := elemBits(got, i), elemBits(want, i)
		if g == w {
			continue
		}
		if !isFloat(want.DType) {
			return fmt.Errorf("element %v is %d, want %d", coord(want.Shape, i),
				signed(want.DType, g), signed(want.DType, w))
		}
		x, y := elemFloat(want.DType, g), elemFloat(want.DType, w)
		if x != x && y != y {
			continue
		}
		if ok, allowed := within(want.DType, x, y, b); !ok {
			return fmt.Errorf("element %v is %v (%#x), want %v (%#x), allowed difference %.3g",
				coord(want.Shape, i), x, g, y, w, allowed)
		}
	}
	return nil
}

func firstDiff(a, b []string) int64 {
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			return int64(i)
		}
	}
	return -1
}

// within reports whether x is near enough to y, and the allowed difference.
func within(d ir.DType, x, y float64, b Bound) (bool, float64) {
	if b.Exact() {
		return false, 0 // the bits differ
	}
	// Below the normal numbers the unit in the last place is constant.
	tiny := 2 * ulps * smallest(d) * unit(d)
	allowed := b.Abs + b.Rel*math.Abs(y) + 2*unit(d)*math.Abs(y) + tiny
	if math.IsInf(y, 0) || math.IsInf(x, 0) {
		// Rounding decides whether the largest numbers overflow.
		lim := largest(d) * (1 - allowed/math.Max(math.Abs(y), 1))
		return x == y || math.Abs(x) >= lim && math.Abs(y) >= lim && (x > 0) == (y > 0), allowed
	}
	return math.Abs(x-y) <= allowed, allowed
}

func signed(d ir.DType, bits uint64) any {
	if !d.IsSigned() {
		return bits
	}
	shift := 64 - d.Bits()
	return int64(bits<<shift) >> shift
}

// coord returns the coordinates of element i.
func coord(shape []int64, i int64) []int64 {
	out := make([]int64, len(shape))
	for k := len(shape) - 1; k >= 0; k-- {
		out[k] = i % shape[k]
		i /= shape[k]
	}
	return out
}
