//go:build (amd64 || arm64) && !purego

package runtime

import "unsafe"

// hasInvoke reports whether this build can call machine code.
const hasInvoke = true

// invoke calls machine code on the goroutine's stack. The buffers travel as unsafe.Pointer, not as
// uintptr: the prologue may move the stack, and with it what points into it.
//
//go:noescape
func invoke(code uintptr, bufs, dims unsafe.Pointer, lo, hi int64, scratch unsafe.Pointer) int32
