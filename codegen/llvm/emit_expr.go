package llvm

import (
	"fmt"
	"math"
	"strings"

	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Values: types, constants, lanes; and the walk over expressions.

// register is the type of an element of d as a value: bool is i1, bf16 its
// bits.
func register(d ir.DType) types.Type {
	switch d {
	case ir.Bool:
		return types.I1
	case ir.F16:
		return types.Half
	case ir.F32:
		return types.Float
	case ir.F64:
		return types.Double
	}
	return types.NewInt(uint64(8 * d.Size()))
}

// stored is the type of an element of d in memory.
func stored(d ir.DType) types.Type {
	if d == ir.Bool {
		return types.I8
	}
	return register(d)
}

// suffix is how names of intrinsics spell t.
func suffix(t types.Type) string {
	switch t := t.(type) {
	case *types.VectorType:
		return fmt.Sprintf("v%d%s", t.Len, suffix(t.ElemType))
	case *types.FloatType:
		return map[types.FloatKind]string{
			types.FloatKindHalf: "f16", types.FloatKindFloat: "f32", types.FloatKindDouble: "f64",
		}[t.Kind]
	}
	return t.String()
}

// literal is a constant given by its text, for what llir's constants cannot
// print: exact bits of floats, and splats.
type literal struct {
	typ  types.Type
	text string
}

func (l *literal) IsConstant()      {}
func (l *literal) Type() types.Type { return l.typ }
func (l *literal) Ident() string    { return l.text }
func (l *literal) String() string   { return l.typ.String() + " " + l.text }

var _ constant.Constant = (*literal)(nil)

// zeroOf is the zero of t.
func zeroOf(t types.Type) value.Value {
	if i, ok := t.(*types.IntType); ok {
		return constant.NewInt(i, 0)
	}
	return &literal{t, "zeroinitializer"}
}

func (e *emitter) zero(d ir.DType, vec bool) value.Value {
	t := register(d)
	if vec {
		t = e.vectorType(t)
	}
	return zeroOf(t)
}

// iota is the vector 0, 1, 2, … of integers of type t.
func (e *emitter) iota(t types.Type) value.Value {
	var b strings.Builder
	for i := range e.width {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d", t, i)
	}
	return &literal{e.vectorType(t), "<" + b.String() + ">"}
}

// widen returns v as a vector if vec, with the same value in all lanes.
func (e *emitter) widen(v val, vec bool) val {
	if !vec || v.vec {
		return v
	}
	t := e.vectorType(v.Type())
	if c, ok := v.Value.(constant.Constant); ok {
		return val{&literal{t, "splat (" + c.String() + ")"}, true}
	}
	zero := constant.NewInt(types.I32, 0)
	one := e.cur.NewInsertElement(constant.NewUndef(t), v.Value, zero)
	pick := &literal{e.vectorType(types.I32), "zeroinitializer"}
	return val{e.cur.NewShuffleVector(one, constant.NewUndef(t), pick), true}
}

// same makes both vectors if one is.
func (e *emitter) same(a, b val) (val, val) {
	vec := a.vec || b.vec
	return e.widen(a, vec), e.widen(b, vec)
}

func (e *emitter) choose(cond, a, b val) val {
	if cond.vec {
		a = e.widen(a, true)
	}
	a, b = e.same(a, b)
	return val{e.cur.NewSelect(cond.Value, a.Value, b.Value), a.vec}
}

func (e *emitter) and(a, b val) val {
	a, b = e.same(a, b)
	return val{e.cur.NewAnd(a.Value, b.Value), a.vec}
}

func (e *emitter) not(a val) val {
	one := e.widen(val{Value: constant.True}, a.vec)
	return val{e.cur.NewXor(a.Value, one.Value), a.vec}
}

// typeOf is the register type of d, in lanes if vec.
func (e *emitter) typeOf(d ir.DType, vec bool) types.Type {
	if vec {
		return e.vectorType(register(d))
	}
	return register(d)
}

// fromStored and toStored convert between memory and register: bool alone
// differs.
func (e *emitter) fromStored(v val, d ir.DType) val {
	if d != ir.Bool {
		return v
	}
	zero := e.widen(val{Value: constant.NewInt(types.I8, 0)}, v.vec)
	return val{e.cur.NewICmp(enum.IPredNE, v.Value, zero.Value), v.vec}
}

func (e *emitter) toStored(v val, d ir.DType) val {
	if d != ir.Bool {
		return v
	}
	var t types.Type = types.I8
	if v.vec {
		t = e.vectorType(t)
	}
	return val{e.cur.NewZExt(v.Value, t), v.vec}
}

// expr emits x once a statement.
func (e *emitter) expr(x *kernel.Expr) val {
	if v, ok := e.memo[x]; ok {
		return v
	}
	v := e.compute(x)
	e.memo[x] = v
	return v
}

func (e *emitter) compute(x *kernel.Expr) val {
	switch x.Kind {
	case kernel.KConst:
		return val{Value: constantOf(x.DType, x.Bits)}
	case kernel.KIndex:
		return e.index(x.Index)
	case kernel.KVar:
		if d, ok := e.unrolled[x.Var]; ok {
			return e.folded(d)
		}
		v, ok := e.vars[x.Var]
		if !ok {
			e.errorf("variable %s is not bound", x.Var)
			v = val{Value: e.zero(x.DType, false)}
		}
		return v
	case kernel.KLoad:
		return e.load(x)
	}
	return e.op(x)
}

// constantOf is the element of type d with the given bits.
func constantOf(d ir.DType, bits uint64) value.Value {
	t := register(d)
	switch d {
	case ir.F16:
		return &literal{t, fmt.Sprintf("0xH%04X", uint16(bits))}
	case ir.F32:
		f := math.Float32frombits(uint32(bits))
		if f != f { // the text form of a float is a double, which would quiet it
			return &literal{t, fmt.Sprintf("bitcast (i32 %d to float)", uint32(bits))}
		}
		return &literal{t, fmt.Sprintf("0x%016X", math.Float64bits(float64(f)))}
	case ir.F64:
		return &literal{t, fmt.Sprintf("0x%016X", bits)}
	case ir.Bool:
		return constant.NewInt(types.I1, int64(bits&1))
	}
	shift := 64 - t.(*types.IntType).BitSize
	return constant.NewInt(t.(*types.IntType), int64(bits<<shift)>>shift)
}
