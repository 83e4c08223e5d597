package npy_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/tensorcc/tcc/frontend/tensor/interop"
	"github.com/tensorcc/tcc/frontend/tensor/interop/npy"
	"github.com/tensorcc/tcc/runtime"
)

func TestNPYWrite(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("files are mapped for writing on Unix")
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := runtime.WriteNPYFile(path, runtime.MustFrom([]float64{1, 2, 3, 4}, 2, 2)); err != nil {
		t.Fatal(err)
	}
	x, done, err := npy.Map(path, true)
	if err != nil {
		t.Fatal(err)
	}
	lazy, shared, err := interop.Tensor(x)
	if err != nil || !shared {
		t.Fatalf("shared %v, %v", shared, err)
	}
	lazy.Set(40, 1, 1)
	if err := lazy.Err(); err != nil {
		t.Fatal(err)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	y, err := runtime.ReadNPYFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := runtime.At[float64](y, 1, 1); got != 40 {
		t.Errorf("the file has %v after a write through the tensor", got)
	}
}

func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	err := npy.WriteNPZ(&b, []string{"a", "weights/b"}, []*runtime.Tensor{
		runtime.MustFrom([]float64{1, 2, 3}, 3), runtime.MustFrom([]bool{true, false}, 1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNPZ(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := os.WriteFile(path, archive(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Names(); !slices.Equal(got, []string{"a", "weights/b"}) {
		t.Errorf("names %q", got)
	}
	x, shared, err := f.Tensor("a")
	if err != nil || !shared || runtime.At[float64](x, 2) != 3 {
		t.Fatalf("a: %v, shared %v, %v", x, shared, err)
	}
	again, _, err := f.Tensor("a")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := runtime.Slice[float64](x)
	q, _ := runtime.Slice[float64](again)
	if unsafe.SliceData(p) != unsafe.SliceData(q) {
		t.Error("two tensors of one array have two memories")
	}
	if _, _, err := f.Tensor("b"); err == nil {
		t.Error("no error for an array that is not there")
	}
}

// TestNPZWrite writes to an array of an archive and reads it back.
func TestNPZWrite(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("files are mapped for writing on Unix")
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := os.WriteFile(path, archive(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(string) (*npy.File, error){npy.OpenWritable, npy.Open} {
		f, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		x, shared, err := f.Tensor("a")
		if err != nil || !shared {
			t.Fatalf("shared %v, %v", shared, err)
		}
		if runtime.At[float64](x, 2) == 3 {
			runtime.Set(x, 30.0, 2)
		}
		if got := runtime.At[float64](x, 2); got != 30 {
			t.Errorf("the element is %v, want the 30 that was written", got)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCompressed reads what numpy.savez_compressed writes: a copy.
func TestCompressed(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("a.npy")
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.WriteNPY(w, runtime.MustFrom(make([]int32, 1000), 1000)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, shared, err := f.Tensor("a")
	if err != nil || shared || x.Len() != 1000 {
		t.Errorf("compressed: %v, shared %v, %v", x, shared, err)
	}
}
