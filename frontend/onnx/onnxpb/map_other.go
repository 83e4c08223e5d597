//go:build !unix

package onnxpb

import (
	"io"
	"os"
)

// mapping is the content of a file, read into memory: this system's way of
// mapping files is not used.
type mapping struct{ data []byte }

func mapFile(f *os.File, size int64) (*mapping, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(f, data)
	return &mapping{data: data}, err
}

func (m *mapping) close() error {
	m.data = nil
	return nil
}
