package onnxpb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// File is an open model file.
type File struct {
	Model *ModelProto

	mappings []*mapping
}

// Open maps the model file at path, and the files of external data beside it
// that the model names, and decodes it. The weights are valid until Close.
func Open(path string) (*File, error) {
	f := &File{}
	if err := f.open(path); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, nil
}

func (f *File) open(path string) error {
	// Stat before Open: opening a pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil {
		return plainError(err)
	} else if !info.Mode().IsRegular() {
		return errNotRegular
	}
	file, err := os.Open(path)
	if err != nil {
		return plainError(err)
	}
	data, err := f.add(file)
	if err != nil {
		return err
	}
	if f.Model, err = DecodeModel(data); err != nil {
		return err
	}
	if f.Model.Graph == nil {
		return errors.New("not an ONNX model: it has no graph")
	}
	return f.openExternal(filepath.Dir(path))
}

var errNotRegular = errors.New("not a regular file")

// add maps file and closes it.
func (f *File) add(file *os.File) ([]byte, error) {
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, plainError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	m, err := mapFile(file, info.Size())
	if err != nil {
		return nil, plainError(err)
	}
	f.mappings = append(f.mappings, m)
	return m.data, nil
}

// plainError returns err without the path that os puts into its errors, for
// callers that name the file themselves.
func plainError(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Close unmaps the files. Nothing that points into the weights may be used
// after it.
func (f *File) Close() error {
	var errs []error
	for _, m := range f.mappings {
		errs = append(errs, m.close())
	}
	f.mappings = nil
	return errors.Join(errs...)
}

// ReadTensorFile reads the tensor in the .pb file at path, into memory of its
// own.
func ReadTensorFile(path string) (*Tensor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := DecodeTensor(data)
	if err == nil {
		var t *Tensor
		if t, err = m.Decode(); err == nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", path, err)
}

// WriteFile writes m to the file at path: to a temporary file first, so that
// no half-written file is left under that name.
func WriteFile[M Message](path string, m M) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tcc-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if err := errors.Join(Write(tmp, m), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
