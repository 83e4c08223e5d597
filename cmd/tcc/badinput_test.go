package main

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/runtime"
)

// This file tests what bad input gets: an error that names the place, the
// exit status of the contract, nothing half-written, and a living process.

// protoModel is y = op(x, …) of an input x of type elem and dims, with
// initializers.
func protoModel(op string, elem onnxpb.DataType, dims []int64, attrs []*onnxpb.AttributeProto,
	inits ...*onnxpb.TensorProto) *onnxpb.ModelProto {
	shape := &onnxpb.TensorShapeProto{}
	for _, n := range dims {
		shape.Dim = append(shape.Dim, &onnxpb.Dimension{Value: n, HasValue: true})
	}
	node := &onnxpb.NodeProto{OpType: op, Name: "the_node", Input: []string{"x"}, Output: []string{"y"}, Attribute: attrs}
	for _, t := range inits {
		node.Input = append(node.Input, t.Name)
	}
	port := func(name string, s *onnxpb.TensorShapeProto) *onnxpb.ValueInfoProto {
		return &onnxpb.ValueInfoProto{Name: name, Type: &onnxpb.TypeProto{
			Tensor: &onnxpb.TensorType{ElemType: elem, Shape: s}}}
	}
	return &onnxpb.ModelProto{IRVersion: 8, OpsetImport: []*onnxpb.OperatorSetIDProto{{Version: 17}},
		Graph: &onnxpb.GraphProto{Name: "g", Node: []*onnxpb.NodeProto{node}, Initializer: inits,
			Input: []*onnxpb.ValueInfoProto{port("x", shape)}, Output: []*onnxpb.ValueInfoProto{port("y", nil)}}}
}

func int64Init(name string, data ...int64) *onnxpb.TensorProto {
	t := &onnxpb.TensorProto{Name: name, Dims: []int64{int64(len(data))}, DataType: onnxpb.Int64}
	for _, k := range data {
		t.RawData = binary.LittleEndian.AppendUint64(t.RawData, uint64(k))
	}
	return t
}

func outside(location string) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: "w", Dims: []int64{1}, DataType: onnxpb.Float,
		DataLocation: onnxpb.LocationExternal,
		ExternalData: []*onnxpb.StringStringEntryProto{{Key: "location", Value: location}}}
}

// Files that are no models, or models that cannot be: status 2, on whichever
// command.
func TestBadModels(t *testing.T) {
	good := onnxpb.Encode(protoModel("Relu", onnxpb.Float, []int64{4}, nil))
	encode := func(m *onnxpb.ModelProto) string { return string(onnxpb.Encode(m)) }
	tests := []struct{ name, file, text, want string }{
		{"no such file", "", "", "no such file"},
		{"other extension", "m.txt", "", "a model is an .onnx or a .tir file"},
		{"text", "m.onnx", "hello world, I am no model", "byte "},
		{"empty", "m.onnx", "", "m.onnx"},
		{"truncated", "m.onnx", string(good[:len(good)-5]), "the file ends inside it"},
		{"bad graph text", "m.tir", "graph g\n\tv0 = frobnicate <f32[]>\n\treturn v0\n", "m.tir:2: "},
		{"bad type", "m.tir", "graph g\n\tv0 = param <f32[2]> {x}\n\tv1 = param <f32[3]> {y}\n" +
			"\tv2 = add v0 v1\n\treturn v2\n", "add: c1: "},
		{"dims overflow", "m.onnx", encode(protoModel("Relu", onnxpb.Float, []int64{1 << 40, 1 << 40}, nil)), "x"},
		{"unknown operator", "m.onnx", encode(protoModel("Quux", onnxpb.Float, []int64{4}, nil)),
			"unsupported operators: Quux-17 (the_node)"},
		{"shapes", "m.onnx", encode(protoModel("Add", onnxpb.Int64, []int64{4}, nil, int64Init("w", 1, 2, 3))),
			"the_node: Add: "},
		{"axis", "m.onnx", encode(protoModel("Softmax", onnxpb.Float, []int64{4},
			[]*onnxpb.AttributeProto{{Name: "axis", Type: onnxpb.AttrInt, I: 5}})), "the_node: Softmax: "},
		{"weights too short", "m.onnx", encode(protoModel("Add", onnxpb.Float, []int64{4}, nil,
			&onnxpb.TensorProto{Name: "w", Dims: []int64{4}, DataType: onnxpb.Float, RawData: make([]byte, 7)})), "7 bytes"},
		{"weights overflow", "m.onnx", encode(protoModel("Add", onnxpb.Float, []int64{4}, nil,
			&onnxpb.TensorProto{Name: "w", Dims: []int64{1 << 40, 1 << 40}, DataType: onnxpb.Float})), "w"},
		{"data above", "m.onnx", encode(protoModel("Add", onnxpb.Float, []int64{1}, nil, outside("../secret"))), "../secret"},
		{"data absolute", "m.onnx", encode(protoModel("Add", onnxpb.Float, []int64{1}, nil, outside("/etc/hostname"))),
			"/etc/hostname"},
		{"data missing", "m.onnx", encode(protoModel("Add", onnxpb.Float, []int64{1}, nil, outside("none.bin"))), "none.bin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "none.onnx")
			if tt.file != "" {
				path = write(t, tt.file, tt.text)
			}
			out := filepath.Join(t.TempDir(), "out")
			for _, args := range [][]string{
				{"inspect", path}, {"run", path, "-output-dir", out}, {"bench", path},
				{"build", path, "-o", out}, {"gen", "-model", path, "-pkg", "p", "-o", out},
			} {
				status, stdout, stderr := tcc(t, args...)
				if status != 2 || !strings.HasPrefix(stderr, "tcc: ") || !strings.Contains(stderr, tt.want) {
					t.Errorf("tcc %v: status %d, error %q, want 2 and %q", args, status, stderr, tt.want)
				}
				if stdout != "" {
					t.Errorf("tcc %v printed %q", args, stdout)
				}
				wantNothing(t, out)
			}
		})
	}
}

// wantNothing reports what a failed command has left at path.
func wantNothing(t *testing.T, path string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Dir(path), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(p, path) {
			t.Errorf("left %s behind", p)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A link that leads out of the model's folder is not followed.
func TestExternalDataLink(t *testing.T) {
	secret := write(t, "secret", "1234")
	path := write(t, "m.onnx", string(onnxpb.Encode(protoModel("Add", onnxpb.Float, []int64{1}, nil, outside("link")))))
	if err := os.Symlink(secret, filepath.Join(filepath.Dir(path), "link")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if status, _, stderr := tcc(t, "inspect", path); status != 2 || !strings.Contains(stderr, "link") {
		t.Errorf("status %d, error %q, want 2 and the name of the link", status, stderr)
	}
}

// Whatever bit of a model file is wrong, the answer is a result or an error.
func TestFlippedBits(t *testing.T) {
	file := onnxpb.Encode(protoModel("Gather", onnxpb.Float, []int64{4}, nil, int64Init("w", 1)))
	path := write(t, "m.onnx", "")
	for i := range file {
		for bit := range 8 {
			if testing.Short() && (i+bit)%8 != 0 {
				continue // all of them take seconds
			}
			bad := append([]byte(nil), file...)
			bad[i] ^= 1 << bit
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			status, _, stderr := tcc(t, "inspect", path)
			if strings.Contains(stderr, "internal fault") || status == 1 || (status == 2) != (stderr != "") {
				t.Errorf("byte %d, bit %d: status %d, error %q", i, bit, status, stderr)
			}
		}
	}
}

// Wrong usage: status 2 before anything is compiled.
func TestBadUsage(t *testing.T) {
	model := write(t, "sums.tir", sums)
	x := writeNPY(t, floats(t, []float32{1, 2}, 1, 2))
	cut := write(t, "cut.npy", "\x93NUMPY\x01\x00")
	pb := write(t, "cut.pb", "\x08")
	header := "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
	objects := write(t, "objects.npy", "\x93NUMPY\x01\x00"+string(rune(len(header)))+"\x00"+header)
	t.Setenv("GOARCH", "amd64")
	tests := []struct{ args, want string }{
		{"frobnicate", `no command "frobnicate"`},
		{"help frobnicate", "frobnicate"},
		{"run", "0 arguments, wanted MODEL"},
		{"run MODEL MODEL", "2 arguments, wanted MODEL"},
		{"run MODEL -frobnicate", "there is no flag -frobnicate: see tcc run -help"},
		{"run MODEL -input s=1", "input x of type f32[N,2] is missing: -input x=FILE"},
		{"run MODEL -input y=1", "-input y=1: wanted NAME=FILE with one of the inputs [x s]"},
		{"run MODEL -input x=none.npy -input s=1", "-input x=none.npy: open none.npy"},
		{"run MODEL -input x=" + cut + " -input s=1", "cut.npy"},
		{"run MODEL -input x=" + pb + " -input s=1", "cut.pb"},
		{"run MODEL -input-dir none", "none/input_0.pb"},
		{"run MODEL -input x=" + x + " -input s=1 -backend abacus", "-backend abacus: wanted native, interp"},
		{"conform . -backend abacus", "-backend abacus: wanted native, interp"},
		{"conform . -threads -1", "-threads -1: wanted 1 or more"},
		{"diff MODEL -backend native,abacus", "-backend abacus: wanted native, interp"},
		{"run MODEL -input x=" + x + " -input s=1 -fp fast", "-fp fast: wanted strict or relaxed"},
		{"run MODEL -input x=" + x + " -input s=1 -precision low", "-precision low: wanted highest, high"},
		{"build MODEL -emulate -cpu generic", "-emulate: a package runs on the CPUs"},
		{"bench MODEL -dim N=-1", "-dim N=-1: wanted NAME=N"},
		{"bench MODEL -dim N", "-dim N: wanted NAME=N"},
		{"bench MODEL -dim M=1", "-dim M: the inputs have no such dynamic extent, wanted one of N"},
		{"build MODEL -dim M=1..2", "-dim M: the inputs have no such dynamic extent, wanted one of N"},
		{"inspect MODEL -dim N=1", "inspect: -dim is for -memory"},
		{"inspect MODEL -pass fuse -json", "leave out -memory and -json"},
		{"diff MODEL -backend native", "-backend native: wanted two names"},
		{"diff MODEL -dump nopass", "-dump nopass: wanted one of "},
		{"diff MODEL -skip nopass", `no pass "nopass"; passes are dce`},
		{"bench MODEL -profile -backend interp", "-profile measures machine code"},
		{"build MODEL -buildmode dll", "-buildmode dll: wanted exe, gopkg, c-archive or c-shared"},
		{"build MODEL -cpu pentium", `level "pentium": wanted all, native`},
		{"build MODEL -dim N=3..1", "-dim N=3..1: wanted NAME=N or NAME=LO..HI"},
		{"build MODEL -weights none", "-weights none: wanted embed or beside"},
		{"inspect MODEL -pass nopass", "-pass nopass: wanted start or one of dce"},
		{"conform none", "none"},
		{"conform", "0 arguments, wanted DIR"},
		{"gen", "give a model by -model FILE"},
		{"version 1", "1 arguments, wanted none"},
		{"run MODEL -input x=" + x + " -input s=1 -input s=2", "-input s=2: input s is given twice"},
		{"run MODEL -input x=" + objects + " -input s=1", `element type "O" is not supported`},
		{"bench MODEL -threads -1", "-threads -1: wanted 1 or more"},
		{"bench MODEL -threads x", `invalid value "x" for flag -threads: wanted an integer` + "\n"},
		{"diff MODEL -seed -1", `invalid value "-1" for flag -seed: wanted an integer of 0 or more` + "\n"},
		{"diff MODEL -rtol a", `invalid value "a" for flag -rtol: wanted a number` + "\n"},
		{"bench MODEL -time 5", `invalid value "5" for flag -time: wanted a time such as 500ms`},
		{"bench MODEL -json=maybe", `invalid value "maybe" for flag -json: wanted true or false` + "\n"},
		{"gen -model MODEL -pkg p -o MODEL", "sums.tir: is a file, wanted a folder to write to"},
		{"build MODEL -buildmode gopkg -o MODEL/p/q", "sums.tir: is a file, wanted a folder"},
		{"build MODEL -o MODEL/p", "sums.tir: is a file, wanted a folder"},
		{"build MODEL -buildmode c-archive -o MODEL/p.a", "sums.tir: is a file, wanted a folder"},
		{"build MODEL -runtime none", "-runtime none: wanted copy or import"},
		{"gen -model MODEL -runtime none", "-runtime none: wanted copy or import"},
		{"gen -runtime none .", "-runtime none: wanted copy or import"},
		{"build MODEL -cpu arm64", "level arm64 is of GOARCH=arm64, GOARCH is amd64: set it"},
	}
	for _, tt := range tests {
		args := strings.Fields(strings.ReplaceAll(tt.args, "MODEL", model))
		t.Run(strings.Join(strings.Fields(tt.args)[:1], ""), func(t *testing.T) {
			status, _, stderr := tcc(t, args...)
			if status != 2 || !strings.Contains(stderr, tt.want) {
				t.Errorf("tcc %s: status %d, error %q, want 2 and %q", tt.args, status, stderr, tt.want)
			}
		})
	}
}

// What can only be found while a model runs: status 1, no output files.
func TestBadRuns(t *testing.T) {
	const gather = "graph g\n\tv0 = param <f32[4]> {x}\n\tv1 = param <i64[]> {i}\n\tv2 = gather <f32[]> v0 v1 {0}\n" +
		"\treturn y=v2\n"
	const fixed = "graph g\n\tv0 = param <f32[4]> {x}\n\tv1 = const <i64[2]> {[3 4]}\n\tv2 = gather <f32[2]> v0 v1 {0}\n" +
		"\treturn y=v2\n"
	x := writeNPY(t, floats(t, make([]float32, 4), 4))
	tests := []struct{ name, model, args, want string }{
		{"index", gather, "-input x=" + x + " -input i=7", "gather"},
		{"negative index", gather, "-input x=" + x + " -input i=-1", "gather"},
		{"constant index", fixed, "-input x=" + x, "gather"},
	}
	for _, tt := range tests {
		for _, backend := range []string{"interp", "native"} {
			t.Run(tt.name+"/"+backend, func(t *testing.T) {
				if backend == "native" {
					needLLVM(t)
				}
				out := filepath.Join(t.TempDir(), "out")
				args := append([]string{"run", write(t, "m.tir", tt.model), "-backend", backend, "-output-dir", out},
					strings.Fields(tt.args)...)
				status, _, stderr := tcc(t, args...)
				if status != 1 || !strings.Contains(stderr, tt.want) || strings.Contains(stderr, "internal fault") {
					t.Errorf("status %d, error %q, want 1 and %q", status, stderr, tt.want)
				}
				wantNothing(t, out)
			})
		}
	}
}

// Inputs of the wrong type are wrong usage, found before anything is compiled: there is no LLVM.
func TestWrongInputs(t *testing.T) {
	t.Setenv("TCC_LLVM", filepath.Join(t.TempDir(), "none"))
	model := write(t, "m.tir", "graph g\n\tv0 = param <f32[N,2]> {x}\n\tv1 = param <f32[2*N]> {y}\n"+
		"\tv2 = param <f32[N,2]> {z}\n\tv3 = rem <f32[N,2]> v0 v2\n\treturn v3 v1\n")
	f32 := func(shape ...int) string {
		x, err := runtime.NewTensor(runtime.F32, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return writeNPY(t, x)
	}
	x, y := f32(3, 2), f32(6)
	for _, tt := range []struct{ x, y, z, want string }{
		{writeNPY(t, runtime.MustFrom([]float64{1, 2}, 1, 2)), y, x, "input x: is f64[1,2], wanted f32[N,2]"},
		{f32(3), y, x, "input x: is f32[3], wanted f32[N,2]"},
		{f32(3, 4), y, x, "input x: is f32[3,4], wanted f32[N,2]: give a tensor"},
		{x, f32(7), x, "input y: is f32[7], wanted f32[2*N] with N = 3 by input x: give"},
		{x, y, f32(4, 2), "input z: is f32[4,2], wanted f32[N,2] with N = 3 by input x"},
	} {
		for _, command := range []string{"run", "bench", "diff"} {
			args := []string{command, model, "-input", "x=" + tt.x, "-input", "y=" + tt.y, "-input", "z=" + tt.z}
			if status, _, stderr := tcc(t, args...); status != 2 || !strings.Contains(stderr, tt.want) {
				t.Errorf("tcc %v: status %d, error %q, want 2 and %q", args, status, stderr, tt.want)
			}
		}
	}
	args := []string{"run", model, "-input", "x=" + x, "-input", "y=" + y, "-input", "z=" + x,
		"-backend", "interp"}
	if status, _, stderr := tcc(t, args...); status != 0 {
		t.Errorf("tcc %v: status %d, error %q", args, status, stderr)
	}
}

// Integer division by zero has a value, the same on all back ends.
func TestDivisionByZero(t *testing.T) {
	model := write(t, "m.tir", "graph g\n\tv0 = param <i32[2]> {x}\n\tv1 = param <i32[2]> {y}\n"+
		"\tv2 = div <i32[2]> v0 v1\n\tv3 = rem <i32[2]> v0 v1\n\tv4 = floordiv <i32[2]> v0 v1\n"+
		"\tv5 = mod <i32[2]> v0 v1\n\treturn v2 v3 v4 v5\n")
	x := writeNPY(t, runtime.MustFrom([]int32{7, -1 << 31}, 2))
	y := writeNPY(t, runtime.MustFrom([]int32{0, -1}, 2))
	var first string
	for _, backend := range []string{"interp", "kernels", "native"} {
		if backend == "native" {
			needLLVM(t)
		}
		status, out, stderr := tcc(t, "run", model, "-input", "x="+x, "-input", "y="+y, "-backend", backend)
		if first == "" {
			first = out
		}
		if status != 0 || out != first || !strings.Contains(out, "[0 -2147483648]") {
			t.Errorf("%s: status %d, printed %q, %q, want %q", backend, status, out, stderr, first)
		}
	}
}

// Without LLVM and kernels of this model in the cache the error says what to install, and nothing is
// left.
func TestMissingLLVM(t *testing.T) {
	t.Setenv("TCC_LLVM", filepath.Join(t.TempDir(), "none"))
	model := write(t, "m.tir", strings.Replace(sums, "add <f32[N,2]> v3 v3", "rem <f32[N,2]> v3 v0", 1))
	out := filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{{"bench", model}, {"build", model, "-o", out}} {
		status, _, stderr := tcc(t, args...)
		if want := "has no opt and llc of version 19 or newer"; status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("tcc %v: status %d, error %q, want 1 and %q", args, status, stderr, want)
		}
		wantNothing(t, out)
	}
	status, text, _ := tcc(t, "version")
	if status != 0 || !strings.Contains(text, "llvm: none: ") || !strings.Contains(text, "interp") {
		t.Errorf("tcc version: status %d, printed %q", status, text)
	}
}

// Outputs as large as memory cannot be are refused, not attempted.
func TestHugeDims(t *testing.T) {
	needLLVM(t)
	model := write(t, "m.tir", "graph g\n\tv0 = param <i64[]> {n}\n\tv1 = bind <i64[]> v0 {N}\n"+
		"\tv2 = iota <f32[N,N]> {dtype=f32 shape=[N,N] axis=0}\n\treturn y=v2 z=v1\n")
	for _, n := range []string{"-5", "3037000500", "9223372036854775807"} {
		for _, backend := range []string{"interp", "native"} {
			status, _, stderr := tcc(t, "run", model, "-input", "n="+n, "-backend", backend)
			if status != 1 || strings.Contains(stderr, "internal fault") || !strings.HasPrefix(stderr, "tcc: ") {
				t.Errorf("n=%s on %s: status %d, error %q, want 1", n, backend, status, stderr[:min(len(stderr), 300)])
			}
		}
	}
}
