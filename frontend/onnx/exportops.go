package onnx

import (
	"errors"
	"fmt"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// exportFunc appends the nodes of a value and returns the names of its
// results.
type exportFunc func(e *exporter, v *ir.Value) ([]string, error)

// exporters says how each operation is exported. Missing are those that ONNX
// has no operator for (atan2, popcount, randombits) or had not in exportOpset
// (bitcast, cumprod).
var exporters map[ir.Op]exportFunc

func init() {
	exporters = map[ir.Op]exportFunc{
		ir.OpConst: func(e *exporter, v *ir.Value) ([]string, error) {
			return one(e.literal(v.Attr.(*ir.ConstAttr).Value)), nil
		},
		ir.OpGet: func(e *exporter, v *ir.Value) ([]string, error) {
			i := v.Attr.(*ir.IndexAttr).Index
			return e.names[v.Args[0]][i : i+1], nil
		},
		ir.OpDims: func(e *exporter, v *ir.Value) ([]string, error) {
			name, err := e.shape(v.Attr.(*ir.DimsAttr).Dims)
			return one(name), err
		},
		ir.OpBind: func(e *exporter, v *ir.Value) ([]string, error) {
			e.syms[v.Attr.(*ir.BindAttr).Sym] = e.node("Unsqueeze", nil, e.arg(v, 0), e.ints(0))
			return one(e.arg(v, 0)), nil
		},
		ir.OpCheck: func(e *exporter, v *ir.Value) ([]string, error) { return one(e.ints()), nil },
		ir.OpIf:    exportIf, ir.OpScan: exportScan, ir.OpFuse: exportFuse,
		ir.OpCast: func(e *exporter, v *ir.Value) ([]string, error) {
			return one(e.cast(e.arg(v, 0), v.Attr.(*ir.DTypeAttr).DType)), nil
		},
		ir.OpNot: typed("Not", "BitwiseNot"), ir.OpAnd: typed("And", "BitwiseAnd"),
		ir.OpOr: typed("Or", "BitwiseOr"), ir.OpXor: typed("Xor", "BitwiseXor"),
		ir.OpTrunc: exportTrunc, ir.OpExpm1: exportExpm1, ir.OpLog1p: exportLog1p,
		ir.OpFloorDiv: exportFloorDiv, ir.OpMod: exportMod,
		ir.OpRem: plain("Mod", "fmod", 1), ir.OpNe: exportNe, ir.OpFMA: exportFMA,
		ir.OpShl: exportShift("LEFT"), ir.OpShr: exportShift("RIGHT"),
		ir.OpUpdateSlice: exportUpdateSlice, ir.OpDynamicSlice: exportDynamicSlice,
		ir.OpDynamicUpdate: exportDynamicUpdate,
		ir.OpIota:          exportIota, ir.OpBroadcast: exportBroadcast, ir.OpReshape: exportReshape,
		ir.OpTranspose: exportTranspose, ir.OpSlice: exportSlice, ir.OpPad: exportPad,
		ir.OpConcat: axisOp("Concat"), ir.OpGather: axisOp("Gather"),
		ir.OpTakeAlong: axisOp("GatherElements"), ir.OpGatherND: exportGatherND,
		ir.OpScatterAlong: exportScatter, ir.OpScatterND: exportScatter,
		ir.OpNonZero: exportNonZero, ir.OpArgSort: exportArgSort, ir.OpCumSum: exportCumSum,
		ir.OpSum: reduceOp("ReduceSum"), ir.OpProd: reduceOp("ReduceProd"),
		ir.OpReduceMax: reduceOp("ReduceMax"), ir.OpReduceMin: reduceOp("ReduceMin"),
		ir.OpArgMax: argOp("ArgMax"), ir.OpArgMin: argOp("ArgMin"),
		ir.OpWindowSum: exportWindowSum, ir.OpWindowMax: exportWindowMax,
		ir.OpDot: exportDot, ir.OpConv: exportConv,
	}
	for op, name := range map[ir.Op]string{
		ir.OpNeg: "Neg", ir.OpAbs: "Abs", ir.OpSign: "Sign", ir.OpCeil: "Ceil", ir.OpFloor: "Floor",
		ir.OpRound: "Round", ir.OpSqrt: "Sqrt", ir.OpExp: "Exp", ir.OpLog: "Log", ir.OpSin: "Sin",
		ir.OpCos: "Cos", ir.OpTan: "Tan", ir.OpAsin: "Asin", ir.OpAcos: "Acos", ir.OpAtan: "Atan",
		ir.OpSinh: "Sinh", ir.OpCosh: "Cosh", ir.OpTanh: "Tanh", ir.OpAsinh: "Asinh",
		ir.OpAcosh: "Acosh", ir.OpAtanh: "Atanh", ir.OpErf: "Erf", ir.OpSigmoid: "Sigmoid",
		ir.OpIsNaN: "IsNaN", ir.OpIsInf: "IsInf", ir.OpAdd: "Add", ir.OpSub: "Sub", ir.OpMul: "Mul",
		ir.OpDiv: "Div", ir.OpPow: "Pow", ir.OpMax: "Max", ir.OpMin: "Min", ir.OpEq: "Equal",
		ir.OpLt: "Less", ir.OpLe: "LessOrEqual", ir.OpGt: "Greater", ir.OpGe: "GreaterOrEqual",
		ir.OpSelect: "Where", ir.OpBarrier: "Identity",
	} {
		exporters[op] = plain(name)
	}
}

func one(name string) []string { return []string{name} }

// plain exports an operation that is an operator.
func plain(op string, a ...any) exportFunc {
	return func(e *exporter, v *ir.Value) ([]string, error) {
		return one(e.node(op, a, e.args(v)...)), nil
	}
}

// typed exports an operation that has operators for bools and for integers.
func typed(bools, ints string) exportFunc {
	return func(e *exporter, v *ir.Value) ([]string, error) {
		op := ints
		if v.Type.DType == ir.Bool {
			op = bools
		}
		return one(e.node(op, nil, e.args(v)...)), nil
	}
}

func axisOp(op string) exportFunc {
	return func(e *exporter, v *ir.Value) ([]string, error) {
		return one(e.node(op, attrs{"axis", v.Attr.(*ir.AxisAttr).Axis}, e.args(v)...)), nil
	}
}

func argOp(op string) exportFunc {
	return func(e *exporter, v *ir.Value) ([]string, error) {
		a := attrs{"axis", v.Attr.(*ir.AxisAttr).Axis, "keepdims", 0}
		return one(e.node(op, a, e.args(v)...)), nil
	}
}

func reduceOp(op string) exportFunc {
	return func(e *exporter, v *ir.Value) ([]string, error) {
		var axes []int64
		for _, a := range v.Attr.(*ir.AxesAttr).Axes {
			axes = append(axes, int64(a))
		}
		a := attrs{"keepdims", 0, "noop_with_empty_axes", 1}
		if op == "ReduceSum" || op == "ReduceProd" || len(axes) > 0 {
			return one(e.node(op, a, e.arg(v, 0), e.ints(axes...))), nil
		}
		return one(e.arg(v, 0)), nil
	}
}

func (e *exporter) cast(name string, d ir.DType) string {
	a := attrs{"to", int64(onnxTypes[d])}
	if largest8[d] != 0 {
		a = append(a, "saturate", 0)
	}
	return e.node("Cast", a, name)
}

// exportTrunc is sign(x)*floor(|x|).
func exportTrunc(e *exporter, v *ir.Value) ([]string, error) {
	x := e.arg(v, 0)
	size := e.node("Floor", nil, e.node("Abs", nil, x))
	return one(e.node("Mul", nil, e.node("Sign", nil, x), size)), nil
}

// exportExpm1 loses the digits that expm1 keeps near 0.
func exportExpm1(e *exporter, v *ir.Value) ([]string, error) {
	return one(e.node("Sub", nil, e.node("Exp", nil, e.arg(v, 0)), e.number(v.Type.DType, 1))), nil
}

// exportLog1p loses the digits that log1p keeps near 0.
func exportLog1p(e *exporter, v *ir.Value) ([]string, error) {
	return one(e.node("Log", nil, e.node("Add", nil, e.arg(v, 0), e.number(v.Type.DType, 1)))), nil
}

func exportFloorDiv(e *exporter, v *ir.Value) ([]string, error) {
	x, y := e.arg(v, 0), e.arg(v, 1)
	if v.Type.DType.IsFloat() {
		return one(e.node("Floor", nil, e.node("Div", nil, x, y))), nil
	}
	return one(e.node("Div", nil, e.node("Sub", nil, x, e.node("Mod", nil, x, y)), y)), nil
}

func exportMod(e *exporter, v *ir.Value) ([]string, error) {
	x, y := e.arg(v, 0), e.arg(v, 1)
	if v.Type.DType.IsFloat() { // Mod of floats has the sign of x
		q := e.node("Floor", nil, e.node("Div", nil, x, y))
		return one(e.node("Sub", nil, x, e.node("Mul", nil, y, q))), nil
	}
	return one(e.node("Mod", nil, x, y)), nil
}

func exportNe(e *exporter, v *ir.Value) ([]string, error) {
	return one(e.node("Not", nil, e.node("Equal", nil, e.args(v)...))), nil
}

func exportFMA(e *exporter, v *ir.Value) ([]string, error) {
	return one(e.node("Add", nil, e.node("Mul", nil, e.arg(v, 0), e.arg(v, 1)), e.arg(v, 2))), nil
}

func exportIota(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.IotaAttr)
	length, err := e.dim(a.Shape[a.Axis])
	if err != nil {
		return nil, err
	}
	scalar := e.node("Squeeze", nil, length, e.ints(0))
	name := e.node("Range", nil, e.number(ir.I64, 0), scalar, e.number(ir.I64, 1))
	if a.DType != ir.I64 {
		name = e.cast(name, a.DType)
	}
	if len(a.Shape) == 1 {
		return one(name), nil
	}
	return e.stretch(name, ir.Shape{a.Shape[a.Axis]}, []int{a.Axis}, a.Shape)
}

// stretch broadcasts a tensor of shape from, its axes at axes.
func (e *exporter) stretch(name string, from ir.Shape, axes []int, to ir.Shape) ([]string, error) {
	placed := make(ir.Shape, len(to))
	for i := range placed {
		placed[i] = ir.Const(1)
	}
	for i, a := range axes {
		placed[a] = from[i]
	}
	var err error
	if len(from) != len(to) {
		if name, err = e.reshape(name, placed); err != nil {
			return nil, err
		}
	}
	shape, err := e.shape(to)
	return one(e.node("Expand", nil, name, shape)), err
}

func exportBroadcast(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.BroadcastAttr)
	return e.stretch(e.arg(v, 0), v.Args[0].Type.Shape, a.Axes, a.Shape)
}

func exportReshape(e *exporter, v *ir.Value) ([]string, error) {
	name, err := e.reshape(e.arg(v, 0), v.Type.Shape)
	return one(name), err
}

func exportTranspose(e *exporter, v *ir.Value) ([]string, error) {
	return one(e.transpose(e.arg(v, 0), v.Attr.(*ir.PermAttr).Perm)), nil
}

func (e *exporter) transpose(name string, perm []int) string {
	list := make([]int64, len(perm))
	for i, p := range perm {
		list[i] = int64(p)
	}
	return e.node("Transpose", attrs{"perm", list}, name)
}

func exportSlice(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.SliceAttr)
	ends := make(ir.Shape, len(a.Start))
	axes := make([]int64, len(a.Start))
	for i, start := range a.Start {
		end := start.Add(a.Shape[i].MulConst(a.Step[i]))
		if r := bounds(end); r.lo < 0 {
			if r.hi >= 0 && a.Step[i] < 0 {
				return nil, fmt.Errorf("axis %d: the end %v of a slice may count from the end", i, end)
			}
			if r.hi < 0 {
				end = end.Sub(v.Args[0].Type.Shape[i]) // before the start, whatever the extent
			}
		}
		ends[i], axes[i] = end, int64(i)
	}
	start, err := e.shape(a.Start)
	end, err2 := e.shape(ends)
	return one(e.node("Slice", nil, e.arg(v, 0), start, end, e.ints(axes...), e.ints(a.Step...))),
		errors.Join(err, err2)
}

func exportPad(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.PadAttr)
	pads, err := e.shape(append(a.Lo.Clone(), a.Hi...))
	return one(e.node("Pad", nil, e.arg(v, 0), pads, e.arg(v, 1))), err
}

func exportGatherND(e *exporter, v *ir.Value) ([]string, error) {
	a := attrs{"batch_dims", v.Attr.(*ir.BatchAttr).Batch}
	return one(e.node("GatherND", a, e.args(v)...)), nil
}

func exportScatter(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.ScatterAttr)
	if v.Op == ir.OpScatterND {
		return one(e.node("ScatterND", attrs{"reduction", a.Reduce}, e.args(v)...)), nil
	}
	at := attrs{"axis", a.Axis, "reduction", a.Reduce}
	return one(e.node("ScatterElements", at, e.args(v)...)), nil
}

func exportNonZero(e *exporter, v *ir.Value) ([]string, error) {
	name := e.node("NonZero", nil, e.arg(v, 0))
	e.learn(v.Type.Shape, name)
	return one(name), nil
}

// exportArgSort takes all elements as the top ones.
func exportArgSort(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.SortAttr)
	k, err := e.dim(v.Type.Shape[a.Axis])
	largest := 0
	if a.Desc {
		largest = 1
	}
	return e.nodes("TopK", 2, attrs{"axis", a.Axis, "largest", largest}, e.arg(v, 0), k)[1:], err
}

func exportCumSum(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.CumAttr)
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return one(e.node("CumSum", attrs{"exclusive", flag(a.Exclusive), "reverse", flag(a.Reverse)},
		e.arg(v, 0), e.number(ir.I64, float64(a.Axis)))), nil
}

// exportFuse exports the body in the place of the region.
func exportFuse(e *exporter, v *ir.Value) ([]string, error) {
	body := v.Attr.(*ir.FuseAttr).Body
	for i, p := range body.Params {
		e.names[p] = e.names[v.Args[i]]
	}
	if err := e.values(body); err != nil {
		return nil, err
	}
	var out []string
	for _, r := range body.Results {
		out = append(out, e.names[r][0])
	}
	return out, nil
}

// exportIf lets the branches use the names of the arguments themselves.
func exportIf(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.IfAttr)
	var branches [2]*onnxpb.GraphProto
	for i, g := range []*ir.Graph{a.Then, a.Else} {
		for j, p := range g.Params {
			e.names[p] = e.names[v.Args[1+j]]
		}
		var err error
		if branches[i], err = e.region(g); err != nil {
			return nil, err
		}
	}
	types := v.ResultTypes()
	at := attrs{"then_branch", branches[0], "else_branch", branches[1]}
	out := e.nodes("If", len(types), at, e.arg(v, 0))
	for i, t := range types {
		e.learn(t.Shape, out[i])
	}
	return out, nil
}

// exportScan lets the body use the names of the arguments that do not change.
func exportScan(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.LoopAttr)
	in := e.args(v)[:a.Carry+a.Xs]
	var inputs []*onnxpb.ValueInfoProto
	for i, p := range a.Body.Params {
		if i >= len(in) {
			e.names[p] = e.names[v.Args[i]]
			continue
		}
		e.names[p] = one(e.fresh("state"))
		inputs = append(inputs, valueInfo(e.names[p][0], p.Type))
	}
	xs := a.Xs
	if xs == 0 { // Scan wants a sequence: one of step numbers, which nothing uses
		length, err := e.dim(a.Length)
		if err != nil {
			return nil, err
		}
		scalar := e.node("Squeeze", nil, length, e.ints(0))
		in = append(in, e.node("Range", nil, e.number(ir.I64, 0), scalar, e.number(ir.I64, 1)))
		inputs = append(inputs, valueInfo(e.fresh("step"), ir.T(ir.I64)))
		xs = 1
	}
	body, err := e.region(a.Body)
	if err != nil {
		return nil, err
	}
	body.Input = inputs
	at := attrs{"body", body, "num_scan_inputs", xs}
	if stacked := len(a.Body.Results) - a.Carry; a.Reverse {
		at = append(at, "scan_input_directions", ones(xs))
		if stacked > 0 {
			at = append(at, "scan_output_directions", ones(stacked))
		}
	}
	return e.nodes("Scan", len(v.ResultTypes()), at, in...), nil
}
