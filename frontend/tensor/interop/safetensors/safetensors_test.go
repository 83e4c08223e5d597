package safetensors

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/runtime"
)

func sample(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	err := Write(&b, map[string]*runtime.Tensor{
		"flag": runtime.MustFrom([]bool{true}, 1), "w": runtime.MustFrom([]float32{1, 2, 3, 4}, 2, 2),
		"big": runtime.MustFrom([]int64{5}), "none": runtime.MustFrom([]float32{}, 0, 4),
	}, map[string]string{"format": "tcc"})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, sample(t), 0o600); err != nil {
		t.Fatal(err)
	}
	writable := goruntime.GOOS != "windows"
	f, err := Open(path, writable)
	if err != nil {
		t.Fatal(err)
	}
	got := f.Names()
	if !slices.Equal(got, []string{"big", "none", "w", "flag"}) || f.Metadata["format"] != "tcc" {
		t.Errorf("names %q, metadata %v", got, f.Metadata)
	}
	for _, name := range f.Names() {
		if x, shared, err := f.Tensor(name); err != nil || !shared {
			t.Errorf("%s: %v, shared %v, %v", name, x, shared, err)
		}
	}
	w, _, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	if !writable {
		return
	}
	runtime.Set(w, float32(9), 1, 0)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(path, false); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if w, _, err = f.Tensor("w"); err != nil || runtime.At[float32](w, 1, 0) != 9 {
		t.Errorf("after a write: %v, %v", w.Text(), err)
	}
}

func file(header, body string) []byte {
	return []byte(string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + body)
}

// f32s is a file of one tensor in 4 bytes.
func f32s(shape, body string) []byte {
	return file(`{"a":{"dtype":"F32","shape":`+shape+`,"data_offsets":[0,4]}}`, body)
}

func TestBadFiles(t *testing.T) {
	for name, f := range map[string]struct {
		data []byte
		want string
	}{
		"short":    {[]byte("abc"), "want a header"},
		"length":   {binary.LittleEndian.AppendUint64(nil, 1<<62), "want at most"},
		"json":     {file("{", ""), "header"},
		"beyond":   {f32s("[1]", "abc"), "want it to begin"},
		"size":     {f32s("[2]", "abcd"), "8 bytes, the file has 4"},
		"negative": {f32s("[-1]", "abcd"), "shape [-1]"},
		"huge":     {f32s("[4611686018427387904,4]", "abcd"), "larger than memory"},
		"hole":     {file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "ab"), "begin at 0"},
		"overlap": {file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},`+
			`"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "ab"), "begin at 2"},
		"rest":  {file(`{}`, "ab"), "2 bytes after"},
		"field": {file(`{"a":{"dtype":"U8","shape":[1],"offsets":[0,1]}}`, "a"), "unknown field"},
	} {
		if _, err := parse(f.data); err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, f.want)
		}
	}
	f, err := parse(file(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Tensor("a"); err == nil || !strings.Contains(err.Error(), "F8_E4M3") {
		t.Errorf("an unknown element type: %v", err)
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(sample(f))
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "abcd"))
	f.Fuzz(func(t *testing.T, data []byte) {
		st, err := parse(data)
		if err != nil {
			return
		}
		for _, name := range st.Names() {
			if x, _, err := st.Tensor(name); err == nil {
				_ = x.Clone() // reads every element
			}
		}
	})
}
