//go:build !unix

package interop

import (
	"fmt"
	"os"
)

func mapFile(path string, writable bool) (*Mapping, error) {
	if writable {
		return nil, fmt.Errorf("%s: %w", path, ErrNotMapped)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return &Mapping{Data: data}, nil
}
