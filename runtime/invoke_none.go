//go:build purego || (!amd64 && !arm64)

package runtime

import "unsafe"

// hasInvoke reports whether this build can call machine code.
const hasInvoke = false

func invoke(uintptr, unsafe.Pointer, unsafe.Pointer, int64, int64, unsafe.Pointer) int32 {
	panic("BUG: runtime: machine code in a build without a trampoline")
}
