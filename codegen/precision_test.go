package codegen

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/runtime"
)

// f32Product is a product of f32 matrices with its operands.
type f32Product struct {
	m, k, n int
	x, y    []float32
}

func newF32Product(m, k, n int, x, y func(i int) float32) *f32Product {
	p := &f32Product{m: m, k: k, n: n}
	for i := range m * k {
		p.x = append(p.x, x(i))
	}
	for i := range k * n {
		p.y = append(p.y, y(i))
	}
	return p
}

// at is element (i, j): in float64 with the sum of the terms' magnitudes, and by
// a loop of fused multiply-adds of f32.
func (p *f32Product) at(i, j int) (exact, sum float64, loop float32) {
	for k := range p.k {
		x, y := float64(p.x[i*p.k+k]), float64(p.y[k*p.n+j])
		exact += x * y
		sum += math.Abs(x * y)
		loop = float32(math.FMA(x, y, float64(loop)))
	}
	return exact, sum, loop
}

// run compiles and runs it at a level.
func (p *f32Product) run(t *testing.T, level string, precision schedule.Precision) []float32 {
	t.Helper()
	out, _ := p.runTrees(t, level, precision, 1)
	return out
}

// runTrees is run by some threads; it returns the text of the scheduled kernels, too.
func (p *f32Product) runTrees(t *testing.T, level string, precision schedule.Precision, threads int) (
	[]float32, string) {

	t.Helper()
	text := fmt.Sprintf("graph f\n"+
		"\tv0 = param <f32[%[1]d,%[2]d]> {x}\n\tv1 = param <f32[%[2]d,%[3]d]> {y}\n"+
		"\tv2 = dot <f32[%[1]d,%[3]d]> v0 v1 {lcontract=[1] rcontract=[0]}\n\treturn v2\n", p.m, p.k, p.n)
	g, err := ir.Parse("product", text)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Compile(t.Context(), g, Options{Levels: []string{level}, Emulate: true,
		Precision: precision})
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{a: a, c: &irtest.Case{Graph: g}}
	if a.Levels[0].Target.Emulated != "" {
		tc, err := llvm.Find()
		if err == nil {
			err = assemble(tc, []*subject{s}, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.load(level, runtime.WithThreads(threads))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	lit := func(v []float32, shape ...int64) *ir.Literal {
		l := &ir.Literal{DType: ir.F32, Shape: shape}
		for _, f := range v {
			l.Data = binary.LittleEndian.AppendUint32(l.Data, math.Float32bits(f))
		}
		return l
	}
	rows, depth, cols := int64(p.m), int64(p.k), int64(p.n)
	in := []*ir.Literal{lit(p.x, rows, depth), lit(p.y, depth, cols)}
	out, err := runModel(m, in, false)
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	for i := 0; i < len(out[0].Data); i += 4 {
		got = append(got, math.Float32frombits(binary.LittleEndian.Uint32(out[0].Data[i:])))
	}
	trees := ""
	for _, k := range a.Levels[0].Kernels {
		trees += k.Tree.String()
	}
	return got, trees
}

// f32Ranges are operands over the whole range of exponents.
func f32Ranges() map[string]*f32Product {
	r := rand.New(rand.NewPCG(5, 9))
	scaled := func(e float64) func(int) float32 {
		return func(int) float32 { return float32(math.Ldexp(r.NormFloat64(), int(e))) }
	}
	anyExp := func(lo, hi int) func(int) float32 {
		return func(int) float32 {
			return float32(math.Ldexp(r.NormFloat64(), lo+r.IntN(hi-lo)))
		}
	}
	some := func(f func(int) float32, special ...float32) func(int) float32 {
		return func(i int) float32 {
			if r.IntN(100) == 0 {
				return special[r.IntN(len(special))]
			}
			return f(i)
		}
	}
	inf, nan, max := float32(math.Inf(1)), float32(math.NaN()), float32(math.MaxFloat32)
	return map[string]*f32Product{
		"plain":          newF32Product(70, 150, 90, scaled(0), scaled(0)),
		"one side small": newF32Product(40, 80, 64, scaled(-108), scaled(0)),
		"both small":     newF32Product(40, 80, 64, scaled(-58), scaled(-58)),
		"smaller":        newF32Product(40, 80, 64, scaled(-63), scaled(-63)),
		"subnormal":      newF32Product(40, 80, 64, scaled(-135), scaled(10)),
		"large":          newF32Product(40, 80, 64, scaled(100), scaled(-100)),
		"sums overflow":  newF32Product(40, 80, 64, scaled(70), scaled(60)),
		"largest":        newF32Product(40, 80, 64, some(scaled(0), max, -max, 3.4e38), scaled(-20)),
		"zeros":          newF32Product(40, 80, 64, some(scaled(0), 0), func(int) float32 { return 0 }),
		"mixed":          newF32Product(40, 80, 64, anyExp(-40, 40), anyExp(-40, 40)),
		"wild":           newF32Product(40, 80, 64, anyExp(-126, 100), anyExp(-126, 20)),
		"one term each":  newF32Product(70, 80, 64, anyExp(-30, 30), anyExp(-30, 30)),
		"infinite":       newF32Product(40, 80, 64, some(scaled(0), inf, -inf), scaled(0)),
		"not a number":   newF32Product(40, 80, 64, some(scaled(0), nan), some(scaled(0), inf, 0)),
		"one row":        newF32Product(17, 32, 8, scaled(0), scaled(0)),
		"blocks":         newF32Product(70, 1280, 90, scaled(0), scaled(0)),
		"one block small": newF32Product(70, 1536, 64, func(i int) float32 {
			return float32(math.Ldexp(r.NormFloat64(), i%1536/512%2*-130))
		}, scaled(0)),
	}
}

// TestF32ByParts: f32 by products of bf16 is f32, whatever the exponents: the
// error is that of a loop of fused multiply-adds, or less.
func TestF32ByParts(t *testing.T) {
	nativeLevels(t)
	for name, p := range f32Ranges() {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			got := p.run(t, runtime.LevelAMX, schedule.Highest)
			var errGot, errLoop float64
			for i := range p.m {
				for j := range p.n {
					exact, sum, loop := p.at(i, j)
					v := float64(got[i*p.n+j])
					want := float64(loop)
					if math.IsNaN(want) || math.IsInf(want, 0) || math.IsInf(v, 0) || math.IsNaN(v) {
						// where sums overflow on the way depends on their order
						if !(math.IsNaN(want) && math.IsNaN(v) || want == v || sum > math.MaxFloat32/2) ||
							math.IsNaN(v) && !math.IsNaN(exact) && sum < math.MaxFloat32/2 {
							t.Fatalf("[%d,%d] = %v, a loop has %v, in float64 %v", i, j, v, want, exact)
						}
						continue
					}
					floor := float64(p.k) * math.Ldexp(1, -149)
					if e := math.Abs(v - exact); e > float64(p.k)*math.Ldexp(sum, -24)+floor {
						t.Fatalf("[%d,%d] = %v, in float64 %v: error %g, terms %g", i, j, v, exact, e, sum)
					}
					if sum > 0 {
						errGot += math.Pow(math.Max(math.Abs(v-exact)-floor, 0)/sum, 2)
						errLoop += math.Pow(math.Abs(want-exact)/sum, 2)
					}
				}
			}
			t.Logf("error %.3g, of a loop %.3g", math.Sqrt(errGot), math.Sqrt(errLoop))
			if (name == "plain" || name == "blocks") && errGot > errLoop/2 {
				t.Errorf("no better than a loop: not by products of parts")
			}
			limit := 1.01
			if name == "one term each" { // then the products that are left out count, see docs/perf.md
				limit = 1.2
			}
			if errGot > errLoop*limit {
				t.Errorf("error %g, a loop of fused multiply-adds has %g", math.Sqrt(errGot),
					math.Sqrt(errLoop))
			}
		})
	}
}

// TestPrecision: what is asked for has the error that it stands for, no more
// and, where it is cheaper, not much less.
func TestPrecision(t *testing.T) {
	p := f32Ranges()["plain"]
	for _, level := range nativeLevels(t) {
		last := 0.0
		for _, precision := range []schedule.Precision{schedule.Highest, schedule.High, schedule.Medium} {
			got := p.run(t, level, precision)
			worst := 0.0
			for i := range p.m {
				for j := range p.n {
					exact, sum, _ := p.at(i, j)
					worst = max(worst, math.Abs(float64(got[i*p.n+j])-exact)/sum)
				}
			}
			limit := map[schedule.Precision]float64{schedule.Highest: 1e-6, schedule.High: 2e-5,
				schedule.Medium: 8e-3}
			if worst > limit[precision] || worst < last {
				t.Errorf("%s: precision %v: error %g, limit %g, of the better one %g", level, precision, worst,
					limit[precision], last)
			}
			t.Logf("%s: precision %v: error %.3g", level, precision, worst)
		}
	}
}
