// Package safetensors maps and writes .safetensors files: their tensors are
// views of the file's memory where elements are aligned, which they are in
// files written by [Write] and by the format's own libraries.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/frontend/tensor/interop"
	"github.com/tensorcc/tcc/runtime"
)

// dtypes are the element types by the format's names.
var dtypes = map[string]runtime.DType{"BOOL": runtime.Bool, "U8": runtime.U8, "I8": runtime.I8,
	"I16": runtime.I16, "U16": runtime.U16, "F16": runtime.F16, "BF16": runtime.BF16,
	"I32": runtime.I32,
	"U32": runtime.U32, "F32": runtime.F32, "F64": runtime.F64, "I64": runtime.I64, "U64": runtime.U64}

// entry is a tensor in the header.
type entry struct {
	DType   string    `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

// File is an open file. Its tensors must not be used after Close.
type File struct {
	// Metadata is the free text that the file carries.
	Metadata map[string]string

	m       *interop.Mapping
	entries map[string]entry
	names   []string
	body    []byte
}

// Open maps the file at path. With writable, what is written to tensors that are
// shared goes to the file; without, it ends the process.
func Open(path string, writable bool) (*File, error) {
	m, err := interop.Map(path, writable)
	if err != nil {
		return nil, err
	}
	f, err := parse(m.Data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), m.Close())
	}
	f.m = m
	return f, nil
}

// maxHeader bounds the header, as the format does.
const maxHeader = 100_000_000

const metadataKey = "__metadata__"

// parse reads the header, which may be hostile.
func parse(data []byte) (*File, error) {
	const prefix = 8
	if len(data) < prefix {
		return nil, fmt.Errorf("safetensors: %d bytes, want a header", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader || n > uint64(len(data)-prefix) {
		return nil, fmt.Errorf("safetensors: header of %d bytes in a file of %d, want at most %d", n,
			len(data), maxHeader)
	}
	f := &File{entries: map[string]entry{}, body: data[prefix+n:]}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data[prefix:prefix+n], &raw); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	for name, text := range raw {
		if name == metadataKey {
			if err := json.Unmarshal(text, &f.Metadata); err != nil {
				return nil, fmt.Errorf("safetensors: %s: %w", metadataKey, err)
			}
			continue
		}
		var e entry
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", name, err)
		}
		f.entries[name] = e
		f.names = append(f.names, name)
	}
	slices.SortFunc(f.names, func(a, b string) int {
		x, y := f.entries[a], f.entries[b]
		if c := slices.Compare(x.Offsets[:], y.Offsets[:]); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return f, f.check()
}

// check checks that the tensors fill the body, one behind the other.
func (f *File) check() error {
	at := uint64(0)
	for _, name := range f.names {
		e := f.entries[name]
		if e.Offsets[0] != at || e.Offsets[1] < at || e.Offsets[1] > uint64(len(f.body)) {
			return fmt.Errorf("safetensors: tensor %q at %v of %d bytes: want it to begin at %d", name,
				e.Offsets, len(f.body), at)
		}
		at = e.Offsets[1]
		d, known := dtypes[e.DType]
		if !known {
			continue // Tensor says so
		}
		size := uint64(d.Size())
		for _, k := range e.Shape {
			if k < 0 {
				return fmt.Errorf("safetensors: tensor %q has shape %v", name, e.Shape)
			}
			hi, lo := bits.Mul64(size, uint64(k))
			if hi != 0 {
				return fmt.Errorf("safetensors: tensor %q of shape %v is larger than memory", name, e.Shape)
			}
			size = lo
		}
		if size != e.Offsets[1]-e.Offsets[0] {
			return fmt.Errorf("safetensors: tensor %q: %s%v is %d bytes, the file has %d", name, e.DType,
				e.Shape, size, e.Offsets[1]-e.Offsets[0])
		}
	}
	if at != uint64(len(f.body)) {
		return fmt.Errorf("safetensors: %d bytes after the last tensor", uint64(len(f.body))-at)
	}
	return nil
}

// Names returns the names of the tensors, in the order of the file.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Tensor returns a tensor. It is a view of the file if it is aligned, as shared
// tells, else a copy.
func (f *File) Tensor(name string) (t *runtime.Tensor, shared bool, err error) {
	e, ok := f.entries[name]
	if !ok {
		return nil, false, fmt.Errorf("safetensors: no tensor %q", name)
	}
	d, ok := dtypes[e.DType]
	if !ok {
		return nil, false, fmt.Errorf("safetensors: tensor %q has elements of type %s, which the "+
			"runtime has not", name, e.DType)
	}
	data := f.body[e.Offsets[0]:e.Offsets[1]]
	if t, err = runtime.FromBytes(d, data, e.Shape...); err == nil {
		return t, true, nil
	}
	if t, err = runtime.NewTensor(d, e.Shape...); err != nil {
		return nil, false, err
	}
	to, err := t.Bytes()
	copy(to, data)
	return t, false, err
}

// Close gives the file's memory back.
func (f *File) Close() error { return f.m.Close() }

// Write writes tensors, with free text or nil: the same bytes for the same
// tensors. Those with larger elements come first, so that all are aligned.
func Write(w io.Writer, ts map[string]*runtime.Tensor, metadata map[string]string) error {
	var names []string
	for name, t := range ts {
		if formatName(t.DType()) == "" || name == metadataKey {
			return fmt.Errorf("safetensors: tensor %q, %v: the format has no such name or elements", name, t)
		}
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := ts[b].DType().Size() - ts[a].DType().Size(); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	header := map[string]any{}
	if metadata != nil {
		header[metadataKey] = metadata
	}
	at := uint64(0)
	for _, name := range names {
		t := ts[name]
		n := uint64(t.Len() * t.DType().Size())
		header[name] = entry{formatName(t.DType()), append([]int{}, t.Shape()...), [2]uint64{at, at + n}}
		at += n
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	const align = 8
	text = append(text, strings.Repeat(" ", (align-len(text)%align)%align)...)
	prefix := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	if _, err := w.Write(append(prefix, text...)); err != nil {
		return err
	}
	for _, name := range names {
		b, err := ts[name].Contiguous().Bytes()
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// formatName is the format's name of an element type, "" if there is none.
func formatName(d runtime.DType) string {
	for name, e := range dtypes {
		if e == d {
			return name
		}
	}
	return ""
}
