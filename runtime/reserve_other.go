//go:build !unix

package runtime

// canReserve reports whether the system has n bytes of memory to give, as far as it can tell.
func canReserve(int64) bool { return true }
