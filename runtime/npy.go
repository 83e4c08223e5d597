package runtime

import (
	"bufio"
	"bytes"
	bin "encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// This file reads and writes NumPy's .npy files (NumPy Enhancement Proposal 1, format versions 1
// to 3). It is written here because compiled programs depend on the standard library alone.

// npyTypes maps type descriptions, without byte order, to element types. NumPy has no name for
// bfloat16; its users store it as 2-byte void.
var npyTypes = map[string]DType{
	"b1": Bool, "i1": I8, "i2": I16, "i4": I32, "i8": I64, "u1": U8, "u2": U16, "u4": U32, "u8": U64,
	"f2": F16, "f4": F32, "f8": F64, "V2": BF16,
}

// npyLimit bounds the header and, against headers that lie, the elements read ahead of the data.
const npyLimit = 1 << 16

var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([<>|=]?)([a-zA-Z]\d*)['"]`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([\d\s,L]*)\)`)
)

// ReadNPYFile reads the array in the .npy file at path.
func ReadNPYFile(path string) (*Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := ReadNPY(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// ReadNPY reads an array in .npy form. Arrays in Fortran order become transposed views. Memory is
// bounded by the data that is there, whatever the header says.
func ReadNPY(r io.Reader) (*Tensor, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	h, err := readNPYHeader(br)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	n, err := count(h.dtype, h.shape)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	data, err := readAll(br, n*h.dtype.Size())
	if err != nil {
		return nil, fmt.Errorf("npy: data of %v%v: %w", h.dtype, h.shape, err)
	}
	if h.swapped {
		swapBytes(data, h.dtype.Size())
	}
	t, err := NewTensor(h.dtype, h.stored()...)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	dst, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	copy(dst, data)
	if h.dtype == Bool { // any byte but 0 is true; tensors hold 0 and 1
		for i, b := range dst {
			dst[i] = byte(truth(b != 0))
		}
	}
	return h.ordered(t)
}

// MapNPY returns the array in data, the contents of an .npy file, over that memory: shared is true,
// and both see each other's writes. Where elements are not aligned, have the other byte order or
// are bools other than 0 and 1, it is a copy.
func MapNPY(data []byte) (t *Tensor, shared bool, err error) {
	r := bytes.NewReader(data)
	h, err := readNPYHeader(r)
	if err != nil {
		return nil, false, fmt.Errorf("npy: %w", err)
	}
	rest := data[len(data)-r.Len():]
	n, err := count(h.dtype, h.shape)
	if err != nil {
		return nil, false, fmt.Errorf("npy: %w", err)
	}
	size := h.dtype.Size()
	if len(rest) < n*size {
		return nil, false, fmt.Errorf("npy: data of %v%v: %d bytes, wanted %d",
			h.dtype, h.shape, len(rest), n*size)
	}
	rest = rest[:n*size]
	aligned := uintptr(unsafe.Pointer(unsafe.SliceData(rest)))%uintptr(size) == 0
	plain := h.dtype != Bool || !slices.ContainsFunc(rest, func(b byte) bool { return b > 1 })
	if !aligned || !plain || h.swapped && size > 1 {
		t, err = ReadNPY(bytes.NewReader(data))
		return t, false, err
	}
	if t, err = FromBytes(h.dtype, rest, h.stored()...); err == nil {
		t, err = h.ordered(t)
	}
	return t, err == nil, err
}

// stored is the row-major shape in which the elements lie.
func (h *npyHeader) stored() []int {
	if h.fortran {
		return reversed(h.shape)
	}
	return h.shape
}

// ordered is the view of what lies as stored says that has the array's axes.
func (h *npyHeader) ordered(t *Tensor) (*Tensor, error) {
	if !h.fortran {
		return t, nil
	}
	return t.Transpose()
}

type npyHeader struct {
	dtype            DType
	shape            []int
	fortran, swapped bool
}

func readNPYHeader(r io.Reader) (*npyHeader, error) {
	var pre [8]byte
	if _, err := io.ReadFull(r, pre[:]); err != nil || string(pre[:6]) != "\x93NUMPY" {
		return nil, errors.New("not an .npy file: it does not begin with \\x93NUMPY")
	}
	size := make([]byte, 2)
	if pre[6] >= 2 {
		size = make([]byte, 4)
	}
	if pre[6] < 1 || pre[6] > 3 {
		return nil, fmt.Errorf("format version %d, wanted 1 to 3", pre[6])
	}
	if _, err := io.ReadFull(r, size); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	n := uint32(bin.LittleEndian.Uint16(size))
	if len(size) == 4 {
		n = bin.LittleEndian.Uint32(size)
	}
	if n > npyLimit {
		return nil, fmt.Errorf("header of %d bytes, wanted at most %d", n, npyLimit)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return parseNPYHeader(string(text))
}

func parseNPYHeader(text string) (*npyHeader, error) {
	d, f, s := npyDescr.FindStringSubmatch(text), npyFortran.FindStringSubmatch(text),
		npyShape.FindStringSubmatch(text)
	if d == nil || f == nil || s == nil {
		return nil, fmt.Errorf("header %.200q: "+
			"wanted descr, fortran_order and shape of a plain array", text)
	}
	h := &npyHeader{fortran: f[1] == "True", swapped: d[1] == ">"}
	var ok bool
	if h.dtype, ok = npyTypes[d[2]]; !ok {
		return nil, fmt.Errorf("element type %q is not supported", d[2])
	}
	for _, e := range strings.Split(s[1], ",") {
		e = strings.TrimSuffix(strings.TrimSpace(e), "L")
		if e == "" {
			continue
		}
		k, err := strconv.ParseInt(e, 10, 48)
		if err != nil {
			return nil, fmt.Errorf("shape (%s): %w", s[1], err)
		}
		h.shape = append(h.shape, int(k))
	}
	return h, nil
}

// readAll reads n bytes, growing as they come.
func readAll(r io.Reader, n int) ([]byte, error) {
	var buf []byte
	for len(buf) < n {
		part := min(n-len(buf), max(len(buf), 1<<20))
		at := len(buf)
		buf = append(buf, make([]byte, part)...)
		if k, err := io.ReadFull(r, buf[at:]); err != nil {
			return nil, fmt.Errorf("%d bytes, wanted %d", at+k, n)
		}
	}
	return buf, nil
}

func swapBytes(data []byte, size int) {
	for ; len(data) >= size; data = data[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			data[i], data[j] = data[j], data[i]
		}
	}
}

func reversed(s []int) []int {
	out := make([]int, len(s))
	for i, v := range s {
		out[len(s)-1-i] = v
	}
	return out
}

// WriteNPY writes t in .npy form, version 1, row-major.
func WriteNPY(w io.Writer, t *Tensor) error {
	descr := ""
	for s, d := range npyTypes {
		if d == t.DType() {
			descr = s
		}
	}
	if descr == "" {
		return fmt.Errorf("npy: element type %v cannot be written", t.DType())
	}
	order := "<"
	if t.DType().Size() == 1 || t.DType() == BF16 {
		order = "|"
	}
	var dims strings.Builder
	for _, d := range t.Shape() {
		fmt.Fprintf(&dims, "%d, ", d)
	}
	shape := dims.String()
	if len(t.Shape()) != 1 {
		shape = strings.TrimSuffix(shape, ", ")
	}
	head := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, descr,
		strings.TrimSuffix(shape, " "))
	const align = 64
	pad := align - (10+len(head)+1)%align
	head += strings.Repeat(" ", pad%align) + "\n"
	data, err := t.Contiguous().Bytes()
	if err != nil {
		return err
	}
	pre := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	_, err = w.Write(append(pre, head...))
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

// WriteNPYFile writes t to the file at path: to a temporary file first, which it then renames.
func WriteNPYFile(path string, t *Tensor) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".npy-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(WriteNPY(f, t), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
