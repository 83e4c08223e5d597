//go:build unix

package runtime

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MapCode copies machine code into memory of its own that can be executed, and returns its
// address, aligned to a page, and a function that releases it. The memory is writable first, then
// executable, never both. Systems may refuse that; the error says so.
func MapCode(code []byte) (base uintptr, release func() error, err error) {
	if !hasInvoke {
		return 0, nil, errNoInvoke
	}
	size := (len(code) + unix.Getpagesize()) &^ (unix.Getpagesize() - 1)
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0, nil, fmt.Errorf("map code: %d bytes of memory: %w", size, err)
	}
	copy(mem, code)
	if err := unix.Mprotect(mem, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		_ = unix.Munmap(mem)
		return 0, nil, fmt.Errorf("map code: this system does not let a process make code of "+
			"data (%w): build an executable or a Go package instead", err)
	}
	base = uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	flushCode(base, uintptr(len(code)))
	return base, func() error { return unix.Munmap(mem) }, nil
}
