package interp

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tensorcc/tcc/ir"
)

// Short names for the tables of cases.
const (
	f32, f64         = ir.F32, ir.F64
	i8, i32, i64, u8 = ir.I8, ir.I32, ir.I64, ir.U8
)

func TestEvalIsTotal(t *testing.T) {
	for _, op := range ir.Ops() {
		_, have := evals[op]
		_, excused := missing[op]
		if have == excused {
			t.Errorf("%v: in evals: %v, in missing: %v; want exactly one", op, have, excused)
		}
	}
}

// TestEveryDType runs each elementwise operation and reduction on each dtype
// that its row names: none may panic.
func TestEveryDType(t *testing.T) {
	for _, op := range ir.Ops() {
		info := op.Info()
		var attr ir.Attr
		switch {
		case info.Attr == nil && op.Is(ir.Elementwise) && op != ir.OpSelect:
		case info.Attr == nil:
			continue
		case op.Is(ir.Reduces) && strings.Contains(info.Attr.String(), "AxesAttr"):
			attr = &ir.AxesAttr{Axes: []int{0}}
		case op.Is(ir.Reduces) && strings.Contains(info.Attr.String(), "AxisAttr"):
			attr = &ir.AxisAttr{}
		case strings.Contains(info.Attr.String(), "CumAttr"):
			attr = &ir.CumAttr{}
		case strings.Contains(info.Attr.String(), "SortAttr"):
			attr = &ir.SortAttr{}
		default:
			continue
		}
		for d := ir.Bool; d < ir.Tuple; d++ {
			if !info.Types.Has(d) {
				continue
			}
			var args []*Tensor
			for range max(info.Args, 1) {
				args = append(args, seq(d, 5))
			}
			if _, err := runOp(op, attr, args...); err != nil {
				t.Errorf("%v of %v: %v", op, d, err)
			}
		}
	}
}

// seq returns the vector 0, 1, ... of a dtype.
func seq(d ir.DType, n int) *Tensor {
	t, err := New(d, []int64{int64(n)})
	if err != nil {
		panic(err)
	}
	v := make([]int64, n)
	for i := range v {
		v[i] = int64(i)
	}
	store(t, 0, v)
	return t
}

// runOp runs a graph of one operation whose arguments are parameters of the
// static types of args.
func runOp(op ir.Op, attr ir.Attr, args ...*Tensor) ([]*Tensor, error) {
	g := ir.NewGraph("test")
	var in []*ir.Value
	for i, a := range args {
		in = append(in, g.Param(string(rune('a'+i)), ir.Of(a.DType, ir.Dims(a.Shape...)), ir.Pos{}))
	}
	v, err := g.New(ir.Pos{Node: "node"}, op, attr, in...)
	if err != nil {
		return nil, err
	}
	if v.Type.DType == ir.Tuple {
		var res []*ir.Value
		for i := range v.Type.Elems {
			res = append(res, g.Must(ir.Pos{}, ir.OpGet, &ir.IndexAttr{Index: i}, v))
		}
		g.SetResults(nil, res...)
	} else {
		g.SetResults(nil, v)
	}
	return Run(g, args)
}

// tensor makes a tensor of a dtype from numbers, which are rounded to it.
func tensor(d ir.DType, shape []int64, data ...float64) *Tensor {
	t, err := New(d, shape)
	if err != nil {
		panic(err)
	}
	switch classOf(d) {
	case signedClass:
		v := make([]int64, len(data))
		for i, x := range data {
			v[i] = int64(x)
		}
		store(t, 0, v)
	case unsignedClass:
		v := make([]uint64, len(data))
		for i, x := range data {
			v[i] = uint64(x)
		}
		store(t, 0, v)
	default:
		store(t, 0, data)
	}
	return t
}

func vec(d ir.DType, data ...float64) *Tensor {
	return tensor(d, []int64{int64(len(data))}, data...)
}

func scalar(d ir.DType, x float64) *Tensor { return tensor(d, []int64{}, x) }

// zeroSigns makes cmp tell -0 from 0.
var zeroSigns = cmp.Comparer(func(x, y float64) bool {
	return x != x && y != y || x == y && math.Signbit(x) == math.Signbit(y)
})

// opCase is one call of an operation and the elements it should give.
type opCase struct {
	name string
	op   ir.Op
	attr ir.Attr
	args []*Tensor
	want *Tensor
	err  string // in place of want
}

func (c opCase) run(t *testing.T) {
	name := c.name
	if name == "" {
		name = c.op.String()
	}
	t.Run(name, func(t *testing.T) {
		got, err := runOp(c.op, c.attr, c.args...)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got[0].DType != c.want.DType {
			t.Errorf("got %v, want %v", got[0], c.want)
		}
		if d := cmp.Diff(c.want.Shape, got[0].Shape, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("shape: -want +got\n%s", d)
		}
		if d := cmp.Diff(c.want.Float64s(), got[0].Float64s(), zeroSigns); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
	})
}

func TestInputs(t *testing.T) {
	g := ir.NewGraph("g")
	n := ir.Sym("N")
	x := g.Param("x", ir.T(ir.F32, n, n.MulConst(2)), ir.Pos{})
	y := g.Param("y", ir.T(ir.F32, n), ir.Pos{Node: "input"})
	g.SetResults(nil, x, y)
	f32 := func(shape ...int64) *Tensor {
		t, _ := New(ir.F32, shape)
		return t
	}
	for _, c := range []struct {
		name string
		in   []*Tensor
		err  string
	}{
		{"fits", []*Tensor{f32(3, 6), f32(3)}, ""},
		{"empty", []*Tensor{f32(0, 0), f32(0)}, ""},
		{"few", []*Tensor{f32(3, 6)}, "interp: graph g: 1 inputs, want 2"},
		{"nil", []*Tensor{nil, f32(3)}, "input 0: is nil"},
		{"dtype", []*Tensor{seq(ir.I32, 3), f32(3)}, "param x: is i32[3], want f32[N,2*N]"},
		{"rank", []*Tensor{f32(3), f32(3)}, "param x: is f32[3], want f32[N,2*N]"},
		{"compound", []*Tensor{f32(3, 5), f32(3)}, "that is [3 6] here"},
		{"symbol", []*Tensor{f32(3, 6), f32(4)},
			"interp: v1 (input): param y: is f32[4], want f32[N]: axis 0: symbol N is 4, want 3"},
		{"bytes", []*Tensor{{DType: ir.F32, Shape: []int64{3, 6}}, f32(3)}, "0 bytes, want 72"},
		{"negative", []*Tensor{{DType: ir.F32, Shape: []int64{-3, 6}}, f32(3)}, "extent -3"},
		{"huge", []*Tensor{{DType: ir.F32, Shape: []int64{1 << 40, 1 << 40}}, f32(3)}, "limit"},
		{"huge and empty", []*Tensor{{DType: ir.F32, Shape: []int64{1 << 40, 0}}, f32(3)}, "limit"},
		{"bool", []*Tensor{{DType: ir.Bool, Shape: []int64{1}, Data: []byte{2}}, f32(3)}, "byte 2"},
	} {
		_, err := Run(g, c.in)
		checkError(t, c.name, err, c.err)
	}
}

// checkError checks that an error contains want, or is nil where want is "".
func checkError(t *testing.T, name string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: error %v, want %q", name, err, want)
	}
}

func TestUnalignedInput(t *testing.T) {
	raw := make([]byte, 9)
	for off := range 2 {
		in := &Tensor{DType: ir.F32, Shape: []int64{2}, Data: raw[off : off+8]}
		if _, err := runOp(ir.OpNeg, nil, in); err != nil {
			t.Error(err)
		}
	}
}

func TestCancel(t *testing.T) {
	g := ir.NewGraph("g")
	x := g.Param("x", ir.T(ir.F32), ir.Pos{})
	g.SetResults(nil, g.Must(ir.Pos{}, ir.OpNeg, nil, x))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := (&Config{}).Run(ctx, g, []*Tensor{scalar(ir.F32, 1)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
