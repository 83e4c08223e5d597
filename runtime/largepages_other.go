//go:build !linux

package runtime

import "unsafe"

// useLargePages does nothing: macOS and Windows give large pages to no part of a Go heap.
func useLargePages(unsafe.Pointer, int) {}
