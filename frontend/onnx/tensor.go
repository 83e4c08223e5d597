package onnx

import (
	"encoding/binary"
	"math"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// tensor is what a name of the model stands for. Its content is the value
// val, or the literal lit, or the elements elems; several of these may be
// there, and at least one is.
type tensor struct {
	typ   ir.Type
	val   *ir.Value
	lit   *ir.Literal
	elems []elem

	// dims are the elements of a computed vector of integers that are known
	// all the same; nil for the others. The list is nil or complete.
	dims []*ir.Dim

	// quots are the elements of a computed tensor of floats that are
	// quotients of expressions.
	quots []quotient

	// bad marks the result of a node that could not be imported; whatever
	// uses it is not imported either, without an error of its own.
	bad bool
}

// elem is an element of a tensor that is known at import: of a tensor of
// integers or bools (as 0 and 1), the expression d over the model's symbols;
// of a tensor of floats, the number f.
type elem struct {
	d ir.Dim
	f float64
	// eq, of a bool that is an equality of two expressions, is these two.
	eq *[2]ir.Dim
}

// maxElems bounds the size of tensors whose elements are followed: that of
// anything that describes a shape, with room for tables of indices.
const maxElems = 1024

// knowable are the element types whose elements are followed.
const knowable = 1<<ir.Bool | 1<<ir.I32 | 1<<ir.I64 | 1<<ir.F32 | 1<<ir.F64

// dtypes maps the element types of ONNX to those of ir.
var dtypes = map[onnxpb.DataType]ir.DType{
	onnxpb.Float: ir.F32, onnxpb.Double: ir.F64, onnxpb.Float16: ir.F16, onnxpb.BFloat16: ir.BF16,
	onnxpb.Int8: ir.I8, onnxpb.Int16: ir.I16, onnxpb.Int32: ir.I32, onnxpb.Int64: ir.I64,
	onnxpb.Uint8: ir.U8, onnxpb.Uint16: ir.U16, onnxpb.Uint32: ir.U32, onnxpb.Uint64: ir.U64,
	onnxpb.Bool: ir.Bool, onnxpb.Int4: ir.I4, onnxpb.Uint4: ir.U4,
	onnxpb.Float8E4M3FN: ir.F8E4M3, onnxpb.Float8E5M2: ir.F8E5M2, onnxpb.String: ir.String,
}

// Literal returns t as a constant of ir that shares t's memory.
func Literal(t *onnxpb.Tensor) (*ir.Literal, error) {
	d, ok := dtypes[t.Type]
	if !ok {
		return nil, unsupportedType(t.Type)
	}
	return &ir.Literal{DType: d, Shape: t.Dims, Data: t.Data, Strings: t.Strings}, nil
}

func literalTensor(lit *ir.Literal) *tensor {
	t := &tensor{typ: lit.Type(), lit: lit}
	if n := lit.Size(); n <= maxElems && ir.DTypes(knowable).Has(lit.DType) {
		t.elems = literalElems(lit, int(n))
	}
	return t
}

// literalElems reads the n elements of a literal of a knowable type.
func literalElems(lit *ir.Literal, n int) []elem {
	size := lit.DType.Size()
	out := make([]elem, n)
	for i := range out {
		at := lit.Data
		if !lit.Splat {
			at = lit.Data[i*size:]
		}
		switch lit.DType {
		case ir.Bool:
			out[i].d = ir.Const(int64(at[0]))
		case ir.I32:
			out[i].d = ir.Const(int64(int32(binary.LittleEndian.Uint32(at))))
		case ir.I64:
			out[i].d = ir.Const(int64(binary.LittleEndian.Uint64(at)))
		case ir.F32:
			out[i].f = float64(math.Float32frombits(binary.LittleEndian.Uint32(at)))
		case ir.F64:
			out[i].f = math.Float64frombits(binary.LittleEndian.Uint64(at))
		}
	}
	return out
}

// exprType reports whether elements of type d are expressions.
func exprType(d ir.DType) bool { return d == ir.Bool || d == ir.I32 || d == ir.I64 }

// elemsLiteral returns the literal of elements without symbols, nil if there are
// symbols.
func elemsLiteral(d ir.DType, shape []int64, elems []elem) *ir.Literal {
	size := d.Size()
	data := make([]byte, len(elems)*size)
	for i, e := range elems {
		at := data[i*size:]
		k, ok := e.d.Int()
		if !ok {
			return nil
		}
		switch d {
		case ir.Bool:
			at[0] = byte(k)
		case ir.I32:
			binary.LittleEndian.PutUint32(at, uint32(k))
		case ir.I64:
			binary.LittleEndian.PutUint64(at, uint64(k))
		case ir.F32:
			binary.LittleEndian.PutUint32(at, math.Float32bits(float32(e.f)))
		case ir.F64:
			binary.LittleEndian.PutUint64(at, math.Float64bits(e.f))
		}
	}
	return &ir.Literal{DType: d, Shape: shape, Data: data}
}

// splat is the scalar constant x, rounded to type d.
func splat(d ir.DType, x float64) *ir.Literal {
	if n := d.Size(); d.IsInt() || d == ir.Bool {
		var le [8]byte
		binary.LittleEndian.PutUint64(le[:], uint64(int64(x)))
		return &ir.Literal{DType: d, Data: le[:n:n]}
	}
	switch d {
	case ir.F64:
		return ir.NewLiteral(d, nil, []float64{x})
	case ir.F16:
		return ir.NewLiteral(d, nil, []uint16{ir.F16Bits(x)})
	case ir.BF16:
		return ir.NewLiteral(d, nil, []uint16{ir.BF16Bits(x)})
	}
	return ir.NewLiteral(ir.F32, nil, []float32{float32(x)})
}
