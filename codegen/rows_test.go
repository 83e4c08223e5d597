package codegen

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/runtime"
)

// rowNorms are graphs over rows R of 1000 elements.
var rowNorms = map[string]string{
	"softmax": `graph softmax
	v0 = param <f32[R,1000]> {x}
	v1 = reducemax <f32[R]> v0 {[1]}
	v2 = broadcast <f32[R,1000]> v1 {shape=[R,1000] axes=[0]}
	v3 = sub <f32[R,1000]> v0 v2
	v4 = exp <f32[R,1000]> v3
	v5 = sum <f32[R]> v4 {[1]}
	v6 = broadcast <f32[R,1000]> v5 {shape=[R,1000] axes=[0]}
	v7 = div <f32[R,1000]> v4 v6
	return v7
`,
	"logsoftmax": `graph logsoftmax
	v0 = param <f32[R,1000]> {x}
	v1 = reducemax <f32[R]> v0 {[1]}
	v2 = broadcast <f32[R,1000]> v1 {shape=[R,1000] axes=[0]}
	v3 = sub <f32[R,1000]> v0 v2
	v4 = exp <f32[R,1000]> v3
	v5 = sum <f32[R]> v4 {[1]}
	v6 = log <f32[R]> v5
	v7 = broadcast <f32[R,1000]> v6 {shape=[R,1000] axes=[0]}
	v8 = sub <f32[R,1000]> v3 v7
	return v8
`,
}

// TestLargeRows compares results that go around the caches, whose rows are
// written while the next ones are computed, with those of a graph for 23 rows at a
// time: the same bits, hostile rows included, on any number of threads.
func TestLargeRows(t *testing.T) {
	const part, n = 23, 1000
	const rows = 5 * 32 * part
	for _, level := range vectorLevels(t) {
		for name, text := range rowNorms {
			t.Run(level+"/"+name, func(t *testing.T) {
				large := strings.ReplaceAll(text, "R,", fmt.Sprint(rows, ","))
				large = strings.ReplaceAll(large, "[R]", fmt.Sprint("[", rows, "]"))
				small := strings.ReplaceAll(text, "R,", fmt.Sprint(part, ","))
				small = strings.ReplaceAll(small, "[R]", fmt.Sprint("[", part, "]"))
				p, _ := loadText(t, small, level, 1)
				defer p.Close()
				var x, want []float32
				for _, threads := range []int{1, 2, 5} {
					m, in := loadText(t, large, level, threads)
					defer m.Close()
					if x == nil {
						x, _ = runtime.Slice[float32](in[0])
						hostileRows(x, n)
						want = byParts(t, p, x, part, n)
					} else {
						copied, _ := runtime.Slice[float32](in[0])
						copy(copied, x)
					}
					sameRows(t, m, in, want, n, threads)
				}
				if name == "softmax" {
					softRows(t, x, want, n)
				}
			})
		}
	}
}

// hostileRows puts what arithmetic treats specially into some rows of n.
func hostileRows(x []float32, n int) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for i, v := range []float32{nan, inf, -inf, 0, float32(math.Copysign(0, -1)), 3e38, -3e38, 1e-40} {
		for r := i; r < len(x)/n; r += 37 {
			x[r*n+(r*31)%n] = v
		}
		for j := range n {
			x[(100+i)*n+j] = v // all of a row
		}
	}
}

func byParts(t *testing.T, m *runtime.Model, x []float32, rows, n int) []float32 {
	t.Helper()
	var all []float32
	for c := range slices.Chunk(x, rows*n) {
		out := make([]*runtime.Tensor, 1)
		if err := m.RunInto(out, []*runtime.Tensor{runtime.MustFrom(c, rows, n)}); err != nil {
			t.Fatal(err)
		}
		y, _ := runtime.Slice[float32](out[0])
		all = append(all, y...)
	}
	return all
}

func sameRows(t *testing.T, m *runtime.Model, in []*runtime.Tensor, want []float32, n,
	threads int) {

	t.Helper()
	out := make([]*runtime.Tensor, 1)
	if err := m.RunInto(out, in); err != nil {
		t.Fatal(err)
	}
	got, _ := runtime.Slice[float32](out[0])
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	for i, w := range want {
		if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
			t.Fatalf("%d threads: row %d, element %d: %v, want %v", threads, i/n, i%n, g, w)
		}
	}
}

// softRows checks softmax of rows of n against the definition, in float64: NaN where
// an element is, or infinity, or all are its negative.
func softRows(t *testing.T, x, got []float32, n int) {
	t.Helper()
	for r := range len(x) / n {
		row, most, sum := x[r*n:(r+1)*n], math.Inf(-1), 0.0
		for _, v := range row {
			most = math.Max(most, float64(v))
		}
		for _, v := range row {
			sum += math.Exp(float64(v) - most)
		}
		for j, v := range row {
			w, g := math.Exp(float64(v)-most)/sum, float64(got[r*n+j])
			if math.IsNaN(w) != math.IsNaN(g) || math.Abs(w-g) > 1e-5*w+1e-38 {
				t.Fatalf("row %d, element %d: %v, want %v", r, j, g, w)
			}
		}
	}
}
