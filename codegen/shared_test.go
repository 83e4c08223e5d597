package codegen

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/runtime"
)

// TestSharedColumns: products whose columns are packed once for all tasks are right, some
// blocks by fused multiply-adds, and have the same bits for every number of threads.
func TestSharedColumns(t *testing.T) {
	nativeLevels(t)
	plain := func(seed int) func(i int) float32 {
		return func(i int) float32 { return float32((i*7919+seed)%2003-1001) / 512 }
	}
	tiny := func(cols int) func(i int) float32 { // in the columns from 64 on
		f := plain(5)
		return func(i int) float32 {
			if i%cols >= 64 {
				return f(i) * 0x1p-120
			}
			return f(i)
		}
	}
	for _, p := range []*f32Product{
		newF32Product(100, 64, 64, plain(1), plain(2)),
		newF32Product(200, 70, 45, plain(1), plain(2)),     // tiles with edges
		newF32Product(130, 1280, 97, plain(3), tiny(97)),   // blocks of the accumulation
		newF32Product(100, 1536, 160, plain(1), tiny(160)), // and tasks along the columns
	} {
		for _, precision := range []schedule.Precision{schedule.Highest, schedule.High} {
			name := fmt.Sprintf("%dx%dx%d %v", p.m, p.k, p.n, precision)
			var first []float32
			for _, threads := range []int{1, 2, 5} {
				got, trees := p.runTrees(t, runtime.LevelAMX, precision, threads)
				if !strings.Contains(trees, " common\n") {
					t.Errorf("%s: columns are not shared", name)
				}
				if first == nil {
					first = got
				} else if !slices.Equal(first, got) {
					t.Errorf("%s: %d threads: results differ from those of one", name, threads)
				}
			}
			limit := 0x1p-22
			if precision == schedule.High {
				limit = 2e-5
			}
			for i := range first {
				exact, sum, _ := p.at(i/p.n, i%p.n)
				if e := math.Abs(float64(first[i]) - exact); e > limit*sum+float64(p.k)*0x1p-149 {
					t.Fatalf("%s: [%d,%d] = %v, in float64 %v, terms %g", name, i/p.n, i%p.n, first[i],
						exact, sum)
				}
			}
		}
	}
}
