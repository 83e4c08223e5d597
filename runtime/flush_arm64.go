//go:build !purego

package runtime

// flushLines is in invoke_arm64.s.
//
//go:noescape
func flushLines(base, end uintptr)

// flushCode makes the CPU's instruction caches see code that was written as data.
func flushCode(base, size uintptr) { flushLines(base, base+size) }
