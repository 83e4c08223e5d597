package onnxpb

// The messages of onnx-ml.proto, revision of IR version 12. Field names are
// those of the proto file in Go's spelling; see there for their meaning.

// StringStringEntryProto is a key with its value.
type StringStringEntryProto struct{ Key, Value string }

func (m *StringStringEntryProto) fields(c *codec) {
	c.str(1, "key", &m.Key)
	c.str(2, "value", &m.Value)
}

// OperatorSetIDProto names a version of an operator set.
type OperatorSetIDProto struct {
	Domain  string
	Version int64
}

func (m *OperatorSetIDProto) fields(c *codec) {
	c.str(1, "domain", &m.Domain)
	c.int64(2, "version", &m.Version)
}

// ModelProto is a model file.
type ModelProto struct {
	IRVersion       int64
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	DocString       string
	Graph           *GraphProto
	OpsetImport     []*OperatorSetIDProto
	MetadataProps   []*StringStringEntryProto
	TrainingInfo    []*TrainingInfoProto
	Functions       []*FunctionProto
}

func (m *ModelProto) fields(c *codec) {
	c.int64(1, "ir_version", &m.IRVersion)
	c.str(2, "producer_name", &m.ProducerName)
	c.str(3, "producer_version", &m.ProducerVersion)
	c.str(4, "domain", &m.Domain)
	c.int64(5, "model_version", &m.ModelVersion)
	c.str(6, "doc_string", &m.DocString)
	single(c, 7, "graph", &m.Graph)
	repeated(c, 8, "opset_import", &m.OpsetImport)
	repeated(c, 14, "metadata_props", &m.MetadataProps)
	repeated(c, 20, "training_info", &m.TrainingInfo)
	repeated(c, 25, "functions", &m.Functions)
}

// TrainingInfoProto says how a model is trained.
type TrainingInfoProto struct {
	Initialization        *GraphProto
	Algorithm             *GraphProto
	InitializationBinding []*StringStringEntryProto
	UpdateBinding         []*StringStringEntryProto
}

func (m *TrainingInfoProto) fields(c *codec) {
	single(c, 1, "initialization", &m.Initialization)
	single(c, 2, "algorithm", &m.Algorithm)
	repeated(c, 3, "initialization_binding", &m.InitializationBinding)
	repeated(c, 4, "update_binding", &m.UpdateBinding)
}

// GraphProto is the main graph of a model, or one in an attribute.
type GraphProto struct {
	Node                   []*NodeProto
	Name                   string
	Initializer            []*TensorProto
	DocString              string
	Input                  []*ValueInfoProto
	Output                 []*ValueInfoProto
	ValueInfo              []*ValueInfoProto
	QuantizationAnnotation []*TensorAnnotation
	SparseInitializer      []*SparseTensorProto
	MetadataProps          []*StringStringEntryProto
}

func (m *GraphProto) fields(c *codec) {
	repeated(c, 1, "node", &m.Node)
	c.str(2, "name", &m.Name)
	repeated(c, 5, "initializer", &m.Initializer)
	c.str(10, "doc_string", &m.DocString)
	repeated(c, 11, "input", &m.Input)
	repeated(c, 12, "output", &m.Output)
	repeated(c, 13, "value_info", &m.ValueInfo)
	repeated(c, 14, "quantization_annotation", &m.QuantizationAnnotation)
	repeated(c, 15, "sparse_initializer", &m.SparseInitializer)
	repeated(c, 16, "metadata_props", &m.MetadataProps)
}

// TensorAnnotation names the quantization parameters of a tensor.
type TensorAnnotation struct {
	TensorName                string
	QuantParameterTensorNames []*StringStringEntryProto
}

func (m *TensorAnnotation) fields(c *codec) {
	c.str(1, "tensor_name", &m.TensorName)
	repeated(c, 2, "quant_parameter_tensor_names", &m.QuantParameterTensorNames)
}

// NodeProto applies an operator. An empty name in Input or Output stands for
// an optional one that is left out.
type NodeProto struct {
	Input         []string
	Output        []string
	Name          string
	OpType        string
	Attribute     []*AttributeProto
	DocString     string
	Domain        string
	Overload      string
	MetadataProps []*StringStringEntryProto
}

func (m *NodeProto) fields(c *codec) {
	c.strs(1, "input", &m.Input)
	c.strs(2, "output", &m.Output)
	c.str(3, "name", &m.Name)
	c.str(4, "op_type", &m.OpType)
	repeated(c, 5, "attribute", &m.Attribute)
	c.str(6, "doc_string", &m.DocString)
	c.str(7, "domain", &m.Domain)
	c.str(8, "overload", &m.Overload)
	repeated(c, 9, "metadata_props", &m.MetadataProps)
}

// AttributeType tells which field of an AttributeProto holds the value.
type AttributeType int32

// The attribute types.
const (
	AttrUndefined AttributeType = iota
	AttrFloat
	AttrInt
	AttrString
	AttrTensor
	AttrGraph
	AttrFloats
	AttrInts
	AttrStrings
	AttrTensors
	AttrGraphs
	AttrSparseTensor
	AttrSparseTensors
	AttrTypeProto
	AttrTypeProtos
)

// AttributeProto is a named attribute of a node; Type says which of the value
// fields holds.
type AttributeProto struct {
	Name          string
	F             float32
	I             int64
	S             []byte
	T             *TensorProto
	G             *GraphProto
	Floats        []float32
	Ints          []int64
	Strings       [][]byte
	Tensors       []*TensorProto
	Graphs        []*GraphProto
	DocString     string
	TP            *TypeProto
	TypeProtos    []*TypeProto
	Type          AttributeType
	RefAttrName   string
	SparseTensor  *SparseTensorProto
	SparseTensors []*SparseTensorProto
}

func (m *AttributeProto) fields(c *codec) {
	c.str(1, "name", &m.Name)
	c.float(2, "f", &m.F)
	c.int64(3, "i", &m.I)
	c.bytes(4, "s", &m.S)
	single(c, 5, "t", &m.T)
	single(c, 6, "g", &m.G)
	c.floats(7, "floats", &m.Floats)
	c.int64s(8, "ints", &m.Ints)
	c.byteses(9, "strings", &m.Strings)
	repeated(c, 10, "tensors", &m.Tensors)
	repeated(c, 11, "graphs", &m.Graphs)
	c.str(13, "doc_string", &m.DocString)
	single(c, 14, "tp", &m.TP)
	repeated(c, 15, "type_protos", &m.TypeProtos)
	enum(c, 20, "type", &m.Type)
	c.str(21, "ref_attr_name", &m.RefAttrName)
	single(c, 22, "sparse_tensor", &m.SparseTensor)
	repeated(c, 23, "sparse_tensors", &m.SparseTensors)
}

// FunctionProto is an operator defined by nodes of other operators.
type FunctionProto struct {
	Name           string
	Input          []string
	Output         []string
	Attribute      []string
	Node           []*NodeProto
	DocString      string
	OpsetImport    []*OperatorSetIDProto
	Domain         string
	AttributeProto []*AttributeProto
	ValueInfo      []*ValueInfoProto
	Overload       string
	MetadataProps  []*StringStringEntryProto
}

func (m *FunctionProto) fields(c *codec) {
	c.str(1, "name", &m.Name)
	c.strs(4, "input", &m.Input)
	c.strs(5, "output", &m.Output)
	c.strs(6, "attribute", &m.Attribute)
	repeated(c, 7, "node", &m.Node)
	c.str(8, "doc_string", &m.DocString)
	repeated(c, 9, "opset_import", &m.OpsetImport)
	c.str(10, "domain", &m.Domain)
	repeated(c, 11, "attribute_proto", &m.AttributeProto)
	repeated(c, 12, "value_info", &m.ValueInfo)
	c.str(13, "overload", &m.Overload)
	repeated(c, 14, "metadata_props", &m.MetadataProps)
}
