package runtime

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// MapCode copies machine code into memory of its own that can be executed, and returns its
// address, aligned to a page, and a function that releases it. The memory is writable first, then
// executable, never both. Systems may refuse that; the error says so.
func MapCode(code []byte) (base uintptr, release func() error, err error) {
	if !hasInvoke {
		return 0, nil, errNoInvoke
	}
	size := uintptr(len(code)) + 1
	base, err = windows.VirtualAlloc(0, size, windows.MEM_COMMIT|windows.MEM_RESERVE,
		windows.PAGE_READWRITE)
	if err != nil {
		return 0, nil, fmt.Errorf("map code: %d bytes of memory: %w", size, err)
	}
	release = func() error { return windows.VirtualFree(base, 0, windows.MEM_RELEASE) }
	at := base
	copy(unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), len(code)), code)
	var old uint32
	if err := windows.VirtualProtect(base, size, windows.PAGE_EXECUTE_READ, &old); err != nil {
		_ = release()
		return 0, nil, fmt.Errorf("map code: this system does not let a process make code of "+
			"data (%w): build an executable or a Go package instead", err)
	}
	flushCode(base, uintptr(len(code)))
	return base, release, nil
}
