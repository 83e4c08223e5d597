package codegen

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// This file measures kernels that move memory against a copy of as much of it,
// and elementary functions against Go's, in one run:
//
//	go test -run '^$' -bench 'Traffic|Elementary' ./codegen
//
// of-copy is the share of the bandwidth of a copy: bytes that must be read and
// written, over time, for the kernel and for the copy. Buffers are as large as
// those of the copy, and runs of both take turns.

// traffic is a graph that is bound by memory. Bytes are what it must read and
// write at least; the copy moves as much.
type traffic struct {
	name  string
	bytes int
	text  string
}

const chain8 = `graph chain8
	v0 = param <f32[4096,4096]> {x}
	v1 = param <f32[4096]> {y}
	v2 = const <f32[]> {1.5}
	v3 = const <f32[]> {-0.5}
	v4 = broadcast <f32[4096,4096]> v1 {shape=[4096,4096] axes=[1]}
	v5 = broadcast <f32[4096,4096]> v2 {shape=[4096,4096]}
	v6 = broadcast <f32[4096,4096]> v3 {shape=[4096,4096]}
	v7 = add <f32[4096,4096]> v0 v4
	v8 = mul <f32[4096,4096]> v7 v5
	v9 = max <f32[4096,4096]> v8 v6
	v10 = abs <f32[4096,4096]> v9
	v11 = sub <f32[4096,4096]> v10 v4
	v12 = mul <f32[4096,4096]> v11 v11
	v13 = min <f32[4096,4096]> v12 v5
	v14 = neg <f32[4096,4096]> v13
	return v14
`

const softmaxRows = `graph softmax
	v0 = param <f32[4096,1024]> {x}
	v1 = reducemax <f32[4096]> v0 {[1]}
	v2 = broadcast <f32[4096,1024]> v1 {shape=[4096,1024] axes=[0]}
	v3 = sub <f32[4096,1024]> v0 v2
	v4 = exp <f32[4096,1024]> v3
	v5 = sum <f32[4096]> v4 {[1]}
	v6 = broadcast <f32[4096,1024]> v5 {shape=[4096,1024] axes=[0]}
	v7 = div <f32[4096,1024]> v4 v6
	return v7
`

// layerNorm is the form that ONNX's LayerNormalization is read as.
const layerNorm = `graph layernorm
	v0 = param <f32[4096,1024]> {x}
	v1 = param <f32[1024]> {scale}
	v2 = param <f32[1024]> {bias}
	v3 = const <f32[4096]> {0.0009765625}
	v4 = sum <f32[4096]> v0 {[1]}
	v5 = mul <f32[4096]> v4 v3
	v6 = broadcast <f32[4096,1024]> v5 {shape=[4096,1024] axes=[0]}
	v7 = sub <f32[4096,1024]> v0 v6
	v8 = mul <f32[4096,1024]> v7 v7
	v9 = sum <f32[4096]> v8 {[1]}
	v10 = mul <f32[4096]> v9 v3
	v11 = const <f32[4096]> {1e-05}
	v12 = add <f32[4096]> v10 v11
	v13 = sqrt <f32[4096]> v12
	v14 = const <f32[4096]> {1}
	v15 = div <f32[4096]> v14 v13
	v16 = broadcast <f32[4096,1024]> v15 {shape=[4096,1024] axes=[0]}
	v17 = mul <f32[4096,1024]> v7 v16
	v18 = broadcast <f32[4096,1024]> v1 {shape=[4096,1024] axes=[1]}
	v19 = broadcast <f32[4096,1024]> v2 {shape=[4096,1024] axes=[1]}
	v20 = mul <f32[4096,1024]> v17 v18
	v21 = add <f32[4096,1024]> v20 v19
	return v21
`

func moved(op, from, attr string) string {
	return fmt.Sprintf("graph f\n\tv0 = param <f32[%s]> {x}\n\tv1 = %s v0 %s\n\treturn v1\n", from, op,
		attr)
}

func gathered(table, index string, axis int) string {
	return fmt.Sprintf("graph f\n\tv0 = param <f32[%s]> {x}\n\tv1 = param <i64[%s]> {i}\n"+
		"\tv2 = gather v0 v1 {%d}\n\treturn v2\n", table, index, axis)
}

var traffics = []traffic{
	{"chain8", 2 * 64 << 20, chain8},
	{"neg", 2 * 64 << 20, moved("neg", "4096,4096", "")},
	{"softmax", 2 * 16 << 20, softmaxRows},
	{"layernorm", 2 * 16 << 20, layerNorm},
	{"transpose2d", 2 * 16 << 20, moved("transpose", "2048,2048", "{[1 0]}")},
	{"transpose2d-odd", 2 * 4 * 2001 * 2047, moved("transpose", "2001,2047", "{[1 0]}")},
	{"transpose-heads", 2 * 16 << 20, moved("transpose", "8,512,16,64", "{[0 2 1 3]}")},
	{"transpose-nhwc", 2 * 4 * 4 * 64 * 128 * 128, moved("transpose", "4,64,128,128", "{[0 2 3 1]}")},
	{"transpose-nchw", 2 * 4 * 4 * 64 * 128 * 128, moved("transpose", "4,128,128,64", "{[0 3 1 2]}")},
	{"transpose-reverse", 2 * 4 * 32 * 48 * 40 * 64, moved("transpose", "32,48,40,64", "{[3 2 1 0]}")},
	{"gather-rows", 2 * 16 << 20, gathered("4096,1024", "4096", 0)},
	{"gather-short", 2 * 16 << 20, gathered("65536,64", "65536", 0)},
	{"gather-columns", 2 * 16 << 20, gathered("4096,1024", "1024", 1)},
	{"sum-last", 16 << 20, moved("sum", "4096,1024", "{[1]}")},
	{"sum-first", 16 << 20, moved("sum", "4096,1024", "{[0]}")},
	{"sum-middle", 16 << 20, moved("sum", "64,256,256", "{[1]}")},
	{"sum-all", 16 << 20, moved("sum", "4096,1024", "{[0 1]}")},
	{"sum-outer", 16 << 20, moved("sum", "64,256,256", "{[0 2]}")},
	{"max-last", 16 << 20, moved("reducemax", "4096,1024", "{[1]}")},
	{"max-all", 16 << 20, moved("reducemax", "4096,1024", "{[0 1]}")},
}

// copier moves n bytes, a part on each thread: half of them are read and half
// written, or all are read where the result is small.
type copier struct {
	dst, src []byte
	threads  int
}

// newCopier has memory as kernels have it, the runtime's.
func newCopier(b *testing.B, bytes, threads int) *copier {
	_, dst := empty[uint8](b, bytes/2)
	_, src := empty[uint8](b, bytes/2)
	c := &copier{dst, src, threads}
	for i := range c.src {
		c.src[i], c.dst[i] = byte(i), 1
	}
	return c
}

func (c *copier) run() {
	n := len(c.src) / c.threads
	var wg sync.WaitGroup
	for i := 1; i < c.threads; i++ {
		wg.Go(func() { copy(c.dst[i*n:(i+1)*n], c.src[i*n:]) })
	}
	copy(c.dst[:n], c.src)
	wg.Wait()
}

// BenchmarkTraffic runs each graph in turn with a copy of as many bytes.
func BenchmarkTraffic(b *testing.B) {
	for _, level := range vectorLevels(b) {
		for _, t := range traffics {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", level, t.name, threads), func(b *testing.B) {
					benchTraffic(b, t, level, threads)
				})
			}
		}
	}
}

func benchTraffic(b *testing.B, t traffic, level string, threads int) {
	debug.FreeOSMemory() // pages are those of a new process, not what graphs before left
	m, in := loadText(b, t.text, level, threads)
	defer m.Close()
	out := make([]*runtime.Tensor, 1)
	c := newCopier(b, t.bytes, threads)
	c.run() // both have their memory then
	if err := m.RunInto(out, in); err != nil {
		b.Fatal(err)
	}
	var kernel, copied []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := m.RunInto(out, in); err != nil {
			b.Fatal(err)
		}
		mid := time.Now()
		c.run()
		kernel, copied = append(kernel, mid.Sub(start)), append(copied, time.Since(mid))
	}
	k, p := middle(kernel), middle(copied)
	b.ReportMetric(float64(t.bytes)/k/1e9, "GB/s")
	b.ReportMetric(float64(t.bytes)/p/1e9, "copy-GB/s")
	b.ReportMetric(p/k, "of-copy")
	b.ReportMetric(0, "ns/op")
}

// empty is a new tensor and its elements.
func empty[T runtime.Elem](b testing.TB, shape ...int) (*runtime.Tensor, []T) {
	t, err := runtime.NewTensor(runtime.DTypeOf[T](), shape...)
	if err != nil {
		b.Fatal(err)
	}
	data, err := runtime.Slice[T](t)
	if err != nil {
		b.Fatal(err)
	}
	return t, data
}

// loadText compiles a graph and makes random inputs of it; integers index the
// first input.
func loadText(b testing.TB, text, level string, threads int) (*runtime.Model, []*runtime.Tensor) {
	g, err := ir.Parse("bench.tir", text)
	if err != nil {
		b.Fatal(err)
	}
	a, err := Compile(context.Background(), g, Options{Levels: []string{level}})
	if err != nil {
		b.Fatal(err)
	}
	m, err := a.Load(runtime.WithThreads(threads), runtime.WithLevel(level))
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var in []*runtime.Tensor
	for _, p := range g.Params {
		shape := make([]int, p.Type.Rank())
		for i, d := range p.Type.Shape {
			k, _ := d.Int()
			shape[i] = int(k)
		}
		if p.Type.DType == ir.I64 {
			t, x := empty[int64](b, shape...)
			extent := indexed(g, p)
			for i := range x {
				x[i] = rng.Int64N(extent)
			}
			in = append(in, t)
			continue
		}
		t, x := empty[float32](b, shape...)
		for i := range x {
			x[i] = rng.Float32()*2 - 1
		}
		in = append(in, t)
	}
	return m, in
}

// vectorLevels are the levels of this machine that differ by their vectors, not
// just by further instructions for products.
func vectorLevels(t testing.TB) []string {
	return slices.DeleteFunc(slices.Clone(runtime.Levels()), func(l string) bool {
		return schedule.Targets[l].Base != "" || l == runtime.LevelGeneric || !slices.Contains(nativeLevels(t), l)
	})
}

// indexed is the extent that p indexes.
func indexed(g *ir.Graph, p *ir.Value) int64 {
	for _, v := range g.Values {
		if v.Op == ir.OpGather && v.Args[1] == p {
			n, _ := v.Args[0].Type.Shape[v.Attr.(*ir.AxisAttr).Axis].Int()
			return n
		}
	}
	return 1
}

// middle is the median of d in seconds.
func middle(d []time.Duration) float64 {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2].Seconds()
}

// elementary are functions with Go's version of them.
var elementary = []struct {
	op string
	f  func(float64) float64
}{
	{"exp", math.Exp}, {"log", math.Log}, {"tanh", math.Tanh}, {"erf", math.Erf},
	{"sigmoid", func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	{"sin", math.Sin}, {"cos", math.Cos}, {"sqrt", math.Sqrt}, {"pow", func(x float64) float64 {
		return math.Pow(x, 1.7)
	}}, {"log1p", math.Log1p}, {"expm1", math.Expm1}, {"atan", math.Atan}, {"tan", math.Tan},
	{"asin", math.Asin}, {"sinh", math.Sinh}, {"cosh", math.Cosh}, {"asinh", math.Asinh},
}

// BenchmarkElementary computes 16384 float32 in the first caches, each also by
// package math in turn.
func BenchmarkElementary(b *testing.B) {
	for _, level := range vectorLevels(b) {
		for _, e := range elementary {
			b.Run(level+"/"+e.op, func(b *testing.B) {
				text := "graph f\n\tv0 = param <f32[16384]> {x}\n\tv1 = " + e.op + " v0\n\treturn v1\n"
				if e.op == "pow" {
					text = "graph f\n\tv0 = param <f32[16384]> {x}\n\tv1 = const <f32[16384]> {1.7}\n" +
						"\tv2 = pow v0 v1\n\treturn v2\n"
				}
				benchElementary(b, text, level, e.f)
			})
		}
	}
}

func benchElementary(b *testing.B, text, level string, f func(float64) float64) {
	m, in := loadText(b, text, level, 1)
	defer m.Close()
	x, _ := runtime.Slice[float32](in[0])
	for i, v := range x {
		x[i] = float32(math.Abs(float64(v)))
	}
	out, y := make([]*runtime.Tensor, 1), make([]float32, len(x))
	var ours, gos []time.Duration
	for b.Loop() {
		start := time.Now()
		for range 8 {
			if err := m.RunInto(out, in); err != nil {
				b.Fatal(err)
			}
		}
		mid := time.Now()
		for i, v := range x {
			y[i] = float32(f(float64(v)))
		}
		ours, gos = append(ours, mid.Sub(start)/8), append(gos, time.Since(mid))
	}
	o, g := middle(ours), middle(gos)
	b.ReportMetric(o*1e9/float64(len(x)), "ns/elem")
	b.ReportMetric(g*1e9/float64(len(x)), "go-ns/elem")
	b.ReportMetric(g/o, "x-faster")
	b.ReportMetric(0, "ns/op")
}
