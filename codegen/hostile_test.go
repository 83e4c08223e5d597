package codegen

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/runtime"
)

// Kernels define every input: no data and no extent ends the process.

// hostileInts are the integers at which kernels could fault or wrap, as far as
// they fit a type of the given width.
func hostileInts(d ir.DType) []uint64 {
	lo := uint64(1) << (d.Bits() - 1)
	vs := []uint64{0, 1, 2, 3, 7, 8, uint64(d.Bits()) - 1, uint64(d.Bits()),
		lo, lo - 1, lo + 1, lo >> 1}
	for _, k := range []int64{-1, -2, -3, -8} {
		vs = append(vs, uint64(k))
	}
	return vs
}

var hostileFloats = []float64{0, math.Copysign(0, -1), 0.5, -0.5, 1, -1, 1.5, 2.5,
	127, 128, -128, -129, 255, 256, 32767, 32768, -32769, 65535, 65536,
	0x1p31, 0x1p31 - 1, -0x1p31, -0x1p31 - 1, 0x1p32, 0x1p63, -0x1p63,
	0x1p64, 1e30, -1e30, math.Inf(1), math.Inf(-1), math.NaN(), 0x1p-149, 0x1p-1074, 1e-40}

// hostile is a tensor of such values.
func hostile(r *rand.Rand, d ir.DType, shape []int64) *ir.Literal {
	l := &ir.Literal{DType: d, Shape: shape}
	var values []uint64
	switch {
	case d == ir.I64 && len(shape) == 0:
		// It may become an extent, and nothing bounds the time of a loop over
		// a large one that needs no memory.
		values = []uint64{0, 1, 2, 7, 64, math.MaxUint64, math.MaxUint64 - 7, 1 << 63}
	case d == ir.Bool:
		values = []uint64{0, 1}
	case d.IsInt():
		values = hostileInts(d)
	default:
		for _, f := range hostileFloats {
			values = append(values, floatBits(d, f))
		}
	}
	for range l.Size() {
		v := values[r.IntN(len(values))]
		for range d.Size() {
			l.Data = append(l.Data, byte(v))
			v >>= 8
		}
	}
	return l
}

func floatBits(d ir.DType, f float64) uint64 {
	switch d {
	case ir.F64:
		return math.Float64bits(f)
	case ir.F32:
		return uint64(math.Float32bits(float32(f)))
	case ir.F16:
		return uint64(ir.F16Bits(f))
	case ir.BF16:
		return uint64(ir.BF16Bits(f))
	}
	return uint64(ir.F8Bits(d, f))
}

// rebind makes inputs of g with all symbols bound to n, nil where an extent
// would be negative.
func rebind(g *ir.Graph, n int64, r *rand.Rand) []*ir.Literal {
	env := map[string]int64{}
	for _, p := range g.Params {
		for _, d := range p.Type.Shape {
			for _, s := range d.SymNames() {
				env[s] = n
			}
		}
	}
	in := []*ir.Literal{}
	for _, p := range g.Params {
		shape := make([]int64, p.Type.Rank())
		for i, d := range p.Type.Shape {
			k, err := d.Eval(env)
			if err != nil || k < 0 {
				return nil
			}
			shape[i] = k
		}
		in = append(in, hostile(r, p.Type.DType, shape))
	}
	return in
}

// attack runs a compiled case on hostile data at other extents. The results
// that are known to the bit agree with the interpreter's, and where it
// succeeds the code does; otherwise all that counts is that the process lives.
func (s *subject) attack(level string) error {
	m, err := s.load(level, runtime.WithThreads(2))
	if err != nil {
		return err
	}
	defer m.Close()
	r := rand.New(rand.NewPCG(s.c.Seed, 4))
	var sets [][]*ir.Literal
	for _, in := range s.c.Inputs {
		set := make([]*ir.Literal, len(in))
		for i, l := range in {
			set[i] = hostile(r, l.DType, l.Shape)
		}
		sets = append(sets, set)
	}
	for _, n := range []int64{0, 1, 6} {
		if set := rebind(s.c.Graph, n, r); set != nil {
			sets = append(sets, set)
		}
	}
	for i, in := range sets {
		got, err := runModel(m, in, true)
		want, refused := reference(s.c.Graph, in)
		if refused != nil {
			continue
		}
		if err != nil {
			return fmt.Errorf("hostile inputs %d: %w", i, err)
		}
		for j, v := range s.c.Graph.Results {
			if !s.c.Bounds[v.ID].Exact() {
				continue
			}
			if err := irtest.CompareLiterals(got[j], want[j], irtest.Bound{}); err != nil {
				return fmt.Errorf("hostile inputs %d: result %d: %s: %w", i, j, v.Line(), err)
			}
		}
	}
	return nil
}

// integers are the types of integer arithmetic.
var integers = []ir.DType{ir.I8, ir.I16, ir.I32, ir.I64, ir.U8, ir.U16, ir.U32, ir.U64}

// caseOf is a case whose results agree to the bit.
func caseOf(g *ir.Graph, sets ...[]*ir.Literal) *irtest.Case {
	return &irtest.Case{Graph: g, Inputs: sets, Bounds: make([]irtest.Bound, len(g.Values))}
}

// graphTest compiles g at all levels and compares exactly with the interpreter.
func graphTest(t *testing.T, g *ir.Graph, in []*ir.Literal) {
	t.Helper()
	c := caseOf(g, in)
	for _, level := range baseLevels(t) {
		if err := checkCase(c, level); err != nil {
			t.Errorf("%s: %v", level, err)
		}
	}
}

// TestHostileArithmetic computes each integer operation on all pairs of edge
// values, and with constants as second argument.
func TestHostileArithmetic(t *testing.T) {
	ops := []ir.Op{ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpDiv, ir.OpFloorDiv, ir.OpRem, ir.OpMod, ir.OpPow,
		ir.OpMax, ir.OpMin, ir.OpShl, ir.OpShr}
	for _, d := range integers {
		t.Run(d.String(), func(t *testing.T) {
			vs := hostileInts(d)
			n := int64(len(vs) * len(vs))
			x, y := &ir.Literal{DType: d, Shape: []int64{n}}, &ir.Literal{DType: d, Shape: []int64{n}}
			put := func(l *ir.Literal, v uint64) {
				for range d.Size() {
					l.Data = append(l.Data, byte(v))
					v >>= 8
				}
			}
			for _, a := range vs {
				for _, b := range vs {
					put(x, a)
					put(y, b)
				}
			}
			g := ir.NewGraph("arith")
			typ := ir.Of(d, ir.Dims(n))
			px, py := g.Param("x", typ, ir.Pos{}), g.Param("y", typ, ir.Pos{})
			var rs []*ir.Value
			for _, op := range ops {
				rs = append(rs, g.Must(ir.Pos{}, op, nil, px, py))
				for _, v := range vs {
					l := &ir.Literal{DType: d, Shape: []int64{n}, Splat: true}
					put(l, v)
					k := g.Must(ir.Pos{}, ir.OpConst, &ir.ConstAttr{Value: l})
					rs = append(rs, g.Must(ir.Pos{}, op, nil, px, k))
				}
			}
			for _, op := range []ir.Op{ir.OpNeg, ir.OpAbs, ir.OpSign, ir.OpNot, ir.OpPopcount} {
				rs = append(rs, g.Must(ir.Pos{}, op, nil, px))
			}
			g.SetResults(nil, rs...)
			graphTest(t, g, []*ir.Literal{x, y})
		})
	}
}

// TestHostileCasts converts edge values of each type to each other.
func TestHostileCasts(t *testing.T) {
	types := append(slices.Clone(integers), ir.Bool, ir.F16, ir.BF16, ir.F32, ir.F64)
	r := rand.New(rand.NewPCG(1, 2))
	for _, d := range types {
		t.Run(d.String(), func(t *testing.T) {
			const n = 211
			g := ir.NewGraph("casts")
			x := g.Param("x", ir.Of(d, ir.Dims(n)), ir.Pos{})
			var rs []*ir.Value
			for _, to := range types {
				rs = append(rs, g.Must(ir.Pos{}, ir.OpCast, &ir.DTypeAttr{DType: to}, x))
			}
			g.SetResults(nil, rs...)
			graphTest(t, g, []*ir.Literal{hostile(r, d, []int64{n})})
		})
	}
}

// indexGraphs use indices i in tensors x; u are updates.
var indexGraphs = map[string]string{
	"gather": `graph f
	v0 = param <f32[N,3]> {x}
	v1 = param <i64[M]> {i}
	v2 = gather <f32[M,3]> v0 v1 {0}
	return v2
`,
	"gather after": `graph f
	v0 = param <f32[N,3]> {x}
	v1 = param <i64[M]> {i}
	v2 = gather <f32[M,3]> v0 v1 {0}
	v3 = exp <f32[M,3]> v2
	v4 = sum <f32[M]> v3 {[1]}
	return v4
`,
	"gather in steps": `graph f
	v0 = param <f32[N,3]> {x}
	v1 = param <i64[M]> {i}
	v2 = const <f32[3]> {0}
	v3 = scan <(f32[3], f32[M,3])> v2 v1 v0 {carry=1 xs=1 length=M}
		body graph step
			v0 = param <f32[3]> {h}
			v1 = param <i64[]> {i}
			v2 = param <f32[N,3]> {x}
			v3 = gather <f32[3]> v2 v1 {0}
			v4 = add <f32[3]> v3 v0
			return v4 v3
	v4 = get <f32[M,3]> v3 {1}
	return v4
`,
	"takealong": `graph f
	v0 = param <f32[N]> {x}
	v1 = param <i64[M]> {i}
	v2 = takealong <f32[M]> v0 v1 {0}
	return v2
`,
	"gathernd": `graph f
	v0 = param <f32[N]> {x}
	v1 = param <i64[M]> {i}
	v2 = reshape <i64[M,1]> v1 {[M,1]}
	v3 = gathernd <f32[M]> v0 v2 {0}
	return v3
`,
	"scatteralong": `graph f
	v0 = param <f32[N]> {x}
	v1 = param <i64[M]> {i}
	v2 = cast <f32[M]> v1 {f32}
	v3 = scatteralong <f32[N]> v0 v1 v2 {reduce=add}
	return v3
`,
	"scatternd": `graph f
	v0 = param <f32[N]> {x}
	v1 = param <i64[M]> {i}
	v2 = cast <f32[M]> v1 {f32}
	v3 = reshape <i64[M,1]> v1 {[M,1]}
	v4 = scatternd <f32[N]> v0 v3 v2 {reduce=none}
	return v4
`,
	"dynamicslice": `graph f
	v0 = param <f32[10]> {x}
	v1 = param <i64[1]> {i}
	v2 = dynamicslice <f32[4]> v0 v1 {[4]}
	return v2
`,
	"dynamicupdate": `graph f
	v0 = param <f32[10]> {x}
	v1 = param <i64[1]> {i}
	v2 = slice <f32[4]> v0 {start=[0] step=[1] shape=[4]}
	v3 = neg <f32[4]> v2
	v4 = dynamicupdate <f32[10]> v0 v3 v1
	return v4
`,
}

// TestHostileIndices puts one bad index among good ones: code and interpreter
// refuse the same.
func TestHostileIndices(t *testing.T) {
	levels := baseLevels(t)
	bad := []int64{math.MinInt64, math.MinInt64 + 1, -11, -10, -1, 0, 9, 10, 11,
		math.MaxInt32, 1 << 32, 1<<32 + 3, 1 << 61, 1 << 62, math.MaxInt64}
	for name, text := range indexGraphs {
		g, err := ir.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		s := newSubject(caseOf(g), levels)
		if err := compileAll([]*subject{s}, levels); err != nil || s.err != nil {
			t.Fatal(err, s.err)
		}
		for _, level := range levels {
			t.Run(name+"/"+level, func(t *testing.T) { s.badIndices(t, level, bad) })
		}
	}
}

func (s *subject) badIndices(t *testing.T, level string, bad []int64) {
	m, err := s.load(level, runtime.WithThreads(2))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	g := s.c.Graph
	for _, k := range bad {
		for _, n := range []int64{10, 0} {
			shape, many := []int64{n}, int64(37)
			if g.Params[0].Type.Rank() == 2 {
				shape = []int64{n, 3}
			}
			if g.Params[0].Type.Shape.Static() {
				shape, many = []int64{10}, 1
			}
			x := &ir.Literal{DType: ir.F32, Shape: shape}
			x.Data = make([]byte, x.Size()*4)
			for i := range x.Data {
				x.Data[i] = byte(i % 7)
			}
			at := make([]int64, many)
			at[many/2] = k
			in := []*ir.Literal{x, ir.NewLiteral(ir.I64, []int64{many}, at)}
			want, refused := reference(g, in)
			got, err := runModel(m, in, true)
			if (err != nil) != (refused != nil) {
				t.Errorf("index %d of %d: %v, the interpreter says %v", k, n, err, refused)
			}
			if err == nil && refused == nil {
				if err := irtest.CompareLiterals(got[0], want[0], irtest.Bound{Rel: 1e-5}); err != nil {
					t.Errorf("index %d of %d: %v", k, n, err)
				}
			}
		}
	}
}

// TestHostileFunctions computes the functions of floats at special values and
// compares with the interpreter within a few units in the last place.
func TestHostileFunctions(t *testing.T) {
	units := map[ir.DType]float64{ir.F16: 0x1p-10, ir.BF16: 0x1p-7, ir.F32: 0x1p-23, ir.F64: 0x1p-52}
	for d, unit := range units {
		t.Run(d.String(), func(t *testing.T) {
			x, y := &ir.Literal{DType: d}, &ir.Literal{DType: d}
			for _, a := range hostileFloats {
				for _, b := range hostileFloats {
					x.Data, y.Data = appendBits(x.Data, d, a), appendBits(y.Data, d, b)
				}
			}
			n := int64(len(hostileFloats) * len(hostileFloats))
			x.Shape, y.Shape = []int64{n}, []int64{n}
			g := ir.NewGraph("functions")
			typ := ir.Of(d, ir.Dims(n))
			px, py := g.Param("x", typ, ir.Pos{}), g.Param("y", typ, ir.Pos{})
			var rs []*ir.Value
			for _, op := range ir.Ops() {
				info := op.Info()
				if !op.Is(ir.Elementwise) || !info.Types.Has(d) || info.Attr != nil || info.Args > 2 {
					continue
				}
				rs = append(rs, g.Must(ir.Pos{}, op, nil, []*ir.Value{px, py}[:info.Args]...))
			}
			g.SetResults(nil, rs...)
			c := caseOf(g, []*ir.Literal{x, y})
			for i := range c.Bounds {
				c.Bounds[i] = irtest.Bound{Rel: 4 * unit}
			}
			for _, r := range rs { // of 2**63 the interpreter has fewer bits in float64
				if d == ir.F64 && (r.Op == ir.OpSin || r.Op == ir.OpCos || r.Op == ir.OpTan) {
					c.Bounds[r.ID].Rel = 64 * unit
				}
			}
			for _, level := range baseLevels(t) {
				functionsAgree(t, c, level)
			}
		})
	}
}

// functionsAgree is checkCase with a line for each operation that differs.
func functionsAgree(t *testing.T, c *irtest.Case, level string) {
	t.Helper()
	want, err := wanted(c)
	if err != nil {
		t.Fatal(err)
	}
	s := newSubject(c, []string{level})
	if err := compileAll([]*subject{s}, []string{level}); err != nil || s.err != nil {
		t.Fatal(err, s.err)
	}
	m, err := s.load(level)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, err := runModel(m, c.Inputs[0], false)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range c.Graph.Results {
		if err := irtest.CompareLiterals(got[i], want[0][i], c.Bounds[v.ID]); err != nil {
			t.Errorf("%s: %v: %v", level, v.Op, err)
		}
	}
}

func appendBits(b []byte, d ir.DType, f float64) []byte {
	v := floatBits(d, f)
	for range d.Size() {
		b = append(b, byte(v))
		v >>= 8
	}
	return b
}

// extentGraphs have a symbol N that some values of do not fit; x has N elements
// or is N itself.
var extentGraphs = map[string]string{
	"slice beyond": `graph f
	v0 = param <f32[N]> {x}
	v1 = slice <f32[2]> v0 {start=[3] step=[1] shape=[2]}
	return v1
`,
	"slice backwards": `graph f
	v0 = param <f32[N]> {x}
	v1 = slice <f32[3]> v0 {start=[N-2] step=[-2] shape=[3]}
	return v1
`,
	"negative part": `graph f
	v0 = param <f32[N]> {x}
	v1 = const <f32[8]> {2}
	v2 = slice <f32[N-3]> v0 {start=[3] step=[1] shape=[N-3]}
	v3 = concat <f32[N+5]> v2 v1 {0}
	return v3
`,
	"maximum of nothing": `graph f
	v0 = param <f32[N]> {x}
	v1 = argmax <i64[]> v0 {0}
	return v1
`,
	"minima of nothing or none": `graph f
	v0 = param <f32[N]> {x}
	v1 = broadcast <f32[N,2]> v0 {shape=[N,2] axes=[0]}
	v2 = slice <f32[max(0,N-4),2]> v1 {start=[4,0] step=[1,1] shape=[max(0,N-4),2]}
	v3 = argmin <i64[2]> v2 {0}
	v4 = argmin <i64[N]> v1 {1}
	v5 = concat <i64[N+2]> v3 v4 {0}
	return v5
`,
	"part of a part": `graph f
	v0 = param <f32[N]> {x}
	v1 = const <i64[1]> {1}
	v2 = dynamicslice <f32[4]> v0 v1 {[4]}
	return v2
`,
	"negative bind": `graph f
	v0 = param <i64[]> {x}
	v1 = bind <i64[]> v0 {N}
	v2 = const <i64[4]> {7}
	v3 = broadcast <i64[N]> v1 {shape=[N]}
	v4 = concat <i64[N+8]> v2 v3 v2 {0}
	return v4
`,
	"huge beside empty": `graph f
	v0 = param <i64[]> {x}
	v1 = bind <i64[]> v0 {N}
	v2 = broadcast <i64[3,N,0]> v1 {shape=[3,N,0]}
	v3 = neg <i64[3,N,0]> v2
	return v3
`,
}

// TestHostileExtents runs graphs at extents that do not fit; code and
// interpreter refuse the same, the interpreter those beyond its memory too.
func TestHostileExtents(t *testing.T) {
	levels := baseLevels(t)
	for name, text := range extentGraphs {
		g, err := ir.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		s := newSubject(caseOf(g), levels)
		if err := compileAll([]*subject{s}, levels); err != nil || s.err != nil {
			t.Fatal(err, s.err)
		}
		for _, level := range levels {
			t.Run(name+"/"+level, func(t *testing.T) { s.badExtents(t, level) })
		}
	}
}

func (s *subject) badExtents(t *testing.T, level string) {
	m, err := s.load(level)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, n := range []int64{0, 1, 2, 3, 4, 5, 6, 40, -1, -5, -8, 1 << 33, 1 << 62, math.MinInt64} {
		in := ir.NewLiteral(ir.I64, nil, []int64{n})
		if s.c.Graph.Params[0].Type.DType == ir.F32 {
			if n < 0 || n > 1000 {
				continue
			}
			in = &ir.Literal{DType: ir.F32, Shape: []int64{n}, Data: make([]byte, 4*n)}
		}
		want, refused := reference(s.c.Graph, []*ir.Literal{in})
		got, err := runModel(m, []*ir.Literal{in}, true)
		if (err != nil) != (refused != nil) && n < 1000 {
			t.Errorf("%d: %v, the interpreter says %v", n, err, refused)
		}
		if err == nil && refused == nil {
			if err := irtest.CompareLiterals(got[0], want[0], irtest.Bound{}); err != nil {
				t.Errorf("%d: %v", n, err)
			}
		}
	}
}
