package codegen

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/llvm/jit"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// Products beside what the machine can do: GFLOP/s, the share of the
// multiply-add peak of one core, and for products of few rows the share of the
// read bandwidth, peak and bandwidth measured in the same run.
//
//	go test ./codegen -run '^$' -bench Product
//	TCC_CPU=x86-64-v3 go test ./codegen -run '^$' -bench Product/square

// productCase is a product with its multiply-adds and the bytes of its largest
// operand.
type productCase struct {
	name  string
	graph *ir.Graph
	dims  map[string]int64
	macs  int64
	bytes int64 // where memory is the limit
}

// benchLevel is the level that TCC_CPU or the machine says.
func benchLevel(b *testing.B) string {
	b.Helper()
	if _, err := llvm.Find(); err != nil {
		b.Skip(err)
	}
	if l := os.Getenv("TCC_CPU"); l != "" {
		return l
	}
	return runtime.Levels()[0]
}

// dotText is c = a*b with the extents given as text.
func dotText(batch, m, k, n string, trans bool) string {
	b, attr := k+","+n, "lcontract=[%d] rcontract=[%d]"
	r := 0
	if trans {
		b, r = n+","+k, 1
	}
	pre, groups := "", ""
	if batch != "" {
		pre, groups = batch+",", "lbatch=[0] rbatch=[0] "
		attr = fmt.Sprintf(attr, 2, r+1)
	} else {
		attr = fmt.Sprintf(attr, 1, r)
	}
	return fmt.Sprintf("graph f\n\tv0 = param <f32[%s%s,%s]> {a}\n\tv1 = param <f32[%s%s]> {b}\n"+
		"\tv2 = dot <f32[%s%s,%s]> v0 v1 {%s%s}\n\treturn v2\n", pre, m, k, pre, b, pre, m, n, groups,
		attr)
}

func mustGraph(b *testing.B, text string) *ir.Graph {
	b.Helper()
	g, err := ir.Parse("bench", text)
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// constant turns the second parameter of a graph into a constant.
func constant(b *testing.B, g *ir.Graph) *ir.Graph {
	b.Helper()
	w := g.Params[1]
	var shape []int64
	n := int64(1)
	for _, d := range w.Type.Shape {
		k, _ := d.Int()
		shape, n = append(shape, k), n*k
	}
	l := &ir.Literal{DType: ir.F32, Shape: shape, Data: randomBytes(n)}
	out := ir.NewGraph(g.Name)
	x := out.Param("a", g.Params[0].Type, ir.Pos{})
	res, err := out.Inline(g, []*ir.Value{x, out.Must(w.Pos, ir.OpConst, &ir.ConstAttr{Value: l})})
	if err != nil {
		b.Fatal(err)
	}
	out.SetResults(nil, res...)
	return out
}

func randomBytes(n int64) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 4*n)
	for i := range n {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(r.Float32()-0.5))
	}
	return data
}

func productCases(b *testing.B) []productCase {
	var out []productCase
	for _, n := range []int64{256, 512, 1024, 2048} {
		s := fmt.Sprint(n)
		macs := n * n * n
		plain := mustGraph(b, dotText("", s, s, s, false))
		out = append(out,
			productCase{"square/" + s, plain, nil, macs, 0},
			productCase{"const/" + s, constant(b, plain), nil, macs, 0},
			productCase{"transposed/" + s, mustGraph(b, dotText("", s, s, s, true)), nil, macs, 0},
			productCase{"symbolic/" + s, mustGraph(b, dotText("", "M", "K", "N", false)),
				map[string]int64{"M": n, "K": n, "N": n}, macs, 0},
			productCase{"odd/" + s, mustGraph(b, dotText("", "M", "K", "N", false)),
				map[string]int64{"M": n - 3, "K": n - 5, "N": n - 7}, (n - 3) * (n - 5) * (n - 7), 0})
	}
	out = append(out, productCase{"batched/8x256",
		mustGraph(b, dotText("8", "256", "256", "256", false)), nil, 8 << 24, 0})
	for _, m := range []int64{1, 8} {
		g := mustGraph(b, dotText("", fmt.Sprint(m), "4096", "4096", false))
		t := mustGraph(b, dotText("", fmt.Sprint(m), "4096", "4096", true))
		open, env := mustGraph(b, dotText("", "M", "4096", "4096", false)), map[string]int64{"M": m}
		out = append(out, productCase{fmt.Sprintf("rows/%d", m), g, nil, m << 24, 64 << 20},
			productCase{fmt.Sprintf("rows-transposed/%d", m), t, nil, m << 24, 64 << 20},
			productCase{fmt.Sprintf("rows-symbolic/%d", m), open, env, m << 24, 64 << 20},
			productCase{fmt.Sprintf("rows-const/%d", m), constant(b, g), nil, m << 24, 64 << 20})
	}
	for _, s := range [][2]int64{{56, 64}, {28, 128}, {14, 256}, {7, 512}} { // ResNet-50's 3x3
		hw, c := s[0], s[1]
		g := mustGraph(b, fmt.Sprintf("graph f\n\tv0 = param <f32[1,%d,%d,%d]> {a}\n"+
			"\tv1 = param <f32[3,3,%d,%d]> {b}\n\tv2 = conv <f32[1,%d,%d,%d]> v0 v1 {stride=[1 1] "+
			"dilation=[1 1] indilation=[1 1] lo=[1,1] hi=[1,1] groups=1 last=true}\n\treturn v2\n",
			hw, hw, c, c, c, hw, hw, c))
		out = append(out, productCase{fmt.Sprintf("conv3x3/%d", hw), constant(b, g), nil,
			hw * hw * c * c * 9, 0})
	}
	return out
}

// BenchmarkProduct measures products on one and two threads.
func BenchmarkProduct(b *testing.B) {
	level := benchLevel(b)
	peak, read := peakMACs(b, level), readBandwidth(b, level)
	b.Logf("%s: one core: %.1f GFLOP/s of multiply-adds, %.1f GB/s read", level, 2*peak/1e9, read/1e9)
	for _, c := range productCases(b) {
		for _, threads := range []int{1, 2} {
			name := c.name
			if threads > 1 {
				name += fmt.Sprintf("/threads=%d", threads)
			}
			b.Run(name, func(b *testing.B) {
				median := benchProduct(b, c, level, threads)
				b.ReportMetric(2*float64(c.macs)/median/1e9, "GFLOP/s")
				b.ReportMetric(100*float64(c.macs)/median/peak, "%peak")
				if c.bytes > 0 {
					b.ReportMetric(100*float64(c.bytes)/median/read, "%read")
				}
			})
		}
	}
}

// benchProduct returns the median time of a run.
func benchProduct(b *testing.B, c productCase, level string, threads int) float64 {
	a, err := Compile(context.Background(), c.graph, Options{Levels: []string{level}})
	if err != nil {
		b.Fatal(err)
	}
	m, err := a.Load(runtime.WithThreads(threads), runtime.WithLevel(level))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	var in []*runtime.Tensor
	for _, v := range c.graph.Params {
		var shape []int
		n := 1
		for _, d := range v.Type.Shape {
			k, err := d.Eval(c.dims)
			if err != nil {
				b.Fatal(err)
			}
			shape, n = append(shape, int(k)), n*int(k)
		}
		t, err := runtime.FromBytes(runtime.F32, randomBytes(int64(n)), shape...)
		if err != nil {
			b.Fatal(err)
		}
		in = append(in, t)
	}
	out := make([]*runtime.Tensor, 1)
	return medianTime(b, func() error { return m.RunInto(out, in) })
}

// medianTime runs f for b.N times and returns the median time of a run.
func medianTime(b *testing.B, f func() error) float64 {
	b.Helper()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times[len(times)/2].Seconds()
}

// bestTime is the best of some runs of k, which is scheduled already.
func bestTime(b *testing.B, text, level string, bufs [][]byte) float64 {
	b.Helper()
	k, err := kernel.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	f, err := jit.Compile(context.Background(), k, level, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	best := math.Inf(1)
	for range 20 {
		start := time.Now()
		if err := f.Run(bufs); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(start).Seconds())
	}
	return best
}

// peakMACs is the multiply-adds a second of one core in registers alone.
func peakMACs(b *testing.B, level string) float64 {
	const chains, steps = 12, 4 << 20
	w := lanesOf(level)
	text := strings.NewReplacer("W", fmt.Sprint(w), "C", fmt.Sprint(chains), "T", fmt.Sprint(chains*w),
		"S", fmt.Sprint(steps)).Replace(`kernel peak(x f32[W] in, y f32[T] out)
	alloc acc f32[T] local
	unroll c < C
		vector l < W
			acc[W*c+l] = x[l]
	serial i < S
		unroll d < C
			vector m < W
				acc[W*d+m] = fma(acc[W*d+m], x[m], x[m])
	unroll e < C
		vector n < W
			y[W*e+n] = acc[W*e+n]
`)
	bufs := [][]byte{make([]byte, 4*w), make([]byte, 4*w*chains)}
	return float64(chains*w*steps) / bestTime(b, text, level, bufs)
}

// readBandwidth is the bytes a second that one core reads from memory, in
// eight streams.
func readBandwidth(b *testing.B, level string) float64 {
	const floats, streams = 32 << 20, 8
	const each = floats/streams - 272 // streams are apart by no power of two
	w := lanesOf(level)
	text := strings.NewReplacer("W", fmt.Sprint(w), "C", fmt.Sprint(streams),
		"T", fmt.Sprint(streams*w),
		"F", fmt.Sprint(floats), "P", fmt.Sprint(each), "S", fmt.Sprint(each/w)).
		Replace(`kernel read(x f32[F] in, y f32[T] out)
	alloc acc f32[T] local
	unroll c < C
		vector l < W
			acc[W*c+l] = 0.0f32
	serial i < S
		unroll d < C
			vector m < W
				acc[W*d+m] = add(acc[W*d+m], x[P*d+W*i+m])
	unroll e < C
		vector n < W
			y[W*e+n] = acc[W*e+n]
`)
	bufs := [][]byte{randomBytes(floats), make([]byte, 4*w*streams)}
	return 4 * streams * each / bestTime(b, text, level, bufs)
}

// lanesOf is the f32 lanes of a vector of the level.
func lanesOf(level string) int {
	t, _ := llvm.TargetOf(level)
	return t.Vector / 32
}
