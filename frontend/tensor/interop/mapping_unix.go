//go:build unix

package interop

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func mapFile(path string, writable bool) (*Mapping, error) {
	flags, prot := os.O_RDONLY, unix.PROT_READ
	if writable {
		flags, prot = os.O_RDWR, unix.PROT_READ|unix.PROT_WRITE
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is no regular file", path)
	case size == 0:
		return &Mapping{Writable: writable}, nil
	case int64(int(size)) != size:
		return nil, fmt.Errorf("%s: %d bytes are more than memory can hold", path, size)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), prot, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: map: %w", path, err)
	}
	release := func() error { return unix.Munmap(data) }
	return &Mapping{Data: data, Writable: writable, release: release}, nil
}
