package onnxpb

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// corpora is where the models are that nobody on this project made.
const corpora = "../../../../shared/corpora"

// Comparing weights with bytes.Equal rather than byte by byte saves minutes.
var ignoreExternal = cmp.Options{
	cmpopts.IgnoreUnexported(TensorProto{}),
	cmp.Transformer("string", func(b []byte) string { return string(b) }),
}

// modelFiles returns the model files of the corpora.
func modelFiles(t testing.TB) []string {
	files, err := filepath.Glob(filepath.Join(corpora, "models/*/model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no ../shared/corpora/models beside the module")
	}
	return files
}

func TestModelsRoundTrip(t *testing.T) {
	for _, path := range modelFiles(t) {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			first := Encode(f.Model)
			again, err := DecodeModel(first)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.Model, again, ignoreExternal); diff != "" {
				t.Errorf("decode(encode(m)) differs from m:\n%.2000s", diff)
			}
			if !bytes.Equal(first, Encode(again)) {
				t.Error("encoding twice gives different bytes")
			}
			WalkTensors(f.Model, func(p *TensorProto) {
				if _, err := p.Decode(); err != nil {
					t.Errorf("tensor %q: %v", p.Name, err)
				}
			})
		})
	}
}

func TestValuesRoundTrip(t *testing.T) {
	modelFiles(t)
	files, _ := filepath.Glob(filepath.Join(corpora, "models/*/ref_*/*.pb"))
	for _, path := range files {
		a, err := ReadTensorFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		m, err := DecodeTensor(Encode(a.Proto()))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		b, err := m.Decode()
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if diff := cmp.Diff(a, b, ignoreExternal); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// sample has every message, and every field of the ones that models need.
func sample() *ModelProto {
	entry := []*StringStringEntryProto{{Key: "k", Value: "v"}}
	tensor := &TensorProto{Name: "w", DataType: Float, Dims: []int64{2}, RawData: make([]byte, 8)}
	floats := &TypeProto{Tensor: &TensorType{ElemType: Float, Shape: &TensorShapeProto{Dim: []*Dimension{
		{HasValue: true, Value: 0}, {HasValue: true, Value: 3}, {Param: "N"}, {Denotation: "d"},
	}}}}
	sparse := &SparseTensorProto{Values: tensor, Indices: tensor, Dims: []int64{9}}
	sub := &GraphProto{Name: "sub", Output: []*ValueInfoProto{{Name: "y", Type: floats}}}
	attrs := []*AttributeProto{
		{Name: "f", F: 1.5, Type: AttrFloat},
		{Name: "i", I: -7, Type: AttrInt},
		{Name: "s", S: []byte("text"), Type: AttrString},
		{Name: "t", T: tensor, Type: AttrTensor},
		{Name: "g", G: sub, Type: AttrGraph},
		{Name: "fs", Floats: []float32{0, 1, 2}, Type: AttrFloats},
		{Name: "is", Ints: []int64{0, -1, 1 << 62}, Type: AttrInts},
		{Name: "ss", Strings: [][]byte{[]byte("a"), nil, []byte("b")}, Type: AttrStrings},
		{Name: "ts", Tensors: []*TensorProto{tensor, tensor}, Type: AttrTensors},
		{Name: "gs", Graphs: []*GraphProto{sub}, Type: AttrGraphs},
		{Name: "tp", TP: floats, Type: AttrTypeProto},
		{Name: "tps", TypeProtos: []*TypeProto{floats}, Type: AttrTypeProtos},
		{Name: "sp", SparseTensor: sparse, Type: AttrSparseTensor},
		{Name: "sps", SparseTensors: []*SparseTensorProto{sparse}, Type: AttrSparseTensors},
		{Name: "ref", RefAttrName: "outer", DocString: "d", Type: AttrInt},
	}
	node := &NodeProto{Input: []string{"x", "", "w"}, Output: []string{"y"}, Name: "n", OpType: "Op",
		Attribute: attrs, DocString: "d", Domain: "dom", Overload: "o", MetadataProps: entry}
	seq := &TypeProto{Sequence: &ElemType{Elem: floats}, Denotation: "d"}
	return &ModelProto{
		IRVersion: 10, ProducerName: "p", ProducerVersion: "1", Domain: "d", ModelVersion: 2, DocString: "doc",
		Graph: &GraphProto{
			Node: []*NodeProto{node}, Name: "g", DocString: "d",
			Initializer: []*TensorProto{tensor, {Name: "all", Segment: &Segment{1, 2}, FloatData: make([]byte, 4),
				Int32Data: []byte{1, 0x80, 1}, StringData: [][]byte{[]byte("s")}, Int64Data: []byte{2},
				DoubleData: make([]byte, 8), Uint64Data: []byte{3}, DocString: "d", ExternalData: entry,
				DataLocation: LocationDefault, MetadataProps: entry}},
			Input: []*ValueInfoProto{
				{Name: "x", Type: floats, DocString: "d", MetadataProps: entry},
				{Name: "s", Type: seq},
				{Name: "m", Type: &TypeProto{Map: &MapType{KeyType: Int64, ValueType: seq}}},
				{Name: "o", Type: &TypeProto{Optional: &ElemType{Elem: floats}}},
				{Name: "q", Type: &TypeProto{Opaque: &OpaqueType{Domain: "d", Name: "n"}}},
				{Name: "p", Type: &TypeProto{SparseTensor: floats.Tensor}},
			},
			Output: []*ValueInfoProto{{Name: "y"}}, ValueInfo: []*ValueInfoProto{{Name: "v"}},
			QuantizationAnnotation: []*TensorAnnotation{{TensorName: "t", QuantParameterTensorNames: entry}},
			SparseInitializer:      []*SparseTensorProto{sparse}, MetadataProps: entry,
		},
		OpsetImport: []*OperatorSetIDProto{{Version: 20}, {Domain: "ai.onnx.ml", Version: 3}}, MetadataProps: entry,
		TrainingInfo: []*TrainingInfoProto{{Initialization: sub, Algorithm: sub,
			InitializationBinding: entry, UpdateBinding: entry}},
		Functions: []*FunctionProto{{Name: "f", Input: []string{"a"}, Output: []string{"b"},
			Attribute: []string{"c"}, Node: []*NodeProto{node}, DocString: "d",
			OpsetImport: []*OperatorSetIDProto{{Version: 1}}, Domain: "e", AttributeProto: attrs[:2],
			ValueInfo: []*ValueInfoProto{{Name: "v"}}, Overload: "o", MetadataProps: entry}},
	}
}

func TestSampleRoundTrip(t *testing.T) {
	want := sample()
	got, err := DecodeModel(Encode(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, ignoreExternal); diff != "" {
		t.Error(diff)
	}
}

func TestSequenceRoundTrip(t *testing.T) {
	tensor := &TensorProto{DataType: Int8, Dims: []int64{1}, RawData: []byte{5}}
	seq := &SequenceProto{Name: "s", ElemType: 1, Tensors: []*TensorProto{tensor}}
	want := &OptionalProto{Name: "o", ElemType: 3, Sequence: &SequenceProto{ElemType: 3,
		Sequences: []*SequenceProto{seq}, Maps: []*MapProto{{Name: "m", KeyType: String,
			StringKeys: [][]byte{[]byte("k")}, Keys: []int64{4}, Values: seq}},
		Optionals: []*OptionalProto{{Tensor: tensor}}}}
	got, err := DecodeOptional(Encode(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, ignoreExternal); diff != "" {
		t.Error(diff)
	}
	back, err := DecodeSequence(Encode(want.Sequence))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Sequence, back, ignoreExternal); diff != "" {
		t.Error(diff)
	}
}

func TestLargeTensorsAreNotCopied(t *testing.T) {
	data := make([]byte, 1<<20)
	m := &TensorProto{DataType: Uint8, Dims: []int64{1 << 20}, RawData: data}
	file := Encode(m)
	allocs := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			p, err := DecodeTensor(file)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Decode(); err != nil {
				b.Fatal(err)
			}
		}
	})
	if n := allocs.AllocedBytesPerOp(); n > 4<<10 {
		t.Errorf("decoding a tensor of 1 MiB allocates %d bytes", n)
	}
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFile(filepath.Join(dir, "no", "m.onnx"), sample()); err == nil {
		t.Error("writing into a missing folder succeeds")
	}
	path := filepath.Join(dir, "m.onnx")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, sample()); err == nil {
		t.Error("writing over a folder succeeds")
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	path = filepath.Join(dir, "ok.onnx")
	if err := WriteFile(path, sample()); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Model.ProducerName != "p" {
		t.Errorf("producer %q", f.Model.ProducerName)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q, want it to contain %q", err, want)
	}
}
