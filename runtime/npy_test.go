package runtime

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

func TestNPYRoundTrip(t *testing.T) {
	for _, x := range []*Tensor{
		MustFrom([]float32{1, 2, 3, 4, 5, 6}, 2, 3), Scalar(int64(-7)), MustFrom([]bool{true, false}, 2),
		MustFrom([]uint8{}, 0, 4), MustFrom([]float64{1.5}, 1),
	} {
		var b bytes.Buffer
		if err := WriteNPY(&b, x); err != nil {
			t.Fatal(err)
		}
		y, err := ReadNPY(&b)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := x.Bytes()
		got, _ := y.Bytes()
		if y.DType() != x.DType() || !slices.Equal(y.Shape(), x.Shape()) || !bytes.Equal(got, want) {
			t.Errorf("read %v, wrote %v", y, x)
		}
	}
}

// npyFile makes a file with the given header as NumPy writes it.
func npyFile(header string, data []byte) []byte {
	size := []byte{byte(len(header)), byte(len(header) >> 8)}
	return slices.Concat([]byte("\x93NUMPY\x01\x00"), size, []byte(header), data)
}

func TestNPYForms(t *testing.T) {
	f := npyFile("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }",
		[]byte{0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6})
	x, err := ReadNPY(bytes.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Slice[int16](x.Contiguous())
	if err != nil || !slices.Equal(got, []int16{1, 2, 3, 4, 5, 6}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNPYBad(t *testing.T) {
	file := func(descr, shape string, bytes int) []byte {
		return npyFile(fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': %s, }", descr, shape),
			make([]byte, bytes))
	}
	for name, f := range map[string][]byte{
		"empty":     nil,
		"magic":     []byte("NUMPY\x93\x01\x00"),
		"truncated": file("'<f4'", "(3,)", 11),
		"huge":      file("'<f8'", "(99999999999, 9)", 0),
		"overflow":  file("'<f8'", "(99999999999999, 99999999999999)", 0),
		"type":      file("'<c8'", "(1,)", 8),
		"record":    file("[('a', '<f4')]", "(1,)", 8),
	} {
		if x, err := ReadNPY(bytes.NewReader(f)); err == nil {
			t.Errorf("%s: read %v, wanted an error", name, x)
		}
	}
}

func FuzzNPY(f *testing.F) {
	f.Add(npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", make([]byte, 8)))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := ReadNPY(bytes.NewReader(data))
		y, _, mapErr := MapNPY(data)
		if (err == nil) != (mapErr == nil) {
			t.Fatalf("ReadNPY: %v, MapNPY: %v", err, mapErr)
		}
		if err != nil {
			return
		}
		if x.Text() != y.Text() {
			t.Errorf("ReadNPY: %v, MapNPY: %v", x.Text(), y.Text())
		}
		if err := WriteNPY(&bytes.Buffer{}, x); err != nil {
			t.Error(err)
		}
	})
}
