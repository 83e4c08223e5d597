package purego

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
)

// expr prints the computation of e and returns the name of its value.
func (p *printer) expr(e *kernel.Expr) (string, error) {
	if v, ok := p.vars[e]; ok {
		return v, nil
	}
	switch e.Kind {
	case kernel.KConst:
		return constant(e), nil
	case kernel.KIndex:
		return "int64(" + p.dim(e.Index) + ")", nil
	case kernel.KVar:
		return p.use(e.Var), nil
	}
	if e.Kind == kernel.KOp && inexact(e.Op, e.Args[0].DType) {
		t, err := p.expr(mathfn.ExpandOp(e, nil))
		p.vars[e] = t
		return t, err
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		s, err := p.expr(a)
		if err != nil {
			return "", err
		}
		args[i] = s
	}
	dynamic := func(a *kernel.Expr) bool { return !p.static(a) }
	if len(args) > 0 && !slices.ContainsFunc(e.Args, dynamic) {
		// Go computes with constants exactly and refuses what overflows: the
		// operation must see a variable.
		v := p.temp()
		p.printf("%s := %s", v, args[0])
		args[0] = v
	}
	t := p.temp()
	p.vars[e] = t
	if e.Kind == kernel.KLoad {
		p.load(t, e, args)
		return t, nil
	}
	f, err := operation(e, args)
	if err != nil {
		return "", err
	}
	p.printf("%s := %s", t, f)
	return t, nil
}

// inexact reports whether package math has no function for op that is good to the digits of d: it
// multiplies for a power, subtracts near the end of an arc, and reduces angles by few digits.
// Such functions are computed as native code does.
func inexact(op ir.Op, d ir.DType) bool {
	switch op {
	case ir.OpPow:
		return d.IsFloat()
	case ir.OpExp, ir.OpSin, ir.OpCos, ir.OpTan, ir.OpAsin, ir.OpAcos, ir.OpSinh, ir.OpCosh,
		ir.OpAtan2:
		return d == ir.F64
	}
	return false
}

// temp returns a new name.
func (p *printer) temp() string {
	p.temps++
	return "t" + strconv.Itoa(p.temps-1)
}

// static reports whether e is printed as a constant.
func (p *printer) static(e *kernel.Expr) bool {
	return e.Kind == kernel.KConst || e.Kind == kernel.KIndex && p.fold(e.Index).Static()
}

func (p *printer) load(t string, e *kernel.Expr, args []string) {
	place := p.place
	if len(args) > 0 {
		place = p.guarded
	}
	at := place(e.Buf, e.Index)
	if p.wide[e.Buf] {
		at = "float32(" + at + ")"
	}
	if len(args) == 0 {
		p.printf("%s := %s", t, at)
		return
	}
	p.printf("%s := %s", t, args[1])
	p.printf("if %s {", args[0])
	p.printf("\t%s = %s", t, at)
	p.printf("}")
}

func constant(e *kernel.Expr) string {
	switch {
	case e.DType == ir.Bool:
		return strconv.FormatBool(e.Bits != 0)
	case e.DType == ir.F32:
		return floatConst(float64(math.Float32frombits(uint32(e.Bits))), "float32",
			fmt.Sprintf("math.Float32frombits(%#x)", uint32(e.Bits)))
	case e.DType == ir.F64:
		return floatConst(math.Float64frombits(e.Bits), "float64",
			fmt.Sprintf("math.Float64frombits(%#x)", e.Bits))
	case e.DType.IsSigned():
		return fmt.Sprintf("%s(%d)", goType(e.DType), int64(e.Bits))
	}
	bits := e.Bits & (math.MaxUint64 >> (64 - 8*e.DType.Size()))
	return fmt.Sprintf("%s(%#x)", goType(e.DType), bits)
}

func floatConst(x float64, t, exact string) string {
	if math.IsNaN(x) || math.IsInf(x, 0) || x == 0 && math.Signbit(x) {
		return exact
	}
	return t + "(" + strconv.FormatFloat(x, 'g', -1, 64) + ")"
}

// operation prints one operation on named values.
func operation(e *kernel.Expr, a []string) (string, error) {
	in := e.Args[0].DType
	switch e.Op {
	case ir.OpCast:
		return castExpr(e.DType, in, a[0]), nil
	case ir.OpBitcast:
		return bitcast(e.DType, in, a[0])
	}
	form, ok := forms[e.Op]
	if !ok {
		return "", fmt.Errorf("operation %v has no pure Go form", e.Op)
	}
	return form(e, in, a), nil
}

// castExpr prints a conversion with the meaning of ir's cast.
func castExpr(to, from ir.DType, x string) string {
	switch {
	case from == ir.F16:
		return castExpr(to, ir.F32, "rt.Float16("+x+").Float32()")
	case from == ir.BF16:
		return castExpr(to, ir.F32, "rt.BFloat16("+x+").Float32()")
	case to == ir.F16:
		return "uint16(rt.ToFloat16(" + castExpr(ir.F32, from, x) + "))"
	case to == ir.BF16:
		return "uint16(rt.ToBFloat16(" + castExpr(ir.F32, from, x) + "))"
	case from == ir.Bool && to == ir.Bool:
		return x
	case from == ir.Bool:
		return fmt.Sprintf("rt.FromBool[%s](%s)", goType(to), x)
	case to == ir.Bool:
		return fmt.Sprintf("(%s != 0)", x)
	case from.IsFloat() && to.IsInt():
		return fmt.Sprintf("rt.ToInt[%s](float64(%s))", goType(to), x)
	}
	return goType(to) + "(" + x + ")"
}

func bitcast(to, from ir.DType, x string) (string, error) {
	bits := map[ir.DType]string{ir.F32: "math.Float32bits", ir.F64: "math.Float64bits"}
	back := map[ir.DType]string{ir.F32: "math.Float32frombits", ir.F64: "math.Float64frombits"}
	switch {
	case from == ir.Bool || to == ir.Bool:
		return "", fmt.Errorf("bitcast between %v and %v has no pure Go form", from, to)
	case from.IsFloat() && bits[from] != "":
		x = bits[from] + "(" + x + ")"
	}
	if f := back[to]; f != "" {
		return fmt.Sprintf("%s(uint%d(%s))", f, to.Bits(), x), nil
	}
	return goType(to) + "(" + x + ")", nil
}

type form func(e *kernel.Expr, in ir.DType, a []string) string

// infix is the Go operator, rounded to the type so that nothing is fused.
func infix(op string) form {
	return func(e *kernel.Expr, _ ir.DType, a []string) string {
		return goType(e.DType) + "(" + a[0] + " " + op + " " + a[1] + ")"
	}
}

func relation(op, boolFunc string) form {
	return func(_ *kernel.Expr, in ir.DType, a []string) string {
		if in == ir.Bool && boolFunc != "" {
			return fmt.Sprintf("rt.%s(%s, %s)", boolFunc, a[0], a[1])
		}
		return "(" + a[0] + " " + op + " " + a[1] + ")"
	}
}

// logic is a bitwise operator on integers, a logical one on bools.
func logic(op, boolOp string) form {
	return func(_ *kernel.Expr, in ir.DType, a []string) string {
		o := op
		if in == ir.Bool {
			o = boolOp
		}
		return "(" + a[0] + " " + o + " " + a[1] + ")"
	}
}

// call is a generic function of the runtime.
func call(name string) form {
	return func(_ *kernel.Expr, _ ir.DType, a []string) string {
		s := "rt." + name + "(" + a[0]
		for _, x := range a[1:] {
			s += ", " + x
		}
		return s + ")"
	}
}

// math64 is a function of package math, computed in float64 and rounded.
func math64(name string) form {
	return func(e *kernel.Expr, _ ir.DType, a []string) string {
		s := goType(e.DType) + "(" + name + "(float64(" + a[0] + ")"
		for _, x := range a[1:] {
			s += ", float64(" + x + ")"
		}
		return s + "))"
	}
}

// either is f for floats, g for the others.
func either(f, g form) form {
	return func(e *kernel.Expr, in ir.DType, a []string) string {
		if in.IsFloat() {
			return f(e, in, a)
		}
		return g(e, in, a)
	}
}

// forms has the Go form of each elementwise operation but casts.
var forms = map[ir.Op]form{
	ir.OpNeg: func(e *kernel.Expr, _ ir.DType, a []string) string { return "-" + a[0] },
	ir.OpAbs: either(math64("math.Abs"), call("Abs")), ir.OpSign: call("Sign"),
	ir.OpCeil: math64("math.Ceil"), ir.OpFloor: math64("math.Floor"), ir.OpTrunc: math64("math.Trunc"),
	ir.OpRound: math64("math.RoundToEven"), ir.OpSqrt: math64("math.Sqrt"),
	ir.OpExp: math64("math.Exp"), ir.OpExpm1: math64("math.Expm1"), ir.OpLog: math64("rt.Log"),
	ir.OpLog1p: math64("math.Log1p"), ir.OpSin: math64("math.Sin"), ir.OpCos: math64("math.Cos"),
	ir.OpTan: math64("math.Tan"), ir.OpAsin: math64("math.Asin"), ir.OpAcos: math64("math.Acos"),
	ir.OpAtan: math64("math.Atan"), ir.OpSinh: math64("math.Sinh"), ir.OpCosh: math64("math.Cosh"),
	ir.OpTanh: math64("math.Tanh"), ir.OpAsinh: math64("math.Asinh"), ir.OpAcosh: math64("math.Acosh"),
	ir.OpAtanh: math64("math.Atanh"), ir.OpErf: math64("math.Erf"), ir.OpSigmoid: math64("rt.Sigmoid"),
	ir.OpNot: func(_ *kernel.Expr, in ir.DType, a []string) string {
		if in == ir.Bool {
			return "!" + a[0]
		}
		return "^" + a[0]
	},
	ir.OpIsNaN: func(_ *kernel.Expr, _ ir.DType, a []string) string {
		return "(" + a[0] + " != " + a[0] + ")"
	},
	ir.OpIsInf: func(_ *kernel.Expr, _ ir.DType, a []string) string {
		return "math.IsInf(float64(" + a[0] + "), 0)"
	},
	ir.OpPopcount: call("Popcount"),
	ir.OpAdd:      infix("+"), ir.OpSub: infix("-"), ir.OpMul: infix("*"),
	ir.OpDiv:      either(infix("/"), call("Div")),
	ir.OpFloorDiv: either(call("FloatFloorDiv"), call("IntFloorDiv")),
	ir.OpRem:      either(math64("math.Mod"), call("Rem")),
	ir.OpMod:      either(call("FloatMod"), call("IntMod")),
	ir.OpPow:      call("IntPow"),
	ir.OpAtan2:    math64("math.Atan2"),
	ir.OpMax:      infixCall("max"), ir.OpMin: infixCall("min"),
	ir.OpAnd: logic("&", "&&"), ir.OpOr: logic("|", "||"), ir.OpXor: logic("^", "!="),
	ir.OpShl: call("Shl"), ir.OpShr: call("Shr"),
	ir.OpEq: relation("==", ""), ir.OpNe: relation("!=", ""),
	ir.OpLt: relation("<", "BoolLess"), ir.OpLe: relation("<=", "BoolAtMost"),
	ir.OpGt: relation(">", "BoolMore"), ir.OpGe: relation(">=", "BoolAtLeast"),
	ir.OpSelect: func(_ *kernel.Expr, _ ir.DType, a []string) string {
		return "rt.Select(" + a[0] + ", " + a[1] + ", " + a[2] + ")"
	},
	ir.OpFMA: func(e *kernel.Expr, _ ir.DType, a []string) string {
		if e.DType == ir.F64 {
			return "math.FMA(" + a[0] + ", " + a[1] + ", " + a[2] + ")"
		}
		return "float32(float64(" + a[0] + ")*float64(" + a[1] + ") + float64(" + a[2] + "))"
	},
}

// infixCall is a builtin of Go, which has the table's rules for NaN and -0.
func infixCall(name string) form {
	return func(_ *kernel.Expr, _ ir.DType, a []string) string {
		return name + "(" + a[0] + ", " + a[1] + ")"
	}
}
