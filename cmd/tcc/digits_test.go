package main

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tensorcc/tcc/codegen/gopkg"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/runtime"
)

const digitsModel = "../../testdata/digits/digits.onnx"

// digitsProgram is a program that uses the generated package.
const digitsProgram = `package main

import (
	"encoding/binary"
	"os"

	"example.com/m/internal/digits"
)

func main() {
	x, err := digits.NewTensor(digits.F32, 2000, 1, 28, 28)
	check(err)
	pixels, err := digits.Slice[float32](x)
	check(err)
	check(binary.Read(os.Stdin, binary.LittleEndian, pixels))
	m, err := digits.New()
	check(err)
	out, err := m.Run(digits.Inputs{Image: x})
	check(err)
	probs, err := digits.Slice[float32](out.Probs)
	check(err)
	check(binary.Write(os.Stdout, binary.LittleEndian, probs))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
`

// TestDigits compares the answers of the network that examples/mnist has
// trained, of an executable and of a package, on the 2,000 test images: with
// those that ONNX Runtime gave, and to the bit with each other.
func TestDigits(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
	images := testImages(t)
	dir := t.TempDir()
	exe := filepath.Join(dir, "digits")
	if got := run([]string{"tcc", "build", digitsModel, "-cpu", "native", "-o", exe}); got != exitOK {
		t.Fatalf("tcc build: exit status %d", got)
	}
	input := filepath.Join(dir, "image.npy")
	if err := runtime.WriteNPYFile(input, runtime.MustFrom(images, 2000, 1, 28, 28)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(exe, "-input", "image="+input, "-output-dir", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	probs, err := runtime.ReadNPYFile(filepath.Join(dir, "Probs.npy"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := runtime.Slice[float32](probs)
	if err != nil {
		t.Fatal(err)
	}
	asRuntime(t, got)
	for i, p := range fromPackage(t, images) {
		if p != got[i] {
			t.Fatalf("element %d: the package has %v, the executable %v", i, p, got[i])
		}
	}
}

// testImages are the 2,000 test images, black 0 and white 1.
func testImages(t *testing.T) []float32 {
	t.Helper()
	f, err := os.Open("../../../shared/corpora/data/mnist/test-images-idx3-ubyte.gz")
	if err != nil {
		t.Skipf("no data: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 16+2000*784)
	if _, err := io.ReadFull(z, data); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, 2000*784)
	for i := range out {
		out[i] = float32(data[16+i]) / 255
	}
	return out
}

// asRuntime compares probabilities with those of ONNX Runtime.
func asRuntime(t *testing.T, got []float32) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/digits/onnxruntime.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Classes []int
		Probs   [][]float64
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for i, row := range want.Probs {
		for k, p := range row {
			if d := math.Abs(float64(got[i*10+k]) - p); !(d <= 1e-5) {
				t.Errorf("image %d, digit %d: probability %v, ONNX Runtime has %v", i, k, got[i*10+k], p)
			}
		}
	}
	for i, class := range want.Classes {
		best := 0
		for k := range 10 {
			if got[i*10+k] > got[i*10+best] {
				best = k
			}
		}
		if best != class {
			t.Errorf("image %d is read as %d, ONNX Runtime has %d", i, best, class)
		}
	}
}

// fromPackage runs the generated package in a program of its own.
func fromPackage(t *testing.T, images []float32) []float32 {
	t.Helper()
	dir := t.TempDir()
	f := gopkg.Files{"main.go": []byte(digitsProgram)}
	f.AddModule("example.com/m")
	for name, text := range f {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"tcc", "gen", "-model", digitsModel, "-pkg", "digits", "-cpu", "native",
		"-o", filepath.Join(dir, "internal", "digits")}
	if got := run(args); got != exitOK {
		t.Fatalf("tcc gen: exit status %d", got)
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		binary.Write(in, binary.LittleEndian, images)
		in.Close()
	}()
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	if len(out) != 20000 {
		t.Fatalf("%d probabilities", len(out))
	}
	return out
}
