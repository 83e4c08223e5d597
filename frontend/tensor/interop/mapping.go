package interop

import (
	"errors"
	"sync"
)

// Mapping is a file in memory. Tensors over it must not be used after Close.
type Mapping struct {
	Data []byte
	// Writable says that writes to Data go to the file.
	Writable bool

	once    sync.Once
	release func() error
	err     error
}

// ErrNotMapped is returned where a file cannot be mapped for writing on this
// system.
var ErrNotMapped = errors.New("files cannot be mapped for writing on this system: " +
	"read and write them")

// Map maps the file at path: for reading, when writes to it end the process, or
// for writing. Where the system cannot map, it is read instead, and asking for
// writing is an error.
func Map(path string, writable bool) (*Mapping, error) { return mapFile(path, writable) }

// Close gives the memory back; what was written is in the file. Closing twice
// is harmless.
func (m *Mapping) Close() error {
	m.once.Do(func() {
		m.Data = nil
		if m.release != nil {
			m.err = m.release()
		}
	})
	return m.err
}
