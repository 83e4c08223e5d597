//go:build purego || !arm64

package runtime

// flushCode does nothing: x86 keeps its instruction caches coherent, and no other CPU gets here.
func flushCode(uintptr, uintptr) {}
