//go:build unix

package onnxpb

import (
	"math"
	"os"
	"syscall"
)

// mapping is the content of a file. Another process that truncates the file
// while it is mapped makes reads beyond its end fault, as with any mapping.
type mapping struct{ data []byte }

func mapFile(f *os.File, size int64) (*mapping, error) {
	if size == 0 {
		return &mapping{}, nil
	}
	if size > math.MaxInt {
		return nil, syscall.EFBIG
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	return &mapping{data: data}, err
}

func (m *mapping) close() error {
	if m.data == nil {
		return nil
	}
	data := m.data
	m.data = nil
	return syscall.Munmap(data)
}
