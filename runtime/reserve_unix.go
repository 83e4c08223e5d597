//go:build unix

package runtime

import "golang.org/x/sys/unix"

// canReserve reports whether the system has n bytes of memory to give. The Go heap ends the
// process where it has not, and extents can be data: large blocks are asked for here before.
func canReserve(n int64) bool {
	const large = 256 << 20
	if n < large {
		return true
	}
	mem, err := unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return false
	}
	return unix.Munmap(mem) == nil
}
