package onnxpb

// ValueInfoProto is the name and the type of a value.
type ValueInfoProto struct {
	Name          string
	Type          *TypeProto
	DocString     string
	MetadataProps []*StringStringEntryProto
}

func (m *ValueInfoProto) fields(c *codec) {
	c.str(1, "name", &m.Name)
	single(c, 2, "type", &m.Type)
	c.str(3, "doc_string", &m.DocString)
	repeated(c, 4, "metadata_props", &m.MetadataProps)
}

// TypeProto is the type of a value; exactly one of the pointers is set.
type TypeProto struct {
	Tensor       *TensorType
	Sequence     *ElemType
	Map          *MapType
	Denotation   string
	Opaque       *OpaqueType
	SparseTensor *TensorType
	Optional     *ElemType
}

func (m *TypeProto) fields(c *codec) {
	single(c, 1, "tensor_type", &m.Tensor)
	single(c, 4, "sequence_type", &m.Sequence)
	single(c, 5, "map_type", &m.Map)
	c.str(6, "denotation", &m.Denotation)
	single(c, 7, "opaque_type", &m.Opaque)
	single(c, 8, "sparse_tensor_type", &m.SparseTensor)
	single(c, 9, "optional_type", &m.Optional)
}

// TensorType is the type of a dense or sparse tensor. A nil Shape is an
// unknown rank.
type TensorType struct {
	ElemType DataType
	Shape    *TensorShapeProto
}

func (m *TensorType) fields(c *codec) {
	enum(c, 1, "elem_type", &m.ElemType)
	single(c, 2, "shape", &m.Shape)
}

// ElemType is the type of a sequence or an optional.
type ElemType struct{ Elem *TypeProto }

func (m *ElemType) fields(c *codec) { single(c, 1, "elem_type", &m.Elem) }

// MapType is the type of a map.
type MapType struct {
	KeyType   DataType
	ValueType *TypeProto
}

func (m *MapType) fields(c *codec) {
	enum(c, 1, "key_type", &m.KeyType)
	single(c, 2, "value_type", &m.ValueType)
}

// OpaqueType is a type outside ONNX.
type OpaqueType struct{ Domain, Name string }

func (m *OpaqueType) fields(c *codec) {
	c.str(1, "domain", &m.Domain)
	c.str(2, "name", &m.Name)
}

// TensorShapeProto is a shape.
type TensorShapeProto struct{ Dim []*Dimension }

func (m *TensorShapeProto) fields(c *codec) { repeated(c, 1, "dim", &m.Dim) }

// Dimension is an extent: the number Value if HasValue, else the name Param,
// else, with an empty Param, unknown.
type Dimension struct {
	Value      int64
	HasValue   bool
	Param      string
	Denotation string
}

func (m *Dimension) fields(c *codec) {
	if c.present(1, m.HasValue) {
		c.must = true
		c.int64(1, "dim_value", &m.Value)
		c.must = false
	}
	if c.present(2, !m.HasValue) {
		c.str(2, "dim_param", &m.Param)
	}
	if c.out == nil && (c.num == 1 || c.num == 2) { // a oneof: the last one holds
		m.HasValue = c.num == 1
	}
	c.str(3, "denotation", &m.Denotation)
}

// SparseTensorProto is a tensor given by its non-zero elements.
type SparseTensorProto struct {
	Values  *TensorProto
	Indices *TensorProto
	Dims    []int64
}

func (m *SparseTensorProto) fields(c *codec) {
	single(c, 1, "values", &m.Values)
	single(c, 2, "indices", &m.Indices)
	c.int64s(3, "dims", &m.Dims)
}

// Segment is part of a tensor that is stored in pieces.
type Segment struct{ Begin, End int64 }

func (m *Segment) fields(c *codec) {
	c.int64(1, "begin", &m.Begin)
	c.int64(2, "end", &m.End)
}

// DataLocation says where the data of a tensor is.
type DataLocation int32

// The data locations.
const (
	LocationDefault DataLocation = iota
	LocationExternal
)

// TensorProto is a constant tensor. The typed fields hold the content of the
// packed wire fields: FloatData and DoubleData little-endian numbers,
// Int32Data, Int64Data and Uint64Data varints. [TensorProto.Decode] gives the
// elements, whichever field they are in.
type TensorProto struct {
	Dims          []int64
	DataType      DataType
	Segment       *Segment
	FloatData     []byte
	Int32Data     []byte
	StringData    [][]byte
	Int64Data     []byte
	Name          string
	RawData       []byte
	DoubleData    []byte
	Uint64Data    []byte
	DocString     string
	ExternalData  []*StringStringEntryProto
	DataLocation  DataLocation
	MetadataProps []*StringStringEntryProto

	external []byte // the external data, once it is mapped
}

func (m *TensorProto) fields(c *codec) {
	c.int64s(1, "dims", &m.Dims)
	enum(c, 2, "data_type", &m.DataType)
	single(c, 3, "segment", &m.Segment)
	c.packedFixed(4, "float_data", 4, &m.FloatData)
	c.packedVarint(5, "int32_data", &m.Int32Data)
	c.byteses(6, "string_data", &m.StringData)
	c.packedVarint(7, "int64_data", &m.Int64Data)
	c.str(8, "name", &m.Name)
	c.mapped(9, "raw_data", &m.RawData)
	c.packedFixed(10, "double_data", 8, &m.DoubleData)
	c.packedVarint(11, "uint64_data", &m.Uint64Data)
	c.str(12, "doc_string", &m.DocString)
	repeated(c, 13, "external_data", &m.ExternalData)
	enum(c, 14, "data_location", &m.DataLocation)
	repeated(c, 16, "metadata_props", &m.MetadataProps)
}

// SequenceProto is a sequence value in a file; ElemType tells which list holds
// its elements.
type SequenceProto struct {
	Name         string
	ElemType     int32
	Tensors      []*TensorProto
	SparseTensor []*SparseTensorProto
	Sequences    []*SequenceProto
	Maps         []*MapProto
	Optionals    []*OptionalProto
}

func (m *SequenceProto) fields(c *codec) {
	c.str(1, "name", &m.Name)
	enum(c, 2, "elem_type", &m.ElemType)
	repeated(c, 3, "tensor_values", &m.Tensors)
	repeated(c, 4, "sparse_tensor_values", &m.SparseTensor)
	repeated(c, 5, "sequence_values", &m.Sequences)
	repeated(c, 6, "map_values", &m.Maps)
	repeated(c, 7, "optional_values", &m.Optionals)
}

// MapProto is a map value in a file.
type MapProto struct {
	Name       string
	KeyType    DataType
	Keys       []int64
	StringKeys [][]byte
	Values     *SequenceProto
}

func (m *MapProto) fields(c *codec) {
	c.str(1, "name", &m.Name)
	enum(c, 2, "key_type", &m.KeyType)
	c.int64s(3, "keys", &m.Keys)
	c.byteses(4, "string_keys", &m.StringKeys)
	single(c, 5, "values", &m.Values)
}

// OptionalProto is an optional value in a file; ElemType tells which pointer
// holds its value, 0 that it has none.
type OptionalProto struct {
	Name         string
	ElemType     int32
	Tensor       *TensorProto
	SparseTensor *SparseTensorProto
	Sequence     *SequenceProto
	Map          *MapProto
	Optional     *OptionalProto
}

func (m *OptionalProto) fields(c *codec) {
	c.str(1, "name", &m.Name)
	enum(c, 2, "elem_type", &m.ElemType)
	single(c, 3, "tensor_value", &m.Tensor)
	single(c, 4, "sparse_tensor_value", &m.SparseTensor)
	single(c, 5, "sequence_value", &m.Sequence)
	single(c, 6, "map_value", &m.Map)
	single(c, 7, "optional_value", &m.Optional)
}
