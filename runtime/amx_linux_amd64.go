//go:build !purego

package runtime

import (
	"sync"

	"golang.org/x/sys/unix"
)

// amxPermitted asks the kernel to let this process use tile registers: of
// state component 18, as their contents are large and not saved by default.
// Once for the process; it fails where the CPU or the kernel has none.
var amxPermitted = sync.OnceValue(func() bool {
	const requestPermission, tileData = 0x1023, 18
	_, _, errno := unix.RawSyscall(unix.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
})
