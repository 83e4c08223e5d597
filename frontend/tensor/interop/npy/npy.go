// Package npy maps NumPy's .npy and .npz files: their arrays are tensors over
// the file's memory.
//
// An array is a view of the file where its elements are stored as they are in
// memory: not compressed, in little-endian order, and aligned, which .npy files
// always are, and .npz files if [WriteNPZ] made them (NumPy's own are by
// chance). Else it is a copy, as Shared tells.
package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/frontend/tensor/interop"
	"github.com/tensorcc/tcc/runtime"
)

// File is an open .npy or .npz file. Its tensors must not be used after Close.
type File struct {
	m       *interop.Mapping
	path    string
	members map[string]*zip.File
	names   []string
}

// Open maps the .npz file at path for reading: writing to its arrays ends the
// process.
func Open(path string) (*File, error) { return open(path, false) }

// OpenWritable maps the .npz file at path; writes to arrays that are Shared go
// to the file, whose checksums they make wrong: NumPy then refuses it. It is
// meant for files that tcc alone reads.
func OpenWritable(path string) (*File, error) { return open(path, true) }

func open(path string, writable bool) (*File, error) {
	m, err := interop.Map(path, writable)
	if err != nil {
		return nil, err
	}
	f, err := directory(m, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), m.Close())
	}
	return f, nil
}

// directory lists the arrays of an archive, which may be hostile.
func directory(m *interop.Mapping, path string) (*File, error) {
	f := &File{m: m, path: path, members: map[string]*zip.File{}}
	z, err := zip.NewReader(bytes.NewReader(m.Data), int64(len(m.Data)))
	if err != nil {
		return nil, err
	}
	for _, member := range z.File {
		name, array := strings.CutSuffix(member.Name, ".npy")
		if !array || f.members[name] != nil {
			continue
		}
		f.members[name] = member
		f.names = append(f.names, name)
	}
	return f, nil
}

// Map maps the .npy file at path and returns its array. With writable, what is
// written to the tensor goes to the file, as NumPy sees it, unless elements have
// the other byte order: that is an error then. Without, writing ends the
// process. close gives the memory back.
func Map(path string, writable bool) (t *runtime.Tensor, close func() error, err error) {
	m, err := interop.Map(path, writable)
	if err != nil {
		return nil, nil, err
	}
	t, shared, err := runtime.MapNPY(m.Data)
	if err == nil && writable && !shared {
		err = errors.New("npy: its elements have another form than in memory: read and write it")
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, err), m.Close())
	}
	return t, m.Close, nil
}

// Names returns the names of the arrays, as NumPy has them, in the file's order.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Tensor returns an array; shared tells whether it is a view of the file.
func (f *File) Tensor(name string) (t *runtime.Tensor, shared bool, err error) {
	member := f.members[name]
	if member == nil {
		return nil, false, fmt.Errorf("%s: no array %q; there are %q", f.path, name, f.names)
	}
	if t, shared, err = f.read(member); err != nil {
		return nil, false, fmt.Errorf("%s: %s: %w", f.path, name, err)
	}
	return t, shared, nil
}

func (f *File) read(member *zip.File) (*runtime.Tensor, bool, error) {
	if member.Method != zip.Store {
		r, err := member.Open()
		if err != nil {
			return nil, false, err
		}
		t, err := runtime.ReadNPY(r)
		return t, false, errors.Join(err, r.Close())
	}
	at, err := member.DataOffset()
	if err != nil {
		return nil, false, err
	}
	size, all := member.UncompressedSize64, uint64(len(f.m.Data))
	if at < 0 || uint64(at) > all || size > all-uint64(at) {
		return nil, false, fmt.Errorf("%d bytes at %d are not in the file", size, at)
	}
	return runtime.MapNPY(f.m.Data[at : uint64(at)+size])
}

// Close gives the file's memory back.
func (f *File) Close() error { return f.m.Close() }

// align is a multiple of every element's size, and of a cache line.
const align = 64

// paddingID marks the padding between the header of a member and its data.
const paddingID = 0xd935

// WriteNPZ writes arrays as an .npz file that NumPy reads, not compressed, with
// elements aligned so that Open shares them. names and ts go together.
func WriteNPZ(w io.Writer, names []string, ts []*runtime.Tensor) error {
	if len(names) != len(ts) {
		return fmt.Errorf("npz: %d names for %d tensors", len(names), len(ts))
	}
	out := &counter{w: w}
	z := zip.NewWriter(out)
	for i, t := range ts {
		if err := z.Flush(); err != nil {
			return err
		}
		name := names[i] + ".npy"
		const header, extra = 30, 4
		pad := (align - (out.n+header+len(name)+extra)%align) % align
		h := &zip.FileHeader{Name: name, Method: zip.Store}
		h.Extra = binary.LittleEndian.AppendUint16(h.Extra, paddingID)
		h.Extra = binary.LittleEndian.AppendUint16(h.Extra, uint16(pad))
		h.Extra = append(h.Extra, make([]byte, pad)...)
		m, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if err := runtime.WriteNPY(m, t); err != nil {
			return fmt.Errorf("npz: %s: %w", names[i], err)
		}
	}
	return z.Close()
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int
}

// Write writes to what is below.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}
