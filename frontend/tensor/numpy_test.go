package tensor_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// array is an array of the file of cases; see bench/numpy/README.md.
type array struct {
	DType string
	Shape []int
	Data  []byte
}

func (a array) tensor() tensor.Tensor {
	d, _ := ir.ParseDType(a.DType)
	n := 1
	for _, k := range a.Shape {
		n *= k
	}
	shape := a.Shape
	if len(shape) == 0 {
		return fromBytes(d, a.Data, []int{1}).Reshape()
	}
	return fromBytes(d, a.Data, shape)
}

// fromBytes makes a tensor of little-endian bytes.
func fromBytes(d ir.DType, b []byte, shape []int) tensor.Tensor {
	dims := make([]int64, len(shape))
	for i, k := range shape {
		dims[i] = int64(k)
	}
	l := &ir.Literal{DType: d, Shape: dims, Data: b}
	switch d {
	case ir.Bool:
		return tensor.FromSlice(ir.Elements[bool](l), shape...)
	case ir.I8:
		return tensor.FromSlice(ir.Elements[int8](l), shape...)
	case ir.I16:
		return tensor.FromSlice(ir.Elements[int16](l), shape...)
	case ir.I32:
		return tensor.FromSlice(ir.Elements[int32](l), shape...)
	case ir.I64:
		return tensor.FromSlice(ir.Elements[int64](l), shape...)
	case ir.U8:
		return tensor.FromSlice(ir.Elements[uint8](l), shape...)
	case ir.U16:
		return tensor.FromSlice(ir.Elements[uint16](l), shape...)
	case ir.U32:
		return tensor.FromSlice(ir.Elements[uint32](l), shape...)
	case ir.U64:
		return tensor.FromSlice(ir.Elements[uint64](l), shape...)
	case ir.F32:
		return tensor.FromSlice(ir.Elements[float32](l), shape...)
	case ir.F64:
		return tensor.FromSlice(ir.Elements[float64](l), shape...)
	}
	return tensor.FromBits(d, ir.Elements[uint16](l), shape...)
}

type indexItem struct {
	Int                 *int
	Slice               []*int
	All, None, Ellipsis bool
	Array               any
}

func (x indexItem) value() any {
	switch {
	case x.Int != nil:
		return *x.Int
	case x.All:
		return tensor.All
	case x.None:
		return tensor.None
	case x.Ellipsis:
		return tensor.Ellipsis
	case x.Slice != nil:
		return tensor.Slice(orNil(x.Slice[0]), orNil(x.Slice[1]), *x.Slice[2])
	}
	return integers(x.Array)
}

func orNil(p *int) any {
	if p == nil {
		return nil
	}
	return *p
}

// integers turns nested JSON lists into nested slices of depth 1 or 2.
func integers(x any) any {
	list := x.([]any)
	if len(list) > 0 {
		if _, nested := list[0].([]any); nested {
			var out [][]int
			for _, e := range list {
				out = append(out, integers(e).([]int))
			}
			return out
		}
	}
	out := []int{}
	for _, e := range list {
		out = append(out, int(e.(float64)))
	}
	return out
}

type numpyCase struct {
	Op     string
	Args   []array
	Scalar string
	Axes   []int
	Keep   bool
	Index  [][]indexItem
	Text   string
	Result array
}

// run computes the case.
func (c *numpyCase) run() tensor.Tensor {
	x := c.Args[0].tensor()
	if c.Index != nil {
		v := x
		for i, items := range c.Index {
			var idx []any
			for _, it := range items {
				idx = append(idx, it.value())
			}
			if c.Op == "set" && i == len(c.Index)-1 {
				if w := v.Set(c.Args[1].tensor(), idx...); w.Err() != nil {
					return w
				}
				return x
			}
			v = v.Index(idx...)
		}
		return v
	}
	on := reflect.ValueOf(x)
	if c.Keep {
		on = reflect.ValueOf(x.Keep())
	}
	m := on.MethodByName(c.Op)
	if !m.IsValid() { // Any and All keep no axes
		return x
	}
	var args []reflect.Value
	switch {
	case c.Axes != nil:
		for _, a := range c.Axes {
			args = append(args, reflect.ValueOf(a))
		}
	case c.Scalar != "":
		args = append(args, reflect.ValueOf(number(c.Scalar)))
	case len(c.Args) > 1:
		args = append(args, reflect.ValueOf(c.Args[1].tensor()))
	}
	return m.Call(args)[0].Interface().(tensor.Tensor)
}

func number(s string) any {
	if i, err := strconv.Atoi(s); err == nil {
		return i
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

// TestNumPyCases runs the file named by TCC_NUMPY_CASES, or that in testdata.
func TestNumPyCases(t *testing.T) {
	name := cmp.Or(os.Getenv("TCC_NUMPY_CASES"), "testdata/numpy.jsonl")
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	failed := 0
	for n := 1; lines.Scan(); n++ {
		var c numpyCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s:%d: %v", name, n, err)
		}
		if c.Keep && (c.Op == "Any" || c.Op == "All") {
			continue
		}
		if err := c.check(); err != nil {
			text := lines.Text()
			t.Errorf("%s:%d: %v\n%.300s", name, n, err, text)
			if failed++; failed == 20 {
				t.Fatal("more failures are not shown")
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func (c *numpyCase) check() error {
	if c.Op == "print" {
		if c.Text == "[]" && len(c.Args[0].Shape) != 1 {
			shape := strings.ReplaceAll(fmt.Sprint(c.Args[0].Shape), " ", ",")
			c.Text += ", shape=(" + shape[1:len(shape)-1] + ")"
		}
		want := "tensor(" + c.Text + ", " + c.Args[0].DType + ", cpu)"
		if got := fmt.Sprint(c.Args[0].tensor()); got != want {
			return fmt.Errorf("prints\n%s\nwant\n%s", got, want)
		}
		return nil
	}
	got := c.run()
	if err := got.Err(); err != nil {
		return err
	}
	if d := got.DType().String(); d != c.Result.DType {
		return fmt.Errorf("%s: type %s, want %s", c.Op, d, c.Result.DType)
	}
	if s := got.Shape(); fmt.Sprint(s) != fmt.Sprint(c.Result.Shape) {
		return fmt.Errorf("%s: shape %v, want %v", c.Op, s, c.Result.Shape)
	}
	return c.compare(got, c.Result.tensor())
}

// ulps is the tolerance in units of the last place: NumPy's functions err too.
var ulps = map[ir.DType]float64{ir.F16: 2, ir.F32: 4, ir.F64: 4}

func (c *numpyCase) compare(got, want tensor.Tensor) error {
	d := got.DType()
	if !d.IsFloat() {
		same, err := tensor.Item[bool](got.Eq(want).All())
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%s: %v, want %v", c.Op, got, want)
		}
		return nil
	}
	eps := map[ir.DType]float64{ir.F16: 0x1p-11, ir.F32: 0x1p-24, ir.F64: 0x1p-53}[d]
	tol := 2 * ulps[d] * eps
	if strings.Contains("Sum Prod Mean Var", c.Op) {
		tol *= 16
	}
	gs, err := tensor.Data[float64](got.Cast(ir.F64))
	if err != nil {
		return err
	}
	ws, err := tensor.Data[float64](want.Cast(ir.F64))
	if err != nil {
		return err
	}
	largest := 1e-300
	for _, w := range ws {
		if !math.IsInf(w, 0) && !math.IsNaN(w) {
			largest = max(largest, math.Abs(w))
		}
	}
	for i, w := range ws {
		g := gs[i]
		within := math.Abs(g-w) <= tol*math.Abs(w)+smallest[d] || c.Op == "Var" && math.Abs(g-w) <= tol*largest ||
			(c.Op == "Sum" || c.Op == "Mean") && math.Abs(g-w) <= 64*tol ||
			// Go's math.Sin loses digits near its zeros for arguments of 1e18.
			d == ir.F64 && (c.Op == "Sin" || c.Op == "Cos") && math.Abs(g-w) <= tol
		if g != w && !(math.IsNaN(g) && math.IsNaN(w)) && !within {
			return fmt.Errorf("%s: element %d is %g, want %g", c.Op, i, g, w)
		}
		// NumPy leaves open which zero is the larger; here +0 is.
		if open := c.Op == "Maximum" || c.Op == "Minimum"; !open && g == 0 && w == 0 && math.Signbit(g) != math.Signbit(w) {
			return fmt.Errorf("%s: element %d is %g, want %g", c.Op, i, g, w)
		}
	}
	return nil
}

// smallest is the spacing of the smallest numbers.
var smallest = map[ir.DType]float64{ir.F16: 0x1p-24, ir.F32: 0x1p-149, ir.F64: 0x1p-1074}
