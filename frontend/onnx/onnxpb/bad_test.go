package onnxpb

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

func TestDecodeBadFiles(t *testing.T) {
	node := func(data string) string {
		return "\x3a" + string(rune(len(data)+2)) + "\x0a" + string(rune(len(data))) + data
	}
	deep := []byte{}
	for range 3 * maxDepth { // graph, node, attribute, graph, ...
		for _, num := range []protowire.Number{6, 5, 1} {
			deep = append(protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.BytesType),
				uint64(len(deep))), deep...)
		}
	}
	deep = append(protowire.AppendVarint(protowire.AppendTag(nil, 7, protowire.BytesType), uint64(len(deep))), deep...)
	tests := []struct{ name, data, want string }{
		{"text", "hello world, I am no model", "byte "},
		{"tag cut", "\x80", "byte 0: bad field tag: the file ends inside it"},
		{"varint too long", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "byte 0: bad value of field 1"},
		{"length beyond the end", "\x3a\x7f\x0a\x00", "byte 0: bad value of field 7: the file ends inside it"},
		{"huge length", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "the file ends inside it"},
		{"inner length", node("\x0a\x7f"), "byte 4: graph.node[0]: bad value of field 1"},
		{"field number 0", "\x00\x00", "bad field tag"},
		{"wrong wire type", "\x38\x01", "byte 1: graph: wire type 0, want 2"},
		{"end group", "\x0c", "bad value of field 1"},
		{"depth", string(deep), "nest deeper than 100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeModel([]byte(tt.data))
			wantError(t, err, tt.want)
		})
	}
}

// An empty message is two bytes in a file and hundreds in memory.
func TestDecodeBoundsMemory(t *testing.T) {
	inner := bytes.Repeat([]byte{0x0a, 0}, 4<<20)
	file := append(protowire.AppendVarint([]byte{0x3a}, uint64(len(inner))), inner...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := DecodeModel(file)
	runtime.ReadMemStats(&after)
	wantError(t, err, "times its size in memory")
	// A list that grows is reallocated, which at most triples what it takes.
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(3*memoryFactor*len(file)); got > limit {
		t.Errorf("allocated %d bytes, want at most %d", got, limit)
	}
}

func TestTruncatedAndFlipped(t *testing.T) {
	file := Encode(sample())
	for n := range file {
		DecodeModel(file[:n])
	}
	for i := range file {
		for bit := range 8 {
			bad := bytes.Clone(file)
			bad[i] ^= 1 << bit
			if m, err := DecodeModel(bad); err == nil {
				useAll(m)
			}
		}
	}
}

// useAll decodes all tensors of m and writes m again.
func useAll(m *ModelProto) {
	WalkTensors(m, func(t *TensorProto) { t.Decode() })
	Encode(m)
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(sample()))
	f.Add([]byte("\x3a\x02\x0a\x00"))
	files, _ := filepath.Glob(filepath.Join(corpora, "models/gonnx-*/model.onnx"))
	for _, path := range files {
		if data, err := os.ReadFile(path); err == nil && len(data) < 4<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeModel(data)
		if err != nil {
			if strings.Contains(err.Error(), "BUG") || !strings.Contains(err.Error(), "byte ") {
				t.Errorf("bad error %v", err)
			}
			return
		}
		useAll(m)
		first := Encode(m)
		again, err := DecodeModel(first)
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		if !bytes.Equal(first, Encode(again)) {
			t.Error("encoding twice gives different bytes")
		}
	})
}

func TestTensorDecode(t *testing.T) {
	le32 := func(fs ...float32) (b []byte) {
		for _, f := range fs {
			b = protowire.AppendFixed32(b, math.Float32bits(f))
		}
		return b
	}
	varints := func(vs ...int64) (b []byte) {
		for _, v := range vs {
			b = protowire.AppendVarint(b, uint64(v))
		}
		return b
	}
	d := func(dims ...int64) []int64 { return dims }
	tests := []struct {
		name string
		in   *TensorProto
		want []byte
	}{
		{"float_data", &TensorProto{DataType: Float, Dims: d(2), FloatData: le32(1, 2)}, le32(1, 2)},
		{"raw", &TensorProto{DataType: Float, Dims: d(1), RawData: le32(1)}, le32(1)},
		{"raw scalar", &TensorProto{DataType: Int16, RawData: []byte{1, 2}}, []byte{1, 2}},
		{"int8", &TensorProto{DataType: Int8, Dims: d(2), Int32Data: varints(-1, 7)}, []byte{255, 7}},
		{"uint8", &TensorProto{DataType: Uint8, Dims: d(1), Int32Data: varints(255)}, []byte{255}},
		{"int16", &TensorProto{DataType: Int16, Dims: d(1), Int32Data: varints(-2)}, []byte{254, 255}},
		{"float16", &TensorProto{DataType: Float16, Dims: d(1), Int32Data: varints(0x3c00)}, []byte{0, 0x3c}},
		{"bfloat16", &TensorProto{DataType: BFloat16, Dims: d(1), Int32Data: varints(0x3f80)}, []byte{0x80, 0x3f}},
		{"bool", &TensorProto{DataType: Bool, Dims: d(3), Int32Data: varints(0, 1, 3)}, []byte{0, 1, 1}},
		{"raw bool", &TensorProto{DataType: Bool, Dims: d(2), RawData: []byte{0, 9}}, []byte{0, 1}},
		{"int64", &TensorProto{DataType: Int64, Dims: d(1), Int64Data: varints(-1)}, bytes.Repeat([]byte{255}, 8)},
		{"uint32", &TensorProto{DataType: Uint32, Dims: d(1), Uint64Data: varints(1 << 31)}, []byte{0, 0, 0, 128}},
		{"double", &TensorProto{DataType: Double, Dims: d(1), DoubleData: make([]byte, 8)}, make([]byte, 8)},
		{"complex64", &TensorProto{DataType: Complex64, Dims: d(1), FloatData: le32(1, 2)}, le32(1, 2)},
		{"int4", &TensorProto{DataType: Int4, Dims: d(3), RawData: []byte{0x8f, 0x07}}, []byte{255, 248, 7}},
		{"uint4", &TensorProto{DataType: Uint4, Dims: d(2), Int32Data: varints(0x8f)}, []byte{15, 8}},
		{"int2", &TensorProto{DataType: Int2, Dims: d(5), RawData: []byte{0b11_10_01_00, 1}}, []byte{0, 1, 254, 255, 1}},
		{"uint2", &TensorProto{DataType: Uint2, Dims: d(2), RawData: []byte{0b11_10}}, []byte{2, 3}},
		{"empty", &TensorProto{DataType: Float, Dims: d(0, 5)}, nil},
		{"empty raw", &TensorProto{DataType: Float, Dims: d(0), RawData: []byte{}}, []byte{}},
		{"empty of huge", &TensorProto{DataType: Float, Dims: d(0, 1<<40)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.in.Decode()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Data, tt.want) {
				t.Errorf("data %v, want %v", got.Data, tt.want)
			}
			back, err := got.Proto().Decode()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(back.Data, tt.want) {
				t.Errorf("written and read: %v, want %v", back.Data, tt.want)
			}
		})
	}
	s, err := (&TensorProto{DataType: String, Dims: d(2), StringData: [][]byte{[]byte("a"), {}}}).Decode()
	if err != nil || !cmp.Equal(s.Strings, []string{"a", ""}) {
		t.Errorf("strings %q, %v", s.Strings, err)
	}
}

func TestTensorDecodeBad(t *testing.T) {
	d := func(dims ...int64) []int64 { return dims }
	raw := []byte{1, 2, 3, 4}
	tests := []struct {
		name string
		in   *TensorProto
		want string
	}{
		{"no type", &TensorProto{}, "element type 0 is unknown"},
		{"unknown type", &TensorProto{DataType: 99}, "element type 99 is unknown"},
		{"negative type", &TensorProto{DataType: -1}, "element type -1 is unknown"},
		{"negative dim", &TensorProto{DataType: Float, Dims: d(2, -1)}, "extent 1 is negative"},
		{"overflow", &TensorProto{DataType: Float, Dims: d(1<<40, 1<<40)}, "overflows"},
		{"bytes overflow", &TensorProto{DataType: Double, Dims: d(1 << 61), RawData: raw}, "overflows"},
		{"short", &TensorProto{DataType: Float, Dims: d(2), RawData: raw}, "float[2]: 4 bytes of data, want 8"},
		{"long", &TensorProto{DataType: Uint8, Dims: d(2), RawData: raw}, "4 bytes of data, want 2"},
		{"none", &TensorProto{DataType: Float, Dims: d(1)}, "float_data has 0 elements, want 1"},
		{"huge and none", &TensorProto{DataType: Int64, Dims: d(1 << 50)}, "int64_data has 0 elements"},
		{"wrong field", &TensorProto{DataType: Int64, Dims: d(1), Int32Data: []byte{1}}, "int64_data has 0"},
		{"two fields", &TensorProto{DataType: Float, Dims: d(1), RawData: raw, FloatData: raw}, "both in raw_data"},
		{"raw strings", &TensorProto{DataType: String, Dims: d(1), RawData: raw}, "string tensor with raw"},
		{"strings", &TensorProto{DataType: String, Dims: d(1)}, "string_data has 0 elements, want 1"},
		{"segment", &TensorProto{DataType: Float, Segment: &Segment{}}, "segments are not supported"},
		{"external", &TensorProto{DataType: Float, DataLocation: LocationExternal}, "another file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.in.Decode()
			wantError(t, err, tt.want)
		})
	}
}

func TestExternalData(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "model")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	must(os.WriteFile(filepath.Join(top, "secret"), make([]byte, 64), 0o644))
	must(os.WriteFile(filepath.Join(dir, "w.bin"), []byte{0, 1, 2, 3, 4, 5, 6, 7}, 0o644))
	must(os.WriteFile(filepath.Join(dir, "sub", "w.bin"), []byte{9, 9, 9, 9}, 0o644))
	must(os.Symlink("../secret", filepath.Join(dir, "out")))
	must(os.Symlink(top, filepath.Join(dir, "outdir")))
	must(os.Symlink("w.bin", filepath.Join(dir, "in")))
	tests := []struct{ name, location, offset, length, want string }{
		{"all", "w.bin", "", "4", ""},
		{"part", "w.bin", "4", "4", ""},
		{"no length", "w.bin", "4", "", ""},
		{"folder", "sub/w.bin", "", "", ""},
		{"link inside", "in", "2", "4", ""},
		{"parent", "../secret", "", "4", "outside the model's folder"},
		{"parent later", "sub/../../secret", "", "4", "outside the model's folder"},
		{"absolute", filepath.Join(top, "secret"), "", "4", "outside the model's folder"},
		{"link", "out", "", "4", "outside the model's folder"},
		{"linked folder", "outdir/secret", "", "4", "outside the model's folder"},
		{"missing", "nope", "", "4", "no such file"},
		{"empty", "", "", "4", "no location"},
		{"a folder", "sub", "", "4", "not a regular file"},
		{"beyond the end", "w.bin", "6", "4", "4 bytes from 6 on are wanted, the file has 8"},
		{"overflow", "w.bin", "9223372036854775807", "9223372036854775807", "are wanted"},
		{"negative", "w.bin", "-4", "4", `offset is "-4"`},
		{"no number", "w.bin", "0", "many", `length is "many"`},
		{"wrong length", "w.bin", "0", "5", "5 bytes of data, want 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &TensorProto{Name: "w", DataType: Uint8, Dims: []int64{4}, DataLocation: LocationExternal}
			for _, e := range [][2]string{{"location", tt.location}, {"offset", tt.offset}, {"length", tt.length}} {
				if e[1] != "" {
					w.ExternalData = append(w.ExternalData, &StringStringEntryProto{Key: e[0], Value: e[1]})
				}
			}
			path := filepath.Join(dir, "m.onnx")
			must(WriteFile(path, &ModelProto{Graph: &GraphProto{Initializer: []*TensorProto{w}}}))
			f, err := Open(path)
			var got *Tensor
			if err == nil {
				defer f.Close()
				got, err = f.Model.Graph.Initializer[0].Decode()
			}
			if tt.want != "" {
				wantError(t, err, tt.want)
				return
			}
			must(err)
			if len(got.Data) != 4 {
				t.Errorf("%d bytes", len(got.Data))
			}
		})
	}
}

func TestOpenBad(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.onnx")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.onnx"): "none.onnx: no such file",
		dir:                             "not a regular file",
		empty:                           "not an ONNX model",
	} {
		_, err := Open(path)
		wantError(t, err, want)
	}
}
