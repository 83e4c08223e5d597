package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/peak"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/runtime"
)

// This file tests the contract of the command line: flags, exit statuses, what
// is printed. Commands run in this process.

// tcc runs a command line and returns its exit status and what it printed.
func tcc(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	capture := func(stream **os.File) func() string {
		f, err := os.CreateTemp(t.TempDir(), "stream")
		if err != nil {
			t.Fatal(err)
		}
		old := *stream
		*stream = f
		return func() string {
			*stream = old
			defer f.Close()
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(f)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
	out, err := capture(&os.Stdout), capture(&os.Stderr)
	status = run(append([]string{"tcc"}, args...))
	return status, out(), err()
}

// sums is a model with a dynamic extent: z = (x + s) * 2.
const sums = `graph sums
	v0 = param <f32[N,2]> {x}
	v1 = param <f32[]> {s}
	v2 = broadcast <f32[N,2]> v1 {shape=[N,2] axes=[]}
	v3 = add <f32[N,2]> v0 v2
	v4 = add <f32[N,2]> v3 v3
	return z=v4
`

// write writes a file of the test's folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeNPY(t *testing.T, x *runtime.Tensor) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := runtime.WriteNPYFile(path, x); err != nil {
		t.Fatal(err)
	}
	return path
}

func floats(t *testing.T, data []float32, dims ...int) *runtime.Tensor {
	t.Helper()
	x, err := runtime.From(data, dims...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func needLLVM(t *testing.T) {
	t.Helper()
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
}

func TestRun(t *testing.T) {
	model := write(t, "sums.tir", sums)
	x := writeNPY(t, floats(t, []float32{1, 2, 3, 4}, 2, 2))
	for _, backend := range []string{"interp", "kernels", "native"} {
		t.Run(backend, func(t *testing.T) {
			if backend == "native" {
				needLLVM(t)
			}
			flags := []string{"-backend", backend, "-input", "x=" + x, "-input", "s=0.5"}
			for _, args := range [][]string{
				slices.Concat([]string{"run", model}, flags), slices.Concat([]string{"run"}, flags, []string{model}),
			} {
				status, out, stderr := tcc(t, args...)
				if status != 0 || !strings.HasPrefix(out, "z ") {
					t.Errorf("tcc %v: status %d, printed %q, %q", args, status, out, stderr)
				}
			}
			dir := filepath.Join(t.TempDir(), "made", "here")
			if status, _, stderr := tcc(t, slices.Concat([]string{"run", model, "-output-dir", dir}, flags)...); status != 0 {
				t.Fatal(stderr)
			}
			z, err := runtime.ReadNPYFile(filepath.Join(dir, "z.npy"))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := z.Text(), floats(t, []float32{3, 5, 7, 9}, 2, 2).Text(); got != want {
				t.Errorf("wrote %s, want %s", got, want)
			}
		})
	}
}

// A TensorProto file that carries its name needs no NAME=.
func TestRunNamedTensor(t *testing.T) {
	model := write(t, "sums.tir", sums)
	pb := &onnxpb.TensorProto{Name: "x", Dims: []int64{1, 2}, DataType: onnxpb.Float, RawData: make([]byte, 8)}
	named := write(t, "a.pb", string(onnxpb.Encode(pb)))
	status, out, stderr := tcc(t, "run", model, "-input", named, "-input", "s=1", "-backend", "interp")
	if status != 0 || !strings.Contains(out, "[[2 2]]") {
		t.Errorf("status %d, printed %q, %q", status, out, stderr)
	}
	pb.Name = "other"
	other := write(t, "b.pb", string(onnxpb.Encode(pb)))
	status, _, stderr = tcc(t, "run", model, "-input", other, "-input", "s=1")
	if want := `holds tensor "other"; the inputs are [x s]`; status != 2 || !strings.Contains(stderr, want) {
		t.Errorf("status %d, error %q, want 2 and %q", status, stderr, want)
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, c := range app().Commands {
		status, out, _ := tcc(t, "help", c.Name)
		if status != 0 || !strings.Contains(out, "Example") || !strings.Contains(out, "tcc "+c.Name) {
			t.Errorf("tcc help %s: status %d, printed %q, want an example", c.Name, status, out)
		}
	}
	for _, args := range [][]string{{}, {"help"}, {"-h"}, {"--help"}, {"run", "-h"}} {
		if status, out, _ := tcc(t, args...); status != 0 || !strings.Contains(out, "USAGE") {
			t.Errorf("tcc %v: status %d, printed %q, want usage", args, status, out)
		}
	}
	if status, out, _ := tcc(t, "help", "debug"); status != 0 || !strings.Contains(out, "-stop-after") {
		t.Errorf("tcc help debug: status %d, printed %q, want the flags for those who work on tcc", status, out)
	}
}

// TestStopAfter ends before there is anything to generate code of.
func TestStopAfter(t *testing.T) {
	args := []string{"bench", write(t, "sums.tir", sums), "-backend", "kernels", "-stop-after", "fold"}
	status, _, stderr := tcc(t, args...)
	if want := "stopped after pass fold: code generation needs"; status != exitFail ||
		!strings.Contains(stderr, want) {
		t.Errorf("status %d, error %q, want %d and %q", status, stderr, exitFail, want)
	}
}

func TestBenchJSON(t *testing.T) {
	needLLVM(t)
	model := write(t, "sums.tir", sums)
	status, out, stderr := tcc(t, "bench", "-json", model, "-dim", "N=3", "-threads", "1", "-time", "1ms")
	if status != 0 {
		t.Fatal(stderr)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	for _, key := range []string{"median", "min", "p99", "runs", "load", "compile", "code_bytes",
		"weight_bytes", "arena_bytes", "allocs", "threads", "level"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no key %s in %s", key, out)
		}
	}
	if got["threads"] != 1.0 || got["allocs"] != 0.0 {
		t.Errorf("threads %v and allocs %v, want 1 and 0", got["threads"], got["allocs"])
	}
}

// TestBenchInterrupted ends a measurement of an hour.
func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	err := measure(ctx, func() error {
		if runs++; runs == 3 {
			cancel()
		}
		return nil
	}, time.Hour, &benchResult{})
	if !errors.Is(err, context.Canceled) || runs != 3 {
		t.Errorf("%d runs, %v, wanted 3 and %v", runs, err, context.Canceled)
	}
}

func TestBenchProfile(t *testing.T) {
	needLLVM(t)
	model := write(t, "sums.tir", sums)
	args := []string{"bench", model, "-dim", "N=50", "-time", "10ms", "-threads", "1", "-profile"}
	status, out, stderr := tcc(t, append(args, "-json")...)
	var got benchResult
	if err := json.Unmarshal([]byte(out), &got); status != 0 || err != nil || len(got.Kernels) != 1 {
		t.Fatalf("status %d, %v, printed %q, %q", status, err, out, stderr)
	}
	k := got.Kernels[0]
	if k.FLOP != 200 || k.BytesRead != 404 || k.BytesWritten != 400 || k.Launches != 1 {
		t.Errorf("%+v: 2 additions for each of 100 elements", k)
	}
	if k.PeakShare <= 0 || k.PeakShare > 1 || k.BandwidthShare <= 0 || k.Share != 1 {
		t.Errorf("shares of %+v", k)
	}
	if !slices.ContainsFunc(k.Nodes, func(s string) bool { return strings.HasSuffix(s, "sums.tir:5") }) {
		t.Errorf("nodes %v, wanted lines of sums.tir", k.Nodes)
	}
	if status, out, _ = tcc(t, args...); status != 0 || !strings.Contains(out, "of peak") {
		t.Errorf("status %d, printed %q", status, out)
	}
}

func TestBenchPeaks(t *testing.T) {
	needLLVM(t)
	if testing.Short() {
		t.Skip("takes seconds")
	}
	status, out, stderr := tcc(t, "bench", "-peaks", "-json", "-threads", "1")
	var got struct{ Peaks peak.Peaks }
	if err := json.Unmarshal([]byte(out), &got); status != 0 || err != nil {
		t.Fatalf("status %d, %v, printed %q, %q", status, err, out, stderr)
	}
	if len(got.Peaks.Compute) == 0 || got.Peaks.Bandwidth(1) == 0 {
		t.Errorf("printed %s", out)
	}
	if status, _, _ = tcc(t, "bench"); status != exitUsage {
		t.Errorf("bench without a model: status %d", status)
	}
	if status, _, _ = tcc(t, "bench", "-peaks", "m.tir"); status != exitUsage {
		t.Errorf("bench -peaks with a model: status %d", status)
	}
}

func TestDiff(t *testing.T) {
	model := write(t, "sums.tir", sums)
	status, out, stderr := tcc(t, "diff", model, "-backend", "kernels,interp", "-dim", "N=5")
	if status != 0 || !strings.Contains(out, "z f32[5,2]: agrees") {
		t.Errorf("status %d, printed %q, %q", status, out, stderr)
	}
}

func TestInspect(t *testing.T) {
	model := write(t, "sums.tir", sums)
	status, out, _ := tcc(t, "inspect", model, "-pass", "start")
	if !strings.HasPrefix(out, "graph sums\n\tv0 = param <f32[N,2]> {x}") || status != 0 {
		t.Errorf("status %d, printed %q, want the model", status, out)
	}
	status, out, _ = tcc(t, "inspect", model, "-json")
	var info inspection
	if err := json.Unmarshal([]byte(out), &info); status != 0 || err != nil || len(info.Inputs) != 2 {
		t.Errorf("status %d, %v, printed %q", status, err, out)
	}
	var mem memoryInfo
	model = write(t, "two.tir", "graph two\n\tv0 = param <f32[N,64]> {x}\n\tv1 = sum v0 {[1]}\n"+
		"\tv2 = broadcast v1 {shape=[N,64] axes=[0]}\n\tv3 = mul v0 v2\n\tv4 = sum v3 {[0]}\n\treturn v4\n")
	status, out, _ = tcc(t, "inspect", model, "-memory", "-json", "-dim", "N=32")
	err := json.Unmarshal([]byte(out), &mem)
	if status != 0 || err != nil || len(mem.Buffers) != 1 || mem.Buffers[0].Bytes != 8192 || mem.Needed != 8192 {
		t.Errorf("status %d, %v, printed %q, want the products of 32 rows in memory", status, err, out)
	}
	if status, out, _ = tcc(t, "inspect", model, "-memory"); status != 0 || !strings.Contains(out, "f32[N,64]") {
		t.Errorf("status %d, printed %q, want a buffer f32[N,64]", status, out)
	}
}

// TestCache runs tcc as a process of its own, with a cache of its own: the same model is compiled
// once, gives the same bytes with the cache, without it, and where an entry is damaged.
func TestCache(t *testing.T) {
	needLLVM(t)
	exe := filepath.Join(t.TempDir(), "tcc")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir, model := t.TempDir(), write(t, "sums.tir", sums)
	tcc := func(cacheDir string, args ...string) string {
		t.Helper()
		c := exec.Command(exe, args...)
		c.Env = append(os.Environ(), "TCC_CACHE="+cacheDir)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("tcc %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	bench := []string{"bench", model, "-time", "1ms", "-json"}
	for i, cached := range []int{0, 1, 0, 1} {
		cacheDir := dir
		if i == 2 {
			cacheDir = "off"
		}
		var got benchResult
		if err := json.Unmarshal([]byte(tcc(cacheDir, bench...)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Cached != cached || got.KernelCount != 1 {
			t.Errorf("run %d: %d of %d kernels from the cache, want %d", i, got.Cached, got.KernelCount, cached)
		}
	}
	if out := tcc(dir, "cache"); !strings.Contains(out, dir+": ") {
		t.Errorf("tcc cache printed %q", out)
	}
	var want []byte
	for _, how := range []string{"hit", "off", "damaged", "cleared"} {
		cacheDir := dir
		switch how {
		case "off":
			cacheDir = "off"
		case "damaged":
			damage(t, dir)
		case "cleared":
			tcc(dir, "cache", "-clear")
		}
		out := filepath.Join(t.TempDir(), "sums")
		tcc(cacheDir, "build", model, "-cpu", "native", "-o", out)
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("cache %s: the executable is another one", how)
		}
	}
}

// TestTune tunes a model for a moment; what follows takes the file as input, unless it is told not
// to, and says so; a stale entry is ignored, a bad file refused.
func TestTune(t *testing.T) {
	needLLVM(t)
	model := write(t, "sums.tir", sums)
	file := model + ".tune"
	exe := filepath.Join(t.TempDir(), "sums")
	args := []string{"build", model, "-cpu", "native", "-o", exe}
	status, _, stderr := tcc(t, append(args, "-tune", "-tune-time", "10ms", "-dim", "N=1..100")...)
	if status != 0 || !strings.Contains(stderr, file) {
		t.Fatalf("status %d, printed %q", status, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), "tcc tuning 1\n") {
		t.Fatalf("%v, wrote %q", err, text)
	}
	stale := "tcc tuning 1\nkernel " + runtime.Levels()[0] + " 0123456789abcdef rows=2\n"
	for _, c := range []struct {
		text, flag string
		status     int
		says       string
	}{
		{stale, "-untuned=false", 0, "1 entries are of kernels that are no longer there"},
		{stale, "-untuned", 0, ""},
		{"tcc tuning 0\n", "-untuned", 0, ""},
		{"tcc tuning 0\n", "-untuned=false", exitUsage, "wanted \"tcc tuning 1\""},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		status, _, stderr := tcc(t, append(args, c.flag)...)
		if status != c.status || !strings.Contains(stderr, c.says) || c.says == "" && strings.Contains(stderr, file) {
			t.Errorf("%q, %s: status %d, printed %q, want %q", c.text, c.flag, status, stderr, c.says)
		}
	}
}

// damage changes the last byte of every file of a folder.
func damage(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[len(data)-1] ^= 1
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVersion(t *testing.T) {
	status, out, _ := tcc(t, "version")
	for _, want := range []string{"tcc ", "llvm: ", "cache: ", "tensors: ", "cpu levels: ", "cuda: "} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d, printed %q, want %q", status, out, want)
		}
	}
}

// reluModel is an ONNX model y = relu(x) and a test set, whose output is want.
func reluModel(t *testing.T, dir string, op string, x, want []float32) {
	t.Helper()
	port := func(name string) *onnxpb.ValueInfoProto {
		return &onnxpb.ValueInfoProto{Name: name, Type: &onnxpb.TypeProto{Tensor: &onnxpb.TensorType{
			ElemType: onnxpb.Float, Shape: &onnxpb.TensorShapeProto{Dim: []*onnxpb.Dimension{{Param: "N"}}}}}}
	}
	set := filepath.Join(dir, "test_data_set_0")
	if err := os.MkdirAll(set, 0o755); err != nil {
		t.Fatal(err)
	}
	m := &onnxpb.ModelProto{IRVersion: 8, OpsetImport: []*onnxpb.OperatorSetIDProto{{Version: 17}},
		Graph: &onnxpb.GraphProto{Name: "g",
			Node:  []*onnxpb.NodeProto{{OpType: op, Name: "node", Input: []string{"x"}, Output: []string{"y"}}},
			Input: []*onnxpb.ValueInfoProto{port("x")}, Output: []*onnxpb.ValueInfoProto{port("y")}}}
	if err := onnxpb.WriteFile(filepath.Join(dir, "model.onnx"), m); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]float32{"input_0.pb": x, "output_0.pb": want} {
		b, err := floats(t, data, len(data)).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		p := &onnxpb.TensorProto{Dims: []int64{int64(len(data))}, DataType: onnxpb.Float, RawData: b}
		if err := onnxpb.WriteFile(filepath.Join(set, name), p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInterrupt stops a command as Ctrl-C does.
func TestInterrupt(t *testing.T) {
	model := write(t, "sums.tir", sums)
	here := make(chan os.Signal, 1) // a signal that comes too early or too late does not end the tests
	signal.Notify(here, os.Interrupt)
	defer signal.Stop(here)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	tick := time.AfterFunc(200*time.Millisecond, func() {
		if err := self.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
	})
	defer tick.Stop()
	status, _, stderr := tcc(t, "bench", model, "-backend", "interp", "-time", "1m")
	if status != exitFail || stderr != "tcc: interrupted\n" {
		t.Errorf("status %d, error %q", status, stderr)
	}
}

func TestConform(t *testing.T) {
	dir := t.TempDir()
	reluModel(t, filepath.Join(dir, "a", "good"), "Relu", []float32{-1, 2}, []float32{0, 2})
	status, out, stderr := tcc(t, "conform", "-backend", "interp", dir)
	if status != 0 || out != "1 passed, 0 failed, 0 unsupported\n" {
		t.Errorf("status %d, printed %q, %q", status, out, stderr)
	}
	_, out, _ = tcc(t, "conform", "-v", "-backend", "interp", dir)
	if want := "passed: " + filepath.Join(dir, "a", "good") + "\n"; !strings.HasPrefix(out, want) {
		t.Errorf("with -v printed %q, want %q first", out, want)
	}
	reluModel(t, filepath.Join(dir, "b"), "Relu", []float32{-1, 2}, []float32{0, 3})
	reluModel(t, filepath.Join(dir, "c"), "Quux", []float32{1}, []float32{1})
	status, out, stderr = tcc(t, "conform", dir, "-backend", "interp")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 1 || len(lines) != 3 || lines[2] != "1 passed, 1 failed, 1 unsupported" ||
		!strings.Contains(lines[0], "want 3") || !strings.Contains(lines[1], "Quux") {
		t.Errorf("status %d, printed %q, %q", status, out, stderr)
	}
	status, out, _ = tcc(t, "conform", "-json", "-backend", "interp", dir)
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); status != 1 || err != nil || got["passed"] != 1.0 {
		t.Errorf("status %d, %v, printed %q", status, err, out)
	}
	if status, _, _ := tcc(t, "conform", t.TempDir()); status != 2 {
		t.Errorf("status %d of nothing to run, want 2", status)
	}
}
