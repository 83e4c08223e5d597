package tensor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// hostile makes arguments that fit or do not.
type hostile struct{ *rand.Rand }

func (h hostile) int() int { return h.IntN(9) - 3 }

func (h hostile) tensor() tensor.Tensor {
	switch h.IntN(12) {
	case 0:
		return tensor.Tensor{}
	case 1:
		return tensor.Zeros(tensor.F32, 2).Add(tensor.Zeros(tensor.F32, 3)) // an error
	}
	d := []tensor.DType{tensor.F32, tensor.F64, tensor.I64, tensor.Bool, tensor.U8, tensor.F16,
		tensor.BF16}[h.IntN(7)]
	shape := make([]int, h.IntN(5))
	for i := range shape {
		shape[i] = h.IntN(4)
	}
	x := tensor.Arange(-1, 300).Narrow(0, 0, product(shape)).Reshape(shape...).Cast(d)
	if h.IntN(3) == 0 {
		x = x.T() // a view
	}
	return x
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// value is an argument of type t.
func (h hostile) value(t reflect.Type) (reflect.Value, bool) {
	switch t {
	case reflect.TypeFor[tensor.Tensor]():
		return reflect.ValueOf(h.tensor()), true
	case reflect.TypeFor[tensor.DType]():
		return reflect.ValueOf(tensor.DType(h.IntN(20))), true
	case reflect.TypeFor[tensor.Key]():
		return reflect.ValueOf(tensor.NewKey(h.Uint64())), true
	case reflect.TypeFor[tensor.Device]():
		d := []tensor.Device{tensor.CPU, tensor.CUDA, {}, tensor.CPU.At(3)}[h.IntN(4)]
		return reflect.ValueOf(d), true
	case reflect.TypeFor[ir.Shape]():
		return reflect.ValueOf(ir.Dims(int64(h.int()), int64(h.int()))), true
	case reflect.TypeFor[any]():
		choices := []any{h.int(), 0.5, true, nil, "word", h.tensor(), []int{h.int(), h.int()},
			[][]float64{{1}, {2, 3}}, math.Inf(1), tensor.All, tensor.None, tensor.Ellipsis,
			tensor.Slice(h.int(), nil, h.int()), []bool{true, false}, struct{}{}, uint64(1 << 63)}
		if x := choices[h.IntN(len(choices))]; x != nil {
			return reflect.ValueOf(x), true
		}
		return reflect.Zero(t), true
	}
	switch t.Kind() {
	case reflect.Int:
		return reflect.ValueOf(h.int()), true
	case reflect.Bool:
		return reflect.ValueOf(h.IntN(2) == 0), true
	case reflect.Float64:
		return reflect.ValueOf([]float64{0, -1, 0.5, 2, math.NaN(), math.Inf(1)}[h.IntN(6)]), true
	case reflect.String:
		word := []string{"", "ij,jk->ik", "xy", "constant", "linear"}[h.IntN(5)]
		return reflect.ValueOf(word).Convert(t), true
	case reflect.Slice:
		s := reflect.MakeSlice(t, 0, 3)
		for range h.IntN(4) {
			v, ok := h.value(t.Elem())
			if !ok {
				return v, false
			}
			s = reflect.Append(s, v)
		}
		return s, true
	case reflect.Func: // an option
		if t.NumOut() == 0 {
			return h.option(t), true
		}
	}
	return reflect.Value{}, false
}

// option is an option of type t, with random arguments.
func (h hostile) option(t reflect.Type) reflect.Value {
	var fit []reflect.Value
	for _, f := range []any{tensor.Descending, tensor.Correction, tensor.KeepDims, tensor.As,
		tensor.IncludeInitial, tensor.Stride, tensor.Padding, tensor.PaddingSame, tensor.Dilation,
		tensor.OutputPadding, tensor.Groups, tensor.CeilMode, tensor.CountIncludePad,
		tensor.ScatterReduce, tensor.IncludeSelf, tensor.AlignCorners, tensor.ScaleFactor,
		tensor.Causal, tensor.AttentionMask, tensor.Scale, tensor.Endpoint} {
		if v := reflect.ValueOf(f); v.Type().Out(0) == t {
			fit = append(fit, v)
		}
	}
	f := fit[h.IntN(len(fit))]
	in, _ := h.arguments(f.Type())
	return f.Call(in)[0]
}

// arguments of a function type; false if there is one of a type that is not
// known here.
func (h hostile) arguments(f reflect.Type) ([]reflect.Value, bool) {
	var in []reflect.Value
	for i := range f.NumIn() {
		t := f.In(i)
		n := 1
		if f.IsVariadic() && i == f.NumIn()-1 {
			t, n = t.Elem(), h.IntN(4)
		}
		for range n {
			v, ok := h.value(t)
			if !ok {
				return nil, false
			}
			in = append(in, v)
		}
	}
	return in, true
}

// TestHostile calls everything with arguments that fit or do not: the answer
// is a result or an error, never a panic, and what has no error can be
// evaluated, to a result of the shape and type it said, or to an error.
func TestHostile(t *testing.T) {
	h := hostile{rand.New(rand.NewPCG(1, 2))}
	functions := map[string]any{"Zeros": tensor.Zeros, "Full": tensor.Full, "Eye": tensor.Eye,
		"Arange": tensor.Arange, "Linspace": tensor.Linspace, "Meshgrid": tensor.Meshgrid,
		"Concat": tensor.Concat, "Stack": tensor.Stack, "Where": tensor.Where,
		"BroadcastArrays": tensor.BroadcastArrays, "Einsum": tensor.Einsum, "Of": tensor.Of,
		"Attention": tensor.ScaledDotProductAttention, "Unfold": tensor.Unfold, "Fold": tensor.Fold,
		"Rand": tensor.Rand, "Randn": tensor.Randn, "Randint": tensor.Randint,
		"Permutation": tensor.Permutation, "Uniform": tensor.Uniform, "FullLike": tensor.FullLike,
		"ResultType": tensor.ResultType, "IsDType": tensor.IsDType}
	tensorType, keptType := reflect.TypeFor[tensor.Tensor](), reflect.TypeFor[tensor.Kept]()
	called := 0
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	for round := range rounds {
		for i := range tensorType.NumMethod() {
			if m := tensorType.Method(i); !strings.HasPrefix(m.Name, "Must") {
				called += h.call(t, m.Name, reflect.ValueOf(h.tensor()).Method(i), round)
			}
		}
		for i := range keptType.NumMethod() {
			x := reflect.ValueOf(h.tensor().Keep())
			called += h.call(t, "Kept."+keptType.Method(i).Name, x.Method(i), round)
		}
		for name, f := range functions {
			called += h.call(t, name, reflect.ValueOf(f), round)
		}
		if t.Failed() {
			return
		}
	}
	if called < rounds*200 {
		t.Errorf("%d calls in all", called)
	}
}

// call calls f and evaluates its results; it returns 1 if f was called.
func (h hostile) call(t *testing.T, name string, f reflect.Value, round int) (n int) {
	in, ok := h.arguments(f.Type())
	if !ok {
		return 0
	}
	defer func() {
		if r := recover(); r != nil {
			var text []string
			for _, v := range in {
				text = append(text, fmt.Sprintf("%T", v.Interface()))
			}
			t.Errorf("round %d: %s(%s) panics: %v", round, name, strings.Join(text, ", "), r)
		}
	}()
	for _, r := range f.Call(in) {
		x, ok := r.Interface().(tensor.Tensor)
		if !ok || x.Err() != nil || x.Size() > 1<<20 {
			continue
		}
		if err := tensor.Realize(x); err == nil && fmt.Sprint(x) == "" {
			t.Errorf("%s prints nothing", name)
		}
	}
	return 1
}
