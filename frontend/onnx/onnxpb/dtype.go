package onnxpb

import "strconv"

// DataType is an element type of a tensor.
type DataType int32

// The element types.
const (
	Undefined DataType = iota
	Float
	Uint8
	Int8
	Uint16
	Int16
	Int32
	Int64
	String
	Bool
	Float16
	Double
	Uint32
	Uint64
	Complex64
	Complex128
	BFloat16
	Float8E4M3FN
	Float8E4M3FNUZ
	Float8E5M2
	Float8E5M2FNUZ
	Uint4
	Int4
	Float4E2M1
	Float8E8M0
	Uint2
	Int2
	numDataTypes
)

// field is the typed field of a TensorProto that holds the elements of a type
// when raw_data does not.
type field uint8

const (
	noField field = iota
	floatData
	int32Data
	int64Data
	uint64Data
	doubleData
	stringData
)

// dataTypeInfo is a row of the table of element types. bits is the size of an
// element in raw_data; perElem the entries of the typed field an element takes
// (2 for complex numbers, which are pairs).
type dataTypeInfo struct {
	name    string
	bits    int
	field   field
	perElem int
}

var dataTypes = [numDataTypes]dataTypeInfo{
	Undefined:      {name: "undefined"},
	Float:          {"float", 32, floatData, 1},
	Uint8:          {"uint8", 8, int32Data, 1},
	Int8:           {"int8", 8, int32Data, 1},
	Uint16:         {"uint16", 16, int32Data, 1},
	Int16:          {"int16", 16, int32Data, 1},
	Int32:          {"int32", 32, int32Data, 1},
	Int64:          {"int64", 64, int64Data, 1},
	String:         {"string", 0, stringData, 1},
	Bool:           {"bool", 8, int32Data, 1},
	Float16:        {"float16", 16, int32Data, 1},
	Double:         {"double", 64, doubleData, 1},
	Uint32:         {"uint32", 32, uint64Data, 1},
	Uint64:         {"uint64", 64, uint64Data, 1},
	Complex64:      {"complex64", 64, floatData, 2},
	Complex128:     {"complex128", 128, doubleData, 2},
	BFloat16:       {"bfloat16", 16, int32Data, 1},
	Float8E4M3FN:   {"float8e4m3fn", 8, int32Data, 1},
	Float8E4M3FNUZ: {"float8e4m3fnuz", 8, int32Data, 1},
	Float8E5M2:     {"float8e5m2", 8, int32Data, 1},
	Float8E5M2FNUZ: {"float8e5m2fnuz", 8, int32Data, 1},
	Uint4:          {"uint4", 4, int32Data, 1},
	Int4:           {"int4", 4, int32Data, 1},
	Float4E2M1:     {"float4e2m1", 4, int32Data, 1},
	Float8E8M0:     {"float8e8m0", 8, int32Data, 1},
	Uint2:          {"uint2", 2, int32Data, 1},
	Int2:           {"int2", 2, int32Data, 1},
}

// String returns the name of d as ONNX's documents have it: "float", "int64".
func (d DataType) String() string {
	if d.known() {
		return dataTypes[d].name
	}
	return "DataType(" + strconv.Itoa(int(d)) + ")"
}

func (d DataType) known() bool { return d >= 0 && d < numDataTypes }

// Size returns the bytes that an element takes in a [Tensor]: 1 for the types
// of fewer bits, 0 for strings and unknown types.
func (d DataType) Size() int {
	if d.known() {
		return (dataTypes[d].bits + 7) / 8
	}
	return 0
}
