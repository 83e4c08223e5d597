package cases

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/linalg"
	"github.com/tensorcc/tcc/ir"
)

// Case is a line of the file.
type Case struct {
	Op     string
	Args   []Array
	Call   []json.RawMessage // arguments beside the receiver, see value
	Reduce []json.RawMessage // options of Tensor.Reduce
	Index  [][]indexItem     // of index and set
	Text   string            // of print
	Want   []Want
}

// Read reads a file of cases.
func Read(r io.Reader) ([]*Case, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	var cs []*Case
	for lines.Scan() {
		c := &Case{}
		if err := json.Unmarshal(lines.Bytes(), c); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(cs)+1, err)
		}
		cs = append(cs, c)
	}
	return cs, lines.Err()
}

// functions are those of the packages that cases call; all others are methods.
var functions = map[string]any{
	"Concat": tensor.Concat, "Stack": tensor.Stack, "Where": tensor.Where, "Of": tensor.Of,
	"Arange": tensor.Arange, "Linspace": tensor.Linspace, "Eye": tensor.Eye, "Full": tensor.Full,
	"Zeros": tensor.Zeros, "Ones": tensor.Ones, "FullLike": tensor.FullLike,
	"ZerosLike": tensor.ZerosLike, "OnesLike": tensor.OnesLike, "Meshgrid": tensor.Meshgrid,
	"BroadcastArrays": tensor.BroadcastArrays, "Einsum": tensor.Einsum,
	"Attention": tensor.ScaledDotProductAttention, "UnfoldBlocks": tensor.Unfold,
	"Fold": tensor.Fold, "Inv": linalg.Inv, "Det": linalg.Det, "Solve": linalg.Solve,
	"SLogDet": linalg.SLogDet, "Cholesky": linalg.Cholesky, "QR": linalg.QR,
	"SVDVals": linalg.SVDVals, "EigValsh": linalg.EigValsh, "Pinv": linalg.Pinv,
	"MatrixRank": linalg.MatrixRank, "LinalgNorm": linalg.MatrixNorm,
}

// host are the operations that cannot be traced.
var host = map[string]bool{"print": true, "Inv": true, "Det": true, "Solve": true, "SLogDet": true,
	"Cholesky": true, "QR": true, "SVDVals": true, "EigValsh": true, "Pinv": true,
	"MatrixRank": true, "LinalgNorm": true}

// Traceable reports whether the case can be part of a compiled function: not
// what runs on the host, nor a mask of one true element beside other index
// arrays, which broadcasts.
func (c *Case) Traceable() bool {
	for _, items := range c.Index {
		arrays, single := 0, false
		for _, it := range items {
			if it.Array != nil {
				arrays++
				a := c.Args[*it.Array]
				single = single || a.DType == "bool" && bytes.Count(a.Data, []byte{1}) == 1
			}
		}
		if single && arrays > 1 {
			return false
		}
	}
	return !host[c.Op]
}

// options are the functional options, by name.
var options = map[string]any{
	"Descending": tensor.Descending, "Endpoint": tensor.Endpoint, "Correction": tensor.Correction,
	"KeepDims": tensor.KeepDims, "As": tensor.As, "IncludeInitial": tensor.IncludeInitial,
	"Stride": tensor.Stride, "Padding": tensor.Padding, "PaddingSame": tensor.PaddingSame,
	"Dilation": tensor.Dilation, "OutputPadding": tensor.OutputPadding, "Groups": tensor.Groups,
	"CeilMode": tensor.CeilMode, "CountIncludePad": tensor.CountIncludePad,
	"ScatterReduce": tensor.ScatterReduce, "IncludeSelf": tensor.IncludeSelf,
	"AlignCorners": tensor.AlignCorners, "ScaleFactor": tensor.ScaleFactor, "Causal": tensor.Causal,
	"AttentionMask": tensor.AttentionMask, "Scale": tensor.Scale,
}

// Run computes the case from its arguments.
func (c *Case) Run(args []tensor.Tensor) (out []tensor.Tensor, err error) {
	if c.Op == "index" || c.Op == "set" {
		return []tensor.Tensor{c.indexed(args)}, nil
	}
	var f reflect.Value
	if fn, ok := functions[c.Op]; ok {
		f = reflect.ValueOf(fn)
	} else {
		on := any(args[0])
		if c.Reduce != nil {
			opts, err := values(c.Reduce, reflect.TypeFor[tensor.ReduceOption](), args)
			if err != nil {
				return nil, err
			}
			var rs []tensor.ReduceOption
			for _, o := range opts {
				rs = append(rs, o.Interface().(tensor.ReduceOption))
			}
			on = args[0].Reduce(rs...)
		}
		if f = reflect.ValueOf(on).MethodByName(c.Op); !f.IsValid() {
			return nil, fmt.Errorf("no method %s of %T", c.Op, on)
		}
	}
	in, err := arguments(f.Type(), c.Call, args)
	if err != nil {
		return nil, err
	}
	return results(f.Call(in))
}

// results flattens what a call returns.
func results(rs []reflect.Value) (out []tensor.Tensor, err error) {
	for _, r := range rs {
		switch x := r.Interface().(type) {
		case tensor.Tensor:
			out = append(out, x)
		case []tensor.Tensor:
			out = append(out, x...)
		case tensor.Uniques:
			out = append(out, x.Values, x.Indices, x.Inverse, x.Counts)
		case error:
			return nil, x
		}
	}
	return out, nil
}

// arguments converts the JSON of a call to what a function takes.
func arguments(f reflect.Type, call []json.RawMessage, args []tensor.Tensor) ([]reflect.Value,
	error) {
	var in []reflect.Value
	for i, raw := range call {
		t := reflect.TypeFor[any]()
		switch {
		case f.IsVariadic() && i >= f.NumIn()-1:
			t = f.In(f.NumIn() - 1).Elem()
		case i < f.NumIn():
			t = f.In(i)
		}
		v, err := value(raw, t, args)
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	return in, nil
}

func values(raws []json.RawMessage, t reflect.Type, args []tensor.Tensor) ([]reflect.Value, error) {
	var out []reflect.Value
	for _, raw := range raws {
		v, err := value(raw, t, args)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// value converts an argument to type t: a number without a point is an int
// where t leaves that open, "@i" the case's array i, "dtype:f32" an element
// type, other words strings (or inf, -inf, nan where a float is wanted), lists
// slices, and {"opt": NAME, "args": [...]} an option.
func value(raw json.RawMessage, t reflect.Type, args []tensor.Tensor) (reflect.Value, error) {
	s := strings.TrimSpace(string(raw))
	switch {
	case s == "null":
		return reflect.Zero(t), nil
	case s[0] == '{':
		var o struct {
			Opt  string
			Args []json.RawMessage
		}
		if err := json.Unmarshal(raw, &o); err != nil {
			return reflect.Value{}, err
		}
		f := reflect.ValueOf(options[o.Opt])
		if !f.IsValid() {
			return f, fmt.Errorf("no option %s", o.Opt)
		}
		in, err := arguments(f.Type(), o.Args, args)
		if err != nil {
			return f, err
		}
		return f.Call(in)[0], nil
	case s[0] == '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return reflect.Value{}, err
		}
		if t.Kind() != reflect.Slice {
			t = reflect.TypeFor[[]int]()
		}
		vs, err := values(items, t.Elem(), args)
		return reflect.Append(reflect.MakeSlice(t, 0, len(vs)), vs...), err
	case s[0] == '"':
		return word(s[1:len(s)-1], t, args)
	case s == "true" || s == "false":
		return reflect.ValueOf(s == "true"), nil
	}
	return number(s, t)
}

func word(s string, t reflect.Type, args []tensor.Tensor) (reflect.Value, error) {
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		i, err := strconv.Atoi(rest)
		return reflect.ValueOf(args[i]), err
	}
	if rest, ok := strings.CutPrefix(s, "dtype:"); ok {
		d, _ := ir.ParseDType(rest)
		return reflect.ValueOf(d), nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return reflect.ValueOf(f), nil
	}
	return reflect.ValueOf(s).Convert(orString(t)), nil
}

func orString(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.String {
		return t
	}
	return reflect.TypeFor[string]()
}

func number(s string, t reflect.Type) (reflect.Value, error) {
	if i, err := strconv.Atoi(s); err == nil && t.Kind() != reflect.Float64 {
		return reflect.ValueOf(i), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	return reflect.ValueOf(f), err
}

// Tensors makes tensors of the case's arrays.
func (c *Case) Tensors() []tensor.Tensor {
	out := make([]tensor.Tensor, len(c.Args))
	for i, a := range c.Args {
		a.Data = bytes.Clone(a.Data)
		out[i] = a.Tensor()
	}
	return out
}

// Check compares results with what is wanted.
func (c *Case) Check(got []Array) error {
	if len(got) != len(c.Want) {
		return fmt.Errorf("%d results, want %d", len(got), len(c.Want))
	}
	for i := range got {
		if err := c.Want[i].Compare(got[i]); err != nil {
			return fmt.Errorf("%s: result %d: %w", c.Op, i, err)
		}
	}
	return nil
}

// Lazy runs the case lazily and checks it.
func (c *Case) Lazy() error {
	args := c.Tensors()
	if c.Op == "print" {
		return c.print(args[0])
	}
	out, err := c.Run(args)
	if err != nil {
		return err
	}
	if err := tensor.Realize(out...); err != nil {
		return err
	}
	got := make([]Array, len(out))
	for i, t := range out {
		if got[i], err = ArrayOf(t); err != nil {
			return err
		}
	}
	return c.Check(got)
}

func (c *Case) print(t tensor.Tensor) error {
	text := c.Text
	if text == "[]" && len(c.Args[0].Shape) != 1 {
		shape := strings.ReplaceAll(fmt.Sprint(c.Args[0].Shape), " ", ",")
		text += ", shape=(" + shape[1:len(shape)-1] + ")"
	}
	want := "tensor(" + text + ", " + c.Args[0].DType + ", cpu)"
	if got := fmt.Sprint(t); got != want {
		return fmt.Errorf("prints\n%s\nwant\n%s", got, want)
	}
	return nil
}

// String describes the case for a failure.
func (c *Case) String() string {
	var b strings.Builder
	for _, a := range c.Args {
		s := a
		s.Data = bytes.Clone(a.Data)
		fmt.Fprintf(&b, "%.200s ", fmt.Sprint(s.Tensor()))
	}
	fmt.Fprintf(&b, "call %s reduce %s", c.Call, c.Reduce)
	if c.Index != nil {
		text, err := json.Marshal(c.Index)
		fmt.Fprintf(&b, " index %s %v", text, err)
	}
	return b.String()
}
